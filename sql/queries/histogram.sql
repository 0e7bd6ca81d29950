-- Histograms. Parameters: see snapshot.sql.

-- name: has_durations
-- Whether some load's trips may have durations.
select exists (select from load where rows_loaded > rows_untimed) as has_durations;

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
