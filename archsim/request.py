"""What a run is asked for, checked as a whole: nothing is executed while anything of it is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from archsim.accelerators import Architecture, load_architecture, load_plugin
from archsim.config.document import OVERRIDE
from archsim.cost.overrides import is_of_costs
from archsim.cost.table import CostTable, load_costs
from archsim.engine import EngineName
from archsim.errors import ArchsimError, ConfigError, Problem, nearest
from archsim.inputs import load_workload
from archsim.on_chip import bound
from archsim.pricing_check import unpriceable
from archsim.result import place_for_result
from archsim.samples import parse_samples
from archsim.snn import SimulatedActivity
from archsim.workload import Workload

if TYPE_CHECKING:
    from archsim.against import Peer
    from archsim.store import Store

T = TypeVar("T")
Samples = int | str | Sequence[int]
Several = str | Path | Sequence[str] | Sequence[Path]
WORKLOAD_PREFIX = "workload."
PRECISIONS = ("stated", "float", "chip")


@dataclass(frozen=True)
class Request:
    """A run that can be executed: everything is loaded, and everything exists."""

    architecture: Architecture
    workload: Workload
    table: CostTable
    engine: EngineName
    samples: tuple[int, ...]
    peers: tuple[Peer, ...]
    vary_costs: bool
    overrides: tuple[str, ...]
    costs: tuple[str, ...]
    plugins: tuple[str, ...]
    on_chips: Mapping[str, Any] | None = None  # of a sweep: what it asks of the design as chips of analog crossbars


def prepare(  # noqa: PLR0913 - one parameter per thing that a run may be asked
    arch: str | Path | Architecture,
    workload: str | Path | Workload,
    *,
    overrides: str | Sequence[str] = (),
    device: str | None = None,
    costs: Several = (),
    engine: str = "auto",
    samples: Samples | None = None,
    inputs: str | None = None,
    precision: str | None = None,
    plugins: Several = (),
    against: str | Sequence[str] = (),
    vary_costs: bool = False,
    allow_outside: bool = False,
    output: str | Path | None = None,
    store: str | Path | Store | None = None,
    table: CostTable | None = None,
) -> Request:
    """Load and check all that a run needs (see :func:`archsim.simulate`); ``output`` is where it will be written,
    and ``store`` what will be asked for it; ``table`` is what ``costs`` say, for callers that have it loaded;
    ``device`` is the cell of a crossbar chip, and ``inputs`` with ``precision`` what the network is executed on, in
    place of overrides of these. No samples: the first one, or all of the inputs.

    Raises one ConfigError with the problems of everything: files, overrides, samples, engine, peers, output, store.
    """
    gather = Gather()
    texts = {
        name: gather.of(partial(_several, name, given)) or ()
        for name, given in (("overrides", overrides), ("costs", costs), ("plugins", plugins), ("against", against))
    }  # fmt: skip
    for plugin in texts["plugins"]:
        gather.of(partial(load_plugin, plugin))
    of_device, of_inputs = device_override(device), inputs_override(inputs, precision, gather)
    stated = (*of_device, *of_inputs, *texts["overrides"])
    of_costs, others = split_overrides(stated)
    of_arch = [item for item in others if not item.startswith(WORKLOAD_PREFIX)]
    of_workload = [item.removeprefix(WORKLOAD_PREFIX) for item in others if item.startswith(WORKLOAD_PREFIX)]
    chip = gather.of(lambda: standing_for("--device", of_device, lambda: _chip(arch, of_arch)))
    is_told = any(item.startswith(f"{WORKLOAD_PREFIX}activity.") for item in texts["overrides"])
    network = gather.of(
        lambda: standing_for(
            "--inputs", () if is_told else of_inputs, lambda: _network(workload, of_workload, allow_outside)
        )
    )
    if chip is not None and network is not None:
        option = "workload.activity.precision" if precision is None else "--precision"
        network = gather.of(partial(bound, network, chip, option))
    if table is None:
        table = gather.of(lambda: load_costs(overlays=texts["costs"], overrides=of_costs))
    elif of_costs:
        gather.of(lambda: _none_left("cost table", "load_costs", of_costs, ""))
    if chip is not None and table is not None:
        gather.problems += unpriceable(chip, table)
    chosen_engine = gather.of(lambda: _engine(engine))
    every = inputs is not None or (network is not None and isinstance(network.activity, SimulatedActivity))
    numbers = gather.of(lambda: _numbers(samples if samples is not None else "all" if every else 0))
    chosen = None
    if network is not None and numbers is not None:
        chosen = gather.of(lambda: _existing(numbers, network))
    peers = gather.of(lambda: _peers(texts["against"], chip))
    if output is not None:
        gather.of(lambda: place_for_result(output))
    if store is not None:
        gather.of(lambda: _usable(store))
    if gather.problems or chip is None or network is None or table is None or chosen_engine is None:
        raise ConfigError(gather.problems)
    return Request(
        chip, network, table, chosen_engine, chosen or (), peers or (), vary_costs,
        stated, texts["costs"], texts["plugins"],
    )  # fmt: skip


def split_overrides(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those about the cost table, and those about chip and workload."""
    return [item for item in overrides if is_of_costs(item)], [item for item in overrides if not is_of_costs(item)]


def table_of(inputs: Mapping[str, Any]) -> CostTable:
    """The cost table of a result's ``inputs``, as its files are now."""
    return load_costs(overlays=inputs.get("costs", ()), overrides=split_overrides(inputs.get("overrides", ()))[0])


def device_override(device: str | None) -> list[str]:
    """The override that gives a crossbar chip another memory cell, or its cell the measured states of a CSV file."""
    if device is None:
        return []
    return [f"crossbar.{'states' if device.lower().endswith('.csv') else 'device'}={device}"]


def inputs_override(inputs: str | None, precision: str | None, gather: Gather) -> list[str]:
    """The override that executes the network on inputs, in place of its recorded or drawn spikes."""
    if inputs is None:
        if precision is not None:
            gather.add(Problem("changes nothing without --inputs", key="--precision", value=precision))
        return []
    if precision not in (None, *PRECISIONS):
        near = nearest(precision, PRECISIONS)
        allowed = ", ".join(PRECISIONS)
        gather.add(Problem("no such precision", key="--precision", value=precision, allowed=allowed, nearest=near))
        precision = None
    activity = {"inputs": inputs} if precision is None else {"inputs": inputs, "precision": precision}
    return [f"{WORKLOAD_PREFIX}activity={json.dumps(activity)}"]


def standing_for(option: str, overrides: Sequence[str], step: Callable[[], T]) -> T:
    """What the step returns; problems of the overrides that an option stands for are told as the option's."""
    try:
        return step()
    except ArchsimError as error:
        stated = [item.partition("=")[::2] for item in overrides]
        raise ConfigError([_of_option(problem, option, stated) for problem in error.problems]) from None


def _of_option(problem: Problem, option: str, stated: Sequence[tuple[str, str]]) -> Problem:
    if problem.file != OVERRIDE or problem.key is None:
        return problem
    for key, value in stated:
        if problem.key.startswith(key + "."):  # a part of what the option states
            return replace(problem, file=None, key=option)
        if key.startswith(problem.key + "."):  # a part that the chip does not have at all
            return Problem(f"the chip has no {key}", key=option, value=value)
        if key == problem.key:
            return replace(problem, file=None, key=option)
    return problem


class Gather:
    """Runs steps and keeps the problems of those that fail, each once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def of(self, step: Callable[[], T]) -> T | None:
        """What the step returns; None where it fails."""
        try:
            return step()
        except ArchsimError as error:
            self.add(*error.problems)
            return None

    def add(self, *problems: Problem) -> None:
        """Keep problems that are not known yet."""
        self.problems += [problem for problem in problems if problem not in self.problems]


def _several(name: str, given: Any) -> tuple[str, ...]:
    """Texts or paths, as texts; a single one stands for a list of one."""
    items = (given,) if isinstance(given, str | Path) else given
    listed = tuple(items) if isinstance(items, Iterable) else (given,)
    if all(isinstance(item, str | Path) for item in listed):
        return tuple(str(item) for item in listed)
    raise ConfigError(Problem("must be a text or a list of texts", key=name, value=given))


def _chip(arch: str | Path | Architecture, overrides: Sequence[str]) -> Architecture:
    if isinstance(arch, Architecture):
        _none_left("chip", "load_architecture", overrides, "")
        return arch
    return load_architecture(arch, overrides)


def _network(workload: str | Path | Workload, overrides: Sequence[str], allow_outside: bool) -> Workload:
    if isinstance(workload, Workload):
        _none_left("workload", "load_workload", overrides, WORKLOAD_PREFIX)
        return workload
    try:
        return load_workload(workload, overrides, allow_outside)
    except ArchsimError as error:
        raise ConfigError([_as_written(problem) for problem in error.problems]) from None


def _none_left(noun: str, loader: str, overrides: Sequence[str], prefix: str) -> None:
    """ConfigError for overrides of what is loaded already: they would change nothing."""
    text = f"this override cannot be applied: the {noun} is loaded already"
    how = f"{loader}(NAME, overrides=[...]), or the name or path of the {noun} in place of the loaded one"
    if overrides:
        raise ConfigError([Problem(text, key="overrides", value=prefix + item, allowed=how) for item in overrides])


def _as_written(problem: Problem) -> Problem:
    """A problem of a workload's override under the key that the user wrote, ``workload.`` included."""
    if problem.file != OVERRIDE:
        return problem
    if problem.key is None:
        return replace(problem, value=f"{WORKLOAD_PREFIX}{problem.value}")
    return replace(problem, key=WORKLOAD_PREFIX + problem.key)


def _engine(name: str) -> EngineName:
    known: tuple[EngineName, ...] = get_args(EngineName)
    for engine in known:
        if name == engine:
            return engine
    near = nearest(str(name), known)
    raise ConfigError(Problem("no such engine", key="engine", value=name, allowed=", ".join(known), nearest=near))


def _numbers(samples: Samples) -> tuple[int, ...] | Literal["all"]:
    """Samples as numbers, from one number, several, or a text such as ``0..15``."""
    if isinstance(samples, str):
        return parse_samples(samples)
    items = (samples,) if isinstance(samples, Integral) else samples
    if not isinstance(items, Iterable):
        raise ConfigError(_no_number(samples))
    given = tuple(items)
    wrong = [item for item in given if isinstance(item, bool) or not isinstance(item, Integral)]
    if wrong:
        raise ConfigError([_no_number(item) for item in wrong])
    if not given:
        raise ConfigError(Problem("no sample is named", key="samples", allowed="at least one"))
    return tuple(int(item) for item in given)


def _no_number(value: object) -> Problem:
    allowed = "a whole number, several, or a text such as 0..15 or all"
    return Problem(f"not a sample ({type(value).__name__})", key="samples", value=value, allowed=allowed)


def _existing(samples: tuple[int, ...] | Literal["all"], workload: Workload) -> tuple[int, ...]:
    """The samples to execute; ConfigError for one that does not exist, and for all of endless ones."""
    there = workload.activity.samples
    if samples == "all":
        if workload.activity.synthetic:
            text = "synthetic activity has no last sample; name those to execute"
            raise ConfigError(Problem(text, key="samples", value="all", allowed="numbers such as 0..15"))
        return tuple(there)
    wrong = [sample for sample in samples if sample not in there]
    if wrong:
        listed = ", ".join(str(sample) for sample in wrong)
        raise ConfigError(Problem("no such samples", key="samples", value=listed, allowed=f"0..{len(there) - 1}"))
    return samples


def _usable(store: str | Path | Store) -> None:
    from archsim.store import opened

    opened(store)


def _peers(texts: Sequence[str], chip: Architecture | None) -> tuple[Peer, ...]:
    """The peers; ConfigError for those that know no chip of this family, before anything is executed for them."""
    if not texts:
        return ()
    from archsim.against import peers_of

    peers = peers_of(texts)
    refusals = [] if chip is None else [peer.refusal(chip) for peer in peers]
    if any(refusals):
        raise ConfigError([refusal for refusal in refusals if refusal is not None])
    return peers
