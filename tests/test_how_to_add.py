"""The pages "How to add a policy" and "How to add an environment" are true. Other pages are tested elsewhere."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crowdgym.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "how_to_add"


def python_of(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (PAGES / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_policies_of_the_page_are_played_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_policies_of_the_page.py").write_text("\n\n".join(python_of("policy.md")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    rows = []
    for attribute in ("FirstCandidate", "first_candidate"):
        name = f"my_policies_of_the_page:{attribute}"
        result = CliRunner().invoke(app, ["run", "csc_v0", "--scenario", "tiny", "--agent", name])
        assert result.exit_code == 0, result.output
        assert f"agent {name}" in result.stdout
        rows.append(result.stdout.splitlines()[-1].split()[:-1])  # without the time it took
    assert rows[0] == rows[1]


@pytest.mark.parametrize("setting", ["csc", "dasc", "sensing"])
def test_every_environment_has_the_files_of_the_page(setting: str) -> None:
    table = (PAGES / "environment.md").read_text(encoding="utf-8").split("\n\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [path for cell in cells for path in re.findall(r"`([^`]+)`", cell)]
    paths = [path if "/" in path else f"envs/NAME/{path}" for path in named]
    assert len(paths) == 19
    missing = [path for path in paths if not (ROOT / path.replace("NAME", setting)).exists()]
    optional = {"sensing": ["envs/NAME/global_state.py", "envs/NAME/bound.py"]}
    assert missing == optional.get(setting, [])
