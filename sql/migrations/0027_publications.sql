-- Publications of loads as files in the object store, and their way into other engines. The same on every server.

-- A load's folder of GeoParquet files. It is visible to readers once its manifest is in the store, which is written last.
create table publication (
    load_id integer primary key references load,
    state text not null default 'queued' check (state in
        ('queued', 'publishing', 'published', 'failed', 'withdrawing', 'withdrawn')),
    -- What the manifest says: columns, files with rows, bytes and hashes. Null until it is written.
    manifest jsonb,
    rows_written bigint not null default 0,
    error_code text,
    error_message text,
    requested_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    -- As in load: attempts, failures, enqueued_at, claimed_at, lease_token, failing_since, failed_at.
    attempts integer not null default 0,
    failures integer not null default 0,
    enqueued_at timestamptz default clock_timestamp(),
    claimed_at timestamptz,
    lease_token uuid,
    failing_since timestamptz,
    failed_at timestamptz
);

create index publication_unfinished on publication (load_id) where state in ('queued', 'publishing', 'withdrawing');

-- A published load on its way into an engine, or out of it again.
create table handover (
    load_id integer not null references publication,
    engine text not null check (engine in ('druid', 'druid_sql', 'clickhouse')),
    state text not null default 'queued' check (state in ('queued', 'running', 'succeeded', 'failed', 'undo_queued', 'undoing', 'undone')),
    -- The task as it was sent: stored first, so that a lost answer is looked up by an id that was ours. task_no: drawn anew for each task.
    task_no integer not null default 0,
    task_id text,
    specification jsonb,
    -- Rows that the engine counts for the load.
    rows_counted bigint,
    error_code text,
    error_message text,
    requested_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    -- When the engine is asked next.
    due_at timestamptz not null default clock_timestamp(),
    attempts integer not null default 0,
    failures integer not null default 0,
    enqueued_at timestamptz default clock_timestamp(),
    claimed_at timestamptz,
    lease_token uuid,
    failing_since timestamptz,
    failed_at timestamptz,
    primary key (load_id, engine)
);

create index handover_unfinished on handover (due_at) where state in ('queued', 'running', 'undo_queued', 'undoing');

grant select, insert, update, delete on publication, handover to tripdeck_loader;
