-- Weekly counts. Shared parameters: region_id, datasource_id (null: any); from_on, to_on (dates of the period, both included);
-- whole_from, whole_to (first Monday and last Sunday of the weeks that lie whole in the period: these come from rollups);
-- area (see position_in_area); inner_area (the part of it made of whole rollup cells).

-- name: fetch_filters
-- Ids of a region and a datasource (null: any, or not there), and the first and last trip under them (null: no trips).
select f.region_id, f.datasource_id, min(w.first_at) as first_at, max(w.last_at) as last_at
from (
    select (select region_id from region where name = %(region)s::text) as region_id,
           (select datasource_id from datasource where name = %(datasource)s::text) as datasource_id
) as f
left join rollup_week as w
    on (%(region)s::text is null or w.region_id = f.region_id)
    and (%(datasource)s::text is null or w.datasource_id = f.datasource_id)
group by f.region_id, f.datasource_id;

-- name: weekly_all
-- Trips per week without a box.
select week, sum(trips)::bigint as trips
from (
    select w.week, w.trips
    from rollup_week as w
    where w.week >= %(whole_from)s::date and w.week <= %(whole_to)s::date
      and (%(region_id)s::smallint is null or w.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or w.datasource_id = %(datasource_id)s::smallint)
    union all
    select date_trunc('week', t.started_at)::date, count(*)
    from trip as t
    where ((t.started_at >= %(from_on)s::date and t.started_at < least(%(whole_from)s::date, %(to_on)s::date + 1))
        or (t.started_at >= greatest(%(whole_to)s::date + 1, %(from_on)s::date) and t.started_at < %(to_on)s::date + 1))
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
    group by 1
) as part
group by week
order by week;

-- name: weekly_origin
-- Trips per week whose origin lies in the area: whole cells from the rollup, the rest from the trips.
select week, sum(trips)::bigint as trips
from (
    select w.week, w.trips::bigint as trips
    from rollup_cell as c
    cross join unnest(c.weeks, c.trips) as w (week, trips)
    where c.is_origin
      and position_in_area(c.cell::bigint << 34, %(inner_area)s::bigint[])
      and w.week >= %(whole_from)s::date and w.week <= %(whole_to)s::date
      and (%(region_id)s::smallint is null or c.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or c.datasource_id = %(datasource_id)s::smallint)
    union all
    select date_trunc('week', t.started_at)::date, count(*)
    from trip as t
    where position_in_area(t.origin, %(area)s::bigint[])
      and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
      and not (position_in_area(t.origin, %(inner_area)s::bigint[])
               and t.started_at >= %(whole_from)s::date and t.started_at < %(whole_to)s::date + 1)
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
    group by 1
) as part
group by week
order by week;

-- name: weekly_destination
-- Trips per week whose destination lies in the area: whole cells from the rollup, the rest from the trips.
select week, sum(trips)::bigint as trips
from (
    select w.week, w.trips::bigint as trips
    from rollup_cell as c
    cross join unnest(c.weeks, c.trips) as w (week, trips)
    where not c.is_origin
      and position_in_area(c.cell::bigint << 34, %(inner_area)s::bigint[])
      and w.week >= %(whole_from)s::date and w.week <= %(whole_to)s::date
      and (%(region_id)s::smallint is null or c.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or c.datasource_id = %(datasource_id)s::smallint)
    union all
    select date_trunc('week', t.started_at)::date, count(*)
    from trip as t
    where position_in_area(t.destination, %(area)s::bigint[])
      and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
      and not (position_in_area(t.destination, %(inner_area)s::bigint[])
               and t.started_at >= %(whole_from)s::date and t.started_at < %(whole_to)s::date + 1)
      and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
      and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
    group by 1
) as part
group by week
order by week;

-- name: weekly_both
-- Trips per week with both ends in the area.
select date_trunc('week', t.started_at)::date as week, count(*) as trips
from trip as t
where (position_in_area(t.origin, %(area)s::bigint[]) and position_in_area(t.destination, %(area)s::bigint[]))
  and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
group by week
order by week;

-- name: weekly_either
-- Trips per week with at least one end in the area.
select date_trunc('week', t.started_at)::date as week, count(*) as trips
from trip as t
where (position_in_area(t.origin, %(area)s::bigint[]) or position_in_area(t.destination, %(area)s::bigint[]))
  and t.started_at >= %(from_on)s::date and t.started_at < %(to_on)s::date + 1
  and (%(region_id)s::smallint is null or t.region_id = %(region_id)s::smallint)
  and (%(datasource_id)s::smallint is null or t.datasource_id = %(datasource_id)s::smallint)
group by week
order by week;
