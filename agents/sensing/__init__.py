"""Schemes that send participants to cells, for ``sensing_v0`` with ``agents="cells"``."""
