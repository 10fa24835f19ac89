"""Small markets of ``dasc_v0`` solved by constraint programming: what policies earn beside the best that can be earned.

    pip install ortools
    python benchmarks/dasc_exact.py --scenario dasc-small --set num_workers=8 --set num_tasks=10 --episodes 10

CP-SAT of Google OR-Tools, which nothing else of CrowdGym needs, solves each instance twice, knowing all tasks from the
beginning. *Cautious*: all times rounded against the schedule, workers only go where they are in range and only serve
tasks that are paid. The schedule is played in the environment, and what it earns there counts. *Optimistic*: all times
rounded in its favour, and workers may use tasks that are not paid to come nearer to others: by serving them, or by
being called back when they expire, from anywhere that the way since then allows. So no policy earns more than the
proven bound of the second model. Prints Markdown: the revenue of each instance, and shares of the optimistic bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from dasc_clairvoyant import Plan, arguments, asking, instances_of, plan_of, played, print_table, problem_of, search
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from crowdgym.agents.dasc.list_schedule import NONE, Problem, Schedule
from crowdgym.configs.dasc import DascSettings
from crowdgym.data.roads.distances import Distances
from crowdgym.envs.dasc.bound import earliest_finishes_s, revenue_bound
from crowdgym.envs.dasc.instance import DascInstance

Whole = NDArray[np.int64]

TICKS: Final = 10  # in a second
ROUNDS: Final = 3000  # of the search for a schedule to begin with
_START: Final = -1  # in place of a subtask: where a worker is at time 0

Expiries = dict[int, cp_model.IntVar]  # of tasks


@dataclass(frozen=True)
class Market:
    """An instance in ticks, whole tenths of a second. Q tasks, N subtasks, W workers. A tick of lateness costs 1.

    Attributes:
        optimistic: whether times are rounded in favour of the schedule, and workers may use unpaid tasks.
        problem: the instance.
        task: of each subtask. Shape [N].
        payment, expected, close: of tasks; they have to be finished before ``close``. Shape [Q].
        duration: shape [N].
        opens: the first epoch at which a worker is sent. Shape [N].
        arrives: no worker begins before. Shape [W, N].
        way: to subtasks from places, which are those of the subtasks and then the starts of workers. Shape [N + W, N].
        beyond: the way to j, at the least, from where a worker may be called back that goes from place p to subtask k;
            infinite where it is out of range. Shape [N + W, N, N], [p, k, j]; not used unless optimistic.
        reach: the longest way on which a worker is sent.
        step: ticks between epochs.
    """

    optimistic: bool
    problem: Problem
    task: Whole
    payment: Whole
    expected: Whole
    close: Whole
    duration: Whole
    opens: Whole
    arrives: Whole
    way: Whole
    beyond: NDArray[np.float64]
    reach: float
    step: int

    @classmethod
    def of(cls, instance: DascInstance, settings: DascSettings, optimistic: bool) -> "Market":
        """An instance of an environment. Its step has to be a whole number of seconds."""
        problem = problem_of(instance, settings)
        sooner, later = (np.floor, np.ceil) if optimistic else (np.ceil, np.floor)
        speed = settings.speed_mps / TICKS
        way_m = Distances(instance.network).rows(instance.subtask_node).astype(np.float64) * instance.network.unit_m
        arrival_s, finish_s = earliest_finishes_s(instance, settings)
        begin_s = np.maximum(arrival_s, finish_s - instance.duration_s)
        places = np.concatenate([instance.subtask_node, instance.worker_node])
        money = TICKS / settings.penalty_per_s

        def whole(values: NDArray[np.float64]) -> Whole:
            return np.minimum(values, 1e8).astype(np.int64)

        return cls(
            optimistic=optimistic,
            problem=problem,
            task=instance.subtask_task.astype(np.int64),
            payment=whole(later(problem.payment * money)),
            expected=whole(later(problem.expected_s * TICKS)),
            close=whole(later(problem.deadline_s * TICKS)),
            duration=whole(sooner(problem.duration_s * TICKS)),
            opens=whole(np.ceil(problem.open_s / settings.step_s)),
            arrives=whole(np.floor(begin_s * TICKS)),
            way=whole(sooner(way_m[:, places].T / speed)),
            beyond=_beyond(way_m / speed, places, settings.range_m / speed, optimistic),
            reach=settings.range_m / speed,
            step=int(settings.step_s) * TICKS,
        )


def _beyond(
    to_subtask: NDArray[np.float64], places: NDArray[np.integer], reach: float, needed: bool
) -> NDArray[np.float64]:
    """See `Market`. On a shortest way to k, what is left of it never grows; no way is longer than two parts of it."""
    beyond = np.full((len(places), len(to_subtask), len(to_subtask)), np.inf)
    for p, k in np.argwhere(reach >= to_subtask[:, places].T).tolist() if needed else ():
        whole = to_subtask[k, places[p]]
        between = np.flatnonzero(to_subtask[k] <= whole)  # nodes at which it may be called back
        gone = whole - to_subtask[k, between]
        way = np.maximum(to_subtask[:, between], to_subtask[:, places[p], np.newaxis] - gone)  # [N, nodes]
        beyond[p, k] = np.where(way <= reach, way, np.inf).min(axis=1)
    return beyond


class Model:
    """The constraint program of a market."""

    def __init__(self, market: Market) -> None:
        self.market, self.cp = market, cp_model.CpModel()
        count, tasks = len(market.task), len(market.payment)
        self.can = market.problem.able & (market.arrives + market.duration < market.close[market.task])  # [W, N]
        able = self.can.any(axis=0)
        first = market.problem.first
        self.paid = [self.cp.new_bool_var(f"paid {q}") for q in range(tasks)]
        for q in range(tasks):
            if not able[first[q] : first[q + 1]].all():
                self.cp.add(self.paid[q] == 0)
        self.start = [
            self.cp.new_int_var(0, int(market.close[market.task[i]] - market.duration[i]), f"start {i}")
            for i in range(count)
        ]
        epochs = int(market.close.max() // market.step) + 1
        self.leave = [self.cp.new_int_var(int(market.opens[i]), epochs, f"leave {i}") for i in range(count)]
        self.idle = [self.cp.new_int_var(0, epochs, f"idle {i}") for i in range(count)]
        self.served = [self.cp.new_bool_var(f"served {i}") for i in range(count)]
        self.serves = {
            (int(w), int(i)): self.cp.new_bool_var(f"{w} serves {i}")
            for w, i in zip(*np.nonzero(self.can), strict=True)
        }
        self._tasks()
        for w in range(len(self.can)):
            self._route(w)

    def _tasks(self) -> None:
        """Payment, precedence and deadlines."""
        market, cp = self.market, self.cp
        late = [cp.new_int_var(0, int(most), f"late {q}") for q, most in enumerate(market.payment)]
        for i, q in enumerate(market.task.tolist()):
            workers = [self.serves[w, i] for w in range(len(self.can)) if self.can[w, i]]
            cp.add(sum(workers) == self.served[i])
            cp.add_implication(self.paid[q], self.served[i])
            end = self.start[i] + int(market.duration[i])
            cp.add(market.step * self.idle[i] >= end)
            cp.add(end < int(market.close[q])).only_enforce_if(self.paid[q])
            cp.add(late[q] >= end - int(market.expected[q])).only_enforce_if(self.paid[q])
            for j in np.flatnonzero(market.problem.before[:, i]).tolist():
                cp.add_implication(self.served[i], self.served[j])
                cp.add(self.start[i] >= self.start[j] + int(market.duration[j])).only_enforce_if(self.served[i])
                cp.add(self.leave[i] >= self.leave[j]).only_enforce_if(self.served[i])
        cp.maximize(sum(int(market.payment[q]) * self.paid[q] - late[q] for q in range(len(self.paid))))

    def _route(self, w: int) -> None:
        """One worker: a tour over what it serves, which begins and ends at node 0."""
        market, cp = self.market, self.cp
        mine = np.flatnonzero(self.can[w]).tolist()
        if not mine:
            return
        node = {i: number for number, i in enumerate(mine, start=1)} | {_START: 0}
        arcs: list[tuple[int, int, cp_model.LiteralT]] = [(0, 0, cp.new_bool_var(f"{w} rests"))]
        for i in mine:
            serves = self.serves[w, i]
            arcs += [(node[i], node[i], ~serves), (node[i], 0, cp.new_bool_var(f"{w} ends at {i}"))]
            if market.arrives[w, i] > 0:
                cp.add(self.start[i] >= int(market.arrives[w, i])).only_enforce_if(serves)
        for i in (_START, *mine):
            expiries = self._expiries(w, i)
            for j in mine:
                if i != j:
                    arc = self._leg(w, i, j, expiries)
                    arcs += [] if arc is None else [(node[i], node[j], arc)]
        cp.add_circuit(arcs)

    def _leg(self, w: int, i: int, j: int, expiries: Expiries) -> cp_model.IntVar | None:
        """Whether a worker serves j next after i; None if it cannot."""
        market, cp = self.market, self.cp
        place = len(market.task) + w if i == _START else i
        way = int(market.way[place, j])
        sooner = 0 if i == _START else int(market.arrives[w, i] + market.duration[i])
        if sooner + way > market.close[market.task[j]] - market.duration[j]:
            return None
        ways = self._called_back(w, place, j, expiries)
        idle = 0 if i == _START else self.idle[i]
        if way <= market.reach:
            direct = cp.new_bool_var(f"{w} from {i} straight to {j}")
            cp.add(self.leave[j] >= idle).only_enforce_if(direct)
            cp.add(self.start[j] >= market.step * self.leave[j] + way).only_enforce_if(direct)
            ways.append(direct)
        if not ways:
            return None
        arc = cp.new_bool_var(f"{w} from {i} to {j}")
        cp.add(self.start[j] >= market.step * idle + way).only_enforce_if(arc)
        cp.add_bool_or([*ways, ~arc])
        return arc

    def _expiries(self, w: int, i: int) -> Expiries:
        """For each task to which worker w may be sent from i: whether it is, and is called back when that expires."""
        market, cp, found = self.market, self.cp, Expiries()
        place = len(market.task) + w if i == _START else i
        near = market.problem.able[w] & (market.way[place] <= market.reach)
        for q in np.unique(market.task[near]).tolist() if market.optimistic else ():
            found[q] = cp.new_bool_var(f"{w} at {i} is called back from task {q}")
            cp.add_implication(found[q], ~self.paid[q])
            if i != _START:
                cp.add(market.step * self.idle[i] <= int(market.close[q])).only_enforce_if(found[q])
        return found

    def _called_back(self, w: int, place: int, j: int, expiries: Expiries) -> list[cp_model.IntVar]:
        """The ways to j of a worker that has been called back before: once, from a task in between, or more often."""
        market, cp, ways = self.market, self.cp, list[cp_model.IntVar]()
        near = market.beyond[place, :, j]  # [N] by the subtask that it was sent to
        for q, used in expiries.items():
            once, again = cp.new_bool_var(f"{w} {place} {j} {q} once"), cp.new_bool_var(f"{w} {place} {j} {q} again")
            before = [other for p, other in expiries.items() if market.close[p] < market.close[q]]
            least = near[(market.task == q) & market.problem.able[w]].min(initial=np.inf)
            for kind, way, needs in ((once, least, [used]), (again, 0.0, before)):
                if way <= market.reach and needs:
                    ways.append(kind)
                    cp.add_bool_or(needs).only_enforce_if(kind)
                    cp.add_implication(kind, ~self.paid[q])
                    cp.add(market.step * self.leave[j] >= int(market.close[q])).only_enforce_if(kind)
                    cp.add(self.start[j] >= market.step * self.leave[j] + int(way)).only_enforce_if(kind)
        return ways

    def hint_schedule(self, schedule: Schedule) -> None:
        """Begin the search with a schedule."""
        market, cp = self.market, self.cp
        done = (np.minimum.reduceat(schedule.worker, market.problem.first[:-1]) != NONE)[market.task]
        for q, i in enumerate(market.problem.first[:-1].tolist()):
            cp.add_hint(self.paid[q], bool(done[i]))
        for (w, i), serves in self.serves.items():
            cp.add_hint(serves, bool(done[i] and schedule.worker[i] == w))
        plan = plan_of(market.problem, schedule, soon=False)
        for i, served in enumerate(self.served):
            cp.add_hint(served, bool(done[i]))
            if done[i]:
                cp.add_hint(self.start[i], int(np.ceil(schedule.begin_s[i] * TICKS)))
                cp.add_hint(self.leave[i], int(plan[i][1] * TICKS) // market.step)

    def hint_solution(self, other: "Model", solver: cp_model.CpSolver) -> None:
        """Begin the search with the solution of the other model of the same instance."""
        pairs = zip(other.variables(), self.variables(), strict=True)
        for theirs, ours in pairs:
            self.cp.add_hint(ours, solver.value(theirs))

    def variables(self) -> list[cp_model.IntVar]:
        """What both models of an instance share."""
        return [*self.paid, *self.served, *self.start, *self.leave, *self.idle, *self.serves.values()]

    def solve(self, limit_s: float, threads: int) -> cp_model.CpSolver:
        """The solver after its search."""
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = limit_s
        solver.parameters.num_workers = threads
        solver.solve(self.cp)
        return solver

    @staticmethod
    def has_solution(solver: cp_model.CpSolver) -> bool:
        """Whether the search has found anything."""
        return bool(solver.response_proto.status in (cp_model.OPTIMAL, cp_model.FEASIBLE))

    def plan(self, solver: cp_model.CpSolver) -> Plan:
        """For each subtask that is served its worker and when that leaves, in seconds."""
        return {
            i: (w, self.market.step * solver.value(self.leave[i]) / TICKS)
            for (w, i), serves in self.serves.items()
            if solver.value(serves)
        }


def solved(env: Any, seed: int, limit_s: float, threads: int) -> tuple[float, float]:
    """The revenue of the best plan as it is played, and what no policy exceeds."""
    env.reset(seed=seed)
    instance, settings = env.instance, env.settings
    cautious = Model(Market.of(instance, settings, optimistic=False))
    problem = cautious.market.problem
    schedule = search(problem, ROUNDS, seed)
    cautious.hint_schedule(schedule)
    solver = cautious.solve(limit_s, threads)
    plans = [plan_of(problem, schedule, soon) for soon in (True, False)]
    if cautious.has_solution(solver):
        plans.append(cautious.plan(solver))
    optimistic = Model(Market.of(instance, settings, optimistic=True))
    if cautious.has_solution(solver):
        optimistic.hint_solution(cautious, solver)
    bound = optimistic.solve(2.0 * limit_s, threads).best_objective_bound * settings.penalty_per_s / TICKS
    return max(played(env, seed, plan) for plan in plans), min(bound, revenue_bound(instance, settings))


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--limit", type=float, default=40.0, help="seconds; the optimistic model may take twice as many"
    )
    parser.add_argument("--threads", type=int, default=8, help="of the solver")
    options = parser.parse_args()
    asked = asking(options.scenario, dict(options.set))

    def values_of(env: Any, seed: int) -> Mapping[str, float]:
        best, most = solved(asked, seed, options.limit, options.threads)
        bound = revenue_bound(asked.instance, asked.settings)
        return {"best plan": best, "proven": most, "bound": bound}

    print_table(instances_of(options, values_of), "proven")


if __name__ == "__main__":
    main()
