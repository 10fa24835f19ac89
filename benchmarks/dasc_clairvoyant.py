"""How much room there is in ``dasc_v0``: policies between a clairvoyant schedule and the bound.

    python benchmarks/dasc_clairvoyant.py --scenario dasc-small --episodes 10

A clairvoyant schedule knows all tasks, their precedence and all ways from the beginning. It is the best schedule that
`search` finds. It is played in the environment, where each subtask asks for its worker, and what it earns there counts.
So the best possible revenue lies between it and the bound. Prints Markdown: the revenue of each instance, and shares of
the bound.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from dasc_paired import Row, label_of, rows_of, setting_of

import crowdgym
from crowdgym.agents.dasc.list_schedule import NONE, Integers, Prices, Problem, Schedule, improved_schedule
from crowdgym.configs.dasc import DascSettings
from crowdgym.data.roads.distances import Distances
from crowdgym.envs.dasc.bound import revenue_bound
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

PRICES: Final = Prices(travel=1.0, idle=0.5, surplus=1.0)  # in `search`, the surplus is a bias
SKILL_S: Final = 20.0  # the bias against a worker, at first, for each skill that a subtask does not need
BIAS_S: Final = 400.0  # standard deviation of the biases that are tried
MOVES: Final = 15  # in the list of tasks, and as many rescues, after each change
TEMPERATURE: Final = 4.0  # revenue that a change may lose at first, in the mean; falls to 0

Plan = Mapping[int, tuple[int, float]]  # of each subtask that is served: the worker, and from when on it is asked for


def problem_of(instance: DascInstance, settings: DascSettings) -> Problem:
    """The whole instance as it is at time 0."""
    task, speed = instance.subtask_task, settings.speed_mps
    able = np.all(instance.subtask_skills[np.newaxis] <= instance.worker_skills[:, np.newaxis], axis=2)
    to_node_m = Distances(instance.network).rows(instance.subtask_node).astype(np.float64) * instance.network.unit_m
    way_m, between_m = to_node_m[:, instance.worker_node].T, to_node_m[:, instance.subtask_node].T
    before = np.zeros((instance.num_subtasks, instance.num_subtasks), bool)
    after_s = np.zeros(instance.num_subtasks)
    for i in reversed(range(instance.num_subtasks)):
        waits_for = instance.predecessors_of(i)
        before[waits_for, i] = True
        after_s[waits_for] = np.maximum(after_s[waits_for], instance.duration_s[i] + after_s[i])
    opens_s = np.ceil(instance.created_s / settings.step_s) * settings.step_s
    surplus = instance.worker_skills.sum(axis=1)[:, np.newaxis] - instance.subtask_skills.sum(axis=1)
    return Problem(
        first=np.searchsorted(task, np.arange(instance.num_tasks + 1)).astype(np.int64),
        payment=instance.payment,
        expected_s=instance.expected_s,
        deadline_s=np.minimum(instance.deadline_s, settings.horizon_s),
        assigned_s=np.zeros(instance.num_tasks),
        duration_s=instance.duration_s,
        after_s=after_s,
        open_s=opens_s[task],
        ready_s=np.zeros(instance.num_subtasks),
        before=before,
        free_s=np.zeros(instance.num_workers),
        from_worker_s=np.where(able & (way_m <= settings.range_m), way_m, np.inf) / speed,
        able=able,
        between_s=np.where(between_m <= settings.range_m, between_m, np.inf) / speed,
        surplus=surplus.astype(np.float64),
        step_s=settings.step_s,
        penalty_per_s=settings.penalty_per_s,
    )


class PlayPlan:
    """Asks for the worker of each subtask from the time of the plan on, until it is there."""

    def __init__(self, plan: Plan, step_s: float) -> None:
        self._plan, self._step_s, self._now_s = plan, step_s, 0.0

    def act(self, observations: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
        """See `crowdgym.agents.policy.Policy`."""
        actions = dict.fromkeys(infos, 0)
        for i, (worker, leave_s) in self._plan.items():
            found = np.flatnonzero(infos[f"subtask_{i}"]["candidates"] == worker)
            if len(found) and leave_s < self._now_s + self._step_s:
                actions[f"subtask_{i}"] = int(found[0]) + 1
        self._now_s += self._step_s
        return actions


def plan_of(problem: Problem, schedule: Schedule, soon: bool) -> Plan:
    """A schedule as a plan: each worker leaves as soon as it is idle, or as late as it is still in time."""
    plan = {}
    for worker, line in enumerate(schedule.line):
        last, idle_s = NONE, 0.0
        for i in line[: schedule.length[worker]].tolist():
            way_s = problem.from_worker_s[worker, i] if last == NONE else problem.between_s[last, i]
            soonest_s = np.ceil(max(idle_s, problem.open_s[i]) / problem.step_s) * problem.step_s
            plan[i] = (worker, float(soonest_s if soon else schedule.begin_s[i] - way_s))
            last, idle_s = i, schedule.end_s[i]
    return plan


def planned(problem: Problem, schedule: Schedule) -> float:
    """The revenue that a schedule plans."""
    end_s = np.maximum.reduceat(np.where(schedule.worker == NONE, np.inf, schedule.end_s), problem.first[:-1])
    done = np.isfinite(end_s)
    late_s = np.maximum(np.where(done, end_s, 0.0) - problem.expected_s, 0.0)
    return float(np.maximum(problem.payment - problem.penalty_per_s * late_s, 0.0)[done].sum())


def search(problem: Problem, rounds: int, seed: int) -> Schedule:
    """The best schedule that is found by simulated annealing.

    A state is a list of tasks, and for each worker and subtask a bias: seconds by which the worker looks dearer. In
    each round some biases change, and sometimes a place in the list; `improved_schedule` makes a schedule of both.
    """
    generator = np.random.default_rng(seed)
    tasks, (workers, subtasks) = len(problem.payment), problem.able.shape
    work_s = np.add.reduceat(problem.duration_s, problem.first[:-1])
    bias_s, order = problem.surplus * SKILL_S, np.argsort(-problem.payment / work_s).astype(np.int64)

    def scheduled(moves: int) -> tuple[Schedule, Integers]:
        tried = generator.integers(tasks, size=(moves, 2))
        rescues = generator.integers(2**31, size=(moves, 2))
        return improved_schedule(problem._replace(surplus=bias_s), order, tried, rescues, PRICES)

    schedule, order = scheduled(100 * MOVES)
    value = planned(problem, schedule)
    best, most = schedule, value
    for number in range(rounds):
        kept = schedule, value, bias_s, order
        bias_s = bias_s.copy()
        for i in generator.integers(subtasks, size=generator.integers(1, 4)):
            kind = generator.random()
            if kind < 0.5:
                bias_s[generator.integers(workers), i] = generator.normal(0.0, BIAS_S)
            elif kind < 0.75 and schedule.worker[i] != NONE:
                bias_s[schedule.worker[i], i] += abs(generator.normal(0.0, BIAS_S))
            else:
                bias_s[:, i] = generator.normal(0.0, BIAS_S, workers)
        if generator.random() < 0.3:
            source, target = generator.integers(tasks, size=2)
            order = np.insert(np.delete(order, source), target, order[source])
        schedule, order = scheduled(MOVES)
        value = planned(problem, schedule)
        if value < kept[1] - TEMPERATURE * (1.0 - number / rounds) * generator.exponential():
            schedule, value, bias_s, order = kept
        if value > most:
            best, most = schedule, value
    return best


def played(env: Any, seed: int, plan: Plan) -> float:
    """The revenue of a plan. ``env`` has the action mode ``select`` and all workers among the candidates."""
    policy = PlayPlan(plan, env.settings.step_s)
    (episode,) = run_episodes(env, policy, agent="plan", episodes=1, seed=seed).episodes
    return float(episode.metrics["revenue"])


def clairvoyant(env: Any, seed: int, rounds: int) -> float:
    """The revenue of the best schedule that is found, as it is played."""
    env.reset(seed=seed)
    problem = problem_of(env.instance, env.settings)
    found = search(problem, rounds, seed)
    return max(played(env, seed, plan_of(problem, found, soon)) for soon in (True, False))


def asking(scenario: str, settings: Mapping[str, float]) -> Any:
    """The environment that plays plans."""
    workers = crowdgym.make("dasc_v0", scenario=scenario, **settings).settings.num_workers
    every = min(workers, 127)
    return crowdgym.make("dasc_v0", scenario=scenario, action_mode="select", max_candidates=every, **settings)


def arguments(text: str | None) -> argparse.ArgumentParser:
    """What both tables of instances need; ``text`` is the help of the program."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="dasc-small")
    parser.add_argument("--set", action="append", default=[], type=setting_of, metavar="NAME=VALUE")
    parser.add_argument("--agents", default="random,recommend-all,critical-path,rolling-horizon,task-schedule")
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=11_000, help="of the first instance")
    parser.add_argument("--out", type=Path, help="instances that this file has are not played again")
    return parser


def instances_of(options: argparse.Namespace, values_of: Callable[[Any, int], Mapping[str, float]]) -> list[Row]:
    """A row for each instance: the revenue of all agents, and the values that belong to the instance."""
    settings, agents = dict(options.set), options.agents.split(",")
    label = label_of(options.scenario, settings)
    env = crowdgym.make("dasc_v0", scenario=options.scenario, **settings)
    rows = [] if options.out is None else [row for row in rows_of(options.out) if row["scenario"] == label]
    there = {row["seed"] for row in rows}
    for seed in range(options.seed, options.seed + options.episodes):
        if seed in there:
            continue
        earned = {}
        for agent in agents:
            policy = load_policy(agent, "dasc_v0", options.scenario)
            (episode,) = run_episodes(env, policy, agent=agent, episodes=1, seed=seed).episodes
            earned[f"`{Path(agent).name}`"] = episode.metrics["revenue"]
        rows.append({"scenario": label, "seed": seed, "revenue": {**earned, **values_of(env, seed)}})
        if options.out is not None:
            with options.out.open("a") as lines:
                lines.write(json.dumps(rows[-1]) + "\n")
    return sorted(rows, key=lambda row: row["seed"])


def print_table(rows: list[Row], whole: str) -> None:
    """Print Markdown: a line for each instance, and shares of the column ``whole``."""
    columns = list(rows[0]["revenue"])
    found = np.array([[row["revenue"][name] for name in columns] for row in rows])
    print(f"| {' | '.join(['instance', *columns])} |")
    print("| --- |" + " ---: |" * len(columns))
    for row, values in zip(rows, found, strict=True):
        print(f"| {row['seed']} | {' | '.join(f'{value:,.0f}' for value in values)} |")
    share = 100.0 * found.sum(axis=0) / found[:, columns.index(whole)].sum()
    print(f"| share of {whole} | {' | '.join(f'{value:.1f} %' for value in share)} |")


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=30_000, help="of the search")
    options = parser.parse_args()
    asked = asking(options.scenario, dict(options.set))

    def values_of(env: Any, seed: int) -> Mapping[str, float]:
        found = clairvoyant(asked, seed, options.rounds)
        return {"clairvoyant": found, "bound": revenue_bound(asked.instance, asked.settings)}

    print_table(instances_of(options, values_of), "bound")


if __name__ == "__main__":
    main()
