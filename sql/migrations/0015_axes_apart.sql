-- The other ends' axes have a column of bits each: an edge of a box mostly cuts one axis of a block, and then the other is not read. Runs
-- are a value of their own, beside the row's other numbers: all questions need them, and what else one needs of the bits is then
-- mostly one piece. bits: places, x and y of other ends, times; x_at, y_at, times_at: the 64-bit words before each (x_at and y_at are
-- times_at where there are none).
-- What was packed before is packed anew in the background; meanwhile its trips are read. The same on every server.
update load set run_id = null, rows_in_blocks = 0 where run_id is not null or rows_in_blocks > 0;
delete from run;
truncate run_day, run_cell, run_flow, run_point, batch_point;

drop view block;

alter table run_point drop column places_at, drop column others_at,
    add column x_at integer not null, add column y_at integer not null, add column runs bytea not null;
alter table batch_point drop column places_at, drop column others_at,
    add column x_at integer not null, add column y_at integer not null, add column runs bytea not null;
alter table run_point alter runs set storage main;
alter table batch_point alter runs set storage main;

create view block as
select null::integer as load_id, run_id, region_id, is_origin, true as has_cells, has_cell_hours, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, runs, bits
from run_point
where run_id = any(array(select run_id from run))
union all
select load_id, null, region_id, is_origin, false, false, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, runs, bits
from batch_point;

grant select, insert, update, delete on block to tripdeck_loader;

-- The two halves of box_in_area: whether the box's x range, or its y range, lies in the area's.
create function x_in_area(x_low bigint, x_high bigint, area bigint[]) returns boolean
language sql immutable parallel safe as $$
    select (area[1] <= area[2] and x_low >= area[3] and x_high <= area[4])
        or (area[5] <= area[6] and x_low >= area[7] and x_high <= area[8])
$$;

create function y_in_area(y_low bigint, y_high bigint, area bigint[]) returns boolean
language sql immutable parallel safe as $$
    select y_low >= area[9] and y_high <= area[10]
$$;
