"""Many copies of DASC at once, without a Python call for each agent. See `DascVectorEnv`."""

from typing import ClassVar, Unpack

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from crowdgym.configs.dasc import DascKeywords, DascSettings
from crowdgym.envs.dasc.generator import DascInstanceGenerator
from crowdgym.envs.dasc.parts import DascParts
from crowdgym.envs.dasc.reward import RewardStrategy
from crowdgym.envs.dasc.simulation import DascSimulation
from crowdgym.envs.faces.vectorized import VectorFace


class DascVectorEnv(VectorFace):
    """``dasc_v0``, ``num_envs`` copies of it; a row for every (copy, agent): row ``c * N + s`` is slot s of copy c.

    ## Description
    The dynamics, observations and rewards are those of `crowdgym.envs.dasc.env.DascEnv`, which documents them. Every
    copy plays an instance of its own; all of them share the settings.

    ## Action Space
    One ``Discrete`` a row, as in `DascEnv`. ``infos["action_mask"]``, int8 [B N, actions], says what is legal.

    ## Observation Space
    One ``Box(-1, 1, (F,), float32)`` a row. With ``copy=False`` observations and infos are read-only views of the
    environment's own arrays: they hold until the next ``step`` or ``reset``, which overwrites them.

    ## Starting State
    ``reset(seed=s)`` gives copy c the seed s + c; a list gives every copy its own. ``options={"instance": k}`` plays
    benchmark instance k + c in copy c. ``options={"reset_mask": mask}``, bool [B] or [B N], resets the copies it names.
    ``options={"utility": (α, β)}`` is for the episodes that begin with this call.

    ## Rewards
    As in `DascEnv`.

    ## Episode End
    All agents of a copy are truncated together. What happens then is ``autoreset_mode``, as Gymnasium defines it:
    ``NEXT_STEP`` (the next step ignores the actions of that copy and returns its first observations, reward 0),
    ``SAME_STEP`` (the first observations come at once, the last ones in ``infos["final_obs"]``) or ``DISABLED``.

    ## Information
    ``action_mask``, ``candidates`` (int32 [B N, K]), ``live`` (bool [B N]), ``reward_sparse`` and ``reward_shaped``
    (float64 [B N]), ``match_utility`` (float64 [B N, 3]); when copies have ended, ``metrics``: for each name an array
    [B], with ``_metrics``, bool [B], saying for which; in ``SAME_STEP`` also ``final_obs`` and ``final_info``. Where a
    copy began anew with the step (``SAME_STEP``), its rewards in the infos are those of the new episode: 0; the last
    ones are in ``final_info``.

    ## Arguments
    ``num_envs``: copies B. ``num_threads``: of this process; the results do not depend on it. ``copy``: see Observation
    Space. ``autoreset_mode``; ``generator``, ``reward_strategy`` and every keyword of `DascSettings`.

    ## Version History
    * v0: initial version
    """

    name: ClassVar[str] = DascParts.name
    settings: DascSettings
    _simulation: DascSimulation

    def __init__(
        self,
        num_envs: int = 1,
        *,
        num_threads: int = 1,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        generator: DascInstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[DascKeywords],
    ) -> None:
        parts = DascParts.of(keywords, generator, reward_strategy)
        super().__init__(parts, num_envs, num_threads, copy, autoreset_mode)

    @property
    def matching_time_s(self) -> NDArray[np.float64]:
        """Wall-clock seconds that matching has taken in each copy's episode; no two runs agree on it. Shape [B]."""
        return self._simulation.matching_s.copy()
