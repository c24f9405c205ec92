"""The Chrome trace event format, as far as archsim writes it, checked by hand from its public description.

JSON object format: ``traceEvents`` is a list; each event has ``ph``, ``pid``, ``tid``, ``name``. ``X`` (complete) has
``ts`` and ``dur`` in us, neither negative; ``C`` (counter) has ``ts`` and ``args`` of numbers only; ``M`` (metadata)
names or orders a process or thread. On a track slices may nest, but not cross; here they may not even nest. Perfetto
keeps whole ns of beginnings and durations, which it rounds (52.0) or cuts (older ones) one by one, and drops a slice
that then overlaps another: nothing may, either way. A slice of less than a ns may so be empty.
"""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

METADATA = {"process_name": str, "thread_name": str, "process_sort_index": int, "thread_sort_index": int}


def read_trace(path: Path) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def validate(document: dict[str, Any]) -> None:
    assert document["displayTimeUnit"] in {"ms", "ns"}
    assert isinstance(document["traceEvents"], list) and document["traceEvents"]
    tracks, named = defaultdict(list), set()
    for event in document["traceEvents"]:
        _one(event)
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append((event["ts"], event["dur"]))
        elif event["name"] == "thread_name":
            assert (event["pid"], event["tid"]) not in named, "a track is named twice"
            named.add((event["pid"], event["tid"]))
    assert set(tracks) == named, "a track without a name, or a name without a track"
    for slices in tracks.values():
        for (ts, dur), (after, _) in pairwise(sorted(slices)):
            assert ts + dur <= after * (1 + 1e-12) + 1e-9, f"overlap: {ts} + {dur} > {after}"
            for ns in (int, round):
                told = f"overlap in {ns.__name__} ns: {ts} + {dur} > {after}"
                assert ns(ts * 1000.0) + ns(dur * 1000.0) <= ns(after * 1000.0), told


def _one(event: dict[str, Any]) -> None:
    assert isinstance(event["name"], str) and event["name"]
    assert all(isinstance(event[key], int) and event[key] > 0 for key in ("pid", "tid"))
    phase = event["ph"]
    assert phase in {"X", "C", "M"}, phase
    if phase == "M":
        (value,) = event["args"].values()
        assert isinstance(value, METADATA[event["name"]])
        return
    assert isinstance(event["ts"], float) and event["ts"] >= 0
    if phase == "X":
        assert isinstance(event["dur"], float) and event["dur"] >= 0
    else:
        assert event["args"] and all(type(value) in {int, float} for value in event["args"].values())


def slices_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [event for event in document["traceEvents"] if event["ph"] == "X"]


def counters_of(document: dict[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Counter by name: (us, value), in the order of the file."""
    found = defaultdict(list)
    for event in document["traceEvents"]:
        if event["ph"] == "C":
            ((_, value),) = event["args"].items()
            found[event["name"]].append((event["ts"], value))
    return dict(found)


def integral(samples: list[tuple[float, float]]) -> float:
    """Of a counter: value times us."""
    return sum(value * (after - ts) for (ts, value), (after, _) in pairwise(samples))
