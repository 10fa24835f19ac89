"""`check_env` passes sound environments and names what is wrong with broken ones: check, step, agent, quantity."""

import random
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import testing.broken_dynamics
import testing.broken_envs  # noqa: F401  (both enter their environments in BROKEN)
from gymnasium import spaces
from pettingzoo.test import parallel_seed_test
from pettingzoo.test.example_envs import generated_agents_parallel_v0
from testing.broken_base import BROKEN, Broken, Healthy
from testing.broken_dynamics import RandomFromTheSecondStep
from testing.broken_envs import NanReward
from testing.broken_vectors import BROKEN_VECTORS, Rows, RowsThatBeginAnew
from testing.healthy_envs import HEALTHY, UNMASKED, Endless, MaskInObservation

from crowdgym.common.errors import ConfigError
from crowdgym.envs import csc_v0, dasc_v0
from crowdgym.testing import ENVIRONMENT_CHECKS, EnvironmentCheckError, check_env, inspect_env

PAGE = (Path(__file__).parents[2] / "docs" / "check_env.md").read_text(encoding="utf-8")
NO_VECTOR = {"vector": "as no vector_factory was given"}


def name_of(case: Any) -> str:
    return str(getattr(case, "factory", case).__name__)


# ---- what is sound passes ----


@pytest.mark.parametrize("factory", HEALTHY, ids=name_of)
def test_a_sound_environment_passes(factory: Any) -> None:
    report = check_env(factory, max_steps=40)
    nothing_to_see = {"vector", "masks", "illegal_actions"} if factory in UNMASKED else {"vector"}
    assert set(report.not_run) == nothing_to_see
    assert set(report.passed) == set(ENVIRONMENT_CHECKS) - nothing_to_see


def test_a_sound_environment_with_masks_is_checked_in_every_way() -> None:
    report = check_env(Healthy, vector_factory=Rows)
    assert report.passed == tuple(ENVIRONMENT_CHECKS)
    assert (report.not_run, report.notes, report.findings) == ({}, (), ())


@pytest.mark.parametrize("vector", [Rows, RowsThatBeginAnew], ids=name_of)
def test_a_sound_vector_environment_passes(vector: Any) -> None:
    assert "vector" in check_env(Healthy, checks=["vector"], vector_factory=vector).passed


@pytest.mark.parametrize("keywords", [{}, {"strict": True}, {"reward": "team"}], ids=str)
def test_csc_passes(keywords: dict[str, Any]) -> None:
    report = check_env(lambda: csc_v0.parallel_env(scenario="tiny", horizon_s=600.0, **keywords))
    assert report.not_run == NO_VECTOR
    assert report.notes == ()


@pytest.mark.parametrize("action_mode", ["recommend", "select"])
@pytest.mark.parametrize("dependency", ["assigned", "finished"])
def test_dasc_passes(action_mode: Any, dependency: Any) -> None:
    keywords: dict[str, Any] = {"scenario": "tiny", "step_s": 20.0, "horizon_s": 800.0}
    keywords |= {"action_mode": action_mode, "dependency": dependency}
    report = check_env(
        lambda: dasc_v0.parallel_env(**keywords),
        vector_factory=lambda copies: dasc_v0.vector_env(num_envs=copies, **keywords),
    )
    assert report.passed == tuple(ENVIRONMENT_CHECKS)
    assert (report.not_run, report.notes) == ({}, ())


def test_an_environment_that_invents_agents_passes() -> None:
    """PettingZoo's own example, without its state(), which is a sample of a space that is never seeded."""

    class Example(generated_agents_parallel_v0.parallel_env):
        def state(self) -> Any:
            raise NotImplementedError

    def without_pickle(name: str) -> bool:
        return name != "pickle"  # this class is inside a function

    report = check_env(Example, max_steps=30, checks=list(filter(without_pickle, ENVIRONMENT_CHECKS)))
    assert {"determinism", "repetition", "seeds", "deepcopy", "ends", "spaces"} <= set(report.passed)


def test_what_pettingzoos_example_draws_unseeded_is_found() -> None:
    (finding,) = inspect_env(generated_agents_parallel_v0.parallel_env, max_steps=5).findings
    assert (finding.check, finding.step) == ("determinism", 0)
    assert finding.quantity.startswith("state()")


# ---- what is broken is named ----


@pytest.mark.parametrize("case", BROKEN, ids=name_of)
def test_exactly_the_planted_fault_is_found(case: Broken) -> None:
    report = inspect_env(case.factory)
    found = [(finding.check, finding.step, finding.agent, finding.quantity) for finding in report.findings]
    assert found == [(case.check, case.step, case.agent, case.quantity)], report
    # Whatever was not run is due to this fault; an environment that does not begin shows no masks either.
    assert set(report.not_run.values()) <= {f"as {case.check} failed", *NO_VECTOR.values(), "as no episode began"}


@pytest.mark.parametrize("case", BROKEN_VECTORS, ids=name_of)
def test_exactly_the_planted_fault_of_a_vector_environment_is_found(case: Broken) -> None:
    (finding,) = inspect_env(Healthy, vector_factory=case.factory).findings
    assert (finding.check, finding.step, finding.agent, finding.quantity) == case[1:]


def test_every_check_has_an_environment_that_only_it_finds_broken() -> None:
    assert {case.check for case in [*BROKEN, *BROKEN_VECTORS]} == set(ENVIRONMENT_CHECKS)


def test_pettingzoos_seed_test_passes_what_turns_random_at_the_second_step() -> None:
    parallel_seed_test(RandomFromTheSecondStep)
    with pytest.raises(EnvironmentCheckError, match=r"determinism: seed 0, step 2, agent 'early', observation\[0\]"):
        check_env(RandomFromTheSecondStep)


def test_independent_faults_are_all_listed() -> None:
    class Several(NanReward):
        metadata = {"name": "several_v0", "render_modes": []}  # noqa: RUF012

        def reward(self, agent: str) -> float:
            return Healthy.reward(self, agent)

        def observe(self, agent: str) -> Any:
            return super().observe(agent) * np.float32(2)

        def seed(self, seed: int) -> None:
            super().seed(7)

    # Its class is inside a function, so it cannot be pickled either.
    assert [finding.check for finding in inspect_env(Several).findings] == ["spaces", "seeds", "pickle"]


def test_two_masks_of_one_agent_must_agree() -> None:
    class InBothPlaces(MaskInObservation):
        def info(self, agent: str) -> dict[str, Any]:
            mask = self.mask(agent)
            mask[0] = (agent, self.time) != ("middle", 2)
            return {"action_mask": mask}

    (finding,) = inspect_env(InBothPlaces, checks=["masks"]).findings
    assert str(finding) == (
        "masks: seed 0, step 2, agent 'middle', observation['action_mask'][0]: "
        "expected 0, as info['action_mask'], got 1"
    )


def test_a_part_of_an_action_with_nothing_legal_is_named() -> None:
    class Shouting(Healthy):
        def __init__(self) -> None:
            super().__init__()
            self.spaces = self.spaces[0], spaces.MultiDiscrete([3, 2])

        def info(self, agent: str) -> dict[str, Any]:
            return {"action_mask": np.array([1, 1, 1, 0, 0], np.int8)}

        def move(self, agent: str, action: Any) -> None:
            super().move(agent, action)

        def step(self, actions: dict[str, Any]) -> Any:
            return super().step({agent: way for agent, (way, _) in actions.items()})

    (finding,) = inspect_env(Shouting, checks=["masks"]).findings
    assert (finding.quantity, finding.expected) == ("info['action_mask'][part 1]", "at least one legal action")


# ---- the report ----


def test_the_message_gives_seed_step_agent_quantity_expected_and_got() -> None:
    with pytest.raises(EnvironmentCheckError) as caught:
        check_env(NanReward, seeds=(4, 5), checks=["ends", "spaces"])
    assert str(caught.value).splitlines() == [
        "1 of 2 checks failed",
        "  returns: seed 4, step 3, agent 'middle', reward: expected a finite number, got float nan",
        "  not run, as returns failed: ends, spaces, stepping",
    ]
    assert [finding.check for finding in caught.value.report.findings] == ["returns"]


def test_checks_can_be_chosen_and_the_three_that_everything_rests_on_always_run() -> None:
    report = check_env(Healthy, checks={"seeds"})
    assert report.passed == ("construction", "returns", "stepping", "seeds")


def test_an_episode_that_does_not_end_is_noted() -> None:
    report = check_env(Endless, max_steps=3, checks=["determinism"])
    assert report.notes == ("the episode of seed 0, 1 was not over after max_steps=3 and was cut there",)


def test_the_global_random_state_of_the_caller_is_left_as_it_was() -> None:
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    inspect_env(Healthy)
    after = random.getstate(), np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0]
    assert before[1][1].tobytes() == after[1][1].tobytes()
    assert before[1][2:] == after[1][2:]


def test_every_environment_that_is_made_is_closed() -> None:
    open_now = []

    class Counted(Healthy):
        def __init__(self) -> None:
            super().__init__()
            open_now.append(id(self))

        def close(self) -> None:
            open_now.remove(id(self))

    inspect_env(Counted, checks=set(ENVIRONMENT_CHECKS) - {"deepcopy", "pickle"})
    assert open_now == []


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"factory": Healthy()}, "factory must be a function that makes an environment, got Healthy"),
        ({"seeds": (1,)}, r"seeds must be at least two different whole numbers from 0 on, got \(1,\)"),
        ({"seeds": (1, 1, 2)}, "seeds must be at least two different"),
        ({"seeds": (1, -1)}, "seeds must be at least two different"),
        ({"seeds": (1, 2.5)}, "seeds must be at least two different"),
        ({"seeds": 3}, "seeds must be at least two different whole numbers from 0 on, got 3"),
        ({"max_steps": 1}, "max_steps must be a whole number from 2 on, got 1"),
        ({"max_steps": 2.5}, "max_steps must be a whole number from 2 on, got 2.5"),
        ({"checks": "seeds"}, r"checks must be a collection of names, got the text 'seeds': write \['seeds'\]"),
        ({"checks": ["seed"]}, r"there is no check 'seed'; did you mean 'seeds'\? \(known: construction, returns,"),
    ],
)
def test_a_bad_argument_is_named_with_what_was_expected(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_env(**{"factory": Healthy, **keywords})


# ---- the page about it ----


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def run_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """As the author would: the example is a module, so that its class can be pickled."""

    def run(source: str) -> None:
        (tmp_path / "dice_example.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "dice_example", raising=False)
        import_module("dice_example").test_dice()

    return run


def test_the_example_of_the_page_says_what_the_page_says(run_example: Callable[[str], None]) -> None:
    (example,), (message,) = blocks("python"), blocks("text")
    with pytest.raises(EnvironmentCheckError) as caught:
        run_example(example)
    assert str(caught.value) + "\n" == message


def test_the_repair_of_the_page_repairs_the_example(run_example: Callable[[str], None]) -> None:
    (example,), (wrong, right) = blocks("python"), re.findall(r"`(throw = .*?)`", PAGE)
    assert wrong in example
    run_example(example.replace(wrong, right))


def test_the_page_lists_the_checks_in_their_order_with_what_they_hold_an_environment_to() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert dict(rows) == {name: text.replace("``", "`") for name, text in ENVIRONMENT_CHECKS.items()}
    assert [name for name, _ in rows] == list(ENVIRONMENT_CHECKS)
