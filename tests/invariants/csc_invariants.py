"""What must hold at every epoch, each from the book or from the moment alone. Every function raises AssertionError."""

from itertools import pairwise

import numpy as np
from invariants.csc_ledger import Book
from invariants.csc_playing import Moment, hold, is_over, rewards, rows_of
from reference.csc_instance import payment

from crowdgym.envs.csc.global_state import global_state
from crowdgym.envs.csc.kernel.observation import observation_layout
from crowdgym.envs.csc.kernel.state import TaskStatus, WorkerStatus

ROUNDING = 1e-12  # relative: some dozens of operations of 2e-16 each


def workers_are_each_in_one_state(book: Book) -> None:
    """Idle, travelling, working or released: whichever the book says, with the times and the place that it says."""
    now = book.now
    for w in range(len(book.world.workers)):
        status, claim = WorkerStatus(now.worker_status[w]), book.claims.get(w)
        np.testing.assert_array_equal((now.depart_s[w], now.arrive_s[w]), book.trips[w])  # NaN equals NaN
        if claim is None:
            assert status is WorkerStatus.IDLE
            assert (now.worker_task[w], now.worker_node[w], now.worker_goal[w]) == (-1, book.node[w], book.node[w])
            assert now.free_s[w] == book.idle_since_s[w] <= now.time_s
        elif book.has_ended[claim.task]:
            goal, free_s, _ = book.goes_on_to(claim)
            assert status is WorkerStatus.RELEASED
            assert (now.worker_task[w], now.worker_goal[w]) == (-1, goal)
            assert now.free_s[w] == free_s > now.time_s
            assert free_s >= now.end_s[claim.task]
        else:
            arrived = claim.arrive_s <= now.time_s
            assert status is (WorkerStatus.WORKING if arrived else WorkerStatus.TRAVELLING)
            assert now.worker_task[w] == claim.task
            assert now.worker_goal[w] == book.world.tasks[claim.task].node


def workers_are_where_they_are_said_to_be(book: Book) -> None:
    """At a node while idle or working; under way, nowhere outside the network."""
    network, now = book.simulation.network, book.now
    for w, status in enumerate(now.worker_status):
        if status in (WorkerStatus.IDLE, WorkerStatus.WORKING):
            node = now.worker_goal[w]
            assert (now.worker_x_m[w], now.worker_y_m[w]) == (network.x_m[node], network.y_m[node])
    for along, nodes in ((now.worker_x_m, network.x_m), (now.worker_y_m, network.y_m)):
        assert (along >= nodes.min() - 1e-9).all()
        assert (along <= nodes.max() + 1e-9).all()


def crews_are_the_workers_that_claim_the_task(book: Book) -> None:
    """The counts of a task and its two lists hold exactly those that are at it, and those on their way to it."""
    tasks, workers = book.simulation.state.tasks, book.simulation.state.workers
    for i in range(len(book.world.tasks)):
        present = _listed(int(tasks.first_present[0, i]), workers.next_worker[0])
        en_route = _listed(int(tasks.first_en_route[0, i]), workers.next_worker[0])
        claims = [] if book.has_ended[i] else [claim for claim in book.claims.values() if claim.task == i]
        arrived = {claim.worker for claim in claims if claim.arrive_s <= book.now.time_s}
        coming = sorted((claim.arrive_s, claim.worker) for claim in claims if claim.worker not in arrived)
        assert (len(present), set(present)) == (len(arrived), arrived)
        assert en_route == [worker for _, worker in coming]
        assert (tasks.present[0, i], tasks.en_route[0, i]) == (len(present), len(en_route))


def _listed(first: int, following: np.ndarray) -> list[int]:
    listed: list[int] = []
    while first >= 0:
        assert first not in listed, "a list that bites its tail"
        listed.append(first)
        first = int(following[first])
    return listed


def tasks_only_move_forward(book: Book) -> None:
    """From pending to open to finished or expired; what an ended task was paid, and when, stays."""
    for i, task in enumerate(book.world.tasks):
        status, end_s = TaskStatus(book.now.task_status[i]), book.now.end_s[i]
        was, ended_before = TaskStatus(book.before.task_status[i]), book.has_ended[i] and i not in book.just_ended
        if ended_before:
            assert (status, end_s, book.now.paid[i]) == (was, book.before.end_s[i], book.before.paid[i])
        if status is TaskStatus.PENDING:
            assert book.now.time_s < task.created_s
            assert was is TaskStatus.PENDING
        elif status is TaskStatus.OPEN:
            assert task.created_s <= book.now.time_s < task.deadline_s
        elif not ended_before:
            assert book.before.time_s <= end_s <= book.now.time_s
        assert np.isnan(end_s) == (not book.has_ended[i])


def a_task_is_paid_by_the_formula(book: Book) -> None:
    """Finished before its deadline, for what the paper says; expired at its deadline, for nothing."""
    for i, task in enumerate(book.world.tasks):
        status, end_s = book.now.task_status[i], float(book.now.end_s[i])
        if status == TaskStatus.FINISHED:
            assert task.created_s <= end_s < task.deadline_s
            assert book.now.paid[i] == payment(task, book.world.penalty_per_s, end_s)
            assert 0.0 <= book.now.paid[i] <= task.max_payment
        else:
            assert book.now.paid[i] == 0.0
            if status == TaskStatus.EXPIRED:
                assert end_s == task.deadline_s


def work_adds_up(book: Book) -> None:
    """The worker-seconds of a task's crew are what is gone of its workload: all of it when it has finished."""
    for i, task in enumerate(book.world.tasks):
        status = book.now.task_status[i]
        until_s = float(book.now.end_s[i]) if book.has_ended[i] else book.now.time_s
        crew = book.crew(i)
        done_s = sum(until_s - claim.arrive_s for claim in crew)
        slack_s = ROUNDING * (task.workload_s + until_s * (1 + len(crew)))
        if status == TaskStatus.FINISHED:
            assert crew
            assert abs(done_s - task.workload_s) <= slack_s
        else:
            assert done_s <= task.workload_s + slack_s
        if status in (TaskStatus.PENDING, TaskStatus.OPEN):
            assert 0.0 <= book.now.work_left_s[i] <= book.before.work_left_s[i] + slack_s
            assert abs(task.workload_s - done_s - book.now.work_left_s[i]) <= slack_s


def a_task_finishes_when_it_was_foreseen(book: Book) -> None:
    """From an epoch on, unless a worker arrives before: at the last arrival + work left / crew, to the last bit."""
    tasks, own = book.simulation.state.tasks, observation_layout(book.world.max_candidates)["w_self"]
    until_idle = rows_of(book.simulation, own)[:, 0, own.features.index("until_idle")]  # [W] of the horizon
    for i, task in enumerate(book.world.tasks):
        crew = book.crew(i)
        if book.now.task_status[i] == TaskStatus.OPEN and crew:
            finish_s = tasks.since_s[0, i] + tasks.work_left_s[0, i] / len(crew)
            assert tasks.since_s[0, i] == crew[-1].arrive_s
            assert finish_s > book.now.time_s, "it should have finished"
            for claim in crew:
                left = (finish_s - book.now.time_s) / book.world.horizon_s
                assert abs(until_idle[claim.worker] - min(1.0, left)) <= 1e-6
        if i in book.just_ended and book.now.task_status[i] == TaskStatus.FINISHED:
            left_s = task.workload_s
            for number, (claim, following) in enumerate(pairwise(crew), start=1):
                left_s -= number * (following.arrive_s - claim.arrive_s)
            assert book.now.end_s[i] == crew[-1].arrive_s + left_s / len(crew)


def masks_are_what_may_be_taken(book: Book) -> None:
    """The candidates are the nearest open tasks of a worker's skills within range, and the mask is one for each."""
    epoch = book.simulation.state.output
    for w in range(len(book.world.workers)):
        legal = book.legal_tasks(w)
        empty = book.world.max_candidates - len(legal)
        assert epoch.candidates[0, w].tolist() == legal + [-1] * empty
        assert epoch.mask[0, w].tolist() == [1] * (1 + len(legal)) + [0] * empty


def a_step_accepts_what_the_mask_allows(book: Book) -> None:
    """Every single action of a worker is tried: a masked one is a hold, bit by bit, that is counted as illegal.

    At each epoch another worker's, as that takes a step for each.
    """
    simulation = book.simulation
    if is_over(simulation):
        return
    start = Moment.of(simulation)
    mask, candidates = simulation.state.output.mask[0].copy(), simulation.state.output.candidates[0].copy()
    simulation.step(hold(simulation))
    after_hold = Moment.of(simulation)
    w = int(start.arrays["epochs"][0]) % len(mask)
    for action in range(1, mask.shape[1]):
        start.restore(simulation)
        joint = hold(simulation)
        joint[0, w] = action
        simulation.step(joint)
        if mask[w, action]:
            task = candidates[w, action - 1]
            assert simulation.state.workers.illegal[0, w] == book.now.worker_illegal[w]
            assert simulation.state.workers.depart_s[0, w] == book.now.time_s
            assert (
                simulation.state.workers.task[0, w] == task
                or simulation.state.tasks.status[0, task] >= TaskStatus.FINISHED
            )
        else:
            assert after_hold.changes(Moment.of(simulation)) == {"state.workers.illegal"}
            more = simulation.state.workers.illegal[0] - book.now.worker_illegal
            assert more.tolist() == [int(other == w) for other in range(len(mask))]
    start.restore(simulation)


def observations_are_finite_and_within_their_space(book: Book) -> None:
    """Every number in [-1, 1], flags 0 or 1, as many candidates as actions, rows behind the last one all zero."""
    simulation = book.simulation
    for numbers in (simulation.observations[0], global_state(simulation, 0)):
        assert np.isfinite(numbers).all()
        assert (np.abs(numbers) <= 1.0).all()
    for part in observation_layout(book.world.max_candidates):
        rows = rows_of(simulation, part)
        if part.name == "w_self":
            states = [part.features.index(status.name.lower()) for status in WorkerStatus]
            assert (rows[:, 0, states] == np.eye(4)[book.now.worker_status]).all()
            continue
        present = rows[:, :, part.features.index("present")]
        assert np.isin(present, (0.0, 1.0)).all()
        assert (np.diff(present, axis=1) <= 0).all()
        assert (rows[present == 0.0] == 0.0).all()
        if part.name == "T_optional":
            assert (present == simulation.state.output.mask[0][:, 1:]).all()


def revenue_is_what_was_paid(book: Book) -> None:
    """The payments of finished tasks: never more than their maxima together, and never less than before."""
    now, before = book.now.metrics, book.before.metrics
    finished = book.now.task_status == TaskStatus.FINISHED
    most = sum(task.max_payment for task, done in zip(book.world.tasks, finished, strict=True) if done)
    assert before.revenue <= now.revenue <= most * (1 + ROUNDING)
    assert now.completed == finished.sum() >= before.completed
    assert now.expired == (book.now.task_status == TaskStatus.EXPIRED).sum() >= before.expired


def rewards_add_up(book: Book) -> None:
    """Contribution and team rewards are the revenue of the interval, and each share that of the worker-seconds."""
    simulation = book.simulation
    if simulation.epochs[0] == 0:
        return
    share, team, individual = (rewards(simulation, name) for name in ("contribution", "team", "individual"))
    revenue = sum(float(book.now.paid[i]) for i in book.just_ended)
    assert abs(share.sum() - revenue) <= ROUNDING * revenue
    assert abs(team.sum() - revenue) <= ROUNDING * revenue
    assert len(set(team.tolist())) == 1
    assert abs(book.now.metrics.revenue - book.before.metrics.revenue - revenue) <= ROUNDING * book.now.metrics.revenue

    expected = np.zeros(len(share))
    for i in book.just_ended:
        crew, end_s = book.crew(i), book.now.end_s[i]
        total_s = sum(end_s - claim.arrive_s for claim in crew)
        for claim in crew:
            part = (end_s - claim.arrive_s) / total_s if total_s > 0 else 1 / len(crew)
            expected[claim.worker] += book.now.paid[i] * part
    np.testing.assert_allclose(share, expected, rtol=1e-9, atol=0.0)

    crews = {claim.task: 0 for claim in book.joiners}
    for task in crews:
        joined = sum(claim.task == task for claim in book.joiners)
        crews[task] = joined + book.before.workers_present[task] + book.before.workers_en_route[task]
    expected = np.zeros(len(share))
    for claim in book.joiners:
        expected[claim.worker] = claim.work_left_s / crews[claim.task]
    assert individual.tolist() == expected.tolist()


def illegal_actions_are_counted(book: Book) -> None:
    """Exactly, worker by worker and together."""
    assert book.now.metrics.illegal == book.now.worker_illegal.sum() == book.illegal


def travel_is_what_was_driven(book: Book) -> None:
    """Never less than before, never more than all driving all the time, and the sum of the trips in the book."""
    world, now_s, travel_m = book.world, book.now.time_s, book.now.metrics.travel_m
    # A time is rounded to 2e-16 of itself, and what is driven meanwhile is not driven, or twice.
    slack_m = ROUNDING * (world.speed_mps * now_s * len(world.workers) + travel_m)
    assert book.before.metrics.travel_m <= travel_m + slack_m
    assert travel_m <= world.speed_mps * now_s * len(world.workers) + slack_m
    expected_m = book.ended_trips_m
    for claim in book.claims.values():
        goal = book.world.tasks[claim.task].node
        units = book.goes_on_to(claim)[2] if book.has_ended[claim.task] else book.units[claim.origin][goal]
        driven_m = units * world.unit_m
        expected_m += driven_m if claim.arrive_s <= now_s else min(world.speed_mps * (now_s - claim.depart_s), driven_m)
    assert abs(travel_m - expected_m) <= slack_m


ALWAYS = (
    workers_are_each_in_one_state,
    workers_are_where_they_are_said_to_be,
    crews_are_the_workers_that_claim_the_task,
    tasks_only_move_forward,
    a_task_is_paid_by_the_formula,
    work_adds_up,
    a_task_finishes_when_it_was_foreseen,
    masks_are_what_may_be_taken,
    a_step_accepts_what_the_mask_allows,
    observations_are_finite_and_within_their_space,
    revenue_is_what_was_paid,
    rewards_add_up,
    illegal_actions_are_counted,
    travel_is_what_was_driven,
)
