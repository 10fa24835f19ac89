"""DASC with one central dispatcher, as a plain Gymnasium environment. See `DascDispatcherEnv`."""

from typing import Unpack

from crowdgym.configs.dasc import DascKeywords
from crowdgym.envs.dasc.env import DascEnv
from crowdgym.envs.dasc.generator import DascInstanceGenerator
from crowdgym.envs.dasc.reward import RewardStrategy
from crowdgym.envs.faces.dispatching import DispatcherFace
from crowdgym.envs.faces.parallel import RenderMode


class DascDispatcherEnv(DispatcherFace):
    """``dasc_v0`` with one agent, the platform, that decides for all subtasks at once.

    ## Description
    The world of `crowdgym.envs.dasc.env.DascEnv`, which documents it, for methods that know no agents.

    ## Action Space
    ``MultiDiscrete``: for every slot what it would choose itself.

    ## Observation Space
    ``Box(-1, 1, (S, F), float32)``: what every slot sees, one row each.

    ## Starting State
    As in `DascEnv`.

    ## Rewards
    The sum of the slots' rewards: for ``sparse`` and ``team`` the revenue of the interval.

    ## Episode End
    Truncated at ``horizon_s``; never terminated.

    ## Information
    As in `DascEnv`, with a row for every slot; after the last step ``metrics``.

    ## Arguments
    Those of `DascEnv`.

    ## Version History
    * v0: initial version
    """

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: DascInstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[DascKeywords],
    ) -> None:
        super().__init__(
            DascEnv(render_mode=render_mode, generator=generator, reward_strategy=reward_strategy, **keywords)
        )
