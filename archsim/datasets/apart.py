"""A few inputs beside those that are asked for: what a chip is calibrated with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archsim.datasets.asked import parse_spec
from archsim.datasets.inputs import HELD_OUT, Inputs, load_inputs
from archsim.workload import Network

FEW = 32


def apart_from(asked: Inputs, network: Network) -> Inputs:
    """Up to 32 inputs of the same dataset that are not among ``asked``: those that cnn-mnist was trained with first.

    Of a file of one's own, and where all of a dataset is asked for, the first 32 of the inputs themselves.
    """
    parsed, _ = parse_spec(asked.spec)
    if parsed is not None and parsed.dataset is not None:
        samples, taken = parsed.dataset.samples, set(asked.indices)
        order = (*range(HELD_OUT, samples), *range(min(HELD_OUT, samples)))
        others = [number for number in order if number not in taken][:FEW]
        if others:
            return load_inputs(f"{asked.spec.partition(':')[0].strip()}:{_named(others)}", network)
    first = asked.indices[:FEW]
    labels = None if asked.labels is None else asked.labels[:FEW]
    spec = f"{asked.spec.partition(':')[0] if parsed is None or parsed.file is None else parsed.file}:{_named(first)}"
    return replace(asked, spec=spec, indices=first, values=asked.values[:FEW], labels=labels)


def _named(numbers: Sequence[int]) -> str:
    """Numbers as a user would write them."""
    if len(numbers) > 1 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}..{numbers[-1]}"
    return ",".join(map(str, numbers))
