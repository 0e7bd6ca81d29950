-- Blocks keep their trips in order of week, then of position: a week is said once for its run of trips instead of five bits for each, and
-- questions for whole weeks read no times. bits: runs, places, other ends, times; places_at, others_at, times_at: the 64-bit words
-- before each (others_at is times_at where there are none). A question fetches the runs and what it needs of the rest.
-- What was packed before is packed anew in the background; meanwhile its trips are read. The same on every server.
update load set run_id = null, rows_in_blocks = 0 where run_id is not null or rows_in_blocks > 0;
delete from run;
truncate run_day, run_cell, run_flow, run_point, batch_point;

drop view block;

alter table run_point add column places_at integer not null;
alter table batch_point add column places_at integer not null;

create view block as
select null::integer as load_id, run_id, region_id, is_origin, true as has_cells, has_cell_hours, trips, places_at, others_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, bits
from run_point
where run_id = any(array(select run_id from run))
union all
select load_id, null, region_id, is_origin, false, false, trips, places_at, others_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, bits
from batch_point;

grant select, insert, update, delete on block to tripdeck_loader;
