"""What a recording is, and the three files that it is written to: all of them, or none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archsim.errors import ArchsimError, Problem, UnsupportedError
from archsim.recording.graph import Array
from archsim.recording.write import text_of
from archsim.workload import Workload, load_workload, write_trace, write_weights


@dataclass(frozen=True, eq=False, repr=False)
class Recording:
    """A network with its weights, and the spikes that its framework sent.

    ``workload`` is what :meth:`save` writes, and what ``archsim.simulate`` takes. ``spikes``: layer -> [N, T, C, H, W];
    ``modules``: layer -> path of the module that it was; ``dtype``: the type in which archsim's own simulation equals
    the spikes; ``notes``: what was assumed.
    """

    name: str
    workload: Workload
    input: Array
    spikes: Mapping[str, Array]
    predictions: Array
    labels: Array | None
    modules: Mapping[str, str]
    dtype: str
    notes: tuple[str, ...]
    parts: Parts

    def __repr__(self) -> str:
        layers = ", ".join(self.spikes)
        steps = self.workload.network.timesteps
        return f"<Recording of '{self.name}': {len(self.predictions)} inputs, {steps} timesteps, spikes of {layers}>"

    def save(self, path: str | os.PathLike[str] = ".") -> Path:
        """Write NAME.yaml, NAME-weights.npz and NAME.npz, all or none; the path of the first.

        ``path``: a folder, or NAME in a folder (with or without ``.yaml``). Files of these names are replaced.
        ArchsimError where they cannot be written.
        """
        target = Path(path)
        if target.is_dir() or str(path).endswith(os.sep):
            target = target / file_stem(self.name)
        stem = target.name.removesuffix(".yaml")
        folder = target.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".recording-") as part:
                written = self.parts.write(Path(part), stem, self.predictions, self.labels)
                return _moved(written, folder)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ArchsimError(Problem(f"cannot write the recording: {reason}", file=str(target))) from error


@dataclass(frozen=True, eq=False)
class Parts:
    """What the three files hold."""

    head: Mapping[str, Any]
    layers: Sequence[Mapping[str, Any]]
    arrays: Mapping[str, Array]
    input: Array
    spikes: Mapping[str, Array]

    def write(
        self, folder: Path, stem: str, predictions: Array | None = None, labels: Array | None = None
    ) -> list[Path]:
        """Weights, trace and the workload file of this name, in this folder."""
        weights, trace, text = (folder / f"{stem}{ending}" for ending in ("-weights.npz", ".npz", ".yaml"))
        write_weights(weights, self.arrays)
        write_trace(trace, int(self.head["timesteps"]), self.input, self.spikes, labels, predictions)
        head = {**self.head, "weights": weights.name, "activity": {"trace": trace.name}}
        text.write_text(text_of(head, self.layers), encoding="utf-8")
        return [weights, trace, text]

    def workload(self) -> Workload:
        """The workload of the three files. UnsupportedError where archsim models no such network."""
        with tempfile.TemporaryDirectory(prefix="archsim-recording-") as folder:
            stem = file_stem(str(self.head["name"]))
            self.write(Path(folder), stem)
            try:
                return load_workload(Path(folder) / f"{stem}.yaml")
            except ArchsimError as error:
                raise UnsupportedError(replace(problem, file=None, line=None) for problem in error.problems) from None


def file_stem(name: str) -> str:
    """The name of a network as that of its files."""
    return name.replace(" ", "-")


def _moved(written: Sequence[Path], folder: Path) -> Path:
    """Put the files where they belong, and take them back if one of them fails."""
    for path in written:
        if (folder / path.name).is_dir():
            raise IsADirectoryError(0, "a folder is in the way", path.name)
    done: list[Path] = []
    try:
        for path in written:
            path.replace(folder / path.name)
            done.append(folder / path.name)
    except OSError:
        for path in done:
            path.unlink(missing_ok=True)
        raise
    return done[-1]
