"""Many copies of CSC at once, without a Python call for each agent. See `CscVectorEnv`."""

from typing import ClassVar, Unpack

from gymnasium.vector import AutoresetMode

from crowdgym.configs.csc import CscKeywords, CscSettings
from crowdgym.envs.csc.generator import InstanceGenerator
from crowdgym.envs.csc.parts import CscParts
from crowdgym.envs.csc.reward import RewardStrategy
from crowdgym.envs.faces.vectorized import VectorFace


class CscVectorEnv(VectorFace):
    """``csc_v0``, ``num_envs`` copies of it; a row for every (copy, agent): row ``c * N + w`` is worker w of copy c.

    ## Description
    The dynamics, observations and rewards are those of `crowdgym.envs.csc.env.CscEnv`, which documents them. Every copy
    plays an instance of its own; all of them share the settings.

    ## Action Space
    One ``Discrete(K + 1)`` a row. ``infos["action_mask"]``, int8 [B N, K + 1], says what is legal.

    ## Observation Space
    One ``Box(-1, 1, (F,), float32)`` a row. With ``copy=False`` observations, masks and candidates are read-only views
    of the environment's own arrays: they hold until the next ``step`` or ``reset``, which overwrites them.

    ## Starting State
    ``reset(seed=s)`` gives copy c the seed s + c; a list gives every copy its own. ``options={"instance": k}`` plays
    benchmark instance k + c in copy c. ``options={"reset_mask": mask}``, bool [B] or [B N], resets the copies it names.

    ## Rewards
    As in `CscEnv`.

    ## Episode End
    All agents of a copy are truncated together. What happens then is ``autoreset_mode``, as Gymnasium defines it:
    ``NEXT_STEP`` (the next step ignores the actions of that copy and returns its first observations, reward 0),
    ``SAME_STEP`` (the first observations come at once, the last ones in ``infos["final_obs"]``) or ``DISABLED``.

    ## Information
    ``action_mask``, ``candidates`` (int32 [B N, K]); when copies have ended, ``metrics``: for each name an array [B],
    with ``_metrics``, bool [B], saying for which; in ``SAME_STEP`` also ``final_obs``, [B N, F], and ``final_info``,
    the last masks and candidates, with ``_final_obs`` and ``_final_info``, bool [B N].

    ## Arguments
    ``num_envs``: copies B. ``num_threads``: of this process; the results do not depend on it. ``copy``: see Observation
    Space. ``autoreset_mode``; ``generator``, ``reward_strategy`` and every keyword of `CscSettings`.

    ## Version History
    * v0: initial version
    """

    name: ClassVar[str] = CscParts.name
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
        **keywords: Unpack[CscKeywords],
    ) -> None:
        parts = CscParts.of(keywords, generator, reward_strategy)
        super().__init__(parts, num_envs, num_threads, copy, autoreset_mode)
