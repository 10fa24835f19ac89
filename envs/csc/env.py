"""Collaborative spatial crowdsourcing as a PettingZoo parallel environment. See `CscEnv`."""

from typing import ClassVar, Unpack

from gymnasium.vector import AutoresetMode

from crowdgym.configs.csc import CscKeywords, CscSettings
from crowdgym.envs.api.dispatcher_env import BaseDispatcherEnv
from crowdgym.envs.api.parallel_env import BaseParallelEnv, RenderMode
from crowdgym.envs.api.vector_env import BaseVectorEnv
from crowdgym.envs.csc.definition import CscDefinition
from crowdgym.envs.csc.generator import InstanceGenerator
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.kernel.simulation import Metrics
from crowdgym.envs.csc.reward import RewardStrategy
from crowdgym.envs.csc.snapshot import CscSnapshot


class CscEnv(BaseParallelEnv[CscInstance, CscSnapshot, Metrics]):
    """Collaborative spatial crowdsourcing (CSC): several workers share one task; every worker is an agent.

    ## Description
    Tasks appear on a city's road network, each with a place, one required skill, a workload in worker-seconds, an
    expected time, a deadline and a payment that falls once the expected time is past. Workers drive along shortest
    paths, and any number of them may join a task: it finishes when its workload is done, at the exact time, and the
    platform earns its payment. The goal is the platform's revenue. The setting is that of Chen et al., "Credit
    Assignment and Fine-Tuning Enhanced Reinforcement Learning for Collaborative Spatial Crowdsourcing" (IJCAI 2025);
    ``docs/csc_dynamics.md`` states the dynamics to the last tie.

    ## Action Space
    ``Discrete(K + 1)``, K = ``max_candidates``. 0 holds; i takes the i-th candidate, the candidates being the K open
    tasks nearest by road within ``range_m`` whose skill the worker has, ties by task id. A worker that is not idle can
    only hold. ``infos[agent]["action_mask"]`` says what is legal. Anything else holds and counts as illegal, or raises
    if ``strict``; an action outside the space always raises.

    ## Observation Space
    ``Box(-1, 1, (F,), float32)``: the five sets of the paper as one row. ``metadata["observation_layout"]`` gives for
    each set its ``start``, ``stop``, ``shape`` (rows, columns), the ``features`` of a row and their ``units`` (what a 1
    stands for). Every row but that of the worker itself begins with a flag that says whether there is anything in it.
    ``metadata["rules"]`` has the constants of the world: speed, range, penalty and clock.

    | set | rows | what |
    |---|---|---|
    | ``w_self`` | 1 | place, state, time, skills |
    | ``own_task`` | 1 | the task it travels to or works at (part of the paper's w_self) |
    | ``T_optional`` | K | the candidates, in the order of the actions; distance by road |
    | ``T_near`` | 5 | nearest open tasks, whatever their skill; straight line |
    | ``W_near`` | 5 | nearest workers |
    | ``W_idle`` | 5 | nearest idle workers |

    ``state()`` is every worker and every created task in one row, for centralised critics.

    ## Starting State
    All randomness is drawn at ``reset``: tasks are orders of the scenario's dataset in a window of the day, workers
    start at places of orders. ``reset(seed=k)`` fixes the episode and those that follow;
    ``reset(options={"instance": k})`` plays the k-th instance of the scenario's benchmark set, whatever the seed.

    ## Rewards
    ``contribution``: the payment of a task finished in the interval, split among its workers by worker-seconds.
    ``team``: the revenue of the interval divided by the number of workers, for everyone. ``individual``: the remaining
    working time of the task just taken (the paper's IR). Give a ``reward_strategy`` of your own instead.

    ## Episode End
    All agents are truncated together at ``horizon_s``; none is ever terminated.

    ## Information
    ``infos[agent]`` has ``action_mask`` (int8, [K + 1]) and ``candidates`` (int32, [K]: the task ids behind the
    actions, -1 for none); after the last step also ``metrics``: revenue, completed, expired, travel_m, illegal.

    ## Arguments
    ```python
    env = csc_v0.parallel_env(scenario="haikou-synth", num_workers=200, num_tasks=200, render_mode=None)
    ```
    Everything of `crowdgym.configs.csc.CscSettings`, by name; defaults in ``configs/envs/csc_v0.yaml``. Besides:
    ``render_mode`` ("human", "rgb_array" or None), ``generator`` and ``reward_strategy`` (objects in place of ours).

    ## Version History
    * v0: initial version
    """

    name: ClassVar[str] = CscDefinition.name
    settings: CscSettings

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[CscKeywords],
    ) -> None:
        super().__init__(CscDefinition.of(keywords, generator, reward_strategy), render_mode)


class CscVectorEnv(BaseVectorEnv):
    """``csc_v0``, ``num_envs`` copies of it; a row for every (copy, agent): row ``c * N + w`` is worker w of copy c.

    ## Description
    The dynamics, observations and rewards are those of `crowdgym.envs.csc.env.CscEnv`, which documents them. Every copy
    plays an instance of its own; all of them share the settings.

    ## Action Space
    One ``Discrete(K + 1)`` a row. ``infos["action_mask"]``, int8 [B N, K + 1], says what is legal.

    ## Observation Space
    One ``Box(-1, 1, (F,), float32)`` a row. With ``copy=False`` observations, masks and candidates are read-only views
    of the environment's own arrays: they hold until the next ``step`` or ``reset``, which overwrites them.

    ## Starting State
    ``reset(seed=s)`` gives copy c the seed s + c; a list gives every copy its own. ``options={"instance": k}`` plays
    benchmark instance k + c in copy c. ``options={"reset_mask": mask}``, bool [B] or [B N], resets the copies it names.

    ## Rewards
    As in `CscEnv`.

    ## Episode End
    All agents of a copy are truncated together. What happens then is ``autoreset_mode``, as Gymnasium defines it:
    ``NEXT_STEP`` (the next step ignores the actions of that copy and returns its first observations, reward 0),
    ``SAME_STEP`` (the first observations come at once, the last ones in ``infos["final_obs"]``) or ``DISABLED``.

    ## Information
    ``action_mask``, ``candidates`` (int32 [B N, K]); when copies have ended, ``metrics``: for each name an array [B],
    with ``_metrics``, bool [B], saying for which; in ``SAME_STEP`` also ``final_obs``, [B N, F], and ``final_info``,
    the last masks and candidates, with ``_final_obs`` and ``_final_info``, bool [B N].

    ## Arguments
    ``num_envs``: copies B. ``num_threads``: of this process; the results do not depend on it. ``copy``: see Observation
    Space. ``autoreset_mode``; ``generator``, ``reward_strategy`` and every keyword of `CscSettings`.

    ## Version History
    * v0: initial version
    """

    name: ClassVar[str] = CscDefinition.name
    settings: CscSettings

    def __init__(
        self,
        num_envs: int = 1,
        *,
        num_threads: int = 1,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[CscKeywords],
    ) -> None:
        definition = CscDefinition.of(keywords, generator, reward_strategy)
        super().__init__(definition, num_envs, num_threads, copy, autoreset_mode)


class CscDispatcherEnv(BaseDispatcherEnv):
    """``csc_v0`` with one agent, the platform, that decides for all workers at once.

    ## Description
    The world of `crowdgym.envs.csc.env.CscEnv`, which documents it, for methods that know no agents.

    ## Action Space
    ``MultiDiscrete([K + 1] * N)``: for every worker what it would choose itself, 0 to hold or i for its i-th candidate.

    ## Observation Space
    ``Box(-1, 1, (N, F), float32)``: what every worker sees, one row each.

    ## Starting State
    As in `CscEnv`.

    ## Rewards
    The sum of the workers' rewards: for ``contribution`` and ``team`` the revenue of the interval.

    ## Episode End
    Truncated at ``horizon_s``; never terminated.

    ## Information
    ``action_mask`` (int8, [N, K + 1]), ``candidates`` (int32, [N, K]); after the last step ``metrics``.

    ## Arguments
    Those of `CscEnv`.

    ## Version History
    * v0: initial version
    """

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[CscKeywords],
    ) -> None:
        super().__init__(
            CscEnv(render_mode=render_mode, generator=generator, reward_strategy=reward_strategy, **keywords)
        )
