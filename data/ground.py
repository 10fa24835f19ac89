"""What lies between the streets of a city: water and greens, for pictures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdgym.data.registry import DAYS_MARK
from crowdgym.data.synthetic.cities.plan import Place


@dataclass(frozen=True)
class Ground:
    """Outlines in projected metres, as the network's coordinates are. Shape [n, 2] each, closed by itself.

    Attributes:
        land: where things happen, if an outline is known.
        green: parks and fields.
        water: the sea, rivers and lakes; over land and greens.
    """

    land: tuple[NDArray[np.float64], ...] = ()
    green: tuple[NDArray[np.float64], ...] = ()
    water: tuple[NDArray[np.float64], ...] = ()


NO_GROUND = Ground()


def ground_of(dataset: str) -> Ground:
    """What the plan of a synthetic city says; of other datasets nothing is known.

    Args:
        dataset: its name; days that are chosen do not matter.
    """
    from crowdgym.data.synthetic.cities.build import CITY_NAMES, plan_of
    from crowdgym.data.synthetic.cities.streets import centre_m

    name = dataset.partition(DAYS_MARK)[0]
    if name not in CITY_NAMES:
        return NO_GROUND
    plan = plan_of(name)
    origin_m = np.array(centre_m(plan))

    def placed(outline: tuple[Place, ...]) -> NDArray[np.float64]:
        corners_m: NDArray[np.float64] = np.array(outline, np.float64) + origin_m
        return corners_m

    return Ground(
        green=tuple(placed(area.outline) for area in plan.areas if not area.water),
        water=tuple(placed(outline) for outline in (plan.sea, *(a.outline for a in plan.areas if a.water)) if outline),
    )
