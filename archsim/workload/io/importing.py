"""The one door of all importers: which of them reads a file, and what each gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from archsim.errors import ArchsimError, ConfigError, Problem, nearest

FORMATS: Mapping[str, tuple[str, str]] = {
    "nir": (".nir", "archsim.workload.io.nir"),
    "scalesim": (".csv", "archsim.workload.io.scalesim"),
    "sata-sim": (".yaml", "archsim.workload.io.sata_sim"),
}
"""Name of a format -> the ending of its files, and the module that reads them with ``read(Asked) -> Imported``."""
ENDINGS = {**{ending: name for name, (ending, _) in FORMATS.items()}, ".h5": "nir", ".hdf5": "nir", ".yml": "sata-sim"}
DEFAULT_TIMESTEPS = 16
MAX_TIMESTEPS = 100_000
ENCODINGS = ("direct", "rate", "ttfs", "events")


@dataclass(frozen=True)
class Asked:
    """What is asked of an importer; ``None``: not said. ``output``: the workload file's name, without its ending."""

    path: Path
    name: str
    output: str
    dialect: str | None = None
    dt: float | None = None
    input_shape: tuple[int, ...] | None = None
    timesteps: int | None = None
    encoding: str | None = None
    input_scale: float | None = None

    @property
    def weights_file(self) -> str:
        """Name of the weights' file, which lies beside the workload's."""
        return f"{self.output}-weights.npz"


@dataclass(frozen=True)
class Imported:
    """A workload file's text, the arrays of its weights (none: the source has none), and what the user should know."""

    name: str
    text_yaml: str
    arrays: Mapping[str, NDArray[Any]] | None = None
    notes: tuple[str, ...] = ()


class Importer(Protocol):
    """A module that reads one format."""

    def read(self, asked: Asked) -> Imported:
        """The network of a file; ConfigError or WorkloadError with everything that is wrong with it."""
        ...


def import_file(  # noqa: PLR0913 - one parameter per thing that a file may leave open
    path: str | Path,
    *,
    dialect: str | None = None,
    dt: float | None = None,
    input_shape: Sequence[int] | str | None = None,
    timesteps: int | None = None,
    encoding: str | None = None,
    input_scale: float | None = None,
    name: str | None = None,
    output: str | Path | None = None,
    format: str | None = None,
) -> Imported:
    """Read a network that another tool wrote; nothing is written.

    ``format`` (default: by the file's ending) chooses the importer. ``dialect`` and ``dt`` say how a NIR file's neurons
    are stepped; ``input_shape``, ``timesteps`` and ``encoding`` what the file does not say, ``input_scale`` what
    direct-coded integers are divided by (default: 1); ``name`` (default: that of ``output``, else of the file) is the
    network's. ConfigError or WorkloadError with all problems.
    """
    file = Path(path)
    problems: list[Problem] = []
    kind = _format(file, format, problems)
    shape = _shape(input_shape, problems)
    problems += [*_time_problems(timesteps, dt), *_input_problems(encoding, input_scale)]
    if not file.is_file():
        what = (
            "is a folder, not a file" if file.is_dir() else "is no regular file" if file.exists() else "file not found"
        )
        problems.append(Problem(what, str(file)))
    elif kind is not None:
        stem = stem_of(file if output is None else output)
        asked = Asked(file, name or stem, stem, dialect, dt, shape, timesteps, encoding, input_scale)
        importer: Importer = import_module(FORMATS[kind][1])
        try:
            found = importer.read(asked)
        except ArchsimError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return found


def stem_of(path: str | Path) -> str:
    """The name of a workload file without its ending, in the letters that names may have."""
    last = Path(path).name
    for ending in ENDINGS:
        last = last.removesuffix(ending)
    kept = "".join(letter if letter.isalnum() or letter in "_.+-" else "-" for letter in last).lstrip(".+-")
    return kept[:150] or "network"


def _time_problems(timesteps: int | None, dt: float | None) -> list[Problem]:
    problems = []
    if timesteps is not None and (isinstance(timesteps, bool) or not 1 <= timesteps <= MAX_TIMESTEPS):
        problems.append(Problem("no such number", key="timesteps", value=timesteps, allowed=f"1 to {MAX_TIMESTEPS:,}"))
    if dt is not None and not (isinstance(dt, int | float) and 0 < dt < float("inf")):
        problems.append(Problem("must be a number of seconds above 0", key="dt", value=dt))
    return problems


def _input_problems(encoding: str | None, scale: float | None) -> list[Problem]:
    """How the input travels, and its scale, which only direct-coded integers have."""
    problems = []
    if encoding is not None and encoding not in ENCODINGS:
        near = nearest(str(encoding), ENCODINGS)
        allowed = ", ".join(ENCODINGS)
        problems.append(Problem("no such encoding", key="encoding", value=encoding, allowed=allowed, nearest=near))
    if scale is None:
        return problems
    if isinstance(scale, bool) or not (isinstance(scale, int | float) and 0 < scale < float("inf")):
        problems.append(Problem("must be a number above 0", key="input_scale", value=scale))
    if encoding != "direct":
        text = "only direct-coded integers are divided by it; --encoding direct, or leave it out"
        problems.append(Problem(text, key="input_scale", value=scale))
    return problems


def _format(file: Path, given: str | None, problems: list[Problem]) -> str | None:
    """The format by its name, else by the file's ending."""
    allowed = ", ".join(FORMATS)
    if given is not None:
        if given not in FORMATS:
            near = nearest(str(given), FORMATS)
            problems.append(Problem("no such format", key="format", value=given, allowed=allowed, nearest=near))
            return None
        return given
    found = ENDINGS.get(file.suffix.lower())
    if found is None:
        text = f"the ending '{file.suffix}' does not say what wrote this file; name its format"
        problems.append(Problem(text, str(file), key="format", allowed=allowed))
    return found


def _shape(given: Sequence[int] | str | None, problems: list[Problem]) -> tuple[int, ...] | None:
    """``1,28,28`` or whole numbers: one to three sizes of at least 1."""
    if given is None:
        return None
    allowed = "one to three sizes, such as 1,28,28 or 784"
    try:
        items = [int(item) for item in (given.split(",") if isinstance(given, str) else given)]
    except (TypeError, ValueError):
        items = []
    if not 1 <= len(items) <= 3 or not all(1 <= size <= 1 << 24 for size in items):
        problems.append(Problem("is no shape", key="input_shape", value=given, allowed=allowed))
        return None
    return tuple(items)
