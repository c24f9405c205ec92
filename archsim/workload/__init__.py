"""Networks and what travels in them: layers, shapes, widths; recorded spikes, or spikes drawn at stated densities."""

from archsim.workload.activity import Activity, ChipSpec, NamedInputs, RecordedActivity, SyntheticActivity
from archsim.workload.load import Workload, load_workload
from archsim.workload.network import Encoding, InputCode, Layer, Network, Neuron, Precision, Recurrence, Shape
from archsim.workload.schema import WorkloadFile
from archsim.workload.trace import Trace, write_trace
from archsim.workload.weights import Weights, check_weights, write_weights

__all__ = [
    "Activity",
    "ChipSpec",
    "Encoding",
    "InputCode",
    "Layer",
    "NamedInputs",
    "Network",
    "Neuron",
    "Precision",
    "RecordedActivity",
    "Recurrence",
    "Shape",
    "SyntheticActivity",
    "Trace",
    "Weights",
    "Workload",
    "WorkloadFile",
    "check_weights",
    "load_workload",
    "write_trace",
    "write_weights",
]
