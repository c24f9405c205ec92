"""What to try next: designs that optuna suggests for a space, a batch at a time, from what it was told of earlier ones.

Two samplers of optuna: NSGA-II (Deb et al. 2002), whose batch is a generation, and the multivariate tree-structured
Parzen estimator (Bergstra et al. 2011), which treats designs of the batch that are not told yet as bad ones. The study
lives in memory: the same space, settings and scores make the same suggestions.
"""

from __future__ import annotations

import json
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.errors import ConfigError, Problem
from archsim.sweeps.sample import Axis, Point, value_at, values_of
from archsim.sweeps.spec import Range, Search

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial

OLDEST = 5  # the first optuna that takes a trial's constraints one by one
TRIES = 10  # suggestions in a row that are known already, after which a design is drawn at random
DRAWS, MANY = 20, 10_000  # random draws per design of the space, and the designs of a space that has more


@dataclass(frozen=True)
class Score:
    """How good a design is: ``costs``, smaller is better, None if it has none; and how far it breaks constraints."""

    costs: tuple[float, ...] | None
    violation: float = 0.0


class Suggestions:
    """Designs of a space, each at most once: ``ask`` for a batch, ``tell`` its scores, and so on."""

    def __init__(self, space: Mapping[str, Axis], settings: Search) -> None:
        import optuna

        self._axes = {key: _listed(axis) for key, axis in space.items()}
        self._size = size_of(space)
        self._objectives = len(settings.objectives)
        self._seen: set[str] = set()
        self._open: list[Trial] = []
        self._known: list[Trial] = []
        seeds = np.random.SeedSequence(settings.seed).generate_state(2)
        self._random = np.random.default_rng(int(seeds[1]))
        with _quiet():
            self._distributions = {key: _distribution(axis) for key, axis in self._axes.items()}
            sampler = _sampler(settings, int(seeds[0]))
            self._study = optuna.create_study(directions=["minimize"] * self._objectives, sampler=sampler)

    def ask(self, number: int) -> list[Point]:
        """Up to ``number`` designs that were not asked for before; fewer once the space has no others."""
        designs: list[Point] = []
        with _quiet():
            while len(designs) < number and (design := self._new()) is not None:
                designs.append(design)
        return designs

    def tell(self, scores: Sequence[Score]) -> None:
        """The scores of the designs that were asked for last, in their order."""
        from optuna.trial import TrialState

        with _quiet():
            for trial, score in zip(self._open, scores, strict=True):
                costs = score.costs or (math.inf,) * self._objectives
                trial.set_constraint("violation", score.violation if score.costs else math.inf)
                self._study.tell(trial, costs)
            for trial in self._known:
                self._study.tell(trial, state=TrialState.FAIL)
        self._open, self._known = [], []

    def _new(self) -> Point | None:
        """The next design: a suggestion that is new or, after several known ones, a random design that is."""
        if len(self._seen) >= self._size:
            return None
        for _ in range(TRIES):
            trial = self._study.ask(self._distributions)
            if self._is_new(trial.params):
                break
            self._known.append(trial)
        else:
            drawn = next(filter(self._is_new, self._draws()), None)
            if drawn is None:
                return None
            self._study.enqueue_trial(drawn)
            trial = self._study.ask(self._distributions)
        self._open.append(trial)
        return self._design(trial.params)

    def _draws(self) -> Iterator[dict[str, Any]]:
        """Parameters of random designs, so many that none is missed where there are few."""
        for _ in range(int(DRAWS * min(self._size, MANY))):
            yield {key: _drawn(axis, self._random.random()) for key, axis in self._axes.items()}

    def _design(self, parameters: Mapping[str, Any]) -> Point:
        return {key: _value(axis, parameters[key]) for key, axis in self._axes.items()}

    def _is_new(self, parameters: Mapping[str, Any]) -> bool:
        """Whether their design was not met before; from now on it was."""
        text = json.dumps(self._design(parameters), default=str)
        known = text in self._seen
        self._seen.add(text)
        return not known


def size_of(space: Mapping[str, Axis]) -> float:
    """How many designs a space has; infinite where a key may have any number of a range."""
    return math.prod(_size(_listed(axis)) for axis in space.values())


def check_optuna() -> None:
    """ConfigError where optuna is missing or too old."""
    try:
        import optuna
    except ImportError:
        text = "a search needs the package 'optuna': pip install 'archsim[dse]'"
        raise ConfigError(Problem(text, key="method")) from None
    if int(optuna.__version__.split(".")[0]) < OLDEST:
        text = f"a search needs optuna {OLDEST} or newer: pip install 'archsim[dse]'"
        raise ConfigError(Problem(text, key="method", value=optuna.__version__))


def _sampler(settings: Search, seed: int) -> BaseSampler:
    from optuna.samplers import NSGAIISampler, TPESampler

    if settings.sampler == "nsga2":
        return NSGAIISampler(population_size=max(settings.batch_size, 2), seed=seed)
    return TPESampler(multivariate=True, constant_liar=True, seed=seed)


def _listed(axis: Axis) -> Axis:
    """A range with steps as its values, of which optuna draws an index; of a range without, it draws a number."""
    is_open = isinstance(axis, Range) and axis.steps is None and axis.step is None
    return axis if is_open else values_of(axis)


def _distribution(axis: Axis) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(axis, Range):
        return IntDistribution(0, len(axis) - 1) if _is_ordered(axis) else CategoricalDistribution(range(len(axis)))
    is_log = axis.scale == "log"
    if _is_whole(axis):
        return IntDistribution(int(axis.from_), int(axis.to), log=is_log)
    return FloatDistribution(axis.from_, axis.to, log=is_log)


def _value(axis: Axis, parameter: Any) -> Any:
    if isinstance(axis, Range):
        return int(parameter) if _is_whole(axis) else float(parameter)
    return axis[parameter]


def _drawn(axis: Axis, u: float) -> Any:
    """The parameter at ``u`` in [0, 1)."""
    return value_at(axis, u) if isinstance(axis, Range) else int(u * len(axis))


def _size(axis: Axis) -> float:
    if isinstance(axis, Range):
        return int(axis.to) - int(axis.from_) + 1 if _is_whole(axis) or axis.from_ == axis.to else math.inf
    return len({json.dumps(value, default=str) for value in axis})


def _is_whole(axis: Range) -> bool:
    return isinstance(axis.from_, int) and isinstance(axis.to, int)


def _is_ordered(values: Sequence[Any]) -> bool:
    """Whether they are numbers that rise: neighbours are alike then, which a sampler can use."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return numbers and all(one < two for one, two in pairwise(values))


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna's log and warnings stay off the terminal; its settings are left as they were."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
