"""The documentation site: Sphinx, furo and MyST. ``make docs`` builds it."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

from site_pages import write_pages
from site_pages.contents import to_site, with_contents
from sphinx.application import Sphinx

import crowdgym

project = "CrowdGym"
author = copyright = "The CrowdGym authors"  # noqa: A001 - Sphinx's name
version = release = crowdgym.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["site_pages"]
default_role = "py:obj"  # a name in backticks in a docstring
html_theme = "furo"
html_title = f"CrowdGym {release}"
html_show_sphinx = False
html_copy_source = False

myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # a class attribute is described once


def setup(app: Sphinx) -> None:
    """Write the generated pages before Sphinx looks for pages, and let pages written by hand fit into the site."""
    write_pages(DOCS)
    app.connect("source-read", _fit)


def _fit(app: Sphinx, name: str, source: list[str]) -> None:
    source[0] = with_contents(source[0]) if name == "index" else to_site(source[0], "../" * name.count("/"))
