"""What leaves a centre, and what does not: the claims of docs/ta_fpl.md on privacy."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'agents' is not installed")

from worlds.ta_fpl_worlds import NUM_PLACES, PLACES, settings, task  # noqa: E402

from crowdgym.agents.learning.centres import Order, Update  # noqa: E402
from crowdgym.agents.learning.wire import assessment_of, update_of  # noqa: E402
from crowdgym.agents.ta_fpl.client import TaFplClient  # noqa: E402
from crowdgym.agents.ta_fpl.model import PreferenceModel, initial_parameters  # noqa: E402
from crowdgym.data.histories import CentreHistories, HistoryBook  # noqa: E402
from crowdgym.envs import preference_v0  # noqa: E402
from crowdgym.envs.preference.definition import PreferenceDefinition  # noqa: E402
from crowdgym.learners import find_learner  # noqa: E402
from crowdgym.training.centres import LocalCentres, ProcessCentres, make_centres  # noqa: E402

CLIENT = "crowdgym.agents.ta_fpl.client:TaFplClient"
START = initial_parameters(PLACES, settings(), 0)


@pytest.fixture(scope="module")
def processes():
    """Two centres in two processes; and all bytes that have left them, by question."""
    centres = ProcessCentres(PLACES, [task(0), task(1)], CLIENT, jobs=2)
    yield centres
    centres.close()


def test_what_leaves_a_process_is_exactly_the_schema(
    processes: ProcessCentres, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[bytes] = []
    monkeypatch.setattr(
        "crowdgym.training.centres.update_of", lambda content: (left.append(content), update_of(content))[1]
    )
    monkeypatch.setattr(
        "crowdgym.training.centres.assessment_of", lambda content: (left.append(content), assessment_of(content))[1]
    )
    processes.fit({0: Order(0, START), 1: Order(0, START)})
    processes.assess({1: Order(1, START)})
    schema = {
        name: (tensor.shape, tensor.dtype) for name, tensor in PreferenceModel(PLACES, settings()).state_dict().items()
    }
    for content in left[:2]:
        update = update_of(content)
        for tensors in (update.parameters, update.gradient):
            assert {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()} == schema
        assert type(update.num_examples) is int
        assert {name: type(value) for name, value in update.figures.items()} == {"loss": float}
        assert len(content) < 8 * sum(tensor.numel() for tensor in START.values()) + 20_000  # and no room for more
    assessment = assessment_of(left[2])
    assert assessment.workers.tolist() == [3, 4, 5]
    assert assessment.preferences.shape == (3, 3)
    assert {type(value) for value in assessment.figures.values()} == {float}


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As the processes of centres have: sums are rounded otherwise by several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_processes_answer_as_this_process_does_bit_for_bit(processes: ProcessCentres) -> None:
    here = LocalCentres(PLACES, [TaFplClient(task(0)), TaFplClient(task(1))])
    orders = {k: Order(3, START, {"place_bias": torch.ones(NUM_PLACES)}, 0.1) for k in (0, 1)}
    for one, other in zip(here.fit(orders).values(), processes.fit(orders).values(), strict=True):
        _assert_same(one, other)
    one, other = here.assess(orders)[1], processes.assess(orders)[1]
    assert torch.equal(one.preferences, other.preferences)
    assert one.figures == other.figures


def _assert_same(one: Update, other: Update) -> None:
    assert (one.num_examples, one.figures) == (other.num_examples, other.figures)
    for name in one.parameters:
        assert torch.equal(one.parameters[name], other.parameters[name])
    for name in one.gradient:
        assert torch.equal(one.gradient[name], other.gradient[name])


class _WithGarbage:
    """The generator of an environment, but with other histories at one centre."""

    def __init__(self, generator, book: HistoryBook) -> None:
        self._generator, self.histories = generator, book

    def generate(self, seeds):
        instance = self._generator.generate(seeds)
        own = np.flatnonzero(instance.centre == 1)
        share = instance.history_share.copy()
        share[own] = self.histories.of(1).category_shares(own, share.shape[1])
        return replace(instance, history_share=share)


def test_another_centre_s_histories_change_nothing_at_this_one() -> None:
    """Observations, infos and state of its workers, its update and its preferences, given the same parameters."""
    scenario = {"scenario": "preference-tiny"}
    env = preference_v0.parallel_env(**scenario)
    book, rng = env.histories, np.random.default_rng(0)
    place = rng.integers(len(book.places), size=len(book.of(1))).astype(np.int32)
    garbage = CentreHistories(book.of(1).worker, place, book.places.category[place], book.of(1).time_s)
    other_book = HistoryBook(book.places, [book.of(0), garbage, *(book.of(p) for p in range(2, book.num_centres))])
    generator = PreferenceDefinition.of(scenario, None, None).generator
    other = preference_v0.parallel_env(**scenario, generator=_WithGarbage(generator, other_book))
    own = [agent for agent, centre in zip(env.possible_agents, env.metadata["centre_of"], strict=True) if centre == 0]
    for _ in range(3):
        seen, seen_other = env.reset(seed=4), other.reset(seed=4)
        for agent in own:
            assert np.array_equal(seen[0][agent], seen_other[0][agent])
            assert all(np.array_equal(seen[1][agent][name], seen_other[1][agent][name]) for name in seen[1][agent])
        assert np.array_equal(env.state(), other.state())
    answers = []
    for one in (env, other):
        centres = make_centres(find_learner("ta-fpl"), one, settings(), seed=0, jobs=1)
        order = Order(0, initial_parameters(centres.places, settings(), 0))
        answers.append((centres.fit({0: order})[0], centres.assess({0: order})[0]))
    _assert_same(answers[0][0], answers[1][0])
    assert torch.equal(answers[0][1].preferences, answers[1][1].preferences)


def test_nothing_in_the_model_is_of_a_worker_and_the_memory_is_not_in_it() -> None:
    """The same names and shapes, however many workers there are, and no name of the memory."""
    few, many = (TaFplClient(task(workers=list(range(count)))).fit(Order(0, START)).parameters for count in (1, 9))
    assert {name: tensor.shape for name, tensor in few.items()} == {name: tensor.shape for name, tensor in many.items()}
    assert not [name for name in few if "mem" in name.lower()]


def test_the_server_imports_no_record() -> None:
    """Its modules import neither clients and examples, nor anything of ``data``."""
    folder = Path(find_learner.__globals__["crowdgym"].agents.__path__[0]) / "ta_fpl"
    for module in ("federation", "strategies", "trained"):
        tree = ast.parse((folder / f"{module}.py").read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not [name for name in imported if name.endswith((".client", ".examples")) or ".data" in name]


def test_an_update_does_tell_which_places_were_visited() -> None:
    """The leak that docs/ta_fpl.md states: the rows of the place embedding that changed are the places visited.

    With a proximal term or others' variates other rows may change, too; the gradient still tells.
    """
    own = task()
    update = TaFplClient(own).fit(Order(0, START))
    changed = (update.parameters["place_in.weight"] != START["place_in.weight"]).any(dim=1)
    seen = np.zeros(NUM_PLACES, bool)
    for worker in own.records.workers:
        history = own.records.place[own.records.worker == worker]
        seen[history[:-3]] = True  # context of the events that are trained on: two validate, the last has no next
    assert np.flatnonzero(changed.numpy()[:NUM_PLACES]).tolist() == np.flatnonzero(seen).tolist()
