"""Whether a worker accepts a task: the model of ``docs/preference_dynamics.md``. Hidden truth, for simulations only."""

import numpy as np
from numpy.typing import NDArray

from crowdgym.configs.preference import PreferenceSettings
from crowdgym.envs.preference.instance import PreferenceInstance


def acceptance_probabilities(preference: NDArray[np.float64], settings: PreferenceSettings) -> NDArray[np.float64]:
    """a(w, c) of every worker and category.

    Args:
        preference: p_w. Shape [W, C].
        settings: for the acceptance model and its constants.

    Returns:
        Shape [W, C].
    """
    if settings.acceptance == "always":
        return np.ones_like(preference)
    low, high = settings.acceptance_min, settings.acceptance_max
    relative = preference / preference.max(axis=1, keepdims=True)
    probabilities: NDArray[np.float64] = low + (high - low) * relative**settings.acceptance_exponent
    return probabilities


def willing(instance: PreferenceInstance, settings: PreferenceSettings) -> NDArray[np.bool_]:
    """Which workers would accept which tasks. Shape [W, T]."""
    probabilities = acceptance_probabilities(instance.preference, settings)
    return instance.lots < probabilities[:, instance.task_category]
