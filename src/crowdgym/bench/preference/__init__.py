"""The suite ``preference-sources``."""
