"""The Flower adapter: the same bits as without it, and nothing but the schema of an update leaves a centre."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra 'agents' is not installed")
pytest.importorskip("flwr", reason="Flower is not installed; it has an environment of its own")

import torch
from flwr.app import ConfigRecord, Context, Error, Message, RecordDict
from flwr.common.serde import message_from_proto, message_to_proto
from flwr.proto.message_pb2 import Message as Proto
from flwr.supercore.task_identity import TaskIdentity
from worlds.ta_fpl_worlds import PLACES, settings, task

from crowdgym.agents.learning.centres import Update
from crowdgym.agents.learning.wire import update_of
from crowdgym.agents.ta_fpl.client import TaFplClient
from crowdgym.agents.ta_fpl.federation import Federation
from crowdgym.common.errors import ConfigError
from crowdgym.integrations.flower import FlowerCentres, client_app
from crowdgym.training.centres import LocalCentres

FIRST_NODE = 1_000


@pytest.fixture(autouse=True)
def a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Flower sets in the process of a server app."""
    for name in ("_task_id", "_run_id", "_node_id"):
        monkeypatch.setattr(TaskIdentity, name, 1)


class OneMachine:
    """Flower's grid without a network: every message passes as bytes through Flower's own serialisation."""

    def __init__(self, centres: Iterable[int], fails: bool = False, silent: bool = False) -> None:
        self.centre_of = {FIRST_NODE + 7 * i: centre for i, centre in enumerate(centres)}
        self.fails, self.silent = fails, silent
        self.app = client_app(lambda context: task(int(context.node_config["centre"])))
        self.left: list[bytes] = []  # what has left centres

    def get_node_ids(self) -> list[int]:
        return list(self.centre_of)

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> list[Message]:
        return [reply for message in messages if (reply := self.answer(message)) is not None]

    def answer(self, message: Message) -> Message | None:
        node = message.metadata.dst_node_id
        context = Context(1, node, {"centre": self.centre_of[node]}, RecordDict(), {})
        arrived = over_the_wire(message)[0]
        if message.metadata.message_type != "query" and self.silent:
            return None
        if message.metadata.message_type != "query" and self.fails:
            return Message(Error(0, "out of memory"), reply_to=arrived)
        reply, content = over_the_wire(self.app(arrived, context))
        self.left.append(content)
        return reply


def over_the_wire(message: Message) -> tuple[Message, bytes]:
    content = message_to_proto(message).SerializeToString()
    return message_from_proto(Proto.FromString(content)), content


def centres_of(grid: Any, count: int) -> FlowerCentres:
    return FlowerCentres(grid, PLACES, count)


def test_rounds_by_flower_end_with_the_same_bits() -> None:
    rule = settings(strategy="feddyn")
    flower = Federation(rule, centres_of(OneMachine([2, 0, 1]), 3), seed=0)
    plain = Federation(rule, LocalCentres(PLACES, [TaFplClient(task(k)) for k in range(3)]), seed=0)
    for number in range(2):
        assert flower.round(number) == plain.round(number)
    for name, tensor in plain.state.parameters.items():
        assert torch.equal(flower.state.parameters[name], tensor)
    assert torch.equal(flower.assess().preferences, plain.assess().preferences)


def test_what_leaves_a_centre_is_exactly_the_update() -> None:
    grid = OneMachine([0, 1])
    federation = Federation(settings(), centres_of(grid, 2), seed=0)
    grid.left.clear()
    federation.round(0)
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in federation.state.parameters.items()}
    assert len(grid.left) == 2
    for content in grid.left:
        record = message_from_proto(Proto.FromString(content)).content
        assert list(record) == ["crowdgym"]
        assert isinstance(record["crowdgym"], ConfigRecord)
        assert list(record["crowdgym"]) == ["answer"]
        update = update_of(record["crowdgym"]["answer"])
        assert isinstance(update, Update)
        for tensors in (update.parameters, update.gradient):
            assert {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()} == expected
        assert isinstance(update.num_examples, int)
        assert {name: type(value) for name, value in update.figures.items()} == {"loss": float}
        # and no more bytes than these tensors with their names
        size = 2 * sum(4 * int(np.prod(shape)) for shape, _ in expected.values())
        assert len(content) < size + 20_000


@pytest.mark.parametrize("centres", [[0, 2], [0, 0], [0, 1, 2]])
def test_the_connected_centres_are_those_that_are_expected(centres: list[int]) -> None:
    with pytest.raises(ConfigError, match="the connected centres must be 0 to 1, each once, got"):
        centres_of(OneMachine(centres), 2)


def test_a_centre_that_fails_or_is_silent_is_an_error_with_a_reason() -> None:
    for broken, message in ((OneMachine([0], fails=True), "out of memory"), (OneMachine([0], silent=True), "answer")):
        federation = Federation(settings(), centres_of(broken, 1), seed=0)
        with pytest.raises(ConfigError, match=message):
            federation.round(0)
