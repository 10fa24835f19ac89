"""Federated learning of preferences from start to end, for measurements: train, and keep the best round."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from crowdgym.agents.learning.centres import Centres
from crowdgym.agents.ta_fpl.federation import Federation, FederationAssessment
from crowdgym.configs.ta_fpl import TaFplSettings
from crowdgym.learners import find_learner
from crowdgym.training.centres import make_centres

EVERY: Final = 2  # rounds between two validations
PATIENCE: Final = 2  # validations without a better one, after which training ends


@dataclass(frozen=True)
class LearntPreferences:
    """What a federation has learnt.

    Attributes:
        federation: with the state of the best round.
        centres: its centres, in this process.
        assessment: what all centres say of that round; its ``preferences`` are those of all workers, [W, C].
        best_round: its number, from 1 on.
    """

    federation: Federation
    centres: Centres
    assessment: FederationAssessment
    best_round: int


def learn_preferences(env: Any, settings: TaFplSettings, seed: int) -> LearntPreferences:
    """Train TA-FPL on the histories of an environment, at most ``settings.rounds`` rounds.

    The best round is that of the smallest loss on the validation events of all centres, as in
    `crowdgym.agents.ta_fpl.federation.FederatedTrainer`.

    Args:
        env: of ``preference_v0``; only its centres' records and what is public are read.
        settings: hyperparameters.
        seed: of all random draws.
    """
    centres = make_centres(find_learner("ta-fpl"), env, settings, seed, jobs=1)
    federation = Federation(settings, centres, seed)
    found: LearntPreferences | None = None
    least, state = np.inf, federation.state
    for number in range(1, settings.rounds + 1):
        federation.round(number - 1)
        if number % EVERY and number < settings.rounds:
            continue
        assessment = federation.assess()
        if found is None or assessment.figures["loss"] < least:
            least, state = assessment.figures["loss"], federation.state
            found = LearntPreferences(federation, centres, assessment, number)
        elif number - found.best_round >= PATIENCE * EVERY:
            break
    assert found is not None  # there is at least one round, and the last is assessed
    federation.state = state
    return found
