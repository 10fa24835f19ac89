"""Road networks: what they are, where they are read from, and distances along them."""

from crowdgym.data.roads.network import RoadNetwork

__all__ = ["RoadNetwork"]
