"""Moments as blocks of bytes: what is written is read, and what cannot be sent is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from crowdgym.isolation.moments import Column, Layout, Moment, arrays_of

AGENTS = ("a", "b")


def dicts() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    observations = {agent: np.array([k, k + 0.5, 7], np.float32) for k, agent in enumerate(AGENTS)}
    infos: dict[str, dict[str, Any]] = {
        agent: {"action_mask": np.array([1, k], np.int8), "queue": 3 + k, "late": k == 1, "map": np.eye(2) * k}
        for k, agent in enumerate(AGENTS)
    }
    return observations, infos


def read(layout: Layout, block: Any, agents: tuple[str, ...] = AGENTS) -> Moment:
    moment = Moment(layout, agents)
    moment.copy_from(block)
    moment.read_plain()
    return moment


def written(arrays: dict[str, Any]) -> tuple[Layout, bytearray]:
    layout = Layout.of(arrays)
    block = bytearray(layout.num_bytes)
    for view, array in zip(layout.views(block), arrays.values(), strict=True):
        np.copyto(view, array)
    return layout, block


def test_columns_begin_at_multiples_of_8_bytes() -> None:
    layout = Layout(
        (Column("observation", "<f4", (3,)), Column("action_mask", "|i1", (2,)), Column("queue", "<i8", ())), 2
    )
    assert layout.starts == (0, 24, 32, 48)  # 2 x 12, 2 x 2, 2 x 8 bytes
    assert Layout.from_json(layout.to_json()) == layout


def test_what_is_written_is_read() -> None:
    observations, infos = dicts()
    moment = read(*written(arrays_of(observations, infos)))
    assert list(moment.observations) == list(moment.infos) == ["a", "b"]
    for agent in AGENTS:
        np.testing.assert_array_equal(moment.observations[agent], observations[agent])
        assert list(moment.infos[agent]) == ["action_mask", "queue", "late", "map"]
        for name, value in infos[agent].items():
            np.testing.assert_array_equal(moment.infos[agent][name], value)
    assert moment.observations["a"].dtype == np.float32
    assert (type(moment.infos["b"]["queue"]), type(moment.infos["b"]["late"])) == (int, bool)


def test_a_moment_keeps_what_it_was_filled_with() -> None:
    layout, block = written(arrays_of(*dicts()))
    moment = read(layout, block)
    block[:] = bytes(len(block))
    assert moment.observations["b"].tolist() == [1, 1.5, 7]
    moment.observations["b"][:] = 9  # it may be written
    assert not any(block)


KEPT: dict[str, Callable[[Moment], Any]] = {
    "a row": lambda moment: moment.observations["a"],
    "an info": lambda moment: moment.infos["b"]["action_mask"],
    "a part of a row": lambda moment: moment.observations["b"][1:],
    "a view": lambda moment: memoryview(moment.infos["a"]["map"]),
    "the dict": lambda moment: moment.infos,
}
NOT_KEPT: dict[str, Callable[[Moment], Any]] = {
    "nothing": lambda moment: None,
    "a copy": lambda moment: moment.observations["a"].copy(),
    "a plain number": lambda moment: moment.infos["b"]["queue"],
    "the moment itself": lambda moment: moment,
}


@pytest.mark.parametrize("what", [*KEPT, *NOT_KEPT])
def test_a_moment_in_shared_memory_knows_whether_an_array_of_it_is_kept(what: str) -> None:
    layout, block = written(arrays_of(*dicts()))
    moment = Moment(layout, AGENTS, memoryview(block))
    moment.read_plain()
    assert moment.observations["b"].tolist() == [1, 1.5, 7]
    kept = {**KEPT, **NOT_KEPT}[what](moment)
    assert moment.release() is (what in KEPT)
    del kept


def test_each_agent_can_have_a_block_of_its_own() -> None:
    layout, _ = written(arrays_of(*dicts()))
    of_a, of_b = layout.rows(arrays_of(*dicts()))
    moment = read(layout.of_one, of_b, ("b",))
    assert moment.observations["b"].tolist() == [1, 1.5, 7]
    assert moment.infos["b"]["queue"] == 4
    assert of_a != of_b


def test_arrays_need_not_be_contiguous() -> None:
    observations, infos = dicts()
    observations["a"] = np.array([0, 9, 0.5, 9, 7, 9], np.float32)[::2]
    np.testing.assert_array_equal(arrays_of(observations, infos)["observation"], [[0, 0.5, 7], [1, 1.5, 7]])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("queue", None, "queue of int cannot be sent to the process of a policy"),
        ("queue", "long", "queue of int cannot be sent to the process of a policy"),
        ("action_mask", np.array([1, 0], np.int64), r"action_mask is not int8 of shape \(2,\) for all agents"),
        ("action_mask", np.array([1, 0, 0], np.int8), r"action_mask is not int8 of shape \(2,\) for all agents"),
        ("map", None, r"map is not float64 of shape \(2, 2\) for all agents"),
    ],
)
def test_what_cannot_be_sent_is_refused(name: str, value: Any, message: str) -> None:
    observations, infos = dicts()
    infos["b"][name] = value
    with pytest.raises(TypeError, match=message):
        arrays_of(observations, infos)


def test_arrays_of_objects_are_refused() -> None:
    observations, infos = dicts()
    for info in infos.values():
        info["map"] = np.array([object()])
    with pytest.raises(TypeError, match="map of ndarray cannot be sent"):
        arrays_of(observations, infos)
