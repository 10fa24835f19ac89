"""Flower: the clients of TA-FPL on the machines of real centres.

Needs the extra ``flower``, best in an environment of its own. A centre runs `client_app`, which alone reads the
centre's records. The server uses `FlowerCentres`, with which `crowdgym.agents.ta_fpl.federation.Federation` works as it
does with centres on one machine. Flower carries the bytes of `crowdgym.agents.learning.wire` and adds nothing to them:
an order goes to a centre, and exactly an `Update` or an `Assessment` leaves it. Aggregation stays in CrowdGym, so
results are the same to the last bit.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flwr.app import ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid

from crowdgym.agents.learning.centres import Assessment, CentreTask, Order, PublicPlaces, Update
from crowdgym.agents.learning.wire import answer_to_bytes, assessment_of, order_of, order_to_bytes, update_of
from crowdgym.agents.ta_fpl.client import TaFplClient
from crowdgym.common.errors import ConfigError

AnyAnswer = TypeVar("AnyAnswer", Update, Assessment)

_RECORD = "crowdgym"  # of a message's content
_CENTRE, _ORDER, _ANSWER = "centre", "order", "answer"  # of the record


def client_app(task_of: Callable[[Context], CentreTask]) -> ClientApp:
    """The app of one centre, for ``flower-supernode``.

    Args:
        task_of: reads the records of the centre, and its number, on the centre's machine; called for every message. The
            context has the configuration of the node.
    """

    def number(message: Message, context: Context) -> Message:
        return _reply(message, {_CENTRE: task_of(context).centre})

    def fit(message: Message, context: Context) -> Message:
        update = TaFplClient(task_of(context)).fit(_order(message))
        return _reply(message, {_ANSWER: answer_to_bytes(update)})

    def assess(message: Message, context: Context) -> Message:
        assessment = TaFplClient(task_of(context)).assess(_order(message))
        return _reply(message, {_ANSWER: answer_to_bytes(assessment)})

    app = ClientApp()
    app.query()(number)
    app.train()(fit)
    app.evaluate()(assess)
    return app


class FlowerCentres:
    """The centres that are connected to a Flower server; see `crowdgym.agents.learning.centres.Centres`.

    Args:
        grid: of the running server app.
        places: that the records of all centres name.
        num_centres: how many centres take part. Their numbers have to be 0, 1, ...
        timeout_s: the longest that one answer may take.

    Raises:
        ConfigError: others than these are connected.
    """

    def __init__(self, grid: Grid, places: PublicPlaces, num_centres: int, timeout_s: float = 3600.0) -> None:
        self.places, self.num_centres = places, num_centres
        self._grid, self._timeout_s = grid, timeout_s
        nodes = [int(node) for node in grid.get_node_ids()]
        told = self._ask(MessageType.QUERY, {node: {} for node in nodes})
        self._node_of = {int(record[_CENTRE]): node for node, record in told.items()}
        if sorted(self._node_of) != list(range(num_centres)) or len(nodes) != num_centres:
            raise ConfigError(
                f"the connected centres must be 0 to {num_centres - 1}, each once, "
                f"got {len(nodes)} with the numbers {sorted(self._node_of)}"
            )

    def fit(self, orders: Mapping[int, Order]) -> dict[int, Update]:
        """See `Centres`. Raises `ConfigError` if a centre does not answer."""
        return self._answers(MessageType.TRAIN, orders, update_of)

    def assess(self, orders: Mapping[int, Order]) -> dict[int, Assessment]:
        """See `Centres`. Raises `ConfigError` if a centre does not answer."""
        return self._answers(MessageType.EVALUATE, orders, assessment_of)

    def close(self) -> None:
        """See `Centres`; Flower ends its connections itself."""

    def _answers(
        self, message_type: str, orders: Mapping[int, Order], read: Callable[[bytes], AnyAnswer]
    ) -> dict[int, AnyAnswer]:
        contents = {self._node_of[centre]: {_ORDER: order_to_bytes(order)} for centre, order in orders.items()}
        told = self._ask(message_type, contents)
        return {centre: read(told[self._node_of[centre]][_ANSWER]) for centre in orders}

    def _ask(self, message_type: str, contents: Mapping[int, Mapping[str, Any]]) -> dict[int, Any]:
        """The records that nodes answer to records, by node."""
        messages = [Message(_content(record), node, message_type) for node, record in contents.items()]
        replies = list(self._grid.send_and_receive(messages, timeout=self._timeout_s))
        for reply in replies:
            if reply.has_error():
                raise ConfigError(f"node {reply.metadata.src_node_id} failed: {reply.error.reason}")
        told = {int(reply.metadata.src_node_id): reply.content[_RECORD] for reply in replies}
        silent = sorted(contents.keys() - told.keys())
        if silent:
            raise ConfigError(f"node {silent[0]} must answer within {self._timeout_s:g} s, but has not")
        return told


def _content(record: Mapping[str, Any]) -> RecordDict:
    return RecordDict({_RECORD: ConfigRecord(dict(record))})


def _reply(message: Message, record: Mapping[str, Any]) -> Message:
    return Message(_content(record), reply_to=message)


def _order(message: Message) -> Order:
    return order_of(message.content[_RECORD][_ORDER])
