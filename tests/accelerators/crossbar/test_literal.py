"""Every count of the lowered graph against a literal recount, on random small networks and chips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_hand import CONV, chip
from hypothesis import HealthCheck, given, settings
from literal_case import Case
from literal_cases import cases
from literal_counts import Literal
from literal_maps import values_of
from literal_sent import everything

from archsim.accelerators.crossbar.lower import lower
from archsim.engine import execute
from archsim.errors import UnsupportedError
from archsim.testing import Subject
from archsim.testing.family import check_attribution, check_buffers, check_counts_have_components
from archsim.workload import load_workload

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def counted(case: Subject) -> dict[tuple[int, int, str, str], int]:
    return {(layer, t, part, action): n for layer, t, part, action, n in case.execution.ledger.rows()}


def differences(case: Case) -> dict[Any, tuple[int, int]]:
    """Layer, timestep, component, action -> (literal, lowered) where they differ."""
    workload = case.workload()
    subject = Subject(case.architecture(), workload)
    network, chip = workload.network, subject.architecture.chip
    literal = everything(Literal(chip, network, values_of(network, case.given(network))))
    lowered = counted(subject)
    check_run(subject)
    return {
        key: (literal.get(key, 0), lowered.get(key, 0))
        for key in sorted(literal.keys() | lowered.keys())
        if literal.get(key, 0) != lowered.get(key, 0)
    }


def check_run(subject: Subject) -> None:
    """Both engines agree, every cycle is explained, and no buffer is ever fuller than it can be."""
    assert np.array_equal(subject.execution.start, execute(subject.lowered.graph, "fast").start)
    check_attribution(subject)
    check_buffers(subject)
    check_counts_have_components(subject)


@settings(max_examples=200, **QUIET)
@given(case=cases())
def test_every_count_equals_a_literal_recount(case: Case) -> None:
    assert differences(case) == {}


@pytest.mark.slow
@settings(max_examples=2500, **QUIET)
@given(case=cases())
def test_every_count_equals_a_literal_recount_of_many(case: Case) -> None:
    assert differences(case) == {}


def test_what_reads_a_flattened_map_but_as_a_vector_is_refused_by_name(tmp_path: Path) -> None:
    layers: list[dict[str, Any]] = [
        {**CONV, "spiking": False, "weight_bits": 3}, {"name": "f", "type": "flatten"}, {"name": "n", "type": "neuron"},
        {"name": "b", "type": "linear", "from": "f", "out_features": 8, "weight_bits": 3},
    ]  # fmt: skip
    described = {"name": "flat", "timesteps": 1, "input": {"shape": [2, 2, 2], "encoding": "events"}}
    file = tmp_path / "flat.yaml"
    file.write_text(json.dumps({**described, "layers": [*layers[:3], {**layers[3], "from": "n"}]}))
    with pytest.raises(UnsupportedError, match="'neuron' reads a flattened map"):
        lower(chip(), load_workload(str(file)))
    file.write_text(json.dumps({**described, "layers": [{**layers[0], "spiking": True}, layers[1], layers[3]]}))
    assert lower(chip(), load_workload(str(file))).graph.tasks
