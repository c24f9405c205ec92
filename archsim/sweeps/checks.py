"""Whether a sweep's file makes sense as a whole, before anything is executed: names, keys, prices, samples, size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from archsim.accelerators import load_architecture
from archsim.config import Document
from archsim.config.document import OVERRIDE, Key
from archsim.config.reading import watch
from archsim.cost.overrides import is_of_costs
from archsim.cost.table import load_costs
from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.inputs import load_workload
from archsim.provenance import sha256_of, versions
from archsim.request import WORKLOAD_PREFIX, Gather, Request, prepare
from archsim.store.key import PACKAGE, extensions, package_source
from archsim.sweeps.constraints import Constraint, parse_constraint
from archsim.sweeps.on_chips import AskedOfChips, asked_of_chips, contents_of, unasked
from archsim.sweeps.sample import values_of
from archsim.sweeps.spec import MOST_POINTS, SweepFile, load_spec
from archsim.sweeps.suggest import check_optuna
from archsim.sweeps.work import override

_ACTIVITY = "workload.activity"
_MALFORMED = "not of the form KEY=VALUE, such as array.rows=32"
_NOWHERE = ("unknown key", "no such list item", "no such constant in the cost table", _MALFORMED)


@dataclass(frozen=True)
class Checked:
    """A sweep's file that makes sense, and the content of the chips and networks that it names."""

    file: SweepFile
    constraints: tuple[Constraint, ...]
    document: Document
    contents: Mapping[str, Any]
    only_prices: Mapping[str, tuple[str, ...]]  # of each chip, the keys that change prices only
    tables: Mapping[tuple[str, ...], str]  # hash of the cost table by its overlays, as located
    on_chips: AskedOfChips | None  # what is asked of every design as a chip
    common: str  # a hash of what answers beside the points' own content: plug-ins, archsim, Python and its packages
    read: Mapping[str, str]  # files that all this was read from, and the SHA-256 of each

    def located(self, name: str) -> str:
        """A path as seen from the sweep's file; the name of a preset as it is."""
        return _located(self.document, name)


def check_spec(path: str | Path) -> Checked:
    """Read a sweep's file and check all that it names. ConfigError: file:line of everything that is wrong."""
    file, document = load_spec(path)
    with watch() as read:
        return _checked(file, document, read)


def _checked(file: SweepFile, document: Document, read: Mapping[str, str]) -> Checked:
    constraints, problems = _constraints(file, document)
    problems += unasked(file, document)
    on_chips, seen = asked_of_chips(file.accuracy, document), []
    contents: dict[str, Any] = {}
    only_prices: dict[str, tuple[str, ...]] = {}
    tables: dict[tuple[str, ...], str] = {}
    common: list[Any] = [package_source(PACKAGE), versions()]
    for at, arch, workload, costs in _combinations(file):
        try:
            request = _prepared(file, document, arch, workload, costs)
            if on_chips is not None:
                seen.append(contents_of(on_chips, request, document))
        except ArchsimError as error:
            new = [_blamed(document, at, problem) for problem in error.problems]
            problems += [problem for problem in new if (problem.message, problem.value) not in _told(problems)]
            continue
        contents |= {arch: request.architecture.content, workload: request.workload.hash}
        only_prices[arch] = request.architecture.family.only_prices
        tables[request.costs] = request.table.hash
        common.append(extensions(request))
        if (file.seeds or file.repeats) and not request.workload.activity.synthetic:
            text = "recorded spikes have no seed to repeat them with"
            key = "seeds" if file.seeds else "repeats"
            told = document.problem((key,), text, value=workload)
            problems += [told] if told not in problems else []
    problems += [*_size_problems(file, document), *_unknown_keys(file, document, contents)]
    if file.search is not None:
        gather = Gather()
        gather.of(check_optuna)
        problems += [_blamed(document, ("method",), problem) for problem in gather.problems]
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: problem.line or 0))
    if on_chips is not None:
        on_chips = replace(on_chips, content=sha256_of(seen))
        common.append(asdict(on_chips))
    return Checked(file, tuple(constraints), document, contents, only_prices, tables, on_chips, sha256_of(common), read)


def file_of(path: Path) -> bool:
    """Whether a regular file is there; a name that no file can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _constraints(file: SweepFile, document: Document) -> tuple[list[Constraint], list[Problem]]:
    found, problems = [], []
    for number, text in enumerate(file.constraints):
        try:
            found.append(parse_constraint(text))
        except ConfigError as error:
            problems += [
                replace(document.problem(("constraints", number), one.message), value=text, allowed=one.allowed,
                        nearest=one.nearest)
                for one in error.problems
            ]  # fmt: skip
    return found, problems


def _combinations(file: SweepFile) -> list[tuple[Key, str, str, Any]]:
    """Enough combinations to meet every chip, network and price once, and the key to blame for each."""
    arch, workload = file.archs[0], file.workloads[0]
    return [
        *((("archs", at), name, workload, None) for at, name in enumerate(file.archs)),
        *((("workloads", at), arch, name, None) for at, name in enumerate(file.workloads)),
        *((("costs", at), arch, workload, names) for at, names in enumerate(file.costs) if names is not None),
    ]


def _prepared(file: SweepFile, document: Document, arch: str, workload: str, costs: Any) -> Request:
    is_own = any(key.startswith(_ACTIVITY) for key in file.space)  # which samples there are, points say themselves
    return prepare(
        _located(document, arch), _located(document, workload), costs=overlays_of(costs, document),
        engine=file.engine, samples=None if is_own else file.samples,
        plugins=[_located(document, name) for name in file.plugins],
    )  # fmt: skip


def overlays_of(names: str | Sequence[str] | None, document: Document) -> tuple[str, ...]:
    """The overlays of one entry of ``costs``, each as seen from the sweep's file."""
    given = () if names is None else (names,) if isinstance(names, str) else names
    return tuple(_located(document, name) for name in given)


def _located(document: Document, name: str) -> str:
    is_path = "/" in name or name.endswith((".yaml", ".yml", ".py"))
    return str((document.folder or Path()) / name) if is_path else name


def _blamed(document: Document, at: Key, problem: Problem) -> Problem:
    """A problem that names no file stands where the sweep's file names the thing."""
    if problem.file is not None:
        return problem
    key = (problem.key.removeprefix("--"),) if problem.key else at
    return replace(document.problem(key, problem.message), value=problem.value, allowed=problem.allowed,
                   nearest=problem.nearest)  # fmt: skip


def _told(problems: Sequence[Problem]) -> set[tuple[str, str]]:
    return {(problem.message, problem.value) for problem in problems}


def _size_problems(file: SweepFile, document: Document) -> list[Problem]:
    drawn = math.prod(len(values_of(axis)) for axis in file.space.values()) if isinstance(file.method, str) else 1
    each = len(file.archs) * len(file.workloads) * len(file.costs) * len(file.seeds or range(file.repeats or 1))
    drawn = drawn if file.points is None else len(file.points)
    if drawn * each <= MOST_POINTS:
        return []
    return [document.problem(("space",), f"makes {drawn * each:,} points", allowed=f"at most {MOST_POINTS:,}")]


def _unknown_keys(file: SweepFile, document: Document, loaded: Mapping[str, Any]) -> list[Problem]:
    """Keys that no chip (or no network) of the sweep has, with the nearest that one has."""
    first: dict[str, tuple[Key, Any]] = {}
    for key, axis in file.space.items():
        first.setdefault(key, (("space", key), values_of(axis)[0]))
    for number, point in enumerate(file.points or ()):
        for key, value in point.items():
            first.setdefault(key, (("points", number, key), value))
    problems = []
    for key, (at, value) in first.items():
        bare = key.removeprefix(WORKLOAD_PREFIX)
        found = [_nowhere(load, bare) for load in _loads(file, document, loaded, key, override(bare, value))]
        if found and all(found):
            problems.append(_unknown(document, at, key, bare, found[0]))
        elif file.search is not None and any(found):
            text = "not every chip has this key, so a search cannot choose among them"
            problems.append(document.problem(at, text, value=key, allowed="a file for each chip"))
    return problems


def _loads(
    file: SweepFile, document: Document, loaded: Mapping[str, Any], key: str, given: str
) -> list[Callable[[], Any]]:
    """What can be loaded with a key set: every chip, every network, or the cost table with each of the overlays."""
    if is_of_costs(key):
        return [partial(load_costs, overlays=overlays_of(names, document), overrides=[given]) for names in file.costs]
    of_workload = key.startswith(WORKLOAD_PREFIX)
    load: Callable[..., Any] = load_workload if of_workload else load_architecture
    paths = [(name, _located(document, name)) for name in (file.workloads if of_workload else file.archs)]
    return [partial(load, path, [given]) for name, path in paths if name in loaded or _is_sound(partial(load, path))]


def _is_sound(load: Callable[[], Any]) -> bool:
    """Whether a chip or a network can be loaded: with samples that do not exist, say, none is known to be."""
    try:
        load()
    except ArchsimError:
        return False
    return True


def _nowhere(load: Callable[[], Any], key: str) -> Problem | None:
    """The problem that says that the key does not exist, if it does not."""
    try:
        load()
    except ArchsimError as error:
        for problem in error.problems:
            if problem.message == _MALFORMED:
                return problem
            is_it = problem.message in _NOWHERE or "cannot be set below it" in problem.message
            named = problem.key or ""
            if problem.file == OVERRIDE and is_it and (key == named or key.startswith(named + ".")):
                return problem
    return None


def _unknown(document: Document, at: Key, key: str, bare: str, found: Problem | None) -> Problem:
    assert found is not None
    near = found.nearest if is_of_costs(key) else None
    if found.nearest is not None and found.key is not None and not is_of_costs(key):
        parent = found.key.rpartition(".")[0]
        rest = bare.removeprefix(found.key)
        near = key.removesuffix(bare) + (f"{parent}." if parent else "") + found.nearest + rest
    text = "no such key" if found.message in _NOWHERE else f"no such key: {found.key} {found.message}"
    return document.problem(at, text, value=key, allowed=found.allowed, nearest=near)
