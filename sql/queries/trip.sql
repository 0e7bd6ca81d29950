-- name: copy_trip
-- The loader's COPY target; rows come as COPY BINARY, sorted by origin.
copy trip (started_at, origin, destination, load_id, duration_s, region_id, datasource_id) from stdin (format binary);

-- name: delete_trips
-- Trips of a load in a period, last day included; it keeps the search from other chunks.
-- The bounds must be timestamps: compared with dates, TimescaleDB (2.23, 2.29.2) leaves trips of compressed chunks behind.
delete from trip
where load_id = %(load_id)s::integer
  and started_at >= %(gone_from)s::date::timestamp and started_at < (%(gone_to)s::date + 1)::timestamp;

-- name: begin_writing
-- For a transaction that writes or removes trips. TimescaleDB: it may unpack however many rows of compressed chunks. Citus: a node's shards
-- are written one after the other on one connection; with one for each, which all have to be prepared at the commit, loads took twice
-- as long. Each means nothing where there is no such server.
select set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true),
       set_config('citus.multi_shard_modify_mode', 'sequential', true);

-- name: prefer_indexes
-- Has the next queries of a transaction read no table whole where an index knows parts of it, or lets the planner choose again. It takes the
-- ranges of BRIN for useless where batches overlap, and reads 25 trips for each one that begins in a cell.
select set_config('enable_seqscan', case when %(is_preferred)s::boolean then 'off' else 'on' end, true);
