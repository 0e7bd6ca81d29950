-- name: copy_rollup_week
copy rollup_week (load_id, week, region_id, datasource_id, trips, first_at, last_at) from stdin (format binary);

-- name: copy_rollup_cell
copy rollup_cell (load_id, cell, week, region_id, datasource_id, is_origin, trips) from stdin (format binary);

-- name: copy_rollup_group
copy rollup_group (load_id, origin_cell, destination_cell, region_id, datasource_id, hour, trips,
                   origin_x_sum, origin_y_sum, destination_x_sum, destination_y_sum, first_at, last_at)
from stdin (format binary);

-- name: fetch_load_period
-- First and last trip of a load; nulls when it has none.
select min(first_at) as first_at, max(last_at) as last_at from rollup_week where load_id = %(load_id)s::integer;

-- name: fold_rollup_week
-- Merges a load's deltas into one row per key; returns the rows left.
with gone as (
    delete from rollup_week where load_id = %(load_id)s::integer returning *
)
insert into rollup_week (load_id, week, region_id, datasource_id, trips, first_at, last_at)
select load_id, week, region_id, datasource_id, sum(trips), min(first_at), max(last_at)
from gone
group by load_id, week, region_id, datasource_id;

-- name: fold_rollup_cell
with gone as (
    delete from rollup_cell where load_id = %(load_id)s::integer returning *
)
insert into rollup_cell (load_id, cell, week, region_id, datasource_id, is_origin, trips)
select load_id, cell, week, region_id, datasource_id, is_origin, sum(trips)
from gone
group by load_id, cell, week, region_id, datasource_id, is_origin
order by is_origin, cell, week;

-- name: fold_rollup_group
with gone as (
    delete from rollup_group where load_id = %(load_id)s::integer returning *
)
insert into rollup_group (load_id, origin_cell, destination_cell, region_id, datasource_id, hour, trips,
                          origin_x_sum, origin_y_sum, destination_x_sum, destination_y_sum, first_at, last_at)
select load_id, origin_cell, destination_cell, region_id, datasource_id, hour, sum(trips),
       sum(origin_x_sum), sum(origin_y_sum), sum(destination_x_sum), sum(destination_y_sum), min(first_at), max(last_at)
from gone
group by load_id, origin_cell, destination_cell, region_id, datasource_id, hour
order by origin_cell, destination_cell;

-- name: delete_rollup_week
delete from rollup_week where load_id = %(load_id)s::integer;

-- name: delete_rollup_cell
delete from rollup_cell where load_id = %(load_id)s::integer;

-- name: delete_rollup_group
delete from rollup_group where load_id = %(load_id)s::integer;
