"""Synthetic cities, drawn after the figures of real ones, so that everything runs with no download."""

from crowdgym.data.synthetic.cities.build import CITY_NAMES, CITY_VERSION, build_city

__all__ = ["CITY_NAMES", "CITY_VERSION", "build_city"]
