"""What a network costs on paper: NeuroBench's metrics, by its definitions, and the energy of its operations."""

from archsim.measures.measuring import metrics
from archsim.measures.rows import ConnectionRow, FootprintRow, Metrics, NeuronRow

__all__ = ["ConnectionRow", "FootprintRow", "Metrics", "NeuronRow", "metrics"]
