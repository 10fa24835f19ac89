"""CSC with one central dispatcher, as a plain Gymnasium environment. See `CscDispatcherEnv`."""

from typing import Unpack

from crowdgym.configs.csc import CscKeywords
from crowdgym.envs.csc.env import CscEnv
from crowdgym.envs.csc.generator import InstanceGenerator
from crowdgym.envs.csc.reward import RewardStrategy
from crowdgym.envs.faces.dispatching import DispatcherFace
from crowdgym.envs.faces.parallel import RenderMode


class CscDispatcherEnv(DispatcherFace):
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
