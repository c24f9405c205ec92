"""How fast the currents of a crossbar are computed, beside badcrossbar at equal answers.

    python scripts/bench_analog.py [--repeat N] [--ohm R]

Set-up is one `effective_conductance`; a vector of driven rows is then a row of a matrix product, and vectors with gated
rows are solved anew. Every time is the best of N in this process; OMP_NUM_THREADS=1 keeps it on one core. badcrossbar,
if it can be imported (pip install --no-deps badcrossbar; pip install pathvalidate sigfig scipy), gets the same arrays,
one or many vectors in a call; gated rows have cells of infinite resistance there, so each vector is a call. It also
computes every case of tests/golden/badcrossbar anew.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from archsim.analog import effective_conductance, gated_currents

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "badcrossbar" / "cases.npz"
VOLTS, VECTORS = 0.1, 2000
DENSITIES = (0.05, 0.1, 0.3, 1.0)


def best(work: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    """The shortest time in seconds, and what came out."""
    times, found = [], None
    for _ in range(repeat):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return min(times), found


def line(what: str, seconds: float, vectors: int = 0) -> None:
    rate = f"{vectors / seconds:14,.0f} vectors/s" if vectors else ""
    print(f"{what:58s} {1e3 * seconds:10.2f} ms{rate}")


def crossbar(size: int) -> tuple[np.ndarray, np.random.Generator]:
    """Cells of 20 to 200 kohm."""
    rng = np.random.default_rng(size)
    return rng.uniform(1 / 200e3, 1 / 20e3, (size, size)), rng


def set_up(size: int, ohm: float, repeat: int) -> None:
    cells_s, _ = crossbar(size)
    seconds, _ = best(lambda: effective_conductance(cells_s, ohm, ohm), repeat)
    line(f"set-up of one crossbar, {size} x {size}", seconds)
    many_s = np.tile(cells_s, (8, 1, 1))
    seconds, _ = best(lambda: effective_conductance(many_s, ohm, ohm), repeat)
    line(f"set-up of one crossbar of eight, {size} x {size}", seconds / len(many_s))


class Theirs:
    """badcrossbar, told nothing but what it needs and silenced."""

    def __init__(self) -> None:
        warnings.simplefilter("ignore")
        import badcrossbar

        logging.disable(logging.CRITICAL)
        self.compute = badcrossbar.compute

    def currents(self, cells_s: np.ndarray, volts: np.ndarray, word_ohm: float, bit_ohm: float) -> np.ndarray:
        """Currents (inputs, columns) of driven rows."""
        ohms = 1 / cells_s
        solution = self.compute(volts.T, ohms, r_i_word_line=word_ohm, r_i_bit_line=bit_ohm)
        return np.asarray(solution.currents.output)

    def gated(self, cells_s: np.ndarray, volts: np.ndarray, word_ohm: float, bit_ohm: float, off: float) -> np.ndarray:
        """Currents of inputs whose silent rows have cells of ``off`` ohm: one call each."""
        cells = [np.where(one[:, None] != 0, cells_s, 1 / off) for one in volts]
        with np.errstate(divide="ignore"):
            return np.concatenate(
                [self.currents(c, one[None], word_ohm, bit_ohm) for c, one in zip(cells, volts, strict=True)]
            )


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest relative difference."""
    return float(np.max(np.abs(ours - theirs) / np.where(theirs == 0, 1.0, np.abs(theirs))))


def side_by_side(theirs: Theirs, size: int, ohm: float, repeat: int) -> None:
    """Both on the same vectors; archsim once without and once with its share of the set-up."""
    cells_s, rng = crossbar(size)
    on = rng.random((VECTORS, size)) < 0.3
    volts = VOLTS * on
    begin_s, _ = best(lambda: effective_conductance(cells_s, ohm, ohm), repeat)
    effective_s = effective_conductance(cells_s, ohm, ohm)
    ours_s, ours = best(lambda: volts @ effective_s, repeat)
    gated_s, gated = best(lambda: gated_currents(cells_s, on, VOLTS, ohm, ohm), repeat)
    for count in (1, 16, 256):
        seconds, found = best(lambda: theirs.currents(cells_s, volts[:count], ohm, ohm), min(repeat, 3))  # noqa: B023
        line(f"badcrossbar, {size} x {size}, driven rows, {count} in one call", seconds, count)
        after, whole = (seconds / count / (own_s / VECTORS) for own_s in (ours_s, begin_s + ours_s))
        print(
            f"    archsim is {after:,.0f} times as fast after set-up, {whole:,.0f} times with its {VECTORS:,}th part;"
        )
        print(f"    largest relative difference {apart(ours[:count], found):.1e}")
    seconds, found = best(lambda: theirs.gated(cells_s, volts[:4], ohm, ohm, np.inf), 1)
    line(f"badcrossbar, {size} x {size}, gated rows, density 0.3", seconds, 4)
    print(f"    archsim is {seconds / 4 / (gated_s / VECTORS):,.0f} times as fast;")
    print(f"    largest relative difference {apart(gated[:4], found):.1e}")


def golden(theirs: Theirs) -> None:
    """Whether badcrossbar still says what the tests hold archsim against."""
    cases = np.load(GOLDEN)
    names = sorted({key.split("/")[0] for key in cases})
    off = 0.0
    for name in names:
        cells_s, volts, ohm = (cases[f"{name}/{key}"] for key in ("conductance_s", "voltage_v", "ohm"))
        off = max(off, apart(theirs.currents(cells_s, volts, *ohm), cases[f"{name}/grounded_a"]))
        if f"{name}/gated_a" in cases:
            off = max(off, apart(theirs.gated(cells_s, volts, *ohm, off=1e15), cases[f"{name}/gated_a"]))
    print(f"badcrossbar says of the {len(names)} golden cases what they hold to within {off:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--ohm", type=float, default=2.0, help="of one segment, word line and bit line")
    options = parser.parse_args()
    ohm, repeat = options.ohm, options.repeat
    for size in (64, 128):
        set_up(size, ohm, repeat)
    cells_s, rng = crossbar(64)
    effective_s = effective_conductance(cells_s, ohm, ohm)
    volts = VOLTS * (rng.random((VECTORS, 64)) < 0.3)
    seconds, _ = best(lambda: volts @ effective_s, repeat)
    line("driven rows, 64 x 64, in one product", seconds, VECTORS)
    seconds, _ = best(lambda: [one @ effective_s for one in volts], repeat)
    line("driven rows, 64 x 64, one by one", seconds, VECTORS)
    for density in DENSITIES:
        on = rng.random((VECTORS, 64)) < density
        seconds, _ = best(lambda: gated_currents(cells_s, on, VOLTS, ohm, ohm), repeat)  # noqa: B023
        line(f"gated rows, 64 x 64, density {density:g}", seconds, VECTORS)
    try:
        theirs = Theirs()
    except ImportError as missing:
        print(f"badcrossbar is not there ({missing}); nothing to compare with")
        return
    side_by_side(theirs, 64, ohm, repeat)
    golden(theirs)


if __name__ == "__main__":
    main()
