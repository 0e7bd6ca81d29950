-- Tables, functions and views that are the same on PostgreSQL, TimescaleDB and Citus.

create table region (
    region_id smallint generated always as identity primary key,
    name text not null unique check (name <> '')
);

create table datasource (
    datasource_id smallint generated always as identity primary key,
    name text not null unique check (name <> '')
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
    requested_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz
);

create index load_by_state on load (state, load_id);
create index load_to_clean on load (load_id) where needs_cleaning;

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

-- Rollups: appended by the loader in the batch's transaction, merged per load in the background.
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

-- Trips per week and cell of 14 bits an axis (position >> 34); is_origin tells which end lies in the cell. The weeks of a cell lie in one
-- row, as two arrays of the same length: a batch of 125,000 trips over half a year appends 4,300 rows so, and 58,000 with one per week.
create table rollup_cell (
    load_id integer not null,
    cell integer not null,
    region_id smallint not null,
    datasource_id smallint not null,
    is_origin boolean not null,
    weeks date[] not null,
    trips integer[] not null
);

create index rollup_cell_by_load on rollup_cell (load_id);
create index rollup_cell_by_cell on rollup_cell (is_origin, cell);

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

-- Whether a position lies in an area of one or two boxes that share their south and north.
-- area: z_low, z_high, x_low, x_high of the first box, the same of the second (empty: low > high), y_low, y_high;
-- x and y are masked positions. The planner inlines it, drops an empty box, and keeps the z range for indexes and min/max pruning.
create function position_in_area(p bigint, area bigint[]) returns boolean
language sql immutable parallel safe as $$
    select ((area[1] <= area[2] and p between area[1] and area[2] and (p & 3074457345618258602) between area[3] and area[4])
         or (area[5] <= area[6] and p between area[5] and area[6] and (p & 3074457345618258602) between area[7] and area[8]))
        and (p & 1537228672809129301) between area[9] and area[10]
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
select w.week, r.name as region, d.name as datasource, sum(w.trips)::bigint as trips
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
