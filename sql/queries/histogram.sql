-- Histograms. Parameters: see weekly.sql, which counts hours in a box too.

-- name: histogram_hours
-- Trips per hour of the week without a box; hours without trips are left out. A row with hour null at least.
select s.is_current, c.hour, c.trips
from (
    select are_loose(%(loose_loads)s::integer[], %(bare_loads)s::integer[]) as is_current
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
