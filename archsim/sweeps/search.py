"""A search: designs that are suggested by the answers to those before them, a batch at a time.

A search keeps nothing but the answers, and its batches do not depend on how they are executed. So one that is started
again makes the same suggestions, finds what was answered, and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from archsim.sweeps.checks import Checked
from archsim.sweeps.front import LARGER_IS_BETTER
from archsim.sweeps.points import DesignPoint, lay_out
from archsim.sweeps.sample import Axis, Point
from archsim.sweeps.spec import Search, SweepFile
from archsim.sweeps.suggest import Score, Suggestions, size_of
from archsim.sweeps.work import Outcome, Task

ARCHS = "archs"  # the chip, where there are several, is one more thing to choose

Answer = Callable[[Sequence[Task]], Mapping[str, Outcome]]


def searched(checked: Checked, search: Search, answer: Answer) -> tuple[DesignPoint, ...]:
    """All points of a search in the order in which they were suggested; ``answer`` gives at least what tasks ask."""
    suggestions = Suggestions(_space(checked.file), search)
    points: list[DesignPoint] = []
    while designs := suggestions.ask(min(search.batch_size, search.trials - len(points))):
        batch, tasks = _laid_out(checked, designs)
        outcomes = answer(tasks)
        suggestions.tell([_score(outcomes[point.key], checked, search) for point in batch])
        points += batch
    return tuple(points)


def number_of_trials(file: SweepFile, search: Search) -> int:
    """How many designs a search tries: what it may, or all that there are."""
    return int(min(search.trials, size_of(_space(file))))


def _space(file: SweepFile) -> dict[str, Axis]:
    return ({ARCHS: list(file.archs)} if len(file.archs) > 1 else {}) | file.space


def _laid_out(checked: Checked, designs: Sequence[Point]) -> tuple[list[DesignPoint], list[Task]]:
    """The points of designs, in their order, and the executions that answer them."""
    points: dict[int, DesignPoint] = {}
    tasks: list[Task] = []
    for arch in checked.file.archs:
        chosen = [at for at, design in enumerate(designs) if design.get(ARCHS, arch) == arch]
        values = [{key: value for key, value in designs[at].items() if key != ARCHS} for at in chosen]
        of_arch = replace(checked, file=checked.file.model_copy(update={"archs": [arch]}))
        laid, needed = lay_out(of_arch, values)
        points |= dict(zip(chosen, laid, strict=True))
        tasks += needed
    return [points[at] for at in range(len(designs))], tasks


def _score(outcome: Outcome, checked: Checked, search: Search) -> Score:
    """What failed has no costs, like a result without one of the objectives."""
    numbers = outcome.numbers or {}
    costs = [_cost(name, numbers.get(name)) for name in search.objectives]
    known = tuple(cost for cost in costs if cost is not None)
    distance = sum(constraint.distance(numbers) for constraint in checked.constraints)
    return Score(known if len(known) == len(costs) else None, distance)


def _cost(name: str, value: float | None) -> float | None:
    return None if value is None else -value if name in LARGER_IS_BETTER else value
