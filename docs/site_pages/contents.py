"""The navigation of the site, made from ``docs/index.md``: its sections, and their links in order."""

import re

README = "generated/readme.md"


def with_contents(index: str) -> str:
    """The text of the index, with a hidden table of contents for each of its sections at the end.

    Pages that are not written by hand are named in a comment, ``<!-- pages: generated/agents/* -->``, before the table.
    """
    parts = re.split(r"^## (.*)$", to_site(index), flags=re.MULTILINE)
    trees = [_tree(heading, text) for heading, text in zip(parts[1::2], parts[2::2], strict=True)]
    return "\n\n".join([to_site(index), *trees]) + "\n"


def to_site(text: str, to_docs: str = "") -> str:
    """A page of ``docs/`` with its links to the README as links to the page of the site.

    Args:
        text: of the page.
        to_docs: from the page to the folder ``docs/``.
    """
    return re.sub(r"\]\((?:\.\./)+README\.md", f"]({to_docs}{README}", text)


def _tree(caption: str, text: str) -> str:
    made = [name for names in re.findall(r"<!-- pages: ([^>]+) -->", text) for name in names.split()]
    linked = re.findall(r"\]\((?!\.\.)([\w/.-]+)\.md\)", text)
    entries = "\n".join(dict.fromkeys([*made, *linked]))
    return f"```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{entries}\n```"
