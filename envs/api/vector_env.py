"""Any environment as a Gymnasium vector environment: many copies at once, without a Python call for each agent."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from gymnasium.error import ClosedEnvironmentError, InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.common.text import shown
from crowdgym.envs.api.definition import ACTION_MASK, EnvironmentDefinition, Simulation
from crowdgym.envs.api.reset_options import ResetOptions
from crowdgym.envs.core.seeding import EpisodeSeeds

MOST_THREADS = 1024

Rows = NDArray[np.float32]
Actions = NDArray[np.int64]
StepResult = tuple[Rows, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class BaseVectorEnv(VectorEnv[Rows, Actions, NDArray[Any]]):
    """Many copies of an environment side by side, as a Gymnasium vector environment.

    This holds for every setting. A subclass brings the keywords of its constructor and says what its infos hold; the
    world (dynamics, observations, rewards, settings) is documented at the parallel environment of the setting.

    ## Description
    B = ``num_envs`` copies, N agents in each. There is a row for every (copy, agent): row ``c * N + a`` is agent a of
    copy c. Every copy plays an instance of its own; all of them share the settings.

    ## Action Space
    One ``Discrete`` a row, that of the parallel environment. ``infos["action_mask"]``, int8 [B N, actions], says what
    is legal.

    ## Observation Space
    One ``Box(-1, 1, (F,), float32)`` a row, laid out as ``metadata["observation_layout"]`` says. With ``copy=False``
    observations and infos are read-only views of the environment's own arrays: they hold until the next ``step`` or
    ``reset``, which overwrites them.

    ## Starting State
    ``reset(seed=s)`` gives copy c the seed s + c; a list gives every copy its own. ``options={"instance": k}`` plays
    benchmark instance k + c in copy c. ``options={"reset_mask": mask}``, bool [B] or [B N], resets the copies it names.
    The other options of the setting are for the episodes that begin with the call.

    ## Rewards
    Those of the parallel environment, float64 [B N].

    ## Episode End
    All agents of a copy are truncated together, none is ever terminated. What happens then is ``autoreset_mode``, as
    Gymnasium defines it: ``NEXT_STEP`` (the next step ignores the actions of that copy and returns its first
    observations, reward 0), ``SAME_STEP`` (the first observations come at once, the last ones in
    ``infos["final_obs"]``) or ``DISABLED``.

    ## Information
    For each info of the parallel environment an array of that name, [B N, ...]. When copies have ended, ``metrics``:
    for each name an array with a row for each copy, with ``_metrics``, bool [B], saying for which. In ``SAME_STEP``
    also ``final_obs``, [B N, F], and ``final_info``, the last infos, with ``_final_obs`` and ``_final_info``, bool
    [B N]; the infos beside them are those of the new episode.

    ## Arguments
    ``num_envs``: copies B. ``num_threads``: threads of this process that play them; the results do not depend on it.
    ``copy``: see Observation Space. ``autoreset_mode``: see Episode End. Besides: those of the parallel environment but
    for ``render_mode``.
    """

    metadata: dict[str, Any]

    def __init__(
        self,
        definition: EnvironmentDefinition[Any, Any],
        num_envs: int,
        num_threads: int,
        copy: bool,
        autoreset_mode: AutoresetMode | str,
    ) -> None:
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError:
            known = ", ".join(mode.value for mode in AutoresetMode)
            raise ConfigError(f"autoreset_mode must be one of {known}, got {autoreset_mode!r}") from None
        self.settings: Any = definition.settings
        self._definition = definition
        self._agents = definition.agents
        copies, threads = _count("num_envs", num_envs), _count("num_threads", num_threads, MOST_THREADS)
        self._simulation: Simulation = definition.room(copies)
        self._copy = copy
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._threads = threads
        self._seeds = [EpisodeSeeds() for _ in range(copies)]
        self._began = np.zeros(copies, np.bool_)
        self._ended = np.zeros(copies, np.bool_)
        self._rewards = np.zeros(self.batch_shape)

        self.num_envs = copies * len(self._agents)
        self.single_observation_space = definition.observation_space()
        actions = definition.action_space()
        self._num_actions = int(actions.n)
        self.single_action_space = actions
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.metadata = {
            "name": definition.name,
            "render_modes": [],
            "autoreset_mode": self.autoreset_mode,
            **definition.metadata(self._simulation),
        }

    @property
    def batch_shape(self) -> tuple[int, int]:
        """(B, N): copies, agents of each. ``observations.reshape(*batch_shape, -1)`` takes the rows apart."""
        return len(self._seeds), len(self._agents)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Rows, dict[str, Any]]:
        """Begin an episode in every copy, or in those of the ``reset_mask``. See Starting State.

        Raises:
            ConfigError: a seed, option or mask that cannot be.
            ClosedEnvironmentError: after ``close``.
        """
        self._refuse_closed("reset")
        wanted = ResetOptions.of(options, {**self._definition.reset_options, "reset_mask": self._copies_of_mask})
        further = dict(wanted.further)
        chosen = further.pop("reset_mask", np.arange(self.batch_shape[0]))
        for copy, copy_seed in zip(chosen, self._seeds_of_copies(seed)[chosen], strict=True):
            if copy_seed is not None:
                self._seeds[copy].restart(copy_seed)
        self._reset_copies(chosen, wanted.instance, further)
        return self._observations(), self._infos()

    def step(self, actions: Actions) -> StepResult:
        """Play every copy on to its next epoch; see Episode End for copies whose episode is over.

        Raises:
            ResetNeeded: a copy has not begun, or (``DISABLED``) is over.
            InvalidAction: an action outside the space, or (``strict``) one that is masked.
            ClosedEnvironmentError: after ``close``.
        """
        self._refuse_closed("step")
        self._refuse_unready()
        joint = self._checked(actions)
        over_before = self._ended.copy()
        copied = np.empty_like(self._simulation.observations) if self._copy and self._pool is not None else None
        self._play(joint, np.flatnonzero(~over_before), copied)
        self._definition.write_rewards(self._simulation, self._rewards)
        self._rewards[over_before] = 0.0
        rewards = self._rewards.ravel().copy()
        truncated = self._simulation.is_over() & ~over_before
        self._ended = truncated.copy()
        extra = self._at_the_end(truncated) if truncated.any() else {}
        same_step = self.autoreset_mode is AutoresetMode.SAME_STEP
        begun = np.flatnonzero(truncated if same_step else over_before)
        self._reset_copies(begun, None, {})
        return (
            self._observations(copied, begun),
            rewards,
            np.zeros(self.num_envs, np.bool_),
            self._by_row(truncated),
            self._infos() | extra,
        )

    def state(self) -> Rows:
        """The present moment of every copy, a row each: ``state()`` of the parallel environment. Shape [B, ...].

        Raises:
            ResetNeeded: a copy has not begun.
        """
        if not self._began.all():
            raise ResetNeeded(
                f"state was called, but copy {int(np.argmin(self._began))} has not begun: call reset first"
            )
        return np.stack([self._definition.global_state(self._simulation, copy) for copy in range(self.batch_shape[0])])

    def close_extras(self, **_: Any) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _reset_copies(self, copies: NDArray[np.int64], benchmark: int | None, options: dict[str, Any]) -> None:
        """Begin the next episode of some copies, or benchmark instance ``benchmark`` + copy."""
        begun = []
        try:
            for copy in copies.tolist():
                # Instances are drawn one after the other: a generator of the caller's own may expect it.
                number = None if benchmark is None else benchmark + copy
                instance = self._definition.instance(self._seeds[copy], number)
                begin = partial(self._definition.begin, self._simulation, copy, instance, options)
                begun.append((copy, self._in_background(begin)))
        finally:
            for copy, finish in begun:
                finish()
                self._began[copy], self._ended[copy] = True, False

    def _in_background(self, work: Callable[[], None]) -> Callable[[], None]:
        """Have a thread begin to work, if there are threads; what is returned waits for it, or does it."""
        return work if self._pool is None else self._pool.submit(work).result

    def _at_once(self, works: Sequence[Callable[[], None]]) -> None:
        """Do works for different copies at the same time: the first here, since to wake a thread takes a while."""
        waiting = [self._in_background(work) for work in works[1:]]
        try:
            for work in works[:1]:
                work()
        finally:
            for finish in waiting:
                finish()

    def _play(self, joint: Actions, playing: NDArray[np.int64], copied: Rows | None = None) -> None:
        """Play some copies on to their next epoch, and copy what is seen then to ``copied``, [B, N, F], if given."""

        def play(share: NDArray[np.int64]) -> None:
            self._simulation.step(joint, share)
            if copied is not None:
                self._copy_observations(share, copied)

        shares = np.array_split(playing, self._threads)
        self._at_once([partial(play, share) for share in shares if len(share)])

    def _observations(self, copied: Rows | None = None, begun: NDArray[np.int64] | None = None) -> Rows:
        """The observations as they are handed out, [B N, F]: ``copied`` but for copies that have begun since."""
        if copied is None or begun is None:
            return self._definition.handed_out(self._simulation.observations, self._copy)
        self._copy_observations(begun, copied)
        return copied.reshape(-1, copied.shape[-1])

    def _copy_observations(self, copies: NDArray[np.int64], copied: Rows) -> None:
        is_range = len(copies) > 0 and copies[-1] - copies[0] == len(copies) - 1
        rows = slice(copies[0], copies[-1] + 1) if is_range else copies
        copied[rows] = self._simulation.observations[rows]

    def _refuse_closed(self, call: str) -> None:
        if self.closed:
            raise ClosedEnvironmentError(f"{call} was called, but the environment is closed: make another one")

    def _refuse_unbegun(self, call: str) -> None:
        if not self._began.all():
            raise ResetNeeded(
                f"{call} was called, but copy {int(np.argmin(self._began))} has not begun: call reset first"
            )

    def _refuse_unready(self) -> None:
        self._refuse_unbegun("step")
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
        outside = (joint < 0) | (joint >= self._num_actions)
        if outside.any():
            copy, agent = np.argwhere(outside)[0]
            raise InvalidAction(
                f"the action of {self._agents[agent]} in copy {copy} must be from 0 to {self._num_actions - 1}, "
                f"got {joint[copy, agent]}"
            )
        if self._definition.settings.strict:
            self._refuse_illegal(joint)
        return joint

    def _refuse_illegal(self, joint: Actions) -> None:
        illegal = ~self._definition.legal(self._simulation, joint) & ~self._ended[:, np.newaxis]
        if illegal.any():
            copy, agent = np.argwhere(illegal)[0]
            masks = self._infos()[ACTION_MASK].reshape(*self.batch_shape, -1)
            allowed = ", ".join(map(str, np.flatnonzero(masks[copy, agent])))
            raise InvalidAction(
                f"{self._agents[agent]} of copy {copy} may not take action {joint[copy, agent]} now; legal: {allowed}"
            )

    def _copies_of_mask(self, mask: object) -> NDArray[np.int64]:
        copies, agents = self.batch_shape
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

    def _seeds_of_copies(self, seed: object) -> NDArray[np.object_]:
        copies = self.batch_shape[0]
        if seed is None:
            return np.full(copies, None, object)
        if isinstance(seed, int | np.integer):
            return np.array([int(seed) + copy for copy in range(copies)], object)
        if not isinstance(seed, Sequence | np.ndarray) or isinstance(seed, str | bytes) or len(seed) != copies:
            raise ConfigError(f"seed must be a whole number, or one for each of {copies} copies, got {shown(seed)}")
        seeds = np.empty(copies, object)
        seeds[:] = list(seed)
        return seeds

    def _infos(self) -> dict[str, Any]:
        arrays = self._definition.agent_arrays(self._simulation)
        return {name: self._definition.handed_out(array, self._copy) for name, array in arrays.items()}

    def _at_the_end(self, truncated: NDArray[np.bool_]) -> dict[str, Any]:
        """What infos also say about copies that have just ended, before any of them begins anew."""
        told = self._metrics_of(truncated)
        if self.autoreset_mode is not AutoresetMode.SAME_STEP:
            return told
        arrays = self._definition.agent_arrays(self._simulation)
        return told | {
            "final_obs": self._definition.handed_out(self._simulation.observations, copy=True),
            "_final_obs": self._by_row(truncated),
            "final_info": {name: self._definition.handed_out(array, copy=True) for name, array in arrays.items()},
            "_final_info": self._by_row(truncated),
        }

    def _metrics_of(self, truncated: NDArray[np.bool_]) -> dict[str, Any]:
        metrics = [vars(self._simulation.metrics(copy)) for copy in range(len(truncated))]
        return {
            "metrics": {name: np.array([row[name] for row in metrics]) for name in metrics[0]},
            "_metrics": truncated.copy(),
        }

    def _by_row(self, by_copy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.repeat(by_copy, self.batch_shape[1])


def _count(name: str, value: object, most: int | None = None) -> int:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{name} must be a whole number from 1 on, got {shown(value)}")
    if most is not None and value > most:
        raise ConfigError(f"{name} must be at most {most}, got {shown(value)}")
    return int(value)
