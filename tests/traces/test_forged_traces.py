"""Forged traces: whole files with right digests that tell of something that did not happen. Each is refused."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from traces.trace_files import HONEST, forged
from typer.testing import CliRunner

from crowdgym.cli.main import app

EXACT = {"of": "agent", "labels": [], "relative_tolerance": 0.0, "absolute_tolerance": 0.0}


def put(*path: str, value: Any) -> Any:
    """A change of a header: another value at a path of keys."""

    def change(header: Any) -> None:
        for key in path[:-1]:
            header = header[key]
        header[path[-1]] = value

    return change


def tolerant(*names: str) -> Any:
    """A change of a header: quantities that are compared to 1e300."""

    def change(header: Any) -> None:
        for name in names:
            header["quantities"][name] |= {"relative_tolerance": 1e300, "absolute_tolerance": 1e300}

    return change


def without(*path: str) -> Any:
    def change(header: Any) -> None:
        for key in path[:-1]:
            header = header[key]
        del header[path[-1]]

    return change


def richer(header: Any) -> None:
    header["metrics"]["revenue"] *= 2


def shorter(header: Any) -> None:
    header["steps"] = 5


def another_order(header: Any) -> None:
    header["agents"] = header["agents"][::-1]


def grown(row: int, column: int, more: float) -> Any:
    def change(array: Any) -> Any:
        array[row:, column] += more
        return array

    return change


def cut(rows: int) -> Any:
    return lambda array: array[:rows]


def all_cut() -> dict[str, Any]:
    from crowdgym.traces import read_trace

    return {name: cut(6) for name in read_trace(HONEST).values} | {"actions": cut(5)}


# What is forged: the change of the header, changes of arrays, and what the one sentence says.
FORGED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "rewards times 1000 and a tolerance of 1e300": (
        tolerant("reward"),
        {"reward": lambda reward: reward * 1000},
        "how reward is compared expected to 1e+300 and 1e+300, of agent, got to 1e-09 and 1e-07, of agent",
    ),
    "all tolerances of 1e300": (tolerant("paid", "metrics"), {}, "how paid is compared expected to 1e+300"),
    "an exact quantity with a tolerance": (
        put("quantities", "worker_node", "absolute_tolerance", value=5.0),
        {},
        "how worker_node is compared expected to 0 and 5",
    ),
    "a metric more": (put("metrics", "score", value=1e12), {}, "final metric score expected it, got nothing"),
    "a metric less": (without("metrics", "illegal"), {}, "final metric illegal expected nothing, got it"),
    "no metrics": (put("metrics", value={}), {}, "final metric completed expected nothing, got it"),
    "another final metric": (richer, {}, "final metric revenue expected"),
    "a quantity more": (
        put("quantities", "glory", value={**EXACT, "relative_tolerance": 1e-9}),
        {"glory": lambda paid: paid},
        "glory expected it, got nothing",
    ),
    "a quantity less": (without("quantities", "paid"), {}, "paid expected nothing, got it"),
    "rewards left out": (without("quantities", "reward"), {}, "reward expected nothing, got it"),
    "other labels": (
        put("quantities", "metrics", "labels", value=["score", "completed", "expired", "travel_m", "illegal"]),
        {},
        "how metrics is compared",
    ),
    "columns of something else": (put("quantities", "paid", "of", value="worker"), {}, "how paid is compared"),
    "a column more": ((lambda _: None), {"paid": lambda paid: np.c_[paid, paid]}, "paid expected 60 columns"),
    "numbers of another kind": (
        (lambda _: None),
        {"worker_node": lambda node: node.astype(np.int16)},
        "worker_node expected 12 columns of int16, got 12 columns of int32",
    ),
    "more rewards": ((lambda _: None), {"reward": grown(60, 5, 1.0)}, "DIFFERS step 60, worker_5: reward expected"),
    "more payment": ((lambda _: None), {"paid": grown(90, 2, 1.0)}, "DIFFERS step 90, task 2: paid expected"),
    "more revenue at every step": (
        richer,
        {"metrics": grown(0, 0, 9.0)},
        "DIFFERS after reset, the whole: metrics revenue expected 9.0, got 0.0",
    ),
    "a task finished": ((lambda _: None), {"task_status": grown(100, 3, 1)}, "DIFFERS step 100, task 3: task_status"),
    "a worker elsewhere": ((lambda _: None), {"worker_node": grown(9, 0, 1)}, "DIFFERS step 9, worker_0: worker_node"),
    "observations of something else": (
        (lambda _: None),
        {"observation": grown(3, 1, 5.0)},
        "DIFFERS step 3, the whole: observation",
    ),
    "other actions": (
        (lambda _: None),
        {"actions": lambda actions: np.where(actions > 0, actions - 1, actions)},
        "DIFFERS step",
    ),
    "an action that there is not": (
        (lambda _: None),
        {"actions": grown(4, 2, 99)},
        "step 5, worker_2: the action must",
    ),
    "a negative action": (
        (lambda _: None),
        {"actions": grown(4, 2, -9)},
        "step 5, worker_2: the action must be from 0",
    ),
    "actions of another kind": (
        (lambda _: None),
        {"actions": lambda actions: actions.astype(np.int64)},
        "actions expected 12 columns of int64, got 12 columns of int8",
    ),
    "the end left out": (shorter, all_cut(), "the trace ends after 5 steps, but its episode goes on"),
    "another seed": (put("seed", value=1), {}, "DIFFERS after reset"),
    "no seed": (put("seed", value=None), {}, "neither a seed nor an instance"),
    "another instance": (put("instance", value=3), {}, "DIFFERS after reset"),
    "an easier setting": (put("settings", "speed_mps", value=100.0), {}, "DIFFERS"),
    "a setting as text": (put("settings", "num_tasks", value="30"), {}, "cannot be made here: num_tasks must be"),
    "a setting of another type": (put("settings", "speed_mps", value=10), {}, "the setting speed_mps expected 10"),
    "a setting that there is not": (
        put("settings", "bonus", value=5),
        {},
        "the trace has the setting 'bonus', which csc_v0 does not have",
    ),
    "a keyword that is no setting": (
        put("settings", "render_mode", value="human"),
        {},
        "the trace has the setting 'render_mode', which csc_v0 does not have",
    ),
    "no scenario": (put("settings", "scenario", value=None), {}, "cannot be made here: scenario must be the name"),
    "too many workers": (put("settings", "num_workers", value=10**6), {}, "the trace"),
    "a seed of 10^30": (put("seed", value=10**30), {}, "DIFFERS after reset"),
    "an option that there is not": (put("options", value={"luck": 1}), {}, "reset has no option 'luck'"),
    "an option that nothing reads": (put("options", value={"options": 1}), {}, "options of the header expected"),
    "an instance among the options": (put("options", value={"instance": 3}), {}, "an instance among its options"),
    "another scenario": (put("settings", "scenario", value="haikou-synth"), {}, "haikou-synth"),
    "another road network": (put("road_checksum", value="0" * 64), {}, "recorded on another road network"),
    "another environment": (put("env", value="preference_v0"), {}, "which preference_v0 does not have"),
    "an environment to be imported": (put("env", value="os:csc_v0"), {}, "'os:csc_v0' is not in csc_v0, dasc_v0"),
    "a device as a file": (put("files", value={"scenario": "0" * 64}), {}, "no setting that names a file"),
    "agents in another order": (another_order, {}, "the trace has 12 agents"),
    "fewer agents": (put("agents", value=["worker_0"]), {"actions": lambda a: a[:, :1]}, "the trace has 1 agents"),
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """All forged traces, judged in one batch between two honest ones: what is said of each."""
    folder = tmp_path_factory.mktemp("forged")
    files = {}
    for number, (name, (change, values, _)) in enumerate(FORGED.items()):
        files[name] = forged(folder / f"{number}.trace", change, **values)
    batch = [HONEST, *files.values(), HONEST]
    result = CliRunner().invoke(app, ["trace", "verify", *map(str, batch)])
    assert result.exit_code == 2
    assert result.stdout.count("verified") == 2
    said = result.stderr.splitlines()
    return {name: [line for line in said if line.startswith(f"{file}: ")] for name, file in files.items()}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_trace_is_refused_with_one_sentence_and_the_batch_goes_on(
    judged: dict[str, list[str]], name: str
) -> None:
    assert len(judged[name]) == 1
    assert FORGED[name][2] in judged[name][0]


def test_there_are_at_least_26_kinds() -> None:
    assert len(FORGED) >= 26


def test_the_figures_that_are_printed_are_those_of_the_replay(tmp_path: Path) -> None:
    def slightly(header: Any) -> None:
        header["metrics"]["revenue"] += 4e-8  # within the tolerance

    said = [
        CliRunner().invoke(app, ["trace", "verify", str(file)]).stdout.partition(": verified, ")[2]
        for file in (HONEST, forged(tmp_path / "a.trace", slightly))
    ]
    assert said[0] == said[1] != ""


def test_people_s_notes_are_not_compared_and_exit_codes_tell_what_is_wrong(tmp_path: Path) -> None:
    named = forged(tmp_path / "named.trace", put("agent", value="mine"))
    assert CliRunner().invoke(app, ["trace", "verify", str(named)]).exit_code == 0
    differs = forged(tmp_path / "differs.trace", reward=grown(60, 5, 1.0))
    assert CliRunner().invoke(app, ["trace", "verify", str(differs)]).exit_code == 1


@pytest.mark.parametrize("path", ["/dev/zero", "/etc/hostname", "a\0b"])
def test_no_path_in_a_trace_is_opened(path: str, tmp_path: Path) -> None:
    """The file of tasks of a `dasc_v0` trace, with a checksum beside it."""
    from golden.rewrite import FOLDER

    from crowdgym.common.errors import TraceError
    from crowdgym.traces import read_trace, replay

    honest = read_trace(FOLDER / "dasc_v0-recommend.trace")
    for files, sentence in (({}, "no checksum of that file"), ({"tasks_file": "0" * 64}, "--file tasks_file=PATH")):
        header = honest.header.model_copy(
            update={"settings": {**honest.header.settings, "tasks_file": path}, "files": files}
        )
        began_s = time.monotonic()
        with pytest.raises(TraceError, match=sentence):
            replay(type(honest)(header, honest.actions, honest.values))
        assert time.monotonic() - began_s < 5
