from __future__ import annotations

import pickle

import pytest

from archsim.cost.component import Component
from archsim.errors import CostError


def test_a_wrong_level_and_count_are_named_together() -> None:
    with pytest.raises(CostError) as caught:
        Component("adder", "adder", "computing", {"bits": 8}, count=-1)
    first, second = (str(problem) for problem in caught.value.problems)
    assert first.startswith("adder.level: unknown level (got 'computing'") and "did you mean 'compute'?" in first
    assert second.startswith("adder.count:")


def test_attributes_are_frozen_and_survive_pickling() -> None:
    given = {"bits": 8}
    component = Component("adder", "adder", "compute", given, count=4)
    given["bits"] = 9
    assert component.attributes["bits"] == 8
    with pytest.raises(TypeError):
        component.attributes["bits"] = 9  # type: ignore[index]
    again = pickle.loads(pickle.dumps(component))
    assert again == component and hash(again) == hash(component)
