"""Turns of `csc_v0`: what each worker sees and may do, the same episode as all at once, and the rules of `agents`."""

import warnings
from typing import Any

import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from pettingzoo.test import api_test
from reference.csc_arrays import to_world
from reference.csc_instance import ReferenceInstance
from reference.hand_worlds import a_task, a_world
from reference.random_worlds import Flavour, random_world

from crowdgym.agents.csc import turns as rules
from crowdgym.agents.csc.pau_game import HOLD, Coalitions, Game, commit
from crowdgym.common.errors import ConfigError
from crowdgym.envs import csc_v0, dasc_v0
from crowdgym.envs.csc.kernel.features import TASK
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.kernel.state import TaskStatus, WorkerStatus
from crowdgym.envs.csc.turns import CscTurns
from crowdgym.traces import TraceRecorder, compare, replay

TINY: dict[str, Any] = {"scenario": "tiny", "horizon_s": 1500.0}
COPY = np.zeros(1, np.int64)


def begin(world: ReferenceInstance) -> tuple[CscSimulation, CscTurns]:
    arrays = to_world(world)
    simulation = CscSimulation(arrays.instance.network, arrays.settings, 1, ("gain",))
    simulation.reset_copy(0, arrays.instance)
    turns = CscTurns(simulation)
    turns.begin(COPY)
    return simulation, turns


def mask(turns: CscTurns, w: int) -> list[int]:
    return [int(legal) for legal in turns.agent_arrays()["action_mask"][0, w]]


def gains(turns: CscTurns, w: int, name: str = "gain") -> list[float]:
    return [float(gain) for gain in turns.agent_arrays()[name][0, w]]


def choose(turns: CscTurns, action: int) -> None:
    turns.choose(COPY, np.array([action]))


# ---- by hand: 0 --100-- 1 --100-- 2 --100-- 3, 10 s a road, a task pays 90, 1 % less for each second late ----


def test_the_largest_gain_comes_first_and_a_join_that_adds_nothing_is_masked() -> None:
    """τ0 at 1: w1 on the spot is done at 30 s, in time; w0 from 0 at 40 s, 5 s late. After w1, w0 adds nothing."""
    _, turns = begin(a_world([0, 1], [a_task(1, 30.0, expected_s=35.0)], max_candidates=1))
    assert turns.chooser.tolist() == [1]
    assert (gains(turns, 0), gains(turns, 1)) == ([pytest.approx(85.5)], [90.0])
    choose(turns, 1)
    assert turns.chooser.tolist() == [-1]
    assert mask(turns, 0) == [1, 0]
    assert turns.joint.tolist() == [[0, 1]]


def test_if_the_first_holds_the_second_may_join() -> None:
    _, turns = begin(a_world([0, 1], [a_task(1, 30.0, expected_s=35.0)], max_candidates=1))
    choose(turns, 0)
    assert turns.chooser.tolist() == [0]
    assert mask(turns, 0) == [1, 1]
    choose(turns, 1)
    assert turns.joint.tolist() == [[1, 0]]


def test_two_who_are_worth_something_only_together_are_a_pair() -> None:
    """30 s of work within 20 s: alone too late; w0 and w1 are done at 15 s. w2 is the third: its partner is w0."""
    world = a_world([1, 1, 1], [a_task(1, 30.0, expected_s=20.0, deadline_s=20.0)], max_candidates=1)
    _, turns = begin(world)
    for w in (0, 1, 2):
        assert (gains(turns, w), gains(turns, w, "pair_gain"), mask(turns, w)) == ([0.0], [90.0], [1, 1])
    choose(turns, 1)
    assert turns.chooser.tolist() == [1]
    assert (gains(turns, 1), gains(turns, 2)) == ([90.0], [90.0])
    choose(turns, 1)
    assert turns.chooser.tolist() == [-1]  # w2 adds nothing, and no partner waits


def test_one_alone_that_would_be_too_late_is_not_asked() -> None:
    _, turns = begin(a_world([1], [a_task(1, 30.0, expected_s=20.0, deadline_s=20.0)]))
    assert turns.chooser.tolist() == [-1]


def test_of_equal_gains_who_is_idle_for_longest_comes_first() -> None:
    """w0 is idle since 5 s, having done τ0; w1 since the start. Both would do τ1 or τ2 on the spot."""
    tasks = [a_task(1, 5.0), a_task(1, 60.0, created_s=5.0), a_task(2, 60.0, created_s=5.0)]
    simulation, turns = begin(a_world([1, 2], tasks))
    assert turns.chooser.tolist() == [0]
    simulation.step(np.array([[1, 0]]))
    turns.begin(COPY)
    assert turns.chooser.tolist() == [1]


def test_a_worker_sees_those_who_chose_before_it_as_on_their_way() -> None:
    """30 s of work, expected after 20 s: two are worth more than one."""
    simulation, turns = begin(a_world([1, 1], [a_task(1, 30.0, expected_s=20.0)]))
    before = turns.observation(0, 1)
    assert before.tolist() == simulation.observations[0, 1].tolist()
    choose(turns, 1)
    changed = np.flatnonzero(turns.observation(0, 1) != before)
    layout = csc_v0.parallel_env(scenario="tiny").metadata["observation_layout"]
    column = TASK.workers_en_route
    assert changed.tolist() == [layout["T_optional"]["start"] + column, layout["T_near"]["start"] + column]
    assert turns.observation(0, 1)[changed].tolist() == [np.float32(0.1)] * 2


def test_nothing_is_worth_a_turn_that_is_done_after_the_horizon() -> None:
    assert begin(a_world([1], [a_task(1, 30.0)], horizon_s=29.0))[1].chooser.tolist() == [-1]
    assert begin(a_world([1], [a_task(1, 30.0)], horizon_s=30.0))[1].chooser.tolist() == [0]


# ---- the same rules as on the agents' side, which works them out by itself ----


def players_of(simulation: CscSimulation) -> list[int]:
    """Who is idle and has a candidate, idle for longest first."""
    workers, candidates = simulation.state.workers, simulation.state.output.candidates
    order = np.argsort(workers.free_s[0], kind="stable").tolist()
    return [w for w in order if workers.status[0, w] == WorkerStatus.IDLE and candidates[0, w, 0] >= 0]


def game_of(simulation: CscSimulation, players: list[int]) -> tuple[Game, Coalitions]:
    """The state of the world as a game, in times of the clock."""
    workers, tasks, now_s = simulation.state.workers, simulation.state.tasks, simulation.now_s(0)
    opened = np.flatnonzero(tasks.status[0] == TaskStatus.OPEN)
    candidates = simulation.state.output.candidates[0, players].astype(np.int64)
    ids = np.intersect1d(candidates, opened)
    task = np.where(candidates >= 0, np.searchsorted(ids, candidates), -1)
    position = simulation.state.distances.position[workers.node[0, players]]
    units = simulation.state.distances.to_tasks[0][position[:, None], np.maximum(candidates, 0)]
    arrival_s = now_s + units * (simulation.network.unit_m / simulation.settings.speed_mps)
    done_s = tasks.present[0, ids] * (now_s - tasks.since_s[0, ids])
    game = Game(
        task=task,
        arrival_s=arrival_s,
        work_left_s=np.maximum(0.0, tasks.work_left_s[0, ids] - done_s),
        expected_s=tasks.expected_s[0, ids],
        deadline_s=np.minimum(tasks.deadline_s[0, ids], simulation.settings.horizon_s),
        payment=tasks.payment[0, ids],
        penalty_per_s=np.full(len(ids), simulation.settings.penalty_per_s),
    )
    under_way = np.isin(workers.status[0], (WorkerStatus.TRAVELLING, WorkerStatus.WORKING))
    busy = np.flatnonzero(under_way & np.isin(workers.task[0], ids))
    coalitions = Coalitions.empty(len(ids), simulation.settings.num_workers)
    committed_s = np.maximum(workers.arrive_s[0, busy], now_s)
    commit(game, coalitions, np.searchsorted(ids, workers.task[0, busy]), committed_s)
    return game, coalitions


@pytest.mark.parametrize("flavour", [Flavour.ORDINARY, Flavour.CROWD, Flavour.START_AT_TASKS])
def test_order_masks_and_gains_are_those_of_the_rules_on_the_side_of_agents(flavour: Flavour) -> None:
    rng, compared = np.random.default_rng(list(Flavour).index(flavour)), 0
    for _ in range(4):
        simulation, turns = begin(random_world(rng, flavour))
        while not simulation.is_over()[0]:
            if players := players_of(simulation):
                compared += play_turns(turns, rules.start_turns(*game_of(simulation, players)), players, rng)
            simulation.step(turns.joint)
            turns.begin(COPY)
    assert compared > 10


def play_turns(turns: CscTurns, expected: rules.Turns, players: list[int], rng: np.random.Generator) -> int:
    """One epoch of random choices on both sides. Returns the number of choices."""
    count = 0
    while True:
        for player, w in enumerate(players):
            if expected.waiting[player]:
                assert mask(turns, w)[1:] == expected.legal[player].tolist()
                assert gains(turns, w) == pytest.approx(expected.alone[player].tolist(), rel=1e-9, abs=1e-7)
                assert gains(turns, w, "pair_gain") == pytest.approx(expected.together[player].tolist(), abs=1e-7)
        player = rules.next_player(expected)
        if player == rules.NO_PLAYER:
            assert turns.chooser.tolist() == [-1]
            return count
        assert turns.chooser.tolist() == [players[player]]
        action = int(rng.choice([0, *(1 + np.flatnonzero(expected.legal[player]))]))
        choose(turns, action)
        rules.apply_choice(expected, player, action - 1 if action else HOLD)
        count += 1


# ---- agent by agent ----


def test_pettingzoo_aec_api() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # as for the form without turns
        api_test(csc_v0.env(**TINY, turns=True), num_cycles=100)


def largest_gain(info: dict[str, Any]) -> int:
    gain = np.maximum(info["gain"], 0.5 * info["pair_gain"])
    return 1 + int(np.where(info["action_mask"][1:] > 0, gain, -np.inf).argmax())


@pytest.mark.parametrize("reward", ["contribution", "marginal", "difference"])
def test_turn_by_turn_is_to_the_bit_the_joint_action_that_the_choices_add_up_to(reward: str) -> None:
    from crowdgym.envs.api.turn_env import TurnEnv

    recorder = TraceRecorder(csc_v0.parallel_env(**TINY, reward=reward, infos=("gain",)), agent="")
    env = TurnEnv(recorder)
    env.reset(seed=3)
    earned = dict.fromkeys(env.possible_agents, 0.0)
    for agent in env.agent_iter():
        _, reward_so_far, _, over, info = env.last()
        earned[agent] += reward_so_far
        env.step(None if over else largest_gain(info))
    trace = recorder.trace()
    assert trace.header.metrics["completed"] > 5
    assert trace.header.metrics["illegal"] == 0
    assert compare(trace, replay(trace)) is None
    assert list(earned.values()) == pytest.approx(trace.values["reward"].sum(axis=0).tolist())


def test_in_turn_every_worker_that_acts_has_a_join_and_the_others_hold() -> None:
    env = csc_v0.env(**TINY, turns=True, strict=True)
    env.reset(seed=3)
    acted = 0
    for agent in env.agent_iter():
        observation, _, _, over, info = env.last()
        assert env.observation_space(agent).contains(observation)
        if not over:
            assert info["action_mask"][1:].any()
            acted += 1
        env.step(None if over else int(np.flatnonzero(info["action_mask"])[-1]))
    assert 10 < acted < 300  # of 12 workers at 25 epochs


def test_a_masked_action_holds_and_counts_as_illegal_or_raises_if_strict() -> None:
    for strict in (False, True):
        env = csc_v0.raw_env(**TINY, turns=True, strict=strict)
        env.reset(seed=3)
        agent = env.agent_selection
        masked = int(np.flatnonzero(env.infos[agent]["action_mask"] == 0)[-1])
        if strict:
            with pytest.raises(InvalidAction, match=rf"{agent} may not take action {masked} in its turn; legal: 0, "):
                env.step(masked)
        else:
            env.step(masked)
            assert env.metrics.illegal == 1
    with pytest.raises(InvalidAction, match=rf"the action of {agent} must be a whole number from 0 to 10, got 11"):
        env.step(11)


def test_a_turn_before_reset_raises() -> None:
    with pytest.raises(ResetNeeded, match="call reset first"):
        csc_v0.raw_env(**TINY, turns=True).step(0)


def test_an_environment_without_turns_says_so() -> None:
    with pytest.raises(ConfigError, match="dasc_v0 has no turns: its agents can only choose all at once"):
        dasc_v0.env(scenario="tiny", turns=True)


# ---- many copies ----


def test_a_row_of_the_vector_form_is_the_turn_of_the_agent_by_agent_form() -> None:
    vector = csc_v0.vector_env(2, turns=True, infos=("gain", "neighbours"), **TINY)
    singles = [csc_v0.raw_env(**TINY, turns=True, infos=("gain", "neighbours")) for _ in range(2)]
    observations, infos = vector.reset(seed=5)
    for copy, single in enumerate(singles):
        single.reset(seed=5 + copy)
    over = np.zeros(2, np.bool_)
    while not over.all():
        actions = np.zeros(2, np.int64)
        for copy in np.flatnonzero(~over).tolist():
            single = singles[copy]
            agent = single.agent_selection
            assert single.possible_agents[infos["chooser"][copy]] == agent
            assert observations[copy].tobytes() == single.observe(agent).tobytes()
            for name, value in single.infos[agent].items():
                assert infos[name][copy].tobytes() == value.tobytes(), name
            actions[copy] = largest_gain(single.infos[agent])
            single.step(int(actions[copy]))
        observations, rewards, _, truncated, infos = vector.step(actions)
        for copy in np.flatnonzero(~over).tolist():
            assert infos["rewards"][copy].tolist() == list(singles[copy].rewards.values())
            assert rewards[copy] == pytest.approx(sum(singles[copy].rewards.values()))
            assert truncated[copy] == all(singles[copy].truncations.values())
            if truncated[copy]:
                assert infos["metrics"]["revenue"][copy] == singles[copy].metrics.revenue > 0
        over |= truncated


def play_to_the_end(vector: Any) -> tuple[Any, ...]:
    infos = vector.reset(seed=5)[1]
    while True:
        last = vector.step(infos["action_mask"].argmin(axis=1) - 1)  # the last legal action before the first masked one
        infos = last[4]
        if last[3].any():
            return last


def test_next_step_begins_anew_one_step_later() -> None:
    vector = csc_v0.vector_env(2, turns=True, **TINY)
    observations, _, terminated, truncated, infos = play_to_the_end(vector)
    ended = int(np.argmax(truncated))
    assert not terminated.any()
    assert infos["chooser"][ended] == -1
    assert infos["action_mask"][ended].tolist() == [1] + [0] * 10
    assert not observations[ended].any()
    assert infos["_metrics"].tolist() == truncated.tolist()
    observations, rewards, _, truncated, infos = vector.step(np.zeros(2, np.int64))
    assert infos["chooser"][ended] >= 0
    assert (rewards[ended], bool(truncated[ended])) == (0.0, False)
    assert observations[ended].any()


def test_same_step_begins_anew_at_once() -> None:
    observations, _, _, truncated, infos = play_to_the_end(
        csc_v0.vector_env(2, turns=True, autoreset_mode="SameStep", **TINY)
    )
    ended = int(np.argmax(truncated))
    assert infos["chooser"][ended] >= 0
    assert observations[ended].any()
    assert infos["final_info"]["chooser"][ended] == -1
    assert infos["_final_obs"].tolist() == truncated.tolist()


def test_disabled_waits_for_a_reset() -> None:
    vector = csc_v0.vector_env(2, turns=True, autoreset_mode="Disabled", **TINY)
    truncated = play_to_the_end(vector)[3]
    with pytest.raises(ResetNeeded, match=f"the episode of copy {int(np.argmax(truncated))} is over"):
        vector.step(np.zeros(2, np.int64))
    infos = vector.reset(options={"reset_mask": truncated})[1]
    assert (infos["chooser"] >= 0).all()


def test_shapes_and_bad_actions_of_the_vector_form() -> None:
    vector = csc_v0.vector_env(3, turns=True, strict=True, **TINY)
    observations, infos = vector.reset(seed=0)
    assert vector.num_envs == 3
    assert vector.observation_space.contains(observations)
    assert infos["action_mask"].shape == (3, 11)
    assert infos["rewards"].shape == (3, 12)
    with pytest.raises(InvalidAction, match=r"must be whole numbers of shape \(3,\), got int64 of shape \(36,\)"):
        vector.step(np.zeros(36, np.int64))
    with pytest.raises(InvalidAction, match="the action in copy 1 must be from 0 to 10, got 11"):
        vector.step(np.array([0, 11, 0]))
    masked = int(np.flatnonzero(infos["action_mask"][2] == 0)[-1])
    with pytest.raises(InvalidAction, match=f"worker_{infos['chooser'][2]} of copy 2 may not take action {masked} in"):
        vector.step(np.array([0, 0, masked]))
