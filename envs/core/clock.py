"""When the epochs of an episode are."""

from typing import NamedTuple


class Clock(NamedTuple):
    """Epoch number k is at min(k step_s, horizon_s)."""

    step_s: float
    horizon_s: float

    @property
    def epochs(self) -> int:
        """Steps of an episode: the smallest k with k step_s >= horizon_s."""
        epochs = max(1, int(self.horizon_s / self.step_s) - 1)  # the quotient may be rounded either way
        while epochs * self.step_s < self.horizon_s:
            epochs += 1
        return epochs

    def time_s(self, epoch: int) -> float:
        """When an epoch is."""
        return min(epoch * self.step_s, self.horizon_s)
