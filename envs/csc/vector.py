"""Many copies of CSC at once, without a Python call for each agent. See `CscVectorEnv`."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Unpack

import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from crowdgym.configs.csc import CscKeywords
from crowdgym.configs.errors import ConfigError
from crowdgym.envs.core.seeding import EpisodeSeeds, InstanceSeeds, benchmark_sequence, requested_instance
from crowdgym.envs.csc.generator import InstanceGenerator
from crowdgym.envs.csc.parts import CscParts
from crowdgym.envs.csc.reward import RewardStrategy

Rows = NDArray[np.float32]
Actions = NDArray[np.int64]
StepResult = tuple[Rows, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class CscVectorEnv(VectorEnv[Rows, Actions, NDArray[Any]]):
    """``csc_v0``, ``num_envs`` copies of it; a row for every (copy, agent): row ``c * N + w`` is worker w of copy c.

    ## Description
    The dynamics, observations and rewards are those of `crowdgym.envs.csc.env.CscEnv`, which documents them. Every copy
    plays an instance of its own; all of them share the settings.

    ## Action Space
    One ``Discrete(K + 1)`` a row. ``infos["action_mask"]``, int8 [B N, K + 1], says what is legal.

    ## Observation Space
    One ``Box(-1, 1, (F,), float32)`` a row. With ``copy=False`` observations, masks and candidates are views of the
    environment's own arrays: they hold until the next ``step`` or ``reset``, which overwrites them.

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
    with ``_metrics``, bool [B], saying for which; in ``SAME_STEP`` also ``final_obs``, [B N, F], and ``_final_obs``.

    ## Arguments
    ``num_envs``: copies B. ``num_threads``: of this process; the results do not depend on it. ``copy``: see Observation
    Space. ``autoreset_mode``; ``generator``, ``reward_strategy`` and every keyword of `CscSettings`.

    ## Version History
    * v0: initial version
    """

    metadata: dict[str, Any]
    name: ClassVar[str] = "csc_v0"

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
        counts: dict[str, object] = {"num_envs": num_envs, "num_threads": num_threads}
        for name, value in counts.items():
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                raise ConfigError(f"{name} must be a whole number from 1 on, got {value!r}")
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError:
            known = ", ".join(mode.value for mode in AutoresetMode)
            raise ConfigError(f"autoreset_mode must be one of {known}, got {autoreset_mode!r}") from None
        self._parts = CscParts.of(keywords, generator, reward_strategy)
        self.settings = self._parts.settings
        self._simulation = self._parts.simulation(int(num_envs))
        self._copy = copy
        self._pool = ThreadPoolExecutor(num_threads) if num_threads > 1 else None
        self._shares = [share for share in np.array_split(np.arange(num_envs), num_threads) if len(share)]
        self._seeds = [EpisodeSeeds() for _ in range(num_envs)]
        self._began = np.zeros(num_envs, np.bool_)
        self._ended = np.zeros(num_envs, np.bool_)
        self._rewards = np.zeros(self.batch_shape)

        self.num_envs = int(np.prod(self.batch_shape))
        self.single_observation_space = self._parts.observation_space()
        self.single_action_space = self._parts.action_space()
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.metadata = {
            "name": self.name,
            "render_modes": [],
            "autoreset_mode": self.autoreset_mode,
            "observation_layout": self._parts.observation_layout(self._simulation),
        }

    @property
    def batch_shape(self) -> tuple[int, int]:
        """(B, N): copies, agents of each. ``observations.reshape(*batch_shape, -1)`` takes the rows apart."""
        return len(self._seeds), self.settings.num_workers

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Rows, dict[str, Any]]:
        """Begin an episode in every copy, or in those of the ``reset_mask``. See Starting State.

        Raises:
            ConfigError: a seed, option or mask that cannot be.
        """
        options = dict(options or {})
        chosen = self._copies_of_mask(options.pop("reset_mask", None))
        first_instance = requested_instance(options)
        for copy, copy_seed in zip(chosen, self._seeds_of_copies(seed)[chosen], strict=True):
            if copy_seed is not None:
                self._seeds[copy].restart(copy_seed)
            self._reset_copy(int(copy), None if first_instance is None else first_instance + int(copy))
        return self._handed_out(self._simulation.observations), self._infos()

    def step(self, actions: Actions) -> StepResult:
        """Play every copy on to its next epoch; see Episode End for copies whose episode is over.

        Raises:
            ResetNeeded: a copy has not begun, or (``DISABLED``) is over.
            InvalidAction: an action outside the space, or (``strict``) one that is masked.
        """
        self._refuse_unready()
        joint = self._checked(actions)
        over_before = self._ended.copy()
        playing = np.flatnonzero(~over_before)
        self._play(joint, playing)
        self._parts.reward_strategy.write(self._simulation.state.epoch, self._rewards)
        self._rewards[over_before] = 0.0
        truncated = self._simulation.is_over() & ~over_before
        self._ended = truncated.copy()
        extra = self._metrics_of(truncated) if truncated.any() else {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and truncated.any():
            extra |= {
                "final_obs": self._as_rows(self._simulation.observations).copy(),
                "_final_obs": self._by_row(truncated),
            }
        same_step = self.autoreset_mode is AutoresetMode.SAME_STEP
        for copy in np.flatnonzero(truncated if same_step else over_before):
            self._reset_copy(int(copy), None)
        return (
            self._handed_out(self._simulation.observations),
            self._rewards.ravel().copy(),
            np.zeros(self.num_envs, np.bool_),
            self._by_row(truncated),
            self._infos() | extra,
        )

    def close_extras(self, **_: Any) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _reset_copy(self, copy: int, instance: int | None) -> None:
        sequence = self._seeds[copy].next() if instance is None else benchmark_sequence(instance)
        self._simulation.reset_copy(copy, self._parts.generator.generate(InstanceSeeds.of(sequence)))
        self._began[copy], self._ended[copy] = True, False

    def _play(self, joint: Actions, playing: NDArray[np.int64]) -> None:
        if self._pool is None:
            self._simulation.step(joint, playing)
            return
        shares = [share[np.isin(share, playing)] for share in self._shares]
        for finished in [self._pool.submit(self._simulation.step, joint, share) for share in shares]:
            finished.result()

    def _refuse_unready(self) -> None:
        if not self._began.all():
            raise ResetNeeded(
                f"step was called, but copy {int(np.argmin(self._began))} has not begun: call reset first"
            )
        if self.autoreset_mode is AutoresetMode.DISABLED and self._ended.any():
            copy = int(np.argmax(self._ended))
            raise ResetNeeded(f"the episode of copy {copy} is over: call reset(options={{'reset_mask': …}}) first")

    def _checked(self, actions: Actions) -> Actions:
        """The actions as [B, N]."""
        joint = np.asarray(actions)
        if (
            joint.dtype.kind not in "iu"
            or joint.size != self.num_envs
            or joint.shape not in ((joint.size,), self.batch_shape)
        ):
            raise InvalidAction(
                f"actions must be whole numbers of shape ({self.num_envs},) or {self.batch_shape}, "
                f"got {joint.dtype} of shape {joint.shape}"
            )
        joint = joint.reshape(self.batch_shape).astype(np.int64, copy=False)
        most = self.settings.max_candidates
        outside = (joint < 0) | (joint > most)
        if outside.any():
            copy, worker = np.argwhere(outside)[0]
            raise InvalidAction(
                f"the action of worker_{worker} in copy {copy} must be from 0 to {most}, got {joint[copy, worker]}"
            )
        if self.settings.strict:
            legal = np.take_along_axis(self._simulation.state.epoch.mask, joint[:, :, np.newaxis], axis=2)[:, :, 0]
            illegal = (legal == 0) & ~self._ended[:, np.newaxis]
            if illegal.any():
                copy, worker = np.argwhere(illegal)[0]
                allowed = ", ".join(map(str, np.flatnonzero(self._simulation.state.epoch.mask[copy, worker])))
                raise InvalidAction(
                    f"worker_{worker} of copy {copy} may not take action {joint[copy, worker]} now; legal: {allowed}"
                )
        return joint

    def _copies_of_mask(self, mask: object) -> NDArray[np.int64]:
        copies, agents = self.batch_shape
        if mask is None:
            return np.arange(copies)
        if (
            not isinstance(mask, np.ndarray)
            or mask.dtype != np.bool_
            or mask.shape not in ((copies,), (self.num_envs,))
        ):
            raise ConfigError(f"the option 'reset_mask' must be a bool array of shape ({copies},), got {mask!r}")
        rows = mask if mask.shape == (copies,) else mask.reshape(copies, agents).any(axis=1)
        if not rows.any():
            raise ConfigError("the option 'reset_mask' must name at least one copy, got none")
        return np.flatnonzero(rows)

    def _seeds_of_copies(self, seed: int | list[int | None] | None) -> NDArray[np.object_]:
        copies = self.batch_shape[0]
        if seed is None:
            return np.full(copies, None, object)
        if isinstance(seed, int | np.integer):
            return np.array([int(seed) + copy for copy in range(copies)], object)
        if len(seed) != copies:
            raise ConfigError(f"seed must be one number, or one for each of {copies} copies, got {len(seed)}")
        return np.array(seed, object)

    def _infos(self) -> dict[str, Any]:
        epoch = self._simulation.state.epoch
        return {"action_mask": self._handed_out(epoch.mask), "candidates": self._handed_out(epoch.candidates)}

    def _metrics_of(self, truncated: NDArray[np.bool_]) -> dict[str, Any]:
        rows = [vars(self._simulation.metrics(copy)) for copy in range(len(truncated))]
        return {
            "metrics": {name: np.array([row[name] for row in rows]) for name in rows[0]},
            "_metrics": truncated.copy(),
        }

    def _as_rows(self, array: NDArray[Any]) -> NDArray[Any]:
        return array.reshape(self.num_envs, *array.shape[2:])

    def _handed_out(self, array: NDArray[Any]) -> NDArray[Any]:
        rows = self._as_rows(array)
        return rows.copy() if self._copy else rows

    def _by_row(self, by_copy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.repeat(by_copy, self.batch_shape[1])
