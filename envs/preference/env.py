"""Preference-aware assignment with federated centres as a PettingZoo parallel environment. See `PreferenceEnv`."""

from typing import ClassVar, Unpack

from gymnasium.vector import AutoresetMode

from crowdgym.configs.preference import PreferenceKeywords, PreferenceSettings
from crowdgym.data.histories import HistoryBook
from crowdgym.envs.api.dispatcher_env import BaseDispatcherEnv
from crowdgym.envs.api.parallel_env import BaseParallelEnv, RenderMode
from crowdgym.envs.api.vector_env import BaseVectorEnv
from crowdgym.envs.preference.definition import PreferenceDefinition
from crowdgym.envs.preference.generator import InstanceGenerator
from crowdgym.envs.preference.instance import PreferenceInstance
from crowdgym.envs.preference.kernel.simulation import Metrics
from crowdgym.envs.preference.reward import RewardStrategy
from crowdgym.envs.preference.snapshot import PreferenceSnapshot


class PreferenceEnv(BaseParallelEnv[PreferenceInstance, PreferenceSnapshot, Metrics]):
    """Preference-aware task assignment: centres offer tasks to their workers, and workers may decline.

    ## Description
    Tasks appear on a city's road network, each with a place, a category and an expiry. Workers belong to centres; a
    centre offers its workers tasks, one at a time. A worker that likes the category of a task is likely to accept. It
    then drives there, serves the task alone and is idle again. A worker that declines takes no offer for a while, and a
    task that is declined too often is closed: offers that ignore preferences are wasted. The goal is the number of
    accepted tasks. Preferences have to be learnt from histories, which are private to each centre. The setting is that
    of "Task Assignment with Federated Preference Learning in Spatial Crowdsourcing" (CIKM 2022); declines are ours.
    ``docs/preference_dynamics.md`` states the dynamics to the last tie.

    What holds for every setting (layout of observations, masks, seeds, end of the episode) is documented at
    `crowdgym.envs.api.parallel_env.BaseParallelEnv`.

    ## Action Space
    ``Discrete(K + 1)``, K = ``max_candidates``: what the centre of the worker offers it now. 0 offers nothing; i asks
    for the i-th candidate, the candidates being the K nearest open tasks that the worker can reach within ``range_m``
    and before their expiry and has not declined, ties by task id. A task for which several workers ask is offered to
    the nearest. A worker that is driving, serving or paused has no candidates.

    ## Observation Space
    Three sets as one row. ``metadata["rules"]`` has the constants of the world: clock, speed, range, service, pause,
    offers and acceptance. ``metadata["centre_of"]`` has the centre of each worker, int [W], and
    ``metadata["population"]`` a fingerprint of the histories.

    | set | rows | what |
    |---|---|---|
    | ``w_self`` | 1 | place, status, time; offers accepted and declined and share of the history, by category |
    | ``T_candidates`` | K | the candidates, in the order of the actions; distance by road |
    | ``W_near`` | 5 | nearest workers of the same centre; straight line |

    ``state()`` is the place and status of every worker and every created task in one row.

    ## Starting State
    Workers, their histories and their true preferences are drawn once, from ``population_seed``: all episodes are about
    the same workers. All other randomness is drawn at ``reset``: tasks are orders of the scenario's dataset in a window
    of the day, workers start at places of orders, and a lot for every worker and task decides whether the worker would
    accept it, independent of other offers and of time.

    ## Rewards
    ``accepted``: 1 for a worker that accepted a task. ``team``: the tasks accepted in the step divided by the number of
    workers, for all. ``preference``: the true preference for the accepted task's category; this is hidden truth. Or
    give a ``reward_strategy``.

    ## Episode End
    At ``horizon_s``.

    ## Information
    ``infos[agent]`` has ``action_mask`` (int8, [K + 1]), ``candidates`` (int32, [K]: the task ids behind the actions,
    -1 for none), ``outcome`` of the latest action (0 no offer, 1 accepted, 2 declined, 3 contested) and ``centre``;
    after the last step also ``metrics``: offered, accepted, declined, contested, closed, expired, acceptance_rate,
    preference, travel_m, illegal.

    ## Privacy
    ``env.histories.of(p)`` has the histories of the workers of centre p; there is no call that returns all. An
    observation holds category shares of its own worker's history only. True preferences and lots are in no
    observation, info or state.

    ## Arguments
    ```python
    env = preference_v0.parallel_env(scenario="preference-synth", num_workers=200, num_centres=5, render_mode=None)
    ```
    Everything of `crowdgym.configs.preference.PreferenceSettings`, by name; defaults in
    ``configs/envs/preference_v0.yaml``. Besides: ``render_mode``, ``generator`` and ``reward_strategy``.

    ## Version History
    * v0: initial version
    """

    name: ClassVar[str] = PreferenceDefinition.name
    settings: PreferenceSettings

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[PreferenceKeywords],
    ) -> None:
        definition = PreferenceDefinition.of(keywords, generator, reward_strategy)
        super().__init__(definition, render_mode)
        self.histories: HistoryBook = definition.histories


class PreferenceVectorEnv(BaseVectorEnv):
    """``preference_v0``, ``num_envs`` copies of it. Row ``c * N + w`` is worker w of copy c.

    The world is documented at `crowdgym.envs.preference.env.PreferenceEnv`, and what holds for every vector environment
    (seeds, autoreset, threads, infos, arguments) at `crowdgym.envs.api.vector_env.BaseVectorEnv`. All copies share the
    population.

    ## Information
    ``action_mask`` (int8 [B N, K + 1]), ``candidates`` (int32 [B N, K]), ``outcome`` (int8 [B N]) and ``centre`` (int32
    [B N]).

    ## Privacy
    ``env.histories.of(p)``, as in `PreferenceEnv`.
    """

    name: ClassVar[str] = PreferenceDefinition.name
    settings: PreferenceSettings

    def __init__(
        self,
        num_envs: int = 1,
        *,
        num_threads: int = 1,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[PreferenceKeywords],
    ) -> None:
        definition = PreferenceDefinition.of(keywords, generator, reward_strategy)
        super().__init__(definition, num_envs, num_threads, copy, autoreset_mode)
        self.histories: HistoryBook = definition.histories


class PreferenceDispatcherEnv(BaseDispatcherEnv):
    """``preference_v0`` with one agent, the platform, that decides for the workers of all centres at once.

    The world is documented at `crowdgym.envs.preference.env.PreferenceEnv`, and what holds for every dispatcher
    environment (spaces, infos, arguments) at `crowdgym.envs.api.dispatcher_env.BaseDispatcherEnv`.

    ## Rewards
    The sum of the agents' rewards. For ``accepted`` and ``team`` that is the number of tasks accepted in the step.

    ## Privacy
    ``env.histories.of(p)``, as in `PreferenceEnv`.
    """

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[PreferenceKeywords],
    ) -> None:
        env = PreferenceEnv(render_mode=render_mode, generator=generator, reward_strategy=reward_strategy, **keywords)
        super().__init__(env)
        self.histories: HistoryBook = env.histories
