"""Sensing with one central dispatcher, as a plain Gymnasium environment. See `SensingDispatcherEnv`."""

from typing import Unpack

from crowdgym.configs.sensing import SensingKeywords
from crowdgym.envs.faces.dispatching import DispatcherFace
from crowdgym.envs.faces.parallel import RenderMode
from crowdgym.envs.sensing.env import SensingEnv
from crowdgym.envs.sensing.generator import InstanceGenerator
from crowdgym.envs.sensing.inference import InferenceStrategy
from crowdgym.envs.sensing.reward import RewardStrategy


class SensingDispatcherEnv(DispatcherFace):
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
