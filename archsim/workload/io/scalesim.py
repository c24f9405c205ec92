"""SCALE-Sim's topology files (v2 and v3): convolutions, or products M x K by K x N, one per line.

    Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,[ Sparsity,]
    Layer, M, N, K,[ Sparsity,][ Batch,]

As in SCALE-Sim the first line is a header that is not read, columns count by their place, a line ends with a comma (the
last may be missing here), and a convolution with DP in its name is depthwise: every channel has its own filters.
Padding is part of a map, or is not there. Source: scalesim/topology_utils.py at 1d62b68 and README_Sparsity.md of v3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archsim.config import read_text
from archsim.errors import ConfigError, Problem, WorkloadError
from archsim.workload.io import table
from archsim.workload.io.importing import Asked, Imported
from archsim.workload.io.table import LayerList, Row

CONVOLUTION = ("IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels", "Num Filter", "Strides")
PRODUCT = ("M", "N", "K")
LARGEST = 1 << 24
_DEPTHWISE = "DP"
_NOTES = (
    "SCALE-Sim's values are dense bytes; here layers read spikes of one bit at density 1.0: state your network's "
    "`activity`, or byte-wide values with `neuron: {max_spikes: 255}`",
    "the file has no neurons: behind every layer stand those of `neuron`; `spiking: false` leaves them out",
)


@dataclass(frozen=True)
class _Line:
    """A line of the file: its number, its fields, and where problems of it go."""

    number: int
    fields: tuple[str, ...]
    file: str
    problems: list[Problem]

    def blame(
        self, message: str, *, key: str | None = None, value: str | None = None, allowed: str | None = None
    ) -> None:
        """Report a problem of this line."""
        self.problems.append(Problem(message, self.file, self.number, key, value, allowed))


def read(asked: Asked) -> Imported:
    """The layers of a topology file as a workload. ConfigError or WorkloadError with every wrong line."""
    shown = str(asked.path)
    problems = table.refuse_meaningless(asked, "SCALE-Sim")
    lines = [
        _Line(number, _fields(text), shown, problems)
        for number, text in enumerate(read_text(asked.path, shown).splitlines(), start=1)
        if text.strip()
    ]
    if len(lines) < 2:
        text = "is no topology file of SCALE-Sim: behind the line of headings it has no layer"
        raise ConfigError([*problems, Problem(text, shown)])
    is_product = _is_product(lines)
    columns = PRODUCT if is_product else CONVOLUTION
    _check_header(lines[0], columns)
    rows = [row for line in lines[1:] if (row := _row(line, columns)) is not None]
    if problems:
        raise WorkloadError(sorted(problems, key=lambda problem: problem.line or 0))
    renamed, notes = table.named(rows)
    timesteps = asked.timesteps or 1
    what = "matrix products" if is_product else "layers"
    layers = LayerList(
        rows=renamed, timesteps=timesteps, density=1.0, neuron={"model": "lif", "leak": 0.9375, "threshold": 1.0},
        precision={"weight_bits": 8, "membrane_bits": 16, "input_bits": 8},
        description=f"{len(rows)} {what} of the SCALE-Sim topology {asked.path.name}. Timesteps, neurons and densities "
        "are not in that file.",
        source=f"imported from the SCALE-Sim topology {asked.path.name}",
    )  # fmt: skip
    steps = [] if asked.timesteps else ["SCALE-Sim executes a layer once: timesteps is 1"]
    text = table.write(asked, layers)
    notes += [table.connection(renamed), *_rounded(lines[1:], renamed), *steps, *_NOTES]
    return Imported(asked.name, text, None, tuple(notes))


def _fields(text: str) -> tuple[str, ...]:
    """What stands between the commas; behind the last comma there is nothing."""
    fields = [field.strip() for field in text.split(",")]
    return tuple(fields[:-1] if fields[-1] == "" else fields)


def _is_product(lines: list[_Line]) -> bool:
    """Whether the lines are products: their headings say so, or they have too few columns for a convolution."""
    headings = {field.upper() for field in lines[0].fields}
    if set(PRODUCT) <= headings:
        return True
    return not any("FILTER" in heading for heading in headings) and len(lines[1].fields) <= len(PRODUCT) + 3


def _check_header(line: _Line, columns: tuple[str, ...]) -> None:
    """The first line must be headings: SCALE-Sim skips it, and takes the columns by their place."""
    if len(line.fields) > 1 and all(re.fullmatch(r"\d+", field) for field in line.fields[1:]):
        line.blame("the first line holds headings and is not read, but this one is a layer", value=line.fields[0])
    order = [field.upper() for field in line.fields if field.upper() in PRODUCT]
    if columns is PRODUCT and sorted(order) == sorted(PRODUCT) and tuple(order) != PRODUCT:
        stated = ", ".join(order)
        line.blame(
            "SCALE-Sim takes the columns by their place, whatever the headings say", value=stated, allowed="M, N, K"
        )


def _row(line: _Line, columns: tuple[str, ...]) -> Row | None:
    """The layer of a line; None, with the reasons reported, if there is none."""
    before = len(line.problems)
    count = len(columns) + 1
    if len(line.fields) < count:
        names = ", ".join(("Layer name", *columns))
        line.blame(f"{len(line.fields)} columns in place of {count}", value=", ".join(line.fields), allowed=names)
        return None
    name = line.fields[0]
    if not name:
        line.blame("a layer without a name", key="Layer name")
    sizes = [_size(line, key, field) for key, field in zip(columns, line.fields[1:], strict=False)]
    for field in line.fields[count:]:
        _refuse_extra(line, field)
    if len(line.problems) > before:
        return None
    if columns is PRODUCT:
        rows, filters, reduction = sizes
        return table.product(line.number, name, rows, reduction, filters)
    height, width, kernel_h, kernel_w, channels, filters, stride = sizes
    if kernel_h > height or kernel_w > width:
        text = f"the filter of {kernel_h} x {kernel_w} is larger than its map of {height} x {width}"
        line.blame(text, key="Filter Height, Filter Width")
        return None
    groups = channels if _DEPTHWISE in name else 1
    return table.convolution(
        line.number, name, (channels, height, width), filters, (kernel_h, kernel_w), (stride, stride), groups=groups
    )


def _size(line: _Line, key: str, text: str) -> int:
    """A whole number of at least 1; else a problem of the line."""
    if re.fullmatch(r"\d{1,8}", text, re.ASCII) and 1 <= int(text) <= LARGEST:
        return int(text)
    line.blame("is no size", key=key, value=text, allowed=f"whole numbers from 1 to {LARGEST:,}")
    return 1


def _refuse_extra(line: _Line, field: str) -> None:
    """Columns behind the known ones: N:M sparsity of weights, a batch; dense, and a batch of one, are fine."""
    ratio = re.fullmatch(r"(\d{1,6})\s*:\s*(\d{1,6})", field, re.ASCII)
    if field == "" or (ratio is not None and ratio[1] == ratio[2]) or field == "1":
        return
    if ratio is not None:
        line.blame("N:M sparsity of weights is not supported; 1:1 imports the dense layer", key="Sparsity", value=field)
    elif field.isdigit():
        line.blame("batches of products are not supported; repeat the line instead", key="Batch", value=field)
    else:
        line.blame("a column that SCALE-Sim does not have", value=field, allowed="Sparsity (N:M), Batch")


def _rounded(lines: list[_Line], rows: list[Row]) -> list[str]:
    """Where SCALE-Sim rounds the size of a map up, which a convolution rounds down."""
    notes = []
    for line, row in zip(lines, rows, strict=True):
        if row.kind != "conv2d":
            continue
        height, width, kernel_h, kernel_w, _, _, stride = (int(field) for field in line.fields[1:8])
        theirs = -(-(height - kernel_h) // stride) + 1, -(-(width - kernel_w) // stride) + 1
        if theirs != row.out_shape[1:]:
            ours = f"{row.out_shape[1]} x {row.out_shape[2]}"
            notes.append(
                f"line {line.number}: '{row.name}' has {ours} outputs; SCALE-Sim rounds up, to "
                f"{theirs[0]} x {theirs[1]} (`--against scalesim` answers for those)"
            )
    return notes
