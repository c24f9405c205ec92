"""The site: ``sphinx-build -W docs docs/_build`` with the extra ``docs``. Nothing is fetched while it is built."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "scripts")]

from make_docs_figures import make_figures  # noqa: E402 - found on the line above

project = "archsim"
version = installed_version("archsim")
release = version

extensions = ["myst_parser", "sphinx.ext.autodoc", "generated", "mathml", "reachable"]
exclude_patterns = ["_build", "_ext"]

nitpicky = True
nitpick_ignore_regex = [("py:class", ".*")]  # types of signatures that have no page of their own
autodoc_class_signature = "separated"  # results are made by functions, not by hand
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
smartquotes = False  # quotes within messages and keys stay as they are typed

html_theme = "furo"
html_title = f"archsim {version}"
html_math_renderer = "mathml"
html_show_copyright = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]


def setup(app: Sphinx) -> None:
    """Figures are made before pages are read."""
    app.connect("builder-inited", lambda app: make_figures(Path(app.srcdir) / "figures"))
