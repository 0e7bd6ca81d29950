-- How files with a header are read: the options that somebody gave when a load of such a file succeeded. The same on every server.
create table reading (
    -- Of the columns' names, without regard to case and blanks, and the delimiter (loader/formats/header_fingerprint.py).
    header_hash text primary key,
    options jsonb not null,
    load_id integer not null references load,
    said_at timestamptz not null default clock_timestamp()
);

grant select, insert, update, delete on reading to tripdeck_loader;
