"""A user's own inputs: an npz file with ``inputs`` and optionally ``labels``, read without trusting a byte of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.config.reading import was_read
from archsim.datasets.asked import LARGEST
from archsim.datasets.digits import OPTION, Images, Labels
from archsim.errors import Problem, nearest
from archsim.workload.npz import MAX_UNPACKED_BYTES, Member, announced, read_arrays

MEMBERS = ("inputs", "labels")
_AXES = "[N, C, H, W] (images) or [N, T, C, H, W] (events)"


@dataclass(frozen=True)
class OwnData:
    """What a file holds: ``inputs`` [N, C, H, W] or [N, T, C, H, W], and ``labels`` [N] or None."""

    inputs: Images
    labels: Labels | None


def read_own(file: str) -> tuple[OwnData | None, list[Problem]]:
    """The arrays of a file, or everything that is wrong with it; shapes and types are checked before unpacking."""
    content, mistake = _content(Path(file))
    if content is None:
        return None, [_problem(file, mistake)]
    members, mistakes = announced(content)
    mistakes += _wrong_members(members) if members or not mistakes else []
    if mistakes:
        return None, [_problem(file, mistake) for mistake in mistakes]
    arrays, mistakes = read_arrays(content, members)
    if not mistakes:
        mistakes = _wrong_values(arrays)
    if mistakes:
        return None, [_problem(file, mistake) for mistake in mistakes]
    inputs, labels = arrays["inputs"], arrays.get("labels")
    narrow = inputs.astype(np.uint8 if inputs.max() <= np.iinfo(np.uint8).max else np.uint16)
    return OwnData(narrow, None if labels is None else labels.astype(np.int64)), []


def _problem(file: str, mistake: str) -> Problem:
    return Problem(f"{file}: {mistake}", key=OPTION)


def _content(path: Path) -> tuple[bytes | None, str]:
    """The bytes of a regular file, or why there are none."""
    try:
        if not path.exists():
            return None, "this file does not exist"
        if not path.is_file():
            return None, "this is no regular file"
        if path.stat().st_size > MAX_UNPACKED_BYTES:
            return None, f"is larger than {MAX_UNPACKED_BYTES:,} bytes"
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        return None, f"cannot be read: {getattr(error, 'strerror', None) or error}"
    was_read(path, content)
    return content, ""


def _wrong_members(members: Mapping[str, Member]) -> list[str]:
    """What the headers say that is not allowed."""
    wrong = []
    for name in sorted(set(members) - set(MEMBERS)):
        near = nearest(name, MEMBERS)
        wrong.append(f"member '{name}' is unknown" + (f"; did you mean '{near}'?" if near else ""))
    inputs = members.get("inputs")
    if inputs is None:
        return [f"member 'inputs' is missing: unsigned integers {_AXES}", *wrong]
    if inputs.dtype.kind not in "ub":
        wrong.append(f"'inputs' holds {inputs.dtype}; allowed: unsigned integers (numpy.uint8, numpy.uint16)")
    if len(inputs.shape) not in (4, 5):
        wrong.append(f"'inputs' has the shape {list(inputs.shape)}; allowed: {_AXES}")
    elif 0 in inputs.shape:
        wrong.append(f"'inputs' has the shape {list(inputs.shape)}, which is empty")
    labels = members.get("labels")
    if labels is not None and labels.dtype.kind not in "iu":
        wrong.append(f"'labels' holds {labels.dtype}; allowed: integers, one per sample")
    if labels is not None and labels.shape != inputs.shape[:1]:
        expected = f"[{inputs.shape[0]}], one per sample" if inputs.shape else "one per sample"
        wrong.append(f"'labels' has the shape {list(labels.shape)}; expected {expected}")
    return wrong


def _wrong_values(arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    wrong = []
    if arrays["inputs"].max() > LARGEST:
        wrong.append(f"'inputs' holds values up to {arrays['inputs'].max()}; at most {LARGEST} are modelled")
    labels = arrays.get("labels")
    if labels is not None and (labels.min() < 0 or labels.max() > np.iinfo(np.int64).max):
        wrong.append("'labels' holds numbers that are no classes; allowed: 0 and above")
    return wrong
