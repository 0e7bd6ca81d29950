"""The ground a map shows first, and the cells that suit a zoom."""

from shared.domain.area import Box
from ui.explore.map_extent import choose_precision, choose_zoom, fit_box


def test_all_places_fit_with_a_margin() -> None:
    box = fit_box([(7.5, 45.0, 10), (7.7, 45.1, 10)])
    assert box is not None
    assert (box.west < 7.5, box.east > 7.7, box.south < 45.0, box.north > 45.1) == (True,) * 4
    assert fit_box([]) is None


def test_a_few_trips_elsewhere_do_not_count() -> None:
    places = [(7.5 + n / 1000, 45.0 + n / 1000, 100) for n in range(200)]
    box = fit_box([*places, (-98.0, 19.0, 5), (0.0, 0.0, 90)])
    assert box is not None
    assert box.west > 7
    assert box.south > 44


def test_one_place_is_shown_with_its_surroundings() -> None:
    box = fit_box([(180.0, 90.0, 1)])
    assert box is not None
    assert box.east == 180.0
    assert box.west < box.east
    assert 10 < choose_zoom(box, 700) <= 15


def test_zoom_and_cells() -> None:
    assert choose_zoom(Box(-180, -90, 180, 90), 512) == 0
    assert choose_zoom(Box(170, -10, -170, 10), 512) == choose_zoom(Box(-10, -10, 10, 10), 512)
    chosen = [choose_precision(zoom / 2) for zoom in range(36)]
    assert chosen == sorted(chosen)
    assert (chosen[0], chosen[-1]) == (2, 7)
