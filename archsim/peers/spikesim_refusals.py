"""Where SpikeSim gives no answer: it prints "Check layer order", crashes or never ends; each reason as a Problem."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.errors import Problem, UnsupportedError, nearest
from archsim.peers.spikesim_config import Cell, SpikeSimConfig
from archsim.peers.spikesim_layers import SpikeSimLayer


def cell_of(config: SpikeSimConfig) -> Cell:
    """The device's cell; ``UnsupportedError`` if there is none of that name."""
    refuse(cell_problems(config))
    return next(cell for cell in config.cells if cell.name == config.device)


def cell_problems(config: SpikeSimConfig, priced: bool = False) -> list[Problem]:
    """A device without a cell; with ``priced`` also an energy that ``refuse_sram_energy`` does not accept."""
    names = [cell.name for cell in config.cells]
    if config.device not in names:
        return [
            Problem(
                "SpikeSim has no constants for this device and stops with an UnboundLocalError; a cell of that name "
                "makes it answer",
                key="device",
                value=config.device,
                allowed=", ".join(names),
                nearest=nearest(config.device, names),
            )
        ]
    if priced and config.conventions.refuse_sram_energy and cell_of(config).energy_is_area:
        message = "SpikeSim's energy of this device is its area's number; a cell with an energy of its own is needed"
        return [Problem(message, key="device", value=config.device)]
    return []


def timesteps_problems(timesteps: int) -> list[Problem]:
    """No timestep."""
    return [] if timesteps >= 1 else [Problem("must be at least 1", key="timesteps", value=timesteps)]


def tiles_problems(entries: Sequence[SpikeSimLayer], config: SpikeSimConfig) -> list[Problem]:
    """PEs that decrease from one layer to the next."""
    return _order_problems(entries, [layer.pes(config.crossbar) for layer in entries], config, "PEs")


def latency_problems(entries: Sequence[SpikeSimLayer], config: SpikeSimConfig) -> list[Problem]:
    """Decreasing, too small or too many layers.

    The tool compares Cin / X x Cout / X without rounding here, and places int(...) PEs of each layer.
    """
    rules, allowed = config.conventions, config.constants.overlap_layers
    exact = [(layer.in_channels / config.crossbar) * (layer.out_channels / config.crossbar) for layer in entries]
    problems = _order_problems(entries, exact, config, "Cin / X x Cout / X")
    if not rules.any_size and max(exact) < 1:
        problems.append(
            Problem(
                "every layer is smaller than one crossbar: SpikeSim never ends; any_size lifts this",
                key="crossbar",
                value=config.crossbar,
            )
        )
    if not rules.any_depth and len(entries) > allowed:
        message = "SpikeSim has an overlap for so many layers only and stops with an IndexError; any_depth lifts this"
        problems.append(Problem(message, key="layers", value=len(entries), allowed=f"at most {allowed}"))
    return problems


def _order_problems(
    entries: Sequence[SpikeSimLayer], sizes: Sequence[float], config: SpikeSimConfig, what: str
) -> list[Problem]:
    if config.conventions.any_order:
        return []
    return [
        Problem(
            f"layer '{after.name}': fewer {what} than '{before.name}': SpikeSim prints 'Check layer order' and gives "
            "no answer; any_order lifts this",
            value=own,
            allowed=f"at least {least}",
        )
        for before, after, least, own in zip(entries, entries[1:], sizes, sizes[1:], strict=False)
        if own < least
    ]


def refuse(problems: list[Problem]) -> None:
    """Raise ``UnsupportedError`` with all problems, if there are any."""
    if problems:
        raise UnsupportedError(problems)
