-- Times of loads, for people: stages and rates of one load, and what compaction does now.

-- name: fetch_load_times
-- Instants of a load: its upload, when it was requested, tried again last, begun, ended and compacted; and whether it is in a segment.
select u.created_at as uploaded_from, l.requested_at, r.retried_at, l.started_at, l.finished_at, l.compacted_at, l.segment_id is not null as is_compacted
from load as l
left join lateral (select min(created_at) as created_at from upload where load_id = l.load_id) as u on true
left join lateral (select max(at) as retried_at from load_event where load_id = l.load_id and kind = 'retried') as r on true
where l.load_id = %(load_id)s::integer;

-- name: list_load_rates
-- Rows read and batches done of a load in bins of bin_s seconds since its start; bins in which no batch was done are left out.
select floor(extract(epoch from b.finished_at - l.started_at) / %(bin_s)s::float8)::integer as bin,
       sum(b.rows_read)::bigint as rows, count(*)::integer as batches
from load as l
join load_batch as b using (load_id)
where l.load_id = %(load_id)s::integer and b.state = 'done' and b.finished_at >= l.started_at
group by bin
order by bin;

-- name: fetch_compaction
-- One row: segments; loads and trips that are not compacted; loads that run; whether a compaction is under way, and since when (null: not known
-- to this role).
select (select count(*) from segment)::integer as segments, u.loads, u.trips,
       (select count(*) from load where state in ('planning', 'loading'))::integer as running_loads,
       c.pid is not null as is_running, c.since
from (
    select count(*)::integer as loads, coalesce(sum(rows_loaded), 0)::bigint as trips
    from load
    where state = 'succeeded' and segment_id is null and rows_loaded > 0
) as u
left join lateral (
    -- An advisory lock of one bigint: its upper half is the sign of the hash.
    select k.pid, a.xact_start as since
    from pg_locks as k
    left join pg_stat_activity as a using (pid)
    where k.locktype = 'advisory' and k.granted and k.objsubid = 1
      and k.database = (select oid from pg_database where datname = current_database())
      and k.objid::bigint = hashtext('tripdeck.compact')::bigint & 4294967295
    limit 1
) as c on true;
