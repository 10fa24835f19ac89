"""What becomes of results whose table cannot be printed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli_run import TINY
from typer.testing import CliRunner

from crowdgym.cli.main import app

PROGRAM = [sys.executable, "-c", "from crowdgym.cli.start import main; main()"]
SHORT = (*TINY, "--set", "horizon_s=60", "--agent", "hold")


def test_results_are_written_before_the_table_is_printed_to_a_reader_that_has_gone(tmp_path: Path) -> None:
    """As in ``crowdgym run --json F | true``."""
    file = tmp_path / "out.json"
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*PROGRAM, *SHORT, "--json", str(file)], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert json.loads(file.read_text())["agent"] == "hold"
    assert ended.returncode == 1
    waiting = re.compile(r"is compiling|\d+ of 1 episodes")  # said where the machine is slow
    assert [line for line in ended.stderr.splitlines() if not waiting.search(line)] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("command", ["--version", "envs", "data list --json"])
def test_an_output_that_is_full_is_one_sentence(command: str) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*PROGRAM, *command.split()], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 2
    assert ended.stderr == "error: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "csc_v0", "--scenario", "tiny", "--json", f"{'x' * 300}.json"],
        ["run", "csc_v0", "--scenario", "tiny", "--agent", "x" * 300],
        ["run", "csc_v0", "--scenario", "tiny", "--trace", f"/dev/null/{'y' * 10}.trace"],
    ],
)
def test_a_name_that_no_file_can_have_is_one_sentence(arguments: list[str]) -> None:
    ended = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert re.fullmatch(r"error: .{1,400}\n", ended.stderr)


@pytest.mark.parametrize("name", ["closed/entry.yaml", "closed\\udcff\\x1b[1m"])
def test_a_file_that_a_command_may_not_touch_is_one_sentence(name: str) -> None:
    """The tests may be run as root, which may touch everything: so the command is replaced."""
    program = (
        "import crowdgym.cli.main as commands\n"
        "from crowdgym.cli.start import main\n"
        "def forbidden():\n"
        f"    raise PermissionError(13, 'Permission denied', '{name}')\n"
        "commands.main = forbidden\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == f"error: '{name}' cannot be used: Permission denied\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "run csc_v0 --scenario tiny --step-limit 1e308",
            "error: a step limit must be 0 to 1,000,000 seconds, got 1e+308",
        ),
        ("run csc_v0 --scenario tiny --memory-limit 9999999999999", "error: a memory limit must be 1 to 4,611,686,"),
        (
            "bench csc-paper --time-limit 1e308",
            "error: --time-limit must be a positive number of seconds, at most 1,000,000",
        ),
    ],
)
def test_a_limit_that_the_system_cannot_keep_is_refused(line: str, sentence: str) -> None:
    result = CliRunner().invoke(app, line.split())
    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1
