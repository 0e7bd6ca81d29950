-- name: insert_regions
-- Makes sure that the named regions exist.
insert into region (name) select unnest(%(names)s::text[]) on conflict (name) do nothing;

-- name: list_region_ids
select region_id, name from region where name = any(%(names)s::text[]);

-- name: list_regions
-- Regions that have trips, with how many and between when.
select r.name as region, sum(w.trips)::bigint as trips, min(w.first_at) as first_at, max(w.last_at) as last_at
from rollup_week as w
join region as r using (region_id)
group by r.name
order by trips desc, region;
