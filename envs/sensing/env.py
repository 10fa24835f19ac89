"""Multi-attribute sensing as a PettingZoo parallel environment. See `SensingEnv`."""

from typing import ClassVar, Unpack

from crowdgym.configs.sensing import SensingKeywords, SensingSettings
from crowdgym.envs.faces.parallel import ParallelFace, RenderMode
from crowdgym.envs.sensing.generator import InstanceGenerator
from crowdgym.envs.sensing.inference import InferenceStrategy
from crowdgym.envs.sensing.instance import SensingInstance
from crowdgym.envs.sensing.parts import SensingParts
from crowdgym.envs.sensing.reward import RewardStrategy
from crowdgym.envs.sensing.simulation import Metrics
from crowdgym.envs.sensing.snapshot import SensingSnapshot


class SensingEnv(ParallelFace[SensingInstance, SensingSnapshot, Metrics]):
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
    in this cycle, NaN where there is none), and for cells ``candidate_cells`` (int32, [P]: where the participants are).
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

    name: ClassVar[str] = SensingParts.name
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
        super().__init__(SensingParts.of(keywords, generator, inference_strategy, reward_strategy), render_mode)
