-- trip on TimescaleDB: a hypertable with columnstore. No default index: COPY stays fast and direct compress stays possible.
-- Chunks of 12 weeks, cut on Mondays: few sorted runs for an exact box, small enough to compress one at a time.
select create_hypertable('trip', by_range('started_at', interval '84 days'), create_default_indexes => false);

alter table trip set (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'region_id',
    timescaledb.orderby = 'origin'
);

call add_columnstore_policy('trip', after => interval '84 days');
