"""Numbers of workers and tasks are names: renumbering them renumbers the results, but for ties that they break.

What holds to the last bit: all times, places, statuses, payments, masks and counts of illegal actions, and the
individual rewards. To 1e-12: sums over workers or tasks, which are added up in another order (revenue, travel, shares).

Where numbers do decide, by the specification: of candidates at one distance the smaller task comes first; and where a
task's work is too small to move the clock, the smaller of two workers that arrive together finishes it before the other
is there. The first is avoided here by letting everyone see all tasks and name the task that it takes; after the second
the comparison ends.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from invariants.csc_ledger import Book
from invariants.csc_playing import begin, is_over, legal, rewards, rows_of, same_bits
from invariants.search_effort import ordinary, thorough
from invariants.world_strategies import MOST_TASKS, MOST_WORKERS, Episode, episodes

from crowdgym.common.layout import ObservationSet
from crowdgym.envs.csc.global_state import WORKER_STATE, global_state
from crowdgym.envs.csc.kernel.observation import observation_layout
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.snapshot import CscSnapshot

ORDERS_OF_WORKERS = st.permutations(range(MOST_WORKERS))
ORDERS_OF_TASKS = st.permutations(range(MOST_TASKS))


def picked(order: list[int], count: int) -> list[int]:
    """The first ``count`` numbers in the order in which they stand there."""
    return [number for number in order if number < count]


def fields(snapshot: CscSnapshot, prefixes: tuple[str, ...]) -> dict[str, np.ndarray]:
    """What a snapshot says of each worker, or of each task."""
    return {name: value for name, value in vars(snapshot).items() if name.startswith(prefixes)}


OF_WORKERS = ("worker_", "depart_s", "arrive_s", "free_s")
OF_TASKS = ("task_", "work_left_s", "workers_", "end_s", "paid")


def assert_same_metrics(one: CscSnapshot, other: CscSnapshot) -> None:
    for name, value in vars(one.metrics).items():
        assert getattr(other.metrics, name) == pytest.approx(value, rel=1e-12), name


def assert_same_neighbours(part: ObservationSet, one: np.ndarray, other: np.ndarray) -> None:
    """The same rows where all distances differ; of equally near ones numbers decide, so then the distances alone."""
    present, distance = part.features.index("present"), part.features.index("distance")
    assert same_bits(one[:, :, distance].copy(), other[:, :, distance].copy())
    for row, same in zip(one, other, strict=True):
        near = row[row[:, present] == 1.0, distance]
        full = len(near) == len(row)  # else no neighbour was left out
        if len(set(near.tolist())) == len(near) and (near < 1.0).all() and not full:
            assert same_bits(row.copy(), same.copy())


# ---- workers ----


def numbers_decided(book: Book) -> bool:
    """Whether a task was just finished at the very instant at which two workers arrived."""
    arrivals = [[claim.arrive_s for claim in book.takers.get(i, [])] for i in book.just_ended]
    return any(
        arrived.count(book.now.end_s[i]) > 1 and any(claim.arrive_s == book.now.end_s[i] for claim in book.crew(i))
        for i, arrived in zip(book.just_ended, arrivals, strict=True)
    )


def check_renumbered_workers(episode: Episode, order: list[int]) -> None:
    world = episode.world
    order = picked(order, len(world.workers))  # the new worker j is the old worker order[j]
    book = Book(world, begin(world))
    other = begin(replace(world, workers=tuple(world.workers[w] for w in order)))
    while not is_over(book.simulation):
        epoch = int(book.simulation.epochs[0])
        actions = np.minimum(episode.wishes(epoch)[: len(order)], world.max_candidates)  # legal or not
        book.play(actions.tolist())
        other.step(actions[order][np.newaxis])
        if numbers_decided(book):
            event("numbers decided")
            return
        assert_same_with_workers_renumbered(book, other, order)


def assert_same_with_workers_renumbered(book: Book, other: CscSimulation, order: list[int]) -> None:
    one, now, then = book.simulation, book.now, CscSnapshot.of(other, 0)
    for name, value in fields(now, OF_WORKERS).items():
        assert same_bits(value[order], fields(then, OF_WORKERS)[name]), name
    for name, value in fields(now, OF_TASKS).items():
        assert same_bits(value, fields(then, OF_TASKS)[name]), name
    assert_same_metrics(now, then)
    assert same_bits(one.state.output.mask[0][order], other.state.output.mask[0])
    assert same_bits(one.state.output.candidates[0][order], other.state.output.candidates[0])
    assert rewards(one, "individual")[order].tolist() == rewards(other, "individual").tolist()
    np.testing.assert_allclose(rewards(one, "contribution")[order], rewards(other, "contribution"), rtol=1e-12)
    np.testing.assert_allclose(rewards(one, "team"), rewards(other, "team"), rtol=1e-12)
    for part in observation_layout(book.world.max_candidates):
        rows, others = rows_of(one, part)[order], rows_of(other, part)
        if part.name in ("W_near", "W_idle"):
            assert_same_neighbours(part, rows, others)
        else:
            assert same_bits(rows.copy(), others.copy()), part.name
    width = len(order) * len(WORKER_STATE)
    first, second = global_state(one, 0), global_state(other, 0)
    crowd = first[1 : 1 + width].reshape(len(order), -1)[order]
    assert same_bits(crowd.ravel(), second[1 : 1 + width].copy())
    assert same_bits(first[1 + width :].copy(), second[1 + width :].copy())


@settings(ordinary(examples=120))
@given(episode=episodes(), order=ORDERS_OF_WORKERS)
def test_renumbering_workers_renumbers_the_results(episode: Episode, order: list[int]) -> None:
    check_renumbered_workers(episode, order)


@pytest.mark.slow
@settings(thorough(examples=5_000))
@given(episode=episodes(), order=ORDERS_OF_WORKERS)
def test_renumbering_workers_renumbers_the_results_in_many_worlds(episode: Episode, order: list[int]) -> None:
    check_renumbered_workers(episode, order)


# ---- tasks ----


def check_renumbered_tasks(episode: Episode, order: list[int]) -> None:
    world = episode.world
    order = picked(order, len(world.tasks))  # the new task j is the old task order[j]
    one, other = begin(world), begin(replace(world, tasks=tuple(world.tasks[i] for i in order)))
    assert_same_with_tasks_renumbered(one, other, order)
    while not is_over(one):
        actions = legal(one, episode.wishes(int(one.epochs[0])))
        other_actions = np.zeros_like(actions)
        for w, action in enumerate(actions[0]):
            if action:
                task = order.index(one.state.output.candidates[0, w, action - 1])
                other_actions[0, w] = 1 + other.state.output.candidates[0, w].tolist().index(task)
        one.step(actions)
        other.step(other_actions)
        assert_same_with_tasks_renumbered(one, other, order)


def assert_same_with_tasks_renumbered(one: CscSimulation, other: CscSimulation, order: list[int]) -> None:
    now, then = CscSnapshot.of(one, 0), CscSnapshot.of(other, 0)
    names = np.append(order, -1)  # the old number of each new task; -1 stays
    for name, value in fields(now, OF_WORKERS).items():
        same = fields(then, OF_WORKERS)[name]
        assert same_bits(value, names[same].astype(np.int32) if name == "worker_task" else same), name
    for name, value in fields(now, OF_TASKS).items():
        assert same_bits(value[order], fields(then, OF_TASKS)[name]), name
    assert_same_metrics(now, then)
    assert same_bits(one.state.output.mask, other.state.output.mask)
    assert same_bits(one.state.output.share, other.state.output.share)
    assert same_bits(one.state.output.remaining_s, other.state.output.remaining_s)
    np.testing.assert_allclose(one.state.output.revenue, other.state.output.revenue, rtol=1e-12)
    candidates, others = one.state.output.candidates[0], names[other.state.output.candidates[0]]
    for part in observation_layout(one.settings.max_candidates):
        rows, same = rows_of(one, part), rows_of(other, part)
        if part.name == "T_near":
            assert_same_neighbours(part, rows, same)
        elif part.name == "T_optional":  # row by row of the same task
            rank, other_rank = np.argsort(candidates, kind="stable"), np.argsort(others, kind="stable")
            assert same_bits(
                np.take_along_axis(candidates, rank, 1), np.take_along_axis(others, other_rank, 1).astype("i4")
            )
            for w in range(len(rows)):
                assert same_bits(rows[w][rank[w]], same[w][other_rank[w]])
        else:
            assert same_bits(rows.copy(), same.copy()), part.name


@settings(ordinary(examples=120))
@given(episode=episodes(see_everything=True), order=ORDERS_OF_TASKS)
def test_renumbering_tasks_renumbers_the_results(episode: Episode, order: list[int]) -> None:
    check_renumbered_tasks(episode, order)


@pytest.mark.slow
@settings(thorough(examples=5_000))
@given(episode=episodes(see_everything=True), order=ORDERS_OF_TASKS)
def test_renumbering_tasks_renumbers_the_results_in_many_worlds(episode: Episode, order: list[int]) -> None:
    check_renumbered_tasks(episode, order)
