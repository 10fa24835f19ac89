"""The README and its neighbours at the root as pages of the site."""

import re
from pathlib import Path

NAMES = ("README", "CONTRIBUTING", "CHANGELOG")


def root_pages(root: Path) -> dict[str, str]:
    """The text of each page by its file name, with links as seen from the folder of generated pages."""
    return {f"{name.lower()}.md": _moved((root / f"{name}.md").read_text(encoding="utf-8")) for name in NAMES}


def _moved(text: str) -> str:
    def moved(link: re.Match[str]) -> str:
        before, target = link.groups()
        name, _, ending = target.partition(".")
        if name in NAMES:
            return f"{before}{name.lower()}.{ending}"
        return before + (f"../{target.removeprefix('docs/')}" if target.startswith("docs/") else f"../../{target}")

    return re.sub(r"(\]\()(?![a-z]+:|#)([^)]+)(?=\))", moved, text)
