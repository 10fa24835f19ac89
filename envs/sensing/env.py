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

    What holds for every setting (layout of observations, masks, seeds, end of the episode) is documented at
    `crowdgym.envs.api.parallel_env.BaseParallelEnv`.

    ## Action Space
    With ``agents="cells"`` every cell is an agent: ``Discrete(P + 1)``, 0 holds, p + 1 asks for participant p. One who
    is asked for by several cells goes to the nearest; one who is not asked for stays, and measures there. With
    ``agents="participants"`` every participant is an agent: ``Discrete(X)``, the cell it goes to. All actions are
    always legal; an action outside the space raises.

    ## Observation Space
    One row, whose sets depend on who the agents are. ``metadata["coordinates"]`` are those of the cells in km, [X, 2].

    | set | for | rows | what |
    |---|---|---|---|
    | ``self`` | both | 1 | place, time, and the cell where it is |
    | ``participants`` | cells | P | in the order of the actions: where they are |
    | ``near_cells`` | cells | up to 8 | the nearest others |
    | ``cells`` | participants | X | in the order of the actions |

    Of a cell: whether it is sensed now and by how many, how long ago it was, and for each attribute the value collected
    last and the one inferred now from other cells, relative to all that was collected so far; with ``scores=True``, at
    the end, also by how much the inference from other cells has missed what was collected there, on average. Nothing
    rests on a value that was not collected. ``state()`` is every cell and every participant in one row.

    ## Starting State
    ``reset`` places the participants in different cells at random and plays the first cycle, at no cost.

    ## Rewards
    ``shared``: minus the normalised error of the cycle minus ``cost_weight`` times the cost (km on average over the
    participants), divided by the number of agents. ``marginal``: by how much the error would be larger without what the
    agent sensed, minus ``cost_weight`` times the part of the cost that it caused. Or give a ``reward_strategy``.

    ## Episode End
    After the last cycle: an episode of Y cycles has Y - 1 steps.

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
    Besides: ``render_mode``, ``generator``, ``reward_strategy`` and ``inference_strategy``, an object in place of the
    inference that comes with the setting.

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
    """``sensing_v0``, ``num_envs`` copies of it. Row ``c * N + i`` is agent i of copy c.

    The world is documented at `crowdgym.envs.sensing.env.SensingEnv`, and what holds for every vector environment
    (seeds, autoreset, threads, infos, arguments) at `crowdgym.envs.api.vector_env.BaseVectorEnv`.

    ## Information
    What `SensingEnv` has, an array [B N, ...] for each name.
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

    The world is documented at `crowdgym.envs.sensing.env.SensingEnv`, and what holds for every dispatcher environment
    (spaces, infos, arguments) at `crowdgym.envs.api.dispatcher_env.BaseDispatcherEnv`.

    ## Rewards
    The sum of the agents' rewards. For ``shared`` that is minus the error minus ``cost_weight`` times the cost of the
    cycle.
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
