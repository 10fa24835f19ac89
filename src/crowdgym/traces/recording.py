"""Recording an episode as it is played, and playing a recorded one again."""

from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

import crowdgym
from crowdgym.envs.faces.actions import joint_action
from crowdgym.traces.format import FORMAT, FORMAT_VERSION, Trace, TraceError, TraceHeader
from crowdgym.traces.quantities import flat_metrics, observe_quantities, quantities_of


class TraceRecorder:
    """An environment that records the episode being played; otherwise it is the one it wraps.

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
        self._action_kind = np.int8 if most <= np.iinfo(np.int8).max else np.int32
        self._rows: list[dict[str, NDArray[Any]]] = []
        self._infos: dict[str, dict[str, Any]] = {}
        self._seed: int | None = None
        self._instance: int | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._env, name)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Begin an episode and its recording. ``seed`` or ``options["instance"]`` has to fix it.

        Raises:
            TraceError: neither does, so that nobody could play the episode again.
        """
        self._instance = (options or {}).get("instance")
        if seed is None and self._instance is None:
            raise TraceError("an episode to be recorded needs a seed or an instance: reset was called without either")
        self._seed = None if seed is None else int(seed)
        observations, infos = self._env.reset(seed=seed, options=options)
        agents = len(self._env.possible_agents)
        self._actions, self._infos = [], infos
        nobody = np.full(agents, -1, np.int32)
        self._rows = [observe_quantities(self._env, observations, nobody, [0.0] * agents)]
        return observations, infos

    def step(self, actions: dict[str, int]) -> tuple[Any, Any, Any, Any, Any]:
        """Play and record a step."""
        agents = list(self._env.agents)
        joint = joint_action(actions, agents, self._env.action_space(agents[0])) if agents else np.zeros(0, np.int64)
        taken = zip(agents, joint.tolist(), strict=True)
        chosen = np.array([_chosen(self._infos[agent], action) for agent, action in taken], np.int32)
        result: tuple[Any, Any, Any, Any, Any] = self._env.step(actions)
        observations, rewards, _, _, self._infos = result
        self._actions.append(joint.astype(self._action_kind))
        self._rows.append(observe_quantities(self._env, observations, chosen, list(rewards.values())))
        return result

    def trace(self) -> Trace:
        """What has been recorded since ``reset``.

        Raises:
            TraceError: nothing has, or the environment has a reward or generator of its own that no file can hold.
        """
        env = self._env
        if not self._rows:
            raise TraceError("nothing has been recorded yet: call reset first")
        if not env.is_reproducible:
            raise TraceError("an environment with a generator or reward of its own cannot be played from a file")
        header = TraceHeader(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            env=env.metadata["name"],
            settings=env.settings.model_dump(mode="json"),
            seed=self._seed,
            instance=self._instance,
            road_checksum=_checksum(env.instance),
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


def replay(trace: Trace) -> Trace:
    """Play the actions of a trace again, from its settings and seed alone, and record what happens.

    Raises:
        TraceError: its environment, scenario or road network is not to be had here.
    """
    env = make_environment(trace)
    recorder = TraceRecorder(env, trace.header.agent)
    options = None if trace.header.instance is None else {"instance": trace.header.instance}
    recorder.reset(seed=trace.header.seed, options=options)
    for joint in trace.actions:
        if not env.agents:
            break
        recorder.step(dict(zip(trace.header.agents, joint.tolist(), strict=True)))
    return recorder.trace()


def make_environment(trace: Trace) -> Any:
    """The environment that a trace was recorded in; any fault becomes a `TraceError`."""
    header = trace.header
    try:
        env = crowdgym.make(header.env, **{**header.settings, "strict": False})
    except ValueError as error:
        raise TraceError(f"the environment of the trace cannot be made here: {error}") from error
    if tuple(env.possible_agents) != header.agents:
        raise TraceError(
            f"the trace has {len(header.agents)} agents, {header.env} with its settings {env.max_num_agents}: "
            "expected the same"
        )
    env.reset(seed=0)
    checksum = _checksum(env.instance)
    if checksum != header.road_checksum:
        raise TraceError(
            f"the trace was recorded on {_ground(env.instance)} than {header.settings['scenario']!r} is here: "
            f"checksum {header.road_checksum[:12]}…, here {checksum[:12]}…"
        )
    return env


def _chosen(info: dict[str, Any], action: int) -> int:
    """The candidate that an action takes, or -1 where it takes none: actions that hold come before all others."""
    candidate = action - (len(info["action_mask"]) - len(info["candidates"]))
    return int(info["candidates"][candidate]) if candidate >= 0 and info["action_mask"][action] else -1


def _checksum(instance: Any) -> str:
    """Of the road network that an instance is on, or of what it has in place of one."""
    network = getattr(instance, "network", None)
    return str(instance.checksum if network is None else network.road_checksum)


def _ground(instance: Any) -> str:
    return "another road network" if hasattr(instance, "network") else "other data"
