"""From archsim's network to the peers' list of layers."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.errors import UnsupportedError
from archsim.peers.layers import PeerLayer, layers_of
from archsim.workload.network import Layer, Network, Precision


def layer(name: str, kind: str, in_shape: tuple[int, int, int], out_shape: tuple[int, int, int], **more: Any) -> Layer:
    return Layer(0, name, kind, (), in_shape, out_shape, 1, 1, 1, 1, 8, **more)


def network(*layers: Layer) -> Network:
    return Network("net", 4, layers, None, None, Precision(), chained=False)


def test_every_weighted_kind() -> None:
    found = layers_of(
        network(
            layer("conv", "conv2d", (6, 9, 8), (4, 5, 4), kernel=(3, 2), stride=(2, 2), padding=(1, 0)),
            layer("pool", "avgpool2d", (4, 5, 4), (4, 2, 2), kernel=(2, 2), stride=(2, 2)),
            layer("deep", "conv2d", (4, 2, 2), (8, 2, 2), kernel=(3, 3), padding=(1, 1), groups=4),
            layer("fc", "linear", (32, 1, 1), (10, 1, 1)),
            layer("tokens", "matmul", (64, 12, 1), (96, 12, 1)),
            layer("token", "matmul", (64, 1, 1), (96, 1, 1)),
        )
    )
    assert found[0] == PeerLayer("conv", 9, 8, 3, 2, 6, 4, 2, "conv", (1, 0))
    assert [entry.name for entry in found[1:5]] == ["deep[0]", "deep[1]", "deep[2]", "deep[3]"]
    assert (found[1].channels, found[1].filters) == (1, 2)
    assert "4 separate layers" in found[1].limits[0]
    assert found[5] == PeerLayer("fc", 1, 1, 1, 1, 32, 10, 1, "fc")
    assert (found[6].positions, found[6].reduction, found[6].filters) == (12, 64, 96)
    assert "1 x 1 convolution" in found[6].limits[0]
    assert found[7] == PeerLayer("token", 1, 1, 1, 1, 64, 96, 1, "fc")
    assert len(found) == 8


def test_what_their_files_cannot_say() -> None:
    with pytest.raises(UnsupportedError) as caught:
        layers_of(
            network(
                layer("a", "conv2d", (1, 9, 9), (1, 7, 4), kernel=(3, 3), stride=(1, 2)),
                layer("b", "conv2d", (1, 9, 9), (1, 4, 7), kernel=(3, 3), stride=(2, 1)),
            )
        )
    assert len(caught.value.problems) == 2


def test_padded_gives_the_true_size() -> None:
    for size in range(3, 12):
        for stride in (1, 2, 3):
            entry = PeerLayer("conv", size, size, 3, 3, 1, 1, stride, "conv", (1, 1))
            assert entry.padded().out_shape == entry.true_out_shape() == ((size - 1) // stride + 1,) * 2
