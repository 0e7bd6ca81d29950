-- A block has a number that no other one has, in any database: processes that answer questions keep its bits in memory under it. A block never
-- changes, and one that is packed anew is another, so what is kept is never wrong. The same on every server.
alter table run_point add column block_id bigint not null default hashtextextended(gen_random_uuid()::text, 0);
alter table batch_point add column block_id bigint not null default hashtextextended(gen_random_uuid()::text, 0);

create index run_point_by_block on run_point (block_id);
create index batch_point_by_block on batch_point (block_id);

create or replace view block as
select null::integer as load_id, run_id, region_id, is_origin, true as has_cells, has_cell_hours, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, runs, bits, block_id
from run_point
where run_id = any(array(select run_id from run))
union all
select load_id, null, region_id, is_origin, false, false, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, runs, bits, block_id
from batch_point;
