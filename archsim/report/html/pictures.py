"""What a run's folder shows over time: the figures that ``archsim run --timeline`` put beside the result."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.report.html.parts import Part, Picture, Prose
from archsim.report.units import TIME, printed

if TYPE_CHECKING:
    from archsim.result import Result

MOST_BYTES = 550_000  # of all pictures: as text they are a third longer, and the page stays below 1 MB
SIGNATURE = b"\x89PNG\r\n\x1a\n"
WIDTH_AT, HEIGHT_AT = slice(16, 20), slice(20, 24)  # in the first block of every PNG
TITLES = {
    "gantt": ("What the units do when", "A lane per unit, coloured by the layer that it works for"),
    "power": ("Power over time", "Power of the chip, leakage below and the running tasks above it"),
}
NONE = "When everything happened is drawn while a run is executed: archsim run ... -o DIR --timeline, then report DIR."


def over_time(folder: Path | None, result: Result) -> Iterator[Part]:
    """The figures over time that lie in the folder; how to get them where there are none."""
    bodies = {} if folder is None else {name: _png(folder / f"{name}.png") for name in TITLES}
    there = {name: body for name, body in bodies.items() if body}
    if not there:
        yield Prose((NONE,))
    room = MOST_BYTES
    for name, body in there.items():
        title, what = TITLES[name]
        if len(body) > room:
            yield Prose((f"{title}: {name}.png in the folder of the run is too large for this page.",))
            continue
        room -= len(body)
        width, height = (int.from_bytes(body[at]) for at in (WIDTH_AT, HEIGHT_AT))
        uri = f"data:image/png;base64,{base64.b64encode(body).decode()}"
        alt = f"{what}, over the {printed(result.latency_ns, TIME)} of the run"
        yield Picture(f"picture-{name}", title, alt, uri, width, height)


def _png(path: Path) -> bytes:
    """The file's bytes; none if it is not there or no PNG."""
    try:
        body = path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""
    return body if body.startswith(SIGNATURE) and len(body) >= HEIGHT_AT.stop else b""
