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

    ## Action Space
    ``Discrete(K + 1)``, K = ``max_candidates``: what the centre of the worker offers it now. 0 offers nothing; i asks
    for the i-th candidate, the candidates being the K nearest open tasks that the worker can reach within ``range_m``
    and before their expiry and has not declined, ties by task id. A task for which several workers ask is offered to
    the nearest. A worker that is driving, serving or paused has no candidates. ``infos[agent]["action_mask"]`` says
    what is legal. Anything else offers nothing and counts as illegal, or raises if ``strict``; an action outside the
    space always raises.

    ## Observation Space
    ``Box(-1, 1, (F,), float32)``: three sets as one row. ``metadata["observation_layout"]`` gives for each set its
    ``start``, ``stop``, ``shape`` (rows, columns), the ``features`` of a row and their ``units`` (what a 1 stands for).
    Rows of the last two sets begin with a flag that says whether there is anything in them.
    ``metadata["rules"]`` has the constants of the world, ``metadata["centre_of"]`` the centre of each worker, int [W].

    | set | rows | what |
    |---|---|---|
    | ``w_self`` | 1 | place, status, time; offers accepted and declined and share of the history, by category |
    | ``T_candidates`` | K | the candidates, in the order of the actions; distance by road |
    | ``W_near`` | 5 | nearest workers of the same centre; straight line |

    ``state()`` is the place and status of every worker and every created task in one row, for centralised critics.

    ## Starting State
    Workers, their histories and their true preferences are drawn once, from ``population_seed``: all episodes are about
    the same workers. All other randomness is drawn at ``reset``: tasks are orders of the scenario's dataset in a window
    of the day, workers start at places of orders, and a lot for every worker and task decides whether the worker would
    accept it, independent of other offers and of time. ``reset(seed=k)`` fixes the episode and those that follow;
    ``reset(options={"instance": k})`` plays the k-th instance of the scenario's benchmark set, whatever the seed.

    ## Rewards
    ``accepted``: 1 for a worker that accepted a task. ``team``: the tasks accepted in the step divided by the number of
    workers, for all. ``preference``: the true preference for the accepted task's category; this is hidden truth. Give a
    ``reward_strategy`` of your own instead.

    ## Episode End
    All agents are truncated together at ``horizon_s``; none is ever terminated.

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
    ``configs/envs/preference_v0.yaml``. Besides: ``render_mode`` ("human", "rgb_array" or None), ``generator`` and
    ``reward_strategy`` (objects in place of ours).

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
    """``preference_v0``, ``num_envs`` copies; a row for every (copy, agent): row ``c * N + w`` is worker w of copy c.

    ## Description
    The dynamics, observations and rewards are those of `crowdgym.envs.preference.env.PreferenceEnv`, which documents
    them. Every copy plays an instance of its own; all of them share the settings and the population.

    ## Action Space
    One ``Discrete(K + 1)`` a row. ``infos["action_mask"]``, int8 [B N, K + 1], says what is legal.

    ## Observation Space
    One ``Box(-1, 1, (F,), float32)`` a row. With ``copy=False`` observations, masks and the other infos are read-only
    views of the environment's own arrays: they hold until the next ``step`` or ``reset``, which overwrites them.

    ## Starting State
    ``reset(seed=s)`` gives copy c the seed s + c; a list gives every copy its own. ``options={"instance": k}`` plays
    benchmark instance k + c in copy c. ``options={"reset_mask": mask}``, bool [B] or [B N], resets the copies it names.

    ## Rewards
    As in `PreferenceEnv`.

    ## Episode End
    All agents of a copy are truncated together. What happens then is ``autoreset_mode``, as Gymnasium defines it:
    ``NEXT_STEP`` (the next step ignores the actions of that copy and returns its first observations, reward 0),
    ``SAME_STEP`` (the first observations come at once, the last ones in ``infos["final_obs"]``) or ``DISABLED``.

    ## Information
    ``action_mask``, ``candidates`` (int32 [B N, K]), ``outcome`` (int8 [B N]), ``centre`` (int32 [B N]); when copies
    have ended, ``metrics``: for each name an array [B], with ``_metrics``, bool [B], saying for which; in ``SAME_STEP``
    also ``final_obs``, [B N, F], and ``final_info``, with ``_final_obs`` and ``_final_info``, bool [B N].

    ## Privacy
    ``env.histories.of(p)``, as in `PreferenceEnv`.

    ## Arguments
    ``num_envs``: copies B. ``num_threads``: of this process; the results do not depend on it. ``copy``: see Observation
    Space. ``autoreset_mode``; ``generator``, ``reward_strategy`` and every keyword of `PreferenceSettings`.

    ## Version History
    * v0: initial version
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

    ## Description
    The world of `crowdgym.envs.preference.env.PreferenceEnv`, which documents it, for methods that know no agents.

    ## Action Space
    ``MultiDiscrete([K + 1] * N)``: for every worker 0 for no offer or i for its i-th candidate.

    ## Observation Space
    ``Box(-1, 1, (N, F), float32)``: what the agent of every worker sees, one row each.

    ## Starting State
    As in `PreferenceEnv`.

    ## Rewards
    The sum of the workers' rewards: for ``accepted`` and ``team`` the number of tasks accepted in the step.

    ## Episode End
    Truncated at ``horizon_s``; never terminated.

    ## Information
    ``action_mask`` (int8, [N, K + 1]), ``candidates`` (int32, [N, K]), ``outcome`` and ``centre`` ([N]); after the last
    step ``metrics``.

    ## Privacy
    ``env.histories.of(p)``, as in `PreferenceEnv`.

    ## Arguments
    Those of `PreferenceEnv`.

    ## Version History
    * v0: initial version
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
