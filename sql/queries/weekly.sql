-- Weekly counts. Shared parameters: region_id, datasource_id (null: any); from_on, to_on (dates of the period, both included);
-- whole_from, whole_to (first Monday and last Sunday of the weeks that lie whole in the period); uncompacted_loads (ids, in order: loads
-- in no segment), unindexed_loads (those of them without blocks, in order: their trips are read); hours (hours of the week, Monday 0 h is 0; null:
-- any; count_without_box then takes no week for whole). Loads may be compacted or undone between fetch_filters, which tells the uncompacted loads, and
-- the count: is_current says whether they were the same for both; when not, ask again (offset 0: found once, not for each row). One row
-- with week null: no trips. Segments come as an array: joined, what they hold would be read once for each of them.

-- name: fetch_filters
-- Ids of a region and a datasource (null: any, or not there), the first and last trip under them (null: no trips), and the uncompacted and
-- unindexed loads.
select f.region_id, f.datasource_id, min(w.first_at) as first_at, max(w.last_at) as last_at,
       array(select load_id from uncompacted_load order by load_id) as uncompacted_loads,
       array(select load_id from uncompacted_load where not has_blocks order by load_id) as unindexed_loads
from (
    select (select region_id from region where name = %(region)s::text) as region_id,
           (select datasource_id from datasource where name = %(datasource)s::text) as datasource_id
) as f
left join rollup_week as w
    on (%(region)s::text is null or w.region_id = f.region_id)
    and (%(datasource)s::text is null or w.datasource_id = f.datasource_id)
group by f.region_id, f.datasource_id;

-- name: has_unindexed_loads
-- Whether trips of some load are in no block, so that questions read them one by one.
select exists (select from uncompacted_load where not has_blocks);

-- name: list_uncompacted_loads
-- The uncompacted loads.
select load_id, has_blocks from uncompacted_load order by load_id;

-- name: count_without_box
-- Trips per week, with by_hour also per hour of the week, without a box: whole weeks from their rollup, other days from the days of
-- segments and the trips of unindexed loads; and of the other uncompacted loads the blocks that the caller has to read for those days: rows with times.
select s.is_current, c.*
from (
    select are_uncompacted(%(uncompacted_loads)s::integer[], %(unindexed_loads)s::integer[]) as is_current offset 0
) as s
left join (
    select week, hour, sum(trips)::bigint as trips,
           null::integer as region_id, null::integer as base_week, null::integer as datasources, null::integer as selected,
           null::bytea as week_index, null::bytea as times
    from (
        select w.week, null::integer as hour, w.trips
        from rollup_week as w
        where %(whole_from)s::date <= %(whole_to)s::date and w.week >= %(whole_from)s::date and w.week <= %(whole_to)s::date
          and (%(region_id)s::smallint is null or w.region_id = %(region_id)s::smallint)
          and (%(datasource_id)s::smallint is null or w.datasource_id = %(datasource_id)s::smallint)
        union all
        select h.week, case when %(by_hour)s::boolean then h.first_hour + h.hour end, h.trips
        from (
            -- Arrays unnested in a select list, above what is found once a day, cost a third of what they cost in from.
            select d.week, d.first_hour, unnest(d.hours) as hour, unnest(d.trips) as trips
            from (
                select date_trunc('week', d.day)::date as week, (extract(isodow from d.day)::integer - 1) * 24 as first_hour,
                       d.hours, d.trips
                from segment_day as d
                where (%(whole_from)s::date > %(from_on)s::date or %(whole_to)s::date < %(to_on)s::date)
                  and d.segment_id = any(array(select segment_id from segment))
                  and d.day >= %(from_on)s::date and d.day <= %(to_on)s::date
                  and (d.day < %(whole_from)s::date or d.day > %(whole_to)s::date)
                  and (%(region_id)s::smallint is null or d.region_id = %(region_id)s::smallint)
                  and (%(datasource_id)s::smallint is null or d.datasource_id = %(datasource_id)s::smallint)
                offset 0
            ) as d
        ) as h
        where (%(hours)s::integer[] is null or h.first_hour + h.hour = any(%(hours)s::integer[]))
        union all
        select date_trunc('week', t.started_at)::date, case when %(by_hour)s::boolean then hour_of_week(t.started_at) end, count(*)
        from trip as t
        where (%(whole_from)s::date > %(from_on)s::date or %(whole_to)s::date < %(to_on)s::date)
          and cardinality(%(unindexed_loads)s::integer[]) > 0 and t.load_id = any(%(unindexed_loads)s::integer[])
          and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
          and (t.started_at < %(whole_from)s::date or t.started_at >= %(whole_to)s::date + 1)
          and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
          and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
          and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
        group by 1, 2
    ) as part
    group by week, hour
    union all
    select null, null, p.trips, p.region_id, (p.base_on - date '0001-01-01') / 7, cardinality(p.datasource_ids),
           coalesce(array_position(p.datasource_ids, %(datasource_id)s::smallint) - 1, -1),
           p.week_index, substring(p.bits from 8 * p.times_at + 1)
    from batch_block as p
    where (%(whole_from)s::date > %(from_on)s::date or %(whole_to)s::date < %(to_on)s::date)
      and p.is_origin
      and p.load_id = any(%(uncompacted_loads)s::integer[]) and p.load_id <> all(%(unindexed_loads)s::integer[])
      and (%(region_id)s::smallint is null or p.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or %(datasource_id)s::smallint = any(p.datasource_ids))
) as c on s.is_current;

-- name: list_complement_regions
-- Regions of whose trips more than a share begin in an area, by what segments keep of whole cells. inner_34: see count_box.
select c.region_id
from (
    select c.region_id, sum(s.trips) as trips
    from segment_cell as c
    cross join lateral (select sum(w.trips) as trips from unnest(c.sum_trips) as w (trips)) as s
    where c.is_origin
      and c.segment_id = any(array(select segment_id from segment))
      and position_in_area(c.corner, %(inner_34)s::bigint[])
      and (%(region_id)s::smallint is null or c.region_id = %(region_id)s::smallint)
    group by c.region_id
) as c
where c.trips > %(share)s::float8 * (select sum(w.trips) from rollup_week as w where w.region_id = c.region_id)
order by c.region_id;

-- name: count_box
-- Trips per week, with by_hour also per hour of the week, with an end in an area (see position_in_area); and the blocks that the
-- caller has to read for the rest, which rows with columns after trips are: those that are not whole in the area, and with is_counted only
-- for the days of the period outside whole_from to whole_to. Terms say what is counted: of which end (is_origins), where it must lie
-- and where the other end (end_tests, other_tests of a term; 0: anywhere, 1: inside, 2: outside; those of a block are what is left to test of
-- its trips), and whether it is a term for complement_regions or for the others: of complement regions all trips of whole weeks come too,
-- total_sign times, and what is counted comes with is_complement. lowest_end, highest_end: the ends that count as numbers (origins 1).
-- inner_34: the part of the area made of whole cells of segment_cell. knows_cells,
-- knows_cell_hours, knows_sums: the filters are such that cells, or the hours of those that keep them, or sums of blocks know whole
-- weeks; a row with week and bits brings a cell's hours from that week on (trips: how many weeks), one with sum_weeks
-- the sums of blocks, two bytes a week (sum_lengths: weeks of each from its first on), both whatever the period;
-- has_cut_weeks: the period has other days too. needs_times: weeks do not tell all that is asked of a trip's time.
with term as (
    select *
    from unnest(%(is_origins)s::boolean[], %(end_tests)s::integer[], %(other_tests)s::integer[], %(are_complement)s::boolean[])
        as s (is_origin, end_test, other_test, is_complement)
), touched as materialized (
    select p.*, p.is_inner or (%(knows_sums)s::boolean and p.end_test = 0 and p.other_test = 0 and length(p.week_trips) > 0) as is_counted,
           p.end_test <> 0 as reads_deltas, p.other_test <> 0 and not p.is_x_in as reads_x, p.other_test <> 0 and not p.is_y_in as reads_y
    from (
        select s.is_complement, p.region_id, p.trips, p.base, p.base_on, p.datasource_ids, p.week_trips, p.week_index, p.block_id, p.x_at, p.y_at,
               p.times_at, p.other_x_low, p.other_y_low, p.has_cell_hours,
               x_in_area(p.other_x_low, p.other_x_high, %(area)s::bigint[]) as is_x_in,
               y_in_area(p.other_y_low, p.other_y_high, %(area)s::bigint[]) as is_y_in,
               case when s.end_test = 1 and box_in_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[]) then 0
                    when s.end_test = 2 and not box_touches_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[]) then 0
                    else s.end_test end as end_test,
               case when s.other_test = 1 and box_in_area(p.other_x_low, p.other_x_high, p.other_y_low, p.other_y_high, %(area)s::bigint[])
                    then 0
                    when s.other_test = 2
                         and not box_touches_area(p.other_x_low, p.other_x_high, p.other_y_low, p.other_y_high, %(area)s::bigint[])
                    then 0
                    else s.other_test end as other_test,
               s.end_test = 1 and s.other_test = 0
               and ((%(knows_cells)s::boolean and p.has_cells) or (%(knows_cell_hours)s::boolean and p.has_cell_hours))
               and position_in_area(p.base, %(inner_34)s::bigint[]) as is_inner
        from block as p
        join term as s on s.is_origin = p.is_origin and s.is_complement = (p.region_id = any(%(complement_regions)s::smallint[]))
        where (p.load_id is null or (p.load_id = any(%(uncompacted_loads)s::integer[]) and p.load_id <> all(%(unindexed_loads)s::integer[])))
          -- What the index of blocks begins with; of complement regions, what lies elsewhere counts too.
          and p.is_origin::integer >= %(lowest_end)s::integer and p.is_origin::integer <= %(highest_end)s::integer
          and (cardinality(%(complement_regions)s::smallint[]) > 0
               or box_touches_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[]))
          and (s.end_test <> 1 or box_touches_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[]))
          and (s.end_test <> 2 or not box_in_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[]))
          and (s.other_test <> 1
               or box_touches_area(p.other_x_low, p.other_x_high, p.other_y_low, p.other_y_high, %(area)s::bigint[]))
          and (s.other_test <> 2
               or not box_in_area(p.other_x_low, p.other_x_high, p.other_y_low, p.other_y_high, %(area)s::bigint[]))
          and (%(region_id)s::smallint is null or p.region_id = %(region_id)s::smallint)
          and (%(datasource_id)s::smallint is null or %(datasource_id)s::smallint = any(p.datasource_ids))
    ) as p
    where not p.is_inner or %(has_cut_weeks)s::boolean
), counted as (
    select w.week, null::integer as hour, sum(w.trips) as trips
    from (
        -- Arrays unnested side by side in a select list cost half of what they cost in from.
        select unnest(case when %(datasource_id)s::smallint is null then c.sum_weeks else c.weeks end) as week,
               unnest(case when %(datasource_id)s::smallint is null then c.sum_trips else c.trips end) as trips,
               unnest(case when %(datasource_id)s::smallint is not null then c.datasource_ids end) as datasource_id
        from segment_cell as c
        join term as s on s.is_origin = c.is_origin and s.end_test = 1 and s.other_test = 0
                          and s.is_complement = (c.region_id = any(%(complement_regions)s::smallint[]))
        where %(knows_cells)s::boolean
          and c.segment_id = any(array(select segment_id from segment))
          and position_in_area(c.corner, %(inner_34)s::bigint[])
          and (%(region_id)s::smallint is null or c.region_id = %(region_id)s::smallint)
    ) as w
    where w.week >= %(whole_from)s::date and w.week <= %(whole_to)s::date
      and (%(datasource_id)s::smallint is null or w.datasource_id = %(datasource_id)s::smallint)
    group by w.week
    union all
    select w.week, null, %(total_sign)s::integer * sum(w.trips)
    from rollup_week as w
    where cardinality(%(complement_regions)s::smallint[]) > 0  -- else not even looked at
      and w.region_id = any(%(complement_regions)s::smallint[])
      and w.week >= %(whole_from)s::date and w.week <= %(whole_to)s::date
      and (%(datasource_id)s::smallint is null or w.datasource_id = %(datasource_id)s::smallint)
    group by w.week
    union all
    select date_trunc('week', t.started_at)::date, case when %(by_hour)s::boolean then hour_of_week(t.started_at) end, count(*)
    from trip as t
    where cardinality(%(unindexed_loads)s::integer[]) > 0 and t.load_id = any(%(unindexed_loads)s::integer[])
      and ((position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]))
           or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[])
                                           or position_in_area(t.destination, %(destination_area)s::bigint[]))))
      and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
    group by 1, 2
)
select s.is_current, c.*
from (
    select are_uncompacted(%(uncompacted_loads)s::integer[], %(unindexed_loads)s::integer[]) as is_current offset 0
) as s
left join (
    select week, hour, null::integer[] as sum_weeks, null::integer[] as sum_lengths, null::bytea as sums, null::boolean as is_complement,
           null::boolean as is_counted, trips::bigint, null::bytea as headers, null::bytea as week_index
    from counted
    union all
    select null, null, array_agg((p.base_on - date '0001-01-01') / 7), array_agg(length(p.week_trips) / 2), string_agg(p.week_trips, ''),
           p.is_complement, null, null, null, null
    from touched as p
    where p.is_counted and not p.is_inner
    group by p.is_complement
    union all
    select c.weeks[1], null, null, null, c.hours, null, null, (c.weeks[cardinality(c.weeks)] - c.weeks[1]) / 7 + 1, null, null
    from segment_cell as c
    join term as s on s.is_origin = c.is_origin and s.end_test = 1 and s.other_test = 0 and not s.is_complement
    where %(knows_cell_hours)s::boolean
      and c.segment_id = any(array(select segment_id from segment))
      and c.hours is not null
      and position_in_area(c.corner, %(inner_34)s::bigint[])
      and (%(region_id)s::smallint is null or c.region_id = %(region_id)s::smallint)
    union all
    -- In one piece: a row for each costs both sides more than looking for it did.
    select null, null, null, null, null, p.is_complement, p.is_counted, null,
           array_send(array_agg(array[
               p.trips, p.region_id, p.base, (p.base_on - date '0001-01-01') / 7, cardinality(p.datasource_ids),
               coalesce(array_position(p.datasource_ids, %(datasource_id)s::smallint) - 1, -1), p.end_test, p.other_test,
               coalesce(p.other_x_low, 0), coalesce(p.other_y_low, 0), p.x_at, p.y_at - p.x_at, p.times_at - p.y_at,
               p.reads_deltas::integer + 2 * p.reads_x::integer + 4 * p.reads_y::integer + 8 * %(needs_times)s::boolean::integer,
               length(p.week_index) / 8, p.block_id
           ])),
           string_agg(p.week_index, '')
    from touched as p
    where not p.is_counted or %(has_cut_weeks)s::boolean
    group by p.is_complement, p.is_counted
) as c on s.is_current;
