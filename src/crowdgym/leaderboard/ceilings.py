"""What an instance offers: the score of a board is a share of it.

No policy exceeds it. The bounds of `crowdgym.envs` are tighter, but take seconds for each instance.
"""

from crowdgym.configs.csc import CscSettings
from crowdgym.configs.dasc import DascSettings
from crowdgym.configs.preference import PreferenceSettings
from crowdgym.envs.csc.instance import CscInstance
from crowdgym.envs.dasc.instance import DascInstance
from crowdgym.envs.preference.instance import PreferenceInstance


def csc_payments(instance: CscInstance, settings: CscSettings) -> float:
    """The largest payments of all tasks of `csc_v0`, in its unit of money."""
    return float(instance.payment.sum())


def dasc_payments(instance: DascInstance, settings: DascSettings) -> float:
    """The largest payments of all tasks of `dasc_v0`, in its unit of money. No travel is paid for."""
    return float(instance.payment.sum())


def preference_tasks(instance: PreferenceInstance, settings: PreferenceSettings) -> float:
    """The number of tasks of `preference_v0`."""
    return float(len(instance.task_node))
