"""What a break-even is asked for, checked as a whole: nothing is executed while anything of it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any

from archsim.accelerators import Architecture
from archsim.config.document import OVERRIDE
from archsim.cost.overrides import is_of_costs
from archsim.crossover.rates import SpikeRates, rates_of
from archsim.crossover.twin import MOST_VALUE, levels, pixel_levels, refusals
from archsim.errors import ArchsimError, ConfigError, Problem, nearest
from archsim.pricing_check import unpriceable
from archsim.request import WORKLOAD_PREFIX, Gather, Request, prepare
from archsim.result import writable_folder
from archsim.samples import parse_samples

TIMESTEPS = "1..8"
ANN_DENSITY = 0.56
"""Non-zero activations of an ANN: 44 % of the operands of six ImageNet CNNs are zero (Albericio et al., ISCA 2016)."""
DENSE = 1.0
PES = ("multiplier", "bit_serial")
SUFFIXES = (".png", ".svg", ".pdf")
SET_ANN, PE_KEY = "--set-ann", "pe.wide_values"


@dataclass(frozen=True)
class BreakevenRequest:
    """All that is compared: the SNN and its chip (``base``), the ANN's chip, and over which timesteps and densities."""

    base: Request
    ann: Architecture
    ann_overrides: tuple[str, ...]
    ann_densities: tuple[float, ...]  # the one that is asked for, then 1.0
    timesteps: tuple[int, ...]
    rates: SpikeRates


def prepare_breakeven(  # noqa: PLR0913 - one parameter per thing that may be asked
    arch: str | Path | Architecture,
    workload: Any,
    *,
    timesteps: str | int | Sequence[int] = TIMESTEPS,
    ann_density: float = ANN_DENSITY,
    ann_pe: str | None = None,
    ann_overrides: Sequence[str] = (),
    uniform: bool = False,
    figure: str | Path | None = None,
    output: str | Path | None = None,
    **options: Any,
) -> BreakevenRequest:
    """Load and check all that is needed (see :func:`archsim.breakeven`); ``options`` as of a run.

    ConfigError with the problems of everything.
    """
    gather = Gather()
    base = gather.of(partial(prepare, arch, workload, **options))
    steps = gather.of(partial(_timesteps, timesteps))
    gather.of(partial(_density, ann_density))
    stated = (ann_overrides,) if isinstance(ann_overrides, str) else tuple(ann_overrides)
    gather.of(partial(_of_chip, stated))
    gather.of(partial(_known_pe, ann_pe))
    if figure is not None:
        gather.of(partial(_place_for_figure, figure))
    if output is not None:
        gather.of(partial(writable_folder, output))
    if base is None:
        raise ConfigError(gather.problems)
    gather.add(*refusals(base.workload))
    chip = gather.of(partial(_ann_chip, base, ann_pe, stated)) if not gather.problems else None
    rates = gather.of(partial(rates_of, base.workload, base.samples, uniform))
    steps = None if steps is None else _with_own(steps, base)
    gather.of(partial(_representable, base, steps or ()))
    if gather.problems or chip is None or steps is None or rates is None:
        raise ConfigError(gather.problems)
    architecture, changes = chip
    densities = tuple(dict.fromkeys((float(ann_density), DENSE)))
    return BreakevenRequest(base, architecture, changes, densities, steps, rates)


def _timesteps(given: str | int | Sequence[int]) -> tuple[int, ...]:
    """The numbers of timesteps, ascending, each once."""
    gather = Gather()
    found: list[Any] = []
    if isinstance(given, str):
        for part in given.split(","):
            numbers = gather.of(partial(_range, part.strip()))
            found += numbers or ()
    else:
        found += (given,) if isinstance(given, int) else given
    wrong = [one for one in found if isinstance(one, bool) or not isinstance(one, int) or not 1 <= one <= MOST_VALUE]
    gather.add(*(_no_timesteps(one) for one in wrong))
    if not found and not gather.problems:
        gather.add(_no_timesteps(None))
    if gather.problems:
        raise ConfigError(gather.problems)
    return tuple(sorted(set(found)))


def _range(text: str) -> tuple[int, ...]:
    """``4`` or ``1..8``."""
    try:
        numbers = parse_samples(text)
    except ArchsimError:
        raise ConfigError(_no_timesteps(text)) from None
    if numbers == "all":
        raise ConfigError(_no_timesteps(text))
    return numbers


def _no_timesteps(value: object) -> Problem:
    text = "no number of timesteps is named" if value is None else "not a number of timesteps"
    allowed = f"numbers from 1 to {MOST_VALUE:,}, such as 4, 1..8 or 2,4,8"
    return Problem(text, key="timesteps", value=value, allowed=allowed)


def _with_own(steps: tuple[int, ...], base: Request) -> tuple[int, ...]:
    """The workload's own timesteps are always among them."""
    return tuple(sorted({*steps, base.workload.network.timesteps}))


def _representable(base: Request, steps: Sequence[int]) -> None:
    network = base.workload.network
    wrong = [step for step in steps if max(levels(network, step), pixel_levels(network, step)) > MOST_VALUE]
    if wrong:
        text = f"spike counts of more than {MOST_VALUE:,} cannot be the values of an ANN"
        listed = ", ".join(map(str, wrong))
        raise ConfigError(Problem(text, key="timesteps", value=listed))


def _density(value: Any) -> None:
    allowed = "above 0, up to 1"
    if isinstance(value, bool) or not isinstance(value, Real) or not 0.0 < float(value) <= 1.0:
        raise ConfigError(Problem("not a density of activations", key="ann_density", value=value, allowed=allowed))


def _known_pe(name: str | None) -> None:
    if name is not None and name not in PES:
        near = nearest(str(name), PES)
        raise ConfigError(Problem("no such PE", key="ann_pe", value=name, allowed=", ".join(PES), nearest=near))


def _of_chip(overrides: Sequence[str]) -> None:
    """ConfigError for overrides of anything but the chip: the ANN has the same prices, and a network made for it."""
    other = [item for item in overrides if item.startswith(WORKLOAD_PREFIX) or is_of_costs(item)]
    if other:
        text, allowed = "changes the ANN's chip only", "keys of the chip; --set changes workload and costs"
        raise ConfigError([Problem(text, key=SET_ANN, value=item, allowed=allowed) for item in other])


def _ann_chip(base: Request, pe: str | None, stated: Sequence[str]) -> tuple[Architecture, tuple[str, ...]]:
    """The chip that executes the ANN, and what of it differs from the SNN's; a PE without a multiplier gets one."""
    architecture = base.architecture
    present = getattr(getattr(architecture.chip, "pe", None), "wide_values", None)
    if present is None and pe is not None:
        text = f"'{architecture.name}' has no PE whose multiplication could be chosen: it reads bit plane by bit plane"
        raise ConfigError(Problem(text, key="ann_pe", value=pe, allowed="chips of the systolic family"))
    wanted = pe or PES[0]
    own = [f"{PE_KEY}={wanted}"] if present not in (None, wanted) else []
    changes = (*own, *stated)
    try:
        found = architecture.with_overrides(changes)
    except ArchsimError as error:
        raise ConfigError(
            [replace(one, file=SET_ANN) if one.file == OVERRIDE else one for one in error.problems]
        ) from None
    problems = unpriceable(found, base.table)
    if problems:
        raise ConfigError(problems)
    return found, changes


def _place_for_figure(path: str | Path) -> None:
    """ConfigError for an unknown ending, a folder in the way, or no rights."""
    if Path(path).suffix.lower() not in SUFFIXES:
        endings = f"a file ending in {', '.join(SUFFIXES)}"
        raise ConfigError(Problem("not a kind of figure", key="figure", value=str(path), allowed=endings))
    if Path(path).is_dir():
        raise ConfigError(Problem("is a folder, not a file", key="figure", value=str(path)))
    writable_folder(Path(path).parent)
