"""The pages of the documentation name only files, modules and headings that exist."""

import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(page for page in DOCS.glob("**/*.md") if "generated" not in page.parts)]
FOLDERS = ("agents", "benchmarks", "configs", "data", "docs", "envs", "examples", "src", "tests")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def prose_of(text: str) -> str:
    """The text without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def paths_in(text: str) -> list[str]:
    """What stands in backticks and begins with a folder of the repository: ``envs/csc/env.py``, ``agents/any/``.

    ``configs/agents/NAME.yaml`` is a pattern and no path.
    """
    quoted = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", prose_of(text))
    paths = [path for path in quoted if "/" in path and path.split("/")[0] in FOLDERS]
    return [path for path in paths if "NAME" not in path]


def names_in(text: str) -> list[str]:
    """Dotted names of modules and what is in them, in the text and in its blocks of code."""
    return re.findall(r"(?<![\w/.-])crowdgym(?:\.[A-Za-z_]\w*)+", text)


def links_in(text: str) -> list[str]:
    """Targets of links and pictures that are not on the web."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose_of(text))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors_of(text: str) -> set[str]:
    """The anchors that GitHub gives to headings: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.*)$", prose_of(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return name.startswith("crowdgym.integrations.") and is_written(name)
    return True


def is_written(name: str) -> bool:
    """Whether the source of a module that needs a library, which may be missing, has this name."""
    _, _, module, *attribute = name.split(".")
    source = DOCS.parent / "src" / "crowdgym" / "integrations" / f"{module}.py"
    return source.is_file() and all(re.search(rf"^(class|def) {one}\b", source.read_text(), re.M) for one in attribute)


def arrives(page: Path, target: str) -> bool:
    """Whether a link of the page leads to a file, and to a heading of it if it names one."""
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    return file.exists() and (not anchor or anchor in anchors_of(file.read_text(encoding="utf-8")))


def test_paths_names_links_and_anchors_are_recognised() -> None:
    text = "# What `x_v0` is: a rule\n\n`envs/core/`, `a/b`, `crowdgym.make(1)` in [it](a.md#b), [web](https://x.y/z)\n"
    block = "```python\nfrom crowdgym.envs import csc_v0  # [no](link), `src/no`\n```\n"
    assert paths_in(text + block) == ["envs/core/"]
    assert names_in(text + block) == ["crowdgym.make", "crowdgym.envs"]
    assert links_in(text + block) == ["a.md#b"]
    assert anchors_of(text) == {"what-x_v0-is-a-rule"}


def test_what_does_not_exist_is_noticed() -> None:
    assert is_there("crowdgym.make")
    assert not is_there("crowdgym.faces")
    assert not is_there("crowdgym.testing.no_such_function")
    assert arrives(DOCS / "traces.md", "../README.md")
    assert not arrives(DOCS / "traces.md", "README.md")
    assert not arrives(DOCS / "traces.md", "traces.md#no-such-heading")


@each_page
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    assert [path for path in paths_in(page.read_text(encoding="utf-8")) if not (ROOT / path).exists()] == []


@each_page
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    assert [name for name in names_in(page.read_text(encoding="utf-8")) if not is_there(name)] == []


@each_page
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = links_in(page.read_text(encoding="utf-8"))
    assert [target for target in links if not arrives(page, target)] == []


def test_the_table_of_contents_links_every_page() -> None:
    links = links_in((DOCS / "index.md").read_text(encoding="utf-8"))
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= set(links)
