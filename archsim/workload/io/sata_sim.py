"""SATA_Sim's workload files: timesteps, one sparsity, and a flat list of convolutions and fully connected layers.

    General: {timestep: 4, sparsity: 0.85}
    Layers:
      - name: Conv1          # Conv or FC is in the name; SATA_Sim skips all others
        attributes: {IFMAP Height: 32, IFMAP Width: 32, Filter Height: 3, Filter Width: 3, Channels: 3, Num Filter: 64,
                     Strides: 1}

Its conventions: a density of 1 - sparsity at the input of every layer, the first one too; padding 1 where it counts
operations. Source: inference-energy-cal of github.com/RuokaiYin/SATA_Sim at d447058.
"""

from __future__ import annotations

from typing import Any

from archsim.config import Document, load_document
from archsim.errors import ConfigError, Problem, WorkloadError, nearest
from archsim.workload.io import table
from archsim.workload.io.importing import MAX_TIMESTEPS, Asked, Imported
from archsim.workload.io.table import LayerList, Row

GENERAL = ("timestep", "sparsity")
ATTRIBUTES = ("IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels", "Num Filter", "Strides")
LARGEST = 1 << 24
_NOTES = (
    "the first layer reads spikes of the same density, as in SATA_Sim; `--encoding direct` gives it a dense image of "
    "8-bit values",
    "widths and neurons are not in the file: 8-bit weights, 16-bit potentials, LIF with leak 1 - 2^-4 are assumed",
)


def read(asked: Asked) -> Imported:
    """The layers of a workload file. ConfigError or WorkloadError with every wrong line."""
    document = load_document(asked.path)
    problems = table.refuse_meaningless(asked, "SATA_Sim")
    general, entries = _parts(document, problems)
    timesteps = _timesteps(document, general, asked, problems)
    sparsity = _sparsity(document, general, problems)
    rows, skipped = [], []
    for index, entry in enumerate(entries):
        found = _row(document, index, entry, problems)
        if isinstance(found, Row):
            rows.append(found)
        elif found is not None:
            skipped.append(found)
    if not rows and not problems:
        problems.append(document.problem(("Layers",), "has no layer with Conv or FC in its name"))
    if problems:
        raise WorkloadError(sorted(problems, key=lambda problem: problem.line or 0))
    renamed, notes = table.named(rows)
    layers = LayerList(
        rows=renamed, timesteps=timesteps, density=round(1 - sparsity, 12),
        neuron={"model": "lif", "leak": 0.9375, "threshold": 1.0, "reset": "hard"},
        precision={"weight_bits": 8, "membrane_bits": 16, "input_bits": 8},
        description=f"{len(rows)} layers of the SATA_Sim workload {asked.path.name}, at its sparsity of {sparsity:g}.",
        source=f"imported from the SATA_Sim workload {asked.path.name}",
    )  # fmt: skip
    notes += [*skipped, table.connection(renamed), *_padded(renamed), *_NOTES]
    return Imported(asked.name, table.write(asked, layers), None, tuple(notes))


def _parts(document: Document, problems: list[Problem]) -> tuple[dict[str, Any], list[Any]]:
    """The two sections. ConfigError if this is another kind of file."""
    data = document.data
    if not isinstance(data, dict) or not {"General", "Layers"} & set(data):
        text = "is no workload file of SATA_Sim, which has the sections General and Layers"
        raise ConfigError([*problems, Problem(text, document.file)])
    _refuse_unknown(document, (), data, ("General", "Layers"), problems)
    general, entries = data.get("General"), data.get("Layers")
    if not isinstance(general, dict):
        problems.append(document.problem(("General",), "states timestep and sparsity, and is missing or no mapping"))
        general = {}
    else:
        _refuse_unknown(document, ("General",), general, GENERAL, problems)
    if not isinstance(entries, list) or not entries:
        problems.append(document.problem(("Layers",), "lists the layers, and is missing or empty"))
        entries = []
    return general, entries


def _timesteps(document: Document, general: dict[str, Any], asked: Asked, problems: list[Problem]) -> int:
    value: Any = general.get("timestep")
    where = ("General", "timestep")
    if not _is_whole(value) or value > MAX_TIMESTEPS:
        problems.append(document.problem(where, "is no number of timesteps", value=value, allowed="1 to 100,000"))
        return 1
    if asked.timesteps not in (None, value):
        text = f"the file states other timesteps than --timesteps {asked.timesteps}; change one of them"
        problems.append(document.problem(where, text, value=value))
    return int(value)


def _sparsity(document: Document, general: dict[str, Any], problems: list[Problem]) -> float:
    value = general.get("sparsity")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        problems.append(document.problem(("General", "sparsity"), "is no fraction", value=value, allowed="0 to 1"))
        return 0.0
    return float(value)


def _row(document: Document, index: int, entry: Any, problems: list[Problem]) -> Row | str | None:
    """The layer of an entry; a note if SATA_Sim skips it; None, with the reasons reported, if it is wrong."""
    path = ("Layers", index)
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"].strip():
        problems.append(document.problem(path, "a layer states name and attributes", value=entry))
        return None
    name, line = entry["name"], document.line(path) or 0
    kinds = [kind for kind in ("Conv", "FC") if kind in name]
    if not kinds:
        return f"line {line}: '{name}' is left out, as SATA_Sim does: neither Conv nor FC is in its name"
    before = len(problems)
    _refuse_unknown(document, path, entry, ("name", "attributes"), problems)
    sizes = _sizes(document, path, entry.get("attributes"), problems)
    if len(problems) > before:
        return None
    height, width, kernel_h, kernel_w, channels, filters, stride = sizes
    if "FC" in kinds and (height, width, kernel_h, kernel_w) != (1, 1, 1, 1):
        text = "a fully connected layer has a map and a filter of 1 x 1; its inputs are its Channels"
        problems.append(document.problem((*path, "attributes"), text, value=sizes))
        return None
    padding = (int(kernel_h > 1), int(kernel_w > 1))
    if kernel_h > height + 2 * padding[0] or kernel_w > width + 2 * padding[1]:
        text = f"the filter of {kernel_h} x {kernel_w} is larger than its map of {height} x {width} with padding 1"
        problems.append(document.problem((*path, "attributes", "Filter Height"), text))
        return None
    shape = (channels, height, width)
    return table.convolution(line, name, shape, filters, (kernel_h, kernel_w), (stride, stride), padding)


def _sizes(document: Document, path: tuple[str | int, ...], attributes: Any, problems: list[Problem]) -> list[int]:
    where = (*path, "attributes")
    if not isinstance(attributes, dict):
        problems.append(document.problem(path, "the attributes are missing", allowed=", ".join(ATTRIBUTES)))
        return []
    _refuse_unknown(document, where, attributes, ATTRIBUTES, problems)
    missing = [key for key in ATTRIBUTES if key not in attributes]
    if missing:
        problems.append(document.problem(where, f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"))
    for key in ATTRIBUTES:
        value = attributes.get(key, 1)
        if not _is_whole(value) or value > LARGEST:
            allowed = f"whole numbers from 1 to {LARGEST:,}"
            problems.append(document.problem((*where, key), "is no size", value=value, allowed=allowed))
    return [attributes.get(key, 1) for key in ATTRIBUTES]


def _refuse_unknown(
    document: Document,
    path: tuple[str | int, ...],
    data: dict[str, Any],
    known: tuple[str, ...],
    problems: list[Problem],
) -> None:
    for key in data:
        if key not in known:
            near = nearest(str(key), known)
            problems.append(document.problem((*path, key), "no such key", allowed=", ".join(known), nearest=near))


def _is_whole(value: Any) -> bool:
    return type(value) is int and value >= 1


def _padded(rows: list[Row]) -> list[str]:
    """What padding the layers have here, which SATA_Sim's file does not say."""
    notes = []
    windows = [row.name for row in rows if "padding" in row.keys]
    points = [row.name for row in rows if row.kind == "conv2d" and "padding" not in row.keys]
    if windows:
        notes.append("convolutions have padding 1, with which SATA_Sim counts operations (its cycles are without)")
    if points:
        notes.append(f"1 x 1 convolutions have no padding here; SATA_Sim counts them with 1: {', '.join(points)}")
    return notes
