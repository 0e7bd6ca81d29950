-- Place sets: zones, named areas, and location tables. The same on every server.

-- A named set of places. A set that a load used is not changed any more.
create table place_set (
    place_set_id integer generated always as identity primary key,
    name text not null unique check (name <> ''),
    -- zones: places with polygons, from a file; points: without; drawn: areas drawn on the map, one by one.
    kind text not null check (kind in ('zones', 'points', 'drawn')),
    -- The reference system that the file was in, as its authority and code or its name.
    crs text not null,
    -- Null of a set that is drawn.
    file_name text,
    -- Whoever is signed in, as the caller says; null: not known.
    added_by text,
    added_at timestamptz not null default clock_timestamp()
);

create table place (
    place_id integer generated always as identity primary key,
    place_set_id integer not null references place_set on delete cascade,
    -- What files call it; unique in its set.
    key text not null check (key <> ''),
    name text not null,
    -- The point where its trips lie if a file names it: the point itself, or one inside the polygon. As trip.origin.
    position bigint not null,
    -- A polygon or multipolygon as WKB in WGS 84, longitude first; null of a point.
    polygon bytea,
    -- Bounds in degrees, of the polygon or the point.
    west float8 not null,
    south float8 not null,
    east float8 not null,
    north float8 not null,
    constraint place_by_key unique (place_set_id, key)
);

-- The sets that know the ids or names of a file.
create index place_by_any_key on place (key);
create index place_by_name on place (name);

grant select on place_set, place to tripdeck_analyst;
grant select, insert, update, delete on place_set, place to tripdeck_loader;
