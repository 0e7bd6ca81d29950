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

-- name: list_origin_cells
-- Trips that begin in each rollup cell of an area of whole cells, most first.
select c.cell, sum(w.trips)::bigint as trips
from rollup_cell as c
cross join unnest(c.trips) as w (trips)
where c.is_origin and position_in_area(c.cell::bigint << 34, %(area)s::bigint[])
group by c.cell
order by trips desc, c.cell;

-- name: list_load_cells
-- Trips of a load that begin in each rollup cell.
select c.cell, sum(w.trips)::bigint as trips
from rollup_cell as c
cross join unnest(c.trips) as w (trips)
where c.load_id = %(load_id)s::integer and c.is_origin
group by c.cell
order by c.cell;
