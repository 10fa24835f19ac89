"""Synthetic cities and sensing series, drawn after the figures of real ones."""
