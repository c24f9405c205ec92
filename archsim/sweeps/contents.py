"""What the chips and networks of a sweep's points are made of, with the files that their values name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.accelerators import load_architecture
from archsim.config.reading import watch
from archsim.cost.overrides import is_of_costs
from archsim.errors import ArchsimError
from archsim.inputs import load_workload
from archsim.provenance import sha256_of
from archsim.request import WORKLOAD_PREFIX
from archsim.sweeps.checks import Checked, file_of
from archsim.sweeps.work import override

Values = Mapping[str, Any]
FILES = (".yaml", ".yml", ".csv", ".npz")


@dataclass(frozen=True)
class _Loaded:
    """Whether something could be loaded, the hash of its content (or of the reason why not), and the files read."""

    whole: bool
    sha256: str
    read: Mapping[str, str]


class Contents:
    """SHA-256 of a chip's or network's content at a point: what it says, and what the files hold that it names.

    Numbers among the values are in the points' keys as they are. A value with a text in it may name a file; whether it
    does is found out by loading with it once. Where one does, the chip (or network) is loaded with all such values of
    the point, and the content is what was loaded, or the reason why it cannot be.
    """

    def __init__(self, checked: Checked) -> None:
        self._checked = checked
        self._known: dict[tuple[str, str], _Loaded] = {}

    def of(self, arch: str, workload: str, values: Values) -> tuple[str, str]:
        """Of the chip, and of the network."""
        of_workload = {key: value for key, value in values.items() if key.startswith(WORKLOAD_PREFIX)}
        of_chip = {key: value for key, value in values.items() if key not in of_workload and not is_of_costs(key)}
        chip, named = self._content(arch, of_chip, self._chip), list(self._files(list(of_chip.values())))
        return sha256_of([chip, named]) if named else chip, self._content(workload, of_workload, self._network)

    def overrides(self, values: Values) -> dict[str, Any]:
        """The values, and files that those of a chip name as seen from the sweep's file."""
        return {
            key: value if key.startswith(WORKLOAD_PREFIX) else self._located(value) for key, value in values.items()
        }

    @property
    def read(self) -> dict[str, str]:
        """Path to SHA-256 of every file that was read."""
        return {path: sha for loaded in self._known.values() for path, sha in loaded.read.items()}

    def _content(self, name: str, values: Values, load: Callable[[str, Values], Any]) -> str:
        naming = {key: value for key, value in values.items() if self._is_naming(name, key, value, load)}
        found = self._loaded(name, naming, load)
        return (found if found.whole else self._loaded(name, values, load)).sha256

    def _is_naming(self, name: str, key: str, value: Any, load: Callable[[str, Values], Any]) -> bool:
        """Whether loading with this value reads other files, or cannot be."""
        if not _has_text(value):
            return False
        found = self._loaded(name, {key: value}, load)
        return not found.whole or found.read != self._loaded(name, {}, load).read

    def _loaded(self, name: str, values: Values, load: Callable[[str, Values], Any]) -> _Loaded:
        known = (name, json.dumps(values, default=str))
        if known not in self._known:
            with watch() as read:
                try:
                    self._known[known] = _Loaded(True, sha256_of(load(name, values)), read)
                except ArchsimError as error:
                    said = sha256_of([str(problem) for problem in error.problems])
                    self._known[known] = _Loaded(False, said, read)
        return self._known[known]

    def _files(self, value: Any) -> Iterator[str]:
        """SHA-256 of every file that texts in a value are the paths of: a plug-in may read it in its own way."""
        if isinstance(value, Mapping | list):
            for one in value.values() if isinstance(value, Mapping) else value:
                yield from self._files(one)
        elif isinstance(value, str) and file_of(path := Path(self._located(value))):
            with suppress(OSError):  # whoever needs it says so
                yield hashlib.sha256(path.read_bytes()).hexdigest()

    def _located(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._located(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._located(one) for one in value]
        if isinstance(value, str) and value.endswith(FILES):
            path = (self._checked.document.folder or Path()) / value
            return str(path.resolve()) if file_of(path) else value
        return value

    def _chip(self, name: str, values: Values) -> Any:
        return load_architecture(self._checked.located(name), _overrides(self.overrides(values))).content

    def _network(self, name: str, values: Values) -> Any:
        bare = {key.removeprefix(WORKLOAD_PREFIX): value for key, value in values.items()}
        return load_workload(self._checked.located(name), _overrides(bare)).hash


def _overrides(values: Values) -> list[str]:
    return [override(key, value) for key, value in values.items()]


def _has_text(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_text, value.values()))
    return any(map(_has_text, value)) if isinstance(value, list) else isinstance(value, str)
