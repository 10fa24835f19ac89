"""``crowdgym bench`` with a suite in a YAML file: what it writes, also after kills, and which agents may play."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crowdgym.bench.jobs import Agent, PolicyCheckJob, check_policy
from crowdgym.cli.main import app

SUITE = """
about: for tests
environment: csc_v0
scenarios: [tiny]
settings: {horizon_s: 900.0}
grid:
  - {num_workers: [3, 6], num_tasks: [9]}
agents: [greedy, hold]
first_seed: 5
episodes: 3
metrics: [revenue]
share_of_bound: true
time_limit_s: 60
published:
  - {scenario: tiny, agent: greedy, at: {num_workers: 6, num_tasks: 9}, mean: 5000}
quick: {episodes: 1}
"""

POLICIES = """
import time

class Lucky:
    '''Draws from the global generator.'''
    def act(self, observations, infos):
        import random
        return {agent: random.randint(0, int(info["action_mask"].sum()) - 1) for agent, info in infos.items()}

class Raises:
    def reset(self, episode):
        self.steps = 0
    def act(self, observations, infos):
        self.steps += 1
        if self.steps == 3:
            raise KeyError("weights")
        return dict.fromkeys(infos, 0)

class Nonsense:
    def act(self, observations, infos):
        return {agent: 99 for agent in infos}

class Slow:
    def act(self, observations, infos):
        time.sleep(1000)

class NoWeights:
    def __init__(self):
        raise OSError("no weights.pt")
"""

RESULTS = {"run.json", "episodes.jsonl", "bounds.jsonl", "table.csv", "table.md", "plot-tiny-revenue.png"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a suite and policies of a user, as the current folder."""
    folder, before = tmp_path_factory.mktemp("own"), Path.cwd()
    (folder / "mine.yaml").write_text(SUITE)
    (folder / "own.py").write_text(POLICIES)
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def finished(folder: Path) -> Path:
    """The folder of a run with CrowdGym's agents and a user's, in one process."""
    out = folder / "whole"
    code, said = bench(out, "--agents", "greedy,own:Lucky", "--traces")
    assert code == 0, said
    return out


def bench(out: Path, *options: str, suite: str = "mine.yaml", jobs: int = 1) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["bench", suite, "--out", str(out), "--jobs", str(jobs), *options])
    return result.exit_code, result.output


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def lines(folder: Path, name: str = "episodes.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "table.csv").open() as file:
        return list(csv.DictReader(file))


def test_it_writes_a_line_for_each_episode_with_its_parameters_and_results(finished: Path) -> None:
    rows = lines(finished)
    assert len(rows) == 2 * 2 * 3
    first = {"suite": "mine", "scenario": "tiny", "agent": "greedy", "num_workers": 3, "num_tasks": 9, "seed": 5}
    assert {name: rows[0][name] for name in first} == first
    assert {"revenue", "completed", "expired", "travel_m", "illegal", "steps", "failure"} <= set(rows[0])
    assert {row["failure"] for row in rows} == {None}
    assert rows[0]["information"] == "decentralised (inside)"
    assert len(lines(finished, "bounds.jsonl")) == 2 * 3


def test_the_table_is_that_of_its_lines(finished: Path) -> None:
    rows, cells = lines(finished), table(finished)
    figures = ["mean", "sd", "iqm", "iqm_low", "iqm_high", "share_of_bound", "episodes", "paper", "information"]
    assert list(cells[0]) == ["scenario", "agent", "num_workers", "num_tasks", "metric", *figures]
    scores = [float(str(row["revenue"])) for row in rows if (row["agent"], row["num_workers"]) == ("greedy", 6)]
    (cell,) = [cell for cell in cells if (cell["agent"], cell["num_workers"]) == ("greedy", "6")]
    assert float(cell["mean"]) == pytest.approx(sum(scores) / 3, abs=1e-5)
    bounds = [row["bound"] for row in lines(finished, "bounds.jsonl") if row["num_workers"] == 6]
    shares = [score / float(str(bound)) for score, bound in zip(scores, bounds, strict=True)]
    assert float(cell["share_of_bound"]) == pytest.approx(sum(shares) / 3, abs=1e-5)
    assert 0 < float(cell["share_of_bound"]) <= 1
    assert (cell["episodes"], cell["paper"]) == ("3", "5000.000000")


def test_an_episode_is_that_of_crowdgym_run(finished: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    options = ["--scenario", "tiny", "--agent", "greedy", "--seed", "6", "--json", str(file)]
    settings = ["--set", "num_workers=3", "--set", "num_tasks=9", "--set", "horizon_s=900.0"]
    assert CliRunner().invoke(app, ["run", "csc_v0", *options, *settings]).exit_code == 0
    (row,) = [r for r in lines(finished) if (r["agent"], r["num_workers"], r["seed"]) == ("greedy", 3, 6)]
    assert json.loads(file.read_text())["episodes"][0]["revenue"] == row["revenue"]


def test_every_trace_can_be_verified_and_has_the_revenue_of_its_line(finished: Path) -> None:
    from crowdgym.traces import read_trace

    traces = sorted((finished / "traces").iterdir())
    assert len(traces) == len(lines(finished))
    revenues = sorted(read_trace(trace).header.metrics["revenue"] for trace in traces)
    assert revenues == sorted(float(str(row["revenue"])) for row in lines(finished))
    result = CliRunner().invoke(app, ["trace", "verify", str(traces[0])])
    assert result.exit_code == 0, result.output


def test_two_processes_write_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    assert bench(tmp_path, "--agents", "greedy,own:Lucky", "--traces", jobs=2)[0] == 0
    assert contents(tmp_path) == contents(finished)
    assert {name for name in contents(tmp_path) if "traces" not in name} == RESULTS


def test_parts_that_are_played_apart_and_put_together_have_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    """As docs/clusters.md says: several commands, each with a part of the suite."""
    whole, other = tmp_path / "few workers", tmp_path / "many workers"
    options = ("--agents", "greedy,own:Lucky", "--traces")
    for out, workers in ((whole, 3), (other, 6)):
        assert bench(out, *options, "--only", f"num_workers={workers}")[0] == 0
    for name in ("episodes.jsonl", "bounds.jsonl"):
        with (whole / name).open("ab") as file:
            file.write((other / name).read_bytes())
    shutil.copytree(other / "traces", whole / "traces", dirs_exist_ok=True)
    assert bench(whole, *options, "--resume")[0] == 0
    assert contents(whole) == contents(finished)


def test_killed_again_and_again_and_resumed_it_has_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    out, resumed = tmp_path / "out", False
    for wanted in (2, 8):  # lines of episodes, when it is killed
        kill_after(wanted, out, resume=resumed)
        resumed = True
        assert not (out / "table.csv").exists()
    (out / ".table.csv.a1b2c3").write_text("half a ta")  # killed while it wrote the table
    next((out / "traces").glob("*.trace")).unlink()  # an episode without its trace is not finished
    with (out / "episodes.jsonl").open("a") as file:
        file.write('{"suite": "mine", "scena')
    assert bench(out, "--agents", "greedy,own:Lucky", "--traces", "--resume")[0] == 0
    assert contents(out) == contents(finished)


def kill_after(episodes: int, out: Path, *, resume: bool) -> None:
    """Begin or go on, and kill it with SIGKILL as soon as there are so many lines; no process must be left."""
    options = ["mine.yaml", "--out", str(out), "--agents", "greedy,own:Lucky", "--traces", "--jobs", "2"]
    program = [sys.executable, "-c", "from crowdgym.cli.start import main; main()", "bench", *options]
    process = subprocess.Popen([*program, *(["--resume"] if resume else [])], stderr=subprocess.DEVNULL)
    file, patience_s = out / "episodes.jsonl", time.monotonic() + 120
    while not file.exists() or file.read_text().count("\n") < episodes:
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < patience_s
        time.sleep(0.002)
    workers = children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert workers or not Path("/proc").exists()
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < patience_s
        time.sleep(0.01)


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for file in tasks.glob("*/children") for child in file.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_an_agent_can_be_added_to_a_finished_run(finished: Path, tmp_path: Path) -> None:
    for name, content in contents(finished).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    code, said = bench(tmp_path, "--agents", "greedy,own:Lucky,hold", "--resume")
    assert code == 0
    assert "hold: 6 played now" in said
    assert "greedy: " not in said.split("mine\n")[0]
    before, now = lines(finished), lines(tmp_path)
    assert [row for row in now if row["agent"] != "hold"] == before
    assert {row["revenue"] for row in now if row["agent"] == "hold"} == {0.0}


def test_policies_that_fail_are_rows_and_do_not_stop_the_others(folder: Path, tmp_path: Path) -> None:
    agents = ["greedy", "own:Raises", "own:Nonsense", "own:Slow"]
    options = ["--agents", ",".join(agents), "--quick", "--only", "num_workers=3", "--time-limit", "5"]
    code, said = bench(tmp_path, *options, jobs=2)
    assert code == 0
    failures = {str(row["agent"]): str(row["failure"]) for row in lines(tmp_path) if row["failure"] is not None}
    assert failures == {
        "own:Raises": "the agent 'own:Raises', in episode 0 (seed 5), step 3, raised KeyError: 'weights' "
        f"({folder / 'own.py'}, line 16)",
        "own:Nonsense": "the agent 'own:Nonsense', in episode 0 (seed 5), step 1, chose an invalid action: "
        "the action of worker_0 must be a whole number from 0 to 10, got 99",
        "own:Slow": "it took longer than the time limit of 5 s",
    }
    cells = {cell["agent"]: cell for cell in table(tmp_path)}
    assert list(cells) == agents
    for agent, cell in cells.items():
        assert (cell["mean"] == "", cell["episodes"]) == (agent in failures, "0" if agent in failures else "1")
    assert said.count("failed: own:") == 3


# What is refused


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--jobs", "0"), "--jobs must be at least 1, got 0"),
        (("--agents", "greedy,unknown"), "there is no agent 'unknown' for csc_v0"),
        (("--agents", "own:Unknown"), "the agent 'own:Unknown' cannot be loaded: the module 'own' ("),
        (
            ("--agents", "own:NoWeights"),
            "the agent 'own:NoWeights' must be made without arguments, but making it",
        ),
        (("--scenario", "nowhere"), "the suite mine needs the scenario 'nowhere': "),
        (("--only", "num_workers=7"), "num_workers must be one of 3, 6, got '7'"),
        (("--page", "none.md"), "--page must be a Markdown file that can be read, got 'none.md'"),
        (
            ("--page", "own.py"),
            "--page must be a file with the lines <!-- tables: crowdgym bench mine --> and",
        ),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    options: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, said = bench(out, *options)
    assert code == 2, said
    assert message in said
    assert said.startswith("error: ")
    assert len(said.splitlines()) == 1
    assert not out.exists()


def test_a_suite_of_ones_own_that_is_not_there() -> None:
    code, said = bench(Path("nowhere"), suite="none.yaml")
    assert (code, said) == (2, "error: the suite none.yaml cannot be read: No such file or directory\n")


def refused(out: Path, *options: str) -> str:
    """What is said of a run that must not go on in ``out``; nothing of it changes."""
    before = contents(out)
    code, said = bench(out, *options)
    assert code == 2
    assert contents(out) == before
    return said


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """The files of a run that decide whether it goes on."""
    for name in ("run.json", "episodes.jsonl", "bounds.jsonl"):
        (tmp_path / name).write_bytes((finished / name).read_bytes())
    return tmp_path


def test_it_does_not_write_over_a_run(copied: Path) -> None:
    said = refused(copied, "--agents", "greedy,own:Lucky")
    assert "episodes.jsonl exists; give --resume to continue that run, or another --out" in said


def test_it_does_not_write_over_files_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("my figures\n")
    assert f"table.csv exists, but {tmp_path} holds no run; give another --out" in refused(tmp_path)
    assert f"table.csv exists, but {tmp_path} holds no run; give another --out" in refused(tmp_path, "--resume")


def test_a_run_is_not_resumed_without_an_agent_that_has_played(copied: Path) -> None:
    said = refused(copied, "--agents", "greedy", "--resume")
    assert "line 2 is of an episode that is not in this run; use another --out" in said


def test_a_run_is_not_resumed_with_other_settings(copied: Path) -> None:
    (copied / "mine.yaml").write_text(SUITE.replace("900.0", "800.0"))
    options = ["--agents", "greedy,own:Lucky", "--resume"]
    before = contents(copied)
    code, said = bench(copied, *options, suite=str(copied / "mine.yaml"))
    assert code == 2
    assert "holds a run that differs in the settings of tiny (horizon_s was 900.0, now it is 800.0)" in said
    assert contents(copied) == before


def test_a_run_is_not_resumed_with_a_policy_that_has_changed(copied: Path, folder: Path) -> None:
    policies = folder / "own.py"
    policies.write_text(POLICIES + "\n# better now\n")
    try:
        said = refused(copied, "--agents", "greedy,own:Lucky", "--resume")
    finally:
        policies.write_text(POLICIES)
    assert "holds a run that differs in the files of own:Lucky on tiny" in said


def test_a_run_without_its_description_is_not_resumed(copied: Path) -> None:
    (copied / "run.json").unlink()
    assert "run.json is missing, so the run in" in refused(copied, "--agents", "greedy,own:Lucky", "--resume")
    (copied / "run.json").write_text('{"crowdgym": "0.1.0"}')
    old = refused(copied, "--agents", "greedy,own:Lucky", "--resume")
    assert "holds a run of another version of CrowdGym; use another --out" in old
    (copied / "run.json").write_text("[]")
    assert "run.json is damaged" in refused(copied, "--agents", "greedy,own:Lucky", "--resume")


def test_the_tables_are_put_in_their_place_of_a_page(finished: Path, copied: Path) -> None:
    page = copied / "page.md"
    page.write_text("before\n<!-- tables: crowdgym bench mine -->\nold\n<!-- end of tables -->\nafter\n")
    assert bench(copied, "--agents", "greedy,own:Lucky", "--resume", "--page", str(page))[0] == 0
    tables = (finished / "table.md").read_text()
    assert page.read_text() == (
        f"before\n<!-- tables: crowdgym bench mine -->\n\n{tables}\n<!-- end of tables -->\nafter\n"
    )


def digest_of(agent: str, scenario: str) -> object:
    return check_policy(PolicyCheckJob("csc_v0", scenario, Agent(agent, agent)))["digest"]


def test_the_files_that_a_policy_names_are_part_of_what_it_is(folder: Path) -> None:
    (folder / "weighted.py").write_text(
        "class Weighted:\n    files = ('weights.bin',)\n    def act(self, observations, infos):\n        return {}\n"
    )
    (folder / "weights.bin").write_bytes(b"1")
    before = digest_of("weighted:Weighted", "tiny")
    assert digest_of("weighted:Weighted", "tiny") == before
    (folder / "weights.bin").write_bytes(b"2")
    assert digest_of("weighted:Weighted", "tiny") not in (before, "unknown")
    (folder / "weights.bin").unlink()
    assert digest_of("weighted:Weighted", "tiny") == "unknown"


def test_an_agent_that_learns_is_what_its_weights_for_a_scenario_are() -> None:
    digests = {digest_of("ippo", scenario) for scenario in ("chengdu-synth", "haikou-synth")}
    assert len(digests) == 2
    assert "unknown" not in digests
