"""The page "Results at a glance": its figures are those of other pages, or of the commands beside them."""

import re
import shlex
from pathlib import Path

import pytest
from documents import blocks_of
from typer.testing import CliRunner

from crowdgym.cli.main import app

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "results.md").read_text(encoding="utf-8")
WRITTEN = re.compile(r"<!-- tables: crowdgym bench (\w+) -->\n.*?<!-- end of tables -->", re.DOTALL)
COMMANDS = [command for block in blocks_of(PAGE) for command in block.commands]


def rows_of(text: str) -> list[str]:
    """The rows of tables, without headings and the lines below them."""
    return re.findall(r"^\| (.*) \|$", re.sub(r"^\|.*\|\n\|[- :|]+\|$", "", text, flags=re.MULTILINE), re.MULTILINE)


def test_every_figure_is_of_another_page_or_of_a_command_below_it() -> None:
    by_hand = WRITTEN.sub("", PAGE)
    measured = re.compile(r"(?:^\|.*\|\n)+\nmeasured by\n", re.MULTILINE)
    others = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*_results.md"))
    others += (DOCS / "ippo.md").read_text(encoding="utf-8")

    assert len(measured.findall(by_hand)) == 2
    copied = rows_of(measured.sub("", by_hand))
    assert len(copied) > 10
    assert [row for row in copied if f"| {row} |" not in others] == []


def test_tables_between_marks_are_written_by_the_command_above_them() -> None:
    suites = [match[1] for match in WRITTEN.finditer(PAGE)]
    benches = [command for command in COMMANDS if command.startswith("crowdgym bench")]

    assert benches == [f"crowdgym bench benchmarks/{suite}.yaml --page docs/results.md" for suite in suites]
    assert all(len(rows_of(match[0])) > 2 for match in WRITTEN.finditer(PAGE))


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["haikou-synth", "chengdu-synth"])
def test_the_policies_earn_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str) -> None:
    monkeypatch.chdir(tmp_path)
    (command,) = (command for command in COMMANDS if command.startswith(f"crowdgym demo --scenario {scenario}"))
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    printed = re.findall(r"^ (\w+) +([\d,]+) ± [\d,]+ ", result.stdout, re.MULTILINE)
    (row,) = re.findall(rf"^\| `{scenario}` \| ([^|]* ± .* 0 ± 0) \|$", PAGE, re.MULTILINE)
    written = [cell.split(" ± ")[0] for cell in row.split(" | ")]
    assert [agent for agent, _ in printed] == ["greedy", "lookahead", "random", "hold"]
    for (_, earned), claimed in zip(printed, written, strict=True):
        assert int(claimed.replace(",", "")) == pytest.approx(int(earned.replace(",", "")), rel=0.01)
