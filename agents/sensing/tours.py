"""Short tours of participants to given cells: compiled loops."""

from typing import Final

import numpy as np

from crowdgym.agents.sensing.scheme import Cells, Floats
from crowdgym.common.jit import jit

STAYS: Final = -1


@jit
def first_stops(distance_km: Floats, participant_cell: Cells, cells: Cells, worth_km: Floats) -> Cells:
    """Plan tours to all cells that are worth it by cheapest insertion; tours end anywhere.

    Of all cells and places in tours, the pair that makes a tour longer by least comes first.

    Args:
        distance_km: between cells. Shape [X, X].
        participant_cell: where participants are. Shape [P].
        cells: different ones, to be visited. Shape [N].
        worth_km: the largest detour that each of these is worth. Shape [N].

    Returns:
        The first stop of each participant, or `STAYS`. Shape [P].
    """
    participants, number = len(participant_cell), len(cells)
    stops = np.full((participants, number), STAYS)
    length = np.zeros(participants, np.int64)
    detour_km, place = np.empty((number, participants)), np.zeros((number, participants), np.int64)
    waits = np.ones(number, np.bool_)
    for p in range(participants):
        _insert_into(distance_km, participant_cell[p], stops[p, :0], cells, worth_km, detour_km[:, p], place[:, p])
    for _ in range(number):
        best = int(detour_km.argmin())
        k, p = best // participants, best % participants
        if detour_km[k, p] == np.inf:
            break
        for i in range(length[p], place[k, p], -1):
            stops[p, i] = stops[p, i - 1]
        stops[p, place[k, p]] = cells[k]
        length[p] += 1
        waits[k] = False
        tour = stops[p, : length[p]]
        _insert_into(distance_km, participant_cell[p], tour, cells, worth_km, detour_km[:, p], place[:, p])
        for i in range(number):
            if not waits[i]:
                detour_km[i] = np.inf
    return stops[:, 0].copy()


@jit
def _insert_into(
    distance_km: Floats, start: int, tour: Cells, cells: Cells, worth_km: Floats, detour_km: Floats, place: Cells
) -> None:
    """Write the least detour to each cell in one tour, infinite if it is not worth it, and its place. Both [N]."""
    for k in range(len(cells)):
        detour_km[k] = np.inf
        before = start
        for i in range(len(tour) + 1):
            longer = distance_km[before, cells[k]]
            if i < len(tour):
                longer += distance_km[cells[k], tour[i]] - distance_km[before, tour[i]]
                before = tour[i]
            if longer < detour_km[k]:
                detour_km[k], place[k] = longer, i
        if detour_km[k] > worth_km[k]:
            detour_km[k] = np.inf
