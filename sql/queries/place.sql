-- Place sets and their places.

-- name: insert_place_set
-- A new set without places; returns its id. Violates place_set_name_key where the name is taken.
insert into place_set (name, kind, crs, file_name, added_by)
values (%(name)s::text, %(kind)s::text, %(crs)s::text, %(file_name)s::text, %(added_by)s::text)
returning place_set_id;

-- name: insert_places
-- Places of a set, one per entry of the arrays, in their order; returns their ids. Violates place_by_key where a key is there twice.
insert into place (place_set_id, key, name, position, polygon, west, south, east, north)
select %(place_set_id)s::integer, n.key, n.name, n.position, n.polygon, n.west, n.south, n.east, n.north
from unnest(%(keys)s::text[], %(names)s::text[], %(positions)s::bigint[], %(polygons)s::bytea[], %(west)s::float8[], %(south)s::float8[],
            %(east)s::float8[], %(north)s::float8[])
     with ordinality as n(key, name, position, polygon, west, south, east, north, row_no)
order by n.row_no
returning place_id;

-- name: list_place_sets
-- Every set, or the one of an id or of a name: what it is, its places, the polygons among them, their bounds in degrees (null where there are
-- none), and the newest loads that use it (10 at most), as load_ids.
select s.place_set_id, s.name, s.kind, s.crs, s.file_name, s.added_by, s.added_at, p.places, p.polygons, p.west, p.south, p.east, p.north,
       u.load_ids
from place_set as s
cross join lateral (
    select count(*) as places, count(polygon) as polygons, min(west) as west, min(south) as south, max(east) as east, max(north) as north
    from place
    where place_set_id = s.place_set_id
) as p
cross join lateral (
    select array(select l.load_id
                 from load as l
                 where l.options ->> 'places' = s.place_set_id::text
                   and (l.state in ('queued', 'planning', 'loading', 'succeeded') or l.state = 'failed' and l.rows_loaded > 0)
                 order by l.load_id desc
                 limit 10) as load_ids
) as u
where (%(place_set_id)s::integer is null or s.place_set_id = %(place_set_id)s::integer)
  and (%(name)s::text is null or s.name = %(name)s::text)
order by s.name;

-- name: lock_place_set
-- A set, locked until the transaction ends; no row when there is none.
select place_set_id, kind from place_set where place_set_id = %(place_set_id)s::integer for update;

-- name: rename_place_set
-- Violates place_set_name_key where the name is taken; no row when there is no such set.
update place_set set name = %(name)s::text where place_set_id = %(place_set_id)s::integer returning place_set_id;

-- name: delete_place_set
-- A set and its places; no row when there is no such set.
delete from place_set where place_set_id = %(place_set_id)s::integer returning place_set_id;

-- name: list_places
-- Places of a set in the order of the file, without their polygons.
select place_id, place_set_id, key, name, position, west, south, east, north
from place
where place_set_id = %(place_set_id)s::integer
order by place_id;

-- name: list_polygons
-- Places of a set in the order of the file, with their polygons as WKB.
select place_id, place_set_id, key, name, position, polygon
from place
where place_set_id = %(place_set_id)s::integer
order by place_id;

-- name: fetch_place
-- One place with its polygon as WKB.
select place_id, place_set_id, key, name, position, polygon from place where place_id = %(place_id)s::integer;

-- name: find_place
-- Places of a name or key, in the set of a name or in any, with their polygons as WKB; those with a polygon first.
select p.place_id, p.place_set_id, p.key, p.name, p.position, p.polygon
from place as p
join place_set as s using (place_set_id)
where (p.key = %(text)s::text or p.name = %(text)s::text)
  and (%(place_set)s::text is null or s.name = %(place_set)s::text)
order by p.polygon is null, p.place_id
limit 2;

-- name: update_place
-- Changes name and polygon of a drawn place; no row when there is none.
update place
set key = %(key)s::text, name = %(name)s::text, position = %(position)s::bigint, polygon = %(polygon)s::bytea, west = %(west)s::float8, south = %(south)s::float8,
    east = %(east)s::float8, north = %(north)s::float8
where place_id = %(place_id)s::integer
returning place_id;

-- name: delete_place
-- Removes a place; no row when there is none.
delete from place where place_id = %(place_id)s::integer returning place_id;

-- name: match_place_sets
-- Place sets that know some of a file's values as keys or names: how many of each of its columns. columns and values: one entry a value.
with asked as (
    select a.column_no, regexp_replace(btrim(a.value, E' \t'), '^(-?\d+)\.0+$', '\1') as value
    from unnest(%(columns)s::integer[], %(values)s::text[]) as a(column_no, value)
), known as (
    select p.place_set_id, a.column_no, 'key' as by, count(distinct a.value) as known
    from asked as a
    join place as p on p.key = a.value
    group by p.place_set_id, a.column_no
    union all
    select p.place_set_id, a.column_no, 'name', count(distinct a.value)
    from asked as a
    join place as p on p.name = a.value
    group by p.place_set_id, a.column_no
), best as (
    select place_set_id, column_no, max(known) as known
    from known
    group by place_set_id, column_no
)
select s.place_set_id, s.name, n.places, n.polygons, b.column_no, b.known
from best as b
join place_set as s using (place_set_id)
cross join lateral (select count(*) as places, count(polygon) as polygons from place where place_set_id = s.place_set_id) as n
order by s.place_set_id, b.column_no;

-- name: has_loads_of_places
-- Whether any load, whatever became of it, names the set.
select exists (select from load where options ->> 'places' = %(place_set_id)s::integer::text) as has_loads;

-- name: find_coarse_zones
-- The name of a place set with a zone that the area touches and that is larger than the area, by their bounds, where trips of loads that have
-- the set's zones as ends may be counted: those of a region and a datasource, or of any. No row when there is none, or the area is a zone of it.
select s.name
from place_set as s
where exists (select
              from load as l
              join rollup_week as w using (load_id)
              join region as r using (region_id)
              join datasource as d using (datasource_id)
              where l.options ->> 'places' = s.place_set_id::text and l.state = 'succeeded'
                and (%(region)s::text is null or r.name = %(region)s::text)
                and (%(datasource)s::text is null or d.name = %(datasource)s::text))
  and exists (select
              from place as p
              where p.place_set_id = s.place_set_id and p.polygon is not null
                and p.west < %(east)s::float8 and p.east > %(west)s::float8 and p.south < %(north)s::float8 and p.north > %(south)s::float8
                and (p.east - p.west) * (p.north - p.south)
                    > (%(east)s::float8 - %(west)s::float8) * (%(north)s::float8 - %(south)s::float8))
  and not exists (select
                  from place as p
                  where p.place_set_id = s.place_set_id
                    and greatest(abs(p.west - %(west)s::float8), abs(p.east - %(east)s::float8),
                                 abs(p.south - %(south)s::float8), abs(p.north - %(north)s::float8)) < 1e-7)
order by s.name
limit 1;
