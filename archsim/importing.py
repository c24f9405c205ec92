"""Networks that other tools wrote, written as workload files: both the file and its weights, or neither."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.result import writable_folder
from archsim.workload import load_workload
from archsim.workload.io import Imported, import_file, stem_of
from archsim.workload.weights import write_weights


@dataclass(frozen=True)
class Written:
    """The files that an import wrote (the workload first), and what the user should know of it."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def import_network(  # noqa: PLR0913 - one parameter per thing that a file may leave open
    path: str | Path,
    output: str | Path | None = None,
    *,
    dialect: str | None = None,
    dt: float | None = None,
    input_shape: Sequence[int] | str | None = None,
    timesteps: int | None = None,
    encoding: str | None = None,
    input_scale: float | None = None,
    name: str | None = None,
    format: str | None = None,
    force: bool = False,
) -> Written:
    """Write ``OUTPUT.yaml`` and, where the network has weights, ``OUTPUT-weights.npz`` (see
    ``archsim.workload.io.import_file`` for the rest).

    ``output`` (default: the file's own name, here) may have folders in front. Files that are there already are kept
    unless ``force``. What is written was loaded before, as ``archsim check`` does. ConfigError or WorkloadError with
    all problems; then nothing is written.
    """
    wanted = Path(stem_of(path) if output is None else output)
    target = wanted.with_name(f"{stem_of(wanted)}.yaml") if wanted.name else wanted
    problems = _place_problems(target, force)
    try:
        found = import_file(
            path, dialect=dialect, dt=dt, input_shape=input_shape, timesteps=timesteps, encoding=encoding,
            input_scale=input_scale, name=name, output=target, format=format,
        )  # fmt: skip
    except ArchsimError as error:
        raise ConfigError([*problems, *error.problems]) from None
    weights = target.with_name(f"{target.stem}-weights.npz")
    if found.arrays is not None:
        problems += _there(weights, force)
    if problems:
        raise ConfigError(problems)
    return Written(_write(found, target, weights), found.notes)


def _place_problems(target: Path, force: bool) -> list[Problem]:
    if not target.name:
        return [Problem("names no file", key="output", value=str(target), allowed="a name such as my-net")]
    try:
        writable_folder(target.parent)
    except ArchsimError as error:
        return list(error.problems)
    return _there(target, force)


def _there(path: Path, force: bool) -> list[Problem]:
    if path.is_dir():
        return [Problem("a folder is in the way of the file to write", str(path))]
    if path.exists() and not force:
        return [Problem("is there already; --force (force=True) replaces it", str(path))]
    return []


def _write(found: Imported, target: Path, weights: Path) -> tuple[Path, ...]:
    """Write both files beside their places, load them there, and move them."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".import-", dir=target.parent) as folder:
            parts = [Path(folder) / target.name]
            parts[0].write_text(found.text_yaml, encoding="utf-8")
            if found.arrays is not None:
                parts.append(write_weights(Path(folder) / weights.name, found.arrays))
            try:
                load_workload(parts[0])
            except ArchsimError as error:
                raise ConfigError(_of_source(error.problems, folder)) from None
            return _moved(parts, [target, weights])
    except OSError as error:
        text = f"cannot write the workload: {(error.strerror or str(error)).lower()}"
        raise ConfigError(Problem(text, str(target))) from None


def _moved(parts: Sequence[Path], places: Sequence[Path]) -> tuple[Path, ...]:
    """Move the files to their places, the weights first; where the last cannot be, what it replaces is left alone."""
    moved: list[Path] = []
    for part, place in reversed(list(zip(parts, places, strict=False))):
        try:
            part.replace(place)
        except OSError:
            for other in moved:
                other.unlink(missing_ok=True)
            raise
        moved.insert(0, place)
    return tuple(moved)


def _of_source(problems: Iterable[Problem], folder: str) -> list[Problem]:
    """Problems of the file that would have been written, in its words."""
    return [Problem(f"the network is no workload: {str(problem).replace(folder + '/', '')}") for problem in problems]
