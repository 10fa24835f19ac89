"""Rules that read only action masks, so they play every environment."""

from crowdgym.agents.catalogue import PolicySpec

POLICIES = (
    PolicySpec("random", "every agent draws a legal action", "crowdgym.agents.any.random_policy:RandomPolicy"),
    PolicySpec("hold", "no agent acts: a baseline for comparisons", "crowdgym.agents.any.hold:HoldPolicy"),
)
