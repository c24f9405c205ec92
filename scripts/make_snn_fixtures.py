"""Make tests/golden/snn: small random networks, exported to NIR and executed by the frameworks themselves.

    python scripts/make_snn_fixtures.py [NAME ...]

It needs torch, nir, nirtorch and the frameworks; tests/golden/snn/README.md has the versions. For each network it
writes NAME.nir.gz and NAME.npz: the input spikes, and for each layer of neurons, by the name of its node, what the
framework made of them in float32 ([N, T, C, H, W]). `dialect` is what the file has to be read as. The two trained
networks in that folder (mlp_digits_snntorch, cnn_mnist_sinabs) were not made here.
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import nir
import numpy as np
import torch
from torch import nn

FOLDER = Path(__file__).parent.parent / "tests" / "golden" / "snn"
SAMPLES, STEPS = 3, 20
MAP, FLAT = (2, 8, 8), (24,)
RECIPES: dict[str, tuple[str, Callable[[], tuple]]] = {}


def recipe(dialect: str) -> Callable:
    def add(make: Callable) -> Callable:
        RECIPES[make.__name__] = (dialect, make)
        return make

    return add


def spikes(shape: tuple[int, ...], rate: float = 0.35) -> torch.Tensor:
    """[T, N, ...] of zeros and ones."""
    return (torch.rand(STEPS, SAMPLES, *shape) < rate).float()


def lively(module: nn.Module, gain: float) -> nn.Module:
    """Random weights large enough for neurons to fire."""
    with torch.no_grad():
        for name, values in module.named_parameters():
            if "weight" in name and values.ndim > 1:
                values.copy_(torch.randn_like(values) * gain / values[0].numel() ** 0.5)
            elif "bias" in name:
                values.copy_(torch.randn_like(values) * 0.1)
    return module


def gridded(*modules: nn.Module) -> tuple[nn.Module, ...]:
    """The modules with weights of quarters, so that potentials often equal a threshold of 1: > or >= decides."""
    for module in modules:
        for values in module.parameters():
            if values.ndim > 1:
                values.data = (values.data * 4).round() / 4
    return modules


def conv_net(neuron: Callable[[tuple[int, ...]], nn.Module], pool: nn.Module, gain: float = 1.2) -> nn.Sequential:
    """conv - neurons - pool - conv with stride - neurons - linear - neurons."""
    first, second = lively(nn.Conv2d(2, 4, 3, padding=1), gain), lively(nn.Conv2d(4, 6, 3, stride=2), 2 * gain)
    last = lively(nn.Linear(6, 5), 2 * gain)
    return nn.Sequential(first, neuron((4, 8, 8)), pool, second, neuron((6, 1, 1)), nn.Flatten(), last, neuron((5,)))


def recorded(net: nn.Module, inputs: torch.Tensor, places: list[str], reset: Callable[[], object]) -> dict:
    """What the modules at ``places`` send when ``net`` runs step by step."""
    found: dict[str, list[torch.Tensor]] = {place: [] for place in places}
    hooks = [
        net.get_submodule(place).register_forward_hook(
            lambda _, __, out, place=place: found[place].append(out[0] if isinstance(out, tuple) else out)
        )
        for place in places
    ]
    reset()
    with torch.no_grad():
        for step in inputs:
            net(step)
    for hook in hooks:
        hook.remove()
    return {place: torch.stack(steps).transpose(0, 1) for place, steps in found.items()}


# --- snnTorch -------------------------------------------------------------------------------------------------------


def leaky(shape: tuple[int, ...], **options) -> nn.Module:
    import snntorch as snn

    beta = 0.75 + 0.2 * torch.rand(shape)
    return snn.Leaky(beta=beta, threshold=torch.full(shape, 0.8), init_hidden=True, **options)


def of_snntorch(net: nn.Module, inputs: torch.Tensor, places: list[str], names: dict[str, str] | None = None) -> tuple:
    from snntorch import utils
    from snntorch.export_nir import export_to_nir

    utils.reset(net)
    graph = export_to_nir(net, inputs[0, :1], ignore_dims=[0])
    rasters = recorded(net, inputs, places, lambda: utils.reset(net))
    return graph, inputs, {(names or {}).get(place, place): values for place, values in rasters.items()}


@recipe("snntorch")
def snntorch_leaky_zero():
    net = conv_net(lambda shape: leaky(shape, reset_mechanism="zero"), nn.AvgPool2d(2))
    return of_snntorch(net, spikes(MAP), ["1", "4", "7"])


@recipe("snntorch-subtract")
def snntorch_leaky_subtract():
    net = conv_net(lambda shape: leaky(shape, reset_mechanism="subtract"), nn.AvgPool2d(2))
    return of_snntorch(net, spikes(MAP), ["1", "4", "7"])


def synaptic(shape: tuple[int, ...], **options) -> nn.Module:
    import snntorch as snn

    alpha, beta = 0.3 + 0.4 * torch.rand(shape), 0.6 + 0.3 * torch.rand(shape)
    return snn.Synaptic(alpha=alpha, beta=beta, threshold=torch.ones(shape), init_hidden=True, **options)


def synaptic_net(**options) -> tuple:
    net = nn.Sequential(
        lively(nn.Linear(24, 16), 1.0), synaptic((16,), **options), lively(nn.Linear(16, 6, bias=False), 2.0),
        synaptic((6,), **options),
    )  # fmt: skip
    return of_snntorch(net, spikes(FLAT), ["1", "3"])


@recipe("snntorch")
def snntorch_synaptic_zero():
    return synaptic_net(reset_mechanism="zero")


@recipe("snntorch-subtract")
def snntorch_synaptic_subtract():
    return synaptic_net(reset_mechanism="subtract")


@recipe("snntorch-loaded")
def snntorch_synaptic_loaded():
    return synaptic_net(reset_mechanism="zero", reset_delay=False)


def recurrent_net(kind: str, **options) -> tuple:
    import snntorch as snn

    def layer(size: int, **more) -> nn.Module:
        leaks = {"alpha": 0.5 * torch.ones(size)} if kind == "RSynaptic" else {}
        own = {"beta": 0.85 * torch.ones(size), "threshold": torch.ones(size), "init_hidden": True}
        made = getattr(snn, kind)(**leaks, **own, **options, **more)
        return lively(made, 0.8)

    net = nn.Sequential(
        lively(nn.Linear(24, 16), 1.4), layer(16, linear_features=16), lively(nn.Linear(16, 6), 2.0),
        layer(6, all_to_all=False, V=torch.linspace(-0.5, 0.5, 6)),
    )  # fmt: skip
    return of_snntorch(net, spikes(FLAT), ["1", "3"], {"1": "1.lif", "3": "3.lif"})


@recipe("snntorch")
def snntorch_rleaky_zero():
    return recurrent_net("RLeaky", reset_mechanism="zero")


@recipe("snntorch-subtract")
def snntorch_rleaky_subtract():
    return recurrent_net("RLeaky", reset_mechanism="subtract")


@recipe("snntorch")
def snntorch_rsynaptic_zero():
    return recurrent_net("RSynaptic", reset_mechanism="zero")


@recipe("snntorch-subtract")
def snntorch_rsynaptic_subtract():
    return recurrent_net("RSynaptic", reset_mechanism="subtract")


@recipe("snntorch-loaded")
def snntorch_rleaky_loaded():
    return recurrent_net("RLeaky", reset_mechanism="zero", reset_delay=False)


def snntorch_tied(mechanism: str) -> tuple:
    def lif(size: int) -> nn.Module:
        import snntorch as snn

        half = 0.5 * torch.ones(size)
        return snn.Leaky(beta=half, threshold=torch.ones(size), init_hidden=True, reset_mechanism=mechanism)

    first, last = gridded(lively(nn.Linear(24, 16, bias=False), 1.5), lively(nn.Linear(16, 6, bias=False), 2.0))
    return of_snntorch(nn.Sequential(first, lif(16), last, lif(6)), spikes(FLAT), ["1", "3"])


@recipe("snntorch")
def snntorch_ties_zero():
    return snntorch_tied("zero")


@recipe("snntorch-subtract")
def snntorch_ties_subtract():
    return snntorch_tied("subtract")


# --- sinabs ---------------------------------------------------------------------------------------------------------


def of_sinabs(net: nn.Module, inputs: torch.Tensor, places: list[str]) -> tuple:
    import sinabs
    from sinabs.nir import to_nir

    flat = inputs.transpose(0, 1).flatten(0, 1)
    with torch.no_grad():
        net(flat)
    graph = to_nir(net, flat)
    graph.infer_types()
    sinabs.reset_states(net)
    found: dict[str, torch.Tensor] = {}
    for place in places:
        keep = lambda _, __, out, place=place: found.update({place: out.unflatten(0, (SAMPLES, STEPS))})  # noqa: E731
        net.get_submodule(place).register_forward_hook(keep)
    with torch.no_grad():
        net(flat)
    return graph, inputs, found


def sinabs_conv(**options) -> tuple:
    import sinabs.layers as sl

    net = conv_net(lambda shape: sl.IAFSqueeze(batch_size=SAMPLES, **options), sl.SumPool2d(2), 1.0)
    return of_sinabs(net, spikes(MAP), ["1", "4", "7"])


@recipe("sinabs")
def sinabs_iaf_single():
    from sinabs.activation import SingleSpike

    return sinabs_conv(spike_fn=SingleSpike)


@recipe("sinabs-multispike")
def sinabs_iaf_multi():
    return sinabs_conv()


@recipe("sinabs-loaded")
def sinabs_iaf_loaded():
    return sinabs_conv(min_v_mem=torch.tensor(-1.0))


def sinabs_leaky(**options) -> tuple:
    import sinabs.layers as sl

    def lif(size: int) -> nn.Module:
        tau, threshold = 4.0 + 8.0 * torch.rand(size), torch.full((size,), 0.5)
        return sl.LIFSqueeze(tau_mem=tau, spike_threshold=threshold, batch_size=SAMPLES, **options)

    net = nn.Sequential(lively(nn.Linear(24, 16), 6.0), lif(16), lively(nn.Linear(16, 6), 12.0), lif(6))
    return of_sinabs(net, spikes(FLAT), ["1", "3"])


@recipe("sinabs")
def sinabs_lif_single():
    from sinabs.activation import SingleSpike

    return sinabs_leaky(spike_fn=SingleSpike)


@recipe("sinabs-multispike")
def sinabs_lif_multi():
    return sinabs_leaky()


@recipe("sinabs-loaded")
def sinabs_lif_loaded():
    return sinabs_leaky(norm_input=False)


@recipe("sinabs")
def sinabs_leaky_readout():
    import sinabs.layers as sl
    from sinabs.activation import SingleSpike

    net = nn.Sequential(
        lively(nn.Linear(24, 16), 1.0), sl.IAFSqueeze(batch_size=SAMPLES, spike_fn=SingleSpike),
        lively(nn.Linear(16, 5), 1.0), sl.ExpLeakSqueeze(tau_mem=6.0 * torch.ones(5), batch_size=SAMPLES),
    )  # fmt: skip
    return of_sinabs(net, spikes(FLAT), ["1", "3"])


def sinabs_tied(**options) -> tuple:
    import sinabs.layers as sl

    first, last = gridded(lively(nn.Linear(24, 16, bias=False), 1.0), lively(nn.Linear(16, 6, bias=False), 1.0))
    cells = [sl.IAFSqueeze(batch_size=SAMPLES, **options) for _ in range(2)]
    return of_sinabs(nn.Sequential(first, cells[0], last, cells[1]), spikes(FLAT), ["1", "3"])


@recipe("sinabs")
def sinabs_ties_single():
    from sinabs.activation import SingleSpike

    return sinabs_tied(spike_fn=SingleSpike)


@recipe("sinabs-multispike")
def sinabs_ties_multi():
    return sinabs_tied()


# --- norse ----------------------------------------------------------------------------------------------------------


def of_norse(cells: list[nn.Module], inputs: torch.Tensor, places: list[str]) -> tuple:
    """Norse's cells return their state; nirtorch traces them inside norse's own container."""
    import nirtorch
    import norse.torch as norse
    from norse.torch.utils.export_nir import _extract_norse_module

    net = norse.SequentialState(*cells)

    def node(module: nn.Module) -> nir.NIRNode | None:
        if isinstance(module, nn.Flatten):  # norse's own exporter knows none
            return nir.Flatten(input_type=None, start_dim=0, end_dim=-1)
        return _extract_norse_module(module)

    graph = nirtorch.extract_nir_graph(net, node, inputs[0, :1], ignore_dims=[0])
    found: dict[str, list[torch.Tensor]] = {place: [] for place in places}
    for place in places:
        keep = lambda _, __, out, place=place: found[place].append(out[0])  # noqa: E731
        net.get_submodule(place).register_forward_hook(keep)
    state = None
    with torch.no_grad():
        for step in inputs:
            _, state = net(step, state)
    dense = {place: [out.to_dense() if out.is_sparse else out for out in steps] for place, steps in found.items()}
    graph.infer_types()
    return graph, inputs, {place: torch.stack(steps).transpose(0, 1) for place, steps in dense.items()}


@recipe("norse")
def norse_lif_box():
    import norse.torch as norse

    def lif(shape: tuple[int, ...]) -> nn.Module:
        inverse, zero = 60.0 + 60.0 * torch.rand(shape), torch.zeros(shape)
        own = norse.LIFBoxParameters(tau_mem_inv=inverse, v_th=torch.full(shape, 0.5), v_leak=zero, v_reset=zero)
        return norse.LIFBoxCell(own)

    first, second = lively(nn.Conv2d(2, 4, 3, padding=1), 8.0), lively(nn.Conv2d(4, 6, 3, stride=2), 8.0)
    cells = [first, lif((4, 8, 8)), second, lif((6, 3, 3)), nn.Flatten(), lively(nn.Linear(54, 5), 10.0), lif((5,))]
    return of_norse(cells, spikes(MAP), ["1", "3", "6"])


def norse_two(first: nn.Module, second: nn.Module, gain: float) -> tuple:
    cells = [lively(nn.Linear(24, 16), gain), first, lively(nn.Linear(16, 6), gain), second]
    return of_norse(cells, spikes(FLAT), ["1", "3"])


@recipe("norse")
def norse_cuba_lif():
    import norse.torch as norse

    def lif(size: int) -> nn.Module:
        own = norse.LIFParameters(
            tau_syn_inv=200.0 + 100.0 * torch.rand(size), tau_mem_inv=100.0 * torch.ones(size),
            v_leak=torch.zeros(size), v_th=torch.full((size,), 0.6), v_reset=torch.zeros(size),
        )  # fmt: skip
        return norse.LIFCell(own)

    return norse_two(lif(16), lif(6), 4.0)


@recipe("norse")
def norse_iaf_readout():
    import norse.torch as norse
    from norse.torch.functional.iaf import IAFParameters
    from norse.torch.functional.leaky_integrator_box import LIBoxParameters

    size = (6,)
    iaf = norse.IAFCell(IAFParameters(v_th=torch.full((16,), 0.9), v_reset=torch.zeros(16)))
    readout = LIBoxParameters(tau_mem_inv=torch.full(size, 90.0), v_leak=torch.zeros(size))
    return norse_two(iaf, norse.LIBoxCell(readout), 1.0)


@recipe("norse")
def norse_ties():
    import norse.torch as norse
    from norse.torch.functional.iaf import IAFParameters

    first, last = gridded(lively(nn.Linear(24, 16, bias=False), 1.0), lively(nn.Linear(16, 6, bias=False), 1.0))
    cells = [norse.IAFCell(IAFParameters(v_th=torch.ones(size), v_reset=torch.zeros(size))) for size in (16, 6)]
    return of_norse([first, cells[0], last, cells[1]], spikes(FLAT), ["1", "3"])


# --- SpikingJelly ---------------------------------------------------------------------------------------------------


def of_spikingjelly(net: nn.Module, inputs: torch.Tensor, places: list[str]) -> tuple:
    from spikingjelly.activation_based import functional
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    graph = export_to_nir(net, inputs[0])
    rasters = recorded(net, inputs, places, lambda: functional.reset_net(net))
    return graph, inputs, {f"_{place}" if f"_{place}" in graph.nodes else place: v for place, v in rasters.items()}


@recipe("spikingjelly")
def spikingjelly_lif():
    from spikingjelly.activation_based import neuron

    net = conv_net(lambda shape: neuron.LIFNode(tau=2.5, v_threshold=0.5), nn.AvgPool2d(2), 4.0)
    return of_spikingjelly(net, spikes(MAP), ["1", "4", "7"])


@recipe("spikingjelly")
def spikingjelly_lif_undecayed():
    from spikingjelly.activation_based import neuron

    net = conv_net(lambda shape: neuron.LIFNode(tau=3.0, decay_input=False), nn.AvgPool2d(2), 2.5)
    return of_spikingjelly(net, spikes(MAP), ["1", "4", "7"])


@recipe("spikingjelly")
def spikingjelly_if():
    from spikingjelly.activation_based import neuron

    net = conv_net(lambda shape: neuron.IFNode(), nn.AvgPool2d(2), 2.0)
    return of_spikingjelly(net, spikes(MAP), ["1", "4", "7"])


@recipe("spikingjelly")
def spikingjelly_cuba_lif():
    from spikingjelly.activation_based import neuron

    net = nn.Sequential(
        lively(nn.Linear(24, 16), 1.0), neuron.CUBALIFNode(c_decay=0.4, v_decay=0.7),
        lively(nn.Linear(16, 6), 2.0), neuron.CUBALIFNode(c_decay=0.6, v_decay=0.8),
    )  # fmt: skip
    return of_spikingjelly(net, spikes(FLAT), ["1", "3"])


@recipe("spikingjelly")
def spikingjelly_ties():
    from spikingjelly.activation_based import neuron

    first, last = gridded(lively(nn.Linear(24, 16, bias=False), 2.0), lively(nn.Linear(16, 6, bias=False), 3.0))
    net = nn.Sequential(first, neuron.LIFNode(tau=2.0), last, neuron.LIFNode(tau=2.0))
    return of_spikingjelly(net, spikes(FLAT), ["1", "3"])


# --- rockpool -------------------------------------------------------------------------------------------------------


def of_rockpool(first: nn.Module, second: nn.Module, gain: float) -> tuple:
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import LinearTorch
    from rockpool.nn.modules.torch.nir import to_nir

    layers = [LinearTorch((24, 16), has_bias=True), first, LinearTorch((16, 6), has_bias=False), second]
    for layer in layers[::2]:
        layer.weight.data = torch.randn(layer.weight.shape) * gain / layer.weight.shape[0] ** 0.5
    net, inputs = Sequential(*layers), spikes(FLAT)
    if hasattr(second, "tau"):
        second.tau.requires_grad_(False)  # its exporter does not detach this one
    graph = to_nir(net)
    names = [name for name, node in graph.nodes.items() if isinstance(node, nir.LIF | nir.CubaLIF | nir.LI)]
    found, values = {}, inputs.transpose(0, 1)
    with torch.no_grad():
        for layer in layers:
            layer.reset_state()
            values = layer(values)[0]
            if layer in (first, second):
                found[names[len(found)]] = values
    return graph, inputs, found


@recipe("rockpool")
def rockpool_lif():
    from rockpool.nn.modules import LIFTorch

    def lif(size: int) -> nn.Module:
        tau = 5e-3 + 2e-2 * torch.rand(size)
        return LIFTorch(size, tau_mem=tau, tau_syn=tau.flip(0)[:, None] / 2, bias=torch.zeros(size), dt=1e-3)

    return of_rockpool(lif(16), lif(6), 1.0)


@recipe("rockpool")
def rockpool_lif_neuron():
    from rockpool.nn.modules import ExpSynTorch, LIFNeuronTorch

    lif = LIFNeuronTorch(16, tau_mem=1e-2 * torch.ones(16), threshold=torch.ones(16), bias=torch.zeros(16), dt=2e-3)
    return of_rockpool(lif, ExpSynTorch(6, tau=1e-2 * torch.ones(6), dt=2e-3), 1.0)


def stored(values: torch.Tensor) -> np.ndarray:
    """[N, T, C, H, W]: uint8 where it is spikes, else float32."""
    array = values.numpy()
    array = array.reshape(*array.shape, *(1,) * (5 - array.ndim))
    return array.astype(np.uint8) if (array == array.astype(np.uint8)).all() else array


def main() -> None:
    names = sys.argv[1:] or list(RECIPES)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        torch.manual_seed(zlib.crc32(name.encode()))
        dialect, make = RECIPES[name]
        graph, inputs, rasters = make()
        content = io.BytesIO()
        nir.write(content, graph, compression=None)
        (FOLDER / f"{name}.nir.gz").write_bytes(gzip.compress(content.getvalue(), 9, mtime=0))
        arrays = {f"layer/{place}": stored(values) for place, values in rasters.items()}
        fields = {"dialect": np.array(dialect), "input": stored(inputs.transpose(0, 1))}
        np.savez_compressed(FOLDER / f"{name}.npz", **fields, **arrays)
        rates = ", ".join(f"{place} {values.float().mean():.3f}" for place, values in rasters.items())
        print(f"{name} ({dialect}): {rates}")


if __name__ == "__main__":
    main()
