"""The readable parts of a workload file, so that one unreadable key does not hide what is wrong elsewhere."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from archsim.config import Document
from archsim.workload.layer_schema import AnyLayer, NeuronSpec
from archsim.workload.resolve import Draft
from archsim.workload.schema import ActivitySpec, InputSpec, PrecisionSpec, WorkloadFile

_LAYER: TypeAdapter[AnyLayer] = TypeAdapter(AnyLayer)
_Part = TypeVar("_Part", bound=BaseModel)


def draft_of(file: WorkloadFile) -> Draft:
    """The draft of a file that follows the schema."""
    return Draft(
        layers=list(file.layers),
        names=[layer.name for layer in file.layers],
        chained=file.chained,
        input=file.input,
        neuron=file.neuron,
        precision=file.precision,
        name=file.name,
        timesteps=file.timesteps,
        description=file.description,
        source=file.source,
        readout=file.readout,
    )


def salvage(document: Document) -> Draft | None:
    """What can be read of a file that breaks the schema; None if nothing useful can be said about its layers."""
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("layers"), list):
        return None
    chained = data.get("chained", True)
    if not isinstance(chained, bool):
        return None
    timesteps = data.get("timesteps")
    return Draft(
        layers=[_layer(item) for item in data["layers"]],
        names=[_name(item) for item in data["layers"]],
        chained=chained,
        input=_part(InputSpec, data.get("input")),
        neuron=_part(NeuronSpec, data.get("neuron")) or NeuronSpec(),
        precision=_part(PrecisionSpec, data.get("precision")) or PrecisionSpec(),
        timesteps=timesteps if type(timesteps) is int and timesteps > 0 else 1,
    )


def salvage_activity(document: Document) -> ActivitySpec | None:
    """The activity entry, if it can be read."""
    return _part(ActivitySpec, document.data.get("activity")) if isinstance(document.data, dict) else None


def density_names(document: Document) -> list[str]:
    """The layers for which the file states a density, readable or not."""
    activity = document.data.get("activity") if isinstance(document.data, dict) else None
    density = activity.get("density") if isinstance(activity, dict) else None
    return list(density) if isinstance(density, dict) else []


def _part(model: type[_Part], data: Any) -> _Part | None:
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError:
        return None


def _layer(data: Any) -> AnyLayer | None:
    try:
        return _LAYER.validate_json(json.dumps(data))
    except ValidationError:
        return None


def _name(data: Any) -> str | None:
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None
