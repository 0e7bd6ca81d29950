-- Trip groups and flows. Shared parameters: region_id, datasource_id (null: any); origin_area, destination_area (see
-- position_in_area; the whole world where an end may lie anywhere), is_either (one end in its area is enough);
-- hour_from, hour_to (hour_from ≤ hour < hour_to; from > to passes midnight); cell_shift = 62 - 5 × geohash precision.

-- name: list_groups
-- The largest trip groups; positions are means, in degrees.
with grouped as (
    select t.region_id,
           t.origin >> %(cell_shift)s::integer as origin_cell,
           t.destination >> %(cell_shift)s::integer as destination_cell,
           (extract(hour from t.started_at)::integer * 60 + extract(minute from t.started_at)::integer)
               / %(bucket_minutes)s::integer * %(bucket_minutes)s::integer as bucket_minute,
           count(*) as trips
    from trip as t
    where case when %(is_either)s::boolean
               then position_in_area(t.origin, %(origin_area)s::bigint[]) or position_in_area(t.destination, %(destination_area)s::bigint[])
               else position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]) end
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and case when %(hour_from)s::integer < %(hour_to)s::integer
               then extract(hour from t.started_at) >= %(hour_from)s::integer and extract(hour from t.started_at) < %(hour_to)s::integer
               else extract(hour from t.started_at) >= %(hour_from)s::integer or extract(hour from t.started_at) < %(hour_to)s::integer end
    group by 1, 2, 3, 4
    order by trips desc, 1, 2, 3, 4
    limit %(limit)s::integer
)
select r.name as region, g.origin_cell, g.destination_cell, g.bucket_minute, g.trips,
       avg(position_longitude(t.origin)) as origin_longitude,
       avg(position_latitude(t.origin)) as origin_latitude,
       avg(position_longitude(t.destination)) as destination_longitude,
       avg(position_latitude(t.destination)) as destination_latitude,
       min(t.started_at) as first_at,
       max(t.started_at) as last_at,
       array_agg(distinct d.name) as datasources
from grouped as g
join region as r using (region_id)
join trip as t
    on t.region_id = g.region_id
    and t.origin >> %(cell_shift)s::integer = g.origin_cell
    and t.destination >> %(cell_shift)s::integer = g.destination_cell
    and (extract(hour from t.started_at)::integer * 60 + extract(minute from t.started_at)::integer)
        / %(bucket_minutes)s::integer * %(bucket_minutes)s::integer = g.bucket_minute
    and case when %(is_either)s::boolean
             then position_in_area(t.origin, %(origin_area)s::bigint[]) or position_in_area(t.destination, %(destination_area)s::bigint[])
             else position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]) end
    and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
    and case when %(hour_from)s::integer < %(hour_to)s::integer
             then extract(hour from t.started_at) >= %(hour_from)s::integer and extract(hour from t.started_at) < %(hour_to)s::integer
             else extract(hour from t.started_at) >= %(hour_from)s::integer or extract(hour from t.started_at) < %(hour_to)s::integer end
join datasource as d on d.datasource_id = t.datasource_id
group by r.name, g.origin_cell, g.destination_cell, g.bucket_minute, g.trips
order by g.trips desc, region, g.origin_cell, g.destination_cell, g.bucket_minute;

-- name: list_flows
-- The largest flows with a cell in view_area (kind flow: origin, destination, trips), their locations with totals (kind location: origin
-- is the cell), and the number of all trips under the filters (kind all).
with flow as materialized (
    select t.origin >> %(cell_shift)s::integer as origin,
           t.destination >> %(cell_shift)s::integer as destination,
           count(*) as trips
    from trip as t
    where case when %(is_either)s::boolean
               then position_in_area(t.origin, %(origin_area)s::bigint[]) or position_in_area(t.destination, %(destination_area)s::bigint[])
               else position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]) end
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and case when %(hour_from)s::integer < %(hour_to)s::integer
               then extract(hour from t.started_at) >= %(hour_from)s::integer and extract(hour from t.started_at) < %(hour_to)s::integer
               else extract(hour from t.started_at) >= %(hour_from)s::integer or extract(hour from t.started_at) < %(hour_to)s::integer end
    group by 1, 2
), shown as materialized (
    select origin, destination, trips
    from flow
    where position_in_area(origin << %(cell_shift)s::integer, %(view_area)s::bigint[])
       or position_in_area(destination << %(cell_shift)s::integer, %(view_area)s::bigint[])
    order by trips desc, origin, destination
    limit %(limit)s::integer
), location as (
    select cell, sum(in_trips) as in_trips, sum(out_trips) as out_trips, sum(internal_trips) as internal_trips
    from (
        select origin as cell, 0 as in_trips, trips as out_trips, 0 as internal_trips from flow where origin <> destination
        union all
        select destination, trips, 0, 0 from flow where origin <> destination
        union all
        select origin, 0, 0, trips from flow where origin = destination
    ) as side
    where cell in (select origin from shown union all select destination from shown)
    group by cell
)
select 'flow' as kind, origin, destination, trips::bigint, 0::bigint as in_trips, 0::bigint as out_trips, 0::bigint as internal_trips
from shown
union all
select 'location', cell, null, null, in_trips::bigint, out_trips::bigint, internal_trips::bigint from location
union all
select 'all', null, null, coalesce(sum(trips), 0)::bigint, 0, 0, 0 from flow
order by kind, trips desc, origin, destination;

-- name: count_hours
-- Trips per hour of the day; hours without trips are left out. hour_from and hour_to don't filter.
select extract(hour from t.started_at)::integer as hour, count(*) as trips
from trip as t
where case when %(is_either)s::boolean
           then position_in_area(t.origin, %(origin_area)s::bigint[]) or position_in_area(t.destination, %(destination_area)s::bigint[])
           else position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]) end
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
group by hour
order by hour;
