"""Several processes or machines that play a share of an iteration's episodes each.

What is played elsewhere is plain data: a share says which environment, which policy and which seeds. A process keeps
its environments from one iteration to the next.
"""

import itertools
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from torch import nn

from crowdgym.agents.learning.collect import CopySeeds, LocalCollector, VectorEnvironment
from crowdgym.agents.learning.rollout import Rollout, join
from crowdgym.common.errors import ConfigError

MakeCopies = Callable[[int], VectorEnvironment]  # with a number of copies
MakeCollector = Callable[[VectorEnvironment], LocalCollector]

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_KEPT: Final = 32
_kept: "OrderedDict[tuple[object, ...], Any]" = OrderedDict()  # what this process has made, by who asked for it
_numbers = itertools.count()


class Workers(Protocol):
    """Processes that call a function with many items.

    Attributes:
        number: how many items are worked on at a time.
    """

    number: int

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results, in the order of the items. The function is an attribute of a module."""


def new_token() -> str:
    """A name by which other processes keep what is made for the caller."""
    return f"{os.getpid()}-{next(_numbers)}"


def kept(key: tuple[object, ...], make: Callable[[], Any]) -> Any:
    """What this process keeps under a key; made at the first call, and again if too much was made since."""
    if key not in _kept:
        _kept[key] = make()
    _kept.move_to_end(key)
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return _kept[key]


def forget(token: str) -> None:
    """Close what this process keeps for a token."""
    for key in [key for key in _kept if key[0] == token]:
        close = getattr(_kept.pop(key), "close", None)
        if close is not None:
            close()


@dataclass(frozen=True)
class CopyShare:
    """A share of the copies of an iteration, and what they are played with. See `Collector.collect`."""

    token: str
    make_copies: MakeCopies
    make_collector: MakeCollector
    actor: nn.Module
    seeds: CopySeeds
    signals: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def play_share(share: CopyShare) -> Rollout:
    """Play one episode of every copy of a share, in this process."""
    copies = len(share.seeds.instances)
    collector: LocalCollector = kept((share.token, copies), lambda: share.make_collector(share.make_copies(copies)))
    return collector.collect(share.actor, share.seeds, signals=share.signals, options=share.options)


class SharedCollector:
    """A collector whose copies are played by workers; see `crowdgym.agents.learning.collect.Collector`.

    The rollout has the bits of that of a `LocalCollector`, whatever the number of workers.

    Args:
        make_copies: makes the environment.
        make_collector: makes the collector of a share.
        workers: play the shares.
    """

    def __init__(self, make_copies: MakeCopies, make_collector: MakeCollector, workers: Workers) -> None:
        self.env = make_copies(1)  # for its spaces and metadata
        self._make_copies, self._make_collector, self._workers = make_copies, make_collector, workers
        self._token = new_token()

    def collect(
        self,
        actor: nn.Module,
        seeds: CopySeeds,
        *,
        signals: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Rollout:
        """See `Collector`. Raises `ConfigError` if the shares' episodes have different lengths."""
        copies = len(seeds.instances)
        shares = min(self._workers.number, copies)
        bounds = [copies * share // shares for share in range(shares + 1)]
        # A copy, since what is sent may be moved into memory that processes share; their machines may have no GPU.
        frozen = deepcopy(actor).cpu()
        rollouts = self._workers.map(
            play_share,
            [
                CopyShare(
                    self._token,
                    self._make_copies,
                    self._make_collector,
                    frozen,
                    seeds.part(slice(first, end)),
                    tuple(signals),
                    dict(options or {}),
                )
                for first, end in itertools.pairwise(bounds)
            ],
        )
        lengths = {rollout.num_steps for rollout in rollouts}
        if len(lengths) > 1:
            raise ConfigError(f"training needs episodes of one length, got {sorted(lengths)} steps")
        return join(rollouts)

    def close(self) -> None:
        """See `Collector`; the workers close theirs when they end."""
        self.env.close()
