"""The whole command line: commands found by file, quick help, clean endings, completion, ``python -m crowdgym``."""

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from gymnasium.error import InvalidAction
from typer.testing import CliRunner, Result

import crowdgym
import crowdgym.cli
from crowdgym.cli.main import app, command_line
from crowdgym.common.errors import CrowdGymError, CrowdGymWarning, DataWarning

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.findall(
    r"^```python\n(.*?)^```$",
    (ROOT / "docs/how_to_add/command.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)[0]
HEAVY = {"torch", "numba", "pandas", "matplotlib", "scipy", "sklearn", "osmnx", "pyarrow", "shapely"}


def invoke(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def commands_in(text: str) -> list[str]:
    """The commands that a help lists."""
    lines = text.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], typer.Typer]]:
    """Add a file to the package's folders and return the command line that has it."""
    monkeypatch.setattr(crowdgym.cli, "__path__", [*crowdgym.cli.__path__, str(tmp_path)])

    def add(name: str, source: str) -> typer.Typer:
        (tmp_path / f"{name}.py").write_text(source)
        return command_line()

    yield add
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"crowdgym.cli.{file.stem}", None)


# Commands by file


def test_the_help_lists_the_commands_by_name() -> None:
    listed = commands_in(invoke("--help").stdout)
    assert listed == sorted(listed)
    assert set(listed) >= {"bench", "calibrate", "data", "demo", "run", "speed", "trace", "train"}


def test_the_example_of_the_documentation_is_a_command_by_its_file_alone(
    added: Callable[[str, str], typer.Typer],
) -> None:
    whole = added("tasks", EXAMPLE)
    assert "tasks" in commands_in(CliRunner().invoke(whole, ["--help"]).stdout)
    words = ["tasks", "csc_v0", "--scenario", "tiny", "--set", "num_tasks=7"]
    assert CliRunner().invoke(whole, words).stdout == "csc_v0: 7 tasks\n"
    refused = CliRunner().invoke(whole, [*words, "--most", "6"])
    assert (refused.exit_code, refused.stderr) == (
        2,
        "error: the number of tasks must be at most --most = 6, got 7\n",
    )


def test_a_file_without_an_app_adds_nothing(added: Callable[[str, str], typer.Typer]) -> None:
    before = commands_in(invoke("--help").stdout)
    assert commands_in(CliRunner().invoke(added("helper", "app = 3\n"), ["--help"]).stdout) == before


# Help


def every_help() -> list[tuple[str, ...]]:
    """The words of every command and of every group of commands."""
    whole = [(name,) for name in commands_in(invoke("--help").stdout)]
    groups = [words for words in whole if "COMMAND [ARGS]" in invoke(*words, "--help").stdout]
    return [(), *whole, *((*group, name) for group in groups for name in commands_in(invoke(*group, "--help").stdout))]


@pytest.mark.parametrize("words", every_help(), ids=" ".join)
def test_a_help_is_plain_text_of_80_columns_and_cuts_nothing(words: tuple[str, ...]) -> None:
    result = invoke(*words, "--help")
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert not re.search(r"[╭│╰]", result.stdout)
    if "Commands:\n" in result.stdout:
        assert "..." not in result.stdout.split("Commands:\n")[1]


def test_the_help_of_data_build_has_a_section_for_each_kind_of_option() -> None:
    said = invoke("data", "build", "--help").stdout
    headings = [line for line in said.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        "Arguments:",
        "Roads (one source):",
        "Orders:",
        "Workers and places (else drawn):",
        "Sensing series (no roads, no orders):",
        "Text in files:",
        "Options:",
    ]
    orders = said.split("Orders:\n")[1].split("\n\n")[0]
    assert "--max-snap-m" in orders
    assert "--bbox" not in orders


@pytest.mark.parametrize(
    ("command", "headings"),
    [
        (
            "run",
            [
                *("Arguments:", "Environment:", "Policy:", "How the policy is made and played:", "Episodes:", "Files:"),
                *("Animation:", "Options:"),
            ],
        ),
        ("train", ["Arguments:", "Environment and hyperparameters:", "Run:", "Machine:", "Options:"]),
        ("bench", ["Arguments:", "What is played:", "Machines:", "Files:", "Options:"]),
    ],
)
def test_the_help_of_long_commands_has_sections(command: str, headings: list[str]) -> None:
    said = invoke(command, "--help").stdout
    assert [line for line in said.splitlines() if line.endswith(":") and not line.startswith(" ")] == headings
    assert said.split("Options:\n")[1].split()[0] == "--help"


def test_the_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom crowdgym.cli.main import app\ntry:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('imported:', *sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = done.stdout.split("imported:")[1].split()
    assert "crowdgym.cli.bench" in imported
    assert set(imported) & HEAVY == set()


# Endings


ENDINGS = """
import typer
app = typer.Typer()

@app.command()
def ending(kind: str) -> None:
    raise KINDS[kind]
"""


@pytest.fixture
def ending(added: Callable[[str, str], typer.Typer]) -> Callable[[BaseException], Result]:
    """Run a command without any decorator of its own that raises an exception."""
    whole = added("ending", ENDINGS)

    def run(error: BaseException) -> Result:
        sys.modules["crowdgym.cli.ending"].KINDS = {"x": error}  # type: ignore[attr-defined]
        return CliRunner().invoke(whole, ["ending", "x"])

    return run


class OutsideError(CrowdGymError):
    """Defined outside the package."""


class OutsideWarning(CrowdGymWarning):
    """Defined outside the package."""


def test_an_exception_of_crowdgym_is_one_line_and_exit_code_2(ending: Callable[[BaseException], Result]) -> None:
    result = ending(OutsideError("first\n  second"))
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "error: first second\n")


def test_an_interrupt_is_one_line_and_exit_code_130(ending: Callable[[BaseException], Result]) -> None:
    result = ending(KeyboardInterrupt())
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize("error", [ValueError("wrong"), InvalidAction("wrong")], ids=["ValueError", "InvalidAction"])
def test_a_fault_of_the_program_keeps_its_traceback(
    error: Exception, ending: Callable[[BaseException], Result]
) -> None:
    result = ending(error)
    assert result.exception is error
    assert result.stderr == ""


@pytest.mark.parametrize("kind", [DataWarning, OutsideWarning])
def test_a_warning_of_crowdgym_is_one_line(kind: type[Warning], added: Callable[[str, str], typer.Typer]) -> None:
    source = "import typer\napp = typer.Typer()\n\n@app.command()\ndef warn() -> None:\n    WARN()\n"
    whole = added("warn", source)
    sys.modules["crowdgym.cli.warn"].WARN = lambda: warnings.warn("built\nagain", kind, stacklevel=1)  # type: ignore[attr-defined]
    result = CliRunner().invoke(whole, ["warn"])
    assert (result.exit_code, result.stderr) == (0, "warning: built again\n")


def test_a_misspelt_command_is_a_usage_error_with_a_suggestion() -> None:
    result = invoke("tarin")
    assert result.exit_code == 2
    assert "No such command 'tarin'. Did you mean 'train'?" in result.stderr


# Completion


def completed(line: str) -> list[str]:
    """What bash is given for a line, the cursor at its end."""
    words = line.split(" ")
    environment = {"_CROWDGYM_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "crowdgym"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("crowdgym tr", ["trace", "train"]),
        ("crowdgym data l", ["list"]),
        ("crowdgym run ", list(crowdgym.environment_names())),
        ("crowdgym run csc_v0 --agent g", ["greedy"]),
        ("crowdgym run sensing_v0 --agent e", ["ewa-ta"]),
        ("crowdgym run --agent g", []),
        ("crowdgym run csc_v0 --scenario ti", ["tiny"]),
        ("crowdgym train i", ["ices", "ippo"]),
        ("crowdgym bench c", ["csc-paper", "csc-planners", "csc-shift"]),
    ],
)
def test_a_shell_completes_names(line: str, expected: list[str]) -> None:
    assert completed(line) == expected


def test_a_dataset_that_was_built_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crowdgym.cli.shared.completion import scenarios
    from crowdgym.data.store import datasets_folder

    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path))
    (datasets_folder() / "zzz-mine").mkdir(parents=True)
    (datasets_folder() / ".zzz-half").mkdir()
    assert scenarios("zzz") == ["zzz-mine"]
    assert scenarios(".") == []


# Starting


@pytest.mark.parametrize("program", [["-m", "crowdgym"], ["-c", "from crowdgym.cli.start import main; main()"]])
def test_it_says_its_version(program: list[str]) -> None:
    done = subprocess.run([sys.executable, *program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"crowdgym {crowdgym.__version__}\n"


def test_python_dash_m_calls_itself_crowdgym() -> None:
    done = subprocess.run([sys.executable, "-m", "crowdgym", "train"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: crowdgym train ")
