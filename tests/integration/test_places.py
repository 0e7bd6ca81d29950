"""Place sets in the database: stored, read back the same, renamed, drawn, deleted unless a load uses them."""

import pytest
import shapely
from sqlalchemy import Engine

from loader.pipeline.context import Context
from shared.domain.position import encode_position
from shared.places.geometry import make_geojson, make_place
from shared.places.model import NewPlace, NewPlaceSet, PlaceSet
from shared.places.reading import fetch_place, find_place, find_place_set, list_place_sets, list_places, list_polygons
from shared.places.storing import (
    add_place_set,
    change_place,
    delete_place_set,
    draw_place,
    remove_place,
    rename_place_set,
)
from shared.platform.errors import ConflictError, NotFoundError, RequestError
from shared.services.database import execute, transaction

SQUARE = shapely.box(7.6, 45.0, 7.7, 45.1)
HOLED = SQUARE.difference(shapely.box(7.64, 45.04, 7.66, 45.06))
PARTS = shapely.MultiPolygon([shapely.box(7.0, 45.0, 7.1, 45.1), shapely.box(7.3, 45.0, 7.4, 45.1)])


@pytest.fixture
def engine(context: Context) -> Engine:
    return context.engine


def add(engine: Engine, name: str = "zones") -> PlaceSet:
    shapes = {"1": HOLED, "2": PARTS, "3": shapely.Point(7.5, 45.05)}
    places = [make_place(key, f"Zone {key}", shape) for key, shape in shapes.items()]
    return add_place_set(engine, NewPlaceSet(name, "zones", crs="EPSG:32632", file_name="zones.zip", added_by="Ada"), places)


def use(engine: Engine, place_set_id: int, state: str = "succeeded") -> None:
    with transaction(engine) as connection:
        load_id = execute(
            connection,
            "insert_load",
            file_name="t",
            object_key="t",
            object_etag="t",
            bytes_total=1,
            options={"places": str(place_set_id)},
        ).scalar_one()
        connection.exec_driver_sql(
            "update load set state = %(state)s where load_id = %(load_id)s", {"state": state, "load_id": load_id}
        )


def test_a_set_is_read_back_as_it_was_stored(engine: Engine) -> None:
    stored = add(engine)
    with transaction(engine) as connection:
        [listed] = list_place_sets(connection)
        polygons, points = list_polygons(connection, stored.place_set_id), list_places(connection, stored.place_set_id)
        holed = fetch_place(connection, polygons[0].place_id)
    assert listed == stored
    assert (stored.kind, stored.crs, stored.file_name, stored.added_by) == ("zones", "EPSG:32632", "zones.zip", "Ada")
    assert (stored.places, stored.polygons, stored.bounds) == (3, 2, (7.0, 45.0, 7.7, 45.1))
    assert [place.key for place in polygons] == ["1", "2", "3"]
    assert holed == polygons[0]
    assert holed.shape is not None
    assert holed.shape.equals_exact(HOLED, 0)
    assert holed.shape.contains(shapely.Point(holed.point)), "its trips lie inside, not in the hole"
    assert polygons[1].shape is not None
    assert polygons[1].shape.equals(PARTS)
    assert polygons[2].shape is None
    assert polygons[2].position == encode_position(7.5, 45.05)
    assert [(place.position, place.polygon) for place in points] == [(place.position, None) for place in polygons]


def test_places_are_found_by_key_and_name(engine: Engine) -> None:
    add(engine)
    add(engine, "others")
    with transaction(engine) as connection:
        assert find_place(connection, "others/Zone 2").shape is not None
        assert find_place(connection, "others/2").key == "2"
        with pytest.raises(RequestError, match="Several places are called 'Zone 2'"):
            find_place(connection, "Zone 2")
        with pytest.raises(NotFoundError, match="no place 'Zone 9'"):
            find_place(connection, "Zone 9")
        assert find_place_set(connection, "others").name == "others"
        with pytest.raises(NotFoundError, match="there are: others, zones"):
            find_place_set(connection, "areas")


def test_names_are_unique_and_no_numbers(engine: Engine) -> None:
    first, second = add(engine), add(engine, "others")
    with pytest.raises(ConflictError, match="'zones' is taken"):
        add(engine)
    with pytest.raises(ConflictError, match="'others' is taken"):
        rename_place_set(engine, first.place_set_id, "others")
    assert rename_place_set(engine, second.place_set_id, "Turin").name == "Turin"
    for name in ("7", "a/b", " ", "x" * 201):
        with pytest.raises(RequestError):
            rename_place_set(engine, first.place_set_id, name)
    with pytest.raises(NotFoundError):
        rename_place_set(engine, 99, "none")


@pytest.mark.parametrize(("state", "is_used"), [("queued", True), ("succeeded", True), ("cancelled", False), ("undone", False)])
def test_a_set_in_use_is_not_deleted(engine: Engine, state: str, is_used: bool) -> None:
    place_set_id = add(engine).place_set_id
    use(engine, place_set_id, state)
    if is_used:
        with pytest.raises(ConflictError, match="Loads use the places of zones"):
            delete_place_set(engine, place_set_id)
    else:
        delete_place_set(engine, place_set_id)
    with transaction(engine) as connection:
        assert len(list_place_sets(connection)) == is_used
        assert len(list_places(connection, place_set_id)) == 3 * is_used


def test_areas_are_drawn_changed_and_removed(engine: Engine) -> None:
    drawn = add_place_set(engine, NewPlaceSet("My areas", "drawn"))
    assert (drawn.places, drawn.bounds) == (0, None)
    area = draw_place(engine, drawn.place_set_id, make_place("Corridor", "Corridor", SQUARE))
    with pytest.raises(ConflictError, match="'Corridor' is taken"):
        draw_place(engine, drawn.place_set_id, make_place("Corridor", "Corridor", PARTS))
    changed = change_place(engine, area.place_id, make_place("Centre", "Centre", PARTS))
    assert (changed.place_id, changed.name) == (area.place_id, "Centre")
    assert changed.shape is not None
    assert changed.shape.equals(PARTS)
    remove_place(engine, area.place_id)
    with pytest.raises(NotFoundError):
        remove_place(engine, area.place_id)


def test_areas_of_files_and_of_sets_in_use_stay_as_they_are(engine: Engine) -> None:
    of_file = add(engine)
    with pytest.raises(ConflictError, match="comes from a file"):
        draw_place(engine, of_file.place_set_id, make_place("4", "4", SQUARE))
    drawn = add_place_set(engine, NewPlaceSet("My areas", "drawn"))
    area = draw_place(engine, drawn.place_set_id, make_place("A", "A", SQUARE))
    use(engine, drawn.place_set_id)
    with pytest.raises(ConflictError, match="can't be changed"):
        remove_place(engine, area.place_id)


@pytest.mark.parametrize(
    ("wkt", "message"),
    [
        ("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))", "its rings are invalid: Self-intersection"),
        ("POLYGON ((0 0, 200 0, 200 2, 0 0))", "outside of longitude"),
        ("LINESTRING (0 0, 1 1)", "it is a LineString"),
        ("POLYGON EMPTY", "it is empty"),
    ],
)
def test_shapes_that_are_no_areas_are_refused(wkt: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        make_place("a", "a", shapely.from_wkt(wkt))


def test_heights_are_left_out() -> None:
    place: NewPlace = make_place("a", "a", shapely.from_wkt("POLYGON Z ((0 0 5, 2 0 5, 2 2 5, 0 0 5))"))
    assert place.polygon is not None
    assert not shapely.from_wkb(place.polygon).has_z


def test_a_place_is_a_feature(engine: Engine) -> None:
    place_set_id = add(engine).place_set_id
    with transaction(engine) as connection:
        features = [make_geojson(place) for place in list_polygons(connection, place_set_id)]
    assert [feature["geometry"]["type"] for feature in features] == ["Polygon", "MultiPolygon", "Point"]
    assert features[0]["properties"] == {"key": "1", "name": "Zone 1", "place_id": features[0]["id"]}
    assert shapely.geometry.shape(features[0]["geometry"]).equals(HOLED)
