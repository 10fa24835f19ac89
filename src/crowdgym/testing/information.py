"""A check that a policy which acts for all agents at once is decentralised: no agent's action depends on other rows.

CrowdGym's own decentralised policies read all rows in one call, as it is faster. This check is what their declaration
rests on; a user's own policy is played in a process for each agent instead.
"""

import copy
from typing import Any

import numpy as np

from crowdgym.agents.information import Information
from crowdgym.agents.policy import EpisodicPolicy, Policy
from crowdgym.common.errors import CrowdGymError
from crowdgym.runner import episode_of


class InformationError(CrowdGymError, AssertionError):
    """An agent's action depends on the observations or infos of others. The message names the agent and the step."""


def check_decentralised(env: Any, policy: Policy, *, seed: int = 0, steps: int = 50) -> None:
    """Check that no agent's action changes when the other agents exchange their observations and infos.

    At each step one agent is drawn. The policy is asked twice, from the same state of its own: with the rows as they
    are, and with those of all other agents exchanged among them.

    Args:
        env: one of CrowdGym's parallel environments.
        policy: acts for all agents; can be copied by `copy.deepcopy`.
        seed: of the episode and of the draws.
        steps: the most steps to play.

    Raises:
        InformationError: an action has changed.
        PolicyError: the policy asked for the global state.
    """
    generator = np.random.default_rng(seed)
    observations, infos = env.reset(seed=seed)
    if isinstance(policy, EpisodicPolicy):
        policy.reset(episode_of(env, seed, Information.DECENTRALISED))
    for step in range(1, steps + 1):
        if not env.agents:
            return
        agent = str(generator.choice(env.agents))
        others = [other for other in env.agents if other != agent]
        given = dict(zip(others, generator.permutation(others).tolist(), strict=True)) | {agent: agent}
        twin = copy.deepcopy(policy)
        actions = policy.act(observations, infos)
        exchanged = twin.act(
            {one: observations[given[one]] for one in env.agents}, {one: infos[given[one]] for one in env.agents}
        )
        if actions[agent] != exchanged[agent]:
            raise InformationError(
                f"the action of {agent} in step {step} is {actions[agent]}, and {exchanged[agent]} when the other "
                "agents have exchanged their observations and infos"
            )
        observations, _, _, _, infos = env.step(actions)
