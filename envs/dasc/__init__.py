"""Dependency-aware spatial crowdsourcing: tasks of interdependent subtasks; subtasks are the agents."""
