"""The solution checker of ``preference_v0``."""
