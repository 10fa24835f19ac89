"""Any environment as a PettingZoo parallel environment: its simulation with a batch of one."""

from typing import Any, Generic, Literal, TypeVar, cast

import gymnasium
import numpy as np
from gymnasium.error import ClosedEnvironmentError, InvalidAction, ResetNeeded
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from crowdgym.common.errors import ConfigError
from crowdgym.common.text import shown
from crowdgym.envs.api.actions import joint_action
from crowdgym.envs.api.definition import (
    ACTION_MASK,
    EnvironmentDefinition,
    Provenance,
    Simulation,
    Turns,
    Viewer,
)
from crowdgym.envs.api.reset_options import ResetOptions
from crowdgym.envs.core.seeding import EpisodeSeeds

Agent = str
Observation = NDArray[np.float32]
Info = dict[str, Any]
RenderMode = Literal["human", "rgb_array"]
RENDER_MODES: tuple[RenderMode, ...] = ("human", "rgb_array")

Instance = TypeVar("Instance")
Snapshot = TypeVar("Snapshot")
Metrics = TypeVar("Metrics")


class BaseParallelEnv(ParallelEnv[Agent, Observation, int], Generic[Instance, Snapshot, Metrics]):
    """A setting as a PettingZoo parallel environment.

    This holds for every setting. A subclass documents its world and brings the keywords of its constructor.

    ## Action Space
    The same for all agents. ``infos[agent]["action_mask"]`` says what is legal. An action that is masked holds and
    counts as illegal, or raises if ``strict``; an action outside the space always raises.

    ## Observation Space
    ``Box(-1, 1, (F,), float32)``, the same for all agents: sets of fixed sizes in one row.
    ``metadata["observation_layout"]`` gives for each set, by name and in order, its ``start``, ``stop``, ``shape``
    (rows, columns), the ``features`` of a row, and what a 1 of each feature stands for: ``units`` as text, ``scales``
    as numbers. `crowdgym.common.layout.ObservationLayout` reads it. A row of a set whose first feature is "present" is
    all zeros where there is nothing.

    ``state()`` is the present moment as one row, for centralised critics; ``metadata["state_layout"]`` describes it in
    the same way.

    ## Starting State
    All randomness is drawn at ``reset``. ``reset(seed=k)`` fixes the episode and those that follow;
    ``reset(options={"instance": k})`` plays the k-th instance of the scenario's benchmark set, whatever the seed.

    ## Episode End
    All agents are there from the first step to the last and are truncated together; none is ever terminated.

    ## Information
    ``infos[agent]`` has ``action_mask`` (int8) and what the setting adds; after the last step also ``metrics``. Dicts
    and arrays are new at every step, so the caller may keep or change them.

    ## Arguments
    ``render_mode``: "human", "rgb_array" or None. ``generator`` and ``reward_strategy``: objects in place of those that
    come with the setting. Besides: every setting by name.
    """

    # Rows of one array are handed out as views of it: a copy of each agent's row takes longer than the rest of this
    # class.

    metadata: dict[str, Any]

    def __init__(self, definition: EnvironmentDefinition[Any, Any], render_mode: RenderMode | None) -> None:
        _check_render_mode(render_mode)
        self.settings: Any = definition.settings
        self.render_mode = render_mode
        self._definition = definition
        self._simulation: Simulation = definition.room(1)
        self._seeds = EpisodeSeeds()
        self._instance: Instance | None = None
        self._options: dict[str, Any] = {}  # of the reset that began the episode, "instance" apart
        self._viewer: Viewer | None = None
        self._closed = False

        self.possible_agents = list(definition.agents)
        self.agents: list[Agent] = []
        self._rewards = np.zeros((1, len(self.possible_agents)))
        self._none, self._all = (dict.fromkeys(self.possible_agents, over) for over in (False, True))
        self._observation_space = definition.observation_space()
        self._action_space = definition.action_space()
        self.observation_spaces = dict.fromkeys(self.possible_agents, self._observation_space)
        self.action_spaces = dict.fromkeys(self.possible_agents, self._action_space)
        self.state_space = definition.state_space()
        self.metadata = {
            "name": definition.name,
            "render_modes": list(RENDER_MODES),
            "render_fps": 5,
            "is_parallelizable": True,
            **definition.metadata(self._simulation),
        }

    def observation_space(self, agent: Agent) -> gymnasium.spaces.Box:
        """The observation space: one and the same for all agents."""
        return self._observation_space

    def action_space(self, agent: Agent) -> gymnasium.spaces.Discrete:
        """The action space: one and the same for all agents."""
        return self._action_space

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Observation], dict[Agent, Info]]:
        """Begin an episode. See Starting State.

        Raises:
            ConfigError: an option that does not exist or has a value that cannot be used, or a negative seed.
            ClosedEnvironmentError: after ``close``.
        """
        self._refuse_closed("reset")
        wanted = ResetOptions.of(options, self._definition.reset_options)
        if seed is not None:
            self._seeds.restart(seed)
        instance = self._definition.instance(self._seeds, wanted.instance)
        self._simulation.use_fresh_observations()
        self._definition.begin(self._simulation, 0, instance, wanted.further)
        self._instance, self._options = instance, wanted.further
        self.agents = self.possible_agents.copy()
        return self._observations(), self._infos()

    def step(
        self, actions: dict[Agent, int]
    ) -> tuple[dict[Agent, Observation], dict[Agent, float], dict[Agent, bool], dict[Agent, bool], dict[Agent, Info]]:
        """Play on to the next epoch.

        Raises:
            ResetNeeded: before the first ``reset``, or after the end of an episode.
            InvalidAction: an agent without an action or an unknown one; an action outside the space; if ``strict``, an
                action that is masked.
            ClosedEnvironmentError: after ``close``.
        """
        self._refuse_closed("step")
        if not self.agents:
            began = "the episode is over" if self._instance is not None else "no episode has begun"
            raise ResetNeeded(f"step was called, but {began}: call reset first")
        joint = joint_action(actions, self.possible_agents, self._action_space)
        if self._definition.settings.strict:
            self._refuse_illegal(joint)
        self._simulation.use_fresh_observations()
        self._simulation.step(joint[np.newaxis])
        self._definition.write_rewards(self._simulation, self._rewards)

        over = bool(self._simulation.is_over()[0])
        observations, infos = self._observations(), self._infos()
        if over:
            self._add_metrics(infos)
            self.agents = []
        rewards = self._by_agent(self._rewards[0].tolist())
        truncations = self._all if over else self._none
        return observations, rewards, self._none.copy(), truncations.copy(), infos

    def rows(self) -> dict[str, NDArray[Any]]:
        """What observations and infos of the present moment are made of: arrays [N, ...], which `step` overwrites.

        Returns:
            "observation", and then the infos by name.
        """
        arrays = {"observation": self._simulation.observations, **self._definition.agent_arrays(self._simulation)}
        return {name: array[0] for name, array in arrays.items()}

    @property
    def is_reproducible(self) -> bool:
        """Whether settings and seed fix the episodes: neither generator nor reward strategy is the caller's own."""
        return self._definition.is_reproducible

    @property
    def metrics(self) -> Metrics:
        """The figures of the episode so far."""
        return cast(Metrics, self._simulation.metrics(0))

    @property
    def instance(self) -> Instance:
        """The instance being played.

        Raises:
            ResetNeeded: before the first ``reset``.
        """
        return self._begun("instance")

    @property
    def provenance(self) -> Provenance:
        """What the episode comes from besides the settings and the seed.

        Raises:
            ResetNeeded: before the first ``reset``.
        """
        return Provenance(
            data_checksum=self._definition.data_checksum(self._begun("provenance")),
            other_data=self._definition.other_data,
            file_checksums=dict(self._definition.file_checksums),
            options=dict(self._options),
        )

    def chosen(self, actions: dict[Agent, int]) -> NDArray[np.int32]:
        """What actions would ask for now, as ``infos[agent]["candidates"]`` numbers it; -1 for nothing. Shape [N].

        Raises:
            ResetNeeded: before the first ``reset``.
            InvalidAction: as `step` does.
        """
        self._begun("choice")
        return self._definition.chosen(
            self._simulation, 0, joint_action(actions, self.possible_agents, self._action_space)
        )

    def turns(self) -> Turns:
        """The agents of an epoch one after the other, for forms in which they choose in turn.

        Raises:
            ConfigError: this environment has no turns.
        """
        return self._definition.turns(self._simulation)

    def snapshot(self) -> Snapshot:
        """The complete state of the present moment: for pictures, logs and checks, not for policies.

        Raises:
            ResetNeeded: before the first ``reset``.
        """
        self._begun("snapshot")
        return cast(Snapshot, self._definition.snapshot(self._simulation, 0))

    def state(self) -> NDArray[np.float32]:
        """The present moment in one row; see ``state_space``.

        Raises:
            ResetNeeded: before the first ``reset``.
        """
        self._begun("state")
        return self._definition.global_state(self._simulation, 0)

    def render(self) -> NDArray[np.uint8] | None:
        """A picture of the present moment, [height, width, 3], or a window that shows it, by ``render_mode``."""
        if self.render_mode is None:
            gymnasium.logger.warn("render was called, but render_mode is None: give one to the constructor")
            return None
        if self._viewer is None:
            self._viewer = self._definition.viewer(self._simulation)
        frame = self._viewer.draw(self.snapshot())
        if self.render_mode == "human":
            self._viewer.show(frame)
            return None
        return frame

    def close(self) -> None:
        """Close the window, if there is one; nothing more can be played."""
        self._closed = True
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None

    def _refuse_closed(self, call: str) -> None:
        if self._closed:
            raise ClosedEnvironmentError(f"{call} was called, but the environment is closed: make another one")

    def _begun(self, what: str) -> Instance:
        if self._instance is None:
            raise ResetNeeded(f"there is no {what} yet: call reset first")
        return self._instance

    def _by_agent(self, values: list[Any]) -> dict[Agent, Any]:
        """A new dict; one that is copied has its final size at once, which a growing one takes several moves to get."""
        table: dict[Agent, Any] = self._none.copy()
        table.update(zip(self.possible_agents, values, strict=True))
        return table

    def _observations(self) -> dict[Agent, Observation]:
        return self._by_agent(list(self._simulation.observations[0]))

    def _infos(self) -> dict[Agent, Info]:
        (first, masks), *others = self._definition.agent_arrays(self._simulation).items()
        infos: list[Info] = [{first: mask} for mask in _values(masks)]
        for name, array in others:
            for info, value in zip(infos, _values(array), strict=True):
                info[name] = value
        return self._by_agent(infos)

    def _add_metrics(self, infos: dict[Agent, Info]) -> None:
        metrics = vars(self.metrics)
        for info in infos.values():
            info["metrics"] = {
                name: value.copy() if isinstance(value, np.ndarray) else value for name, value in metrics.items()
            }

    def _refuse_illegal(self, joint: NDArray[np.int64]) -> None:
        legal = self._definition.legal(self._simulation, joint[np.newaxis])[0]
        if not legal.all():
            agent = int(np.flatnonzero(~legal)[0])
            mask = self._definition.agent_arrays(self._simulation)[ACTION_MASK][0]
            allowed = ", ".join(map(str, np.flatnonzero(mask[agent])))
            raise InvalidAction(
                f"{self.possible_agents[agent]} may not take action {joint[agent]} now; legal: {allowed}"
            )


def _values(array: NDArray[Any]) -> list[Any]:
    """For each agent its row of a copy of the array [1, N, …]; plain numbers of an array [1, N]."""
    return list(array[0].copy()) if array.ndim > 2 else array[0].tolist()


def _check_render_mode(mode: object) -> None:
    if mode is not None and not (isinstance(mode, str) and mode in RENDER_MODES):
        raise ConfigError(f"render_mode must be one of {', '.join(RENDER_MODES)} or None, got {shown(mode)}")
