"""The policy that an evolution strategy searches."""

from typing import Any, Final

from crowdgym.agents.row_policy import RowPolicy
from crowdgym.common.entry_points import load_entry_point
from crowdgym.common.errors import ConfigError
from crowdgym.configs.es import EsSettings

PARAMETERS: Final = "parameters"  # the tensor that the parameters are stored in


def searched_policy(settings: EsSettings) -> RowPolicy:
    """The policy that the settings name.

    Raises:
        ConfigError: it is no `RowPolicy`, or has no parameters.
    """
    policy: Any = load_entry_point(settings.policy)()
    if not isinstance(policy, RowPolicy) or not policy.parameters.names:
        raise ConfigError(f"policy must be a RowPolicy with parameters, got {settings.policy!r}")
    return policy
