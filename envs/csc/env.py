"""Collaborative spatial crowdsourcing as a PettingZoo parallel environment. See `CscEnv`."""

from typing import ClassVar, Unpack

from crowdgym.configs.csc import CscKeywords, CscSettings
from crowdgym.envs.csc.generator import InstanceGenerator
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.parts import CscParts
from crowdgym.envs.csc.reward import RewardStrategy
from crowdgym.envs.csc.simulation import Metrics
from crowdgym.envs.csc.snapshot import CscSnapshot
from crowdgym.envs.faces.parallel import ParallelFace, RenderMode


class CscEnv(ParallelFace[CscInstance, CscSnapshot, Metrics]):
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

    name: ClassVar[str] = CscParts.name
    settings: CscSettings

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[CscKeywords],
    ) -> None:
        super().__init__(CscParts.of(keywords, generator, reward_strategy), render_mode)
