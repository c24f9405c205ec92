"""The inputs of a recording: images as integers of a scale, or spikes of every timestep, with their axes in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from archsim.errors import Problem, nearest
from archsim.recording.graph import Array

Order = Literal["TN", "NT"]
MAX_TIMESTEPS = 100_000
MAX_INTEGER = (1 << 16) - 1
ENCODINGS = ("direct", "events")
_SCALES = (1, 255, *(1 << bits for bits in range(1, 17)), *((1 << bits) - 1 for bits in range(2, 17)))
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Given:
    """Inputs as a chip gets them: integers [N, ...] of still images or [N, T, ...] of spikes; / scale: real."""

    values: Array
    encoding: str
    timesteps: int
    scale: float = 1.0
    snapped: bool = False

    @property
    def features(self) -> tuple[int, ...]:
        """Sizes of one sample at one timestep."""
        shape: tuple[int, ...] = self.values.shape[1 if self.encoding == "direct" else 2 :]
        return shape

    @property
    def largest(self) -> int:
        """The largest integer."""
        return int(self.values.max(initial=0))

    def real(self, sample: int, dtype: Any) -> Array:
        """What the module gets, [...] of a still image or [T, ...]: integers divided by the scale in this type."""
        found: Array = self.values[sample].astype(dtype) / np.asarray(self.scale, dtype)
        return found


@dataclass(frozen=True)
class Time:
    """What the user says of the inputs: timesteps and encoding, the order of axes of spikes, the scale of images."""

    timesteps: int | None = None
    encoding: str | None = None
    order: str = "TN"
    scale: float | None = None


def given(inputs: Any, time: Time, problems: list[Problem]) -> Given | None:
    """The inputs, or every reason why these are none.

    Without ``encoding``, inputs are still images (``direct``) where ``timesteps`` is stated, and spikes where not.
    """
    values = _numbers(inputs, problems)
    before = len(problems)
    kind = time.encoding or ("events" if time.timesteps is None else "direct")
    problems += _problems(time, kind)
    if values is None or len(problems) > before:
        return None
    return _still(values, time, problems) if kind == "direct" else _spikes(values, time, problems)


def _problems(time: Time, kind: str) -> list[Problem]:
    """What is wrong with what the user says."""
    found, steps, scale = [], time.timesteps, time.scale
    if steps is not None and (type(steps) is not int or not 1 <= steps <= MAX_TIMESTEPS):
        found.append(Problem("no such number", key="timesteps", value=steps, allowed=f"1 to {MAX_TIMESTEPS:,}"))
    if kind not in ENCODINGS:
        text = "a recorder knows still images and spikes; spikes that a rate or latency code made are events"
        near = nearest(str(kind), ENCODINGS)
        found.append(Problem(text, key="encoding", value=kind, allowed=", ".join(ENCODINGS), nearest=near))
    if time.order not in ("TN", "NT"):
        found.append(Problem("no such order of axes", key="order", value=time.order, allowed="TN, NT"))
    if scale is not None and (isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < np.inf):
        found.append(Problem("must be a number above 0", key="scale", value=scale))
    elif scale is not None and kind == "events":
        found.append(Problem("spikes have no scale; still images have", key="scale", value=scale))
    if kind == "direct" and steps is None:
        text = "is missing: a still image does not say for how many timesteps it is shown"
        found.append(Problem(text, key="timesteps"))
    return found


def _numbers(inputs: Any, problems: list[Problem]) -> Array | None:
    """As an array of finite numbers that are not negative."""
    try:
        values = np.asarray(inputs.detach().cpu().numpy() if hasattr(inputs, "detach") else inputs)
    except (TypeError, ValueError, RuntimeError) as error:
        problems.append(Problem(f"are no array: {error}", key="inputs"))
        return None
    if values.dtype.kind not in "biuf":
        problems.append(Problem(f"hold {values.dtype}", key="inputs", allowed="integers and real numbers"))
        return None
    if not values.size:
        problems.append(Problem(f"of shape {_show(values.shape)} hold nothing", key="inputs"))
        return None
    if not np.isfinite(values).all():
        problems.append(Problem("have values that are no numbers", key="inputs"))
        return None
    if (values < 0).any():
        text = "have negative values; a chip gets unsigned integers: record the images as they are, and put the "
        text += "normalisation into the module (a BatchNorm, or the first layer's weights and bias)"
        problems.append(Problem(text, key="inputs", value=float(values.min())))
        return None
    return values


def _still(values: Array, time: Time, problems: list[Problem]) -> Given | None:
    steps = time.timesteps or 1
    if not 2 <= values.ndim <= 4:
        text = "of a still image are [N, C, H, W], [N, C, L] or [N, features]; spikes need encoding='events'"
        problems.append(Problem(text, key="inputs", value=_show(values.shape)))
        return None
    if values.dtype.kind in "biu":
        if time.scale is not None:
            problems.append(Problem("the inputs are integers already", key="scale", value=time.scale))
            return None
        return _in_range(Given(values.astype(np.int64), "direct", steps), problems)
    scale, integers, exact = _scale(values, time.scale)
    if integers is None:
        by = "one number, as pixels / 255 are" if time.scale is None else f"{time.scale:g}"
        text = f"are no integers divided by {by}; a chip gets integers: round them, as in torch.round(x * 255) / 255"
        problems.append(Problem(text, key="inputs", value=_first_off(values, scale)))
        return None
    return _in_range(Given(integers, "direct", steps, scale, not exact), problems)


def _scale(values: Array, stated: float | None) -> tuple[float, Array | None, bool]:
    """The number by which all values are integers, these, and whether exactly so as they would be divided."""
    smallest = float(values[values > 0].min(initial=1.0))
    scales = (*_SCALES, round(1 / smallest)) if stated is None else (stated,)
    for scale in dict.fromkeys(scales):
        integers = np.round(values.astype(np.float64) * scale)
        if np.abs(integers / scale - values).max() <= _ROUNDING * max(1.0, float(values.max())):
            exact = bool((integers.astype(values.dtype) / values.dtype.type(scale) == values).all())
            return float(scale), integers.astype(np.int64), exact
    return stated or 255.0, None, False


def _first_off(values: Array, scale: float) -> float:
    return float(values[np.abs(np.round(values * scale) / scale - values) > _ROUNDING][0])


def _spikes(values: Array, time: Time, problems: list[Problem]) -> Given | None:
    if not 3 <= values.ndim <= 5:
        text = "of spikes are [T, N, C, H, W], [T, N, C, L] or [T, N, features]; order='NT' for [N, T, ...]; still "
        problems.append(Problem(text + "images need timesteps", key="inputs", value=_show(values.shape)))
        return None
    if (values != np.floor(values)).any():
        text = "of events are whole numbers of spikes; a still image of real values needs encoding='direct'"
        problems.append(Problem(text, key="inputs", value=float(values[values != np.floor(values)][0])))
        return None
    by_sample = np.swapaxes(values, 0, 1) if time.order == "TN" else values
    if time.timesteps not in (None, by_sample.shape[1]):
        text = f"have {by_sample.shape[1]} timesteps in the order '{time.order}'"
        problems.append(Problem(text, key="inputs", value=_show(values.shape), allowed=f"{time.timesteps}, as stated"))
        return None
    return _in_range(Given(by_sample.astype(np.int64), "events", by_sample.shape[1]), problems)


def _in_range(found: Given, problems: list[Problem]) -> Given | None:
    if found.largest > MAX_INTEGER:
        problems.append(Problem("are too large", key="inputs", value=found.largest, allowed=f"up to {MAX_INTEGER:,}"))
        return None
    return found


def _show(shape: Sequence[int]) -> str:
    return f"[{', '.join(str(size) for size in shape)}]"
