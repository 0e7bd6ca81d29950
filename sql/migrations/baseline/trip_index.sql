-- The index: what questions read instead of trips. It is derived from trips, and can be made again from them. The same on every server.
-- 0026_words.sql renames: run is segment, run_point segment_block, batch_point batch_block, loose uncompacted, bare unindexed.
--
-- A run is the result of one compaction: loads whose trips are sorted together, as day counts, cell counts, blocks and flows. It is immutable. Runs are
-- made and merged in the background, and dissolved when one of their loads is undone. Until its load is in a run, a batch has blocks of its own.
-- Rows of a run that is gone count for nothing, and are removed in the background.
create table run (
    run_id integer generated always as identity primary key,
    trips bigint not null,
    -- Whether run_flow has rows per slot.
    has_hours boolean not null default false,
    packed_at timestamptz not null default clock_timestamp()
);

-- Trips per day; the hours of day and their trips as two arrays of the same length.
create table run_day (
    run_id integer not null,
    day date not null,
    region_id smallint not null,
    datasource_id smallint not null,
    hours smallint[] not null,
    trips integer[] not null
);

-- Trips in cells of 14 bits an axis (position >> 34), of origins and of destinations.
create table run_cell (
    run_id integer not null,
    region_id smallint not null,
    is_origin boolean not null,
    -- The cell's lowest position.
    corner bigint not null,
    -- Trips per week and datasource: three arrays of the same length.
    weeks date[] not null,
    datasource_ids smallint[] not null,
    trips integer[] not null,
    -- Of origins: trips per cell of 19 bits an axis, for maps of density. fine_cells: position >> 24, its last 10 bits.
    fine_cells smallint[],
    fine_trips integer[],
    -- Trips per week and hour of the week, as a column of bits, from the cell's first week to its last; null where there are fewer than
    -- four times more trips than numbers.
    hours bytea,
    -- Trips per week of all datasources: most questions ask for no datasource, and read a fifth of the numbers.
    sum_weeks date[] not null,
    sum_trips integer[] not null
);

create index run_cell_by_corner on run_cell (is_origin, corner);

-- Blocks of runs: one end of every trip (is_origin), up to 4,096 neighbours in order of positions, of one region and one cell of run_cell.
-- Written once, and no plan gains from a visibility map of them: vacuum comes because of removed rows, not because of new ones.
create table run_point (
    run_id integer not null,
    region_id smallint not null,
    is_origin boolean not null,
    -- Whether the block's cell has hours in run_cell.
    has_cell_hours boolean not null,
    trips integer not null,
    -- The 64-bit words of bits that come before the times; of other ends see x_at, y_at.
    times_at integer not null,
    -- Monday of the first week.
    base_on date not null,
    -- The first position.
    base bigint not null,
    -- Bounds, as masked positions.
    x_low bigint not null,
    x_high bigint not null,
    y_low bigint not null,
    y_high bigint not null,
    -- Bounds of the other ends, which only blocks of origins keep.
    other_x_low bigint,
    other_x_high bigint,
    other_y_low bigint,
    other_y_high bigint,
    datasource_ids smallint[] storage main not null,
    -- Trips in each week from base_on on, two bytes each, the lower first; empty where those would be very many weeks.
    week_trips bytea storage main not null,
    -- Columns of bits, one after the other: differences of neighbouring positions, x and y steps of the other ends, times (datasource and hour
    -- of the week in one number). A question fetches the piece that it needs (shared/index/block_reader.py).
    bits bytea storage external not null,
    -- Words before the x steps and the y steps; times_at where there are none.
    x_at integer not null,
    y_at integer not null,
    -- The weeks that there are, with the trips and the first position of each: trips are in order of week, then of position.
    runs bytea storage main not null,
    -- A number that no other block has, in any database: processes keep the bits in memory under it.
    block_id bigint not null default hashtextextended(gen_random_uuid()::text, 0)
) with (toast_tuple_target = 1024, autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1);

-- A run's origins come before its destinations, so a question about one of them reads half of the pages. (BRIN knows no booleans.)
create index run_point_brin on run_point using brin ((is_origin::integer), x_low, x_high, y_low, y_high)
    with (pages_per_range = 8, autosummarize = on);
create index run_point_by_block on run_point (block_id);

-- Blocks of batches, the same columns: written in the batch's transaction, and read until the load is in a run. They may reach over many cells,
-- and their neighbours are those of one batch.
create table batch_point (
    load_id integer not null,
    region_id smallint not null,
    is_origin boolean not null,
    trips integer not null,
    times_at integer not null,
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
    datasource_ids smallint[] storage main not null,
    week_trips bytea storage main not null,
    bits bytea storage external not null,
    x_at integer not null,
    y_at integer not null,
    runs bytea storage main not null,
    block_id bigint not null default hashtextextended(gen_random_uuid()::text, 0)
) with (toast_tuple_target = 1024, autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1);

create index batch_point_by_load on batch_point (load_id);
create index batch_point_by_block on batch_point (block_id);

-- Trips between geohash-6 cells (position >> 32): one row per origin cell and piece of its destinations, as a whole (datasource_id and slot null),
-- per datasource, and per slot where that is four times fewer rows than trips.
create table run_flow (
    run_id integer not null,
    region_id smallint not null,
    datasource_id smallint,
    -- 0 to 23 are the hours of working days, 24 to 47 those of weekend days.
    slot smallint,
    origin_cell integer not null,
    -- How many destinations; the first and the last of them.
    flows integer not null,
    first_cell integer not null,
    last_cell integer not null,
    -- Destinations in order, as differences, and their trips: columns of bits.
    destination_cells bytea not null,
    trips bytea not null
) with (toast_tuple_target = 128);

create index run_flow_by_kind on run_flow (slot, datasource_id);
