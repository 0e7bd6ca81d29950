-- A block keeps its columns of bits one after the other in one value: places, times, others. Each value's last piece in TOAST leaves room that
-- nothing else fits into, a twentieth of all bytes as long as there were three. times_at, others_at: the 64-bit words before each. What a
-- question needs is always one piece: places and times, times alone, times and others, or all. Times have one width in a block, and so
-- have the steps of either axis of the other ends. week_trips: the trips in each week from base_on on, two bytes each (the lower
-- first); none where those would be very many.
-- What was packed before is packed anew in the background; meanwhile its trips are read. The same on every server.
update load set run_id = null, rows_in_blocks = 0 where run_id is not null or rows_in_blocks > 0;
delete from run;
truncate run_day, run_cell, run_flow;

drop view block;

drop table run_point, batch_point;

create table run_point (
    run_id integer not null,
    region_id smallint not null,
    is_origin boolean not null,
    has_cell_hours boolean not null,
    trips integer not null,
    times_at integer not null,
    others_at integer not null,
    base_on date not null,
    base bigint not null,
    x_low bigint not null,
    x_high bigint not null,
    y_low bigint not null,
    y_high bigint not null,
    other_x_low bigint,
    other_x_high bigint,
    other_y_low bigint,
    other_y_high bigint,
    datasource_ids smallint[] not null,
    week_trips bytea not null,
    bits bytea not null
) with (toast_tuple_target = 1024, autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1);

create table batch_point (
    load_id integer not null,
    region_id smallint not null,
    is_origin boolean not null,
    trips integer not null,
    times_at integer not null,
    others_at integer not null,
    base_on date not null,
    base bigint not null,
    x_low bigint not null,
    x_high bigint not null,
    y_low bigint not null,
    y_high bigint not null,
    other_x_low bigint,
    other_x_high bigint,
    other_y_low bigint,
    other_y_high bigint,
    datasource_ids smallint[] not null,
    week_trips bytea not null,
    bits bytea not null
) with (toast_tuple_target = 1024, autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1);

alter table run_point
    alter bits set storage external,
    alter datasource_ids set storage main,
    alter week_trips set storage main;

alter table batch_point
    alter bits set storage external,
    alter datasource_ids set storage main,
    alter week_trips set storage main;

create index run_point_brin on run_point using brin ((is_origin::integer), x_low, x_high, y_low, y_high)
    with (pages_per_range = 8, autosummarize = on);
create index batch_point_by_load on batch_point (load_id);

create view block as
select null::integer as load_id, run_id, region_id, is_origin, true as has_cells, has_cell_hours, trips, times_at, others_at, base_on, base,
       x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, bits
from run_point
where run_id = any(array(select run_id from run))
union all
select load_id, null, region_id, is_origin, false, false, trips, times_at, others_at, base_on, base,
       x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, bits
from batch_point;

-- The room of batches' blocks is given back, indexes and all, when every load is packed.
grant select, insert, update, delete on run_point, batch_point, block to tripdeck_loader;
grant truncate on batch_point to tripdeck_loader;
