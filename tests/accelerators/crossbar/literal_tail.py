"""What follows the sums, place by place: neurons, membranes, pools, adds."""

from __future__ import annotations

from collections import Counter

from literal_counts import Literal, Part, up
from literal_maps import Place, places_of

from archsim.workload import Layer


def present_in(found: Literal, part: Part, replica: int = 0) -> dict[int, int]:
    """Channels whose sums are completed in a round, and the tile of each."""
    homes = found.homes[part.stage.layer.name]
    return {c: tile for (number, c), (tile, round_) in homes.items() if number == replica and round_ == part.round}


def tail(found: Literal, part: Part) -> None:
    biased = part.stage.layer.bias
    for layer in part.stage.members:
        for t in range(found.network.timesteps):
            if layer.neuron is not None:
                _neurons(found, part, layer, t, biased)
                _membranes(found, part, layer, t)
            elif layer.kind == "add" or layer.kind.endswith("pool2d"):
                _vector(found, part, layer, t)
        if layer.neuron is not None:
            biased = False  # the first neurons have added it


def _neurons(found: Literal, part: Part, layer: Layer, t: int, biased: bool) -> None:
    neuron, head = layer.neuron, part.stage.layer
    assert neuron is not None
    words, spiking = 2 if neuron.model.startswith("cuba") else 1, neuron.model not in ("li", "cuba_li")
    leaks = [neuron.leak] if neuron.model != "if" and neuron.leak != 1 else []
    leaks += [neuron.current_leak] if neuron.model.startswith("cuba") and neuron.current_leak != 0 else []
    for y, x in places_of(layer.out_shape):
        for c in present_in(found, part):
            found.add(head, t, "neuron_adder", "op", words + biased + (neuron.rest != 0))
            found.add(head, t, "neuron_comparator", "op", spiking + (neuron.minimum is not None))
            found.add(head, t, "neuron_threshold", "read", int(spiking))
            found.add(head, t, "neuron_membrane", "read", words)
            found.add(head, t, "neuron_membrane", "write", words)
            found.add(head, t, "neuron_membrane", "update")
            for leak in leaks:
                shifted = leak in (1 - 2.0**-k for k in range(1, 30))
                found.add(head, t, "neuron_leak" if shifted else "neuron_leak_multiplier", "op")
            if spiking and found.value(layer.name, t, c, y, x):
                found.add(head, t, "neuron_membrane", "spike_out")
                found.add(head, t, "neuron_reset", "op", int(neuron.reset.endswith("subtract")))


def _membranes(found: Literal, part: Part, layer: Layer, t: int) -> None:
    """States come from the memory in every visit but the first, and go back in every visit but the last."""
    neuron, head, steps = layer.neuron, part.stage.layer, found.network.timesteps
    assert neuron is not None
    if found.arch.timesteps == "together" or steps == 1:
        return
    words = 2 if neuron.model.startswith("cuba") else 1
    bits = words * found.network.precision.membrane_bits + neuron.reset.startswith("delayed")
    visits = [("read", t > 0), ("write", t < steps - 1 or found.arch.neuron.clear_between_inputs)]
    for place in places_of(layer.out_shape):
        replica = found.replica_at(head, found.completed[layer.name][place])
        at_tile = Counter(present_in(found, part, replica).values())
        for way, moved in visits:
            for channels in at_tile.values():
                lines = up(channels * bits, found.arch.neuron.membrane.line_bits)
                found.add(head, t, "membrane_buffer", f"element_{way}", moved * channels * words)
                found.add(head, t, "membrane_buffer", f"line_{way}", moved * lines)


def _vector(found: Literal, part: Part, layer: Layer, t: int) -> None:
    """Pools and adds: each value of a place that is not silent; an OR takes eight spikes of one position at once."""
    channels = len(present_in(found, part))
    by_position: Counter[int] = Counter()
    at = found.completed[layer.name if layer.kind == "add" else layer.sources[0]]
    for place, position in at.items():
        if not found.arch.adc.skip_silent or not _silent(found, layer, t, place):
            by_position[position] += channels
    for values in by_position.values():
        if layer.kind == "maxpool2d" and layer.in_max == 1:
            found.add(part.stage.layer, t, "vector_or", "op", up(values, 8))
        elif layer.kind == "maxpool2d":
            found.add(part.stage.layer, t, "vector_comparator", "op", values)
        else:
            additions = len(layer.sources) - 1 if layer.kind == "add" else 1
            found.add(part.stage.layer, t, "vector_adder", "op", additions * values)


def _silent(found: Literal, layer: Layer, t: int, place: Place) -> bool:
    """Whether everything at a place of a pool's or an add's input is zero (currents are not known to be)."""
    for name in layer.sources:
        known = found.values[name]
        if known is None or any(channel[place[0]][place[1]] for channel in known[t]):
            return False
    return True
