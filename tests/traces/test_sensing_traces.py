"""Traces of `sensing_v0`: recorded, replayed, and told apart where they differ."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdgym.common.errors import TraceError
from crowdgym.envs import sensing_v0
from crowdgym.traces import Trace, TraceRecorder, compare, read_trace, replay, write_trace


def record(agents: Any, **keywords: Any) -> Trace:
    env = TraceRecorder(
        sensing_v0.parallel_env(agents=agents, num_participants=5, horizon_s=8 * 86_400.0, **keywords), agent="random"
    )
    env.reset(seed=4)
    generator = np.random.default_rng(0)
    while env.agents:
        size = env.action_space(env.agents[0]).n
        env.step({agent: int(generator.integers(size)) for agent in env.agents})
    return env.trace()


@pytest.mark.parametrize("agents", ["cells", "participants"])
@pytest.mark.parametrize("inference", ["knn", "idw"])
def test_a_trace_is_written_read_and_replayed_to_the_same(agents: str, inference: str, tmp_path: Path) -> None:
    trace = record(agents, inference=inference)
    write_trace(tmp_path / "episode.trace", trace)
    read = read_trace(tmp_path / "episode.trace")
    assert compare(trace, read) is None
    assert compare(read, replay(read)) is None
    assert set(read.header.metrics) == {"error", "cost_km", *(f"error_per_attribute {a}" for a in range(4))}


def test_what_was_chosen_are_participants_or_cells() -> None:
    cells, participants = record("cells"), record("participants")
    np.testing.assert_array_equal(cells.values["chosen"][1:], cells.actions.astype(int) - 1)
    np.testing.assert_array_equal(participants.values["chosen"][1:], participants.actions)
    np.testing.assert_array_equal(participants.values["participant_cell"][1:], participants.actions)


def test_the_first_difference_is_named() -> None:
    trace = record("participants")
    cells = trace.values["participant_cell"].copy()
    cells[3, 2] = (cells[3, 2] + 1) % 24
    mismatch = compare(trace, replace(trace, values={**trace.values, "participant_cell": cells}))
    assert mismatch is not None
    assert (mismatch.step, mismatch.where, mismatch.quantity) == (3, "participant 2", "participant_cell")


def test_other_data_are_found_out() -> None:
    trace = record("cells")
    header = trace.header.model_copy(update={"road_checksum": "0" * 64})
    with pytest.raises(TraceError, match="the trace was recorded on other data than 'piemonte-synth' is here"):
        replay(replace(trace, header=header))
