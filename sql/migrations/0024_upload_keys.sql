-- Idempotency keys of uploads. The same on every server.
-- request_hash: file name and options; content_hash: the file's bytes. Rows are deleted after TRIPDECK_IDEMPOTENCY_RETENTION_S.
create table upload_key (
    key text primary key,
    request_hash text not null,
    content_hash text not null,
    load_id integer not null,
    created_at timestamptz not null default clock_timestamp()
);
create index upload_key_by_age on upload_key (created_at);
grant select, insert, update, delete on upload_key to tripdeck_loader;
