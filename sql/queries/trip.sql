-- name: copy_trip
-- The loader's COPY target; rows come as COPY BINARY, sorted by origin.
copy trip (started_at, origin, destination, load_id, duration_s, region_id, datasource_id) from stdin (format binary);

-- name: delete_trips
-- All trips of a load; the period of the load keeps it from reading other chunks and pages.
delete from trip
where load_id = %(load_id)s::integer
  and started_at between %(first_at)s::timestamp and %(last_at)s::timestamp;

-- name: count_trips_of_load
-- Trips of a load that stand in the table.
select count(*) as trips from trip where load_id = %(load_id)s::integer;
