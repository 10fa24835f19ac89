"""Dispatchers for ``dasc_v0`` that learn nothing."""
