"""Bipartite matching of the largest total weight, sparse, exact and unique, without an allocation.

Rows (subtasks) are matched with columns (workers), either or both of which may stay alone. Weights are whole numbers
from 0 on, so nothing depends on rounding. The method is that of successive shortest augmenting paths with prices
(Jonker and Volgenant 1987, after Kuhn and Munkres): a row with profit p_i and a column with price q_j, both from 0 on,
with p_i + q_j >= U_ij at every edge, equality at every matched one, and 0 for a row or column without a partner. Such
prices prove that the total is the largest.

Where several matchings have this total, the first one is taken: compared row by row, having a column comes before
having none, and a smaller column before a larger. All optimal matchings are made of the edges where p_i + q_j = U_ij,
so it is found by moving rows, one after the other, to a smaller such column along alternating paths.
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.jit import inlined, kernel
from crowdgym.envs.core.arrays import allocate

Ints = NDArray[np.int32]
Wholes = NDArray[np.int64]

NONE = -1
_FAR = np.int64(1) << 62
_START = -2  # what comes before the first column of a path


class Graph(NamedTuple):
    """The edges of R rows and C columns, and room to work in. One for each environment copy: arrays lead with B."""

    start: Annotated[Ints, "B, R + 1"]  # edges of row i: start[i] .. start[i + 1]
    column: Annotated[Ints, "B, E"]  # ascending within a row
    weight: Annotated[Wholes, "B, E"]  # from 0 to 2^40
    row_match: Annotated[Ints, "B, R"]  # the column of each row, or -1: the answer
    column_match: Annotated[Ints, "B, C"]  # the row of each column, or -1
    profit: Annotated[Wholes, "B, R"]  # p
    price: Annotated[Wholes, "B, C"]  # q
    row_distance: Annotated[Wholes, "B, R"]
    column_distance: Annotated[Wholes, "B, C"]
    before: Annotated[Ints, "B, C + 1"]  # the row, or the column, by which a column was reached; C is being alone
    mover: Annotated[Ints, "B, C + 1"]  # the row that would move to a column, or -1
    reached: Annotated[Ints, "B, C + 1"]  # columns in the order they were reached in
    settled: Annotated[NDArray[np.bool_], "B, C"]

    @classmethod
    def empty(cls, batch: int, rows: int, columns: int) -> "Graph":
        """Room for all pairs (of which the operating system hands out what is used)."""
        return allocate(cls, {"B": batch, "R": rows, "C": columns, "E": rows * columns})


@kernel
def match(graph: Graph, b: int, rows: int) -> None:
    """Find the best matching of the first ``rows`` rows of copy ``b``, into ``row_match`` and ``column_match``."""
    graph.column_match[b, :] = NONE
    graph.price[b, :] = 0
    graph.column_distance[b, :] = _FAR
    graph.settled[b, :] = False
    for i in range(rows):
        graph.row_match[b, i] = NONE
        _insert(graph, b, i)
    for i in range(rows):
        _move_to_smallest(graph, b, i, rows)


@inlined
def _insert(graph: Graph, b: int, row: int) -> None:
    """Add a row to the optimum of those before it."""
    start, column, weight = graph.start[b], graph.column[b], graph.weight[b]
    price, profit, owner = graph.price[b], graph.profit[b], graph.column_match[b]
    best, best_column = np.int64(0), NONE
    for edge in range(start[row], start[row + 1]):
        gain = weight[edge] - price[column[edge]]
        if gain > best or (gain == best and best_column < 0):
            best, best_column = gain, column[edge]
    profit[row] = best
    if best_column < 0:
        return
    if owner[best_column] < 0:
        owner[best_column], graph.row_match[b, row] = row, best_column
        return
    _augment(graph, b, row)


@kernel
def _augment(graph: Graph, b: int, root: int) -> None:
    """Find the cheapest way to take in the row ``root``: Dijkstra's search over p_i + q_j - U_ij from it."""
    start, column, weight = graph.start[b], graph.column[b], graph.weight[b]
    price, profit, owner = graph.price[b], graph.profit[b], graph.column_match[b]
    distance, before, reached, settled = graph.column_distance[b], graph.before[b], graph.reached[b], graph.settled[b]
    count = 0
    row, row_distance = root, np.int64(0)
    # The search ends where a column is free, or where a row is better off alone.
    shortest, last_row, last_column = profit[root], root, NONE
    while True:
        graph.row_distance[b, row] = row_distance
        if row_distance + profit[row] < shortest:
            shortest, last_row, last_column = row_distance + profit[row], row, NONE
        for edge in range(start[row], start[row + 1]):
            j = column[edge]
            further = row_distance + profit[row] + price[j] - weight[edge]
            if settled[j] or further >= distance[j]:
                continue
            if distance[j] == _FAR:
                reached[count] = j
                count += 1
            distance[j], before[j] = further, row
        nearest = NONE
        for k in range(count):
            j = reached[k]
            if not settled[j] and (nearest < 0 or distance[j] < distance[nearest]):
                nearest = j
        if nearest < 0 or distance[nearest] >= shortest:
            break
        settled[nearest] = True
        if owner[nearest] < 0:
            shortest, last_row, last_column = distance[nearest], before[nearest], nearest
            break
        row, row_distance = owner[nearest], distance[nearest]
    profit[root] -= shortest
    for k in range(count):
        j = reached[k]
        if settled[j] and distance[j] < shortest:
            price[j] += shortest - distance[j]
            profit[owner[j]] -= shortest - distance[j]
        distance[j] = _FAR
        settled[j] = False
    _flip(graph, b, root, last_row, last_column)


@inlined
def _flip(graph: Graph, b: int, root: int, row: int, new_column: int) -> None:
    """Give ``row`` its new column, the row before it the one left by this, and so on back to ``root``."""
    row_match, owner, before = graph.row_match[b], graph.column_match[b], graph.before[b]
    while True:
        left = row_match[row]
        row_match[row] = new_column
        if new_column >= 0:
            owner[new_column] = row
        if row == root:
            return
        row, new_column = before[left], left


@inlined
def _move_to_smallest(graph: Graph, b: int, row: int, rows: int) -> None:
    """Move a row to the smallest column that it can have at the same total, rows before it staying as they are."""
    start, column, weight = graph.start[b], graph.column[b], graph.weight[b]
    price, profit = graph.price[b], graph.profit[b]
    for edge in range(start[row], start[row + 1]):
        j = column[edge]
        if j == graph.row_match[b, row]:
            return
        if profit[row] + price[j] == weight[edge] and _exchange(graph, b, row, j, rows):
            return


@kernel
def _exchange(graph: Graph, b: int, row: int, wanted: int, rows: int) -> bool:
    """Let ``row`` have the column ``wanted`` if all whom this displaces find another place at the same total.

    Breadth first, from the column wanted to the one that the row leaves, over who moves where. *Alone* is one more
    place, where there is room for all: whose profit is 0 may go there, and who is there may come out again; a column
    whose price is 0 may lose its owner and get no other.
    """
    start, column, weight = graph.start[b], graph.column[b], graph.weight[b]
    price, profit = graph.price[b], graph.profit[b]
    row_match, owner = graph.row_match[b], graph.column_match[b]
    before, mover, reached = graph.before[b], graph.mover[b], graph.reached[b]
    alone = len(owner)
    target = row_match[row] if row_match[row] >= 0 else alone
    before[:] = NONE
    before[wanted] = _START
    reached[0] = wanted
    count, at = 1, 0
    while at < count and before[target] == NONE:
        here = reached[at]
        at += 1
        if here == alone:
            for j in range(alone):
                if before[j] == NONE and price[j] == 0 and owner[j] >= 0:
                    before[j], mover[j], reached[count] = here, NONE, j
                    count += 1
        elif (owner[here] < 0 or (owner[here] > row and profit[owner[here]] == 0)) and before[alone] == NONE:
            before[alone], mover[alone], reached[count] = here, owner[here], alone
            count += 1
        first, last = (row + 1, rows) if here == alone else (owner[here], owner[here] + 1)
        for moving in range(max(first, row + 1), last):
            if here == alone and row_match[moving] >= 0:
                continue
            for edge in range(start[moving], start[moving + 1]):
                j = column[edge]
                if before[j] == NONE and profit[moving] + price[j] == weight[edge]:
                    before[j], mover[j], reached[count] = here, moving, j
                    count += 1
    if before[target] == NONE:
        return False
    there = target
    while there != wanted:
        moving = mover[there]
        if there != alone:
            owner[there] = moving
        if moving >= 0:
            row_match[moving] = there if there != alone else NONE
        there = before[there]
    owner[wanted] = row
    row_match[row] = wanted
    return True
