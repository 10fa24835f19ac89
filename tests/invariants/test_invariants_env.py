"""What `csc_v0` says about actions is what `step` does with them: every masked action refused, every other accepted.

The worlds are drawn on the roads of scenario "tiny", handed to the environment by a generator of its own.
"""

from typing import Any

import numpy as np
import pytest
from gymnasium.error import InvalidAction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from invariants.csc_playing import Moment
from invariants.search_effort import ordinary, thorough

from crowdgym.data.registry import load_dataset
from crowdgym.envs import csc_v0
from crowdgym.envs.core.seeding import InstanceSeeds
from crowdgym.envs.csc.instance import NUM_SKILLS, CscInstance

STEP_S = 10.0
MOST_WORKERS = 4
NODES = 12  # of the city's, so that places coincide now and then

jobs = st.tuples(
    st.integers(0, NODES - 1),  # node
    st.integers(0, 1),  # skill
    st.integers(0, 8),  # created, steps
    st.integers(1, 12),  # patience, steps
    st.integers(1, 8),  # work, steps
    st.integers(0, 100),  # payment
)
crew = st.tuples(st.integers(0, NODES - 1), st.sampled_from([(0, 1), (0,), (1,)]))
wishes = st.tuples(*[st.integers(0, 4)] * MOST_WORKERS)


def to_instance(workers: list[Any], tasks: list[Any]) -> CscInstance:
    """An instance on the roads of "tiny"."""
    node, skill, created, patience, work, payment = (np.array(column) for column in zip(*tasks, strict=True))
    able = np.zeros((len(workers), NUM_SKILLS), np.bool_)
    for w, (_, skills) in enumerate(workers):
        able[w, list(skills)] = True
    return CscInstance(
        network=load_dataset("tiny").network,
        worker_node=np.array([place for place, _ in workers], np.int32),
        worker_skills=able,
        task_node=node.astype(np.int32),
        task_skill=skill.astype(np.int8),
        created_s=created * STEP_S,
        expected_s=(created + patience / 2) * STEP_S,
        deadline_s=(created + patience) * STEP_S,
        workload_s=work * STEP_S,
        payment=payment.astype(np.float64),
    )


class NextInstance:
    """A generator that gives what it is told."""

    instance: CscInstance

    def generate(self, seeds: InstanceSeeds) -> CscInstance:
        return self.instance


class StrictMachine(RuleBasedStateMachine):
    """A strict environment and its masks."""

    env: Any
    infos: dict[str, Any]
    observations: dict[str, Any]

    @initialize(
        workers=st.lists(crew, min_size=1, max_size=MOST_WORKERS),
        tasks=st.lists(jobs, min_size=1, max_size=5),
        candidates=st.integers(1, 4),
        range_m=st.sampled_from([1500.0, 400.0, 0.0]),
        horizon_s=st.sampled_from([25 * STEP_S, 4.5 * STEP_S, 0.5 * STEP_S]),
        reward=st.sampled_from(["contribution", "team", "individual", "marginal", "difference"]),
    )
    def begin(self, workers: Any, tasks: Any, candidates: int, range_m: float, horizon_s: float, reward: str) -> None:
        self.generator = NextInstance()
        self.env = csc_v0.parallel_env(
            scenario="tiny",
            num_workers=len(workers),
            num_tasks=len(tasks),
            max_candidates=candidates,
            range_m=range_m,
            horizon_s=horizon_s,
            step_s=STEP_S,
            reward=reward,
            strict=True,
            generator=self.generator,
        )
        self.reset(to_instance(workers, tasks))

    def reset(self, instance: CscInstance) -> None:
        self.generator.instance = instance
        self.observations, self.infos = self.env.reset()
        self.earned = 0.0

    def episode_goes_on(self) -> bool:
        return bool(self.env.agents)

    def step(self, actions: dict[str, int]) -> None:
        before = self.env.metrics
        self.observations, earned, _, truncations, self.infos = self.env.step(actions)
        revenue = self.env.metrics.revenue - before.revenue
        if self.env.settings.reward == "individual":
            assert all(
                (reward > 0) == (action > 0) for reward, action in zip(earned.values(), actions.values(), strict=True)
            )
        elif self.env.settings.reward == "marginal":  # at the join, so that only an episode sums to its revenue
            assert all(reward >= -1e-9 for reward in earned.values())
            assert all(action > 0 for agent, action in actions.items() if earned[agent] != 0)
            self.earned += sum(earned.values())
            assert self.env.agents or self.earned == pytest.approx(self.env.metrics.revenue, rel=1e-9, abs=1e-9)
        elif self.env.settings.reward == "difference":
            assert all(-1e-9 <= reward <= revenue + 1e-9 for reward in earned.values())
        else:
            assert sum(earned.values()) == pytest.approx(revenue, rel=1e-9, abs=1e-9)
        assert set(truncations.values()) == {not self.env.agents}
        assert all(("metrics" in info) == (not self.env.agents) for info in self.infos.values())

    @precondition(episode_goes_on)
    @rule(wished=wishes)
    def everyone_takes_what_it_may(self, wished: tuple[int, ...]) -> None:
        """No action that the mask allows is refused."""
        most = {agent: int(info["action_mask"].sum()) - 1 for agent, info in self.infos.items()}
        self.step({agent: min(wish, most[agent]) for agent, wish in zip(self.env.agents, wished, strict=False)})
        assert self.env.metrics.illegal == 0

    @precondition(episode_goes_on)
    @rule()
    def everyone_holds(self) -> None:
        self.step(dict.fromkeys(self.env.agents, 0))

    @precondition(episode_goes_on)
    @rule(wished=wishes)
    def every_masked_action_is_refused(self, wished: tuple[int, ...]) -> None:
        """Whatever the others do: the agent and the action are named, and no bit has changed."""
        masks = [info["action_mask"] for info in self.infos.values()]
        others = [min(wish, int(mask.sum()) - 1) for wish, mask in zip(wished, masks, strict=False)]
        before, agents = Moment.of(self.env._simulation), list(self.env.agents)
        for w, agent in enumerate(agents):
            for action in np.flatnonzero(masks[w] == 0):
                joint = dict(zip(agents, others, strict=True)) | {agent: int(action)}
                with pytest.raises(InvalidAction, match=rf"^{agent} may not take action {action} now; legal: 0"):
                    self.env.step(joint)
        assert before.changes(Moment.of(self.env._simulation)) == set()
        assert self.env.agents == agents

    @precondition(episode_goes_on)
    @rule(action=st.sampled_from([-1, 5, 128, 2**31, 2**63]), w=st.integers(0, MOST_WORKERS - 1))
    def an_action_outside_the_space_is_refused(self, action: int, w: int) -> None:
        before, agent = Moment.of(self.env._simulation), self.env.agents[w % len(self.env.agents)]
        with pytest.raises(InvalidAction, match=rf"^the action of {agent} must be .*, got {action}$"):
            self.env.step(dict.fromkeys(self.env.agents, 0) | {agent: action})
        assert before.changes(Moment.of(self.env._simulation)) == set()

    @rule(data=st.data())
    def another_episode(self, data: st.DataObject) -> None:
        workers, tasks = len(self.env.possible_agents), self.env.settings.num_tasks
        drawn_workers = data.draw(st.lists(crew, min_size=workers, max_size=workers))
        self.reset(to_instance(drawn_workers, data.draw(st.lists(jobs, min_size=tasks, max_size=tasks))))
        assert self.env.agents == self.env.possible_agents
        assert vars(self.env.metrics) == {"revenue": 0, "completed": 0, "expired": 0, "travel_m": 0, "illegal": 0}

    @invariant()
    def everything_handed_out_is_within_its_space(self) -> None:
        for agent, observation in self.observations.items():
            assert self.env.observation_space(agent).contains(observation)
        assert self.env.state_space.contains(self.env.state())

    @invariant()
    def masks_and_candidates_are_one(self) -> None:
        """Slots 1 to n are legal and name n different tasks; a worker that is not idle has none."""
        idle = self.env.snapshot().worker_status == 0
        for w, info in enumerate(self.infos.values()):
            mask, named = info["action_mask"], info["candidates"]
            found = int(mask.sum()) - 1
            assert mask.tolist() == [1] * (1 + found) + [0] * (len(mask) - 1 - found)
            assert named[found:].tolist() == [-1] * (len(named) - found)
            assert len(set(named[:found].tolist())) == found
            assert found == 0 or idle[w]


TestStrictMachine = StrictMachine.TestCase
TestStrictMachine.settings = ordinary(examples=40, steps=12)


@pytest.mark.slow
class TestStrictMachineForLong(StrictMachine.TestCase):  # type: ignore[misc,name-defined]
    settings = thorough(examples=2_000, steps=40)
