"""Tables of a result: every number from the result, nothing cut off."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

import archsim
from archsim.report.tables import print_result
from archsim.result import Result


@pytest.fixture(scope="module")
def result() -> Result:
    return archsim.simulate("sata", "cnn-mnist", against=["sata-sim", "scalesim"])


def printed(result: Result, width: int = 118) -> str:
    stream = io.StringIO()
    print_result(result, Console(file=stream, width=width, markup=False, highlight=False))
    return stream.getvalue()


def column(text: str, heading: str, place: int) -> list[str]:
    """One column of the table under a heading, between its rule and the next empty line, by splitting at two blanks."""
    body = text.partition(f"{heading}\n")[2].split("─\n", 1)[1].split("\n\n")[0]
    rows = [re.split(r"\s{2,}", line.strip()) for line in body.splitlines() if line.strip()]
    return [row[place] for row in rows]


def test_levels_sum_to_the_headline(result: Result) -> None:
    text = printed(result)
    totals = [float(cell) for cell in column(text, "Energy by level", 3)]
    assert sum(totals[:-1]) == pytest.approx(totals[-1], abs=0.2)
    assert f"{result.energy_pj / 1e6:.1f} uJ" in text
    shares = [float(cell.removesuffix(" %")) for cell in column(text, "Energy by level", 4)]
    assert sum(shares[:-1]) == pytest.approx(100, abs=0.3)


def test_the_waterfall_begins_and_ends_with_the_totals(result: Result) -> None:
    found = result.against["sata-sim"]["waterfall"]
    lines = printed(result).splitlines()
    for name, value in (("the peer's answer", found["start"]), ("archsim's answer", result.energy_pj)):
        (line,) = [line for line in lines if line.strip().startswith(name)]
        assert float(line.split()[-1]) == pytest.approx(value / 1e6, rel=0.01)


def test_layers_and_units(result: Result) -> None:
    text = printed(result)
    assert column(text, "Layers", 0) == [*(row.name for row in result.layers), "idle"]
    assert column(text, "Layers", 2)[:-1] == [f"{row.cycles:,.0f}" for row in result.layers]
    units = column(text, "Where the units' time goes", 0)
    assert units == [row.unit for row in result.units if row.unit != "sync"]
    for place in range(len(units)):
        pieces = [column(text, "Where the units' time goes", k)[place] for k in range(1, 6)]
        values = [0.05 if piece.startswith("<") else float(piece.removesuffix(" %")) for piece in pieces]
        assert sum(values) == pytest.approx(100, abs=0.4)


def test_names_of_constants_stay_whole_and_factors_have_no_unit() -> None:
    varied = archsim.simulate("sata", "cnn-mnist", vary_costs=True)
    text = printed(varied)
    heading = "Which constant the energy hangs on (one at a time, the others nominal)"
    assert column(text, heading, 0) == [row["constant"] for row in varied.vary_costs]
    rows = dict(zip(column(text, heading, 0), column(text, heading, 1), strict=True))
    assert rows["sram.read_factor"] == "1" and rows["gates.clock"] == "400 MHz"
    assert column(text, heading, 3)[column(text, heading, 0).index("sram.read_factor")] == "2.55"


def test_peak_power_stands_beside_the_mean_and_a_note_beside_the_throughput(result: Result) -> None:
    text = printed(replace(result, peak_power_mw=1234.0, throughput_note="the array waits for DRAM"))
    assert re.search(r"mean power .* peak 1\.23 W", text)
    assert re.search(r"throughput .* each; the array waits for DRAM", " ".join(text.split()))


def test_a_run_without_a_throughput_says_why(result: Result) -> None:
    text = printed(replace(result, throughput_per_s=None, interval_cycles=None, throughput_note="it never settles"))
    assert re.search(r"throughput +not known +it never settles", text)


def test_what_a_peer_cannot_answer_is_printed(result: Result) -> None:
    text = printed(replace(result, against={"sata-sim": {"unsupported": ["buffers.ifmap: too large", "another"]}}))
    assert "it cannot answer:\n  - buffers.ifmap: too large\n  - another" in text


def test_narrow_terminals_wrap_and_names_are_no_markup(result: Result) -> None:
    text = printed(replace(result, arch="[red]chip[/red]"), width=80)
    assert "[red]chip[/red] x cnn-mnist" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_an_empty_ledger_prints(result: Result) -> None:
    empty = replace(
        result, counts=(), components=(), layers=(), units=(), critical_path=(), against={}, energy_pj=0.0,
        dynamic_pj=0.0,
        static_pj=0.0, area_um2=0.0, cycles=0, latency_ns=0.0, verdict="nothing to do",
    )  # fmt: skip
    assert "verdict: nothing to do" in printed(empty)
