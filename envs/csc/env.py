"""Collaborative spatial crowdsourcing as a PettingZoo parallel environment. See `CscEnv`."""

from collections.abc import Sequence
from typing import ClassVar, Unpack

from gymnasium.vector import AutoresetMode

from crowdgym.configs.csc import CscKeywords, CscSettings, InfoName
from crowdgym.envs.api.dispatcher_env import BaseDispatcherEnv
from crowdgym.envs.api.parallel_env import BaseParallelEnv, RenderMode
from crowdgym.envs.api.turn_vector_env import BaseTurnVectorEnv
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

    What holds for every setting (layout of observations, masks, seeds, end of the episode) is documented at
    `crowdgym.envs.api.parallel_env.BaseParallelEnv`.

    ## Action Space
    ``Discrete(K + 1)``, K = ``max_candidates``. 0 holds; i takes the i-th candidate, the candidates being the K open
    tasks nearest by road within ``range_m`` whose skill the worker has, ties by task id. A worker that is not idle can
    only hold.

    ## Observation Space
    The five sets of the paper as one row. ``metadata["rules"]`` has the constants of the world: speed, range, penalty
    and clock.

    | set | rows | what |
    |---|---|---|
    | ``w_self`` | 1 | place, state, time, skills |
    | ``own_task`` | 1 | the task it travels to or works at (part of the paper's w_self) |
    | ``T_optional`` | K | the candidates, in the order of the actions; distance by road |
    | ``T_near`` | 5 | nearest open tasks, whatever their skill; straight line |
    | ``W_near`` | 5 | nearest workers |
    | ``W_idle`` | 5 | nearest idle workers |

    ``state()`` is every worker and every created task in one row.

    ## Starting State
    Tasks are orders of the scenario's dataset in a window of the day; workers start at places of orders.

    ## Rewards
    ``contribution``: the payment of a task finished in the interval, split among its workers by worker-seconds.
    ``team``: the revenue of the interval divided by the number of workers, the same for all. ``individual``: the
    remaining working time of the task just taken (the paper's IR). ``marginal``: what a join adds to the payment of
    its task if no worker joins later, at once; sums to the revenue. ``difference``: the payment of a task finished in
    the interval less what it would have been without the worker. Or give a ``reward_strategy``.

    ## Episode End
    At ``horizon_s``.

    ## Information
    ``infos[agent]`` has ``action_mask`` (int8, [K + 1]) and ``candidates`` (int32, [K]: the task ids behind the
    actions, -1 for none); after the last step also ``metrics``: revenue, completed, expired, travel_m, illegal.

    With ``infos=("gain", "neighbours")``, or one of them, also what is worked out only if it is asked for:

    | info | dtype, shape | what |
    |---|---|---|
    | ``gain`` | float64, [K] | what joining each candidate now adds to its payment if no other worker joins; else 0 |
    | ``neighbours`` | int32, [5] | the numbers of the workers behind the rows of ``W_near``, -1 for none |

    ## Arguments
    ```python
    env = csc_v0.parallel_env(scenario="haikou-synth", num_workers=200, num_tasks=200, render_mode=None)
    ```
    Everything of `crowdgym.configs.csc.CscSettings`, by name; defaults in ``configs/envs/csc_v0.yaml``. Besides:
    ``render_mode``, ``generator``, ``reward_strategy`` and ``infos`` (see Information).

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
        infos: Sequence[InfoName] = (),
        **keywords: Unpack[CscKeywords],
    ) -> None:
        super().__init__(CscDefinition.of(keywords, generator, reward_strategy, infos), render_mode)


class CscVectorEnv(BaseVectorEnv):
    """``csc_v0``, ``num_envs`` copies of it. Row ``c * N + w`` is worker w of copy c.

    The world is documented at `crowdgym.envs.csc.env.CscEnv`, and what holds for every vector environment (seeds,
    autoreset, threads, infos, arguments) at `crowdgym.envs.api.vector_env.BaseVectorEnv`.

    ## Information
    ``action_mask`` (int8 [B N, K + 1]) and ``candidates`` (int32 [B N, K]); if asked for, ``gain`` (float64 [B N, K])
    and ``neighbours`` (int32 [B N, 5]).
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
        infos: Sequence[InfoName] = (),
        **keywords: Unpack[CscKeywords],
    ) -> None:
        definition = CscDefinition.of(keywords, generator, reward_strategy, infos)
        super().__init__(definition, num_envs, num_threads, copy, autoreset_mode)


class CscTurnVectorEnv(BaseTurnVectorEnv):
    """``csc_v0``, ``num_envs`` copies of it, workers choosing one after the other. Row c is whose turn it is in copy c.

    The world is documented at `crowdgym.envs.csc.env.CscEnv`, the order of turns and their masks in
    ``docs/csc_dynamics.md``, "Turns", and what holds for every such environment at
    `crowdgym.envs.api.turn_vector_env.BaseTurnVectorEnv`.

    ## Information
    ``action_mask`` (int8 [B, K + 1]) and ``candidates`` (int32 [B, K]); if asked for, ``neighbours`` (int32 [B, 5]),
    and with ``gain`` (float64 [B, K]) also ``pair_gain`` (float64 [B, K]): what is gained together with the partner.
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
        infos: Sequence[InfoName] = (),
        **keywords: Unpack[CscKeywords],
    ) -> None:
        definition = CscDefinition.of(keywords, generator, reward_strategy, infos)
        super().__init__(definition, num_envs, num_threads, copy, autoreset_mode)


class CscDispatcherEnv(BaseDispatcherEnv):
    """``csc_v0`` with one agent, the platform, that decides for all workers at once.

    The world is documented at `crowdgym.envs.csc.env.CscEnv`, and what holds for every dispatcher environment (spaces,
    infos, arguments) at `crowdgym.envs.api.dispatcher_env.BaseDispatcherEnv`.

    ## Rewards
    The sum of the agents' rewards. For ``contribution`` and ``team`` that is the revenue of the interval.
    """

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        infos: Sequence[InfoName] = (),
        **keywords: Unpack[CscKeywords],
    ) -> None:
        super().__init__(
            CscEnv(
                render_mode=render_mode,
                generator=generator,
                reward_strategy=reward_strategy,
                infos=infos,
                **keywords,
            )
        )
