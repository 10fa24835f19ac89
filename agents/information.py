"""Information classes: what a policy is given to decide by. A policy declares its class in an attribute `information`.

    class Nearest:
        information = "decentralised"

        def act(self, observations, infos):
            return {agent: int(info["action_mask"][1]) for agent, info in infos.items()}

A policy that declares nothing is centralised. ``docs/isolation.md`` says how each class is enforced.
"""

from enum import StrEnum

from crowdgym.common.errors import PolicyError
from crowdgym.common.text import shown


class Information(StrEnum):
    """What a policy is given.

    Attributes:
        DECENTRALISED: an agent decides by its own observations and infos, of this moment and of earlier ones.
        CENTRALISED: the observations and infos of all agents, and the global state.
        CLAIRVOYANT: the same, and the instance: all that will happen. For bounds and offline solvers.
    """

    DECENTRALISED = "decentralised"
    CENTRALISED = "centralised"
    CLAIRVOYANT = "clairvoyant"


def information_of(policy: object) -> Information:
    """The information class that a policy declares.

    Raises:
        PolicyError: it declares something else.
    """
    try:
        declared = getattr(policy, "information", Information.CENTRALISED)
    except Exception as error:
        raise PolicyError(f"information of a policy cannot be read: {type(error).__name__}") from error
    if not isinstance(declared, str) or declared not in tuple(Information):
        raise PolicyError(f"information of a policy must be one of {', '.join(Information)}, got {shown(declared)}")
    return Information(declared)
