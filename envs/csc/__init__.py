"""Collaborative spatial crowdsourcing: several workers share one task; workers are the agents."""
