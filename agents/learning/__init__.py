"""Shared parts of learners: collectors, rewards, advantages, networks, checkpoints. `trainer` has the interface."""
