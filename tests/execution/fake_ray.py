"""Ray's interface as far as the engine uses it: actors are objects of this process, and answer when they are asked."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


class ActorLost(Exception):  # noqa: N818
    """What `FakeRay.get` raises for an answer of an actor that is gone."""


@dataclass(eq=False)
class Answer:
    """What a call of an actor has given."""

    actor: "Actor"
    values: Any


class Actor:
    """An actor on a node; its methods have ``remote``."""

    def __init__(self, executor: Any, node: str) -> None:
        self.node, self.lost = node, False
        for name in ("prepare", "run"):
            method: Callable[..., Any] = getattr(executor, name)
            setattr(self, name, SimpleNamespace(remote=lambda *words, call=method: Answer(self, call(*words))))


@dataclass
class FakeRay:
    """A cluster of nodes with so many cores each.

    Attributes:
        cores: of each node that is alive, by its name; tests may change them.
        actors: all that were started.
        asked: of how many answers `wait` was asked whether they are there, in all calls.
        late: how many of the latest answers are not there yet.
    """

    cores: dict[str, int]
    actors: list[Actor] = field(default_factory=list)
    asked: int = 0
    late: int = 0
    exceptions = SimpleNamespace(RayActorError=ActorLost, ObjectLostError=ActorLost, ActorUnschedulableError=ActorLost)
    util = SimpleNamespace(
        get_node_ip_address=lambda: "node",
        scheduling_strategies=SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node_id, soft: node_id),
    )

    def nodes(self) -> list[Mapping[str, Any]]:
        """As `ray.nodes`."""
        return [{"Alive": True, "NodeID": node, "Resources": {"CPU": number}} for node, number in self.cores.items()]

    def remote(self, **_: Any) -> Callable[[type], Any]:
        """As `ray.remote`."""

        def started(kind: type, node: str, *words: Any) -> Actor:
            self.actors.append(Actor(kind(*words), node))
            return self.actors[-1]

        return lambda kind: SimpleNamespace(
            options=lambda scheduling_strategy: SimpleNamespace(
                remote=lambda *words: started(kind, scheduling_strategy, *words)
            )
        )

    def wait(
        self, answers: Sequence[Answer], num_returns: int = 1, timeout: float | None = None
    ) -> tuple[list[Answer], list[Answer]]:
        """As `ray.wait`; at most ``num_returns`` of the answers that are there."""
        del timeout
        self.asked += len(answers)
        there = list(itertools.islice(answers, 0, max(1, len(answers) - self.late)))[:num_returns]
        return there, [answer for answer in answers if answer not in there]

    def get(self, answer: Answer) -> Any:
        """As `ray.get`."""
        if answer.actor.lost or answer.actor.node not in self.cores:
            raise ActorLost("the actor died")
        return answer.values

    def kill(self, actor: Actor) -> None:
        """As `ray.kill`."""
        actor.lost = True
