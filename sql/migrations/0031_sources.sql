-- Sources: addresses that trip files are read from, and the objects found there. The same on every server.

create table source (
    source_id integer generated always as identity primary key,
    -- s3://bucket/prefix or https://host/path.
    address text not null,
    -- Of every load: region, datasource, timezone, roles …
    options jsonb not null default '{}',
    -- What happens to an object whose header is none that this source has had.
    on_drift text not null check (on_drift in ('load', 'refuse', 'ask')),
    -- false: listed once, then ended.
    is_watched boolean not null,
    state text not null default 'active' check (state in ('active', 'paused', 'ended')),
    interval_s integer not null check (interval_s > 0),
    -- When it is listed next; when it was listed to its end last, and why not since.
    due_at timestamptz not null default clock_timestamp(),
    listed_at timestamptz,
    error_code text,
    error_message text,
    created_at timestamptz not null default clock_timestamp(),
    -- As in load: attempts, failures, enqueued_at, claimed_at, lease_token, failing_since, failed_at.
    attempts integer not null default 0,
    failures integer not null default 0,
    enqueued_at timestamptz,
    claimed_at timestamptz,
    lease_token uuid,
    failing_since timestamptz,
    failed_at timestamptz
);

create index source_by_due on source (due_at) where state = 'active';

-- The ledger of a source: one row for each version (key, ETag) that was seen. It is read once, whatever its date.
create table source_object (
    source_object_id bigint generated always as identity primary key,
    source_id integer not null references source on delete cascade,
    key text not null,
    etag text not null,
    -- Null: not known before it is read.
    bytes bigint,
    -- found: to be read; loaded: its load was requested; failed, waiting (for an answer), refused: a person decides; changed: replaced or
    -- deleted before it was read.
    state text not null default 'found' check (state in ('found', 'loaded', 'failed', 'waiting', 'refused', 'changed')),
    -- Its copy in the product's bucket, decided before the first byte is written.
    object_key text,
    -- Hashes of its header, one for each delimiter that may be meant.
    headers text[] not null default '{}',
    has_drifted boolean not null default false,
    -- A person has taken the changed header.
    is_accepted boolean not null default false,
    load_id integer references load,
    error_code text,
    error_message text,
    -- Starts, those that ended included.
    attempts integer not null default 0,
    found_at timestamptz not null default clock_timestamp(),
    unique (source_id, key, etag)
);

create index source_object_to_read on source_object (source_id, source_object_id) where state = 'found';
create index source_object_by_load on source_object (load_id) where load_id is not null;

grant select, insert, update, delete on source, source_object to tripdeck_loader;
