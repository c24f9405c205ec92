"""What analog crossbars leave of a network's accuracy: inputs executed on chips as they are made, one after another."""

from archsim.fidelity.answer import Accuracies, ChipRow, LayerErrors
from archsim.fidelity.asking import accuracy
from archsim.fidelity.imperfections import Imperfection

__all__ = ["Accuracies", "ChipRow", "Imperfection", "LayerErrors", "accuracy"]
