"""The turns of `csc_v0`: `crowdgym.envs.api.definition.Turns` of a simulation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdgym.common.references import reference_to
from crowdgym.envs.api.definition import ACTION_MASK
from crowdgym.envs.csc.kernel.observation import OPTIONAL, columns
from crowdgym.envs.csc.kernel.simulation import CscSimulation
from crowdgym.envs.csc.kernel.turns import NO_CHOOSER, begin_turns, empty_turns, observe_in_turn, take_turn


class CscTurns:
    """Workers of B copies that choose one after the other. ``docs/csc_dynamics.md``, "Turns", states the rules.

    Attributes:
        chooser: whose turn it is in each copy, or -1. Shape [B].
        joint: the actions of the present epoch so far. Shape [B, W].
    """

    def __init__(self, simulation: CscSimulation) -> None:
        settings = simulation.settings
        self._simulation = simulation
        self._state = empty_turns(
            len(simulation.epochs), settings.num_workers, settings.num_tasks, settings.max_candidates
        )
        self._passed = reference_to(self._state)
        self._near = columns(settings.max_candidates).near_tasks
        self.chooser: NDArray[np.integer[Any]] = self._state.chooser
        self.joint: NDArray[np.int64] = self._state.joint

    def begin(self, copies: NDArray[np.int64]) -> None:
        """Begin the turns of the present epoch in some copies; there are none where the episode is over."""
        simulation = self._simulation
        now_s = np.array([simulation.now_s(b) for b in range(len(simulation.epochs))])
        begin_turns(simulation.passed, simulation.roads, simulation.rules, self._passed, copies, now_s)
        over = copies[simulation.is_over()[copies]]
        self.chooser[over] = NO_CHOOSER
        self._state.mask[over, :, 1:] = 0

    def choose(self, copies: NDArray[np.int64], actions: NDArray[np.int64]) -> None:
        """Let whose turn it is in some copies act, and call the next. ``actions``: of every copy, shape [B]."""
        take_turn(self._simulation.passed, self._simulation.rules, self._passed, copies, actions)

    def agent_arrays(self) -> Mapping[str, NDArray[Any]]:
        """See `crowdgym.envs.api.definition.Turns`. Masks, candidates, and what was asked for, as they are in turn."""
        asked = dict(self._simulation.asked)
        if "gain" in asked:
            asked["gain"] = self._state.gain
        more = {"pair_gain": self._state.pair_gain} if "gain" in asked else {}
        return {ACTION_MASK: self._state.mask, "candidates": self._simulation.state.output.candidates, **asked, **more}

    def observation(self, b: int, agent: int) -> NDArray[np.float32]:
        """What a worker of copy ``b`` sees, as those before it have chosen. A new array, shape [F]."""
        row: NDArray[np.float32] = self._simulation.observations[b, agent].copy()
        observe_in_turn(self._simulation.passed, self._passed, b, agent, OPTIONAL, self._near, row)
        return row
