"""Order streams: what they are, the formats they are read from, and how they are snapped to roads."""

from crowdgym.data.orders.stream import OrderStream

__all__ = ["OrderStream"]
