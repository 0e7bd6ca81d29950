-- Trip groups and flows. Shared parameters: region_id, datasource_id (null: any); origin_area, destination_area, area_ranges (see
-- position_in_area; area null: anywhere), is_either (one end in its area is enough); hours (hours of the week, Monday 0 h is 0; null: any);
-- cell_shift = 62 - 5 × geohash precision. unindexed_loads: see snapshot.sql.

-- name: list_groups
-- The largest trip groups of all trips, from the one after after_trips, after_region_id … on (null: from the first); bucket is its number in the day.
select *
from (
    select t.region_id::bigint as region, t.origin >> %(cell_shift)s::integer as origin, t.destination >> %(cell_shift)s::integer as destination,
           minute_of_day(t.started_at)::bigint / %(bucket_minutes)s::integer as bucket,
           count(*) as trips
    from trip as t
    where ((position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
            and position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))
           or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
                                           or position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))))
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
    group by 1, 2, 3, 4
) as t
where %(after_trips)s::bigint is null
   or (-trips, region, origin, destination, bucket)
      > (-%(after_trips)s::bigint, %(after_region_id)s::bigint, %(after_origin)s::bigint, %(after_destination)s::bigint,
         %(after_bucket)s::bigint)
order by trips desc, region, origin, destination, bucket
limit %(limit)s::integer;

-- name: count_group
-- Trips from one cell to another per week and hour of day; is_in_bucket: those of the group itself, which has a time of day (bucket_minute
-- null: the whole day). Cells are ranges of positions, ends included. Of unindexed loads.
select date_trunc('week', t.started_at)::date as week, date_part('hour', t.started_at)::integer as hour,
       %(bucket_minute)s::integer is null
       or minute_of_day(t.started_at) / %(bucket_minutes)s::integer = %(bucket_minute)s::integer / %(bucket_minutes)s::integer as is_in_bucket,
       count(*) as trips
from trip as t
where t.origin >= %(origin_low)s::bigint and t.origin <= %(origin_high)s::bigint
  and t.destination >= %(destination_low)s::bigint and t.destination <= %(destination_high)s::bigint
  and t.load_id = any(%(unindexed_loads)s::integer[])
  and ((position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
        and position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))
       or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
                                       or position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))))
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
  and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
group by 1, 2, 3
order by 1, 2, 3;

-- name: list_group_trips
-- The group's newest trips; started_from: a minute that enough of them began in or after (null: unknown).
select t.started_at, r.name as region, d.name as datasource,
       position_longitude(t.origin) as origin_longitude, position_latitude(t.origin) as origin_latitude,
       position_longitude(t.destination) as destination_longitude, position_latitude(t.destination) as destination_latitude,
       t.duration_s, t.load_id
from (
    select *
    from trip as t
    where t.origin >= %(origin_low)s::bigint and t.origin <= %(origin_high)s::bigint
      and t.destination >= %(destination_low)s::bigint and t.destination <= %(destination_high)s::bigint
      and (%(started_from)s::timestamp is null or t.started_at >= %(started_from)s::timestamp)
      and (%(bucket_minute)s::integer is null
           or minute_of_day(t.started_at) / %(bucket_minutes)s::integer = %(bucket_minute)s::integer / %(bucket_minutes)s::integer)
      and ((position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
            and position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))
           or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
                                           or position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))))
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
    order by t.started_at desc, t.origin, t.destination, t.load_id
    limit %(limit)s::integer
) as t
join region as r using (region_id)
join datasource as d using (datasource_id)
order by t.started_at desc, t.origin, t.destination, t.load_id;

-- name: count_unindexed_groups
-- Trip groups of the unindexed loads; bucket: its number in the day.
select t.region_id, t.origin >> %(cell_shift)s::integer as origin, t.destination >> %(cell_shift)s::integer as destination,
       minute_of_day(t.started_at) / %(bucket_minutes)s::integer as bucket, count(*) as trips
from trip as t
where t.load_id = any(%(unindexed_loads)s::integer[])
  and ((position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
        and position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))
       or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
                                       or position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))))
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
  and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
group by 1, 2, 3, 4;

-- name: describe_groups
-- What some groups have of some loads (described_loads; null: of all): number counts the groups as given, in arrays, from 0 on; sums of degrees.
select w.number, count(*) as trips,
       sum(position_longitude(t.origin)) as origin_longitude, sum(position_latitude(t.origin)) as origin_latitude,
       sum(position_longitude(t.destination)) as destination_longitude, sum(position_latitude(t.destination)) as destination_latitude,
       min(t.started_at)::date as first_on, max(t.started_at)::date as last_on, array_agg(distinct t.datasource_id) as datasource_ids
from trip as t
join (
    select region_id, origin, destination, bucket, number - 1 as number
    from unnest(%(regions)s::smallint[], %(origins)s::bigint[], %(destinations)s::bigint[], %(buckets)s::integer[])
        with ordinality as u (region_id, origin, destination, bucket, number)
) as w
    on w.region_id = t.region_id
    and w.origin = t.origin >> %(cell_shift)s::integer
    and w.destination = t.destination >> %(cell_shift)s::integer
    and w.bucket = minute_of_day(t.started_at) / %(bucket_minutes)s::integer
where (%(described_loads)s::integer[] is null
       or t.load_id = any(%(described_loads)s::integer[]))
  and t.origin >= (select min(cell) from unnest(%(origins)s::bigint[]) as c (cell)) << %(cell_shift)s::integer
  and t.origin < (select max(cell) + 1 from unnest(%(origins)s::bigint[]) as c (cell)) << %(cell_shift)s::integer
  and t.origin >> %(cell_shift)s::integer = any(%(origins)s::bigint[])
  and ((position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
        and position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))
       or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
                                       or position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))))
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
  and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
group by w.number;

-- name: list_label_names
-- Names of regions and datasources by id.
select true as is_region, region_id as id, name from region
union all
select false, datasource_id, name from datasource;

-- name: count_unindexed_flows
-- Flows of the unindexed loads with a cell in view_area.
select t.origin >> %(cell_shift)s::integer as origin, t.destination >> %(cell_shift)s::integer as destination, count(*) as trips
from trip as t
where t.load_id = any(%(unindexed_loads)s::integer[])
  and (position_in_area(t.origin, %(view_area)s::bigint[]) or position_in_area(t.destination, %(view_area)s::bigint[]))
  and ((position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
        and position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))
       or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
                                       or position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))))
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
  and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
group by 1, 2;
