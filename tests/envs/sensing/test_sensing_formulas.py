"""Inference, error, cost and gains against the formulas written plainly, on worlds drawn at random, with gaps."""

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdgym.configs.sensing import AgentsName
from crowdgym.envs.sensing.agent_modes import AGENT_MODES
from crowdgym.envs.sensing.inference import InferenceStrategy, NearestInference, PlacesInference
from crowdgym.envs.sensing.instance import SensingInstance
from crowdgym.envs.sensing.kernel.simulation import SensingSimulation
from crowdgym.envs.sensing.kernel.state import World
from crowdgym.envs.sensing.svr import SvrInference

Floats = NDArray[np.float64]
CELLS, CYCLES, ATTRIBUTES, PARTICIPANTS = 9, 6, 3, 4
EXACT = {"rtol": 0.0, "atol": 1e-9, "equal_nan": True}


def plain_nearest(places_km: Floats, collected: Floats, neighbours: int, power: float) -> Floats:
    """KNN and IDW as the paper has them (section 5.2), each cell without its own value."""
    inferred = np.full(collected.shape, np.nan)
    for x in range(len(places_km)):
        distance = np.linalg.norm(places_km - places_km[x], axis=1)
        for a in range(collected.shape[1]):
            known = [z for z in range(len(places_km)) if z != x and not np.isnan(collected[z, a])]
            chosen = sorted(known, key=lambda z: (distance[z], z))[:neighbours]
            if chosen:
                weight = np.array([max(distance[z], 1e-6) ** -power for z in chosen])
                inferred[x, a] = weight @ collected[chosen, a] / weight.sum()
    return inferred


def plain_error(inferred: Floats, truth: Floats, counts: NDArray[np.bool_], scale: Floats) -> Floats:
    """SE of each attribute: the mean absolute error of the cells that count, by its scale."""
    errors = np.zeros(len(scale))
    for a in range(len(scale)):
        terms = [
            scale[a] if np.isnan(inferred[x, a]) else abs(inferred[x, a] - truth[x, a])
            for x in np.flatnonzero(counts)
            if not np.isnan(truth[x, a])
        ]
        errors[a] = np.mean(terms) / scale[a] if terms else 0.0
    return errors


class Game:
    """A simulation on a random world, and the same told plainly beside it."""

    def __init__(self, seed: int, inference: InferenceStrategy, agents: AgentsName) -> None:
        self.generator = np.random.default_rng(seed)
        self.places_km = np.round(self.generator.random((CELLS, 2)) * 4) / 2  # many ties of distance, some at one place
        values = self.generator.normal(size=(CYCLES, CELLS, ATTRIBUTES))
        values[self.generator.random(values.shape) < 0.3] = np.nan
        self.instance = SensingInstance(values, self.generator.integers(CELLS, size=PARTICIPANTS).astype(np.int32))
        self.scale = self.generator.uniform(0.5, 3.0, ATTRIBUTES)
        self.agents: AgentsName = agents
        mode = AGENT_MODES[agents](CELLS, PARTICIPANTS, ("a", "b", "c"))
        world = World.of(self.places_km[:, 0], self.places_km[:, 1], self.scale)
        self.simulation = SensingSimulation(world, mode, inference, cycles=CYCLES, batch=3, needs_gains=True)
        for b in range(3):
            self.simulation.reset_copy(b, self.instance)

    def joint_action(self) -> NDArray[np.int64]:
        sizes = (CELLS, PARTICIPANTS + 1) if self.agents == "cells" else (PARTICIPANTS, CELLS)
        return self.generator.integers(sizes[1], size=sizes[0])

    def move(self, cell: NDArray[np.int64], joint: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the participants go."""
        if self.agents == "participants":
            return joint
        distance = np.linalg.norm(self.places_km[:, np.newaxis] - self.places_km, axis=2)
        return np.array(
            [
                min(np.flatnonzero(joint == p + 1), key=lambda x: (distance[u, x], x)) if p + 1 in joint else u
                for p, u in enumerate(cell)
            ]
        )


@pytest.mark.parametrize("agents", ["cells", "participants"])
@pytest.mark.parametrize(("neighbours", "power"), [(3, 0.0), (5, 2.0), (1, 0.0), (20, 0.7)])
@pytest.mark.parametrize("seed", range(5))
def test_a_whole_episode_is_what_the_formulas_say(seed: int, neighbours: int, power: float, agents: AgentsName) -> None:
    game = Game(seed, NearestInference("nearest", neighbours, power), agents)
    simulation, state = game.simulation, game.simulation.state
    cell, before = game.instance.cell.astype(np.int64), np.full((CELLS, ATTRIBUTES), np.nan)
    errors, costs = [], []
    for cycle in range(CYCLES):
        came_from = cell
        if cycle:
            joint = game.joint_action()
            cell = game.move(cell, joint)
            simulation.step(np.repeat(joint[np.newaxis], 3, axis=0), np.array([1]))  # one copy of three
        truth = game.instance.values[cycle]
        sensed = np.isin(np.arange(CELLS), cell)
        collected = np.where(sensed[:, np.newaxis], truth, np.nan)
        guess = plain_nearest(game.places_km, collected, neighbours, power)
        inferred = np.where(np.isnan(guess), before, guess)
        travel_km = np.linalg.norm(game.places_km[came_from] - game.places_km[cell], axis=1)
        errors.append(plain_error(inferred, truth, ~sensed, game.scale))
        costs.append(travel_km.mean())

        assert state.participants.cell[1].tolist() == cell.tolist()
        np.testing.assert_array_equal(state.cells.collected[1], collected)
        np.testing.assert_allclose(state.cells.inferred[1], inferred, **EXACT)  # type: ignore[arg-type]
        assert state.outcome.error[1] == pytest.approx(errors[-1].sum(), abs=1e-9)
        assert state.outcome.cost_km[1] == pytest.approx(costs[-1], abs=1e-9)
        metrics = simulation.metrics(1)
        assert metrics.error_per_attribute == pytest.approx(np.mean(errors, axis=0), abs=1e-9)
        assert metrics.error == pytest.approx(np.mean(errors, axis=0).sum(), abs=1e-9)
        assert metrics.cost_km == pytest.approx(np.mean(costs), abs=1e-9)
        for x in range(CELLS):
            if not sensed[x]:
                assert np.isnan(state.outcome.error_without[1, x])
                continue
            fewer, counts = collected.copy(), ~sensed
            fewer[x], counts[x] = np.nan, True
            guess = plain_nearest(game.places_km, fewer, neighbours, power)
            without = plain_error(np.where(np.isnan(guess), before, guess), truth, counts, game.scale).sum()
            assert state.outcome.error_without[1, x] == pytest.approx(without, abs=1e-9)
        before = inferred
    assert simulation.is_over().tolist() == [False, True, False]


class PlainNearest(PlacesInference):
    """KNN once more, written as a user writes a strategy of their own."""

    name = "plain"

    def values(self, places_km: Floats, collected: Floats) -> Floats:
        return plain_nearest(places_km, collected, 3, 0.0)


@pytest.mark.parametrize("agents", ["cells", "participants"])
@pytest.mark.parametrize("seed", range(5))
def test_a_strategy_in_plain_python_plays_as_the_kernel_does(seed: int, agents: AgentsName) -> None:
    games = [Game(seed, inference, agents) for inference in (NearestInference("knn", 3, 0.0), PlainNearest())]
    for _ in range(CYCLES - 1):
        joint = np.repeat(games[0].joint_action()[np.newaxis], 3, axis=0)
        for game in games:
            game.simulation.step(joint)
        kernel, plain = (game.simulation for game in games)
        for part in ("cells", "outcome", "totals"):
            for name, array in getattr(kernel.state, part)._asdict().items():
                other = getattr(getattr(plain.state, part), name)
                np.testing.assert_allclose(array, other, rtol=0, atol=1e-9, equal_nan=True, err_msg=name)
        np.testing.assert_allclose(kernel.observations, plain.observations, atol=1e-6)


# ---- support vector regression ----


def test_svr_fits_coordinates_scaled_by_their_spread_and_values_by_their_own() -> None:
    from sklearn.svm import SVR

    generator = np.random.default_rng(1)
    places_km, collected = generator.random((8, 2)) * 100, generator.normal(50.0, 9.0, (8, 1))
    collected[5:] = np.nan
    inferred = SvrInference(1.0, 0.1).values(places_km, collected)
    places = (places_km - places_km.mean(axis=0)) / (places_km - places_km.mean(axis=0)).std()
    for x in range(8):
        known = np.array([z for z in range(5) if z != x])
        mean, deviation = collected[known, 0].mean(), collected[known, 0].std()
        model = SVR(C=1.0, epsilon=0.1, kernel="rbf", gamma="scale")
        model.fit(places[known], (collected[known, 0] - mean) / deviation)
        assert inferred[x, 0] == pytest.approx(model.predict(places[x : x + 1])[0] * deviation + mean, abs=1e-9)


def test_svr_without_the_inner_solver_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from crowdgym.envs.sensing import svr

    def changed(*_: object) -> None:
        raise TypeError("the solver takes other arguments now")

    generator = np.random.default_rng(2)
    places_km, collected = generator.random((7, 2)), generator.normal(size=(7, 2))
    collected[4:, 0] = np.nan
    expected = SvrInference(1.0, 0.1).values(places_km, collected)
    assert svr._fit() is svr._fit_by_solver
    svr._fit.cache_clear()
    monkeypatch.setattr(svr, "_fit_by_solver", changed)
    assert svr._fit() is svr._fit_by_estimator
    np.testing.assert_allclose(SvrInference(1.0, 0.1).values(places_km, collected), expected, rtol=0, atol=1e-12)
    svr._fit.cache_clear()


def test_svr_of_a_single_value_is_that_value_and_of_none_nothing() -> None:
    places_km = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    collected = np.array([[7.0, np.nan], [np.nan, np.nan], [np.nan, np.nan]])
    inferred = SvrInference(1.0, 0.1).values(places_km, collected)
    np.testing.assert_array_equal(inferred, [[np.nan, np.nan], [7.0, np.nan], [7.0, np.nan]])


def test_svr_of_equal_values_is_that_value() -> None:
    places_km = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    inferred = SvrInference(1.0, 0.1).values(places_km, np.array([[4.0], [4.0], [np.nan]]))
    np.testing.assert_allclose(inferred, 4.0)
