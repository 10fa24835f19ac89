"""A whole environment in one folder."""
