"""Reference agents. They see what `reset` and `step` return, and nothing else."""
