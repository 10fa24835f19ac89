"""Draws synthetic regions for sensing and keeps them as datasets, for training and tests away from Piemonte.

    python benchmarks/sensing_regions.py                    # all of `REGIONS`, as named here
    python benchmarks/sensing_regions.py train-1 cells-100  # some

Places and figures of attributes are drawn: how much lasts at a place, how far it is correlated, how long deviations
last, and how much has no pattern. So an attribute has another character in each region; only its name is that of one of
Piemonte's, since networks are trained and played with the same names. The regions named train-... are for training, the
others for tests only.
"""

import argparse
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crowdgym.data.sensing.build import keep_series
from crowdgym.data.synthetic.series.draw import draw
from crowdgym.data.synthetic.series.plan import AttributeFigures, GapFigures, Matrix, Place, SeriesPlan

_ENTROPY = 20_190_601  # of all draws, beside the number of the region
_TRANSFORMS: tuple[Literal["identity", "root", "logarithm"], ...] = ("identity", "root", "logarithm")


@dataclass(frozen=True)
class Region:
    """What a region is drawn from. The side of its square is in km."""

    number: int
    cells: int
    attributes: tuple[str, ...]
    days: int
    side_km: float


_NAMES = ("EMI", "PM10", "TEMP", "WS")
REGIONS = {
    **{f"train-{n}": Region(n, 24, _NAMES, 120, 150.0) for n in range(1, 5)},
    "stations-10": Region(101, 10, _NAMES[:3], 182, 60.0),
    "stations-24": Region(102, 24, _NAMES, 182, 150.0),
    "cells-100": Region(103, 100, _NAMES[:3], 182, 100.0),
    "cells-1000": Region(104, 1000, (*_NAMES, *(f"A{n}" for n in range(4, 10))), 60, 100.0),
}


def main() -> None:
    """Draw regions and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(REGIONS)}; default: all")
    names = parser.parse_args().names or list(REGIONS)
    for name in names:
        if name not in REGIONS:
            parser.error(f"unknown region {name!r}; expected one of {', '.join(REGIONS)}")
        built = keep_series(
            draw(plan(name, REGIONS[name]), np.random.SeedSequence([_ENTROPY, REGIONS[name].number, 1])),
            ["benchmarks/sensing_regions.py"],
            overwrite=True,
        )
        print(f"{name}: {built.series.num_cells} cells, {built.series.num_cycles} cycles in {built.folder}")


def plan(name: str, region: Region) -> SeriesPlan:
    """The plan of a region; the same at every call."""
    generator = np.random.default_rng([_ENTROPY, region.number])
    places = generator.uniform(0.0, region.side_km, (region.cells, 2)).round(3)
    number = len(region.attributes)
    return SeriesPlan(
        name=name,
        entropy=0,
        first_day="2005-10-01",
        days=region.days,
        crs="synthetic",
        cells=tuple(Place(str(k + 1), float(x), float(y)) for k, (x, y) in enumerate(places)),
        attributes=tuple(_figures(generator, attribute, region) for attribute in region.attributes),
        day_correlation=_correlation(generator, number),
        station_correlation=_correlation(generator, number),
        local_correlation=_correlation(generator, number),
        gaps=GapFigures(
            attribute=region.attributes[1],
            count=region.cells * region.days // 15,
            most_a_cycle=max(1, region.cells // 3),
            mean_length=4.0,
        ),
    )


def _figures(generator: np.random.Generator, name: str, region: Region) -> AttributeFigures:
    """Figures within the bounds that those of Piemonte's four attributes suggest."""
    mean = float(np.exp(generator.uniform(np.log(5.0), np.log(200.0))))
    return AttributeFigures(
        name=name,
        transform=_TRANSFORMS[int(generator.integers(len(_TRANSFORMS)))],
        decimals=2,
        mean=mean,
        sd=mean * generator.uniform(0.2, 0.9),
        lowest=0.0,
        season_sin=generator.uniform(-0.5, 0.5),
        season_cos=generator.uniform(-0.5, 0.5),
        weekday=(),
        day_sd=generator.uniform(0.2, 1.0),
        day_persistence=generator.uniform(0.3, 0.9),
        station_sd=generator.uniform(0.3, 1.5),
        station_skew=generator.uniform(-0.5, 1.2),
        station_range_km=generator.uniform(0.03, 0.6) * region.side_km,
        local_sd=generator.uniform(0.15, 1.0),
        local_persistence=generator.uniform(0.2, 0.9),
        local_range_km=generator.uniform(0.05, 0.5) * region.side_km,
        local_nugget=generator.uniform(0.0, 0.4),
    )


def _correlation(generator: np.random.Generator, number: int) -> Matrix:
    """Correlations of three times as many random factors, most of them small."""
    factors = generator.standard_normal((number, 3 * number))
    return tuple(tuple(row) for row in np.corrcoef(factors).round(3).tolist())


if __name__ == "__main__":
    main()
