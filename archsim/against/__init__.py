"""archsim's answer beside another tool's: from a chip, a workload and a Result to the peers' own descriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.accelerators.systolic.schema import SystolicArchitecture
from archsim.against import sata_sim, scalesim, spikesim
from archsim.against.settings import Settings
from archsim.errors import ConfigError, Problem, UnsupportedError, nearest

if TYPE_CHECKING:
    from archsim.accelerators import Architecture
    from archsim.result import Result
    from archsim.workload import Workload

OPTION = "--against"
Answer = Callable[["Architecture", "Workload", "Result", Settings], dict[str, Any]]


@dataclass(frozen=True)
class _Tool:
    """One tool: the chips that it knows, what it may be asked to assume, and how it answers."""

    chips: type[SystolicArchitecture] | type[CrossbarArchitecture]
    settings: Mapping[str, Callable[[str], Any]]
    answer: Answer


_TOOLS: Mapping[str, _Tool] = {
    "sata-sim": _Tool(SystolicArchitecture, sata_sim.settings_of("current"), partial(sata_sim.answer, "current")),
    "sata-sim-shipped": _Tool(
        SystolicArchitecture, sata_sim.settings_of("shipped"), partial(sata_sim.answer, "shipped")
    ),
    "scalesim": _Tool(SystolicArchitecture, scalesim.settings_of(), scalesim.answer),
    "spikesim": _Tool(CrossbarArchitecture, spikesim.settings_of(), spikesim.answer),
}
PEERS = tuple(_TOOLS)


@dataclass(frozen=True)
class Peer:
    """A peer as it was asked for: ``key`` names it in the result, ``settings`` are what the user stated."""

    key: str
    name: str
    settings: Settings

    def refusal(self, architecture: Architecture) -> Problem | None:
        """Why it cannot be asked about this chip, whatever the network is: the tool knows another family only."""
        if isinstance(architecture.chip, _TOOLS[self.name].chips):
            return None
        able = [name for name, tool in _TOOLS.items() if isinstance(architecture.chip, tool.chips)]
        text = f"this tool knows no {architecture.family.name} chips, such as '{architecture.name}'"
        allowed = ", ".join(able) or "none: no tool knows this family"
        return Problem(text, key=OPTION, value=self.name, allowed=allowed)

    def answer(self, architecture: Architecture, workload: Workload, result: Result) -> dict[str, Any]:
        """Its answer as plain data; what it cannot express stands under ``unsupported``, and nothing else then."""
        try:
            return _TOOLS[self.name].answer(architecture, workload, result, self.settings)
        except UnsupportedError as error:
            reasons = [str(problem) for problem in error.problems]
            if any("true_padding" in reason for reason in reasons):
                reasons.append(f"ask again with {OPTION} {self.name}:padding=written")
            return {"unsupported": reasons}


def peers_of(texts: Sequence[str]) -> tuple[Peer, ...]:
    """Read ``sata-sim`` or ``sata-sim:act_bits=4,output_bits=8``; ConfigError with all that is wrong in all of them.

    A peer that is named once has its name as key; of one that is named several times, the text as it was given.
    """
    problems: list[Problem] = []
    found = []
    names = [text.partition(":")[0].strip() for text in texts]
    for text, name in zip(texts, names, strict=True):
        if name not in _TOOLS:
            near = nearest(name, PEERS)
            problems.append(Problem("no such peer", key=OPTION, value=name, allowed=", ".join(PEERS), nearest=near))
            continue
        settings, wrong = _settings(name, text.partition(":")[2])
        problems += wrong
        found.append(Peer(name if names.count(name) == 1 else text, name, settings))
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def _settings(name: str, text: str) -> tuple[Settings, list[Problem]]:
    known = _TOOLS[name].settings
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for part in (part.strip() for part in text.split(",") if part.strip()):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        where = f"{OPTION} {name}"
        if not equals:
            problems.append(Problem("not of the form KEY=VALUE", key=where, value=part, allowed=", ".join(known)))
        elif key not in known:
            allowed = ", ".join(known)
            problems.append(
                Problem("no such setting", key=where, value=key, allowed=allowed, nearest=nearest(key, known))
            )
        else:
            try:
                values[key] = known[key](value)
            except ConfigError as error:
                problems += error.problems
    return values, problems


__all__ = ["PEERS", "Peer", "peers_of"]
