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
from itertools import product
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from crowdgym.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


LINES = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
SNIPPETS = blocks("python")


def commands(program: str) -> list[str]:
    """The lines that call ``program``, without its name, in the order of the README."""
    return [shlex.join(line[1:]) for line in LINES if line[0] == program]


def needs_internet(command: str) -> bool:
    return "--place" in command or "--bbox" in command or command.startswith("data fetch")


ONLINE = [command for command in commands("crowdgym") if needs_internet(command)]
OFFLINE = [command for command in commands("crowdgym") if not needs_internet(command)]


def saved_as(snippet: str) -> str | None:
    """The name of the file that a snippet is to be saved as, if it is one of those."""
    name = re.match(r"# (\w+\.py)\n", snippet)
    return name.group(1) if name else None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder of a reader: snippets saved under their names, and files of a city and its orders."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    for snippet in SNIPPETS:
        if name := saved_as(snippet):
            (tmp_path / name).write_text(snippet)
    write_city(tmp_path)
    noise = [f"{sensor},{hour},{sensor},0,{50 + hour}" for sensor in range(3) for hour in range(2)]
    write_table(tmp_path / "noise.csv", "sensor,hour,x_km,y_km,db", noise)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.split(".")[0] == "my_policy":
            del sys.modules[name]


def write_city(folder: Path, size: int = 20) -> None:
    """Streets like a chess board, 111 m apart, and an order every 3 s between 8 and 9 o'clock.

    The columns are those of the real files of Haikou.
    """
    squares = list(product(range(size), repeat=2))
    nodes = [f"{x + size * y},{110.3 + x / 1000:.4f},{20.0 + y / 1000:.4f}" for x, y in squares]
    ways = [(x + size * y, x + 1 + size * y) for x, y in squares if x + 1 < size]
    ways += [(x + size * y, x + size * (y + 1)) for x, y in squares if y + 1 < size]
    links = [f"{link},{tail},{head},111" for link, (tail, head) in enumerate(ways)]
    orders = [f"2017-05-01 08:{s // 60:02d}:{s % 60:02d},{s * 7 % 400},{s * 13 % 400}" for s in range(0, 3600, 3)]
    write_table(folder / "node.csv", "node_id,x_coord,y_coord", nodes)
    write_table(folder / "link.csv", "link_id,from_node_id,to_node_id,length", links)
    write_table(folder / "orders" / "2017-05-01.csv", "departure_time,origin_id,destination_id", orders)


def write_table(file: Path, heading: str, rows: list[str]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join([heading, *rows]) + "\n")


def crowdgym(command: str) -> str:
    """Run a command, one episode only; returns what it says."""
    result = CliRunner().invoke(app, shlex.split(re.sub(r"--episodes \d+", "--episodes 1", command)))
    assert result.exit_code == 0, f"crowdgym {command}\n{result.output}"
    return result.stdout


# Snippets


@pytest.mark.parametrize("snippet", [s for s in SNIPPETS if not saved_as(s)], ids=lambda s: s.splitlines()[0])
def test_a_snippet_runs_and_prints_something(folder: Path, snippet: str) -> None:
    done = subprocess.run([sys.executable, "-c", snippet], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "is compiling" not in line] == []
    assert done.stdout.strip()


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
    assert {line[0] for line in LINES} <= {"make", "crowdgym", "python"}
    assert len(OFFLINE) > 5
    assert len(ONLINE) == 3


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", commands("make"))
def test_make_has_the_target(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", commands("python"))
def test_a_python_command_runs_and_prints_something(folder: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, *shlex.split(command)], cwd=folder, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) > 20


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", [c for c in OFFLINE if "haikou " not in f"{c} "])
def test_a_crowdgym_command_runs(command: str) -> None:
    assert crowdgym(command)


def test_the_commands_for_ones_own_city_run_one_after_the_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(folder / "cache"))
    own = [c for c in OFFLINE if "haikou " in f"{c} "]
    assert [c.split()[:2] for c in own] == [["data", "build"], ["data", "info"], ["run", "csc_v0"]]
    build, info, run = map(crowdgym, own)
    assert "use it with scenario='haikou'" in build
    assert re.search(r"nodes +400\n", info)
    assert re.search(r"orders +1,200,", info)
    assert "csc_v0 on haikou, agent greedy" in run


@pytest.mark.parametrize("command", ONLINE)
def test_a_command_that_needs_the_internet_has_options_that_exist(command: str) -> None:
    group = typer.main.get_command(app)
    part, verb, *options = shlex.split(command)
    for name in (part, verb):
        group = group.commands[name]  # type: ignore[attr-defined]
    params = group.make_context(verb, options).params
    assert verb == "fetch" or params["place"] or len(params["bbox"].split(",")) == 4


# What else it says


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["haikou-synth", "chengdu-synth"])
def test_the_policies_earn_what_it_says(folder: Path, scenario: str) -> None:
    (command,) = [c for c in OFFLINE if c.startswith(f"demo --scenario {scenario}")]
    result = CliRunner().invoke(app, shlex.split(command))
    printed = re.findall(r"^ (\w+) +([\d,]+) ± [\d,]+ ", result.stdout, re.MULTILINE)
    (row,) = re.findall(rf"^\| `{scenario}` \| (.* ± .*) \|$", README, re.MULTILINE)
    written = [cell.split(" ± ")[0] for cell in row.split(" | ")]
    assert [agent for agent, _ in printed] == ["greedy", "random", "hold"]
    for (_, earned), claimed in zip(printed, written, strict=True):
        assert int(claimed.replace(",", "")) == pytest.approx(int(earned.replace(",", "")), rel=0.01)


def test_its_figures_of_speed_are_those_of_the_page_on_performance() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    pattern = r"^\| (?P<name>[^|]+) \| (?P<sizes>[\d,]+ × [\d,]+) \| (?:[\d,]+ \| )?(?P<rate>[\d,]+) \|"
    (ours, theirs) = (re.findall(pattern, text, re.MULTILINE) for text in (README, page))
    assert len(ours) > 3
    assert ours == theirs


def test_every_file_it_names_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    named = links + re.findall(r"`((?:agents|configs|docs|benchmarks)/[\w./]+)`", README)
    assert len(named) > 3
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_its_picture_is_one_of_our_viewer_and_small() -> None:
    from PIL import Image

    (name,) = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    assert (ROOT / name).stat().st_size < 300_000
    with Image.open(ROOT / name) as picture:
        assert picture.size == (1000, 1000)


def test_it_lists_every_environment_policy_and_embedded_city() -> None:
    from crowdgym import environment_names
    from crowdgym.data.names import embedded_names
    from crowdgym.policies import policy_names

    policies = {name for environment in environment_names() for name in policy_names(environment)}
    for name in (*environment_names(), *policies, *embedded_names()):
        assert f"\n| `{name}` |" in README


def test_the_sizes_of_the_embedded_cities_are_right() -> None:
    from crowdgym.data.names import city_names, series_names
    from crowdgym.data.registry import load_dataset, load_series

    for name in series_names():
        assert f"| `{name}` | {load_series(name).num_cells} | {load_series(name).num_cycles} |" in README
    for name in city_names():
        network = load_dataset(name).network
        assert f"| `{name}` | {network.num_nodes:,} | {network.num_edges:,} |" in README


def test_the_schemes_of_sensing_come_to_what_the_results_say() -> None:
    page = (ROOT / "docs" / "sensing_results.md").read_text(encoding="utf-8")
    means = page.split("Means over the columns with KNN:")[1].split("\n## ")[0]
    measured = dict(re.findall(r"^\| (`[a-z-]+`) \| (.*) \|$", means, re.MULTILINE))
    claimed = re.findall(r"^\| (`[a-z-]+`) \| [^|]+ \| (\d\.\d{4}) \| ([\d.]+) \|$", README, re.MULTILINE)
    assert len(claimed) == 9
    for scheme, error, cost_km in claimed:
        figures = measured[scheme].split(" | ")
        assert (error, cost_km) == (figures[0], figures[2])
