"""Instances that do not fit the environment that is to play them."""

from collections.abc import Iterable

from crowdgym.common.errors import ConfigError
from crowdgym.data.roads import RoadNetwork


def refuse_other_sizes(sizes: Iterable[tuple[str, int, int]]) -> None:
    """See that an instance is as large as the settings say. ``sizes``: what, how many there are, how many expected.

    Raises:
        ConfigError: the first that is not.
    """
    for what, got, expected in sizes:
        if got != expected:
            raise ConfigError(f"an instance must have num_{what} = {expected} {what}, got one with {got}")


def refuse_other_network(network: RoadNetwork, expected: RoadNetwork, scenario: str) -> None:
    """See that an instance is on the road network of the scenario.

    Raises:
        ConfigError: it is on another one.
    """
    if network is not expected and network.checksum != expected.checksum:
        raise ConfigError(
            f"an instance must be on the road network of the scenario {scenario!r}, "
            f"got one on another network of {network.num_nodes} nodes"
        )
