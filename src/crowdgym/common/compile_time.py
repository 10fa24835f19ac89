"""How long this process has compiled: what it takes once is no part of the time of an episode."""

from functools import cache
from typing import Any


def compile_time_s() -> float:
    """Seconds that this process has spent compiling loops since the first call of this function."""
    timer = _timer()
    return float(timer.duration) if timer.done else 0.0


@cache
def _timer() -> Any:
    import numba.core.event

    events: Any = numba.core.event  # numba has no types
    timer = events.TimingListener()
    events.register("numba:compile", timer)
    return timer
