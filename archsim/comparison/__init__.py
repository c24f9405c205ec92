"""Several results side by side, and every reason why it is unfair to compare them."""

from archsim.comparison.executing import compare, fulfil_comparison
from archsim.comparison.folder import place_for_comparison, place_for_figure, write_whole
from archsim.comparison.request import ComparisonRequest, prepare_comparison
from archsim.comparison.sides import Difference, Side
from archsim.comparison.tables import Comparison, LayerPair, LevelPair, Metric

__all__ = [
    "Comparison",
    "ComparisonRequest",
    "Difference",
    "LayerPair",
    "LevelPair",
    "Metric",
    "Side",
    "compare",
    "fulfil_comparison",
    "place_for_comparison",
    "place_for_figure",
    "prepare_comparison",
    "write_whole",
]
