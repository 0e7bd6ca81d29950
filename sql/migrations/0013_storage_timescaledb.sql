-- What differs by server in questions about trip itself: on TimescaleDB its rows lie in chunks, compressed or not.
create function trip_bytes() returns bigint language sql volatile as $$
    select pg_total_relation_size('trip') + coalesce(sum(pg_total_relation_size(oid)), 0)::bigint
    from pg_class
    where relkind = 'r' and relnamespace = '_timescaledb_internal'::regnamespace
$$;

-- Chunks have no index of ranges: minima and maxima come with compression.
create function summarize_trips() returns integer language sql volatile as $$
    select 0
$$;
