"""Any sequence of legal and illegal actions, holds and resets in any small world leaves every invariant standing."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from invariants import csc_invariants as must_hold
from invariants.csc_ledger import Book
from invariants.csc_playing import begin, hold, is_over, legal, same_bits
from invariants.search_effort import ordinary, thorough
from invariants.world_strategies import JointAction, recast, wishes, worlds
from reference.csc_arrays import to_world
from reference.csc_instance import ReferenceInstance


class CscMachine(RuleBasedStateMachine):
    """One copy of the kernel, with a book kept beside it."""

    book: Book

    @initialize(world=worlds())
    def begin(self, world: ReferenceInstance) -> None:
        self.book = Book(world, begin(world))

    def episode_goes_on(self) -> bool:
        return not is_over(self.book.simulation)

    @precondition(episode_goes_on)
    @rule(wished=wishes)
    def legal_step(self, wished: JointAction) -> None:
        self.book.play(legal(self.book.simulation, wished)[0].tolist())

    @precondition(episode_goes_on)
    @rule(actions=wishes)
    def any_step(self, actions: JointAction) -> None:
        """Any action in the space, legal or not."""
        world = self.book.world
        self.book.play([min(action, world.max_candidates) for action in actions[: len(world.workers)]])

    @precondition(episode_goes_on)
    @rule(steps=st.integers(1, 10))
    def everyone_holds(self, steps: int) -> None:
        for _ in range(steps):
            if self.episode_goes_on():
                self.book.play(hold(self.book.simulation)[0].tolist())

    @rule(data=st.data())
    def reset(self, data: st.DataObject) -> None:
        """Another instance on the same roads: nothing of the episode before is left."""
        world, simulation = data.draw(recast(self.book.world)), self.book.simulation
        simulation.reset_copy(0, to_world(world).instance)
        self.book, fresh = Book(world, simulation), begin(world)
        assert same_bits(simulation.observations, fresh.observations)
        assert same_bits(simulation.state.epoch.mask, fresh.state.epoch.mask)

    @invariant()
    def workers(self) -> None:
        must_hold.workers_are_each_in_one_state(self.book)
        must_hold.workers_are_where_they_are_said_to_be(self.book)
        must_hold.crews_are_the_workers_that_claim_the_task(self.book)

    @invariant()
    def tasks(self) -> None:
        must_hold.tasks_only_move_forward(self.book)
        must_hold.a_task_is_paid_by_the_formula(self.book)
        must_hold.work_adds_up(self.book)
        must_hold.a_task_finishes_when_it_was_foreseen(self.book)

    @invariant()
    def decisions(self) -> None:
        must_hold.masks_are_what_may_be_taken(self.book)
        must_hold.a_step_accepts_what_the_mask_allows(self.book)
        must_hold.observations_are_finite_and_within_their_space(self.book)

    @invariant()
    def account(self) -> None:
        must_hold.revenue_is_what_was_paid(self.book)
        must_hold.rewards_add_up(self.book)
        must_hold.illegal_actions_are_counted(self.book)
        must_hold.travel_is_what_was_driven(self.book)


TestCscMachine = CscMachine.TestCase
TestCscMachine.settings = ordinary(examples=60, steps=12)


@pytest.mark.slow
class TestCscMachineForLong(CscMachine.TestCase):  # type: ignore[misc,name-defined]
    settings = thorough(examples=5_000, steps=40)
