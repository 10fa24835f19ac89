"""What a repository has besides code: who may cite it, how to contribute, and what CI runs."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from crowdgym.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXAMPLE = ROOT / "examples" / "workflows" / "regression_of_dynamics.yml"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def commands_of(workflow: Any) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def test_the_citation_is_of_this_version_and_licence() -> None:
    citation = read(ROOT / "CITATION.cff")

    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert citation["title"] == f"CrowdGym: {PROJECT['description']}"
    assert {"cff-version", "message", "authors"} <= set(citation)


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert first is not None
    assert first[1] == PROJECT["version"]


def test_the_workflow_runs_what_ci_runs_here() -> None:
    assert commands_of(read(ROOT / ".github" / "workflows" / "ci.yml")) == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_commands_of_the_page_on_contributing_are_targets() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"\bmake ([a-z]+)$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)

    assert named == ["test", "docs", "lint", "types"]
    assert set(named) <= set(targets)


@pytest.mark.parametrize(
    "file", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda file: file.name
)
def test_templates_of_issues_are_forms(file: Path) -> None:
    form = read(file)
    if file.name == "config.yml":
        assert set(form) == {"blank_issues_enabled"}
        return

    assert {"name", "description", "body"} <= set(form)
    ids = [part["id"] for part in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(part["attributes"]["label"] for part in form["body"])


def test_the_example_workflow_verifies_the_traces_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install, verify = commands_of(read(EXAMPLE))
    assert install == f'pip install "crowdgym=={PROJECT["version"]}"'
    (tmp_path / "traces").mkdir()
    golden = ROOT / "tests" / "golden" / "sensing_v0-cells.trace"
    (tmp_path / "traces" / "mine.trace").write_bytes(golden.read_bytes())
    monkeypatch.chdir(tmp_path)
    program, *words = verify.split()
    assert program == "crowdgym"
    files = [str(file) for word in words if "*" in word for file in Path().glob(word)]

    result = CliRunner().invoke(app, [*(word for word in words if "*" not in word), *files])

    assert result.exit_code == 0, result.output
    assert "mine.trace: verified" in result.stdout
