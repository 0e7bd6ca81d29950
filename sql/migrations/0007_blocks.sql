-- Runs of blocks that the asking process reads itself: bits instead of arrays, and of origins the other end too. The same on every server.
-- What was packed before is loose again and is packed anew in the background; meanwhile its trips are read.
update load set run_id = null where run_id is not null;
delete from run;
truncate run_day, run_cell, run_flow;

drop view loose_load;
drop table run_hour, run_point;

alter table run drop column finest_shift, drop column has_cell_hours;

-- Cells have one level now, 14 bits an axis (position >> 34).
alter table run_cell drop column shift;
create index run_cell_by_corner on run_cell (is_origin, corner);

-- Blocks of up to 4,096 neighbours in position order, all in one region and one cell of 14 bits an axis: one end of every trip (is_origin).
-- base is the first position; x and y bounds are masked positions, other_… those of the other ends, which only blocks of origins keep.
-- base_on is the Monday of the first week. Columns of bits (shared/index/block_reader.py): places are the differences of neighbouring positions, times
-- are week, datasource and hour of the week in one number, others are the other ends' x steps and then their y steps, above other_x_low and
-- other_y_low. sum_trips are the trips in each of sum_weeks (weeks after base_on), for blocks that lie whole in an area.
create table run_point (
    run_id integer not null,
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

alter table run_point
    alter places set storage external,
    alter times set storage external,
    alter others set storage external,
    alter datasource_ids set storage main,
    alter sum_weeks set storage main,
    alter sum_trips set storage main;

create index run_point_brin on run_point using brin (x_low, x_high, y_low, y_high) with (pages_per_range = 8, autosummarize = on);

-- Destinations of an origin's cell, in order, as differences, and their trips, as columns of bits.
alter table run_flow
    drop column destination_cells,
    drop column trips,
    add column flows integer not null,
    add column first_cell integer not null,
    add column last_cell integer not null,
    add column destination_cells bytea not null,
    add column trips bytea not null;

-- While a run is packed: where sorted destinations wait until all its parts are read. low is the first position of a piece.
create unlogged table run_piece (
    low bigint not null,
    data bytea not null
);

alter table run_piece alter data set storage external;

-- Loads whose trips must be read.
create view loose_load as
select load_id from load where rows_loaded > 0 and run_id is null;

grant select, insert, update, delete on run_point, loose_load to tripdeck_loader;
grant select, insert, truncate on run_piece to tripdeck_loader;
