-- name: insert_regions
-- Makes sure that the named regions exist.
insert into region (name) select unnest(%(names)s::text[]) on conflict (name) do nothing;

-- name: list_region_ids
select region_id, name from region where name = any(%(names)s::text[]);

-- name: list_regions
-- Regions that have trips, most first, with how many and between when.
select n.name, sum(w.trips)::bigint as trips, min(w.first_at) as first_at, max(w.last_at) as last_at
from rollup_week as w
join region as n using (region_id)
group by n.name
order by trips desc, n.name;

-- name: list_origin_cells
-- Trips that begin in each rollup cell of an area of whole cells, most first.
select c.cell, sum(c.trips)::bigint as trips
from rollup_cell as c
where c.is_origin and position_in_area(c.cell::bigint << 34, %(area)s::bigint[])
group by c.cell
order by trips desc, c.cell;
