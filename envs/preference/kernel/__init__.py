"""The compiled simulation of preference-aware assignment."""
