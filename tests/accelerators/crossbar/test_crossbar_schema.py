"""A crossbar chip's description: what it refuses, all at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archsim.accelerators.crossbar.schema import CrossbarArchitecture
from archsim.config import parse_document, validate
from archsim.errors import ConfigError


def described(**changes: Any) -> CrossbarArchitecture:
    base: dict[str, Any] = {
        "family": "crossbar", "name": "by hand", "clock": 250,
        "crossbar": {"rows": 64, "cols": 64, "device": "rram-20k-200k", "read": "8 ns"},
        "adc": {"bits": 4, "conversion": "12 ns"},
    }  # fmt: skip
    return validate(CrossbarArchitecture, parse_document(json.dumps({**base, **changes}), "drawn.yaml"))


def test_times_become_whole_cycles() -> None:
    chip = described()
    assert [chip.cycles(ns) for ns in (0.1, 4, 4.1, 12)] == [1, 1, 2, 3]
    assert chip.hierarchy.tiles is None and described(tiles=3).hierarchy.tiles == 3


def test_everything_wrong_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        described(
            crossbar={"rows": 0, "cols": 64, "device": "rram-20k-200k", "read": "-1 ns", "signed": "two"},
            adc={"bits": 0, "conversion": "12 ns"}, pe={"crossbars": -1}, noc={"cast": "broad"},
        )  # fmt: skip
    keys = {problem.key for problem in caught.value.problems}
    assert keys == {"crossbar.rows", "crossbar.read", "crossbar.signed", "adc.bits", "pe.crossbars", "noc.cast"}


def test_settings_that_contradict_each_other() -> None:
    with pytest.raises(ConfigError) as caught:
        described(
            crossbar={"rows": 64, "cols": 4, "device": "rram-20k-200k", "read": 8}, reload=True,
            adc={"bits": 4, "conversion": 12, "analog_sum": True}, mapping={"replicate": "auto"},
        )  # fmt: skip
    keys = [problem.key for problem in caught.value.problems]
    assert keys == ["crossbar.column_mux", "adc.analog_sum", "mapping.replicate", "reload"]


@pytest.mark.parametrize("hold", ["pulse", 3.0])
def test_a_line_that_is_not_held_has_no_time_of_holding(hold: str | float) -> None:
    crossbar = {"rows": 64, "cols": 64, "device": "rram-20k-200k", "read": 8, "hold": hold}
    with pytest.raises(ConfigError) as caught:
        described(crossbar={**crossbar, "conducts": "sample_hold"})
    assert [(problem.key, problem.value) for problem in caught.value.problems] == [("crossbar.hold", hold)]
    assert "would have no effect" in str(caught.value)
    assert described(crossbar=crossbar).crossbar.conducts == "hold"
    default = described(crossbar={**crossbar, "conducts": "sample_hold", "hold": "conversion"})
    assert default.crossbar.hold == "conversion"
