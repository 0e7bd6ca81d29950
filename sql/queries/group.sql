-- Trip groups and flows. Shared parameters: region_id, datasource_id (null: any); origin_area, destination_area (see position_in_area; null:
-- anywhere), is_either (one end in its area is enough); hours (hours of the week, Monday 0 h is 0; null: any), slots (the same as slots of
-- run_flow, where that can be said); cell_shift = 62 - 5 × geohash precision. reads_runs: packed loads are answered from their runs, and
-- only the trips of loose_loads are read (see weekly.sql for those and is_current); otherwise all trips are read.

-- name: list_groups
-- The largest trip groups, from the one after after_trips, after_region … on (null: from the first); positions are means, in degrees.
with counted as (
    select t.region_id,
           t.origin >> %(cell_shift)s::integer as origin_cell,
           t.destination >> %(cell_shift)s::integer as destination_cell,
           date_bin(make_interval(mins => %(bucket_minutes)s::integer), t.started_at, timestamp '2000-01-01')::time as bucket,
           count(*) as trips
    from trip as t
    where ((position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]))
           or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[])
                                           or position_in_area(t.destination, %(destination_area)s::bigint[]))))
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
    group by 1, 2, 3, 4
), grouped as materialized (
    select *
    from counted
    where %(after_trips)s::bigint is null
       or (-trips, region_id, origin_cell, destination_cell, bucket)
          > (-%(after_trips)s::bigint, (select region_id from region where name = %(after_region)s::text), %(after_origin)s::bigint,
             %(after_destination)s::bigint, time '00:00' + make_interval(mins => %(after_minute)s::integer))
    order by trips desc, region_id, origin_cell, destination_cell, bucket
    limit %(limit)s::integer
)
select r.name as region, g.origin_cell, g.destination_cell,
       (extract(epoch from g.bucket) / 60)::integer as bucket_minute,
       g.trips,
       avg(position_longitude(t.origin)) as origin_longitude,
       avg(position_latitude(t.origin)) as origin_latitude,
       avg(position_longitude(t.destination)) as destination_longitude,
       avg(position_latitude(t.destination)) as destination_latitude,
       min(t.started_at) as first_at,
       max(t.started_at) as last_at,
       array_agg(distinct d.name) as datasources
from grouped as g
join trip as t
    on t.region_id = g.region_id
    and t.origin >> %(cell_shift)s::integer = g.origin_cell
    and t.destination >> %(cell_shift)s::integer = g.destination_cell
    and date_bin(make_interval(mins => %(bucket_minutes)s::integer), t.started_at, timestamp '2000-01-01')::time = g.bucket
    and ((position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]))
         or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[])
                                         or position_in_area(t.destination, %(destination_area)s::bigint[]))))
    and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
    and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
    and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
join region as r on r.region_id = g.region_id
join datasource as d on d.datasource_id = t.datasource_id
group by g.region_id, r.name, g.origin_cell, g.destination_cell, g.bucket, g.trips
order by g.trips desc, g.region_id, g.origin_cell, g.destination_cell, g.bucket;

-- name: count_group
-- Trips from one cell to another per week and hour of day; is_in_bucket: those of the group itself, which has a time of day (bucket_minute
-- null: the whole day). Cells are ranges of positions, ends included. All trips are read that begin there.
select date_trunc('week', t.started_at)::date as week, date_part('hour', t.started_at)::integer as hour,
       %(bucket_minute)s::integer is null
       or date_bin(make_interval(mins => %(bucket_minutes)s::integer), t.started_at, timestamp '2000-01-01')::time
          = time '00:00' + make_interval(mins => %(bucket_minute)s::integer) as is_in_bucket,
       count(*) as trips
from trip as t
where t.origin >= %(origin_low)s::bigint and t.origin <= %(origin_high)s::bigint
  and t.destination >= %(destination_low)s::bigint and t.destination <= %(destination_high)s::bigint
  and ((position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]))
       or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[])
                                       or position_in_area(t.destination, %(destination_area)s::bigint[]))))
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
  and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
group by 1, 2, 3
order by 1, 2, 3;

-- name: list_group_trips
-- The group's newest trips.
select t.started_at, r.name as region, d.name as datasource,
       position_longitude(t.origin) as origin_longitude, position_latitude(t.origin) as origin_latitude,
       position_longitude(t.destination) as destination_longitude, position_latitude(t.destination) as destination_latitude,
       t.duration_s, t.load_id
from (
    select *
    from trip as t
    where t.origin >= %(origin_low)s::bigint and t.origin <= %(origin_high)s::bigint
      and t.destination >= %(destination_low)s::bigint and t.destination <= %(destination_high)s::bigint
      and (%(bucket_minute)s::integer is null
           or date_bin(make_interval(mins => %(bucket_minutes)s::integer), t.started_at, timestamp '2000-01-01')::time
              = time '00:00' + make_interval(mins => %(bucket_minute)s::integer))
      and ((position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]))
           or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[])
                                           or position_in_area(t.destination, %(destination_area)s::bigint[]))))
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
    order by t.started_at desc, t.origin, t.destination, t.load_id
    limit %(limit)s::integer
) as t
join region as r using (region_id)
join datasource as d using (datasource_id)
order by t.started_at desc, t.origin, t.destination, t.load_id;

-- name: list_flows
-- The largest flows with a cell in view_area (made of whole cells; null: anywhere), as kind flow: origin, destination, trips, from the one
-- after after_trips … on (null: from the first); the cells they join with the totals of all flows that touch the view, as kind location:
-- origin is the cell; and the number of all trips under the filters, as kind all. Runs know flows between geohash-6 cells; counts_days: the
-- filters are such that weekly counts, or with hours the days of runs, know all trips.
with pair as (
    -- Arrays unnested side by side in a select list cost half of what they cost in from.
    select (p.origin_cell << 32) >> %(cell_shift)s::integer as origin,
           (p.destination_cell << 32) >> %(cell_shift)s::integer as destination,
           p.trips
    from (
        select f.origin_cell::bigint as origin_cell,
               %(view_area)s::bigint[] is null or position_in_area(f.origin_cell::bigint << 32, %(view_area)s::bigint[]) as begins_in_view,
               unnest(f.destination_cells)::bigint as destination_cell, unnest(f.trips)::float8 as trips
        from run_flow as f
        where %(reads_runs)s::boolean
          and f.run_id in (select run_id from run where has_hours or %(slots)s::integer[] is null)
          and (%(region_id)s::smallint is null or f.region_id = %(region_id)s::smallint)
          and ((%(datasource_id)s::smallint is null and f.datasource_id is null) or f.datasource_id = %(datasource_id)s::smallint)
          and ((%(slots)s::integer[] is null and f.slot is null) or f.slot = any(%(slots)s::integer[]))
          -- A row that begins outside the view matters only where its destinations, which are sorted, reach over some of it.
          and (%(view_area)s::bigint[] is null
               or position_in_area(f.origin_cell::bigint << 32, %(view_area)s::bigint[])
               or ((f.destination_cells[1])::bigint << 32 <= greatest((%(view_area)s::bigint[])[2], (%(view_area)s::bigint[])[6])
                   and (f.destination_cells[cardinality(f.destination_cells)])::bigint << 32
                       >= least((%(view_area)s::bigint[])[1],
                                case when (%(view_area)s::bigint[])[5] <= (%(view_area)s::bigint[])[6]
                                     then (%(view_area)s::bigint[])[5] end)))
    ) as p
    where p.begins_in_view or position_in_area(p.destination_cell << 32, %(view_area)s::bigint[])
    union all
    select t.origin >> %(cell_shift)s::integer, t.destination >> %(cell_shift)s::integer, count(*)
    from trip as t
    where (not %(reads_runs)s::boolean
           or (cardinality(%(loose_loads)s::integer[]) > 0 and t.load_id = any(%(loose_loads)s::integer[])))
      and (position_in_area(t.origin, %(view_area)s::bigint[]) or position_in_area(t.destination, %(view_area)s::bigint[]))
      and ((position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]))
           or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[])
                                           or position_in_area(t.destination, %(destination_area)s::bigint[]))))
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
    group by 1, 2
), flow as materialized (
    -- float8 adds whole numbers exactly up to 9e15, and four times as fast as numeric, which sums of bigint are.
    select origin, destination, sum(trips) as trips
    from pair
    group by origin, destination
), shown as materialized (
    select origin, destination, trips
    from flow
    where %(after_trips)s::bigint is null
       or (-trips, origin, destination) > (-%(after_trips)s::bigint, %(after_origin)s::bigint, %(after_destination)s::bigint)
    order by trips desc, origin, destination
    limit %(limit)s::integer
), cell as materialized (
    select origin as cell from shown
    union
    select destination from shown
), leaving as (
    select f.origin as cell, sum(f.trips) filter (where f.origin <> f.destination) as out_trips,
           sum(f.trips) filter (where f.origin = f.destination) as internal_trips
    from flow as f
    where f.origin in (select cell from cell)
    group by f.origin
), arriving as (
    select f.destination as cell, sum(f.trips) as in_trips
    from flow as f
    where f.destination in (select cell from cell) and f.origin <> f.destination
    group by f.destination
), total as (
    select sum(f.trips) as trips
    from flow as f
    where %(view_area)s::bigint[] is null
    union all
    select sum(w.trips)
    from rollup_week as w
    where %(view_area)s::bigint[] is not null and %(counts_days)s::boolean and %(hours)s::integer[] is null
      and (%(region_id)s::smallint is null or w.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or w.datasource_id = %(datasource_id)s::smallint)
    union all
    select sum(h.trips)
    from run_day as d
    cross join unnest(d.hours, d.trips) as h (hour, trips)
    where %(view_area)s::bigint[] is not null and %(counts_days)s::boolean and %(hours)s::integer[] is not null
      and d.run_id in (select run_id from run where has_hours or %(slots)s::integer[] is null)
      and (%(region_id)s::smallint is null or d.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or d.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or (extract(isodow from d.day)::integer - 1) * 24 + h.hour = any(%(hours)s::integer[]))
    union all
    select count(*)
    from trip as t
    where %(view_area)s::bigint[] is not null
      and (not %(counts_days)s::boolean
           or (%(hours)s::integer[] is not null
               and cardinality(%(loose_loads)s::integer[]) > 0 and t.load_id = any(%(loose_loads)s::integer[])))
      and ((position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]))
           or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[])
                                           or position_in_area(t.destination, %(destination_area)s::bigint[]))))
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
)
select 'flow' as kind, origin, destination, trips::bigint, null::bigint as in_trips, null::bigint as out_trips,
       null::bigint as internal_trips, true as is_current
from shown
union all
select 'location', c.cell, null, null, coalesce(a.in_trips, 0)::bigint, coalesce(l.out_trips, 0)::bigint,
       coalesce(l.internal_trips, 0)::bigint, true
from cell as c
left join leaving as l using (cell)
left join arriving as a using (cell)
union all
select 'all', null, null, coalesce(sum(trips), 0)::bigint, null, null, null,
       array(select load_id from loose_load where not has_run or %(slots)s::integer[] is not null order by load_id)
       = %(loose_loads)s::integer[]
from total
order by kind, trips desc, origin, destination;
