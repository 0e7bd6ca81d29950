-- Blocks of origins get the minutes of their trips, so that trip groups of parts of hours are counted from blocks, too. The same on every server.
-- All loads become unindexed: until the next compaction makes their blocks anew, questions read their trips.
delete from segment;
update load set rows_in_blocks = 0 where rows_in_blocks > 0;
delete from segment_block;
delete from batch_block;
alter table segment_block alter column durations_at set not null, add column minutes_at integer not null;
alter table batch_block alter column durations_at set not null, add column minutes_at integer not null;

create or replace view block as
select null::integer as load_id, segment_id, region_id, is_origin, true as has_cells, has_cell_hours, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, week_index, bits,
       block_id, durations_at, minutes_at
from segment_block
where segment_id = any(array(select segment_id from segment))
union all
select load_id, null, region_id, is_origin, false, false, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, week_index, bits,
       block_id, durations_at, minutes_at
from batch_block;
