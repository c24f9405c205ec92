"""The transcribed reference figures as objects."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

from archsim.peers.layers import PeerLayer

GOLDEN = Path(__file__).parents[1] / "golden"
BASELINES = {"sbp": 260, "bntt": 80, "direct": 40, "tssl": 80, "lth": 10, "tdbn": 100}


def table(name: str) -> list[dict[str, str]]:
    lines = (GOLDEN / name).read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@cache
def document(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text())


def sata_network(name: str) -> tuple[tuple[PeerLayer, ...], int, float]:
    """Layers, timesteps and sparsity of one of SATA_Sim's workload files."""
    found = document("sata_sim_networks.json")["networks"][name]
    layers = []
    for label, *numbers in found["layers"]:
        height, width, kernel_h, kernel_w, channels, filters, stride = numbers
        conv = "Conv" in label
        layers.append(
            PeerLayer(
                label, height, width, kernel_h, kernel_w, channels, filters, stride,
                "conv" if conv else "fc", (1, 1) if conv else (0, 0),
            )
        )  # fmt: skip
    return tuple(layers), found["timesteps"], found["sparsity"]
