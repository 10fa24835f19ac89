"""Dependency-aware spatial crowdsourcing as a PettingZoo parallel environment. See `DascEnv`."""

from typing import ClassVar, Unpack

from crowdgym.configs.dasc import DascKeywords, DascSettings
from crowdgym.envs.dasc.generator import DascInstanceGenerator
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.dasc.parts import DascParts
from crowdgym.envs.dasc.reward import RewardStrategy
from crowdgym.envs.dasc.simulation import DascSimulation, Metrics
from crowdgym.envs.dasc.snapshot import DascSnapshot
from crowdgym.envs.faces.parallel import ParallelFace, RenderMode


class DascEnv(ParallelFace[DascInstance, DascSnapshot, Metrics]):
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

    ## Action Space
    ``action_mode="recommend"``: ``Discrete(2)``. 0 holds, 1 recommends; the environment matches recommended subtasks
    with idle workers so that the total utility is the largest. ``action_mode="select"``: ``Discrete(K + 1)``, K =
    ``max_candidates``. 0 holds, j asks for the j-th candidate, the candidates being the K nearest idle workers by road
    within ``range_m`` who have all the skills; a contested worker goes to the best utility.

    The utility of a pair is v1 u_skill + v2 u_dist + v3 u_time with v1 = αβ, v2 = α(1 − β), v3 = 1 − α; (α, β) is
    ``utility``, or for one episode ``reset(options={"utility": (α, β)})``.

    ``dependency="assigned"``: a subtask may ask once its predecessors are assigned, or together with them; a request
    without that of an unassigned predecessor is dropped. ``dependency="finished"``: once they are finished.
    ``infos[agent]["action_mask"]`` says what is legal. Anything else holds and counts as illegal, or raises if
    ``strict``; an action outside the space always raises.

    ## Observation Space
    ``Box(-1, 1, (F,), float32)``: five sets as one row; zeros while the agent is not live.
    ``metadata["observation_layout"]`` gives for each set its ``start``, ``stop``, ``shape`` (rows, columns), the
    ``features`` of a row and their ``units`` (what a 1 stands for). Rows of the last three sets begin with a flag that
    says whether there is anything in them.

    | set | rows | what |
    |---|---|---|
    | ``t_self`` | 1 | the subtask: place, state, slack, critical path, predecessors and successors, skills |
    | ``own_task`` | 1 | its task: time left, payment, what is assigned and finished |
    | ``W_candidates`` | K | the candidates, in the order of the actions of ``select``; distance by road, utility |
    | ``W_idle`` | 5 | nearest idle workers, able or not; straight line |
    | ``T_near`` | 5 | nearest other subtasks that may be assigned now; straight line |

    ``metadata["rules"]`` has the constants of the world: speed, range, penalty, cost of travel, clock and modes.
    ``state()`` is every worker and every subtask of a created task in one row, for centralised critics and dispatchers;
    ``metadata["state_layout"]`` describes it as ``observation_layout`` does the observation.

    ## Starting State
    All randomness is drawn at ``reset``: tasks appear around orders of the scenario's dataset in a window of the day,
    or come from ``tasks_file``; workers start at places of orders. ``reset(seed=k)`` fixes the episode and those that
    follow; ``reset(options={"instance": k})`` plays the k-th instance of the scenario's benchmark set.

    Every subtask of the episode is an agent throughout, ``subtask_0`` to ``subtask_{S-1}``, those of a task one after
    the other. It is live from its task's creation to its end; before and after, it sees zeros and may only hold.

    ## Rewards
    ``sparse``: the payment of a task as it finishes, in equal parts to its subtasks. ``shaped``: at the match, the
    subtask's part of the payment if its finish lets the task be in time, less what is late, less the cost of the trip;
    a small penalty for a request that is dropped or left without a worker. ``team``: the revenue of the interval in
    equal parts to all who were live. Give a ``reward_strategy`` of your own instead. An agent that was not live as it
    acted gets 0; the payment of a task reaches its subtasks with the step that they acted in last.

    ## Episode End
    All agents are truncated together at ``horizon_s``; none is ever terminated.

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
    ``render_mode`` ("human", "rgb_array" or None), ``generator`` and ``reward_strategy`` (objects in place of ours).

    ## Version History
    * v0: initial version
    """

    name: ClassVar[str] = DascParts.name
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
        super().__init__(DascParts.of(keywords, generator, reward_strategy), render_mode)

    @property
    def matching_time_s(self) -> float:
        """Wall-clock seconds that admission and matching have taken in this episode; no two runs agree on it."""
        return float(self._simulation.matching_s[0])
