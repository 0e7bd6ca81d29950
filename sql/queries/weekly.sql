-- Weekly counts. Shared parameters: region_id, datasource_id (null: any); from_on, to_on (dates of the period, both included);
-- whole_from, whole_to (first Monday and last Sunday of the weeks that lie whole in the period); loose_loads (ids, in order: their trips
-- are read, all others come from runs); hours (hours of the week, Monday 0 h is 0; null: any; without a box no week counts as whole then). Loads may be packed or undone between fetch_filters, which tells the loose loads, and the
-- count: is_current says whether they were the same for both; when not, ask again. One row with week null: no trips.

-- name: fetch_filters
-- Ids of a region and a datasource (null: any, or not there), the first and last trip under them (null: no trips), and the loose loads;
-- with needs_hours also the loads whose runs have no hours.
select f.region_id, f.datasource_id, min(w.first_at) as first_at, max(w.last_at) as last_at,
       array(select load_id from loose_load where not has_run or %(needs_hours)s::boolean order by load_id) as loose_loads
from (
    select (select region_id from region where name = %(region)s::text) as region_id,
           (select datasource_id from datasource where name = %(datasource)s::text) as datasource_id
) as f
left join rollup_week as w
    on (%(region)s::text is null or w.region_id = f.region_id)
    and (%(datasource)s::text is null or w.datasource_id = f.datasource_id)
group by f.region_id, f.datasource_id;

-- name: list_loose_loads
-- Loads whose trips must be read.
select load_id from loose_load where not has_run order by load_id;

-- name: weekly_all
-- Trips per week without a box: whole weeks from their rollup, other days from the runs or the trips.
select s.is_current, c.week, c.trips
from (
    select array(select load_id from loose_load where not has_run order by load_id) = %(loose_loads)s::integer[] as is_current
) as s
left join (
    select week, sum(trips)::bigint as trips
    from (
        select w.week, w.trips
        from rollup_week as w
        where %(hours)s::integer[] is null and w.week >= %(whole_from)s::date and w.week <= %(whole_to)s::date
          and (%(region_id)s::smallint is null or w.region_id = %(region_id)s::smallint)
          and (%(datasource_id)s::smallint is null or w.datasource_id = %(datasource_id)s::smallint)
        union all
        select date_trunc('week', d.day)::date, h.trips
        from run_day as d
        cross join unnest(d.hours, d.trips) as h (hour, trips)
        where (%(whole_from)s::date > %(from_on)s::date or %(whole_to)s::date < %(to_on)s::date)
          and d.run_id in (select run_id from run)
          and d.day >= %(from_on)s::date and d.day <= %(to_on)s::date
          and (d.day < %(whole_from)s::date or d.day > %(whole_to)s::date)
          and (%(region_id)s::smallint is null or d.region_id = %(region_id)s::smallint)
          and (%(datasource_id)s::smallint is null or d.datasource_id = %(datasource_id)s::smallint)
          and (%(hours)s::integer[] is null
               or (extract(isodow from d.day)::integer - 1) * 24 + h.hour = any(%(hours)s::integer[]))
        union all
        select date_trunc('week', t.started_at)::date, count(*)
        from trip as t
        where (%(whole_from)s::date > %(from_on)s::date or %(whole_to)s::date < %(to_on)s::date)
          and cardinality(%(loose_loads)s::integer[]) > 0 and t.load_id = any(%(loose_loads)s::integer[])
          and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
          and (t.started_at < %(whole_from)s::date or t.started_at >= %(whole_to)s::date + 1)
          and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
          and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
          and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
        group by 1
    ) as part
    group by week
) as c on s.is_current
order by c.week;

-- name: weekly_box
-- Trips per week with an end in an area. is_origins: which ends count by themselves (true: origin, false: destination); both_sign: what a
-- trip with both ends in the area counts besides (1 with no end by itself, -1 with both, so that none counts twice, else 0).
-- area: see position_in_area; inner_34, inner_30, inner_28: the parts of it made of whole cells of each level of run_cell. A point is
-- counted by the coarsest cell that lies whole in the area, if its run has such a cell, else by its block or by itself.
with touched as materialized (
    -- Blocks of points on the area, but none whose cell and weeks are whole: the next part counts those.
    select p.base, p.base_on, p.offsets, p.weeks, p.datasource_ids,
           case when %(hours)s::integer[] is not null or %(whole_from)s::date > %(from_on)s::date or %(whole_to)s::date < %(to_on)s::date
                then p.hours end as hours,
           p.sum_weeks, p.sum_trips, p.is_inner,
           box_in_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[]) as is_inside
    from (
        select p.*,
               case when %(hours)s::integer[] is not null
                    then r.has_cell_hours and %(datasource_id)s::smallint is null and position_in_area(p.base, %(inner_34)s::bigint[])
                    when r.finest_shift = 28 then position_in_area(p.base, %(inner_28)s::bigint[])
                    when r.finest_shift = 30 then position_in_area(p.base, %(inner_30)s::bigint[])
                    else position_in_area(p.base, %(inner_34)s::bigint[]) end as is_inner
        from run_point as p
        join run as r using (run_id)
        where cardinality(%(is_origins)s::boolean[]) > 0 and p.is_origin = any(%(is_origins)s::boolean[])
          and box_touches_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[])
          and (%(region_id)s::smallint is null or p.region_id = %(region_id)s::smallint)
    ) as p
    where not p.is_inner or %(whole_from)s::date > %(from_on)s::date or %(whole_to)s::date < %(to_on)s::date
), counted as (
    select w.week, sum(w.trips) as trips
    from run_cell as c
    cross join unnest(c.weeks, c.datasource_ids, c.trips) as w (week, datasource_id, trips)
    where %(hours)s::integer[] is null
      and cardinality(%(is_origins)s::boolean[]) > 0 and c.is_origin = any(%(is_origins)s::boolean[])
      and c.run_id in (select run_id from run)
      and ((c.shift = 34 and position_in_area(c.corner, %(inner_34)s::bigint[]))
           or (c.shift = 30 and position_in_area(c.corner, %(inner_30)s::bigint[])
               and not position_in_area(c.corner, %(inner_34)s::bigint[]))
           or (c.shift = 28 and position_in_area(c.corner, %(inner_28)s::bigint[])
               and not position_in_area(c.corner, %(inner_30)s::bigint[])))
      and w.week >= %(whole_from)s::date and w.week <= %(whole_to)s::date
      and (%(region_id)s::smallint is null or c.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or w.datasource_id = %(datasource_id)s::smallint)
    group by w.week
    union all
    -- The same for hours; numbers count weeks from the first.
    select h.first_week + 7 * (w.number - 1)::integer, sum(w.trips)
    from run_hour as h
    cross join unnest(h.trips) with ordinality as w (trips, number)
    where %(hours)s::integer[] is not null and %(datasource_id)s::smallint is null
      and cardinality(%(is_origins)s::boolean[]) > 0 and h.is_origin = any(%(is_origins)s::boolean[])
      and h.run_id in (select run_id from run where has_cell_hours)
      and h.hour = any(%(hours)s::integer[])
      and position_in_area(h.corner, %(inner_34)s::bigint[])
      and h.first_week + 7 * (w.number - 1)::integer >= %(whole_from)s::date
      and h.first_week + 7 * (w.number - 1)::integer <= %(whole_to)s::date
      and w.trips > 0
      and (%(region_id)s::smallint is null or h.region_id = %(region_id)s::smallint)
    group by 1
    union all
    -- Blocks that lie whole in the area: whole weeks from their sums, unless hours or a datasource are asked for.
    select p.base_on + 7 * w.week, sum(w.trips)
    from touched as p
    cross join unnest(p.sum_weeks, p.sum_trips) as w (week, trips)
    where p.is_inside and not p.is_inner and %(hours)s::integer[] is null and %(datasource_id)s::smallint is null
      and p.base_on + 7 * w.week >= %(whole_from)s::date and p.base_on + 7 * w.week <= %(whole_to)s::date
    group by 1
    union all
    -- The rest of those blocks. Hours are read where they matter; a Monday stands for a whole week.
    select e.week, count(*)
    from (
        select p.is_inner, p.base_on + 7 * unnest(p.weeks) as week, unnest(p.datasource_ids) as datasource_id,
               unnest(p.hours)::integer + 84 as hour
        from touched as p
        where p.is_inside
          and (%(hours)s::integer[] is not null or %(datasource_id)s::smallint is not null
               or %(whole_from)s::date > %(from_on)s::date or %(whole_to)s::date < %(to_on)s::date)
    ) as e
    where e.week + coalesce(e.hour / 24, 0) >= %(from_on)s::date and e.week + coalesce(e.hour / 24, 0) <= %(to_on)s::date
      and not ((e.is_inner or (%(hours)s::integer[] is null and %(datasource_id)s::smallint is null))
               and e.week >= %(whole_from)s::date and e.week <= %(whole_to)s::date)
      and (%(datasource_id)s::smallint is null or e.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or e.hour = any(%(hours)s::integer[]))
    group by 1
    union all
    -- Blocks that an edge cuts: end by end. Arrays unnested side by side in a select list cost half of what they cost in from.
    select e.week, count(*)
    from (
        select p.base + unnest(p.offsets) as position, p.base_on + 7 * unnest(p.weeks) as week,
               unnest(case when %(datasource_id)s::smallint is not null then p.datasource_ids end) as datasource_id,
               unnest(p.hours)::integer + 84 as hour
        from touched as p
        where not p.is_inside
    ) as e
    where position_in_area(e.position, %(area)s::bigint[])
      and e.week + coalesce(e.hour / 24, 0) >= %(from_on)s::date and e.week + coalesce(e.hour / 24, 0) <= %(to_on)s::date
      and (%(datasource_id)s::smallint is null or e.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or e.hour = any(%(hours)s::integer[]))
    group by 1
    union all
    -- Packed trips with both ends in the area.
    select date_trunc('week', t.started_at)::date, %(both_sign)s::integer * count(*)
    from trip as t
    where %(both_sign)s::integer <> 0
      and position_in_area(t.origin, %(area)s::bigint[]) and position_in_area(t.destination, %(area)s::bigint[])
      and (cardinality(%(loose_loads)s::integer[]) = 0 or t.load_id <> all(%(loose_loads)s::integer[]))
      and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
    group by 1
    union all
    -- Loose trips.
    select date_trunc('week', t.started_at)::date, count(*)
    from trip as t
    where cardinality(%(loose_loads)s::integer[]) > 0 and t.load_id = any(%(loose_loads)s::integer[])
      and ((true = any(%(is_origins)s::boolean[]) and position_in_area(t.origin, %(area)s::bigint[]))
           or (false = any(%(is_origins)s::boolean[]) and position_in_area(t.destination, %(area)s::bigint[]))
           or (cardinality(%(is_origins)s::boolean[]) = 0
               and position_in_area(t.origin, %(area)s::bigint[]) and position_in_area(t.destination, %(area)s::bigint[])))
      and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
      and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
    group by 1
)
select s.is_current, c.week, c.trips
from (
    select array(select load_id from loose_load where not has_run order by load_id) = %(loose_loads)s::integer[] as is_current
) as s
left join (
    select week, sum(trips)::bigint as trips
    from counted
    group by week
) as c on s.is_current
order by c.week;
