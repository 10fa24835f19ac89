"""Training of the agents that learn: what ``crowdgym train`` does."""
