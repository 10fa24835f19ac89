"""Dependency-aware spatial crowdsourcing as a PettingZoo parallel environment. See `DascEnv`."""

from typing import ClassVar, Unpack

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from crowdgym.configs.dasc import DascKeywords, DascSettings
from crowdgym.envs.api.dispatcher_env import BaseDispatcherEnv
from crowdgym.envs.api.parallel_env import BaseParallelEnv, RenderMode
from crowdgym.envs.api.vector_env import BaseVectorEnv
from crowdgym.envs.dasc.definition import DascDefinition
from crowdgym.envs.dasc.generator import DascInstanceGenerator
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.dasc.kernel.simulation import DascSimulation, Metrics
from crowdgym.envs.dasc.reward import RewardStrategy
from crowdgym.envs.dasc.snapshot import DascSnapshot


class DascEnv(BaseParallelEnv[DascInstance, DascSnapshot, Metrics]):
    """Dependency-aware spatial crowdsourcing (DASC): tasks of interdependent subtasks; every subtask is an agent.

    ## Description
    Tasks appear on a city's road network. Each is a set of subtasks that depend on each other: a directed graph without
    cycles says which come before which. A subtask has a place, a set of required skills and a duration; one worker who
    has all the skills drives there along the shortest path, waits until the predecessors are finished, and serves it.
    The platform is paid when all subtasks of a task are finished, less from the expected time on and nothing from the
    deadline on. The goal is the platform's revenue. The setting is that of Li et al., "Gradient-Guided Credit
    Assignment and Joint Optimization for Dependency-Aware Spatial Crowdsourcing" (AAAI 2025), with its two stages:
    subtasks are recommended by the agents, then matched with workers by the environment. ``docs/dasc_dynamics.md``
    states the dynamics to the last tie.

    What holds for every setting (layout of observations, masks, seeds, end of the episode) is documented at
    `crowdgym.envs.api.parallel_env.BaseParallelEnv`.

    ## Action Space
    ``action_mode="recommend"``: ``Discrete(2)``. 0 holds, 1 recommends; the environment matches recommended subtasks
    with idle workers so that the total utility is the largest. ``action_mode="select"``: ``Discrete(K + 1)``, K =
    ``max_candidates``. 0 holds, j asks for the j-th candidate, the candidates being the K nearest idle workers by road
    within ``range_m`` who have all the skills; a contested worker goes to the best utility.

    The utility of a pair is v1 u_skill + v2 u_dist + v3 u_time with v1 = αβ, v2 = α(1 − β), v3 = 1 − α; (α, β) is
    ``utility``, or for one episode ``reset(options={"utility": (α, β)})``.

    ``dependency="assigned"``: a subtask may ask once its predecessors are assigned, or together with them; a request
    without that of an unassigned predecessor is dropped. ``dependency="finished"``: once they are finished.

    ## Observation Space
    Five sets as one row; zeros while the agent is not live.

    | set | rows | what |
    |---|---|---|
    | ``t_self`` | 1 | the subtask: place, state, slack, critical path, predecessors and successors, skills |
    | ``own_task`` | 1 | its task: time left, payment, what is assigned and finished |
    | ``W_candidates`` | K | the candidates, in the order of the actions of ``select``; distance by road, utility |
    | ``W_idle`` | 5 | nearest idle workers, able or not; straight line |
    | ``T_near`` | 5 | nearest other subtasks that may be assigned now; straight line |

    ``metadata["rules"]`` has the constants of the world: speed, range, penalty, cost of travel, clock and modes.
    ``state()`` is every worker and every subtask of a created task in one row, for centralised critics and dispatchers.

    ## Starting State
    Tasks appear around orders of the scenario's dataset in a window of the day, or come from ``tasks_file``; workers
    start at places of orders.

    Every subtask of the episode is an agent throughout, ``subtask_0`` to ``subtask_{S-1}``, those of a task one after
    the other. It is live from its task's creation to its end; before and after, it sees zeros and may only hold.

    ## Rewards
    ``sparse``: the payment of a task as it finishes, in equal parts to its subtasks. ``shaped``: at the match, the
    subtask's part of the payment if its finish lets the task be in time, less what is late, less the cost of the trip;
    a small penalty for a request that is dropped or left without a worker. ``team``: the revenue of the interval in
    equal parts to all who were live. ``shared``: in equal parts to all, live or not, so no agent gets more by staying
    live for longer. Or give a ``reward_strategy``. Except with ``shared``, an agent that was not live as it acted gets
    0; the payment of a task reaches its subtasks with the step that they acted in last.

    ## Episode End
    At ``horizon_s``.

    ## Information
    ``infos[agent]`` has ``action_mask`` (int8), ``candidates`` (int32, [K]: worker ids, -1 for none), ``live``,
    ``reward_sparse`` and ``reward_shaped`` whatever the reward is, and ``match_utility`` (float64, [3]: u_skill,
    u_dist and u_time of the match that the last step made for it, else zeros); after the last step also ``metrics``:
    revenue, travel_cost, profit, completed, expired, assigned, travel_m, illegal, invalid, unmatched.
    ``matching_time_s`` says how much time went into matching.

    ## Arguments
    ```python
    env = dasc_v0.parallel_env(scenario="chengdu-synth", num_workers=300, num_tasks=60, render_mode=None)
    ```
    Everything of `crowdgym.configs.dasc.DascSettings`, by name; defaults in ``configs/envs/dasc_v0.yaml``. Besides:
    ``render_mode``, ``generator`` and ``reward_strategy``.

    ## Version History
    * v0: initial version
    """

    name: ClassVar[str] = DascDefinition.name
    settings: DascSettings
    _simulation: DascSimulation

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: DascInstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[DascKeywords],
    ) -> None:
        super().__init__(DascDefinition.of(keywords, generator, reward_strategy), render_mode)

    @property
    def matching_time_s(self) -> float:
        """Wall-clock seconds that admission and matching have taken in this episode; no two runs agree on it."""
        return float(self._simulation.matching_s[0])


class DascVectorEnv(BaseVectorEnv):
    """``dasc_v0``, ``num_envs`` copies of it. Row ``c * N + s`` is slot s of copy c.

    The world is documented at `crowdgym.envs.dasc.env.DascEnv`, and what holds for every vector environment (seeds,
    autoreset, threads, infos, arguments) at `crowdgym.envs.api.vector_env.BaseVectorEnv`.

    ## Information
    ``action_mask`` (int8 [B N, actions]), ``candidates`` (int32 [B N, K]), ``live`` (bool [B N]), ``reward_sparse`` and
    ``reward_shaped`` (float64 [B N]), ``match_utility`` (float64 [B N, 3]). Where a copy began anew with the step
    (``SAME_STEP``), its rewards in the infos are those of the new episode: 0; the last ones are in ``final_info``.
    """

    name: ClassVar[str] = DascDefinition.name
    settings: DascSettings
    _simulation: DascSimulation

    def __init__(
        self,
        num_envs: int = 1,
        *,
        num_threads: int = 1,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        generator: DascInstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[DascKeywords],
    ) -> None:
        definition = DascDefinition.of(keywords, generator, reward_strategy)
        super().__init__(definition, num_envs, num_threads, copy, autoreset_mode)

    @property
    def matching_time_s(self) -> NDArray[np.float64]:
        """Wall-clock seconds that matching has taken in each copy's episode; no two runs agree on it. Shape [B]."""
        return self._simulation.matching_s.copy()


class DascDispatcherEnv(BaseDispatcherEnv):
    """``dasc_v0`` with one agent, the platform, that decides for all subtasks at once.

    The world is documented at `crowdgym.envs.dasc.env.DascEnv`, and what holds for every dispatcher environment
    (spaces, infos, arguments) at `crowdgym.envs.api.dispatcher_env.BaseDispatcherEnv`.

    ## Rewards
    The sum of the agents' rewards. For ``sparse``, ``team`` and ``shared`` that is the revenue of the interval.
    """

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: DascInstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[DascKeywords],
    ) -> None:
        super().__init__(
            DascEnv(render_mode=render_mode, generator=generator, reward_strategy=reward_strategy, **keywords)
        )
