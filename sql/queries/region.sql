-- name: insert_regions
-- Makes sure that the named regions exist; those that do use up no id.
insert into region (name)
select n.name from unnest(%(names)s::text[]) as n (name)
where not exists (select from region as t where t.name = n.name)
on conflict (name) do nothing;

-- name: list_region_ids
select region_id, name from region where name = any(%(names)s::text[]);

-- name: list_regions
-- Regions that have trips, most first, with how many and between when.
select n.name, sum(w.trips)::bigint as trips, min(w.first_at) as first_at, max(w.last_at) as last_at
from rollup_week as w
join region as n using (region_id)
group by n.name
order by trips desc, n.name;

-- name: list_region_names
-- Names to look for one like a name that isn't there.
select name from region order by name limit 2000;
