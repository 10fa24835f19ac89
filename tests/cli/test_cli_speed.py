"""``crowdgym speed``, on the smallest city. That it is fast is for benchmarks/ to show, not for a test."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from crowdgym.cli.main import app
from crowdgym.envs.csc.env import CscEnv, CscVectorEnv
from crowdgym.measure.machine import machine_description, peak_memory_bytes
from crowdgym.measure.speed import SpeedResult, SpeedRun, measure_speed

TINY = ("speed", "csc_v0", "--scenario", "tiny")
SHORT = ("--set", "horizon_s=150", "--runs", 2)  # an episode of five steps of 30 s


def crowdgym(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def ran(*arguments: object) -> str:
    result = crowdgym(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: object) -> str:
    """The one line that a command says instead of doing anything."""
    result = crowdgym(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("error: ").removesuffix("\n")


def json_of(file: Path, *arguments: object) -> Any:
    ran(*TINY, *SHORT, "--json", file, *arguments)
    return json.loads(file.read_text())


# What is printed and written


def test_the_table_has_every_figure() -> None:
    lines = ran(*TINY, *SHORT, "--num-envs", 3).splitlines()
    assert lines[0] == "csc_v0, vector interface: 3 copies of 12 agents, 2 runs of 5 steps"
    for beginning in (
        " agent-steps a second, median ",
        " the same, slowest to fastest run ",
        " the same, thirds of a run ",
        " the same, resets included ",
        " step, median ",
        " step, 95th percentile ",
        " step of one copy, median ",
        " reset of one copy, median ",
        " processor time over time, stepping ",
        " make and first reset",
        " first step",
    ):
        assert len([line for line in lines if line.startswith(beginning)]) == 1
    assert ", Python " in lines[-1].replace(";", ",")


def test_the_dict_interface_is_one_copy() -> None:
    said = ran(*TINY, *SHORT, "--interface", "dict")
    assert said.startswith("csc_v0, dict interface: 1 copy of 12 agents, 2 runs of 5 steps\n")


def test_the_json_has_settings_figures_raw_values_and_the_machine(tmp_path: Path) -> None:
    written = json_of(tmp_path / "out.json", "--num-envs", 3, "--set", "num_threads=2", "--seed", 7)
    assert list(written) == [
        *("env", "interface", "num_envs", "num_agents", "observation_numbers", "seed"),
        *("config", "options", "figures", "runs", "machine"),
    ]
    assert (written["env"], written["interface"], written["num_envs"], written["num_agents"]) == (
        *("csc_v0", "vector", 3, 12),
    )
    assert (written["seed"], written["options"]) == (7, {"num_threads": 2})
    assert written["config"]["horizon_s"] == 150
    assert [len(run["step_s"]) for run in written["runs"]] == [5, 5]
    assert [run["reset_copies"] for run in written["runs"]] == [[3], [3]]
    figures = written["figures"]
    assert figures["agent_steps_per_s"] == pytest.approx(
        median(3 * 12 * 5 / sum(run["step_s"]) for run in written["runs"])
    )
    steps_s = [took_s for run in written["runs"] for took_s in run["step_s"]]
    assert figures["step_s"] == pytest.approx(median(steps_s))
    assert figures["copy_step_s"] == pytest.approx(median(steps_s) / 3)
    assert figures["first_reset_s"] > 0
    assert written["machine"] == machine_description()


def test_a_json_file_says_where_it_is(tmp_path: Path) -> None:
    said = ran(*TINY, *SHORT, "--json", tmp_path / "out.json")
    assert said.splitlines()[-1] == f"results: {tmp_path / 'out.json'}"


# What is measured


def test_figures_are_medians_over_the_runs() -> None:
    result = SpeedResult(
        env="any_v0",
        interface="vector",
        num_envs=2,
        num_agents=10,
        observation_numbers=3,
        seed=0,
        config={},
        options={},
        compiled=False,
        first_reset_s=1.0,
        first_step_s=1.0,
        peak_memory_bytes=None,
        runs=(
            SpeedRun((1.0, 1.0), (4.0,), (2,), 1.0),  # 20 agents, 2 steps, 2 s: 20 a second
            SpeedRun((0.5, 0.5), (6.0, 1.0), (2, 1), 0.5),  # 40
            SpeedRun((2.0, 2.0), (10.0,), (2,), 2.0),  # 10
        ),
        machine={},
    )
    assert result.agent_steps_per_s_of_runs == (20.0, 40.0, 10.0)
    assert result.agent_steps_per_s == 20.0
    assert result.step_s == 1.0
    assert result.copy_step_s == 0.5
    assert result.copy_reset_s == 2.5  # of 2, 3, 1 and 5 seconds a copy
    assert result.step_p95_s == 2.0
    assert result.cpu_share == 0.5  # 3.5 of 7 s
    assert result.agent_steps_per_s_with_resets == 5.0  # of 40 in 6, 8 and 14 s
    assert result.agent_steps_per_s_of_thirds == ()  # runs of two steps have none


def test_thirds_of_a_run_are_its_first_second_and_last_steps() -> None:
    steps_s = (1.0, 1.0, 0.5, 0.5, 0.1, 0.1)
    runs = tuple(SpeedRun(tuple(factor * step_s for step_s in steps_s), (1.0,), (1,), 1.0) for factor in (1, 2, 3))
    figures = dict.fromkeys(("first_reset_s", "first_step_s"), 1.0)
    sizes = {"num_envs": 1, "num_agents": 10, "observation_numbers": 3, "seed": 0}
    result = SpeedResult(
        env="any_v0",
        interface="vector",
        config={},
        options={},
        compiled=False,
        peak_memory_bytes=None,
        runs=runs,
        machine={},
        **sizes,
        **figures,
    )
    assert result.agent_steps_per_s_of_thirds == pytest.approx((5, 10, 50))  # of the second run


class Watch:
    """Counts resets, and checks of every action whether it is legal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps, self.held, self.resets = 0, 0, []
        reset, step = CscVectorEnv.reset, CscVectorEnv.step

        def watched_reset(env: CscVectorEnv, **arguments: Any) -> Any:
            mask = (arguments["options"] or {}).get("reset_mask")
            self.resets.append((arguments["seed"], None if mask is None else mask.tolist()))
            observations, infos = reset(env, **arguments)
            self.mask = infos["action_mask"].copy()
            return observations, infos

        def watched_step(env: CscVectorEnv, actions: Any) -> Any:
            assert self.mask[np.arange(len(actions)), actions].all()
            self.steps += 1
            self.held += int((actions == 0).sum())
            result = step(env, actions)
            self.mask = result[4]["action_mask"].copy()
            return result

        monkeypatch.setattr(CscVectorEnv, "reset", watched_reset)
        monkeypatch.setattr(CscVectorEnv, "step", watched_step)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    return Watch(monkeypatch)


def measured(steps: int | None) -> SpeedResult:
    settings = {"scenario": "tiny", "horizon_s": 150}
    return measure_speed("csc_v0", num_envs=2, runs=2, steps=steps, seed=5, keywords=settings)


def test_actions_are_legal_and_not_all_the_same(watch: Watch) -> None:
    measured(None)
    assert 0 < watch.held < watch.steps * 24


def test_every_run_is_an_episode_with_seeds_of_its_own(watch: Watch) -> None:
    measured(None)
    assert watch.resets == [(5, None), (5, None), (7, None)]  # the first one is the warm-up
    assert watch.steps == 5 + 2 * 5


def test_copies_that_have_ended_are_reset_between_the_timed_steps(watch: Watch) -> None:
    result = measured(11)
    again = (None, [True, True])
    assert watch.resets == [(5, None), (5, None), again, again, (7, None), again, again]
    assert [len(run.step_s) for run in result.runs] == [11, 11]
    assert [run.reset_copies for run in result.runs] == [(2, 2, 2), (2, 2, 2)]


def test_the_dict_interface_is_reset_too_and_plays_legal_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    illegal = []
    step = CscEnv.step

    def watched_step(env: CscEnv, actions: Any) -> Any:
        result = step(env, actions)
        illegal.append(env.metrics.illegal)
        return result

    monkeypatch.setattr(CscEnv, "step", watched_step)
    result = measure_speed("csc_v0", interface="dict", runs=1, steps=7, keywords={"scenario": "tiny", "horizon_s": 150})
    assert result.runs[0].reset_copies == (1, 1)
    assert illegal == [0] * (5 + 7)


def test_the_machine_is_described_without_its_name() -> None:
    import platform

    described = machine_description()
    assert list(described)[:5] == ["cpu", "cores", "usable_cores", "memory_bytes", "os"]
    assert {"python", "numpy", "numba", "crowdgym"} < set(described)
    assert platform.node() not in json.dumps(described)


def test_peak_memory_grows_with_what_is_held() -> None:
    before = peak_memory_bytes()
    if before is None:
        pytest.skip("this operating system does not say")
    held = np.ones(before // 4)  # twice as much as ever, in bytes
    assert peak_memory_bytes() >= before + held.nbytes / 2


# What can be wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--num-envs", 0), "--num-envs must be at least 1, got 0"),
        (("--runs", 0), "--runs must be at least 1, got 0"),
        (("--steps", -2), "--steps must be at least 1, got -2"),
        (("--seed", -1), "--seed must be at least 0, got -1"),
        (("--interface", "aec"), "interface must be vector or dict, got 'aec'"),
        (
            ("--interface", "dict", "--num-envs", 4),
            "num_envs must be 1 in the dict interface, which has one copy, got 4",
        ),
        (("--set", "autoreset_mode=SameStep"), "autoreset_mode cannot be chosen: resets are timed apart from steps"),
        (("--set", "scenario=tiny"), "the scenario is given twice: 'tiny' and 'tiny'"),
        (("--set", "num_workers=0"), "num_workers must be greater than or equal to 1, got 0"),
        (("--set", "num_threads=0"), "num_threads must be a whole number from 1 on, got 0"),
    ],
)
def test_a_bad_option_is_named_with_its_value(arguments: tuple[object, ...], message: str) -> None:
    assert refused(*TINY, *arguments) == message


@pytest.mark.parametrize("interface", ["vector", "dict"])
def test_an_unknown_keyword_is_named(interface: str) -> None:
    said = refused(*TINY, "--interface", interface, "--set", "num_worker=3")
    assert said.startswith("csc_v0 has no keyword 'num_worker'; did you mean 'num_workers'?")


def test_an_unknown_environment_lists_those_there_are() -> None:
    known = "csc_v0, dasc_v0, preference_v0, sensing_v0"
    assert refused("speed", "csc") == f"there is no environment 'csc'; did you mean 'csc_v0'? (known: {known})"


@pytest.mark.parametrize("name", ["missing/out.json", "out.txt"])
def test_a_file_that_cannot_be_written_is_found_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*arguments: object, **keywords: object) -> None:
        raise AssertionError("an environment was made before the file was checked")

    monkeypatch.setattr("crowdgym.measure.speed.gymnasium.make_vec", fail)
    assert refused(*TINY, "--json", tmp_path / name).startswith("--json must be ")
    assert list(tmp_path.iterdir()) == []
