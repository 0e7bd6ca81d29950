-- Checks: each returns the places where tables that must agree don't, as (load_id, place, expected, found). No rows: all is well.
-- load_id limits a check to one load (null: all of them).

-- name: check_counters
-- A load's counters against its ledger. While rows are being removed the ledger is void already.
select l.load_id, f.place, f.expected, f.found
from load as l
cross join lateral (
    select coalesce(sum(rows_read) filter (where state = 'done'), 0) as rows_read,
           coalesce(sum(rows_loaded) filter (where state = 'done'), 0) as rows_loaded,
           coalesce(sum(rows_rejected) filter (where state = 'done'), 0) as rows_rejected,
           coalesce(sum(bytes) filter (where state = 'done'), 0) as bytes_read,
           coalesce(sum(bytes), 0) as bytes_total,
           count(*) filter (where state = 'done') as batches_done,
           count(*) as batches_total,
           count(*) filter (where state = 'done' and rows_read <> rows_loaded + rows_rejected) as unbalanced
    from load_batch as b
    where b.load_id = l.load_id
) as b
cross join lateral (values
    ('rows_read', b.rows_read, l.rows_read),
    ('rows_loaded', b.rows_loaded, l.rows_loaded),
    ('rows_rejected', b.rows_rejected, l.rows_rejected),
    ('bytes_read', b.bytes_read, l.bytes_read),
    ('bytes_total', b.bytes_total, l.bytes_total),
    ('batches_done', b.batches_done, l.batches_done),
    ('batches_total', b.batches_total, l.batches_total),
    ('rows_read of a batch', 0, b.unbalanced),
    ('rows_read of the load', l.rows_loaded + l.rows_rejected, l.rows_read)
) as f (place, expected, found)
where l.state in ('loading', 'succeeded', 'failed') and l.batches_total is not null
  and not exists (select from load_batch as v where v.load_id = l.load_id and v.state = 'cancelled')
  and (%(load_id)s::integer is null or l.load_id = %(load_id)s::integer)
  and f.expected is distinct from f.found;

-- name: check_states
-- A load's state against its ledger: none pending once it has ended, all done when it succeeded, nothing stored unless it stands.
select l.load_id, f.place, 0 as expected, f.found
from load as l
cross join lateral (
    select count(*) filter (where state = 'pending') as pending,
           count(*) filter (where state <> 'done') as not_done,
           count(*) filter (where state in ('done', 'failed')) as standing
    from load_batch as b
    where b.load_id = l.load_id
) as b
cross join lateral (values
    ('batches pending', case when l.state in ('succeeded', 'failed') then b.pending else 0 end),
    ('batches not done', case when l.state = 'succeeded' then b.not_done else 0 end),
    ('batches standing', case when l.state in ('cancelled', 'undone') then b.standing else 0 end),
    ('trips left', case when l.state in ('cancelled', 'undone', 'queued', 'planning') then l.rows_loaded else 0 end),
    ('end missing', (l.state in ('succeeded', 'failed', 'cancelled', 'undone') and l.finished_at is null)::integer)
) as f (place, found)
where not l.needs_cleaning
  and (%(load_id)s::integer is null or l.load_id = %(load_id)s::integer)
  and f.found <> 0;

-- name: check_trips
-- A load's counter of loaded rows against the trips themselves; a load that isn't there counts as none loaded.
select coalesce(l.load_id, t.load_id) as load_id, 'trips' as place, coalesce(l.rows_loaded, 0) as expected, coalesce(t.trips, 0) as found
from (select load_id, rows_loaded from load where %(load_id)s::integer is null or load_id = %(load_id)s::integer) as l
full join (
    select load_id, count(*) as trips from trip
    where %(load_id)s::integer is null or load_id = %(load_id)s::integer
    group by load_id
) as t on t.load_id = l.load_id
where coalesce(l.rows_loaded, 0) <> coalesce(t.trips, 0);

-- name: check_rejects
-- A load's counter of rejected rows against its rejects.
select l.load_id, 'rejects' as place, l.rows_rejected as expected, coalesce(r.rejects, 0) as found
from load as l
left join (
    select load_id, count(*) as rejects from load_reject
    where %(load_id)s::integer is null or load_id = %(load_id)s::integer
    group by load_id
) as r on r.load_id = l.load_id
where (%(load_id)s::integer is null or l.load_id = %(load_id)s::integer)
  and l.rows_rejected <> coalesce(r.rejects, 0);

-- name: check_rollup_week
-- The rollup of weeks against the trips, first and last included.
with counted as (
    select load_id, date_trunc('week', started_at)::date as week, region_id, datasource_id,
           count(*) as trips, min(started_at) as first_at, max(started_at) as last_at
    from trip
    where %(load_id)s::integer is null or load_id = %(load_id)s::integer
    group by 1, 2, 3, 4
), kept as (
    select load_id, week, region_id, datasource_id, sum(trips)::bigint as trips, min(first_at) as first_at, max(last_at) as last_at
    from rollup_week
    where %(load_id)s::integer is null or load_id = %(load_id)s::integer
    group by 1, 2, 3, 4
)
select load_id, 'rollup_week ' || week || ' region ' || region_id || ' datasource ' || datasource_id as place,
       coalesce(c.trips, 0) as expected, coalesce(k.trips, 0) as found
from counted as c
full join kept as k using (load_id, week, region_id, datasource_id)
where (c.trips, c.first_at, c.last_at) is distinct from (k.trips, k.first_at, k.last_at);

-- name: check_rollup_cell
-- The rollup of cells against the trips, both ends.
with counted as (
    select load_id, (case when is_origin then origin else destination end >> 34)::integer as cell,
           date_trunc('week', started_at)::date as week, region_id, datasource_id, is_origin, count(*) as trips
    from trip
    cross join (values (true), (false)) as side (is_origin)
    where %(load_id)s::integer is null or load_id = %(load_id)s::integer
    group by 1, 2, 3, 4, 5, 6
), kept as (
    select c.load_id, c.cell, w.week, c.region_id, c.datasource_id, c.is_origin, sum(w.trips)::bigint as trips
    from rollup_cell as c
    cross join unnest(c.weeks, c.trips) as w (week, trips)
    where %(load_id)s::integer is null or c.load_id = %(load_id)s::integer
    group by 1, 2, 3, 4, 5, 6
)
select load_id,
       'rollup_cell ' || cell || ' ' || week || ' ' || case when is_origin then 'origin' else 'destination' end as place,
       coalesce(c.trips, 0) as expected, coalesce(k.trips, 0) as found
from counted as c
full join kept as k using (load_id, cell, week, region_id, datasource_id, is_origin)
where c.trips is distinct from k.trips;

-- name: check_events
-- Events of a load: seq without gaps up to the load's last (older ones may be trimmed), the last one saying what the load says, and one
-- end at most for each time it began.
select l.load_id, f.place, f.expected, f.found
from load as l
cross join lateral (
    select count(*) as events, coalesce(max(seq), 0) as last_seq, coalesce(min(seq), 1) as first_seq,
           count(*) filter (where kind in ('succeeded', 'failed', 'cancelled')) as ends,
           count(*) filter (where kind in ('queued', 'retried')) as begins,
           (array_agg(body order by seq desc))[1] as body
    from load_event as e
    where e.load_id = l.load_id
) as e
cross join lateral (values
    ('last event', l.last_seq::bigint, e.last_seq::bigint),
    ('events', (e.last_seq - e.first_seq + 1)::bigint, e.events),
    ('state of the last event',
     0, (e.body ->> 'state' is distinct from l.state and l.state in ('succeeded', 'failed', 'cancelled', 'undone'))::integer::bigint),
    ('rows_loaded of the last event', l.rows_loaded,
     case when l.state = 'succeeded' then (e.body ->> 'rows_loaded')::bigint else l.rows_loaded end),
    ('rows_rejected of the last event', l.rows_rejected,
     case when l.state = 'succeeded' then (e.body ->> 'rows_rejected')::bigint else l.rows_rejected end),
    ('ends beyond begins', 0, case when e.first_seq = 1 then greatest(0, e.ends - e.begins) else 0 end)
) as f (place, expected, found)
where (%(load_id)s::integer is null or l.load_id = %(load_id)s::integer)
  and f.expected is distinct from f.found;

-- name: check_positions
-- Positions of events: given out up to the last one that is remembered, none twice (the index sees to that).
select null::integer as load_id, 'positions' as place, p.last_position as expected, e.last_position as found
from event_position as p
cross join (select coalesce(max(position), 0) as last_position from load_event) as e
where p.last_position <> e.last_position;

-- name: lift_timeout
-- Lets the statements of a transaction take as long as they need.
select set_config('statement_timeout', '0', true);
