"""Inputs that are really there: digits that come with Python packages, an emulated event camera, a user's own file."""

from archsim.datasets.apart import apart_from
from archsim.datasets.inputs import Inputs, load_inputs
from archsim.datasets.known import DATASETS, Dataset

__all__ = ["DATASETS", "Dataset", "Inputs", "apart_from", "load_inputs"]
