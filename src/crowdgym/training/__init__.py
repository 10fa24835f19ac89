"""Training of learners, behind ``crowdgym train``."""
