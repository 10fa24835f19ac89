"""Execution of independent jobs: what a job is, and the engines that run many of them."""
