"""Several results side by side, where their differences are, and every reason why it is unfair to compare them."""

from archsim.comparison.changes import CHANGE_TABLES, Change
from archsim.comparison.executing import compare, fulfil_comparison
from archsim.comparison.folder import place_for_comparison, place_for_figure, write_whole
from archsim.comparison.parts import Amount, Energy, PartTable, Product
from archsim.comparison.request import ComparisonRequest, prepare_comparison
from archsim.comparison.sentences import sentences
from archsim.comparison.settings import Setting
from archsim.comparison.sides import Difference, Side
from archsim.comparison.tables import TABLES, Comparison, LayerPair, LevelPair, Metric, Moved

__all__ = [
    "CHANGE_TABLES",
    "TABLES",
    "Amount",
    "Change",
    "Comparison",
    "ComparisonRequest",
    "Difference",
    "Energy",
    "LayerPair",
    "LevelPair",
    "Metric",
    "Moved",
    "PartTable",
    "Product",
    "Setting",
    "Side",
    "compare",
    "fulfil_comparison",
    "place_for_comparison",
    "place_for_figure",
    "prepare_comparison",
    "sentences",
    "write_whole",
]
