"""GCJ-02 and WGS-84."""

import numpy as np
import pytest

from crowdgym.data.coordinates import gcj02_to_wgs84, in_china, wgs84_to_gcj02


def test_a_place_in_beijing_is_displaced_as_other_implementations_of_the_formula_displace_it() -> None:
    longitude, latitude = wgs84_to_gcj02(116.404, 39.915)

    assert float(longitude) == pytest.approx(116.41024449916938, abs=1e-12)
    assert float(latitude) == pytest.approx(39.91640428150164, abs=1e-12)


def test_the_inverse_returns_to_within_a_billionth_of_a_degree_everywhere_in_china() -> None:
    generator = np.random.default_rng(0)
    longitude, latitude = generator.uniform(73, 137, 20_000), generator.uniform(1, 55, 20_000)

    back_longitude, back_latitude = gcj02_to_wgs84(*wgs84_to_gcj02(longitude, latitude))

    assert np.abs(back_longitude - longitude).max() < 1e-9
    assert np.abs(back_latitude - latitude).max() < 1e-9


@pytest.mark.parametrize("convert", [wgs84_to_gcj02, gcj02_to_wgs84])
def test_places_outside_china_stay_where_they_are(convert) -> None:
    longitude, latitude = np.array([-0.1276, 139.69, 0.0]), np.array([51.5072, 35.68, 0.0])

    new_longitude, new_latitude = convert(longitude, latitude)

    assert np.array_equal(new_longitude, longitude)
    assert np.array_equal(new_latitude, latitude)


@pytest.mark.parametrize("convert", [wgs84_to_gcj02, gcj02_to_wgs84])
def test_nothing_stays_nothing_and_does_not_disturb_its_neighbours(convert) -> None:
    longitude, latitude = convert([np.nan, 104.07, 104.07], [30.66, np.nan, 30.66])
    alone_longitude, alone_latitude = convert(104.07, 30.66)

    assert np.isnan(longitude[0])
    assert np.isnan(latitude[1])
    assert longitude[2] == alone_longitude
    assert latitude[2] == alone_latitude


def test_the_arguments_are_left_alone_and_their_shape_is_kept() -> None:
    longitude, latitude = np.full((2, 3), 104.07), np.full((2, 3), 30.66)

    new_longitude, _ = gcj02_to_wgs84(longitude, latitude)

    assert new_longitude.shape == (2, 3)
    assert (longitude == 104.07).all()
    assert (new_longitude != longitude).all()


def test_china_is_a_box_and_nothing_is_not_in_it() -> None:
    assert in_china([104.07, 2.35, np.nan], [30.66, 48.85, 30.0]).tolist() == [True, False, False]
