"""What goes between the server and a centre as bytes: safetensors with plain data. Reading them runs no code."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from crowdgym.agents.learning.centres import Assessment, Order, Update
from crowdgym.agents.learning.checkpoint import from_bytes, to_bytes

Answer = Update | Assessment


def order_to_bytes(order: Order) -> bytes:
    """The bytes that a centre gets."""
    tensors = _named("parameters", order.parameters) | _named("linear", order.linear)
    return to_bytes(tensors, {"number": order.number, "proximal": order.proximal})


def order_of(content: bytes) -> Order:
    """The order in the bytes that a centre has got."""
    stored = from_bytes(content, "an order of the server")
    return Order(parameters=stored.under("parameters"), linear=stored.under("linear"), **stored.facts)


def answer_to_bytes(answer: Answer) -> bytes:
    """The bytes that leave a centre."""
    if isinstance(answer, Update):
        tensors = _named("parameters", answer.parameters) | _named("gradient", answer.gradient)
        return to_bytes(tensors, {"num_examples": answer.num_examples, "figures": dict(answer.figures)})
    workers = {"workers": answer.workers, "preferences": answer.preferences}
    return to_bytes(workers, {"figures": dict(answer.figures)})


def update_of(content: bytes) -> Update:
    """The update in the bytes that have left a centre."""
    stored = from_bytes(content, "an update of a centre")
    facts: Mapping[str, Any] = stored.facts
    return Update(stored.under("parameters"), stored.under("gradient"), facts["num_examples"], facts["figures"])


def assessment_of(content: bytes) -> Assessment:
    """The assessment in the bytes that have left a centre."""
    stored = from_bytes(content, "an assessment of a centre")
    return Assessment(stored.facts["figures"], stored.get("workers"), stored.get("preferences"))


def _named(group: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{group}.{name}": tensor for name, tensor in tensors.items()}
