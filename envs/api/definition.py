"""What an environment brings for its interfaces: a batched simulation, and the definition of everything around it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import ConfigError
from crowdgym.envs.core.seeding import EpisodeSeeds, InstanceSeeds, benchmark_sequence

ACTION_MASK = "action_mask"
MOST_OBSERVATION_BYTES = 32 * 2**30  # of all copies


class Simulation(Protocol):
    """B copies of one setting side by side, N agents in each. Nothing in it knows PettingZoo or Gymnasium."""

    @property
    def observations(self) -> NDArray[np.float32]:
        """What every agent sees, written in place by ``reset_copy`` and ``step``. Shape [B, N, F]."""

    def use_fresh_observations(self) -> None:
        """Write observations into a new array from now on; views of the old one stay as they are."""

    def reset_copy(self, b: int, instance: Any, /) -> None:
        """Begin ``instance`` in copy ``b``: everything that is handed out is that of its first epoch afterwards.

        Calls for different copies may come from different threads at the same time.
        """

    def step(self, actions: NDArray[np.int64], copies: NDArray[np.int64] | None = None, /) -> None:
        """Play every copy, or those listed, on to its next epoch; actions have shape [B, N].

        Calls for different copies may come from different threads at the same time.
        """

    def is_over(self) -> NDArray[np.bool_]:
        """Which copies are at the end of their episode. Shape [B]."""

    def metrics(self, b: int, /) -> Any:
        """The figures of copy ``b`` so far: a dataclass of numbers, or tuples or arrays of numbers."""


class Viewer(Protocol):
    """Draws snapshots, and shows them in a window."""

    def draw(self, snapshot: Any, /) -> NDArray[np.uint8]:
        """A picture. Shape [height, width, 3]."""

    def show(self, frame: NDArray[np.uint8], /) -> None:
        """Show a picture in a window."""

    def close(self) -> None:
        """Close the window, if there is one."""


class Turns(Protocol):
    """The turns of the present epoch in B copies of a simulation, N agents each.

    Choices are kept here until all who have a choice have made it; the simulation is then stepped with ``joint``.

    Attributes:
        chooser: whose turn it is in each copy, or -1 if all have chosen. Shape [B].
        joint: the actions so far; 0 for who has not chosen. Shape [B, N].
    """

    chooser: NDArray[np.integer[Any]]
    joint: NDArray[np.int64]

    def begin(self, copies: NDArray[np.int64], /) -> None:
        """Begin the turns of the present epoch in some copies; there are none where the episode is over."""

    def choose(self, copies: NDArray[np.int64], actions: NDArray[np.int64], /) -> None:
        """Let whose turn it is in some copies act, and call the next. ``actions``: of every copy, shape [B].

        An action that is masked holds, and counts as illegal.
        """

    def agent_arrays(self) -> Mapping[str, NDArray[Any]]:
        """What the infos hold for every agent, as those before it have chosen. By name, shape [B, N, …]."""

    def observation(self, b: int, agent: int, /) -> NDArray[np.float32]:
        """What an agent of copy ``b`` sees, as those before it have chosen. A new array, shape [F]."""


class CommonSettings(Protocol):
    """What the interfaces read of an environment's settings."""

    @property
    def strict(self) -> bool:
        """Whether a masked action raises instead of being counted as illegal."""


@dataclass(frozen=True)
class Provenance:
    """What an episode comes from besides the settings and the seed; a trace holds it.

    Attributes:
        data_checksum: of the data behind the scenario, such as its road network, as far as instances depend on them.
        other_data: what a scenario of the same name is said to be on where this checksum is another.
        file_checksums: by the name of each setting that names a file, the SHA-256 of that file as it was read.
        options: those of ``reset`` besides "instance", as they were checked.
    """

    data_checksum: str
    other_data: str
    file_checksums: Mapping[str, str]
    options: Mapping[str, Any]


AnySimulation = TypeVar("AnySimulation", bound=Simulation)
Instance = TypeVar("Instance")


class EnvironmentDefinition(ABC, Generic[AnySimulation, Instance]):
    """One environment as constructed, whatever its interface: everything in which it differs from others.

    Attributes:
        name: of the environment with its version, such as "csc_v0".
        reset_options: further options of ``reset``, by name the function that checks a value and returns it as `begin`
            gets it; it raises `ConfigError`. "instance" and "reset_mask" are there anyway.
        other_data: see `Provenance`.
        settings: checked, frozen; ``env.settings`` of every interface.
    """

    name: ClassVar[str]
    reset_options: ClassVar[Mapping[str, Callable[[object], Any]]] = {}
    other_data: ClassVar[str] = "other data"
    settings: CommonSettings

    @property
    @abstractmethod
    def agents(self) -> tuple[str, ...]:
        """The names of the N agents, in the order of the simulation's arrays."""

    @property
    @abstractmethod
    def is_reproducible(self) -> bool:
        """Whether settings and seed fix the episodes: neither generator nor reward strategy is the caller's own."""

    @abstractmethod
    def simulation(self, batch: int) -> AnySimulation:
        """Room for ``batch`` copies."""

    def room(self, batch: int) -> AnySimulation:
        """`simulation`, after a look at the memory that it takes.

        Raises:
            ConfigError: the copies do not fit into memory.
        """
        agents, width = len(self.agents), int(np.prod(self.observation_space().shape))
        needed = 4 * batch * agents * width
        what = f"{batch:,} copies of {agents:,} agents that see {width:,} numbers each"
        if needed > MOST_OBSERVATION_BYTES:
            raise ConfigError(
                f"{what} need {needed / 2**30:,.0f} GiB for observations; "
                f"at most {MOST_OBSERVATION_BYTES // 2**30} GiB are allowed"
            )
        try:
            return self.simulation(batch)
        except MemoryError:
            raise ConfigError(f"{what} do not fit into the memory of this machine") from None

    @abstractmethod
    def observation_space(self) -> gymnasium.spaces.Box:
        """What one agent sees. Shape [F]."""

    @abstractmethod
    def action_space(self) -> gymnasium.spaces.Discrete:
        """What one agent may do; actions count from 0."""

    @abstractmethod
    def state_space(self) -> gymnasium.spaces.Box:
        """What `global_state` is in."""

    @abstractmethod
    def metadata(self, simulation: AnySimulation) -> dict[str, Any]:
        """What ``metadata`` of every interface holds besides the usual: ``observation_layout`` and the like."""

    @abstractmethod
    def generate(self, seeds: InstanceSeeds) -> Instance:
        """A new instance, all its randomness drawn from ``seeds``."""

    def instance(self, seeds: EpisodeSeeds, benchmark: int | None) -> Instance:
        """The instance of the next episode, or the one of that number in the scenario's benchmark set."""
        return self.generate(InstanceSeeds.of(seeds.next() if benchmark is None else benchmark_sequence(benchmark)))

    def begin(self, simulation: AnySimulation, b: int, instance: Instance, options: Mapping[str, Any]) -> None:
        """Begin ``instance`` in copy ``b``.

        Args:
            simulation: the copies.
            b: which of them.
            instance: what to play.
            options: those of ``reset_options`` that the caller of ``reset`` gave, checked. None of them is given where
                a vector environment resets of itself.
        """
        simulation.reset_copy(b, instance)

    @abstractmethod
    def agent_arrays(self, simulation: AnySimulation) -> Mapping[str, NDArray[Any]]:
        """What the infos hold for every agent, by name: contiguous arrays of shape [B, N, …].

        ``action_mask``, int8 [B, N, actions], has to be among them. The simulation may write over them at its next
        step: the interfaces copy what they hand out.
        """

    def turns(self, simulation: AnySimulation) -> Turns:
        """The agents of an epoch one after the other.

        Raises:
            ConfigError: this environment has no turns.
        """
        raise ConfigError(f"{self.name} has no turns: its agents can only choose all at once")

    def chosen(self, simulation: AnySimulation, b: int, actions: NDArray[np.int64]) -> NDArray[np.int32]:
        """What the actions of copy ``b`` ask for at its present epoch: a candidate's number each, else -1. Shape [N].

        -1 where an action holds or is masked. Actions that hold come before those that take a candidate. Where infos
        have no ``candidates``, an action asks for its own number.
        """
        arrays = self.agent_arrays(simulation)
        mask = arrays[ACTION_MASK][b]
        own_numbers = np.tile(np.arange(mask.shape[1]), (len(mask), 1))  # [N, actions]
        candidates = arrays["candidates"][b] if "candidates" in arrays else own_numbers
        agents = np.arange(len(actions))
        place = actions - (mask.shape[1] - candidates.shape[1])
        taken = (place >= 0) & (mask[agents, actions] > 0)
        return np.where(taken, candidates[agents, np.maximum(place, 0)], -1).astype(np.int32)

    def legal(self, simulation: AnySimulation, actions: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which actions, of shape [B, N], the masks allow. Shape [B, N].

        This and `handed_out` are all that the vector environment does with arrays of the simulation, so a simulation
        whose arrays are not in the memory of the host needs a definition with these two of its own.
        """
        mask = self.agent_arrays(simulation)[ACTION_MASK]
        return np.take_along_axis(mask, actions[:, :, np.newaxis], axis=2)[:, :, 0] > 0

    def handed_out(self, array: NDArray[Any], copy: bool) -> NDArray[Any]:
        """An array of the simulation, [B, N, …], as the caller of ``step`` gets it: a row for each (copy, agent).

        Args:
            array: the observations, or one of `agent_arrays`.
            copy: hand out a copy; else a view that cannot be written to, since the next step builds on what is there.

        Returns:
            Shape [B N, …].
        """
        rows = array.reshape(-1, *array.shape[2:])
        if copy:
            return rows.copy()
        view = rows.view()
        view.flags.writeable = False
        return view

    def data_checksum(self, instance: Instance) -> str:
        """See `Provenance`."""
        return str(instance.checksum)  # type: ignore[attr-defined]

    @property
    def file_checksums(self) -> Mapping[str, str]:
        """See `Provenance`."""
        return {}

    @abstractmethod
    def write_rewards(self, simulation: AnySimulation, rewards: NDArray[np.float64]) -> None:
        """Write the rewards of the interval just played into ``rewards``, shape [B, N]."""

    @abstractmethod
    def global_state(self, simulation: AnySimulation, b: int) -> NDArray[np.float32]:
        """Copy ``b`` as one row, for centralised critics: a new array."""

    @abstractmethod
    def snapshot(self, simulation: AnySimulation, b: int) -> Any:
        """The complete state of copy ``b``, as copies: for pictures, logs and checks."""

    @abstractmethod
    def viewer(self, simulation: AnySimulation) -> Viewer:
        """What draws snapshots. Called when the first picture is asked for; heavy imports belong inside."""


def require_method(name: str, part: object | None, method: str) -> None:
    """Make sure that an object given in place of ours can do what it is for.

    Raises:
        ConfigError: ``part`` is there, but has no such method.
    """
    if part is not None and not callable(getattr(part, method, None)):
        raise ConfigError(f"{name} must be an object with a method {method!r}, got {part!r}")
