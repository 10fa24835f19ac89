"""``crowdgym bench`` with a suite that has a hook: what it writes, how it is resumed, and what it refuses."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from crowdgym.cli.bench import unit_of
from crowdgym.cli.main import app

SMALL = ("--quick", "--scenario", "piemonte-synth", "--only", "agent=uns-ta,qco-ta,oo-mta,gps-ta,ewa-ta,gaussian-swap")


def bench(out: Path, *options: str, suite: str = "sensing-paper") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["bench", suite, "--out", str(out), "--jobs", "1", *options])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two seeds of six agents."""
    out = tmp_path_factory.mktemp("bench") / "run"
    assert bench(out, *SMALL)[0] == 0
    return out


def rows_of(folder: Path, agent: str) -> list[dict[str, Any]]:
    rows = map(json.loads, (folder / "episodes.jsonl").read_text().splitlines())
    return [row for row in rows if row["agent"] == agent]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_it_writes_episodes_a_table_a_page_and_a_plot(finished: Path) -> None:
    assert set(contents(finished)) == {"run.json", "episodes.jsonl", "table.csv", "table.md", "sensing_front.png"}
    rows = [json.loads(line) for line in (finished / "episodes.jsonl").read_text().splitlines()]
    assert len(rows) == 2 * 6
    assert {row["agent"] for row in rows} >= {"uns-ta", "gaussian-swap"}
    assert rows[0]["suite"] == "sensing-paper"
    assert {"error", "error_range", "cost_km", "error_per_attribute 1"} <= set(rows[0])
    assert (finished / "sensing_front.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_and_the_page_have_the_means_of_the_episodes_and_nothing_of_the_paper(finished: Path) -> None:
    rows = [json.loads(line) for line in (finished / "episodes.jsonl").read_text().splitlines()]
    costs = [row["cost_km"] for row in rows if row["agent"] == "uns-ta"]
    lines = (finished / "table.csv").read_text().splitlines()
    line = next(line for line in lines if ",uns-ta," in line and ",cost_km," in line)
    assert f",cost_km,{sum(costs) / 2:.6f}," in line
    assert line.endswith(",2,,centralised (inside)")  # two episodes, and no figure of the paper
    page = (finished / "table.md").read_text()
    assert f"| `uns-ta` | 8 | {sum(costs) / 2:.2f} |" in page
    assert "paper" not in page


def test_it_takes_another_number_of_episodes_a_time_limit_and_traces(tmp_path: Path) -> None:
    some = ("--quick", "--scenario", "piemonte-synth", "--agents", "uns-ta")
    code, said = bench(tmp_path, *some, "--episodes", "1", "--time-limit", "60", "--traces")
    assert code == 0, said
    (trace,) = (tmp_path / "traces").iterdir()
    assert CliRunner().invoke(app, ["trace", "verify", str(trace)]).exit_code == 0


def test_crowdgym_s_own_agents_may_be_isolated_with_the_same_results(finished: Path, tmp_path: Path) -> None:
    some = (*SMALL[:-1], "agent=gps-ta", "--isolated")
    assert bench(tmp_path, *some)[0] == 0
    rows, alike = (rows_of(folder, "gps-ta") for folder in (tmp_path, finished))
    assert [row["information"] for row in rows] == ["centralised (isolated)"] * 2
    assert [row["information"] for row in alike] == ["centralised (inside)"] * 2
    assert [row["error"] for row in rows] == [row["error"] for row in alike]


def test_a_killed_run_is_resumed_and_has_the_same_results(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes((finished / "run.json").read_bytes())
    whole = (finished / "episodes.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    (tmp_path / "episodes.jsonl").write_bytes(b"".join(lines[5:8]) + lines[2][:40])  # another order, and half a line
    code, said = bench(tmp_path, *SMALL, "--resume")
    assert (code, said.count("wrote ")) == (0, 3)
    assert contents(tmp_path) == contents(finished)


def test_a_finished_run_that_is_resumed_plays_nothing(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crowdgym.execution import processes

    monkeypatch.setattr(processes, "_serve", None)  # no process can be started
    for name in ("run.json", "episodes.jsonl"):
        (tmp_path / name).write_bytes((finished / name).read_bytes())
    assert bench(tmp_path, *SMALL, "--resume")[0] == 0
    assert contents(tmp_path) == contents(finished)


def test_two_processes_have_the_same_results(finished: Path, tmp_path: Path) -> None:
    assert bench(tmp_path, *SMALL, "--jobs", "2")[0] == 0
    assert contents(tmp_path) == contents(finished)


def test_it_does_not_write_over_a_run(finished: Path) -> None:
    code, said = bench(finished, *SMALL)
    assert code == 2
    assert "episodes.jsonl exists; give --resume to continue that run, or another --out" in " ".join(said.split())


def test_another_run_is_not_resumed(finished: Path, tmp_path: Path) -> None:
    for name in ("run.json", "episodes.jsonl"):
        (tmp_path / name).write_bytes((finished / name).read_bytes())
    code, said = bench(tmp_path, "--quick", "--scenario", "piemonte-synth", "--only", "agent=uns-ta", "--resume")
    assert code == 2
    assert "line 1 is of an episode that is not in this run" in " ".join(said.split())
    assert (tmp_path / "episodes.jsonl").read_bytes() == (finished / "episodes.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--jobs", "0"), "--jobs must be at least 1, got 0"),
        (("--only", "agent"), "--only must be NAME=VALUE or NAME=VALUE,VALUE, got 'agent'"),
        (("--only", "agent=unknown"), "agent must be one of gaussian-swap, "),
        (("--scenario", "nowhere"), "nowhere"),
        (("--scenario", "tiny"), "tiny"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    options: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, said = bench(out, *(("--scenario", "piemonte-synth") if "--scenario" not in options else ()), *options)
    assert code == 2, said
    assert message in " ".join(said.split())
    assert said.startswith("error: ")
    assert len(said.splitlines()) == 1
    assert not out.exists()


def test_a_suite_that_is_not_there_is_named_with_what_is(tmp_path: Path) -> None:
    code, said = bench(tmp_path, suite="sensing-papers")
    assert code == 2
    assert "there is no suite 'sensing-papers'; did you mean 'sensing-paper'? (known: csc-paper, " in said


def test_without_the_real_series_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "empty"))
    code, said = bench(tmp_path / "out")
    assert code == 2
    assert "the suite sensing-paper needs the scenario 'piemonte'; 'crowdgym data fetch piemonte' gets it: " in said


@pytest.mark.real_data
def test_on_the_real_series_uniform_sampling_costs_what_it_does_in_the_paper(
    shared_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shared_data("piemonte")
    monkeypatch.setenv("CROWDGYM_DATA", str(tmp_path / "cache"))
    assert CliRunner().invoke(app, ["data", "build", "piemonte", "--from", str(source)]).exit_code == 0
    some = ("--only", "agent=uns-ta", "--only", "inference=knn", "--only", "start_s=0.0", "--only", "seed=0,1")
    assert bench(tmp_path / "out", *some)[0] == 0
    page = (tmp_path / "out" / "table.md").read_text()
    verdicts = [line.rsplit("| ", 1)[1] for line in page.splitlines() if line.startswith("| UNS-TA's ")]
    assert verdicts == ["yes |", "yes |"]


@dataclass(frozen=True)
class StandIn:
    """A job with these parameters."""

    of: dict[str, Any]

    def parameters(self) -> dict[str, Any]:
        return self.of

    def isolation_group(self) -> str:
        return ""


def test_progress_counts_jobs_where_not_all_of_them_are_episodes() -> None:
    episode, bound = StandIn({"agent": "greedy", "seed": 0}), StandIn({"seed": 0})
    assert unit_of([episode, episode]) == "episodes"
    assert unit_of([episode, bound]) == "jobs"
