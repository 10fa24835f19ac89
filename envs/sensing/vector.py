"""Many copies of sensing at once, without a Python call for each agent. See `SensingVectorEnv`."""

from typing import ClassVar, Unpack

from gymnasium.vector import AutoresetMode

from crowdgym.configs.sensing import SensingKeywords, SensingSettings
from crowdgym.envs.faces.vectorized import VectorFace
from crowdgym.envs.sensing.generator import InstanceGenerator
from crowdgym.envs.sensing.inference import InferenceStrategy
from crowdgym.envs.sensing.parts import SensingParts
from crowdgym.envs.sensing.reward import RewardStrategy


class SensingVectorEnv(VectorFace):
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

    name: ClassVar[str] = SensingParts.name
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
        parts = SensingParts.of(keywords, generator, inference_strategy, reward_strategy)
        super().__init__(parts, num_envs, num_threads, copy, autoreset_mode)
