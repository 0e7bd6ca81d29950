-- Trip groups and flows. Shared parameters: region, datasource (name or null); hour_from, hour_to (0 to 24, from ≤ hour < to; from > to
-- passes midnight); cell_shift = 62 - 5 × geohash precision; limit. Positions are means, in degrees.

-- name: groups_from_rollup
-- Largest trip groups for precisions up to 6 and buckets of whole hours, without a box.
with grouped as (
    select g.region_id,
           (g.origin_cell::bigint << 32) >> %(cell_shift)s::integer as origin_cell,
           (g.destination_cell::bigint << 32) >> %(cell_shift)s::integer as destination_cell,
           g.hour * 60 / %(bucket_minutes)s::integer * %(bucket_minutes)s::integer as bucket_minute,
           sum(g.trips)::bigint as trips,
           sum((position_axis(g.origin_cell::bigint << 31) * g.trips) + g.origin_x_sum)::float8 as origin_x,
           sum((position_axis(g.origin_cell::bigint << 32) * g.trips) + g.origin_y_sum)::float8 as origin_y,
           sum((position_axis(g.destination_cell::bigint << 31) * g.trips) + g.destination_x_sum)::float8 as destination_x,
           sum((position_axis(g.destination_cell::bigint << 32) * g.trips) + g.destination_y_sum)::float8 as destination_y,
           min(g.first_at) as first_at,
           max(g.last_at) as last_at,
           array_agg(distinct g.datasource_id) as datasource_ids
    from rollup_group as g
    where (%(region)s::text is null or g.region_id = (select region_id from region where name = %(region)s::text))
      and (%(datasource)s::text is null or g.datasource_id = (select datasource_id from datasource where name = %(datasource)s::text))
      and case when %(hour_from)s::integer < %(hour_to)s::integer
               then g.hour >= %(hour_from)s::integer and g.hour < %(hour_to)s::integer
               else g.hour >= %(hour_from)s::integer or g.hour < %(hour_to)s::integer end
    group by 1, 2, 3, 4
    order by trips desc, 1, 2, 3, 4
    limit %(limit)s::integer
)
select r.name as region,
       geohash_text(origin_cell, (62 - %(cell_shift)s::integer) / 5) as origin_cell,
       geohash_text(destination_cell, (62 - %(cell_shift)s::integer) / 5) as destination_cell,
       bucket_minute, trips,
       (origin_x / trips + 0.5) * (360.0 / 2147483648) - 180 as origin_longitude,
       (origin_y / trips + 0.5) * (180.0 / 2147483648) - 90 as origin_latitude,
       (destination_x / trips + 0.5) * (360.0 / 2147483648) - 180 as destination_longitude,
       (destination_y / trips + 0.5) * (180.0 / 2147483648) - 90 as destination_latitude,
       first_at, last_at,
       (select array_agg(d.name order by d.name) from datasource as d where d.datasource_id = any(datasource_ids)) as datasources
from grouped
join region as r using (region_id)
order by trips desc, region, 2, 3, 4;
