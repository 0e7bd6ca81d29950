-- Snapshots: what is visible at one moment, and the derived data of segments and of loads in no segment. Shared parameters: unindexed_loads
-- (ids of visible loads in no segment that have no blocks: their trips are read); region_id, datasource_id (null: any); from_on, to_on (days of
-- the period, both included); hours (of the week, Monday 0 h is 0; null: any); origin_area, destination_area, is_either, area_ranges: see group.sql.

-- name: copy_positions
-- Positions of ends in ranges (area_ranges) of an area, of trips of some loads (null: all); origin_low … destination_high: as count_group.
copy (
    select t.origin
    from trip as t
    where %(origin_area)s::bigint[] is not null and position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
      and (%(loads)s::integer[] is null or t.load_id = any(%(loads)s::integer[]))
      and (%(origin_low)s::bigint is null or t.origin between %(origin_low)s::bigint and %(origin_high)s::bigint)
      and (%(destination_low)s::bigint is null or t.destination between %(destination_low)s::bigint and %(destination_high)s::bigint)
    union
    select t.destination
    from trip as t
    where %(destination_area)s::bigint[] is not null
      and position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[])
      and (%(loads)s::integer[] is null or t.load_id = any(%(loads)s::integer[]))
      and (%(origin_low)s::bigint is null or t.origin between %(origin_low)s::bigint and %(origin_high)s::bigint)
      and (%(destination_low)s::bigint is null or t.destination between %(destination_low)s::bigint and %(destination_high)s::bigint)
) to stdout (format binary);

-- name: open_snapshot
-- Ids of a region and a datasource (null: any, or not there), the segments, and the loads in no segment. One row.
select (select region_id from region where name = %(region)s::text) as region_id,
       (select datasource_id from datasource where name = %(datasource)s::text) as datasource_id,
       array(select segment_id from segment order by segment_id) as segment_ids,
       array(select trips from segment order by segment_id) as segment_trips,
       array(select has_hours from segment order by segment_id) as segment_has_hours,
       array(select load_id from uncompacted_load order by load_id) as load_ids,
       array(select l.rows_loaded from uncompacted_load join load as l using (load_id) order by load_id) as load_trips,
       array(select has_blocks from uncompacted_load order by load_id) as load_has_blocks;

-- name: has_unindexed_loads
-- Whether trips of some load are in no block, so that questions read them one by one.
select exists (select from uncompacted_load where not has_blocks);

-- name: copy_block_headers
-- Headers of the blocks of a segment, or of a load's batches (the other id is null); weeks are counted from 0001-01-01.
copy (
    select is_origin, region_id, trips, (base_on - date '0001-01-01') / 7, base, x_low, x_high, y_low, y_high,
           other_x_low, other_x_high, other_y_low, other_y_high, x_at, y_at - x_at, times_at - y_at, durations_at - times_at,
           minutes_at - durations_at, block_id, has_cells, has_cell_hours, datasource_ids, week_trips, week_index
    from block
    where segment_id = %(segment_id)s::integer or load_id = %(load_id)s::integer
) to stdout (format binary);

-- name: copy_segment_cells
copy (
    select is_origin, region_id, corner, weeks, datasource_ids, trips, sum_weeks, sum_trips, fine_cells, fine_trips, hours
    from segment_cell
    where segment_id = %(segment_id)s::integer
) to stdout (format binary);

-- name: copy_segment_days
copy (
    select day - date '0001-01-01', region_id, datasource_id, hours, trips
    from segment_day
    where segment_id = %(segment_id)s::integer
) to stdout (format binary);

-- name: copy_segment_flows
-- datasource_id, slot: -1 where the row counts all.
copy (
    select origin_cell, region_id, coalesce(datasource_id, -1), coalesce(slot, -1), flows, first_cell, last_cell, destination_cells, trips
    from segment_flow
    where segment_id = %(segment_id)s::integer
) to stdout (format binary);

-- name: copy_load_weeks
-- A load's trips per week, and the first and last day of those.
copy (
    select (week - date '0001-01-01') / 7, region_id, datasource_id, trips, first_at::date - date '0001-01-01', last_at::date - date '0001-01-01'
    from rollup_week
    where load_id = %(load_id)s::integer
) to stdout (format binary);

-- name: count_unindexed_times
-- Trips of unindexed loads on some days, per week and column: the hour of the week where by is hour, the code of the duration where it is duration.
select date_trunc('week', t.started_at)::date as week,
       case %(by)s::text when 'hour' then hour_of_week(t.started_at) when 'duration' then duration_code(t.duration_s) else 0 end as "column",
       count(*) as trips
from trip as t
where t.load_id = any(%(unindexed_loads)s::integer[])
  and ((position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
        and position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))
       or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[], %(area_ranges)s::bigint[])
                                       or position_in_area(t.destination, %(destination_area)s::bigint[], %(area_ranges)s::bigint[]))))
  and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
  and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
group by 1, 2;
