"""How much room there is in ``dasc_v0``: policies between a clairvoyant schedule and the bound.

    python benchmarks/dasc_clairvoyant.py --scenario dasc-small --episodes 10

A clairvoyant schedule knows all tasks, their precedence and all ways from the beginning. It is the best schedule that a
search in the list of tasks finds (`crowdgym.agents.dasc.list_schedule`), with several prices. It is played in the
environment, where each subtask asks for its worker, and what it earns there counts. So the best possible revenue lies
between it and the bound. Prints Markdown: the revenue of each instance, and shares of the bound.
"""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np

import crowdgym
from crowdgym.agents.dasc.list_schedule import Prices, Problem, Schedule, improved_schedule
from crowdgym.configs.dasc import DascSettings
from crowdgym.data.roads.distances import Distances
from crowdgym.envs.dasc.bound import revenue_bound
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.policies import load_policy
from crowdgym.runner import run_episodes

PRICES = (Prices(0.0, 0.0, 0.0), Prices(1.0, 0.5, 20.0), Prices(1.0, 0.5, 60.0), Prices(2.0, 1.0, 120.0))


def problem_of(instance: DascInstance, settings: DascSettings) -> Problem:
    """The whole instance as it is at time 0."""
    task, speed = instance.subtask_task, settings.speed_mps
    able = np.all(instance.subtask_skills[np.newaxis] <= instance.worker_skills[:, np.newaxis], axis=2)
    to_node_m = Distances(instance.network).rows(instance.subtask_node).astype(np.float64) * instance.network.unit_m
    way_m, between_m = to_node_m[:, instance.worker_node].T, to_node_m[:, instance.subtask_node].T
    after_s = np.zeros(instance.num_subtasks)
    for i in reversed(range(instance.num_subtasks)):
        before = instance.predecessors_of(i)
        after_s[before] = np.maximum(after_s[before], instance.duration_s[i] + after_s[i])
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
        known=np.zeros(instance.num_subtasks, bool),
        free_s=np.zeros(instance.num_workers),
        from_worker_s=np.where(able & (way_m <= settings.range_m), way_m, np.inf) / speed,
        able=able,
        between_s=np.where(between_m <= settings.range_m, between_m, np.inf) / speed,
        surplus=surplus.astype(np.float64),
        step_s=settings.step_s,
        penalty_per_s=settings.penalty_per_s,
    )


class PlaySchedule:
    """Asks for the worker of a schedule when it is the next of this worker and it is time to leave."""

    def __init__(self, problem: Problem, schedule: Schedule) -> None:
        self._step_s = problem.step_s
        self._leave_s: dict[str, tuple[int, float]] = {}
        for worker, line in enumerate(schedule.line):
            last = -1
            for i in line[: schedule.length[worker]].tolist():
                way_s = problem.from_worker_s[worker, i] if last < 0 else problem.between_s[last, i]
                self._leave_s[f"subtask_{i}"] = worker, schedule.begin_s[i] - way_s
                last = i
        self._now_s = 0.0

    def act(self, observations: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
        """See `crowdgym.agents.policy.Policy`."""
        actions = dict.fromkeys(infos, 0)
        for agent, (worker, leave_s) in self._leave_s.items():
            found = np.flatnonzero(infos[agent]["candidates"] == worker)
            if len(found) and leave_s < self._now_s + self._step_s:
                actions[agent] = int(found[0]) + 1
        self._now_s += self._step_s
        return actions


def clairvoyant(env: Any, seed: int, moves: int) -> float:
    """The revenue of the best schedule that is found, as it is played."""
    env.reset(seed=seed)
    problem = problem_of(env.instance, env.settings)
    generator, best = np.random.default_rng(seed), 0.0
    work_s = np.add.reduceat(problem.duration_s, problem.first[:-1])
    order = np.argsort(-problem.payment / work_s).astype(np.int64)
    for prices in PRICES:
        tried = generator.integers(len(order), size=(moves // 2, 2))
        rescues = generator.integers(2**31, size=(moves // 2, 2))
        schedule, _ = improved_schedule(problem, order, tried, rescues, prices)
        policy = PlaySchedule(problem, schedule)
        (episode,) = run_episodes(env, policy, agent="clairvoyant", episodes=1, seed=seed).episodes
        best = max(best, episode.metrics["revenue"])
    return best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="dasc-small")
    parser.add_argument("--agents", default="random,recommend-all,critical-path,rolling-horizon,task-schedule")
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=11_000, help="of the first instance")
    parser.add_argument("--moves", type=int, default=20_000, help="and rescues, in the search from each start")
    options = parser.parse_args()
    agents = options.agents.split(",")
    env = crowdgym.make("dasc_v0", scenario=options.scenario)
    every = min(env.settings.num_workers, 127)
    asking = crowdgym.make("dasc_v0", scenario=options.scenario, action_mode="select", max_candidates=every)
    rows = []
    for seed in range(options.seed, options.seed + options.episodes):
        earned = []
        for agent in agents:
            policy = load_policy(agent, "dasc_v0", options.scenario)
            (episode,) = run_episodes(env, policy, agent=agent, episodes=1, seed=seed).episodes
            earned.append(episode.metrics["revenue"])
        rows.append([*earned, clairvoyant(asking, seed, options.moves), revenue_bound(env.instance, env.settings)])
    found = np.array(rows)
    print(f"| instance | {' | '.join(f'`{agent}`' for agent in agents)} | clairvoyant | bound |")
    print("| --- |" + " ---: |" * (len(agents) + 2))
    for seed, row in enumerate(found, start=options.seed):
        print(f"| {seed} | {' | '.join(f'{value:,.0f}' for value in row)} |")
    share = 100.0 * found.sum(axis=0) / found[:, -1].sum()
    print(f"| share of the bound | {' | '.join(f'{value:.1f} %' for value in share)} |")


if __name__ == "__main__":
    main()
