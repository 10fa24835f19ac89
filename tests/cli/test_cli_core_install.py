"""What a core install can do: every package of an extra is hidden from processes that run commands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crowdgym.common.extras import EXTRAS

HIDE = f"""
import sys
HIDDEN = {sorted(EXTRAS)!r}
class Hiding:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in HIDDEN else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
"""

SUITE = """
about: two policies on the smallest city
environment: csc_v0
scenarios: [tiny]
grid:
  - {num_workers: [4]}
agents: [greedy, random]
episodes: 2
metrics: [revenue]
share_of_bound: false
"""


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    (folder / "hiding").mkdir(exist_ok=True)
    (folder / "hiding" / "sitecustomize.py").write_text(HIDE)
    environment = {**os.environ, "PYTHONPATH": str(folder / "hiding"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "crowdgym", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_packages_are_hidden(tmp_path: Path) -> None:
    program = "import importlib.util\nprint([importlib.util.find_spec(name) for name in ('torch', 'numpy')][0])"
    (tmp_path / "sitecustomize.py").write_text(HIDE)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--scenario", "tiny", "--episodes", 1),
        ("run", "csc_v0", "--scenario", "tiny", "--agent", "greedy", "--episodes", 1),
        ("run", "dasc_v0", "--scenario", "tiny", "--agent", "random", "--episodes", 1),
        ("run", "preference_v0", "--scenario", "preference-tiny", "--agent", "random", "--episodes", 1),
        ("run", "sensing_v0", "--agent", "random", "--episodes", 1),
        ("bench", "suite.yaml", "--jobs", 1),
        ("agents",),
    ],
    ids=lambda arguments: "-".join(map(str, arguments[:2])),
)
def test_it_plays_compares_and_draws(arguments: tuple[object, ...], tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    done = run(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def needs(what: str, package: str, extra: str) -> str:
    return f"error: {what} needs the package {package}, which is not installed: pip install 'crowdgym[{extra}]'\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("train", "ippo", "csc_v0", "--steps", 1, "--out", "trained"), needs("'crowdgym train'", "torch", "agents")),
        (("run", "csc_v0", "--agent", "ippo"), needs("the agent 'ippo'", "torch", "agents")),
        (("run", "sensing_v0", "--agent", "random", "--set", "inference=svr"), needs("this", "sklearn", "svr")),
    ],
    ids=["train", "trained", "svr"],
)
def test_what_needs_more_says_what_in_one_sentence(
    arguments: tuple[object, ...], expected: str, tmp_path: Path
) -> None:
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (2, expected)
    assert done.stdout == ""
