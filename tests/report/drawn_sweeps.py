"""Sweeps of any size for the tests of pages: tables with numbers that are drawn, not executed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from archsim.sweeps import Sweep
from archsim.sweeps.table import METRICS


def row(number: int, values: Mapping[str, Any], numbers: Mapping[str, float] | None, **more: Any) -> dict[str, Any]:
    """A row as a sweep makes it; without numbers it failed."""
    found: dict[str, Any] = {"id": f"{number:010x}", "arch": "chip", "workload": "net", **values}
    found |= dict.fromkeys(METRICS) | dict(numbers or {})
    found |= {"status": "ok" if numbers else "failed", "message": "" if numbers else "does not fit"}
    return found | more


def table(points: Sequence[tuple[Mapping[str, Any], Mapping[str, float] | None]], name: str = "drawn") -> Sweep:
    """A sweep of one chip and network from values and numbers."""
    keys = tuple(dict.fromkeys(key for values, _ in points for key in values))
    return Sweep(name, keys, tuple(row(number, *point) for number, point in enumerate(points)))


def large(points: int, networks: int = 1, chips: int = 1, keys: int = 4, letters: int = 0) -> Sweep:
    """Random points: energy, latency and area pull against each other, a tenth fails, a fifth breaks a constraint.

    Names of chips, networks and keys have ``letters`` more letters, all of which HTML has to escape.
    """
    generator = np.random.default_rng(7)
    tail = "<&\"'>"[:5] * (letters // 5)
    names = [f"key{at}.size{tail}" for at in range(keys)]
    drawn = generator.random((points, keys))
    noise = generator.lognormal(0, 0.4, (points, 3))
    rows = []
    for number in range(points):
        size = 0.1 + float(drawn[number].mean())
        values = {name: round(4 + 60 * float(part), 3) for name, part in zip(names, drawn[number], strict=True)}
        numbers = {name: 1.0 for name in METRICS}
        numbers |= {"energy_pj": 1e7 / size * noise[number, 0], "latency_ns": 1e5 / size**2 * noise[number, 1]}
        numbers |= {"area_um2": 1e6 * size * noise[number, 2]}
        where = {"arch": f"chip{number % chips}{tail}", "workload": f"net{number // chips % networks}{tail}"}
        if number % 10 == 3:
            message = f"{tail}{number} bytes do not fit {number % 3 * 'a'}"
            rows.append(row(number, values, None, **where, message=message))
            continue
        broken = {"status": "constraint", "message": f"not area_um2 < 1e6{tail}"} if number % 5 == 4 else {}
        rows.append(row(number, values, {name: float(value) for name, value in numbers.items()}, **where, **broken))
    return Sweep(f"large{tail}", tuple(names), tuple(rows))
