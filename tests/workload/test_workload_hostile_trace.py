from __future__ import annotations

import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from archsim.errors import ArchsimError
from archsim.workload import load_workload, write_trace

NET = """\
name: net
timesteps: 2
input: {shape: [2, 4, 4], encoding: direct}
layers:
  - {name: c1, type: conv2d, out_channels: 3, kernel: 3, padding: 1}
  - {name: c2, type: conv2d, out_channels: 3, kernel: 3}
  - {name: fc, type: linear, out_features: 5}
activity: {trace: net.npz}
"""


def good(samples=2, steps=2):
    spikes = {"c1": (samples, steps, 3, 4, 4), "c2": (samples, steps, 3, 2, 2), "fc": (samples, steps, 5)}
    return np.zeros((samples, 2, 4, 4), int), {name: np.ones(shape, int) for name, shape in spikes.items()}


def messages(problems, text=NET, **options):
    found = problems(text, **options)
    assert {key for _, key, _ in found} == {"activity.trace"}
    return [message for _, _, message in found]


def rewrite(path, change):
    """Let ``change`` edit the members of a good trace, as a mapping from name to array or raw bytes."""
    write_trace(path, 2, *good())
    with np.load(path) as stored:
        members = dict(stored)
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(f"{name}.npy", value if isinstance(value, bytes) else npy(value))


def npy(array, allow_pickle=False):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=allow_pickle)
    return stream.getvalue()


def npy_header(shape, dtype="|u1"):
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def test_every_disagreement_with_the_network_is_reported_at_once(problems, tmp_path):
    def change(members):
        members["timesteps"] = np.array(3)
        members["input"] = members["input"][:, :1]
        members["shape/c1"] = np.array([3, 4, 5])
        members["spikes/c2"] = members["spikes/c2"][:1]
        del members["spikes/fc"]
        members["labels"] = np.zeros(7, int)
        members["spikes/c3"] = members["spikes/c1"]

    rewrite(tmp_path / "net.npz", change)
    found = messages(problems)
    for part in (
        "'timesteps' is 3; the workload has 2",
        "'input' has shape [2, 1, 4, 4]; expected [N, 2, 4, 4]",
        "'shape/c1' is [3, 4, 5]; the workload has [3, 4, 4]",
        "'spikes/c2' holds 1 samples where others hold 2",
        "'spikes/fc' is missing",
        "'spikes/c3' records no layer with neurons of this workload",
        "'labels' is int64 [7]; expected 2 integers",
    ):
        assert sum(part in message for message in found) == 1, (part, found)
    assert len(found) == 7


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("format", np.array("archsim-trace-9"), "archsim-trace-9"),
        ("format", np.zeros(3), "'format' is"),
        ("timesteps", np.array(2.0), "no integer"),
        ("spikes/c1", np.zeros((2, 2, 6), np.int8), "holds int8; allowed: uint8"),
        ("spikes/c1", np.zeros((2, 2, 48), np.uint8), "has shape [2, 2, 48]; expected [N, 2, 6]"),
        ("spikes/c1", np.zeros((0, 2, 6), np.uint8), "no sample"),
        ("spikes/c1", np.zeros((), np.uint8), "has shape []"),
        ("input", np.zeros((2, 2, 4, 4), np.float32), "holds float32"),
        ("input", np.full((2, 2, 4, 4), 300, np.uint16), "has the value 300"),
        ("shape/c1", np.zeros(100_000), "far too big"),
        ("values/c1", np.zeros((2, 2, 3, 4, 4), np.uint8), "more than once"),
        ("labels", np.array(["a", "b"]), "expected 2 integers"),
        ("notes", pickle.dumps([1]), "damaged"),
        ("notes", npy(np.array([{}, []], object), allow_pickle=True), "pickled Python objects"),
        ("notes", npy_header("(1000000, 1000000)") + b"1", "announces shape"),
        ("notes", npy_header("(-1, -1)") + b"1", "announces shape"),
        ("notes", npy_header("(" * 4000 + ")" * 4000), "damaged"),
        ("notes", npy_header("'x'"), "damaged"),
        ("spikes/c1", npy(np.zeros((2, 2, 6), np.uint8))[:-3], "announces shape"),
    ],
)
def test_members_that_are_not_what_they_should_be(problems, tmp_path, name, value, part):
    rewrite(tmp_path / "net.npz", lambda members: members.update({name: value}))
    found = messages(problems)
    assert any(part in message for message in found), found


def test_integers_where_neurons_send_spikes(problems, tmp_path):
    image, spikes = good()
    spikes["fc"][1, 1, 2] = 2
    write_trace(tmp_path / "net.npz", 2, image, spikes)
    assert messages(problems) == ["net.npz: 'values/fc' has the value 2; its neurons send at most 1"]


def test_a_pickle_is_never_run(problems, tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    trap = npy(np.array([Trap()], object), allow_pickle=True)
    rewrite(tmp_path / "net.npz", lambda members: members.update({"input": trap, "labels": trap}))
    found = messages(problems)
    assert len(found) == 2 and all("pickled" in message for message in found)
    assert not (tmp_path / "sprung").exists()


def test_gigabytes_are_refused_before_they_are_unpacked(problems, tmp_path):
    """A directory that announces 3 GiB: nothing is unpacked to find out."""
    size = 3 << 30
    with zipfile.ZipFile(tmp_path / "net.npz", "w") as archive:
        archive.writestr("input.npy", npy_header(f"({size},)") + b"1234")
    raw = bytearray((tmp_path / "net.npz").read_bytes())
    entry = raw.index(b"PK\x01\x02")
    raw[entry + 24 : entry + 28] = struct.pack("<I", size)
    (tmp_path / "net.npz").write_bytes(raw)
    (message,) = messages(problems)
    assert "unpacks to 3,221,225,472 bytes" in message


def test_a_big_member_that_the_network_does_not_need_is_never_unpacked(load, tmp_path):
    """256 MiB of zeros, announced honestly, under a name of no meaning: the trace loads without it."""
    write_trace(tmp_path / "net.npz", 2, *good())
    with (
        zipfile.ZipFile(tmp_path / "net.npz", "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("notes.npy", "w") as file,
    ):
        file.write(npy_header(f"({1 << 28},)"))
        for _ in range(16):
            file.write(bytes(1 << 24))
    tracemalloc.start()
    assert load(NET).activity.n_samples == 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


def test_a_member_that_lies_about_its_size_is_not_unpacked_beyond_it(problems, tmp_path):
    """The directory announces what the shape needs, the stream holds 256 MiB more."""
    shape = (2, 2, 4, 4)
    write_trace(tmp_path / "net.npz", 2, *good())
    with np.load(tmp_path / "net.npz") as stored:
        members = {name: npy(value) for name, value in stored.items()}
    honest = npy_header(str(shape)) + bytes(64)
    members["input"] = honest + bytes(256 << 20)
    with zipfile.ZipFile(tmp_path / "net.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(f"{name}.npy", value)
    raw = bytearray((tmp_path / "net.npz").read_bytes())
    name_at = raw.rindex(b"input.npy")
    raw[name_at - 22 : name_at - 18] = struct.pack("<I", len(honest))
    (tmp_path / "net.npz").write_bytes(raw)
    del members
    tracemalloc.start()
    found = messages(problems)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any("'input' is damaged" in message for message in found)
    assert peak < 32 << 20


@pytest.mark.parametrize("keep", [0, 1, 10, 100, 700, -30, -1])
def test_truncated_files(problems, tmp_path, keep):
    write_trace(tmp_path / "net.npz", 2, *good())
    (tmp_path / "net.npz").write_bytes((tmp_path / "net.npz").read_bytes()[:keep])
    (message,) = messages(problems)
    assert "truncated" in message


def test_any_flipped_byte_is_noticed_or_harmless(load, tmp_path):
    write_trace(tmp_path / "net.npz", 2, *good())
    content = (tmp_path / "net.npz").read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(content), 150):
        broken = bytearray(content)
        broken[place] ^= int(rng.integers(1, 256))
        (tmp_path / "net.npz").write_bytes(bytes(broken))
        try:
            workload = load(NET)
        except ArchsimError:
            refused += 1
        else:
            layers = [layer for layer in workload.network.layers if layer.neuron is not None]
            assert all(workload.activity.outputs_of(layer, 1).all() for layer in layers)
    assert refused > 75


@pytest.mark.parametrize("trace", ["../net.npz", "sub/../../net.npz", "{root}/net.npz"])
def test_traces_outside_the_folder_are_read_only_when_asked_for(load, problems, tmp_path, trace):
    folder = tmp_path / "inner"
    folder.mkdir()
    write_trace(tmp_path / "net.npz", 2, *good())
    text = NET.replace("net.npz", trace.format(root=tmp_path))
    (folder / "net.yaml").write_text(text)
    with pytest.raises(ArchsimError, match="outside the workload file's folder; --allow-outside "):
        load_workload(str(folder / "net.yaml"))
    assert load_workload(str(folder / "net.yaml"), allow_outside=True).activity.n_samples == 2


def test_links_out_of_the_folder_and_absolute_paths_into_it(problems, load, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}-outside.npz"
    write_trace(outside, 2, *good())
    (tmp_path / "net.npz").symlink_to(outside)
    (message,) = messages(problems)
    assert "outside" in message
    assert load(NET, allow_outside=True).activity.n_samples == 2
    (tmp_path / "net.npz").unlink()
    outside.rename(tmp_path / "net.npz")
    (message,) = messages(problems, NET.replace("net.npz", str(tmp_path / "net.npz")))
    assert "absolute" in message
    assert load(NET).activity.n_samples == 2


def test_a_workload_file_reached_by_a_link_finds_the_trace_beside_it(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "real" / "net.yaml").write_text(NET)
    write_trace(tmp_path / "real" / "net.npz", 2, *good())
    for name in ("net.yaml", "net.npz"):
        (tmp_path / "linked" / name).symlink_to(tmp_path / "real" / name)
    assert load_workload(str(tmp_path / "linked" / "net.yaml")).activity.n_samples == 2


@pytest.mark.parametrize(
    ("name", "part"), [("none.npz", "not exist"), (".", "no regular file"), ("pipe", "no regular")]
)
def test_traces_that_are_no_files(problems, tmp_path, name, part):
    os.mkfifo(tmp_path / "pipe")
    (message,) = messages(problems, NET.replace("net.npz", f'"{name}"'))
    assert part in message


def test_a_missing_trace_does_not_hide_a_broken_network(problems):
    found = problems(NET.replace("kernel: 3}", "kernel: 9}"))
    assert [key for _, key, _ in found] == ["layers.1.kernel", "activity.trace"]


def test_a_missing_trace_is_reported_beside_a_misspelt_key(problems):
    found = problems(NET.replace("padding", "paddding"))
    assert [key for _, key, _ in found] == ["layers.0.paddding", "activity.trace"]


def test_traces_need_layers_that_chain_and_spikes_before_weights(problems, tmp_path):
    write_trace(tmp_path / "net.npz", 2, *good())
    found = problems(NET.replace("kernel: 3}", "kernel: 3, spiking: false}"))
    assert ("layers.2", True) in [(key, "currents" in message) for _, key, message in found]
    ((_, key, message),) = problems("""\
name: table
timesteps: 1
chained: false
layers:
  - {name: a, type: linear, in_features: 4, out_features: 4}
activity: {trace: net.npz}
""")
    assert key == "activity.trace" and "chain" in message
