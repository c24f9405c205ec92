"""A Result: what one run cost, as tables that describe themselves; saved as one JSON file and read back."""

from archsim.result.folder import FILE, FORMAT, figures_in, place_for_result, writable_folder, written_whole
from archsim.result.reading import load_result
from archsim.result.rows import Accuracy, ComponentRow, CountRow, LayerRow, OnChips, PathRow, UnitRow
from archsim.result.tables import TABLES, Result, mean_and_spread

__all__ = [
    "FILE",
    "FORMAT",
    "TABLES",
    "Accuracy",
    "ComponentRow",
    "CountRow",
    "LayerRow",
    "OnChips",
    "PathRow",
    "Result",
    "UnitRow",
    "figures_in",
    "load_result",
    "mean_and_spread",
    "place_for_result",
    "writable_folder",
    "written_whole",
]
