"""The conformance suite on both built-in families, as it is: small chips with all their ways, and the presets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from archsim import load_architecture, testing
from archsim.config import names
from archsim.testing import Subject

CROSSBAR_WAYS: tuple[tuple[str, ...], ...] = (
    ("timesteps=together", "granularity=row", "crossbar.conducts=sample_hold", "crossbar.hold=conversion"),
    ("pipeline=layer", "mapping.replicate=2", "noc.packets=aer", "noc.cast=unicast"),
    ("pipeline=none", "adc.share=crossbar", "adc.analog_sum=false", "adc.resolution=active_rows"),
    ("crossbar.signed=diff", "mapping.unroll=flat", "mapping.share_tiles=true", "buffer.rows=6", "granularity=row"),
    (
        "tiles=2",
        "reload=true",
        "dram={bandwidth: 1 GB/s, latency: 20 ns}",
        "crossbar.device=rram-20k-200k",
        "tile.pes=2",
    ),
    ("adc.skip_silent=false", "crossbar.signed=differential", "crossbar.rows=3", "dram={bandwidth: unlimited}"),
)


@cache
def preset(name: str, changes: tuple[str, ...] = (), encoding: str = "events") -> Subject:
    return Subject(load_architecture(name, changes), testing.network(encoding=encoding))


@pytest.mark.parametrize("check", testing.FAMILY_CHECKS, ids=testing.name_of)
@pytest.mark.parametrize("name", names("arch"))
def test_every_preset(name: str, check: Callable[[Subject], None]) -> None:
    check(preset(name))


@pytest.mark.parametrize("check", testing.FAMILY_CHECKS, ids=testing.name_of)
@pytest.mark.parametrize("encoding", ["events", "direct", "rate"])
@pytest.mark.parametrize("changes", CROSSBAR_WAYS)
def test_every_way_of_a_crossbar_chip(
    changes: tuple[str, ...], encoding: str, check: Callable[[Subject], None]
) -> None:
    check(preset("spikeflow", ("crossbar.cols=16", "crossbar.rows=4", "pe.crossbars=4", *changes), encoding))
