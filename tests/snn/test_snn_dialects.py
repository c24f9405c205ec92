"""Every dialect against the framework itself: networks that it executed, spike for spike, in float32 and float64."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import archsim
from archsim.importing import import_network
from archsim.snn import simulate
from archsim.workload import load_workload
from archsim.workload.io.dialects import DIALECTS

h5py = pytest.importorskip("h5py")
FOLDER = Path(__file__).parent.parent / "golden" / "snn"
NAMES = sorted(path.name.removesuffix(".nir.gz") for path in FOLDER.glob("*.nir.gz"))
TRAINED = ("cnn_mnist_sinabs", "mlp_digits_snntorch")
TELLTALE = [
    ("snntorch_leaky_subtract", "snntorch"),
    ("snntorch_leaky_zero", "snntorch-subtract"),
    ("snntorch_synaptic_zero", "snntorch-loaded"),
    ("snntorch_rleaky_loaded", "snntorch"),
    ("snntorch_rsynaptic_subtract", "snntorch"),
    ("sinabs_iaf_multi", "sinabs"),
    ("sinabs_iaf_single", "sinabs-multispike"),
    ("sinabs_iaf_loaded", "sinabs-multispike"),
    ("sinabs_lif_loaded", "sinabs-multispike"),
    ("spikingjelly_cuba_lif", "snntorch"),
    ("spikingjelly_lif_undecayed", "snntorch-subtract"),
]
"""Networks that another dialect reads without complaint, and with other spikes."""


def recorded(name):
    with np.load(FOLDER / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def imported(name, folder, dialect=None):
    """The workload of a fixture, and what the framework recorded."""
    found = recorded(name)
    path = folder / f"{name}.nir"
    path.write_bytes(gzip.decompress((FOLDER / f"{name}.nir.gz").read_bytes()))
    written = import_network(
        path, folder / "net", dialect=dialect or str(found["dialect"]), timesteps=found["input"].shape[1]
    )
    return load_workload(written.files[0]), found


def layers_of(found):
    return {name.removeprefix("layer/"): values for name, values in found.items() if name.startswith("layer/")}


def simulated(workload, found, dtype):
    floats = [name for name, values in layers_of(found).items() if values.dtype == np.float32]
    return simulate(workload, found["input"], dtype=dtype, membranes=floats)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_every_spike_is_the_framework_s(name, dtype, tmp_path):
    workload, found = imported(name, tmp_path)
    result = simulated(workload, found, dtype)
    for layer, values in layers_of(found).items():
        if values.dtype == np.float32:
            np.testing.assert_allclose(result.potentials[layer], values, rtol=0, atol=1e-6)
        else:
            assert values.any(), f"{layer} never spikes, so this shows nothing"
            assert np.count_nonzero(result.spikes[layer] != values) == 0
    if "predictions" in found:
        np.testing.assert_array_equal(result.predictions, found["predictions"])


@pytest.mark.parametrize("name, dialect", TELLTALE)
def test_another_dialect_gives_other_spikes(name, dialect, tmp_path):
    workload, found = imported(name, tmp_path, dialect)
    result = simulated(workload, found, "float32")
    assert any(np.count_nonzero(result.spikes[layer] != values) for layer, values in layers_of(found).items())


@pytest.mark.parametrize("name", [name for name in NAMES if "_ties" in name])
def test_potentials_at_the_threshold_tell_the_comparison(name, tmp_path):
    workload, found = imported(name, tmp_path)
    (compare,) = {layer.neuron.compare for layer in workload.network.layers if layer.neuron is not None}
    other = load_workload(tmp_path / "net.yaml", [f"neuron.compare='{'>=' if compare == '>' else '>'}'"])
    result = simulated(other, found, "float32")
    assert all(np.count_nonzero(result.spikes[layer] != values) for layer, values in layers_of(found).items())


def test_an_imported_network_is_executed_on_a_chip_with_its_accuracy(tmp_path):
    pytest.importorskip("sklearn")
    imported("mlp_digits_snntorch", tmp_path)
    path = tmp_path / "net.yaml"
    path.write_text(path.read_text().replace("encoding: events", "encoding: rate"))
    result = archsim.simulate("sata", str(path), inputs="digits:0..63")
    assert result.energy_pj > 0 and not result.synthetic
    assert result.accuracy.correct >= 56  # its framework: 94.4 % of images that it was not trained on


def test_every_dialect_of_a_framework_was_compared_with_it():
    compared = {str(recorded(name)["dialect"]) for name in NAMES}
    assert compared == set(DIALECTS) - {"euler"}


def test_the_trained_networks_are_whole():
    spikes = {name: {layer: int(v.sum()) for layer, v in layers_of(recorded(name)).items()} for name in TRAINED}
    assert spikes == {
        "mlp_digits_snntorch": {"2": 6151, "4": 300},
        "cnn_mnist_sinabs": {"1": 90377, "4": 45075, "8": 132},
    }
