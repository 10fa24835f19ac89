"""Executes many independent jobs: what a job is (`jobs`), and an engine that runs them in local processes."""
