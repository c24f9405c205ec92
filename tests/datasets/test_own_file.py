"""A user's own npz file, good and hostile."""

from __future__ import annotations

import os
import pickle
import zipfile

import numpy as np
import pytest

from archsim.datasets import load_inputs

IMAGES = np.arange(5 * 2 * 3 * 4, dtype=np.uint8).reshape(5, 2, 3, 4)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(**members):
    np.savez_compressed("mine.npz", **members)


def test_images_and_labels(folder, network):
    save(inputs=IMAGES, labels=np.array([3, 1, 4, 1, 5]))
    found = load_inputs("mine.npz:1..2,4", network((2, 3, 4)))
    assert np.array_equal(found.values, IMAGES[[1, 2, 4]]) and found.labels.tolist() == [1, 4, 5]
    assert (found.name, found.indices, found.emulated) == ("mine", (1, 2, 4), False)
    assert len(load_inputs("mine.npz").values) == 5
    assert load_inputs(str(folder / "mine.npz") + ":all").values.dtype == np.uint8


def test_a_file_without_labels_and_wide_values(folder):
    save(inputs=IMAGES.astype(np.uint64) * 400)
    found = load_inputs("mine.npz")
    assert found.labels is None and "without labels" in found.note
    assert found.values.dtype == np.uint16 and found.values.max() == 119 * 400


def test_events(folder, network):
    events = np.random.default_rng(0).random((3, 6, 2, 5, 5)) < 0.3
    save(inputs=events)
    found = load_inputs("mine.npz:2", network((2, 5, 5), "events", timesteps=6))
    assert found.values.shape == (1, 6, 2, 5, 5) and np.array_equal(found.values[0], events[2])


def test_what_does_not_fit_the_network(folder, network, said):
    save(inputs=np.full((3, 6, 2, 5, 5), 2, np.uint8))
    found = said(load_inputs, "mine.npz:9", network((2, 5, 6), "events", timesteps=4))
    texts = ["no sample 9", "4 timesteps, and these events have 6", "takes [2, 5, 6]", "got 2; allowed: 0..1"]
    assert len(found) == len(texts) and all(any(text in line for line in found) for text in texts)


@pytest.mark.parametrize(
    ("members", "texts"),
    [
        ({}, ["'inputs' is missing"]),
        ({"input": IMAGES}, ["'inputs' is missing", "'input' is unknown; did you mean 'inputs'?"]),
        ({"inputs": IMAGES.astype(np.int16)}, ["holds int16; allowed: unsigned"]),
        ({"inputs": IMAGES / 3}, ["holds float64"]),
        ({"inputs": IMAGES[0]}, ["has the shape [2, 3, 4]; allowed"]),
        ({"inputs": IMAGES[:0]}, ["which is empty"]),
        ({"inputs": IMAGES.astype(np.uint32) * 1000}, ["up to 119000; at most 65535"]),
        (
            {"inputs": IMAGES[0] * 0.5, "labels": np.zeros(3)},
            ["float64; allowed: unsigned", "[2, 3, 4]", "'labels' holds float64", "expected [2]"],
        ),
        ({"inputs": IMAGES, "labels": np.array([0, 1, -1, 0, 0])}, ["no classes"]),
        ({"inputs": IMAGES, "labels": np.array([{}] * 5)}, ["pickled Python objects"]),
    ],
)  # fmt: skip
def test_wrong_members(members, texts, folder, said):
    save(**members)
    found = said(load_inputs, "mine.npz:0")
    assert len(found) == len(texts)
    for text in texts:
        assert any(text in line for line in found), found
    assert all("mine.npz: " in line for line in found)


def test_no_such_file(folder, said):
    assert "does not exist" in said(load_inputs, "mine.npz:0..x")[1]
    (folder / "mine.npz").mkdir()
    assert "no regular file" in said(load_inputs, "mine.npz")[0]
    os.mkfifo(folder / "pipe.npz")
    assert "no regular file" in said(load_inputs, "pipe.npz")[0]
    assert len(said(load_inputs, "a\0b.npz")) == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", pickle.dumps([1, 2])])
def test_what_is_no_npz(content, folder, said):
    (folder / "mine.npz").write_bytes(content)
    assert "no npz file" in said(load_inputs, "mine.npz")[0]


def test_a_truncated_or_lying_member(folder, said):
    save(inputs=IMAGES)
    content = (folder / "mine.npz").read_bytes()
    (folder / "mine.npz").write_bytes(content[: len(content) // 2])
    assert said(load_inputs, "mine.npz")
    with zipfile.ZipFile("mine.npz", "w") as archive:
        header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (999999999, 9, 9, 9), }"
        header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
        archive.writestr("inputs.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    assert "announces shape" in said(load_inputs, "mine.npz")[0]


def test_bytes_that_were_changed(folder, said):
    save(inputs=np.random.default_rng(1).integers(0, 255, (50, 3, 9, 9), dtype=np.uint8))
    content = bytearray((folder / "mine.npz").read_bytes())
    content[4000] ^= 255
    (folder / "mine.npz").write_bytes(bytes(content))
    assert "damaged" in said(load_inputs, "mine.npz")[0]
