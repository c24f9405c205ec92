"""Networks and what travels in them: layers, shapes, widths; recorded spikes, or spikes drawn at stated densities."""

from archsim.workload.activity import Activity, RecordedActivity, SyntheticActivity
from archsim.workload.load import Workload, load_workload
from archsim.workload.network import Encoding, Layer, Network, Neuron, Precision, Shape
from archsim.workload.schema import WorkloadFile
from archsim.workload.trace import Trace, write_trace

__all__ = [
    "Activity",
    "Encoding",
    "Layer",
    "Network",
    "Neuron",
    "Precision",
    "RecordedActivity",
    "Shape",
    "SyntheticActivity",
    "Trace",
    "Workload",
    "WorkloadFile",
    "load_workload",
    "write_trace",
]
