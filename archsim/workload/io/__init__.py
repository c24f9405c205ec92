"""Networks that other tools wrote, as archsim's own workload files."""

from archsim.workload.io.importing import FORMATS, Imported, import_file, stem_of

__all__ = ["FORMATS", "Imported", "import_file", "stem_of"]
