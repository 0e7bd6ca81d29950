-- Histograms. Parameters: see weekly.sql.

-- name: histogram_hours
-- Trips per hour of the week without a box; hours without trips are left out. A row with hour null at least.
select s.is_current, c.hour, c.trips
from (
    select array(select load_id from loose_load where not has_run order by load_id) = %(loose_loads)s::integer[] as is_current
) as s
left join (
    select hour, sum(trips)::bigint as trips
    from (
        select (extract(isodow from d.day)::integer - 1) * 24 + h.hour as hour, h.trips
        from run_day as d
        cross join unnest(d.hours, d.trips) as h (hour, trips)
        where d.run_id in (select run_id from run)
          and d.day >= %(from_on)s::date and d.day <= %(to_on)s::date
          and (%(region_id)s::smallint is null or d.region_id = %(region_id)s::smallint)
          and (%(datasource_id)s::smallint is null or d.datasource_id = %(datasource_id)s::smallint)
        union all
        select hour_of_week(t.started_at), count(*)
        from trip as t
        where cardinality(%(loose_loads)s::integer[]) > 0 and t.load_id = any(%(loose_loads)s::integer[])
          and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
          and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
          and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
        group by 1
    ) as part
    where %(hours)s::integer[] is null or hour = any(%(hours)s::integer[])
    group by hour
) as c on s.is_current
order by c.hour;

-- name: histogram_box
-- Trips per hour of the week with an end in an area: is_origins, both_sign, area, inner_34 as in weekly_box;
-- from cells that know hours, blocks of points, and trips.
with touched as materialized (
    select p.base, p.base_on, p.offsets, p.weeks, p.datasource_ids, p.hours, p.is_inner,
           box_in_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[]) as is_inside
    from (
        select p.*,
               r.has_cell_hours and %(datasource_id)s::smallint is null and position_in_area(p.base, %(inner_34)s::bigint[]) as is_inner
        from run_point as p
        join run as r using (run_id)
        where cardinality(%(is_origins)s::boolean[]) > 0 and p.is_origin = any(%(is_origins)s::boolean[])
          and box_touches_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[])
          and (%(region_id)s::smallint is null or p.region_id = %(region_id)s::smallint)
    ) as p
    where not p.is_inner or %(whole_from)s::date > %(from_on)s::date or %(whole_to)s::date < %(to_on)s::date
), counted as (
    select h.hour::integer as hour, sum(w.trips) as trips
    from run_hour as h
    cross join unnest(h.trips) with ordinality as w (trips, number)
    where %(datasource_id)s::smallint is null
      and cardinality(%(is_origins)s::boolean[]) > 0 and h.is_origin = any(%(is_origins)s::boolean[])
      and h.run_id in (select run_id from run where has_cell_hours)
      and position_in_area(h.corner, %(inner_34)s::bigint[])
      and h.first_week + 7 * (w.number - 1)::integer >= %(whole_from)s::date
      and h.first_week + 7 * (w.number - 1)::integer <= %(whole_to)s::date
      and (%(region_id)s::smallint is null or h.region_id = %(region_id)s::smallint)
    group by h.hour
    union all
    select e.hour, count(*)
    from (
        select p.is_inside, p.is_inner, p.base + unnest(case when not p.is_inside then p.offsets end) as position,
               p.base_on + 7 * unnest(p.weeks) as week,
               unnest(case when %(datasource_id)s::smallint is not null then p.datasource_ids end) as datasource_id,
               unnest(p.hours)::integer + 84 as hour
        from touched as p
    ) as e
    where (e.is_inside or position_in_area(e.position, %(area)s::bigint[]))
      and e.week + e.hour / 24 >= %(from_on)s::date and e.week + e.hour / 24 <= %(to_on)s::date
      and not (e.is_inner and e.week >= %(whole_from)s::date and e.week <= %(whole_to)s::date)
      and (%(datasource_id)s::smallint is null or e.datasource_id = %(datasource_id)s::smallint)
    group by 1
    union all
    -- Packed trips with both ends in the area.
    select hour_of_week(t.started_at), %(both_sign)s::integer * count(*)
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
    select hour_of_week(t.started_at), count(*)
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
select s.is_current, c.hour, c.trips
from (
    select array(select load_id from loose_load where not has_run order by load_id) = %(loose_loads)s::integer[] as is_current
) as s
left join (
    select hour, sum(trips)::bigint as trips
    from counted
    where %(hours)s::integer[] is null or hour = any(%(hours)s::integer[])
    group by hour
) as c on s.is_current
order by c.hour;

-- name: histogram_durations
-- Trips per duration, read trip by trip: bin n holds those of bounds_s[n] seconds or more and less than bounds_s[n + 1]; bin null those
-- whose duration isn't known. origin_area, destination_area, is_either: see group.sql.
select width_bucket(t.duration_s, %(bounds_s)s::integer[]) as bin, count(*) as trips
from trip as t
where ((position_in_area(t.origin, %(origin_area)s::bigint[]) and position_in_area(t.destination, %(destination_area)s::bigint[]))
       or (%(is_either)s::boolean and (position_in_area(t.origin, %(origin_area)s::bigint[])
                                       or position_in_area(t.destination, %(destination_area)s::bigint[]))))
  and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
  and (%(hours)s::integer[] is null or hour_of_week(t.started_at) = any(%(hours)s::integer[]))
group by 1
order by 1;
