"""The models of benchmarks/dasc_exact.py against exhaustive search; skipped without OR-Tools."""

import sys
from pathlib import Path

import pytest
from test_dasc_bound_played import a_small_world, best_revenue

pytest.importorskip("ortools", reason="OR-Tools is not installed")
sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))


@pytest.mark.parametrize("seed", range(12))
def test_both_models_earn_what_exhaustive_search_does(seed: int) -> None:
    """In worlds of two workers and two tasks. Times are rounded to tenths of a second, so 0.1 apart is the same."""
    from dasc_exact import TICKS, Market, Model

    world = a_small_world(seed)
    best, unit = best_revenue(world), world.settings.penalty_per_s / TICKS
    cautious, optimistic = (Model(Market.of(world.instance, world.settings, of)).solve(10.0, 1) for of in (False, True))
    assert best - 0.1 <= cautious.objective_value * unit <= best + 1e-6
    assert best - 1e-6 <= optimistic.best_objective_bound * unit <= best + 0.1
