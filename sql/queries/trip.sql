-- name: copy_trip
-- The loader's COPY target; rows come as COPY BINARY, sorted by origin.
copy trip (started_at, origin, destination, load_id, duration_s, region_id, datasource_id) from stdin (format binary);

-- name: delete_trips
-- Trips of a load in whole weeks; the period keeps it from reading other chunks.
delete from trip
where load_id = %(load_id)s::integer
  and started_at >= %(gone_from)s::date and started_at < %(gone_to)s::date + 7;
