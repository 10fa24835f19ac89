"""Who is asked at an epoch, what it sees and what it may do; and that training plays as `TurnTaking` says."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from test_learning_collect import actor_of, assert_same_bits  # noqa: E402
from test_turns import a_game, started  # noqa: E402
from toy_vector_market import ToyVectorMarket  # noqa: E402

from crowdgym.agents.csc.turn_collector import TurnCollector, chosen_tasks, collector_of  # noqa: E402
from crowdgym.agents.csc.turn_taking import (  # noqa: E402
    GAIN_FEATURES,
    HeldGains,
    TurnTaking,
    in_present_order,
    network_sets,
    next_decider,
)
from crowdgym.agents.csc.turns import NO_PLAYER, Turns  # noqa: E402
from crowdgym.agents.learning.collect import CopySeeds, IterationSeeds, LocalCollector  # noqa: E402
from crowdgym.agents.learning.networks import Actor  # noqa: E402
from crowdgym.agents.learning.rollout import Rollout, join  # noqa: E402
from crowdgym.common.errors import ConfigError  # noqa: E402
from crowdgym.common.layout import ObservationLayout  # noqa: E402
from crowdgym.configs.ippo import IppoSettings  # noqa: E402
from crowdgym.envs.csc_v0 import vector_env  # noqa: E402

SEEDS = IterationSeeds.of(0, 0, 4).copies
ALL_ON = {"turns": "gain", "mask_idle_gain": True, "gain_features": True}
SMALL = {"scenario": "tiny", "num_workers": 20, "num_tasks": 20, "horizon_s": 2400, "window_s": 900}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def settings(**keywords: Any) -> IppoSettings:
    return IppoSettings.load("csc_v0", **keywords)


def layout_of(env: Any) -> ObservationLayout:
    return ObservationLayout.from_metadata(env.metadata, env.single_observation_space.shape[0])


def actor_for(env: Any, chosen: IppoSettings) -> Actor:
    torch.manual_seed(3)
    actor = Actor(network_sets(layout_of(env), chosen), int(env.single_action_space.n), chosen)
    for parameter in actor.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return actor


def collected(seeds: CopySeeds = SEEDS, world: dict[str, Any] = SMALL, **keywords: Any) -> Rollout:
    chosen = settings(**keywords)
    env = vector_env(num_envs=len(seeds.instances), copy=False, **world)
    return TurnCollector(env, chosen).collect(actor_for(env, chosen), seeds)


# ---- who decides, by hand


def two_players() -> Turns:
    """Each alone earns 90 at once and less later: the first, idle for longer, arrives at 50, the second at 10."""
    return started(
        a_game(
            [[0], [1]],
            [[50.0], [10.0]],
            work_left_s=[10.0, 10.0],
            expected_s=[20.0, 20.0],
            deadline_s=[100.0, 100.0],
            payment=[90.0, 90.0],
        )
    )


def nothing_held(turns: Turns) -> HeldGains:
    return HeldGains(np.zeros(len(turns.waiting), np.bool_), turns.game.task, np.zeros(turns.gain.shape))


def test_the_largest_gain_or_the_longest_idle_comes_first() -> None:
    turns = two_players()
    assert turns.gain.tolist() == [[pytest.approx(54.0)], [90.0]]
    assert next_decider(turns, turns.legal, nothing_held(turns), True) == 1
    assert next_decider(turns, turns.legal, nothing_held(turns), False) == 0


def test_who_may_join_nothing_is_not_asked() -> None:
    turns = two_players()
    assert next_decider(turns, np.array([[True], [False]]), nothing_held(turns), True) == 0
    assert next_decider(turns, np.zeros((2, 1), np.bool_), nothing_held(turns), True) == NO_PLAYER


@pytest.mark.parametrize(("then", "asked"), [(90.0, 0), (89.2, 0), (88.0, 1), (92.0, 1)])
def test_who_held_is_asked_again_if_a_gain_has_changed_by_more_than_a_hundredth(then: float, asked: int) -> None:
    turns = two_players()
    held = HeldGains(np.array([False, True]), turns.game.task, np.array([[0.0], [then]]))
    assert next_decider(turns, turns.legal, held, True) == asked


def test_earlier_gains_follow_their_candidates() -> None:
    """Candidates 7, 8 and 9 in another order; a new one counts as 0 then; one that has gone is a change."""
    then = HeldGains(np.ones(3, np.bool_), np.array([[7, 8, -1]] * 3), np.array([[5.0, 6.0, 0.0]] * 3))
    now = in_present_order(then, np.array([[8, 7, -1], [9, 8, 7], [8, 9, -1]]))
    assert now.gain.tolist() == [[6.0, 5.0, 0.0], [0.0, 6.0, 5.0], [6.0, 0.0, 0.0]]
    assert now.held.tolist() == [True, True, False]


# ---- what is seen


def test_a_row_counts_the_choices_made_earlier_in_the_same_epoch() -> None:
    """A tenth for each worker on its way, as an observation has it, and nothing else differs."""
    env = vector_env(num_envs=1, copy=False, **SMALL)
    taking = TurnTaking(TurnCollector(env, settings()).episode(), settings(turns="gain"))
    observations, infos = env.reset(seed=[0])
    part = layout_of(env)["T_optional"]
    joins = 0
    for _ in range(20):
        seen, ids = observations.copy(), infos["candidates"].astype(np.int64)
        taking.begin(seen, ids)
        sent: list[int] = []
        while (asked := taking.ask()) is not None:
            (worker,) = asked.workers
            expected = seen[worker].copy()
            en_route = part.take(expected)[:, part.column("workers_en_route")]
            en_route += np.array([sent.count(task) for task in ids[worker]], np.float32) / 10.0
            np.testing.assert_allclose(asked.observations[0], expected, rtol=0, atol=1e-6)
            joins += max(map(sent.count, ids[worker].tolist())) > 1
            sent.append(int(ids[worker, 0]))
            taking.answer(np.array([1]))
        observations, _, _, _, infos = env.step(taking.actions)
    assert joins > 0  # some tasks have been chosen twice before


def test_gain_features_follow_the_features_of_each_candidate() -> None:
    env = vector_env(num_envs=1, copy=False, **SMALL)
    plain, wide = (network_sets(layout_of(env), settings(gain_features=on)) for on in (False, True))
    assert plain == layout_of(env).sets
    assert [part.features for part in wide] == [
        part.features + GAIN_FEATURES * (part.name == "T_optional") for part in plain
    ]
    rollout = collected(**ALL_ON)
    part = ObservationLayout(wide)["T_optional"]
    gains = [rollout.decision_infos[name] for name in ("alone", "together", "gain")]
    scale = layout_of(env)["T_optional"].scale("payment_now")
    np.testing.assert_allclose(part.take(rollout.observations)[..., -3:] * scale, np.stack(gains, axis=2), rtol=1e-5)
    narrow = collected(turns="gain", mask_idle_gain=True)
    with_gains, without = (each.observations[each.decision_infos["turn"] == 0][0] for each in (rollout, narrow))
    before = layout_of(env)["T_optional"]
    assert (with_gains[part.stop :] == without[before.stop :]).all()
    assert (part.take(with_gains)[:, :-3] == before.take(without)).all()


# ---- how it is played


@pytest.mark.parametrize("order", ["gain", "idle"])
def test_four_copies_together_are_the_same_as_apart(order: Any) -> None:
    parts = [collected(SEEDS.part(part), **{**ALL_ON, "turns": order}) for part in (slice(0, 1), slice(1, 4))]
    assert_same_bits(join(parts), collected(**{**ALL_ON, "turns": order}))


class _Joins(torch.nn.Module):
    """An actor that never holds."""

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self.actor = actor

    def forward(self, observations: Any, masks: Any) -> Any:
        log_policy = self.actor(observations, masks)
        holds = torch.zeros_like(masks)
        holds[:, 0] = True
        return log_policy.masked_fill(holds, -1e6)


def test_turns_with_one_agent_are_the_same_as_all_at_once() -> None:
    """As long as it never holds: who held is not asked again before something changes."""
    env = vector_env(num_envs=4, copy=False, **{**SMALL, "num_workers": 1})
    actor = _Joins(actor_for(env, settings()))
    at_once = LocalCollector(env).collect(actor, SEEDS)
    in_turn = TurnCollector(env, settings(turns="idle")).collect(actor, SEEDS)
    assert (at_once.joint_actions == in_turn.joint_actions).all()
    assert (at_once.observations == in_turn.observations).all()
    np.testing.assert_allclose(at_once.log_probabilities, in_turn.log_probabilities, atol=1e-5)


def test_without_settings_of_turns_agents_choose_as_ever() -> None:
    env = vector_env(num_envs=1, copy=False, **SMALL)
    assert type(collector_of(env, settings())) is LocalCollector
    assert type(collector_of(env, settings(mask_idle_gain=True))) is TurnCollector


def test_joins_that_add_nothing_are_no_actions() -> None:
    """Alone or with another; and a worker that has no other does not decide."""
    rollout = collected(**ALL_ON)
    useful = np.maximum(rollout.decision_infos["alone"], rollout.decision_infos["together"]) > 1e-6
    assert (rollout.masks[:, 1:] == useful).all()
    assert useful.any(axis=1).all()
    assert rollout.masks[:, 0].all()


def test_what_the_joins_add_sums_to_the_revenue() -> None:
    """Each join's gain alone, in turn: nothing is counted twice and nothing is left out.

    As long as every task ends before the episode, and no workload is too large for an observation.
    """
    rollout = collected(world={**SMALL, "horizon_s": 7200, "workload_log_sd": 0.2}, **ALL_ON)
    joins = np.flatnonzero(rollout.actions > 0)
    added = rollout.decision_infos["alone"][joins, rollout.actions[joins] - 1]
    earned = np.bincount(rollout.copies[joins], added, minlength=4)
    np.testing.assert_allclose(earned, rollout.metrics["revenue"], rtol=1e-6)


def test_chosen_tasks_are_ids_of_candidates() -> None:
    rollout = collected(**ALL_ON)
    chosen = chosen_tasks(rollout)
    assert ((chosen >= 0) == (rollout.joint_actions > 0)).all()
    first = np.flatnonzero(rollout.actions > 0)[0]
    expected = rollout.decision_infos["candidates"][first, rollout.actions[first] - 1]
    assert chosen[rollout.steps[first], rollout.rows[first]] == expected


def test_other_environments_have_no_turns() -> None:
    market = ToyVectorMarket(1)
    layout = ObservationLayout.of((("w_self", 1, ("elapsed",)),))
    with pytest.raises(ConfigError, match="gain_features need observations of csc_v0"):
        network_sets(layout, settings(turns="gain"))
    assert network_sets(layout_of(market), settings()) == layout_of(market).sets
    assert actor_of(market) is not None
