"""Preference-aware assignment with federated centres: centres offer tasks to their workers, who may decline."""
