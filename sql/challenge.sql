-- The two bonus questions of the challenge, and two that are asked as often. weekly_trips is a view for analysts: trips per week, region and datasource, with the first
-- and last of them; it answers in milliseconds what the view trips would answer by reading every trip.

-- name: latest_datasource_of_top_regions
-- title: From the two most commonly appearing regions, which is the latest datasource?
-- The newest trip of the two regions that have the most trips, and who recorded it.
with top_region as (
    select region
    from weekly_trips
    group by region
    order by sum(trips) desc, region
    limit 2
)
select datasource, region, last_at as started_at
from weekly_trips
where region in (select region from top_region)
order by last_at desc, datasource
limit 1;

-- name: latest_datasource_per_top_region
-- title: … and the latest datasource of each of the two?
-- One row for each of the two regions, the one with more trips first.
with top_region as (
    select region, sum(trips)::bigint as trips
    from weekly_trips
    group by region
    order by trips desc, region
    limit 2
)
select r.region, r.trips, newest.datasource, newest.last_at as started_at
from top_region as r
cross join lateral (
    select w.datasource, w.last_at
    from weekly_trips as w
    where w.region = r.region
    order by w.last_at desc, w.datasource
    limit 1
) as newest
order by r.trips desc, r.region;

-- name: regions_of_datasource
-- title: What regions has the "cheap_mobile" datasource appeared in?
-- default: datasource=cheap_mobile
-- Every region with at least one trip that the datasource recorded.
select distinct region
from weekly_trips
where datasource = %(datasource)s::text
order by region;

-- name: trips_per_region
-- title: How many trips does each region have?
-- Every region with its trips, most first, and the days of the first and the last of them.
select region, sum(trips)::bigint as trips, min(first_at)::date as first_on, max(last_at)::date as last_on
from weekly_trips
group by region
order by trips desc, region;

-- name: trips_per_week
-- title: How many trips did a datasource record each week?
-- default: datasource=cheap_mobile
-- Every week with at least one trip, by the Monday it begins with.
select week, sum(trips)::bigint as trips
from weekly_trips
where datasource = %(datasource)s::text
group by week
order by week;
