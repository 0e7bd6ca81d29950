-- The two bonus questions of the challenge, over the analysts' view trips.

-- name: latest_datasource_of_top_regions
-- title: From the two most commonly appearing regions, which is the latest datasource?
-- The newest trip among the two regions with the most trips.
with top_region as (
    select region
    from trips
    group by region
    order by count(*) desc, region
    limit 2
)
select datasource, region, started_at
from trips
where region in (select region from top_region)
order by started_at desc, datasource
limit 1;

-- name: latest_datasource_per_top_region
-- title: … and the latest datasource of each of the two?
-- One row for each of the two regions with the most trips.
with top_region as (
    select region, count(*) as trips
    from trips
    group by region
    order by trips desc, region
    limit 2
)
select r.region, r.trips, l.datasource, l.started_at
from top_region as r
cross join lateral (
    select datasource, started_at
    from trips as t
    where t.region = r.region
    order by started_at desc, datasource
    limit 1
) as l
order by r.trips desc, r.region;

-- name: regions_of_datasource
-- title: What regions has the "cheap_mobile" datasource appeared in?
-- default: datasource=cheap_mobile
-- Every region with at least one trip of the datasource.
select distinct region
from weekly_trips
where datasource = %(datasource)s::text and trips > 0
order by region;
