"""A checker of finished episodes of sensing, written from ``docs/sensing_dynamics.md``, without the kernel.

It is given the instance and what the environment claims to have happened. Moves are held against the actions, and all
that follows against the places that are claimed, so one fault is found once. With knn and idw numbers have to agree to
1e-9. With svr they are less certain: scikit-learn's solver stops at a tolerance of a thousandth, so the last bit of
what it is given can move an inferred value by about that many deviations.
"""

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.verification.sensing.estimates import Estimator, Flags
from crowdgym.verification.sensing.records import (
    CheckedInstance,
    Floats,
    SensingLog,
    Totals,
    Violation,
    ViolationKind,
)

_TOLERANCE = 1e-9  # relative, or absolute near zero
_SVR_TOLERANCE = 1e-2  # absolute, of errors in units of Γ


def check_log(instance: CheckedInstance, log: SensingLog, *, partial: bool = False) -> list[Violation]:
    """Check a finished episode.

    Args:
        instance: What was fixed before the first step.
        log: What the environment claims.
        partial: Whether the log may end before the last cycle.

    Returns:
        What cannot be so; nothing if the episode is confirmed.

    Raises:
        DataError: the log has other sizes than the instance.
    """
    _refuse_other_sizes(instance, log)
    return _Checker(instance, log).check(partial)


def _refuse_other_sizes(instance: CheckedInstance, log: SensingLog) -> None:
    rows = len(log.cell)
    participants, cells, agents = instance.num_participants, instance.num_cells, instance.num_agents
    columns = {"cell": participants, "travel_km": participants, "crowd": cells, "cell_error": cells}
    columns |= {"chosen": agents, "reward": agents, "error_per_attribute": len(instance.scale)}
    shapes = {name: (rows, number) for name, number in columns.items()} | {"actions": (rows - 1, agents)}
    for name, shape in shapes.items():
        if getattr(log, name).shape != shape:
            raise DataError(f"{name} has shape {getattr(log, name).shape}, expected {shape}")


class _Checker:
    """The checks, with their shared data."""

    def __init__(self, instance: CheckedInstance, log: SensingLog) -> None:
        self.instance, self.log = instance, log
        self.estimator = Estimator(instance)
        self.error_tolerance = _SVR_TOLERANCE if instance.inference == "svr" else _TOLERANCE
        self.found: list[Violation] = []

    def check(self, partial: bool) -> list[Violation]:
        """Check everything, cycle by cycle."""
        last = len(self.log.cell) - 1
        final = self.instance.num_cycles - 1
        if last > final or (last < final and not partial):
            self._report(ViolationKind.INCOMPLETE if last < final else ViolationKind.TOO_LONG, final, last)
            last = min(last, final)
        if not self._all_there():
            return self.found
        self._check_start()
        before = np.full(self.instance.values.shape[1:], np.nan)  # [X, A] inferred in the last cycle
        attribute_errors = []
        for cycle in range(last + 1):
            if cycle:
                self._check_actions(cycle)
                self._check_moves(cycle)
            self._check_travel(cycle)
            sensed = self._check_crowd(cycle)
            inferred = self.estimator.infer(self.estimator.collect(cycle, sensed), before)
            attribute_error, cell_error = self.estimator.errors(cycle, sensed, inferred)
            attribute_errors.append(attribute_error)
            self._check_cell_errors(cycle, cell_error)
            if cycle:
                self._check_rewards(cycle, sensed, before, float((attribute_error / self.instance.scale).sum()))
            before = inferred
        self._check_totals(np.array(attribute_errors))
        return self.found

    def _report(
        self,
        kind: ViolationKind,
        expected: float | str,
        found: float | str,
        cycle: int | None = None,
        participant: int | None = None,
        cell: int | None = None,
    ) -> None:
        self.found.append(Violation.of(kind, expected, found, cycle=cycle, participant=participant, cell=cell))

    def _all_there(self) -> bool:
        """Whether every place is a cell; otherwise no further check is possible."""
        cells = self.instance.num_cells
        outside = np.argwhere((self.log.cell < 0) | (self.log.cell >= cells))
        for cycle, p in outside:
            place = int(self.log.cell[cycle, p])
            self._report(ViolationKind.UNKNOWN_CELL, f"0..{cells - 1}", place, int(cycle), int(p))
        return not len(outside)

    # ---- who is where ----

    def _check_start(self) -> None:
        """Every participant starts in its drawn cell, and no two start in one cell."""
        places = self.log.cell[0].tolist()
        for p, (expected, found) in enumerate(zip(self.instance.start.tolist(), places, strict=True)):
            if found != expected:
                self._report(ViolationKind.WRONG_START, expected, found, 0, p)
            if found in places[:p]:
                self._report(ViolationKind.SHARED_START, "a cell of its own", found, 0, p)

    def _check_actions(self, cycle: int) -> None:
        """Actions exist, and their recorded meaning agrees with them."""
        actions = self.log.actions[cycle - 1]
        asked = actions if self.instance.participants_act else actions - 1
        for agent in np.flatnonzero((actions < 0) | (actions >= self.instance.num_actions)):
            expected = f"0..{self.instance.num_actions - 1}"
            self._report(ViolationKind.UNKNOWN_ACTION, expected, int(actions[agent]), cycle, **self._agent(agent))
        for agent in np.flatnonzero(self.log.chosen[cycle] != asked):
            found = int(self.log.chosen[cycle, agent])
            self._report(ViolationKind.WRONG_CHOICE, int(asked[agent]), found, cycle, **self._agent(agent))

    def _agent(self, agent: int | np.signedinteger) -> dict[str, int]:
        return {"participant" if self.instance.participants_act else "cell": int(agent)}

    def _check_moves(self, cycle: int) -> None:
        actions, places = self.log.actions[cycle - 1], self.log.cell[cycle].tolist()
        for p, (origin, place) in enumerate(zip(self.log.cell[cycle - 1].tolist(), places, strict=True)):
            if self.instance.participants_act:
                if place != actions[p]:
                    self._report(ViolationKind.NOT_CHOSEN, int(actions[p]), place, cycle, p)
                continue
            askers = np.flatnonzero(actions == p + 1)
            if not len(askers):
                if place != origin:
                    self._report(ViolationKind.NOT_ASKED, origin, place, cycle, p)
                continue
            nearest = int(askers[np.argmin(self.estimator.distance_km[origin, askers])])  # of equals the smaller
            if place != nearest:
                stays = place == origin and origin not in askers
                kind = ViolationKind.NOT_GONE if stays else ViolationKind.WRONG_ASKER
                self._report(kind, nearest, place, cycle, p)

    def _check_travel(self, cycle: int) -> None:
        places = self.log.cell[cycle]
        origins = self.log.cell[max(cycle - 1, 0)]
        for p, (expected, found) in enumerate(
            zip(self.estimator.distance_km[origins, places], self.log.travel_km[cycle], strict=True)
        ):
            if not _same(expected, found):
                self._report(ViolationKind.WRONG_TRAVEL, float(expected), float(found), cycle, p)

    def _check_crowd(self, cycle: int) -> Flags:
        """Check the number of participants in each cell; returns the cells with at least one."""
        crowd = np.bincount(self.log.cell[cycle], minlength=self.instance.num_cells)
        for cell in np.flatnonzero(crowd != self.log.crowd[cycle]):
            found = int(self.log.crowd[cycle, cell])
            self._report(ViolationKind.WRONG_CROWD, int(crowd[cell]), found, cycle, cell=int(cell))
        return crowd > 0

    # ---- errors and rewards ----

    def _check_cell_errors(self, cycle: int, expected: Floats) -> None:
        found = self.log.cell_error[cycle]
        for cell, (right, claimed) in enumerate(zip(expected.tolist(), found.tolist(), strict=True)):
            if np.isnan(right) and np.isnan(claimed):
                continue
            if np.isnan(right):
                self._report(ViolationKind.WRONGLY_COUNTED, "none", claimed, cycle, cell=cell)
            elif np.isnan(claimed):
                self._report(ViolationKind.NOT_COUNTED, right, "none", cycle, cell=cell)
            elif not _same(right, claimed, self.error_tolerance):
                self._report(ViolationKind.WRONG_CELL_ERROR, right, claimed, cycle, cell=cell)

    def _check_rewards(self, cycle: int, sensed: Flags, before: Floats, error: float) -> None:
        instance, agents = self.instance, self.instance.num_agents
        of_cost_km = self.log.travel_km[cycle] / instance.num_participants  # [P]
        tolerance = self.error_tolerance
        if instance.reward == "shared":
            expected = np.full(agents, (-error - instance.cost_weight * of_cost_km.sum()) / agents)
            tolerance = tolerance / agents if instance.inference == "svr" else tolerance
        else:
            places = self.log.cell[cycle]
            gains = self.estimator.gains(cycle, sensed, before, error)
            if instance.participants_act:
                alone = np.bincount(places, minlength=instance.num_cells)[places] == 1
                expected = np.where(alone, gains[places], 0.0) - instance.cost_weight * of_cost_km
            else:
                came_km = np.bincount(places, weights=of_cost_km, minlength=instance.num_cells)
                expected = gains - instance.cost_weight * came_km
        for agent, (right, claimed) in enumerate(zip(expected.tolist(), self.log.reward[cycle].tolist(), strict=True)):
            if not _same(right, claimed, tolerance):
                self._report(ViolationKind.WRONG_REWARD, right, claimed, cycle, **self._agent(agent))

    # ---- totals ----

    def _check_totals(self, attribute_errors: Floats) -> None:
        """The metrics after every cycle, and those at the end. ``attribute_errors``: [L + 1, A]."""
        cycles = np.arange(1, len(attribute_errors) + 1)[:, np.newaxis]
        of_attribute = attribute_errors.cumsum(axis=0) / cycles / self.instance.scale
        cost_km = self.log.travel_km[: len(cycles)].mean(axis=1).cumsum() / cycles[:, 0]
        for cycle, right in enumerate(of_attribute):
            for a, one in enumerate(right.tolist()):
                claimed = float(self.log.error_per_attribute[cycle, a])
                if not _same(one, claimed, self.error_tolerance):
                    self._report(ViolationKind.ATTRIBUTE_TOTAL, f"{one!r} of attribute {a}", claimed, cycle)
            whole, claimed = float(self.log.error_per_attribute[cycle].sum()), float(self.log.error[cycle])
            if not _same(whole, claimed):
                self._report(ViolationKind.ERROR_TOTAL, whole, claimed, cycle)
            if not _same(float(cost_km[cycle]), float(self.log.cost_km[cycle])):
                self._report(ViolationKind.COST_TOTAL, float(cost_km[cycle]), float(self.log.cost_km[cycle]), cycle)
        last = len(cycles) - 1
        of_last = Totals(
            float(self.log.error[last]),
            float(self.log.cost_km[last]),
            tuple(self.log.error_per_attribute[last].tolist()),
        )
        pairs = zip(_numbers(of_last), _numbers(self.log.totals), strict=True)
        if not all(_same(one, other) for one, other in pairs):
            self._report(ViolationKind.FINAL_TOTAL, str(of_last), str(self.log.totals))


def _numbers(totals: Totals) -> tuple[float, ...]:
    return totals.error, totals.cost_km, *totals.error_per_attribute


def _same(expected: float, found: float, absolute: float = _TOLERANCE) -> bool:
    """Whether two numbers are equal; false if either is NaN."""
    return bool(abs(expected - found) <= max(absolute, _TOLERANCE * abs(expected)))
