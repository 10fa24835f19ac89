"""Sensing series: what was true in each cell and cycle, read from files, fetched, or drawn after figures."""

from crowdgym.data.sensing.series import SensingSeries

__all__ = ["SensingSeries"]
