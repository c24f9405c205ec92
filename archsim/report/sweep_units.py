"""The numbers of a sweep as people read them: their names, and values in the unit that suits them."""

from __future__ import annotations

from archsim.report.units import AREA, CYCLES, EDP, ENERGY, POWER, TIME, Ladder, readable, typeset

_PER_SECOND: Ladder = ((1e6, "M/s", 1e6), (1e3, "k/s", 1e3), (1.0, "/s", 1.0))
_COUNT: Ladder = ((1e9, "G", 1e9), (1e6, "M", 1e6), (1e3, "k", 1e3), (1.0, "", 1.0))
_SHARE: Ladder = ((0.01, "%", 0.0), (1.0, "", 0.0))
_ENDINGS = {
    "_pj_ns": EDP, "_pj": ENERGY, "_ns": TIME, "_um2": AREA, "_mw": POWER, "_per_s": _PER_SECOND, "cycles": CYCLES,
    "accuracy": _SHARE, "accuracy_spread": _SHARE, "accuracy_worst": _SHARE,
}  # fmt: skip


def ladder_of(metric: str) -> Ladder:
    """The units of a number, by its name."""
    return next((ladder for ending, ladder in _ENDINGS.items() if metric.endswith(ending)), _COUNT)


def named(metric: str) -> str:
    """The number's name without its unit: ``energy``, ``area``, ``peak power``."""
    ending = next((ending for ending in _ENDINGS if ending[0] == "_" and metric.endswith(ending)), "")
    return metric.removesuffix(ending).replace("_", " ")


def plain(metric: str, value: float) -> str:
    """Three significant digits and a unit, for a terminal."""
    return readable(value, ladder_of(metric)).strip()


def shown(metric: str, value: float) -> str:
    """Three significant digits and a unit, for figures and pages."""
    return typeset(plain(metric, value))
