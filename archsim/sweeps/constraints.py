"""Constraints on the numbers of a result: ``NAME op NUMBER``, and nothing else is understood."""

from __future__ import annotations

import math
import operator
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archsim.errors import ConfigError, Problem, nearest
from archsim.sweeps.table import METRICS

_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_TEXT = re.compile(r"\s*([A-Za-z]\w*)\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*", re.ASCII)
ALLOWED = "NAME < NUMBER, with <, <=, > or >="


@dataclass(frozen=True)
class Constraint:
    """One number of a result on one side of a bound."""

    name: str
    sign: str
    bound: float
    text: str

    def is_met(self, numbers: Mapping[str, Any]) -> bool:
        """Whether a result's numbers meet it; a number that the result does not have does not."""
        value = numbers.get(self.name)
        return value is not None and bool(_OPERATORS[self.sign](value, self.bound))

    def distance(self, numbers: Mapping[str, Any]) -> float:
        """0 if it is met, else ``|value - bound| / max(|value|, |bound|)``, above 0; without a value 2, the largest."""
        value = numbers.get(self.name)
        if value is None:
            return 2.0
        if self.is_met(numbers):
            return 0.0
        larger = max(abs(value), abs(self.bound))
        return max(abs(value - self.bound) / larger if larger else 0.0, sys.float_info.epsilon)


def parse_constraint(text: str) -> Constraint:
    """``area_um2 < 1e7`` as a Constraint. ConfigError for another form, or for a number that no result has."""
    match = _TEXT.fullmatch(text)
    if match is None or not math.isfinite(float(match[3])):
        raise ConfigError(Problem("not a constraint", value=text, allowed=ALLOWED))
    name, sign, number = match.groups()
    if name not in METRICS:
        near = nearest(name, METRICS)
        raise ConfigError(Problem("no result has this number", value=name, allowed=", ".join(METRICS), nearest=near))
    return Constraint(name, sign, float(number), f"{name} {sign} {number}")
