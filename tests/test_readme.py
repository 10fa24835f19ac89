"""Everything in the README that can be typed is typed here, in the folder of a reader who has done as it says.

What would take long is played for one episode only. What needs the internet is checked up to the point where it would
be asked: the options exist and their values fit.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import blocks_of, run_crowdgym, run_python, write_streets

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")

BLOCKS = blocks_of(README)
LINES = [shlex.split(line) for block in BLOCKS for line in block.commands]
SNIPPETS = [block for block in BLOCKS if block.language == "python"]


def commands(program: str) -> list[str]:
    """The lines that call ``program``, without its name, in the order of the README."""
    return [shlex.join(line[1:]) for line in LINES if line[0] == program]


TRAINING = [c for c in commands("crowdgym") if c.startswith("train") or "--agent first" in c]
OWN_CITY = [c for c in commands("crowdgym") if re.search(r"\btown\b", c)]
OTHERS = [c for c in commands("crowdgym") if c not in (*TRAINING, *OWN_CITY)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder of a reader: snippets saved under their names, and files of a town and its orders."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    for block in SNIPPETS:
        if block.saved_as:
            (tmp_path / block.saved_as).write_text(block.text)
    write_streets(tmp_path / "town.osm")
    orders = [
        f"2017-05-01 08:{s // 60:02d}:{s % 60:02d},{110.3 + s % 19 / 1000},{20 + s % 17 / 1000}" for s in range(3600)
    ]
    (tmp_path / "orders.csv").write_text("\n".join(["time,lng,lat", *orders]) + "\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.split(".")[0] == "my_policy":
            del sys.modules[name]


def crowdgym(command: str) -> str:
    """Run a command, one episode only, a suite on the smallest city; returns what it says."""
    command = command.replace("--only scenario=haikou-paper", "--scenario tiny")
    return run_crowdgym(re.sub(r"--episodes \d+", "--episodes 1", command))


# Snippets


@pytest.mark.parametrize("snippet", [s.text for s in SNIPPETS if not s.saved_as], ids=lambda s: s.splitlines()[0])
def test_a_snippet_runs_and_prints_something(folder: Path, snippet: str) -> None:
    assert run_python(folder, "-c", re.sub(r"\.learn\([\d_]+\)", ".learn(500)", snippet)).strip()


@pytest.mark.usefixtures("folder")
def test_the_policy_of_the_readme_sends_no_two_agents_to_the_same_task_in_one_step() -> None:
    from crowdgym import make
    from crowdgym.policies import load_policy

    env = make("csc_v0", scenario="tiny", num_workers=20)
    policy = load_policy("my_policy:Spread", "csc_v0")
    observations, infos = env.reset(seed=0)
    chosen = 0
    while env.agents:
        actions = policy.act(observations, infos)
        tasks = [infos[agent]["candidates"][action - 1] for agent, action in actions.items() if action]
        assert len(tasks) == len(set(tasks))
        chosen += len(tasks)
        observations, _, _, _, infos = env.step(dict(actions))
    assert chosen > 0
    assert env.metrics.illegal == 0


# Commands


def test_every_command_is_one_that_is_tried_here() -> None:
    assert {line[0] for line in LINES} <= {"make", "crowdgym"}
    assert (len(TRAINING), len(OWN_CITY)) == (2, 3)
    assert len(OTHERS) > 5


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", commands("make"))
def test_make_has_the_target(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", OTHERS)
def test_a_crowdgym_command_runs(command: str) -> None:
    assert crowdgym(command)


def test_the_commands_for_ones_own_city_run_one_after_the_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(folder / "cache"))
    build, info, run = map(crowdgym, OWN_CITY)
    assert "use it with scenario='town'" in build
    assert re.search(r"nodes +396\n", info)  # 20 × 20, of which the corners are no crossings
    assert re.search(r"orders +3,600,", info)
    assert "csc_v0 on town, agent greedy" in run


@pytest.mark.usefixtures("folder")
def test_the_commands_of_the_learner_run_one_after_the_other() -> None:
    train, play = TRAINING
    small = "--set evaluation_episodes=2 --set num_envs=2"
    crowdgym(f"{re.sub('--steps [0-9]+', '--steps 1', train)} {small}".replace("haikou-synth", "tiny"))
    assert "csc_v0 on tiny, agent first" in crowdgym(play)


# What else it says


@pytest.mark.slow
def test_the_curve_is_the_one_to_expect(folder: Path) -> None:
    crowdgym(TRAINING[0])
    rows = [row.split(",") for row in (folder / "first" / "curve.csv").read_text().splitlines()]
    column = rows[0].index("evaluation")
    earned = [float(row[column]) for row in rows[1:] if row[column]]
    (written,) = re.findall(r"^\| 0 \| (.*) \|$", README, re.MULTILINE)
    shares = [float(share) for share in written.split(" | ")]
    greedy = earned[-1] / shares[-1]
    assert len(earned) == len(shares)
    assert [revenue / greedy for revenue in earned] == pytest.approx(shares, abs=0.02)


def test_every_file_it_names_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    named = links + re.findall(r"`((?:agents|configs|docs|benchmarks)/[\w./]+)`", README)
    assert len(named) > 3
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_its_picture_is_the_animation_of_a_whole_episode_and_below_a_megabyte() -> None:
    from PIL import Image

    (name,) = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert (ROOT / name).stat().st_size < 1_000_000
    with Image.open(ROOT / name) as picture:
        assert picture.size == (1000, 1000)
        assert picture.n_frames == 121  # type: ignore[attr-defined]  # of a GIF: the start, and 120 steps


def test_the_command_of_its_picture_is_the_one_that_draws_it() -> None:
    (command,) = re.findall(r"^`(crowdgym run .*)` draws it\.\*$", README, re.MULTILINE)
    assert command in (ROOT / "docs" / "pictures" / "draw.sh").read_text(encoding="utf-8").splitlines()


def test_it_has_a_row_for_every_environment() -> None:
    from crowdgym import environment_names

    assert re.findall(r"^\| `(\w+_v\d+)` \|", README, re.MULTILINE) == list(environment_names())


def test_the_figures_of_its_table_are_those_of_the_page_of_results() -> None:
    rows = re.findall(r"^\| `\w+_v\d+` \| (.*) \|$", README, re.MULTILINE)
    figures = [figure for row in rows for figure in re.findall(r"\d[\d,]*\.\d+(?: %)?|\d+,\d{3}", row)]
    assert len(figures) >= 6
    assert [figure for figure in figures if figure not in RESULTS] == []
