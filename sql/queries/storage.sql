-- name: list_storage
-- Bytes on disk per table, indexes and TOAST included; those of trip wherever its rows lie.
select relname as table_name, case relname when 'trip' then trip_bytes() else pg_total_relation_size(oid) end as bytes
from pg_class
where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
order by bytes desc, table_name;

-- name: count_load_by_key
-- Trips of a load per week, region and datasource, counted from the trips themselves.
select date_trunc('week', t.started_at)::date as week, r.name as region, d.name as datasource, count(*) as trips
from trip as t
join region as r using (region_id)
join datasource as d using (datasource_id)
where t.load_id = %(load_id)s::integer
group by 1, 2, 3;

-- name: count_same_trips
-- Trips with exactly these ends and this start.
select count(*) as trips
from trip
where origin = %(origin)s::bigint and destination = %(destination)s::bigint and started_at = %(started_at)s::timestamp;
