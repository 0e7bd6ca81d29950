-- Blocks get a column of durations, so that questions about durations read blocks, too. The same on every server.
alter table segment_block add column durations_at integer;
alter table batch_block add column durations_at integer;

create or replace view block as
select null::integer as load_id, segment_id, region_id, is_origin, true as has_cells, has_cell_hours, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, week_index, bits,
       block_id, durations_at
from segment_block
where segment_id = any(array(select segment_id from segment))
union all
select load_id, null, region_id, is_origin, false, false, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, week_index, bits,
       block_id, durations_at
from batch_block;

-- A duration as blocks store it: 0 is unknown, others are 1 more than its whole minutes, of which a day or longer has 1440.
create function duration_code(duration_s integer) returns integer
language sql immutable parallel safe as $$
    select case when duration_s is null then 0 else least(duration_s / 60, 1440) + 1 end
$$;

-- Loads whose trips have durations become unindexed: until the next compaction makes their blocks anew, questions read their trips.
delete from segment where segment_id in (select segment_id from load where rows_loaded > rows_untimed);
update load set rows_in_blocks = 0 where rows_loaded > rows_untimed;
alter table load drop column rows_untimed;
