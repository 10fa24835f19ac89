"""Small centres for the tests of TA-FPL: records drawn at random, and settings that are quick."""

from typing import Any

import numpy as np

from crowdgym.agents.learning.centres import CentreRecords, CentreTask, PublicPlaces
from crowdgym.configs.ta_fpl import TaFplSettings

NUM_PLACES, NUM_CATEGORIES = 12, 3

PLACES = PublicPlaces(
    category=np.arange(NUM_PLACES) % NUM_CATEGORIES,
    popularity=np.arange(1.0, NUM_PLACES + 1),
    num_categories=NUM_CATEGORIES,
)

SMALL = {
    "embedding": 8,
    "heads": 2,
    "recent": 4,
    "in_category": 3,
    "top_categories": 2,
    "memory_rows": 4,
    "neighbours": 2,
    "batch_size": 16,
    "local_epochs": 1,
    "personal_epochs": 1,
    "validation_events": 2,
}


def settings(**changed: Any) -> TaFplSettings:
    return TaFplSettings.load("preference_v0", **{**SMALL, **changed})


def records(workers: list[int], events: int = 12, seed: int = 0) -> CentreRecords:
    place = np.random.default_rng(seed).integers(NUM_PLACES, size=len(workers) * events)
    return CentreRecords(np.array(workers), np.repeat(workers, events), place, PLACES.category[place])


def task(centre: int = 0, seed: int = 0, workers: list[int] | None = None, **changed: Any) -> CentreTask:
    own = [3 * centre, 3 * centre + 1, 3 * centre + 2] if workers is None else workers
    return CentreTask(settings(**changed), centre, PLACES, records(own, seed=centre), seed)
