-- trip on TimescaleDB: a hypertable with columnstore. No default index: COPY stays fast and direct compress stays possible.
-- Chunks of 12 weeks, cut on Mondays: few sorted runs for an exact box, small enough to compress one at a time.
select create_hypertable('trip', by_range('started_at', interval '84 days'), create_default_indexes => false);

alter table trip set (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'region_id',
    timescaledb.orderby = 'origin'
);

call add_columnstore_policy('trip', after => interval '84 days');

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
