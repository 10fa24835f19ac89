"""The command line on `dasc_v0`: run, files of tasks, traces and their checks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from crowdgym.cli.main import app
from crowdgym.traces import read_trace, write_trace

SHORT = ("run", "dasc_v0", "--scenario", "tiny", "--set", "step_s=30", "--set", "horizon_s=900", "--agent", "random")


def crowdgym(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ran(*arguments: object) -> str:
    result = crowdgym(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    ran(*SHORT, "--trace", tmp_path / "a.trace")
    return tmp_path / "a.trace"


def test_the_table_has_profit_and_what_became_of_requests() -> None:
    lines = [" ".join(line.split()) for line in ran(*SHORT).splitlines()]
    assert "dasc_v0 on tiny, agent random (decentralised, inside)" in lines
    assert "seed revenue profit completed expired travel, km illegal invalid unmatched steps wall, s" in lines


@pytest.mark.parametrize("mode", ["recommend", "select"])
def test_results_have_every_metric(tmp_path: Path, mode: str) -> None:
    ran(*SHORT, "--json", tmp_path / "out.json", "--set", f"action_mode={mode}", "--set", "utility=0.5,0.1")
    results = json.loads((tmp_path / "out.json").read_text())
    assert (results["config"]["action_mode"], results["config"]["utility"]) == (mode, [0.5, 0.1])
    mean = results["mean"]
    assert mean["revenue"] > 0
    assert mean["profit"] == pytest.approx(mean["revenue"] - mean["travel_cost"])
    assert mean["assigned"] > 0
    assert mean["steps"] == 30


def test_an_episode_is_drawn(tmp_path: Path) -> None:
    options = ("--scenario", "tiny", "--agent", "random", "--set", "step_s=60", "--set", "horizon_s=300")
    ran("run", "dasc_v0", *options, "--render", tmp_path / "out.gif")
    with Image.open(tmp_path / "out.gif") as gif:
        assert gif.size == (1000, 1000)
        assert 2 <= gif.n_frames <= 6


def test_an_unknown_agent_lists_those_of_this_environment() -> None:
    result = crowdgym("run", "dasc_v0", "--scenario", "tiny", "--agent", "best")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: there is no agent 'best' for dasc_v0; did you mean 'es'? (known: greedy, recommend-all, critical-path, "
        "rolling-horizon, task-schedule, random, hold, es; your own is given as module:Class, "
        "a trained one as its folder)\n"
    )


def test_a_trace_is_verified_checked_and_shown(trace: Path) -> None:
    assert f"{trace}: verified, 30 steps, revenue " in ran("trace", "verify", trace)
    assert f"{trace}: confirmed, 30 steps\n" in ran("trace", "check", trace)
    shown = ran("trace", "show", trace)
    assert "subtask_worker of every agent: compared exactly" in shown
    assert "worker_status of every worker: compared exactly" in shown
    assert "metrics of the whole: compared to" in shown


def test_what_breaks_a_rule_is_said_by_check_and_what_differs_by_verify(trace: Path) -> None:
    good = read_trace(trace)
    paid = good.values["paid"].copy()
    task = int(paid[-1].argmax())
    paid[-1, task] *= 2
    write_trace(trace, replace(good, values={**good.values, "paid": paid}))
    checked = crowdgym("trace", "check", trace)
    assert checked.exit_code == 1
    assert f"{trace}: BREAKS A RULE task {task} at 900 s: is paid more than once (expected 0.0, found" in checked.stderr
    verified = crowdgym("trace", "verify", trace)
    assert verified.exit_code == 1
    assert f"{trace}: DIFFERS step 30, task {task}: paid expected" in verified.stderr


def test_a_file_that_cannot_be_checked_does_not_keep_the_others_from_it(trace: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.trace"
    result = crowdgym("trace", "check", missing, trace)
    assert result.exit_code == 2
    assert result.stderr == f"{missing}: error: there is no file {missing}\n"
    assert f"{trace}: confirmed" in result.stdout


def test_a_file_of_tasks_is_played_and_a_changed_one_is_found_out(tmp_path: Path, trace: Path) -> None:
    from crowdgym.envs import dasc_v0
    from crowdgym.envs.dasc.task_files import write_instance

    env = dasc_v0.parallel_env(scenario="tiny", num_tasks=3)
    env.reset(seed=1)
    tasks, recorded = tmp_path / "tasks.json", tmp_path / "b.trace"
    write_instance(tasks, env.instance)
    ran(*SHORT, "--set", f"tasks_file={tasks}", "--trace", recorded)
    assert f"tasks_file {tasks}, " in ran("trace", "show", recorded)
    given = ("--file", f"tasks_file={tasks}")
    assert "verified" in ran("trace", "verify", recorded, *given)
    assert "confirmed" in ran("trace", "check", recorded, *given)
    tasks.write_text(tasks.read_text() + " ")
    result = crowdgym("trace", "verify", recorded, *given)
    assert result.exit_code == 2
    assert f"{recorded}: error: the trace was recorded with another tasks_file than {tasks} is: " in result.stderr
