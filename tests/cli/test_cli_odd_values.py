"""Odd values for every option and argument of every command: what is refused is refused in one sentence.

Commands that would play or train for long are given something that they refuse; their options are checked before.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from crowdgym.cli.main import app

NUMBERS = [
    "0",
    "-1",
    "1.5",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e-320",
    "9" * 30,
    "9" * 5000,
    "x",
    "",
    " ",
    "1_0",
    "\u0661",
]
TEXTS = ["", " ", "-", "--", "=", "a=", "=b", ",", ":", ":b", "a:", "a..b:c", ".", "..", "%s", "{0}", "*", "[", "null"]
TEXTS += [
    "x" * 5000,
    "\u00e9" * 300,
    "a\tb\nc",
    "a\x1b[1mb",
    "\udcff",
    "os:path",
    "failing:X",
    "9" * 400,
    "http://[",
    "1:2",
]
PATHS = ["", "folder", "empty", "binary", "list.yaml", "loop", "dangling", "pipe", "empty/x.json", "x" * 300, "a\nb"]
PATHS += [
    "odd\udcff",
    "~nobody/x",
    "-",
    "no/such.json",
    "no.gif",
    "no.trace",
    "no.html",
    "folder/no.md",
    "x.zip",
    "latin.csv",
]

# What is given besides the odd value, by command: options and arguments by their names.
NEEDED: dict[str, dict[str, str]] = {
    "bench": {"suite": "no_such_suite"},
    "calibrate": {"setting": "csc", "--city": "no_such_city"},
    "data build": {"name": "odd", "--nodes": "no_such_file", "--links": "no_such_file"},
    "data fetch": {"name": "no_such_data"},
    "data info": {"name": "tiny"},
    "data remove": {"name": "no_such_data"},
    "demo": {"--scenario": "no_such_scenario"},
    "leaderboard build": {"entries": "folder", "--out": "site"},
    "leaderboard execute": {"entry": "folder"},
    "leaderboard submit": {"run": "folder", "--entry": "odd", "--title": "t", "--team": "t", "--author": "a"},
    "leaderboard verify": {"entries": "folder"},
    "run": {"env": "csc_v0", "--agent": "no_such_agent"},
    "speed": {"env": "csc_v0", "--scenario": "no_such_scenario"},
    "sweep": {"agent": "ippo", "plan": "list.yaml"},
    "trace check": {"traces": "binary"},
    "trace show": {"file": "binary"},
    "trace verify": {"traces": "binary"},
    "train": {"agent": "no_such_learner", "env": "csc_v0"},
    "view": {"traces": "binary", "--out": "no.html"},
}


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command with its name."""
    for name, below in sorted(getattr(command, "commands", {}).items()):
        yield from commands(below, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), command


COMMANDS = dict(commands(typer.main.get_command(app)))


def odd_values(parameter: Any) -> list[str]:
    """Those for the type of a parameter."""
    kind = str(parameter.type_descriptor.annotation)
    if "bool" in kind:
        return []
    if "int" in kind or "float" in kind:
        return NUMBERS
    return PATHS if "Path" in kind else [*TEXTS, *PATHS]


def calls(name: str) -> Iterator[list[str]]:
    """The command lines with one odd value each."""
    needed = NEEDED.get(name, {})
    for parameter in COMMANDS[name].params:
        for odd in odd_values(parameter):
            given = {**needed, parameter.opts[0]: odd}
            options = [f"{option}={value}" for option, value in given.items() if option.startswith("--")]
            yield [*name.split(), *options, "--", *_arguments(name, given)]


def _arguments(name: str, given: dict[str, str]) -> list[str]:
    order = [parameter.opts[0] for parameter in COMMANDS[name].params if not parameter.opts[0].startswith("-")]
    return [given[argument] for argument in order if argument in given]


@pytest.fixture
def odd_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with odd files, in which commands are called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())  # policies are searched for in the current folder
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "data"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "list.yaml").write_text("[1, .nan]")
    (tmp_path / "x.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    (tmp_path / "latin.csv").write_bytes(b"time,origin\xff\n1,2\n")
    (tmp_path / "failing.py").write_text("1 / 0")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "odd\udcff").mkdir()
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_with_an_odd_value_ends_in_a_sentence(name: str, odd_folder: Path) -> None:
    raw, before = [], set(os.listdir(odd_folder))
    for line in calls(name):
        result = CliRunner().invoke(app, line)
        error = result.exception
        if isinstance(error, OSError) and error.filename is not None:
            continue  # `crowdgym.cli.start` says which file cannot be used
        if not (error is None or isinstance(error, SystemExit)) or result.exit_code not in (0, 1, 2):
            raw.append(f"{line!r:.200}: {error!r:.100}")
    assert raw == []
    assert before <= set(os.listdir(odd_folder))
