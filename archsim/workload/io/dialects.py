"""Dialects: how the framework that wrote a NIR file steps its neurons, which the file itself does not say.

A NIR file holds differential equations. It lacks the time step, the comparison, whether a reset subtracts, when it
happens, and how many spikes a neuron may send per step. Each dialect was compared with the framework itself, running
the networks of ``scripts/make_snn_fixtures.py``: every spike of every layer is equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from archsim.workload.network import Reset


@dataclass(frozen=True)
class Dialect:
    """One way to step the neurons of a NIR file.

    ``writes``: the types of neurons that such a file can hold. ``dt``: the step in the file's unit of time. ``solver``:
    ``euler`` keeps ``1 - dt/tau`` of a potential, ``exact`` ``exp(-dt/tau)``. ``update``: as that of a
    :class:`archsim.workload.network.Neuron`; ``as_written`` is ``euler`` where r is 1, else ``decay``. ``gain``, the
    factor of currents: ``file`` as the equations say, ``one`` must come out as 1, ``r`` is r alone (no time constant),
    ``step``: 1, and r says the step (``dt`` is 0): ``r = tau exp(-dt/tau) / dt``.
    ``unit_r``: r is 1 in all of its files. ``late_reset``: of a neuron with a synaptic current or with recurrence.
    ``clamped``: an IF's potential is never below minus its threshold.
    """

    name: str
    meaning: str
    source: str
    writes: tuple[str, ...]
    dt: float
    compare: Literal[">", ">="]
    reset: Reset
    late_reset: Reset
    update: Literal["decay", "euler", "as_written"]
    solver: Literal["euler", "exact"] = "euler"
    gain: Literal["file", "one", "r", "step"] = "one"
    current_gain: Literal["file", "one", "w_in", "leak"] = "one"
    unit_r: bool = False
    max_spikes: int = 1
    clamped: bool = False


_SNNTORCH = "snnTorch 1.0.0"
_SINABS = "sinabs 3.1.3"
_NORSE = "norse 1.1.0"
_SPIKINGJELLY = "SpikingJelly 2.0.0"
_ROCKPOOL = "rockpool 3.1.0"
MANY = 255
"""Most spikes of a neuron per step where the framework sets no limit: what one byte holds."""

_ALL = (
    Dialect(
        "snntorch",
        "snnTorch with reset_mechanism='zero': v > threshold; dt 1e-4; a Leaky is at 0 after its spike, a Synaptic or "
        "recurrent neuron stays there for one more step",
        f"{_SNNTORCH}: Leaky, Synaptic, RLeaky and RSynaptic with reset_delay=True; export_nir.py",
        ("LIF", "CubaLIF"),
        1e-4, ">", "hard", "delayed_hard", "decay",
    ),
    Dialect(
        "snntorch-subtract",
        "snnTorch with its default reset_mechanism='subtract': v > threshold; dt 1e-4; the threshold is subtracted at "
        "the step after the spike",
        f"{_SNNTORCH}: Leaky, Synaptic, RLeaky and RSynaptic with reset_delay=True; export_nir.py",
        ("LIF", "CubaLIF"),
        1e-4, ">", "delayed_subtract", "delayed_subtract", "decay",
    ),
    Dialect(
        "snntorch-loaded",
        "as snntorch.import_from_nir runs any file: v > threshold; dt 1e-4; 0 right after a spike (reset_delay=False)",
        f"{_SNNTORCH}: import_nir.py",
        ("LIF", "CubaLIF"),
        1e-4, ">", "hard", "hard", "decay", gain="file", current_gain="file",
    ),
    Dialect(
        "sinabs",
        "sinabs with spike_fn=SingleSpike: v >= threshold, at most one spike per step, the threshold is subtracted at "
        "once; dt 1, exp(-1/tau), norm_input as by default",
        f"{_SINABS}: layers IAF, LIF and ExpLeak, activation.SingleSpike; nir.py",
        ("IF", "LIF", "LI"),
        1.0, ">=", "subtract", "subtract", "decay", solver="exact", gain="file", unit_r=True,
    ),
    Dialect(
        "sinabs-multispike",
        "sinabs with its default MultiSpike: a neuron sends floor(v / threshold) spikes per step and loses as many "
        "thresholds; dt 1, exp(-1/tau), norm_input as by default",
        f"{_SINABS}: layers IAF, LIF and ExpLeak, activation.MultiSpike; nir.py",
        ("IF", "LIF", "LI"),
        1.0, ">=", "subtract", "subtract", "decay", solver="exact", gain="file", unit_r=True,
        max_spikes=MANY,
    ),
    Dialect(
        "sinabs-loaded",
        "as sinabs.nir.from_nir runs any file: MultiSpike, an IF is never below minus its threshold, a LIF adds its "
        "input unscaled (norm_input=False)",
        f"{_SINABS}: nir.py",
        ("IF", "LIF", "LI"),
        1.0, ">=", "subtract", "subtract", "decay", solver="exact", gain="r", unit_r=True,
        max_spikes=MANY, clamped=True,
    ),
    Dialect(
        "norse",
        "norse: v > threshold, reset at once; dt 1e-6, because its files hold tau times its step of 1e-3",
        f"{_NORSE}: LIFBoxCell, LIFCell, LIBoxCell and IAFCell; utils/export_nir.py",
        ("IF", "LIF", "CubaLIF", "LI"),
        1e-6, ">", "hard", "hard", "euler", gain="r", current_gain="w_in", unit_r=True,
    ),
    Dialect(
        "spikingjelly",
        "SpikingJelly: v >= threshold, hard reset at once; dt 1e-4; decay_input is read from r",
        f"{_SPIKINGJELLY}: IFNode, LIFNode, ParametricLIFNode and CUBALIFNode; nir_exchange/to_nir.py",
        ("IF", "LIF", "CubaLIF"),
        1e-4, ">=", "hard", "hard", "as_written",
    ),
    Dialect(
        "rockpool",
        "rockpool: floor(v / threshold) spikes per step, as many thresholds are subtracted at once; exp(-dt/tau) with "
        "the dt that its files hide in r; biases of neurons are not in them",
        f"{_ROCKPOOL}: LIFTorch, LIFNeuronTorch and ExpSynTorch; nn/modules/torch/nir.py",
        ("LIF", "CubaLIF", "LI"),
        0.0, ">=", "subtract", "subtract", "decay", solver="exact", gain="step", current_gain="leak", max_spikes=MANY,
    ),
    Dialect(
        "euler",
        "no framework: NIR's own equations by forward Euler: v > threshold, reset to v_reset at once; dt 1e-4 unless "
        "--dt says otherwise",
        "NIR 1.0.8: docstrings of ir/neuron.py",
        ("CubaLI", "CubaLIF", "I", "IF", "LI", "LIF"),
        1e-4, ">", "hard", "hard", "euler", gain="file", current_gain="file",
    ),
)  # fmt: skip
DIALECTS: Mapping[str, Dialect] = {dialect.name: dialect for dialect in _ALL}
