-- Where trips of unindexed loads begin; see snapshot.sql.

-- name: count_unindexed_cells
-- Trips that begin in each cell of position >> shift in an area (null: anywhere).
select t.origin >> %(shift)s::integer as cell, count(*) as trips
from trip as t
where t.load_id = any(%(unindexed_loads)s::integer[]) and position_in_area(t.origin, %(area)s::bigint[])
group by 1;

-- name: bound_unindexed_origins
-- Bounds of the origins, as masked positions; nulls without trips.
select min(t.origin & 3074457345618258602) as x_low, max(t.origin & 3074457345618258602) as x_high,
       min(t.origin & 1537228672809129301) as y_low, max(t.origin & 1537228672809129301) as y_high
from trip as t
where t.load_id = any(%(unindexed_loads)s::integer[]);
