-- Where trips begin. uncompacted_loads, unindexed_loads, is_current: see weekly.sql.

-- name: list_density
-- Trips that begin in each cell that an area (null: anywhere) touches, most first: the finest cells of which there are at most limit,
-- from position >> 24 (some 40 by 40 m) on up. shift tells which. cells, cell_trips: what begins in cells of position >> (24 +
-- least_level) by the blocks of uncompacted loads; no finer cells are taken then. A row with cell null at least.
with fine as materialized (
    select cell, sum(trips) as trips
    from (
        select ((c.corner >> 24) | f.fine_cell) >> %(least_level)s::integer as cell, f.trips
        from segment_cell as c
        cross join unnest(c.fine_cells, c.fine_trips) as f (fine_cell, trips)
        where c.is_origin
          and c.segment_id = any(array(select segment_id from segment))
          and position_in_area(c.corner, %(cell_area)s::bigint[])
          and position_in_area(((c.corner >> 24) | f.fine_cell) << 24, %(area)s::bigint[])
        union all
        select t.origin >> 24 + %(least_level)s::integer, count(*)
        from trip as t
        where cardinality(%(unindexed_loads)s::integer[]) > 0 and t.load_id = any(%(unindexed_loads)s::integer[])
          and position_in_area(t.origin, %(area)s::bigint[])
        group by 1
        union all
        select * from unnest(%(cells)s::bigint[], %(cell_trips)s::bigint[])
    ) as part
    group by cell
), selected as materialized (
    with recursive coarser (level, cells) as (
        select %(least_level)s::integer, (select count(*) from fine)
        union all
        select level + 2, (select count(*) from (select distinct cell >> (level + 2 - %(least_level)s::integer) from fine) as coarse)
        from coarser
        where cells > %(limit)s::integer
    )
    select max(level) as level from coarser
)
select s.is_current, c.cell, 24 + c.level as shift, c.trips
from (
    select are_uncompacted(%(uncompacted_loads)s::integer[], %(unindexed_loads)s::integer[]) as is_current offset 0
) as s
left join (
    select f.cell >> (c.level - %(least_level)s::integer) as cell, c.level, sum(f.trips::float8)::bigint as trips
    from fine as f
    cross join selected as c
    group by 1, 2
) as c on s.is_current
order by c.trips desc, c.cell;

-- name: list_origin_blocks
-- Blocks of origins of uncompacted loads that have some, which touch an area.
select p.trips, p.base, p.week_index, substring(p.bits for 8 * p.x_at) as deltas
from batch_block as p
where p.is_origin
  and p.load_id = any(%(uncompacted_loads)s::integer[]) and p.load_id <> all(%(unindexed_loads)s::integer[])
  and box_touches_area(p.x_low, p.x_high, p.y_low, p.y_high, %(area)s::bigint[]);

-- name: fetch_extent
-- Bounds of all origins, as masked positions; nulls without trips.
select are_uncompacted(%(uncompacted_loads)s::integer[], %(unindexed_loads)s::integer[]) as is_current,
       min(x_low) as x_low, max(x_high) as x_high, min(y_low) as y_low, max(y_high) as y_high
from (
    select p.x_low, p.x_high, p.y_low, p.y_high
    from block as p
    where p.is_origin
      and (p.load_id is null or (p.load_id = any(%(uncompacted_loads)s::integer[]) and p.load_id <> all(%(unindexed_loads)s::integer[])))
    union all
    select min(t.origin & 3074457345618258602), max(t.origin & 3074457345618258602),
           min(t.origin & 1537228672809129301), max(t.origin & 1537228672809129301)
    from trip as t
    where cardinality(%(unindexed_loads)s::integer[]) > 0 and t.load_id = any(%(unindexed_loads)s::integer[])
) as bounds;
