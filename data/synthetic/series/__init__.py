"""Synthetic sensing series, drawn after the figures of a real one."""
