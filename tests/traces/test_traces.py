"""Trace files: they hold an episode, say where two part, and refuse what is no trace."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden.rewrite import GOLDEN, record

import crowdgym
from crowdgym.common.errors import ConfigError, TraceError
from crowdgym.traces import Mismatch, Trace, TraceRecorder, compare, read_trace, replay, write_trace


@pytest.fixture(scope="module")
def trace() -> Trace:
    return record(*GOLDEN["csc_v0-contribution"])


@pytest.fixture
def file(trace: Trace, tmp_path: Path) -> Path:
    write_trace(tmp_path / "a.trace", trace)
    return tmp_path / "a.trace"


def with_value(trace: Trace, name: str, step: int, column: int, value: float) -> Trace:
    changed = trace.values[name].copy()
    changed[step:, column] = value
    return replace(trace, values={**trace.values, name: changed})


def test_a_file_gives_back_what_was_written(trace: Trace, file: Path) -> None:
    read = read_trace(file)
    assert read.header == trace.header
    assert read.actions.tobytes() == trace.actions.tobytes()
    for name, value in trace.values.items():
        assert read.values[name].dtype == value.dtype
        assert read.values[name].tobytes() == value.tobytes(), name


def test_the_same_episode_gives_the_same_bytes(trace: Trace, file: Path, tmp_path: Path) -> None:
    write_trace(tmp_path / "b.trace", replay(trace))
    assert (tmp_path / "b.trace").read_bytes() == file.read_bytes()
    assert file.stat().st_size < 40_000


def test_a_replay_agrees(file: Path) -> None:
    trace = read_trace(file)
    assert compare(trace, replay(trace)) is None


def test_actions_of_every_integer_kind_are_recorded_as_they_were_played() -> None:
    env = TraceRecorder(crowdgym.make("csc_v0", scenario="tiny", horizon_s=300.0), agent="arrays")
    _, infos = env.reset(seed=1)
    while env.agents:
        infos = env.step({agent: np.array(info["action_mask"][1]) for agent, info in infos.items()})[4]
    assert (env.trace().values["chosen"] >= 0).any()
    assert compare(env.trace(), replay(env.trace())) is None


def test_a_benchmark_instance_can_be_recorded() -> None:
    env = TraceRecorder(crowdgym.make("csc_v0", scenario="tiny", horizon_s=90.0), agent="hold")
    env.reset(options={"instance": 7})
    while env.agents:
        env.step(dict.fromkeys(env.agents, 0))
    assert env.trace().header.instance == 7
    assert compare(env.trace(), replay(env.trace())) is None


@pytest.mark.parametrize(
    ("name", "step", "column", "value", "where", "quantity"),
    [
        ("worker_status", 4, 3, 9, "worker_3", "worker_status"),
        ("task_status", 7, 11, 9, "task 11", "task_status"),
        ("paid", 100, 2, 1e6, "task 2", "paid"),
        ("reward", 60, 5, -1.0, "worker_5", "reward"),
        ("metrics", 0, 0, 5.0, "the whole", "metrics revenue"),
        ("observation", 12, 3, 1e6, "the whole", "observation T_near"),
    ],
)
def test_the_first_step_the_agent_or_task_and_the_quantity_are_named(
    trace: Trace, name: str, step: int, column: int, value: float, where: str, quantity: str
) -> None:
    expected = trace.values[name][step, column].item()
    mismatch = compare(trace, with_value(trace, name, step, column, value))
    assert mismatch == Mismatch(step, where, quantity, expected, value)


def test_a_changed_action_is_found_at_its_step(trace: Trace) -> None:
    step, column = np.argwhere(trace.values["chosen"][1:] >= 0)[20]
    actions = trace.actions.copy()
    actions[step, column] = 0
    mismatch = compare(trace, replay(replace(trace, actions=actions)))
    assert mismatch is not None
    assert mismatch.step == step + 1
    assert mismatch.where == f"worker_{column}"


def test_floats_agree_within_their_tolerance_and_whole_numbers_only_exactly(trace: Trace) -> None:
    paid = trace.values["paid"]
    assert compare(trace, replace(trace, values={**trace.values, "paid": paid * (1 + 1e-12)})) is None
    assert compare(trace, replace(trace, values={**trace.values, "paid": paid * (1 + 1e-6)})) is not None
    node = trace.values["worker_node"][-1, 0]
    assert compare(trace, with_value(trace, "worker_node", trace.header.steps, 0, node + 1)) is not None


def test_a_shorter_episode_differs(trace: Trace) -> None:
    header = trace.header.model_copy(update={"steps": 5})
    short = Trace(header, trace.actions[:5], {name: value[:6] for name, value in trace.values.items()})
    assert compare(trace, short) == Mismatch(5, "the whole", "steps", trace.header.steps, 5)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [cut, flip, lambda _: b"", lambda _: b"revenue,12\n"],
    ids=["cut", "one bit off", "empty", "text"],
)
def test_a_damaged_or_foreign_file_gets_one_sentence(file: Path, damage: Callable[[bytes], bytes]) -> None:
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(TraceError) as raised:
        read_trace(file)
    assert str(raised.value).startswith(str(file))
    assert "\n" not in str(raised.value)


def rewritten(file: Path, **arrays: Any) -> Path:
    with np.load(file) as archive:
        content = {name: archive[name] for name in archive.files}
    content = {name: value for name, value in {**content, **arrays}.items() if value is not None}
    with file.open("wb") as out:
        np.savez(out, **content)
    return file


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"header": None}, "an archive without a header"),
        ({"header": np.frombuffer(b"[1]", np.uint8)}, "its header is not JSON"),
        ({"header": np.frombuffer(b'{"format": "x"}', np.uint8)}, "its format is 'x'"),
        (
            {"header": np.frombuffer(b'{"format": "crowdgym-trace", "format_version": 9}', np.uint8)},
            "has format version 9; this CrowdGym reads version 1",
        ),
        (
            {"header": np.frombuffer(b'{"format": "crowdgym-trace", "format_version": 1}', np.uint8)},
            "env of its header is wrong",
        ),
        ({"actions": None}, "it lacks whole numbers 'actions'"),
        ({"actions": np.zeros((3, 3), np.int8)}, "it lacks whole numbers 'actions'"),
        ({"quantity/paid": None}, "it lacks 'paid'"),
        ({"quantity/worker_node": np.zeros((121, 12), np.int32)}, "does not match its own digests"),
        ({"header": np.array([{}], dtype=object)}, "no whole trace"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_is_no_trace_is_told_apart(file: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        read_trace(rewritten(file, **arrays))


@pytest.mark.parametrize("path", [None, 1, True, b"a.trace", ["a.trace"]])
def test_what_is_no_path(path: Any) -> None:
    with pytest.raises(TraceError, match=r"^the path of a trace must be text or a Path, got .*$"):
        read_trace(path)


@pytest.mark.parametrize(
    ("seed", "options"), [(1.5, None), (float("nan"), None), ("1", None), (1, [1]), (1, {"instance": "x"})]
)
def test_what_no_episode_can_be_recorded_of_is_refused_as_the_environment_does(seed: Any, options: Any) -> None:
    env = TraceRecorder(crowdgym.make("csc_v0", scenario="tiny", horizon_s=90.0), agent="x")
    with pytest.raises(ConfigError, match=r"^(seed must|the options of reset must|the option 'instance' must) .*$"):
        env.reset(seed, options)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="there is no file"):
        read_trace(tmp_path / "none.trace")


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"road_checksum": "0" * 64}, "another road network than 'tiny' is here"),
        ({"env": "csc_v9"}, "cannot be made here: .*csc_v9"),
        ({"agents": ("a", "b")}, "the trace has 2 agents"),
    ],
)
def test_a_trace_that_cannot_be_played_here_says_why(trace: Trace, update: dict[str, Any], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        replay(replace(trace, header=trace.header.model_copy(update=update)))


def test_what_no_file_can_hold_is_refused() -> None:
    class Quiet:
        name = "quiet"

        def write(self, epoch: Any, rewards: Any) -> None:
            rewards[:] = 0.0

    env = TraceRecorder(crowdgym.make("csc_v0", scenario="tiny", reward_strategy=Quiet()), agent="x")
    with pytest.raises(TraceError, match="nothing has been recorded"):
        env.trace()
    with pytest.raises(TraceError, match="needs a seed or an instance"):
        env.reset()
    env.reset(seed=1)
    with pytest.raises(TraceError, match="of its own"):
        env.trace()
