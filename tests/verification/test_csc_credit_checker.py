"""The checker of the rewards that credit single workers: confirms what the reference plays, and finds what is off."""

import numpy as np
import pytest
from reference.csc_reference import ReferenceSimulator
from reference.csc_schedule import checked_instance, schedule
from reference.random_worlds import Flavour, Policy, random_actions, random_world

from crowdgym.testing import CheckedInstance, Schedule, ViolationKind
from crowdgym.verification.csc.credit import CREDITS, check_rewards

Rewards = dict[str, np.ndarray]


def played(seed: list[int], flavour: Flavour, policy: Policy) -> tuple[CheckedInstance, Schedule, Rewards]:
    rng = np.random.default_rng(seed)
    simulator = ReferenceSimulator(random_world(rng, flavour))
    steps = []
    while not simulator.done:
        steps.append(simulator.step(random_actions(rng, simulator, policy)))
    rewards = {name: np.array([getattr(step, name) for step in steps]) for name in CREDITS}
    return checked_instance(simulator.instance), schedule(simulator), rewards


@pytest.mark.parametrize("flavour", Flavour)
def test_whatever_the_reference_pays_is_confirmed(flavour: Flavour) -> None:
    for policy in Policy:
        instance, log, rewards = played([list(Flavour).index(flavour), list(Policy).index(policy)], flavour, policy)
        for name in CREDITS:
            assert list(check_rewards(instance, log, name, rewards[name])) == []


@pytest.mark.parametrize("name", sorted(CREDITS))
def test_a_reward_that_is_off_or_in_another_step_or_of_another_worker_is_found(name: str) -> None:
    instance, log, rewards = played([5], Flavour.CROWD, Policy.RANDOM)
    step, worker = np.unravel_index(rewards[name].argmax(), rewards[name].shape)
    assert rewards[name][step, worker] > 0
    for change in ("more", "sooner", "other"):
        changed = rewards[name].copy()
        if change == "more":
            changed[step, worker] *= 1.001
        elif change == "sooner":
            changed[[step - 1, step], worker] = changed[[step, step - 1], worker]
        else:
            changed[step, [worker - 1, worker]] = changed[step, [worker, worker - 1]]
        found = list(check_rewards(instance, log, name, changed))
        assert {violation.kind for violation in found} == {ViolationKind.WRONG_REWARD}
        assert int(worker) in {violation.worker for violation in found}


def test_other_rewards_are_not_checked() -> None:
    instance, log, rewards = played([5], Flavour.CROWD, Policy.RANDOM)
    assert list(check_rewards(instance, log, "team", rewards["marginal"])) == []
