"""Multi-attribute sensing as a PettingZoo parallel environment. See `SensingEnv`."""

from typing import ClassVar, Unpack

from gymnasium.vector import AutoresetMode

from crowdgym.configs.sensing import SensingKeywords, SensingSettings
from crowdgym.envs.api.dispatcher_env import BaseDispatcherEnv
from crowdgym.envs.api.parallel_env import BaseParallelEnv, RenderMode
from crowdgym.envs.api.vector_env import BaseVectorEnv
from crowdgym.envs.sensing.definition import SensingDefinition
from crowdgym.envs.sensing.generator import InstanceGenerator
from crowdgym.envs.sensing.inference import InferenceStrategy
from crowdgym.envs.sensing.instance import SensingInstance
from crowdgym.envs.sensing.kernel.simulation import Metrics
from crowdgym.envs.sensing.reward import RewardStrategy
from crowdgym.envs.sensing.snapshot import SensingSnapshot


class SensingEnv(BaseParallelEnv[SensingInstance, SensingSnapshot, Metrics]):
    """Multi-attribute sensing: participants measure in a few cells, and the rest is inferred.

    ## Description
    A region is divided into cells, and time into cycles (in Piemonte, 24 stations and days). In every cycle each
    participant is in one cell and measures all attributes there; the values of the other cells are inferred from these.
    Moving costs the distance travelled. The goal is a small error of what is inferred at a small cost, which pull in
    opposite directions. The setting is that of Zhang et al., "An online reinforcement learning approach to
    quality-cost-aware task allocation for multi-attribute social sensing" (Pervasive and Mobile Computing, 2019);
    ``docs/sensing_dynamics.md`` states the dynamics to the last tie.

    ## Action Space
    With ``agents="cells"`` every cell is an agent: ``Discrete(P + 1)``, 0 holds, p + 1 asks for participant p. One who
    is asked for by several cells goes to the nearest; one who is asked for by nobody stays, and measures there. With
    ``agents="participants"`` every participant is an agent: ``Discrete(X)``, the cell it goes to. All actions are
    always legal; an action outside the space raises.

    ## Observation Space
    ``Box(-1, 1, (F,), float32)``, sets of fixed sizes in one row. ``metadata["observation_layout"]`` gives for each set
    its ``start``, ``stop``, ``shape`` (rows, columns), the ``features`` of a row and their ``units`` (what a 1 stands
    for). ``metadata["coordinates"]`` are those of the cells in km, [X, 2].

    | set | for | rows | what |
    |---|---|---|---|
    | ``self`` | both | 1 | place, time, and the cell where it is |
    | ``participants`` | cells | P | in the order of the actions: where they are |
    | ``near_cells`` | cells | up to 8 | the nearest others |
    | ``cells`` | participants | X | in the order of the actions |

    Of a cell: whether it is sensed now and by how many, how long ago it was, and for each attribute the value collected
    last and the one inferred now from other cells, relative to all that was collected so far. Nothing rests on a value
    that was not collected. ``state()`` is every cell and every participant in one row, for centralised critics.

    ## Starting State
    ``reset`` places the participants in different cells at random and plays the first cycle, at no cost.
    ``reset(seed=k)`` fixes the episode and those that follow; ``reset(options={"instance": k})`` plays the k-th
    instance of the scenario's benchmark set, whatever the seed.

    ## Rewards
    ``shared``: minus the normalised error of the cycle minus ``cost_weight`` times the cost (km on average over the
    participants), divided by the number of agents. ``marginal``: by how much the error would be larger without what the
    agent sensed, minus ``cost_weight`` times the part of the cost that it caused. Give a ``reward_strategy`` of your
    own instead.

    ## Episode End
    All agents are truncated together after the last cycle: an episode of Y cycles has Y - 1 steps. None is ever
    terminated.

    ## Information
    ``infos[agent]`` has ``action_mask`` (int8, all ones), ``candidates`` (int32: the participants that actions 1 to P
    ask for, or the cells of the actions), ``cell`` (its own), ``collected`` and ``inferred`` (float64, [A]: of its cell
    in this cycle, 0 where there is none), ``is_collected`` and ``is_inferred`` (int8, [A]: 1 where there is one), and
    for cells ``candidate_cells`` (int32, [P]: where the participants are).
    After the last step also ``metrics``: error (Eq. 15), cost_km (Eq. 16), error_per_attribute.

    ## Arguments
    ```python
    env = sensing_v0.parallel_env(scenario="piemonte-synth", num_participants=10, attributes=("EMI", "PM10"))
    ```
    Everything of `crowdgym.configs.sensing.SensingSettings`, by name; defaults in ``configs/envs/sensing_v0.yaml``.
    Besides: ``render_mode`` ("human", "rgb_array" or None), ``generator``, ``inference_strategy`` and
    ``reward_strategy`` (objects in place of ours).

    ## Version History
    * v0: initial version
    """

    name: ClassVar[str] = SensingDefinition.name
    settings: SensingSettings

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        inference_strategy: InferenceStrategy | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[SensingKeywords],
    ) -> None:
        super().__init__(SensingDefinition.of(keywords, generator, inference_strategy, reward_strategy), render_mode)


class SensingVectorEnv(BaseVectorEnv):
    """``sensing_v0``, ``num_envs`` copies of it; a row for every (copy, agent): row ``c * N + i`` is agent i of copy c.

    ## Description
    The dynamics, observations and rewards are those of `crowdgym.envs.sensing.env.SensingEnv`, which documents them.
    Every copy plays an instance of its own; all of them share the settings.

    ## Action Space
    One ``Discrete`` a row.

    ## Observation Space
    One ``Box(-1, 1, (F,), float32)`` a row. With ``copy=False`` observations and infos are read-only views of the
    environment's own arrays: they hold until the next ``step`` or ``reset``, which overwrites them.

    ## Starting State
    ``reset(seed=s)`` gives copy c the seed s + c; a list gives every copy its own. ``options={"instance": k}`` plays
    benchmark instance k + c in copy c. ``options={"reset_mask": mask}``, bool [B] or [B N], resets the copies it names.

    ## Rewards
    As in `SensingEnv`.

    ## Episode End
    All agents of a copy are truncated together. What happens then is ``autoreset_mode``, as Gymnasium defines it:
    ``NEXT_STEP`` (the next step ignores the actions of that copy and returns its first observations, reward 0),
    ``SAME_STEP`` (the first observations come at once, the last ones in ``infos["final_obs"]``) or ``DISABLED``.

    ## Information
    What `SensingEnv` has, an array [B N, ...] for each name; when copies have ended, ``metrics``: for each name an
    array with a row for each copy, with ``_metrics``, bool [B], saying for which; in ``SAME_STEP`` also ``final_obs``
    and ``final_info`` with ``_final_obs`` and ``_final_info``, bool [B N].

    ## Arguments
    ``num_envs``: copies B. ``num_threads``: of this process; the results do not depend on it. ``copy``: see Observation
    Space. ``autoreset_mode``; ``generator``, ``inference_strategy``, ``reward_strategy`` and every keyword of
    `SensingSettings`.

    ## Version History
    * v0: initial version
    """

    name: ClassVar[str] = SensingDefinition.name
    settings: SensingSettings

    def __init__(
        self,
        num_envs: int = 1,
        *,
        num_threads: int = 1,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        generator: InstanceGenerator | None = None,
        inference_strategy: InferenceStrategy | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[SensingKeywords],
    ) -> None:
        definition = SensingDefinition.of(keywords, generator, inference_strategy, reward_strategy)
        super().__init__(definition, num_envs, num_threads, copy, autoreset_mode)


class SensingDispatcherEnv(BaseDispatcherEnv):
    """``sensing_v0`` with one agent, the platform, that decides for all cells or participants at once.

    ## Description
    The world of `crowdgym.envs.sensing.env.SensingEnv`, which documents it, for methods that know no agents.

    ## Action Space
    ``MultiDiscrete``: for every agent what it would choose itself. With ``agents="participants"`` that is the cell of
    each participant, ``MultiDiscrete([X] * P)``.

    ## Observation Space
    ``Box(-1, 1, (N, F), float32)``: what every agent sees, one row each.

    ## Starting State
    As in `SensingEnv`.

    ## Rewards
    The sum of the agents' rewards: for ``shared`` minus the error minus ``cost_weight`` times the cost of the cycle.

    ## Episode End
    Truncated after the last cycle; never terminated.

    ## Information
    What `SensingEnv` has, an array with a row for each agent for each name; after the last step ``metrics``.

    ## Arguments
    Those of `SensingEnv`.

    ## Version History
    * v0: initial version
    """

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        inference_strategy: InferenceStrategy | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[SensingKeywords],
    ) -> None:
        super().__init__(
            SensingEnv(
                render_mode=render_mode,
                generator=generator,
                inference_strategy=inference_strategy,
                reward_strategy=reward_strategy,
                **keywords,
            )
        )
