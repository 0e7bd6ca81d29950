-- Tables, functions and views that are the same on PostgreSQL, TimescaleDB and Citus.

create table region (
    region_id smallint generated always as identity primary key,
    name text not null unique check (name <> '')
);

create table datasource (
    datasource_id smallint generated always as identity primary key,
    name text not null unique check (name <> '')
);

-- A run: loads whose trips are packed together in sorted order, so that questions need not read the trips (see sql/README.md). A load
-- without a run is loose: its trips are read. Runs are made and merged in the background, and dissolved when one of their loads is undone.
create table run (
    run_id integer generated always as identity primary key,
    trips bigint not null,
    -- Whether run_flow has rows per slot.
    has_hours boolean not null default false,
    -- Whether run_hour has rows.
    has_cell_hours boolean not null default false,
    -- Cells of run_cell go from position >> 34 down to this: 34, 30 or 28.
    finest_shift smallint not null,
    packed_at timestamptz not null default clock_timestamp()
);

-- One requested load of one file.
create table load (
    load_id integer generated always as identity primary key,
    state text not null default 'queued' check (state in
        ('queued', 'planning', 'loading', 'succeeded', 'failed', 'cancelled', 'undone')),
    file_name text not null,
    object_key text not null,
    object_etag text not null,
    bytes_total bigint not null check (bytes_total >= 0),
    -- What the caller asked for (region, datasource, timezone, column roles) and what the planner understood.
    options jsonb not null default '{}',
    plan jsonb,
    -- Same bytes with the same mapping: loaded once.
    content_hash text,
    duplicate_of integer references load,
    rows_read bigint not null default 0,
    rows_loaded bigint not null default 0,
    rows_rejected bigint not null default 0,
    bytes_read bigint not null default 0,
    batches_total integer,
    batches_done integer not null default 0,
    last_seq integer not null default 0,
    error_code text,
    error_message text,
    -- Whose turn it is: a message was sent, a worker began (a lease), and since when it fails for passing reasons.
    attempts integer not null default 0,
    enqueued_at timestamptz default clock_timestamp(),
    claimed_at timestamptz,
    failing_since timestamptz,
    -- Ended, but its rows are still to be removed or its rollups to be merged.
    needs_cleaning boolean not null default false,
    run_id integer references run on delete set null,
    requested_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz
);

create index load_by_state on load (state, load_id);
create index load_to_clean on load (load_id) where needs_cleaning;
create index load_loose on load (load_id) where run_id is null and rows_loaded > 0;
create index load_by_run on load (run_id) where run_id is not null;

-- One live load for the same bytes and mapping; failed, cancelled and undone ones don't stand in the way.
create unique index load_by_content on load (content_hash)
    where state in ('planning', 'loading', 'succeeded');

-- The ledger: one row per batch, written by the planner before any batch is enqueued.
create table load_batch (
    load_id integer not null references load,
    batch_no integer not null check (batch_no >= 0),
    state text not null default 'pending' check (state in ('pending', 'done', 'failed', 'cancelled')),
    -- Where the batch lies in the file; the shape is the planner's (byte range, archive member, row group).
    slice jsonb not null,
    bytes bigint not null,
    -- Physical lines and records of the file before this batch, so that verdicts name the same line whatever the batch size.
    lines_before bigint not null,
    records_before bigint not null,
    attempts integer not null default 0,
    enqueued_at timestamptz,
    claimed_at timestamptz,
    failing_since timestamptz,
    finished_at timestamptz,
    rows_read bigint,
    rows_loaded bigint,
    rows_rejected bigint,
    error_message text,
    primary key (load_id, batch_no)
);

create index load_batch_unfinished on load_batch (load_id, batch_no) where state = 'pending';

-- Rows that could not become trips. Line and record count from 1 within the batch; the view reject makes them absolute.
create table load_reject (
    load_id integer not null,
    batch_no integer not null,
    line_in_batch bigint not null,
    record_in_batch bigint not null,
    column_name text,
    reason text not null,
    value text,
    raw text not null,
    primary key (load_id, batch_no, record_in_batch),
    foreign key (load_id, batch_no) references load_batch
);

-- A trip. started_at is the local wall clock at the trip. origin and destination are WGS 84 positions:
-- 31 bits an axis, interleaved, longitude the higher bit of each pair (see sql/README.md).
-- No row-level index, key or trigger: exactly-once comes from the ledger, and COPY is fastest so.
create table trip (
    started_at timestamp not null,
    origin bigint not null,
    destination bigint not null,
    load_id integer not null,
    duration_s integer,
    region_id smallint not null,
    datasource_id smallint not null
);

-- Trips per week: appended by the loader in the batch's transaction, merged per load in the background.
-- Every row belongs to a load, so undoing a load deletes exactly its share.
create table rollup_week (
    load_id integer not null,
    week date not null,
    region_id smallint not null,
    datasource_id smallint not null,
    trips bigint not null,
    first_at timestamp not null,
    last_at timestamp not null
);

create index rollup_week_by_load on rollup_week (load_id);

-- What a run packs. Rows whose run is gone count nothing and are removed in the background.
-- Trips per day; the hours of day and their trips as two arrays of the same length.
create table run_day (
    run_id integer not null,
    day date not null,
    region_id smallint not null,
    datasource_id smallint not null,
    hours smallint[] not null,
    trips integer[] not null
);

-- A pyramid of cells: trips per week and datasource in a cell, as arrays. All runs have cells of 14 bits an axis (position >> 34), larger
-- ones also of 16 and 17, each where there are sixteen times more trips than numbers. corner is a cell's lowest position. Of origins, cells
-- of 14 bits also keep the trips per cell of 19 bits in them (position >> 24, the last 10 bits), for maps of density.
create table run_cell (
    run_id integer not null,
    region_id smallint not null,
    is_origin boolean not null,
    shift smallint not null,
    corner bigint not null,
    weeks date[] not null,
    datasource_ids smallint[] not null,
    trips integer[] not null,
    fine_cells smallint[],
    fine_trips integer[]
);

create index run_cell_by_corner on run_cell (shift, is_origin, corner);

-- Trips per hour of the week (Monday 0 h is 0) and week in the cells of 14 bits an axis: trips[1] are those of first_week, trips[2] those of
-- the week after. Only of runs of many millions where there are eight times more trips than numbers.
create table run_hour (
    run_id integer not null,
    region_id smallint not null,
    is_origin boolean not null,
    hour smallint not null,
    corner bigint not null,
    first_week date not null,
    trips integer[] not null
) with (toast_tuple_target = 128);

alter table run_hour alter trips set storage main;

create index run_hour_by_corner on run_hour (is_origin, corner);

-- Every end of every trip: blocks of up to 992 neighbours in position order, all in one cell of 15 bits an axis (position >> 32), or of the
-- run's finest where that is smaller.
-- A position is base + offset; its week begins on base_on + 7 * week, and hour + 84 is its hour of the week. x and y bounds are masked
-- positions. Within a block, ends are sorted by week and datasource, which compresses both to half a byte together; hours take one, offsets
-- four, and nothing compresses those. sum_trips are the ends in each of sum_weeks, for blocks that lie whole in an area.
create table run_point (
    run_id integer not null,
    region_id smallint not null,
    is_origin boolean not null,
    base bigint not null,
    x_low bigint not null,
    x_high bigint not null,
    y_low bigint not null,
    y_high bigint not null,
    base_on date not null,
    offsets integer[] not null,
    weeks smallint[] not null,
    datasource_ids smallint[] not null,
    hours "char"[] not null,
    sum_weeks smallint[] not null,
    sum_trips smallint[] not null
) with (toast_tuple_target = 128);

-- The short arrays stay in the row, compressed, and are read alone for blocks that lie whole in an area.
alter table run_point
    alter offsets set storage external,
    alter hours set storage external,
    alter weeks set storage main,
    alter datasource_ids set storage main,
    alter sum_weeks set storage main,
    alter sum_trips set storage main;

create index run_point_brin on run_point using brin (x_low, x_high, y_low, y_high) with (pages_per_range = 8, autosummarize = on);

-- Trips between geohash-6 cells (position >> 32), once as a whole (datasource_id and slot null), once per datasource, and per slot where that
-- is four times fewer rows than trips: slots 0 to 23 are the hours of working days, 24 to 47 those of weekend days. One row per origin
-- cell, its destinations as arrays.
create table run_flow (
    run_id integer not null,
    region_id smallint not null,
    datasource_id smallint,
    slot smallint,
    origin_cell integer not null,
    destination_cells integer[] not null,
    trips integer[] not null
) with (toast_tuple_target = 128);

alter table run_flow
    alter destination_cells set storage main,
    alter trips set storage main;

create index run_flow_by_kind on run_flow (slot, datasource_id);

-- Outbox: what happened to a load, written in the transaction that made it so.
-- seq has no gaps per load; position, given by the relay in commit order, has none over all loads.
create table load_event (
    event_id bigint generated always as identity primary key,
    load_id integer not null references load,
    seq integer not null,
    kind text not null,
    body jsonb not null,
    at timestamptz not null default clock_timestamp(),
    position bigint,
    unique (load_id, seq)
);

create index load_event_unpublished on load_event (event_id) where position is null;
create unique index load_event_by_position on load_event (position);

create table event_position (
    last_position bigint not null
);
insert into event_position values (0);

-- A multipart upload from a browser or a program; becomes a load when complete.
create table upload (
    upload_id uuid primary key,
    object_key text not null unique,
    s3_upload_id text not null,
    file_name text not null,
    bytes bigint not null,
    part_bytes bigint not null,
    load_id integer references load,
    created_at timestamptz not null default clock_timestamp()
);

-- Whether a position lies in an area of one or two boxes that share their south and north; in any for null.
-- area: z_low, z_high, x_low, x_high of the first box, the same of the second (empty: low > high), y_low, y_high;
-- x and y are masked positions. The planner inlines it, drops an empty box, and keeps the z range for indexes and min/max pruning.
create function position_in_area(p bigint, area bigint[]) returns boolean
language sql immutable parallel safe as $$
    select area is null
        or ((area[1] <= area[2] and p between area[1] and area[2] and (p & 3074457345618258602) between area[3] and area[4])
            or (area[5] <= area[6] and p between area[5] and area[6] and (p & 3074457345618258602) between area[7] and area[8]))
           and (p & 1537228672809129301) between area[9] and area[10]
$$;

-- Whether a box of masked positions touches an area, or lies whole in one of its boxes.
create function box_touches_area(x_low bigint, x_high bigint, y_low bigint, y_high bigint, area bigint[]) returns boolean
language sql immutable parallel safe as $$
    select ((area[1] <= area[2] and x_high >= area[3] and x_low <= area[4])
         or (area[5] <= area[6] and x_high >= area[7] and x_low <= area[8]))
        and y_high >= area[9] and y_low <= area[10]
$$;

create function box_in_area(x_low bigint, x_high bigint, y_low bigint, y_high bigint, area bigint[]) returns boolean
language sql immutable parallel safe as $$
    select ((area[1] <= area[2] and x_low >= area[3] and x_high <= area[4])
         or (area[5] <= area[6] and x_low >= area[7] and x_high <= area[8]))
        and y_low >= area[9] and y_high <= area[10]
$$;

-- Hour of the week of a wall clock: Monday 0 h is 0, Sunday 23 h is 167. 1970-01-01 was a Thursday; the rest keeps numbers positive.
create function hour_of_week(at timestamp) returns integer
language sql immutable parallel safe as $$
    select ((floor(date_part('epoch', at) / 3600)::bigint + 33600072) % 168)::integer
$$;

-- Slot of an hour of the week: the hour of day, 24 more at weekends.
create function slot_of_hour(hour integer) returns integer
language sql immutable parallel safe as $$
    select case when hour < 120 then hour % 24 else 24 + hour % 24 end
$$;

-- Every second bit of a position, gathered: the y axis as it stands, the x axis after >> 1. 31 bits.
-- Operators like | and >> bind alike, from left to right. plpgsql: 0.5 µs a call; one nested SQL expression 1.1 µs, CTEs 11 µs.
create function position_axis(p bigint) returns bigint
language plpgsql immutable parallel safe as $$
declare
    v bigint := p & 6148914691236517205;
begin
    v := (v | (v >> 1)) & 3689348814741910323;
    v := (v | (v >> 2)) & 1085102592571150095;
    v := (v | (v >> 4)) & 71777214294589695;
    v := (v | (v >> 8)) & 281470681808895;
    return (v | (v >> 16)) & 4294967295;
end
$$;

-- Degrees of the middle of the position's 2 cm square, WGS 84.
create function position_longitude(p bigint) returns double precision
language sql immutable parallel safe as $$
    select (position_axis(p >> 1) + 0.5) * (360.0::double precision / 2147483648) - 180
$$;

create function position_latitude(p bigint) returns double precision
language sql immutable parallel safe as $$
    select (position_axis(p) + 0.5) * (180.0::double precision / 2147483648) - 90
$$;

-- Geohash text of a cell of precision characters (5 bits each).
create function geohash_text(cell bigint, precision_chars integer) returns text
language sql immutable parallel safe as $$
    select string_agg(substr('0123456789bcdefghjkmnpqrstuvwxyz', ((cell >> (5 * i)) & 31)::integer + 1, 1), '' order by i desc)
    from generate_series(0, precision_chars - 1) as i
$$;

-- Loads whose trips must be read, and whether they must be when slots of flows are asked for.
create view loose_load as
select l.load_id, l.run_id is not null as has_run
from load as l
left join run as r using (run_id)
where l.rows_loaded > 0 and (l.run_id is null or not r.has_hours);

-- What analysts read: names and degrees.
create view trips as
select t.started_at,
       r.name as region,
       d.name as datasource,
       position_longitude(t.origin) as origin_longitude,
       position_latitude(t.origin) as origin_latitude,
       position_longitude(t.destination) as destination_longitude,
       position_latitude(t.destination) as destination_latitude,
       t.duration_s,
       t.load_id
from trip as t
join region as r using (region_id)
join datasource as d using (datasource_id);

create view weekly_trips as
select w.week, r.name as region, d.name as datasource, sum(w.trips)::bigint as trips,
       min(w.first_at) as first_at, max(w.last_at) as last_at
from rollup_week as w
join region as r using (region_id)
join datasource as d using (datasource_id)
group by w.week, r.name, d.name;

-- Rejects with physical line and record number in the whole file, both from 1 (a header is a line, not a record).
create view rejects as
select r.load_id,
       b.lines_before + r.line_in_batch as line,
       b.records_before + r.record_in_batch as record,
       r.column_name, r.reason, r.value, r.raw, r.batch_no
from load_reject as r
join load_batch as b using (load_id, batch_no);

create view load_history as
select load_id, state, file_name, rows_read, rows_loaded, rows_rejected, bytes_total, requested_at, started_at, finished_at,
       error_code, error_message
from load;
