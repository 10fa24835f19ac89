"""Collaborative spatial crowdsourcing as a PettingZoo parallel environment. See `CscEnv`."""

from typing import Any, ClassVar, Literal, Unpack, cast

import gymnasium
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from crowdgym.configs.csc import CscKeywords
from crowdgym.configs.errors import ConfigError
from crowdgym.envs.core.actions import joint_action
from crowdgym.envs.core.seeding import EpisodeSeeds, InstanceSeeds, benchmark_sequence, requested_instance
from crowdgym.envs.csc.generator import InstanceGenerator
from crowdgym.envs.csc.global_state import global_state, state_width
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.csc.parts import CscParts
from crowdgym.envs.csc.reward import RewardStrategy
from crowdgym.envs.csc.simulation import Metrics
from crowdgym.envs.csc.snapshot import CscSnapshot

Agent = str
Observation = NDArray[np.float32]
Info = dict[str, Any]
RenderMode = Literal["human", "rgb_array"]
RENDER_MODES: tuple[RenderMode, ...] = ("human", "rgb_array")


class CscEnv(ParallelEnv[Agent, Observation, int]):
    """Collaborative spatial crowdsourcing (CSC): several workers share one task; every worker is an agent.

    ## Description
    Tasks appear on a city's road network, each with a place, one required skill, a workload in worker-seconds, an
    expected time, a deadline and a payment that falls once the expected time is past. Workers drive along shortest
    paths, and any number of them may join a task: it finishes when its workload is done, at the exact time, and the
    platform earns its payment. The goal is the platform's revenue. The setting is that of Chen et al., "Credit
    Assignment and Fine-Tuning Enhanced Reinforcement Learning for Collaborative Spatial Crowdsourcing" (IJCAI 2025);
    ``docs/csc_dynamics.md`` states the dynamics to the last tie.

    ## Action Space
    ``Discrete(K + 1)``, K = ``max_candidates``. 0 holds; i takes the i-th candidate, the candidates being the K open
    tasks nearest by road within ``range_m`` whose skill the worker has, ties by task id. A worker that is not idle can
    only hold. ``infos[agent]["action_mask"]`` says what is legal. Anything else holds and counts as illegal, or raises
    if ``strict``; an action outside the space always raises.

    ## Observation Space
    ``Box(-1, 1, (F,), float32)``: the five sets of the paper as one row. ``metadata["observation_layout"]`` gives for
    each set its ``start``, ``stop``, ``shape`` (rows, columns), the ``features`` of a row and their ``units`` (what a 1
    stands for). Every row but that of the worker itself begins with a flag that says whether there is anything in it.

    | set | rows | what |
    |---|---|---|
    | ``w_self`` | 1 | place, state, time, skills |
    | ``own_task`` | 1 | the task it travels to or works at (part of the paper's w_self) |
    | ``T_optional`` | K | the candidates, in the order of the actions; distance by road |
    | ``T_near`` | 5 | nearest open tasks, whatever their skill; straight line |
    | ``W_near`` | 5 | nearest workers |
    | ``W_idle`` | 5 | nearest idle workers |

    ``state()`` is every worker and every created task in one row, for centralised critics.

    ## Starting State
    All randomness is drawn at ``reset``: tasks are orders of the scenario's dataset in a window of the day, workers
    start at places of orders. ``reset(seed=k)`` fixes the episode and those that follow;
    ``reset(options={"instance": k})`` plays the k-th instance of the scenario's benchmark set, whatever the seed.

    ## Rewards
    ``contribution``: the payment of a task finished in the interval, split among its workers by worker-seconds.
    ``team``: the revenue of the interval divided by the number of workers, for everyone. ``individual``: the remaining
    working time of the task just taken (the paper's IR). Give a ``reward_strategy`` of your own instead.

    ## Episode End
    All agents are truncated together at ``horizon_s``; none is ever terminated.

    ## Information
    ``infos[agent]`` has ``action_mask`` (int8, [K + 1]) and ``candidates`` (int32, [K]: the task ids behind the
    actions, -1 for none); after the last step also ``metrics``: revenue, completed, expired, travel_m, illegal.

    ## Arguments
    ```python
    env = csc_v0.parallel_env(scenario="haikou-synth", num_workers=200, num_tasks=200, render_mode=None)
    ```
    Everything of `crowdgym.configs.csc.CscSettings`, by name; defaults in ``configs/envs/csc_v0.yaml``. Besides:
    ``render_mode`` ("human", "rgb_array" or None), ``generator`` and ``reward_strategy`` (objects in place of ours).

    ## Version History
    * v0: initial version
    """

    metadata: dict[str, Any]
    name: ClassVar[str] = "csc_v0"

    def __init__(
        self,
        *,
        render_mode: RenderMode | None = None,
        generator: InstanceGenerator | None = None,
        reward_strategy: RewardStrategy | None = None,
        **keywords: Unpack[CscKeywords],
    ) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise ConfigError(f"render_mode must be one of {', '.join(RENDER_MODES)} or None, got {render_mode!r}")
        self._parts = CscParts.of(keywords, generator, reward_strategy)
        self.settings = self._parts.settings
        self.render_mode = render_mode
        self._simulation = self._parts.simulation(batch=1)
        self._seeds = EpisodeSeeds()
        self._instance: CscInstance | None = None
        self._rewards = np.zeros((1, self.settings.num_workers))
        self._viewer: Any = None

        self.possible_agents = [f"worker_{w}" for w in range(self.settings.num_workers)]
        self.agents: list[Agent] = []
        self._observation_space = self._parts.observation_space()
        self._action_space = self._parts.action_space()
        width = state_width(self.settings.num_workers, self.settings.num_tasks)
        self.state_space = gymnasium.spaces.Box(-1.0, 1.0, (width,), np.float32)
        self.metadata = {
            "name": self.name,
            "render_modes": list(RENDER_MODES),
            "render_fps": 5,
            "is_parallelizable": True,
            "observation_layout": self._parts.observation_layout(self._simulation),
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
            ConfigError: an option that does not exist, an instance that is not a whole number, or a negative seed.
        """
        instance = requested_instance(options)
        if seed is not None:
            self._seeds.restart(seed)
        sequence = self._seeds.next() if instance is None else benchmark_sequence(instance)
        self._instance = self._parts.generator.generate(InstanceSeeds.of(sequence))
        self._simulation.use_fresh_observations()
        self._simulation.reset_copy(0, self._instance)
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
        """
        if not self.agents:
            began = "the episode is over" if self._instance is not None else "no episode has begun"
            raise ResetNeeded(f"step was called, but {began}: call reset first")
        joint = joint_action(actions, self.agents, self._action_space)
        if self.settings.strict:
            self._refuse_illegal(joint)
        self._simulation.use_fresh_observations()
        self._simulation.step(joint[np.newaxis])
        self._parts.reward_strategy.write(self._simulation.state.epoch, self._rewards)

        agents = self.agents
        over = bool(self._simulation.is_over()[0])
        observations, infos = self._observations(), self._infos()
        if over:
            metrics = {**vars(self.metrics)}
            for info in infos.values():
                info["metrics"] = metrics.copy()
            self.agents = []
        return (
            observations,
            dict(zip(agents, self._rewards[0].tolist(), strict=True)),
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, over),
            infos,
        )

    @property
    def is_reproducible(self) -> bool:
        """Whether the settings and a seed are all it takes: no generator or reward strategy of somebody's own."""
        return self._parts.is_reproducible

    @property
    def metrics(self) -> Metrics:
        """What the episode has come to so far."""
        return self._simulation.metrics(0)

    @property
    def instance(self) -> CscInstance:
        """The instance being played.

        Raises:
            ResetNeeded: before the first ``reset``.
        """
        if self._instance is None:
            raise ResetNeeded("there is no instance yet: call reset first")
        return self._instance

    def snapshot(self) -> CscSnapshot:
        """Everything there is to know about the present moment: for pictures, logs and checks, not for policies.

        Raises:
            ResetNeeded: before the first ``reset``.
        """
        if self._instance is None:
            raise ResetNeeded("there is nothing to see yet: call reset first")
        return CscSnapshot.of(self._simulation, 0)

    def state(self) -> NDArray[np.float32]:
        """Every worker and every created task in one row; see ``state_space``.

        Raises:
            ResetNeeded: before the first ``reset``.
        """
        if self._instance is None:
            raise ResetNeeded("there is no state yet: call reset first")
        return global_state(self._simulation, 0)

    def render(self) -> NDArray[np.uint8] | None:
        """A picture of the present moment, [height, width, 3], or a window that shows it, by ``render_mode``."""
        if self.render_mode is None:
            gymnasium.logger.warn("render was called, but render_mode is None: give one to the constructor")
            return None
        from crowdgym.envs.csc.viewer import CscViewer

        if self._viewer is None:
            self._viewer = CscViewer(self._simulation.network, title=f"{self.name} · {self.settings.scenario}")
        frame = cast("NDArray[np.uint8]", self._viewer.draw(self.snapshot()))
        if self.render_mode == "human":
            self._viewer.show(frame)
            return None
        return frame

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None

    def _observations(self) -> dict[Agent, Observation]:
        return dict(zip(self.agents, self._simulation.observations[0], strict=True))

    def _infos(self) -> dict[Agent, Info]:
        epoch = self._simulation.state.epoch
        rows = zip(self.agents, epoch.mask[0].copy(), epoch.candidates[0].copy(), strict=True)
        return {agent: {"action_mask": mask, "candidates": candidates} for agent, mask, candidates in rows}

    def _refuse_illegal(self, joint: NDArray[np.int64]) -> None:
        mask = self._simulation.state.epoch.mask[0]
        legal = mask[np.arange(len(joint)), joint]
        if not legal.all():
            w = int(np.flatnonzero(legal == 0)[0])
            allowed = ", ".join(map(str, np.flatnonzero(mask[w])))
            raise InvalidAction(f"{self.agents[w]} may not take action {joint[w]} now; legal: {allowed}")
