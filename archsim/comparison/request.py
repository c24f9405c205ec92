"""What a comparison is asked for, checked as a whole: nothing is executed while anything of it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from archsim.accelerators import Architecture
from archsim.comparison.folder import OVERVIEW, figure_of, place_for_comparison, place_for_figure
from archsim.comparison.subjects import Subject, kind_of, shown
from archsim.config import Nanometres, parse_document
from archsim.config.document import OVERRIDE
from archsim.errors import ArchsimError, ConfigError, Problem
from archsim.inputs import load_workload
from archsim.request import WORKLOAD_PREFIX, Gather, Request, Samples, Several, prepare
from archsim.result import FILE, Result
from archsim.store import Store, opened
from archsim.store.loading import is_id, load_run
from archsim.workload import Workload

FEWEST = 2
NODE, STORE = "node", "store"
NO_WORKLOAD = ""


@dataclass(frozen=True)
class ComparisonRequest:
    """What is compared, in order, and as it was named: runs that can be executed, and results that are there."""

    given: tuple[str, ...]
    subjects: tuple[Request | Result, ...]


@dataclass(frozen=True)
class _Options:
    """How chips are to be executed."""

    workload: str | Path | Workload | None
    node: str | float | None
    overrides: str | Sequence[str]
    costs: Several
    engine: str | None
    samples: Samples | None
    plugins: Several
    allow_outside: bool
    store: Store | None

    def stated(self) -> list[str]:
        """Names of the options that were given."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        absent = (name for name, value in values.items() if value is None or value is False or value in ((), []))
        return sorted(values.keys() - set(absent), key=list(values).index)

    def request(self, chip: str | Path | Architecture) -> Request:
        """The run of one chip."""
        overrides = (self.overrides,) if isinstance(self.overrides, str) else self.overrides
        if self.node is not None:
            overrides = [*overrides, f"{NODE}={self.node}"]
        return prepare(
            chip, NO_WORKLOAD if self.workload is None else self.workload, overrides=overrides, costs=self.costs,
            engine="auto" if self.engine is None else self.engine, plugins=self.plugins,
            samples=(0,) if self.samples is None else self.samples, allow_outside=self.allow_outside,
        )  # fmt: skip


def prepare_comparison(  # noqa: PLR0913 - one parameter per thing that a comparison may be asked
    *subjects: Subject,
    workload: str | Path | Workload | None = None,
    node: str | float | None = None,
    overrides: str | Sequence[str] = (),
    costs: Several = (),
    engine: str | None = None,
    samples: Samples | None = None,
    plugins: Several = (),
    allow_outside: bool = False,
    output: str | Path | None = None,
    figure: str | Path | None = None,
    draw: str = OVERVIEW,
    store: str | Path | Store | None = None,
) -> ComparisonRequest:
    """Load and check all that a comparison needs (see :func:`archsim.compare`).

    ``output`` and ``figure`` say where it will be written, ``draw`` what that figure shows, ``store`` what will be
    asked; without one, ids are those of the default one. ConfigError with the problems of everything.
    """
    gather = Gather()
    source = None if store is None else gather.of(partial(opened, store))
    options = _Options(workload, node, overrides, costs, engine, samples, plugins, allow_outside, source)
    if len(subjects) < FEWEST:
        given = " ".join(map(shown, subjects)) or None
        gather.add(Problem("a comparison takes two or more chips or runs", value=given))
    if output is not None:
        gather.of(partial(place_for_comparison, output))
    if figure is not None:
        gather.of(partial(place_for_figure, figure))
    gather.of(partial(figure_of, draw, figure))
    found = _loaded(subjects, options, gather)
    if gather.problems:
        raise ConfigError(gather.problems)
    return ComparisonRequest(tuple(map(shown, subjects)), tuple(found[at] for at in sorted(found)))


def _loaded(subjects: Sequence[Subject], options: _Options, gather: Gather) -> dict[int, Request | Result]:
    """By place: the result of each run, and the request of each chip; problems go to ``gather``."""
    kinds = [gather.of(partial(kind_of, subject)) for subject in subjects]
    node_nm = None if options.node is None else gather.of(partial(_node_nm, options))
    if node_nm is None:
        options = replace(options, node=None)
    found: dict[int, Request | Result] = {}
    for at, (subject, kind) in enumerate(zip(subjects, kinds, strict=True)):
        if kind == "run" and (result := gather.of(partial(_result, subject, options.store))) is not None:
            found[at] = result
            if "chip" in kinds and node_nm not in (None, result.node_nm):
                text = f"{shown(subject)} is a run, priced at {result.node_nm:g} nm; only chips are executed at a node"
                gather.add(Problem(text, key=NODE, value=options.node))
    if set(kinds) == {"run"}:
        text = "changes nothing: all sides are runs, and nothing is executed"
        names = [name for name in options.stated() if name != STORE or not any(map(is_id, subjects))]
        gather.add(*(Problem(text, key=name, value=_value(getattr(options, name))) for name in names))
    chips = {at: subject for at, subject in enumerate(subjects) if kinds[at] == "chip"}
    return found | _requests(chips, options, gather)


def _value(value: object) -> object:
    return value.name if isinstance(value, Workload) else str(value.path) if isinstance(value, Store) else value


def _node_nm(options: _Options) -> float:
    """The node that every chip gets; ConfigError for what is no length, or stated a second time."""
    overrides = (options.overrides,) if isinstance(options.overrides, str) else options.overrides
    twice = [text for text in overrides if str(text).partition("=")[0].strip() == NODE]
    if twice:
        raise ConfigError(Problem("is stated twice, here and as an override", key=NODE, value=twice[0]))
    try:
        value = parse_document(str(options.node), "--node").data
        return float(TypeAdapter(Nanometres).validate_python(value))
    except (ConfigError, ValidationError):
        text = "not a technology node"
        raise ConfigError(Problem(text, key=NODE, value=options.node, allowed="such as 28nm")) from None


def _result(subject: Subject, store: Store | None) -> Result:
    return load_run(subject if isinstance(subject, Result) else str(subject), store)


def _requests(chips: dict[int, Subject], options: _Options, gather: Gather) -> dict[int, Request | Result]:
    """The runs of all chips; what is wrong for all of them is said once, the rest with the chip's name."""
    found: dict[int, Request | Result] = {}
    refused: dict[int, tuple[Problem, ...]] = {}
    for at, chip in chips.items():
        try:
            found[at] = options.request(chip)  # type: ignore[arg-type]
        except ArchsimError as error:
            refused[at] = error.problems
    ignored = _of_no_workload() if options.workload is None else ()
    for at, problems in refused.items():
        for problem in problems:
            shared = len(chips) > 1 and all(problem in refused.get(other, ()) for other in chips)
            if problem not in ignored:
                gather.add(_of_all(problem, options) if shared else _told_apart(problem, shown(chips[at]), options))
    if chips and options.workload is None:
        text = "is missing: chips need a network to execute"
        gather.add(Problem(_also_a_folder(text, chips), key="workload", allowed="a preset's name or a YAML file"))
    return found


def _of_all(problem: Problem, options: _Options) -> Problem:
    """A problem of every chip; that of the node, as the option was given."""
    if options.node is None or (problem.file, problem.key) != (OVERRIDE, NODE):
        return problem
    return replace(problem, file=None, value=options.node)


def _of_no_workload() -> tuple[Problem, ...]:
    """What is said of the workload that stands in where none is named."""
    try:
        load_workload(NO_WORKLOAD)
    except ArchsimError as error:
        return error.problems
    return ()


def _also_a_folder(text: str, chips: dict[int, Subject]) -> str:
    """The message, and how to name a run whose folder is called like a preset."""
    folders = [shown(chip) for chip in chips.values() if isinstance(chip, str) and (Path(chip) / FILE).is_file()]
    return text + "".join(f"; the run in the folder {name} is ./{name}" for name in folders)


def _told_apart(problem: Problem, chip: str, options: _Options) -> Problem:
    """A problem of an override with the chip that it is a problem of."""
    if problem.file != OVERRIDE or (problem.key or "").startswith(WORKLOAD_PREFIX):
        return problem
    if problem.key == NODE and options.node is not None:
        return Problem(f"the node of {chip} cannot be set: {problem.message}", key=NODE, value=options.node,
                       allowed=problem.allowed)  # fmt: skip
    return replace(problem, message=f"{chip}: {problem.message}")
