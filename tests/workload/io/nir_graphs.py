"""NIR files for tests, written by the nir package; and what its equations make of spikes, neuron by neuron."""

from __future__ import annotations

from itertools import pairwise

import nir
import numpy as np

RNG = np.random.default_rng(5)


def of(*shape, low=-1.0, high=1.0):
    return RNG.uniform(low, high, shape)


def ones(*shape, value=1.0):
    return np.full(shape, float(value))


def chain(shape, *nodes, out=(1,)):
    """A graph of nodes n0, n1, ... one behind the other."""
    named = {f"n{index}": node for index, node in enumerate(nodes)}
    names = ["input", *named, "output"]
    ends = {"input": nir.Input(np.array(shape)), "output": nir.Output(np.array(out))}
    return graph({**ends, **named}, list(pairwise(names)))


def graph(nodes, edges):
    return nir.NIRGraph(nodes, edges, type_check=False)


def written(folder, made, name="net.nir"):
    nir.write(folder / name, made)
    return folder / name


def lif(*shape, tau=5e-4, threshold=0.5, r=1.0, v_leak=0.0, v_reset=0.0):
    values = {"tau": tau, "r": r, "v_leak": v_leak, "v_reset": v_reset, "v_threshold": threshold}
    return nir.LIF(**{name: ones(*shape, value=value) for name, value in values.items()})


def conv(weight, size, *, stride=1, padding=0, dilation=1, groups=1, bias=None):
    bias = np.zeros(weight.shape[0]) if bias is None else bias
    kind = nir.Conv2d if weight.ndim == 4 else nir.Conv1d
    return kind(size, weight, stride, padding, dilation, groups, bias)


def every_type():
    """A graph with a node of each type of NIR 1.0, in one network of two branches."""
    inner = graph(
        {
            "input": nir.Input(np.array([6])),
            "lif": lif(6),
            "w_rec": nir.Affine(of(6, 6), of(6)),
            "output": nir.Output(np.array([6])),
        },
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    nodes = {
        "input": nir.Input(np.array([2, 8, 8])),
        "conv": conv(of(4, 2, 3, 3), (8, 8), padding=(1, 1), bias=of(4)),
        "if": nir.IF(ones(4, 8, 8, value=1e4), ones(4, 8, 8), np.zeros((4, 8, 8))),
        "sum": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "avg": nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "scale": nir.Scale(of(4, 4, 4)),
        "flat": nir.Flatten({"input": np.array([4, 4, 4])}, 0, -1),
        "affine": nir.Affine(of(6, 64), of(6)),
        "recurrent": inner,
        "linear": nir.Linear(of(6, 6)),
        "cuba": nir.CubaLIF(*(ones(6, value=value) for value in (4e-4, 5e-4, 2.0, 0.1, 0.3, 0.1))),
        "delay": nir.Delay(ones(6, value=3e-4)),
        "threshold": nir.Threshold(ones(6, value=0.5)),
        "cubali": nir.CubaLI(*(ones(3, value=value) for value in (4e-4, 5e-4, 2.0, 0.1))),
        "li": nir.LI(*(ones(3, value=value) for value in (5e-4, 2.0, 0.1))),
        "i": nir.I(ones(3, value=1e4)),
        "output": nir.Output(np.array([3])),
    }
    path = ["input", "conv", "if", "sum", "scale", "flat", "affine", "recurrent", "linear", "cuba", "delay"]
    tail = ["delay", "threshold", "head", "li", "i", "cubali", "output"]
    nodes["head"] = nir.Linear(of(3, 6))
    edges = [*pairwise(path), *pairwise(tail)]
    edges += [("if", "avg"), ("avg", "scale")]
    return graph(nodes, edges)


def euler(node, currents, dt=1e-4):
    """Spikes (potentials of what sends none) [T, n] of one neuron node, as NIR's equations step by forward Euler."""
    kind, out = type(node).__name__, np.zeros_like(currents)
    for n in range(currents.shape[1]):
        v = i = 0.0
        for t, x in enumerate(currents[:, n]):
            if kind.startswith("Cuba"):
                i += dt / node.tau_syn[n] * (node.w_in[n] * x - i)
                v += dt / node.tau_mem[n] * (node.v_leak[n] - v + node.r[n] * i)
            elif kind in ("I", "IF"):
                v += dt * node.r[n] * x
            else:
                v += dt / node.tau[n] * (node.v_leak[n] - v + node.r[n] * x)
            if kind in ("I", "LI", "CubaLI"):
                out[t, n] = v
            elif v > node.v_threshold[n]:
                out[t, n], v = 1.0, node.v_reset[n]
    return out
