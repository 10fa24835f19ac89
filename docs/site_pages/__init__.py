"""The pages of the documentation site that are made from the code: environments, agents, interfaces, API reference.

They are written to ``docs/generated/`` when Sphinx starts. Nothing in them is written by hand, and none is committed.
"""

import shutil
from pathlib import Path

from site_pages.agents import agent_pages
from site_pages.environments import environment_pages
from site_pages.readme import root_pages
from site_pages.reference import interface_page, reference_pages
from site_pages.scenarios import scenario_page

FOLDER = "generated"


def write_pages(docs: Path) -> None:
    """Write all generated pages, and remove those of before.

    Args:
        docs: the folder ``docs/``.
    """
    shutil.rmtree(docs / FOLDER, ignore_errors=True)
    pages = {
        **root_pages(docs.parent),
        "interfaces.md": interface_page(),
        "scenarios.md": scenario_page(),
        **{f"environments/{name}": text for name, text in environment_pages(docs).items()},
        **{f"agents/{name}": text for name, text in agent_pages(docs).items()},
        **{f"reference/{name}": text for name, text in reference_pages().items()},
    }
    for name, text in pages.items():
        file = docs / FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
