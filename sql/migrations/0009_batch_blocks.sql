-- Blocks of the batches of loose loads, as those of runs (see 0007_blocks.sql), written in the batch's own transaction: questions read them
-- instead of trips until the load is packed. They may reach over many cells, and their neighbours are those of one batch.
create table batch_point (
    load_id integer not null,
    region_id smallint not null,
    is_origin boolean not null,
    trips integer not null,
    base bigint not null,
    x_low bigint not null,
    x_high bigint not null,
    y_low bigint not null,
    y_high bigint not null,
    other_x_low bigint,
    other_x_high bigint,
    other_y_low bigint,
    other_y_high bigint,
    base_on date not null,
    datasource_ids smallint[] not null,
    sum_weeks integer[] not null,
    sum_trips integer[] not null,
    places bytea not null,
    times bytea not null,
    others bytea
) with (toast_tuple_target = 1024);

alter table batch_point
    alter places set storage external,
    alter times set storage external,
    alter others set storage external,
    alter datasource_ids set storage main,
    alter sum_weeks set storage main,
    alter sum_trips set storage main;

create index batch_point_by_load on batch_point (load_id);

-- How many of the load's rows are in its batches' blocks: all, or it is read trip by trip. Of a packed load none are.
alter table load add column rows_in_blocks bigint not null default 0;

-- Loads in no run. Those without blocks have to be read trip by trip, and so have those whose trips are being removed.
create or replace view loose_load as
select load_id, rows_in_blocks = rows_loaded and (state = 'succeeded' or not needs_cleaning) as has_blocks
from load
where rows_loaded > 0 and run_id is null;

-- Whether these are the loose loads, and these the ones of them without blocks; both in order.
create function are_loose(load_ids integer[], bare_load_ids integer[]) returns boolean
    language sql stable parallel safe
as $$
    select array(select load_id from loose_load order by load_id) = load_ids
           and array(select load_id from loose_load where not has_blocks order by load_id) = bare_load_ids
$$;

-- All blocks: those of the runs that stand, and those of batches, which count while their load is loose. has_cells: whether the run keeps
-- the cell that the block lies in; has_cell_hours: and its hours.
create view block as
select null::integer as load_id, run_id, region_id, is_origin, trips, base, x_low, x_high, y_low, y_high, other_x_low, other_x_high,
       other_y_low, other_y_high, base_on, datasource_ids, sum_weeks, sum_trips, places, times, others, true as has_cells, has_cell_hours
from run_point
where run_id in (select run_id from run)
union all
select load_id, null, region_id, is_origin, trips, base, x_low, x_high, y_low, y_high, other_x_low, other_x_high,
       other_y_low, other_y_high, base_on, datasource_ids, sum_weeks, sum_trips, places, times, others, false, false
from batch_point;

grant select, insert, update, delete on batch_point, block to tripdeck_loader;

-- Runs are packed from blocks, which are sorted already: nothing has to wait.
drop table run_piece;
