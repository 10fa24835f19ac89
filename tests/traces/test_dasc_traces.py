"""Traces of `dasc_v0`: what is followed, the options of reset, and files of tasks."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdgym.agents.any.random_policy import RandomPolicy
from crowdgym.common.errors import TraceError
from crowdgym.data.registry import load_dataset
from crowdgym.envs import dasc_v0
from crowdgym.envs.dasc.file_generator import FileGenerator
from crowdgym.envs.dasc.task_files import write_instance
from crowdgym.traces import Mismatch, Trace, TraceRecorder, compare, read_trace, replay, write_trace

SHORT: dict[str, Any] = {"scenario": "tiny", "step_s": 30.0, "horizon_s": 900.0}


def record(options: dict[str, Any] | None = None, **keywords: Any) -> Trace:
    env = TraceRecorder(dasc_v0.parallel_env(**{**SHORT, **keywords}), agent="random")
    policy = RandomPolicy(seed=2)
    observations, infos = env.reset(seed=3, options=options)
    while env.agents:
        observations, _, _, _, infos = env.step(dict(policy.act(observations, infos)))
    return env.trace()


@pytest.mark.parametrize("action_mode", ["recommend", "select"])
@pytest.mark.parametrize("dependency", ["assigned", "finished"])
def test_a_trace_is_written_read_and_replayed_to_the_same(action_mode: str, dependency: str, tmp_path: Path) -> None:
    trace = record(action_mode=action_mode, dependency=dependency)
    write_trace(tmp_path / "a.trace", trace)
    read = read_trace(tmp_path / "a.trace")
    assert read.header == trace.header
    assert compare(trace, read) is None
    again = replay(read)
    assert compare(read, again) is None
    write_trace(tmp_path / "b.trace", again)
    assert (tmp_path / "a.trace").read_bytes() == (tmp_path / "b.trace").read_bytes()
    assert read.actions.dtype == np.int8
    assert (read.values["chosen"] >= 0).any()


def test_what_was_chosen_are_workers_or_in_recommend_mode_the_subtasks_themselves() -> None:
    selected, recommended = record(action_mode="select"), record(action_mode="recommend")
    matched = (selected.values["outcome"] == 1).nonzero()
    np.testing.assert_array_equal(selected.values["chosen"][matched], selected.values["subtask_worker"][matched])
    subtask = np.broadcast_to(np.arange(24), recommended.values["chosen"].shape)
    taken = recommended.values["chosen"] >= 0
    np.testing.assert_array_equal(recommended.values["chosen"][taken], subtask[taken])
    np.testing.assert_array_equal(taken[1:], recommended.actions == 1)  # the policy does nothing illegal


@pytest.mark.parametrize(
    ("name", "step", "column", "value", "where", "quantity"),
    [
        ("worker_status", 4, 3, 9, "worker 3", "worker_status"),
        ("free_s", 4, 3, -1.0, "worker 3", "free_s"),
        ("task_status", 7, 2, 9, "task 2", "task_status"),
        ("paid", 20, 2, 1e6, "task 2", "paid"),
        ("subtask_status", 9, 5, 9, "subtask_5", "subtask_status"),
        ("subtask_worker", 1, 7, 99, "subtask_7", "subtask_worker"),
        ("finish_s", 12, 11, 5.0, "subtask_11", "finish_s"),
        ("reward", 16, 5, -1.0, "subtask_5", "reward"),
        ("metrics", 0, 2, 5.0, "the whole", "metrics profit"),
        ("observation", 12, 2, 1e6, "the whole", "observation W_candidates"),
    ],
)
def test_the_first_step_whose_it_is_and_the_quantity_are_named(
    name: str, step: int, column: int, value: float, where: str, quantity: str
) -> None:
    trace = record()
    changed = trace.values[name].copy()
    expected = changed[step, column].item()
    changed[step:, column] = value
    mismatch = compare(trace, replace(trace, values={**trace.values, name: changed}))
    assert mismatch is not None
    assert replace(mismatch, expected=0.0) == Mismatch(step, where, quantity, 0.0, value)
    assert mismatch.expected == expected or np.isnan(expected)


def test_the_utility_of_reset_is_recorded_and_replayed(tmp_path: Path) -> None:
    trace = record({"utility": (0.9, np.float64(0.4))})
    assert trace.header.options == {"utility": [0.9, 0.4]}
    write_trace(tmp_path / "a.trace", trace)
    read = read_trace(tmp_path / "a.trace")
    assert read.header.options == {"utility": [0.9, 0.4]}
    assert compare(read, replay(read)) is None
    forgotten = replace(read, header=read.header.model_copy(update={"options": {}}))
    assert compare(read, replay(forgotten)) is not None


def test_an_instance_and_a_utility_are_recorded_together() -> None:
    env = TraceRecorder(dasc_v0.parallel_env(**SHORT), agent="all")
    _, infos = env.reset(options={"instance": 5, "utility": [1.0, 0.0]})
    while env.agents:
        infos = env.step({agent: int(info["action_mask"][1]) for agent, info in infos.items()})[4]
    header = env.trace().header
    assert (header.seed, header.instance, header.options) == (None, 5, {"utility": [1.0, 0.0]})
    assert compare(env.trace(), replay(env.trace())) is None


def test_a_header_says_nothing_of_options_and_files_that_are_not_there() -> None:
    assert not {"options", "files"} & json.loads(record().header.to_json()).keys()


def test_the_settings_of_the_shapes_survive() -> None:
    trace = record(shapes={"chain": 2.0, "diamond": 1.0})
    assert compare(trace, replay(trace)) is None


# Files of tasks


@pytest.fixture
def tasks_file(tmp_path: Path) -> Path:
    env = dasc_v0.parallel_env(**SHORT, num_tasks=4)
    env.reset(seed=8)
    write_instance(tmp_path / "tasks.json", env.instance)
    return tmp_path / "tasks.json"


def test_a_trace_of_a_file_of_tasks_holds_its_checksum_and_is_replayed(tasks_file: Path) -> None:
    trace = record(tasks_file=str(tasks_file))
    assert trace.header.files == {"tasks_file": hashlib.sha256(tasks_file.read_bytes()).hexdigest()}
    assert (trace.header.settings["num_tasks"], trace.header.settings["num_workers"]) == (4, 12)
    assert trace.header.metrics["assigned"] > 0
    assert compare(trace, replay(trace, {"tasks_file": tasks_file})) is None
    moved = tasks_file.rename(tasks_file.with_name("moved.json"))  # what counts is the checksum
    assert compare(trace, replay(trace, {"tasks_file": moved})) is None


def test_another_file_of_tasks_is_found_out_before_anything_is_played(tasks_file: Path) -> None:
    trace, given = record(tasks_file=str(tasks_file)), {"tasks_file": tasks_file}
    with pytest.raises(TraceError, match=r"with a file as its tasks_file, .*: give that file with --file tas"):
        replay(trace)
    content = json.loads(tasks_file.read_text())
    content["tasks"] = content["tasks"][:-1]  # with other numbers of tasks and agents, too
    tasks_file.write_text(json.dumps(content))
    with pytest.raises(TraceError, match=rf"recorded with another tasks_file than {tasks_file} is: checksum"):
        replay(trace, given)
    tasks_file.unlink()
    with pytest.raises(TraceError, match=rf"{tasks_file}, given as tasks_file of the trace, cannot be read: No such"):
        replay(trace, given)
    os.mkfifo(tasks_file)
    with pytest.raises(TraceError, match=rf"{tasks_file}, given as tasks_file, must be a plain file of at most"):
        replay(trace, given)


def test_a_generator_of_ones_own_cannot_be_replayed_even_if_it_reads_a_file(tasks_file: Path) -> None:
    settings = dasc_v0.parallel_env(**SHORT, num_tasks=4).settings
    generator = FileGenerator(tasks_file, load_dataset("tiny"), settings)
    assert not dasc_v0.parallel_env(**SHORT, num_tasks=4, generator=generator).is_reproducible
    assert not dasc_v0.parallel_env(
        **SHORT, tasks_file=str(tasks_file), num_tasks=4, generator=generator
    ).is_reproducible
    assert dasc_v0.parallel_env(**SHORT, tasks_file=str(tasks_file)).is_reproducible
