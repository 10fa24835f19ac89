"""The template of a repository of entries: its workflows run commands that exist, and trust no pull request."""

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import crowdgym
from crowdgym.cli.main import app

BOARD = Path(__file__).resolve().parents[2] / "leaderboard"
WORKFLOWS = BOARD / "template" / ".github" / "workflows"


def workflow(name: str) -> Any:
    return yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8"))


def commands(name: str) -> list[str]:
    """The commands of CrowdGym in a workflow."""
    steps = [step for job in workflow(name)["jobs"].values() for step in job["steps"]]
    lines = [step["run"].replace("\\\n", " ").replace("\n", " ") for step in steps if "run" in step]
    return [line[line.index("crowdgym leaderboard") :] for line in lines if "crowdgym leaderboard" in line]


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def test_what_checks_a_pull_request_holds_no_secret_and_may_not_write() -> None:
    content = workflow("verify")
    assert content["permissions"] == {"contents": "read"}
    assert list(content[True]) == ["pull_request"]  # YAML reads the key "on" as true
    assert "secrets." not in (WORKFLOWS / "verify.yml").read_text()


def test_a_policy_is_run_by_hand_and_without_a_network() -> None:
    content = workflow("execute")
    assert list(content[True]) == ["workflow_dispatch"]
    for command in (
        step["run"] for step in content["jobs"]["execute"]["steps"] if "leaderboard" in step.get("run", "")
    ):
        assert "docker run --rm --network none" in command
        assert "${{" not in command  # inputs come by the environment, not by the text of a command


@pytest.mark.parametrize("name", ["verify", "publish", "execute"])
def test_every_command_knows_its_options(name: str) -> None:
    for command in commands(name):
        _, *words = shlex.split(command)
        shown = CliRunner().invoke(app, [*words[:2], "--help"])
        assert shown.exit_code == 0
        for option in (word for word in words if word.startswith("--")):
            assert option in shown.stdout


@pytest.mark.parametrize("name", ["verify", "publish", "execute"])
def test_the_version_is_this_one(name: str) -> None:
    assert f"crowdgym=={crowdgym.__version__}" in (WORKFLOWS / f"{name}.yml").read_text()


def test_the_workflow_verifies_the_entry_of_a_pull_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(BOARD / "template", tmp_path, dirs_exist_ok=True)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "template")
    git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
    mine = tmp_path / "entries" / "sensing_v0" / "mine"
    shutil.copytree(BOARD / "entries" / "sensing_v0" / "random-static" / "traces", mine / "traces")
    content = yaml.safe_load((BOARD / "entries" / "sensing_v0" / "random-static" / "entry.yaml").read_text())
    (mine / "entry.yaml").write_text(yaml.safe_dump({**content, "name": "mine"}))
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "my entry")
    monkeypatch.chdir(tmp_path)
    (command,) = commands("verify")

    result = CliRunner().invoke(app, shlex.split(command)[1:])

    assert result.exit_code == 0, result.output
    assert result.stdout == f"{mine}: verified, replayed, centralised\n"
