"""The orders of a synthetic city: when, where from and how far, after the published figures."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import jit
from crowdgym.data.orders.stream import SECONDS_PER_DAY, OrderStream
from crowdgym.data.roads.network import RoadNetwork
from crowdgym.data.synthetic.cities.plan import CityPlan, OrderFigures

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
Int64Array = NDArray[np.int64]

# Share of a day's orders in each hour, percent: Haikou, design section 8.
WEEKDAY_PERCENT = (
    1.97, 1.29, 0.84, 0.45, 0.30, 0.31, 1.00, 3.28, 4.84, 5.30, 5.28, 5.73,
    5.29, 5.08, 6.65, 6.51, 6.41, 6.67, 6.34, 5.82, 5.76, 6.02, 5.15, 3.72,
)  # fmt: skip
WEEKEND_PERCENT = (
    2.33, 1.56, 1.01, 0.54, 0.35, 0.31, 0.77, 2.21, 3.73, 4.46, 4.77, 5.84,
    5.78, 5.91, 6.67, 6.47, 6.44, 6.94, 6.71, 5.85, 5.95, 6.18, 5.35, 3.87,
)  # fmt: skip

PATCH_SD = 0.8  # assumption: of the logarithm of how lively a patch of NODES_PER_PATCH nodes is
PLACE_SD = 1.0  # assumption: the same of a node within its patch
NODES_PER_PATCH = 40  # assumption
TOLERANCE = 0.04  # a destination lies at the wanted distance within this share of it
BIN_SHIFT = 4  # distances are sorted to 16 units
ROWS_AT_ONCE = 512


def draw_orders(
    plan: CityPlan, network: RoadNetwork, centre_m: tuple[float, float], seed: np.random.SeedSequence
) -> OrderStream:
    """Draw the order stream of a city.

    Args:
        plan: with the figures that the orders follow.
        network: the finished roads.
        centre_m: where the origin of the plan lies in the coordinates of ``network``.
        seed: every draw comes from it; places, times and trips from children of their own.

    Returns:
        Orders sorted by time; every one has a destination other than its origin.
    """
    places, times, trips = (np.random.default_rng(child) for child in seed.spawn(3))
    weight = _place_weights(plan, network, centre_m, places)  # [N]
    time_s = draw_times(plan.orders, times)  # [M]
    cumulative = np.cumsum(weight)
    origin = np.searchsorted(cumulative, trips.random(len(time_s)) * cumulative[-1], side="right").astype(np.int32)
    origin = np.minimum(origin, network.num_nodes - 1).astype(np.int32)
    return OrderStream(time_s, origin, _destinations(plan.orders, network, weight, origin, trips))


def draw_times(figures: OrderFigures, generator: np.random.Generator) -> Int64Array:
    """Draw the times of all orders, ascending; the first day is a Monday. Shape [M], seconds."""
    drawn = []
    for day in range(figures.days):
        percent = np.array(WEEKEND_PERCENT if day % 7 >= 5 else WEEKDAY_PERCENT)
        counts = generator.multinomial(generator.poisson(figures.per_day), percent / percent.sum())  # [24]
        hour = np.repeat(np.arange(24), counts)
        drawn.append(day * SECONDS_PER_DAY + hour * 3600 + generator.integers(0, 3600, len(hour)))
    return np.sort(np.concatenate(drawn)).astype(np.int64)


def shares_by_rank(concentration: tuple[tuple[float, float], ...], count: int) -> FloatArray:
    """Weights of ``count`` places, descending, of which the busiest hold the given shares. Shape [count]; sums to 1.

    Between two given points the weight falls geometrically, so that the curve has no long flat stretches.
    """
    share, held = np.array([(0.0, 0.0), *concentration, (1.0, 1.0)]).T  # [P + 1]
    slope = np.diff(held) / np.diff(share)  # [P]
    inner = np.sqrt(slope[:-1] * slope[1:])  # [P - 1] weight at the points where two pieces meet
    ends = np.concatenate([slope[:1] ** 2 / inner[0], inner, slope[-1:] ** 2 / inner[-1]])  # [P + 1]
    rank = np.round(share * count).astype(int)  # [P + 1]
    weight = np.empty(count)
    for piece in range(len(slope)):
        run = np.geomspace(ends[piece], ends[piece + 1], rank[piece + 1] - rank[piece])
        weight[rank[piece] : rank[piece + 1]] = (held[piece + 1] - held[piece]) * run / max(run.sum(), 1e-300)
    result: FloatArray = np.sort(weight / weight.sum())[::-1]  # they may rise a little where pieces meet
    return result


def _place_weights(
    plan: CityPlan, network: RoadNetwork, centre_m: tuple[float, float], generator: np.random.Generator
) -> FloatArray:
    """How likely each node is the origin of an order: lively parts of the city, and places in them. Shape [N]."""
    from scipy.spatial import cKDTree

    count = network.num_nodes
    x, y = network.x_m - centre_m[0], network.y_m - centre_m[1]
    places = np.column_stack([x, y])
    patch_centre = generator.choice(count, max(1, count // NODES_PER_PATCH), replace=False)
    patch = cKDTree(places[patch_centre]).query(places)[1]  # [N]
    score = np.log([plan.liveliness(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)])
    score += PATCH_SD * generator.standard_normal(len(patch_centre))[patch]
    figures = plan.orders
    if figures.cell_m == 0:
        score += PLACE_SD * generator.standard_normal(count)
        weight = np.empty(count)
        weight[np.argsort(-score, kind="stable")] = shares_by_rank(figures.concentration, count)
        return weight
    column, row = network.x_m // figures.cell_m, network.y_m // figures.cell_m  # the cells of the projection's grid
    cells, cell = np.unique(column * 1e6 + row, return_inverse=True)
    inner = np.exp(PLACE_SD * generator.standard_normal(count))  # how much of its cell a node has
    cell_score = np.bincount(cell, np.exp(score) * inner)
    by_cell = np.empty(len(cells))
    by_cell[np.argsort(-cell_score, kind="stable")] = shares_by_rank(figures.concentration, len(cells))
    result: FloatArray = by_cell[cell] * inner / np.bincount(cell, inner)[cell]
    return result


def _destinations(
    figures: OrderFigures, network: RoadNetwork, weight: FloatArray, origin: IntArray, generator: np.random.Generator
) -> IntArray:
    """Choose destinations at lognormal distances along the roads, lively places more often. Shape [M]."""
    from crowdgym.data.roads.distances import Distances

    wanted = generator.lognormal(figures.trip_log_mean, figures.trip_log_sd, len(origin)) / network.unit_m
    luck = generator.random(len(origin))
    order = np.argsort(origin, kind="stable")
    nodes, start = np.unique(origin[order], return_index=True)
    start = np.append(start, len(order))
    destination = np.empty(len(origin), np.int32)
    distances = Distances(network)
    for first in range(0, len(nodes), ROWS_AT_ONCE):
        some = nodes[first : first + ROWS_AT_ONCE]
        rows = distances.rows(some)  # [K, N]; roads lead both ways, so the way back is as long
        _choose(rows, weight, start[first : first + len(some) + 1], order, wanted, luck, destination)
    return destination


@jit
def _choose(
    rows: NDArray[np.uint16],
    weight: FloatArray,
    start: Int64Array,
    order: Int64Array,
    wanted: FloatArray,
    luck: FloatArray,
    destination: IntArray,
) -> None:
    """For the k-th origin, fill the destinations of orders order[start[k]:start[k + 1]]."""
    num_rows, count = rows.shape
    num_bins = (65_536 >> BIN_SHIFT) + 1
    bin_end = np.empty(num_bins, np.int64)  # nodes in this bin and those before
    by_distance = np.empty(count, np.int32)
    below = np.empty(count + 1)  # weight of all nodes before this place in by_distance
    below[0] = 0.0
    for k in range(num_rows):
        bin_end[:] = 0
        for node in range(count):
            bin_end[(rows[k, node] >> BIN_SHIFT) + 1] += 1
        last = 0
        for b in range(1, num_bins):
            if bin_end[b] > 0:
                last = b
            bin_end[b] += bin_end[b - 1]
        for node in range(count):  # afterwards bin_end[b] is the end of bin b, not its start
            b = rows[k, node] >> BIN_SHIFT
            by_distance[bin_end[b]] = node
            bin_end[b] += 1
        for i in range(count):
            node = by_distance[i]
            below[i + 1] = below[i] + (weight[node] if rows[k, node] > 0 else 0.0)  # the origin itself does not count
        for position in range(start[k], start[k + 1]):
            which = order[position]
            tolerance = TOLERANCE
            first, end = 0, 0
            while below[first] == below[end]:
                low = int(wanted[which] * (1 - tolerance)) >> BIN_SHIFT
                high = int(wanted[which] * (1 + tolerance)) >> BIN_SHIFT
                first = 0 if low <= 0 else bin_end[min(low, last) - 1]
                end = bin_end[min(high, last)]
                tolerance *= 2
            value = below[first] + luck[which] * (below[end] - below[first])
            while end - first > 1:  # below[first] <= value, and value < below[end] but for rounding
                middle = (first + end) // 2
                if below[middle] <= value:
                    first = middle
                else:
                    end = middle
            destination[which] = by_distance[first]
