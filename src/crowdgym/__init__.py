"""CrowdGym: PettingZoo parallel environments for spatial crowdsourcing on OpenStreetMap road graphs.

`make` makes an environment by its name. Importing this package also enters all environments in the registries of
PettingZoo and Gymnasium, so that ``pettingzoo.make("parallel", "crowdgym/csc-v0")`` and
``gymnasium.make("crowdgym/csc-v0")`` (the central dispatcher) work. Nothing heavy is imported before it is needed.
"""

from importlib.metadata import version

from crowdgym.registration import environment_names, environment_spec, make, register, register_environments

__all__ = ["__version__", "environment_names", "environment_spec", "make", "register"]
__version__ = version("crowdgym")

register_environments()
