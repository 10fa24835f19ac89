"""Records an episode while it is played. `crowdgym.traces.replaying` plays a recorded one again."""

import json
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.errors import TraceError
from crowdgym.envs.api.actions import joint_action
from crowdgym.traces.format import FORMAT, FORMAT_VERSION, Trace, TraceHeader
from crowdgym.traces.quantities import flat_metrics, observe_quantities, quantities_of


class TraceRecorder:
    """Wraps an environment and records the episode that is played. Everything else is passed to the environment.

    Example:
        >>> env = TraceRecorder(csc_v0.parallel_env(scenario="tiny"), agent="greedy")
        >>> observations, infos = env.reset(seed=1)
        >>> ...
        >>> write_trace(Path("episode.trace"), env.trace())
    """

    def __init__(self, env: Any, agent: str) -> None:
        self._env = env
        self._agent = agent
        self._actions: list[NDArray[np.integer[Any]]] = []
        most = int(env.action_space(env.possible_agents[0]).n) - 1
        self._action_kind = next(kind for kind in (np.int8, np.int16, np.int32) if most <= np.iinfo(kind).max)
        self._rows: list[dict[str, NDArray[Any]]] = []
        self._seed: int | None = None
        self._instance: int | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._env, name)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Begin an episode and its recording. ``seed`` or ``options["instance"]`` must be given.

        Raises:
            TraceError: neither is given, so the episode could not be replayed.
        """
        observations, infos = self._env.reset(seed=seed, options=options)  # checks both
        instance = None if options is None else options.get("instance")
        if seed is None and instance is None:
            raise TraceError("an episode to be recorded needs a seed or an instance: reset was called without either")
        self._seed, self._instance = (None if number is None else int(number) for number in (seed, instance))
        agents = len(self._env.possible_agents)
        self._actions = []
        no_choice = np.full(agents, -1, np.int32)
        self._rows = [observe_quantities(self._env, observations, no_choice, [0.0] * agents)]
        return observations, infos

    def step(self, actions: dict[str, int]) -> tuple[Any, Any, Any, Any, Any]:
        """Play and record a step."""
        agents = list(self._env.agents)
        joint = joint_action(actions, agents, self._env.action_space(agents[0])) if agents else np.zeros(0, np.int64)
        chosen = self._env.chosen(actions) if agents else np.zeros(0, np.int32)
        result: tuple[Any, Any, Any, Any, Any] = self._env.step(actions)
        observations, rewards = result[:2]
        self._actions.append(joint.astype(self._action_kind))
        self._rows.append(observe_quantities(self._env, observations, chosen, list(rewards.values())))
        return result

    def trace(self) -> Trace:
        """The trace of the episode since ``reset``.

        Raises:
            TraceError: nothing is recorded, or the environment has a custom reward or generator, which no file holds.
        """
        env = self._env
        if not self._rows:
            raise TraceError("nothing has been recorded yet: call reset first")
        if not env.is_reproducible:
            raise TraceError("an environment with a generator or reward of its own cannot be played from a file")
        provenance = env.provenance
        header = TraceHeader(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            env=env.metadata["name"],
            settings=env.settings.model_dump(mode="json"),
            seed=self._seed,
            instance=self._instance,
            options=json.loads(json.dumps(dict(provenance.options))),  # as a file would give them back
            road_checksum=provenance.data_checksum,
            files=dict(provenance.file_checksums),
            agent=self._agent,
            written_with={name: version(name) for name in ("crowdgym", "numpy", "numba")},
            steps=len(self._actions),
            agents=tuple(env.possible_agents),
            quantities=quantities_of(env),
            metrics=flat_metrics(env.metrics),
        )
        empty = np.zeros((0, len(env.possible_agents)), self._action_kind)
        actions = np.stack(self._actions) if self._actions else empty
        return Trace(header, actions, {name: np.stack([row[name] for row in self._rows]) for name in self._rows[0]})
