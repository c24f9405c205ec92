"""Drawn spikes behind the workload's own image: a direct-coded input is known, whatever is drawn behind it."""

from __future__ import annotations

import numpy as np

from archsim.workload import Activity, Network
from archsim.workload.activity import SyntheticActivity
from archsim.workload.densities import Densities
from archsim.workload.generators import Values
from archsim.workload.network import INPUT


class BehindImage(SyntheticActivity):
    """As :class:`SyntheticActivity`, with the network's input taken from ``source``, the same at every timestep."""

    def __init__(self, network: Network, densities: Densities, source: Activity) -> None:
        super().__init__(network, densities)
        self._source = source

    @property
    def content(self) -> str:
        """Every density, and where the image comes from."""
        return f"{super().content} behind the image of {self._source.content}"

    def _make_edge(self, name: str, sample: int) -> Values:
        if name != INPUT:
            return super()._make_edge(name, sample)
        source = self._source.network
        reader = next(layer for layer in source.consumers(INPUT) if layer.sources == (INPUT,))
        assert source.input_shape is not None
        image = self._source.inputs_of(reader, sample)[0].reshape(1, *source.input_shape)
        return np.broadcast_to(image, (self.network.timesteps, *source.input_shape))


def has_image(activity: Activity) -> bool:
    """Whether a direct-coded image is there, recorded or given, that some layer reads by itself."""
    network = activity.network
    read = any(layer.sources == (INPUT,) for layer in network.consumers(INPUT))
    return not activity.synthetic and network.encoding == "direct" and read
