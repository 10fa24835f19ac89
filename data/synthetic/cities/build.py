"""Build a synthetic city by its name."""

import numpy as np

from crowdgym.common.errors import DataError
from crowdgym.data.dataset import Dataset
from crowdgym.data.synthetic.cities.plan import CityPlan

CITY_NAMES = ("haikou-synth", "chengdu-synth", "tiny")
CITY_VERSION = "1.1"  # to be raised whenever the same name gives another city


def build_city(name: str) -> Dataset:
    """Build one of the synthetic cities: the same one at every call and on every machine.

    Args:
        name: one of `CITY_NAMES`.

    Returns:
        Its roads, 14 days of orders from a Monday, and the category of every node.

    Raises:
        DataError: there is no synthetic city of this name.
    """
    from crowdgym.data.categories import assign_categories
    from crowdgym.data.synthetic.cities.demand import draw_orders
    from crowdgym.data.synthetic.cities.streets import build_streets, centre_m, to_network

    plan = plan_of(name)
    streets_seed, orders_seed, categories_seed = np.random.SeedSequence(plan.entropy).spawn(3)
    generator = np.random.default_rng(streets_seed)
    mesh = build_streets(plan, generator)
    network = to_network(mesh, plan, generator)
    orders = draw_orders(plan, network, centre_m(plan), orders_seed)
    category = assign_categories(network, orders, np.random.default_rng(categories_seed))
    return Dataset(name, network, orders, category)


def plan_of(name: str) -> CityPlan:
    """Return the plan that a city is built from; raises `DataError` where there is none."""
    if name == "tiny":
        from crowdgym.data.synthetic.cities.plan_tiny import TINY

        return TINY
    if name == "haikou-synth":
        from crowdgym.data.synthetic.cities.plan_haikou import HAIKOU

        return HAIKOU
    if name == "chengdu-synth":
        from crowdgym.data.synthetic.cities.plan_chengdu import CHENGDU

        return CHENGDU
    raise DataError(f"unknown synthetic city {name!r}; expected one of {', '.join(CITY_NAMES)}")
