"""Any sequence of legal and illegal actions, holds and resets in any small world leaves every invariant standing."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from invariants import csc_invariants as must_hold
from invariants.csc_ledger import Book
from invariants.csc_playing import begin, hold, is_over, legal, same_bits
from invariants.search_effort import ordinary, thorough
from invariants.world_strategies import JointAction, recast, wishes, worlds
from reference.csc_arrays import to_world
from reference.csc_instance import ReferenceInstance

SEVERAL_STEPS = st.lists(wishes, min_size=1, max_size=5)


class CscMachine(RuleBasedStateMachine):
    """One copy of the kernel, with a book kept beside it. Every invariant is checked at every epoch."""

    book: Book

    @initialize(world=worlds())
    def begin(self, world: ReferenceInstance) -> None:
        self.book = Book(world, begin(world))
        self.check()

    def episode_goes_on(self) -> bool:
        return not is_over(self.book.simulation)

    def play(self, actions: list[int]) -> None:
        self.book.play(actions)
        self.check()

    @precondition(episode_goes_on)
    @rule(wished=SEVERAL_STEPS)
    def legal_steps(self, wished: list[JointAction]) -> None:
        for wishes_now in wished:
            if self.episode_goes_on():
                self.play(legal(self.book.simulation, wishes_now)[0].tolist())

    @precondition(episode_goes_on)
    @rule(actions=SEVERAL_STEPS)
    def any_steps(self, actions: list[JointAction]) -> None:
        """Any action in the space, legal or not."""
        world = self.book.world
        for joint in actions:
            if self.episode_goes_on():
                self.play([min(action, world.max_candidates) for action in joint[: len(world.workers)]])

    @precondition(episode_goes_on)
    @rule(steps=st.integers(1, 5))
    def everyone_holds(self, steps: int) -> None:
        for _ in range(steps):
            if self.episode_goes_on():
                self.play(hold(self.book.simulation)[0].tolist())

    def episode_has_begun(self) -> bool:
        return bool(self.book.simulation.epochs[0] > 3) or not self.episode_goes_on()

    @precondition(episode_has_begun)
    @rule(data=st.data())
    def reset(self, data: st.DataObject) -> None:
        """Another instance on the same roads: nothing of the episode before is left."""
        world, simulation = data.draw(recast(self.book.world)), self.book.simulation
        simulation.reset_copy(0, to_world(world).instance)
        self.book, fresh = Book(world, simulation), begin(world)
        assert same_bits(simulation.observations, fresh.observations)
        assert same_bits(simulation.state.output.mask, fresh.state.output.mask)
        self.check()

    def check(self) -> None:
        for invariant in must_hold.ALWAYS:
            invariant(self.book)


TestCscMachine = CscMachine.TestCase
TestCscMachine.settings = ordinary(examples=100, steps=8)


@pytest.mark.slow
class TestCscMachineForLong(CscMachine.TestCase):  # type: ignore[misc,name-defined]
    settings = thorough(examples=3_000, steps=20)
