"""When a worker can be where, at the earliest, whatever it and all others do: shared by the bounds of CSC and DASC."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.roads import RoadNetwork
from crowdgym.data.roads.distances import Distances

FloatArray = NDArray[np.float64]

# Everything is taken to happen this much earlier, or to be allowed this much longer, than our arithmetic says: the
# kernels add the same numbers in another order.
TOLERANCE_S: Final = 1e-6
TOLERANCE_M: Final = 1e-6


@dataclass(frozen=True)
class Epochs:
    """When decisions are taken: at k step_s, before horizon_s."""

    step_s: float
    horizon_s: float

    def from_on(self, time_s: FloatArray) -> FloatArray:
        """The first epoch at or after each time; infinite where none is left."""
        epoch_s = np.maximum(np.ceil((time_s - TOLERANCE_S) / self.step_s), 0.0) * self.step_s
        return np.where(epoch_s < self.horizon_s, epoch_s, np.inf)


@dataclass(frozen=True)
class Stops:
    """The J places where workers may be sent (tasks of CSC, subtasks of DASC), seen from W workers.

    Attributes:
        way_m: from each stop to each. Shape [J, J].
        first_way_m: from each worker's start to each stop. Shape [W, J].
        able: whether a worker has the skills. Shape [W, J].
    """

    way_m: FloatArray
    first_way_m: FloatArray
    able: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        network: RoadNetwork,
        node: NDArray[np.integer],
        start: NDArray[np.integer],
        able: NDArray[np.bool_],
    ) -> "Stops":
        """Stops at nodes, workers that start at nodes."""
        to_node = Distances(network).rows(node)  # [J, N]
        return cls(
            way_m=to_node[:, node].T.astype(np.float64) * network.unit_m,
            first_way_m=to_node[:, start].T.astype(np.float64) * network.unit_m,
            able=able,
        )


@dataclass(frozen=True)
class Service:
    """What holds a worker at a stop, at the least. Shape [J] each; seconds.

    Attributes:
        open_s: no worker is sent there before.
        close_s: from then on no worker is sent there, and no work is done there.
        ready_s: no service begins before.
        serve_s: how long it takes.
        released_s: a worker on its way there is called back no sooner.
    """

    open_s: FloatArray
    close_s: FloatArray
    ready_s: FloatArray
    serve_s: FloatArray
    released_s: FloatArray


def earliest_arrivals_s(stops: Stops, service: Service, epochs: Epochs, speed_mps: float, range_m: float) -> FloatArray:
    """A time before which a worker is at no stop it was sent to. Shape [W, J]; infinite where it can never be.

    A worker that is idle at a place p from L_p on can be sent to stop j at an epoch from max(L_p, open_j) on, if that
    is before close_j and the way is within range, and is there a way later. It is idle there, again, no sooner than
    min(max(arrival, ready_j) + serve_j, close_j). Or it is called back on its way, not before released_j: having left p
    at some epoch e, it may then be at any node, but nowhere sooner than the straight way from p takes from e on, as
    no worker exceeds the speed; this is all that is asked of it until it arrives at another stop. L_p and the arrivals
    are the least that satisfy all this (label correcting; a sooner L_p never makes anything later), each worker by
    itself and free to visit a stop more than once. What a worker does in any episode satisfies it too, so it is never
    anywhere sooner.
    """
    arrivals_s = np.full(stops.able.shape, np.inf)
    for worker, able in enumerate(stops.able):
        mine = np.flatnonzero(able)
        if len(mine):
            way_m = np.vstack([stops.first_way_m[worker, mine], stops.way_m[np.ix_(mine, mine)]])  # [1 + n, n]
            limits = Service(*(values[mine] for values in vars(service).values()))
            arrivals_s[worker, mine] = _arrivals_of_one(way_m, limits, epochs, speed_mps, range_m)
    return arrivals_s


def _arrivals_of_one(
    way_m: FloatArray, service: Service, epochs: Epochs, speed_mps: float, range_m: float
) -> FloatArray:
    way_s = way_m / speed_mps
    in_range = way_m <= range_m + TOLERANCE_M
    idle_s = np.full(len(way_m), np.inf)  # at the start, then at each stop
    idle_s[0] = 0.0
    latest_leave_s = epochs.from_on(service.released_s - way_s)  # to be called back on the way, not to arrive
    arrival_s = np.full(way_m.shape[1], np.inf)
    while True:
        leave_s = epochs.from_on(np.maximum(idle_s[:, np.newaxis], service.open_s))
        sent = in_range & (leave_s < service.close_s)
        direct_s = np.where(sent, leave_s + way_s, np.inf).min(axis=0)
        # Called back on the way: the sooner of all stops that p may be left for, leaving and calling back apart.
        called = sent & (way_m > 0)
        left_s = np.where(called, np.maximum(leave_s, latest_leave_s), np.inf).min(axis=1)  # [1 + n]
        free_s = np.where(called, service.released_s, np.inf).min(axis=1)
        on_s = np.maximum(
            epochs.from_on(np.maximum(free_s[:, np.newaxis], service.open_s)), left_s[:, np.newaxis] + way_s
        )
        found_s = np.minimum(direct_s, np.where(on_s < service.close_s, on_s, np.inf).min(axis=0)) - TOLERANCE_S
        if not (found_s < arrival_s).any():
            return arrival_s
        arrival_s = np.minimum(arrival_s, found_s)
        again_s = np.minimum(np.maximum(arrival_s, service.ready_s) + service.serve_s, service.close_s)
        idle_s[1:] = np.where(arrival_s < service.close_s, again_s, np.inf)
