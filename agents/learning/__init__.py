"""What learners share: playing episodes, rewards, advantages, networks, checkpoints. See `trainer` for the seam."""
