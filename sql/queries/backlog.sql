-- The work that waits, for metrics and for those who scale workers by it.

-- name: fetch_backlog
-- One row: loads that nobody plans yet, loads whose file is not read to its end, pending batches of running loads without and with a runner, seconds since the start of the oldest load
-- with a batch that waits (null: none does), and loads and trips that are not compacted.
select (select count(*) from load where state = 'queued')::integer as loads_queued,
       (select count(*) from load where state = 'planning' or state = 'loading' and batches_total is null)::integer as loads_planning,
       b.waiting as batches_waiting, b.running as batches_running, b.oldest_waiting_s,
       u.loads as loads_uncompacted, u.trips as trips_uncompacted
from (
    select count(*) filter (where not is_held)::integer as waiting, count(*) filter (where is_held)::integer as running,
           extract(epoch from clock_timestamp() - min(l.started_at) filter (where not is_held))::float8 as oldest_waiting_s
    from load as l
    join load_batch as b using (load_id)
    cross join lateral (select coalesce(b.claimed_at > clock_timestamp() - %(lease_s)s::float8 * interval '1 second', false) as is_held) as h
    where l.state = 'loading' and b.state = 'pending'
) as b
cross join (
    select count(*)::integer as loads, coalesce(sum(rows_loaded), 0)::bigint as trips
    from load
    where state = 'succeeded' and segment_id is null and rows_loaded > 0
) as u;

-- name: fetch_relay_backlog
-- One row: the newest position given, and the age in seconds of the oldest event that has none or one after relayed_to (null: there is none).
select p.last_position,
       extract(epoch from clock_timestamp() - least(
           (select e.at from load_event as e where e.position is null order by e.event_id limit 1),
           (select e.at from load_event as e where e.position > %(relayed_to)s::bigint order by e.position limit 1)))::float8 as unrelayed_s
from event_position as p;
