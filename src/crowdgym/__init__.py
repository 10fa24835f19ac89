"""CrowdGym: PettingZoo parallel environments for spatial crowdsourcing on OpenStreetMap road graphs.

`make` makes an environment by its name. Importing this package also enters all environments in the registries of
PettingZoo and Gymnasium, so that ``pettingzoo.make("parallel", "crowdgym/csc-v0")`` and
``gymnasium.make("crowdgym/DASC-v0")`` work. Nothing heavy is imported before it is needed.
"""

from importlib.metadata import version

from crowdgym.registration import environment_names, make, register_environments

__all__ = ["__version__", "environment_names", "make"]
__version__ = version("crowdgym")

register_environments()
