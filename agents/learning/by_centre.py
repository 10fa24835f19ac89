"""One network for each centre: the agents of a centre share it, and it learns from their decisions alone.

An observation is followed by the number of the agent's centre, from which `ByCentre` knows whose network it asks. No
network reads this number.

Shapes: M observations, F numbers each.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdgym.agents.learning.checkpoint import StoredTensors
from crowdgym.common.errors import ConfigError

CENTRE: Final = "centre"  # the info with the number of an agent's centre


class ByCentre(nn.Module):
    """Networks that answer each for the rows of its own centre.

    Args:
        networks: by the number of the centre; all alike but for their weights.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, observations: Tensor, *others: Tensor) -> Tensor:
        """The answers, [M, ...], to observations with the numbers of centres, [M, F + 1], and other rows, [M, ...]."""
        parts = self.parts(observations[:, -1])
        found = [network(observations[rows], *(other[rows] for other in others)) for network, rows in parts]
        order = torch.cat([rows for _, rows in parts])
        return torch.cat(found)[order.argsort()]

    def parts(self, centre: Tensor) -> list[tuple[nn.Module, Tensor]]:
        """The network of each centre that occurs in ``centre``, [M], and the numbers of its rows."""
        rows = [(centre == number).nonzero()[:, 0] for number in range(len(self.networks))]
        return [(network, own) for network, own in zip(self.networks, rows, strict=True) if len(own)]


def for_centres(make: Callable[[], nn.Module], num_centres: int | None) -> nn.Module:
    """A network for each of so many centres; None: one that all agents share."""
    return make() if num_centres is None else ByCentre([make() for _ in range(num_centres)])


def parts_of(network: nn.Module, observations: NDArray[np.float32]) -> list[tuple[nn.Module, NDArray[np.int64]]]:
    """The networks that answer for observations, and the numbers of the rows of each: all for one that is shared."""
    if not isinstance(network, ByCentre):
        return [(network, np.arange(len(observations)))]
    return [(part, rows.numpy()) for part, rows in network.parts(torch.from_numpy(observations[:, -1]))]


def with_centre(observations: NDArray[np.float32], centre: NDArray[Any]) -> NDArray[np.float32]:
    """Observations, [M, F], followed by the number of the agent's centre: [M, F + 1]."""
    return np.concatenate([observations, centre.astype(np.float32)[:, np.newaxis]], axis=1)


def count_centres(metadata: Mapping[str, Any]) -> int:
    """The number of centres of an environment. Raises `ConfigError` if it has none."""
    if "centre_of" not in metadata:
        raise ConfigError("networks=centre needs an environment whose agents belong to centres, such as preference_v0")
    return int(np.max(metadata["centre_of"])) + 1


def begin_with(network: nn.Module, stored: StoredTensors, name: str) -> None:
    """Load the tensors under ``name`` of another run. Those of a shared network begin the networks of all centres.

    Raises:
        CheckpointError: they do not fit.
    """
    if isinstance(network, ByCentre) and not stored.under(f"{name}.networks"):
        for part in network.networks:
            stored.fill(part, name)
    else:
        stored.fill(network, name)
