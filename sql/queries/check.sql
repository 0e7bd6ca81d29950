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
-- A load's counter of rejected rows against its rejects per reason (rejects, in batches that are older than those), and the rejects
-- that the database is said to keep against those it has.
select l.load_id, f.place, f.expected, f.found
from load as l
left join (
    select b.load_id,
           sum(coalesce((select sum(c.value::bigint) from jsonb_each_text(b.reasons) as c), k.rejects))::bigint as rejects,
           sum(coalesce(b.rejects_kept, k.rejects))::bigint as said,
           sum(k.rejects)::bigint as kept
    from load_batch as b
    cross join lateral (
        select count(*) as rejects from load_reject as j where j.load_id = b.load_id and j.batch_no = b.batch_no
    ) as k
    where %(load_id)s::integer is null or b.load_id = %(load_id)s::integer
    group by b.load_id
) as r on r.load_id = l.load_id
cross join lateral (values
    ('rejects', l.rows_rejected, coalesce(r.rejects, 0)),
    ('rejects kept', coalesce(r.said, 0), coalesce(r.kept, 0))
) as f (place, expected, found)
where (%(load_id)s::integer is null or l.load_id = %(load_id)s::integer)
  and f.expected <> f.found;

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

-- name: check_segment_day
-- Days and hours of the segments against their trips. Here and below, a load_id means its segment, and the place names the segment.
with compacted as (
    select load_id, segment_id from load
    where segment_id is not null
      and (%(load_id)s::integer is null or segment_id = (select segment_id from load where load_id = %(load_id)s::integer))
), counted as (
    select l.segment_id, t.started_at::date as day, date_part('hour', t.started_at)::smallint as hour, t.region_id, t.datasource_id,
           count(*) as trips
    from trip as t
    join compacted as l using (load_id)
    group by 1, 2, 3, 4, 5
), kept as (
    select d.segment_id, d.day, h.hour, d.region_id, d.datasource_id, sum(h.trips)::bigint as trips
    from segment_day as d
    cross join unnest(d.hours, d.trips) as h (hour, trips)
    where d.segment_id in (select segment_id from compacted)
    group by 1, 2, 3, 4, 5
)
select null::integer as load_id, 'segment_day of segment ' || segment_id || ' ' || day || ' hour ' || hour as place,
       coalesce(c.trips, 0) as expected, coalesce(k.trips, 0) as found
from counted as c
full join kept as k using (segment_id, day, hour, region_id, datasource_id)
where c.trips is distinct from k.trips;

-- name: check_segment_cell
-- Weeks of the segments' cells against their trips, both ends, per datasource and of all of them (-1); and the fine cells of origins, as shift
-- 24 and week infinity.
with compacted as (
    select load_id, segment_id from load
    where segment_id is not null
      and (%(load_id)s::integer is null or segment_id = (select segment_id from load where load_id = %(load_id)s::integer))
), per_datasource as (
    select l.segment_id, t.region_id, is_origin, 34 as shift, case when is_origin then t.origin else t.destination end >> 34 << 34 as corner,
           date_trunc('week', t.started_at)::date as week, t.datasource_id, count(*) as trips
    from trip as t
    join compacted as l using (load_id)
    cross join (values (true), (false)) as trip_ends (is_origin)
    group by 1, 2, 3, 4, 5, 6, 7
), counted as (
    select segment_id, region_id, is_origin, shift, corner, week, datasource_id::integer, trips from per_datasource
    union all
    select segment_id, region_id, is_origin, shift, corner, week, -1, sum(trips)::bigint from per_datasource group by 1, 2, 3, 4, 5, 6
    union all
    select l.segment_id, t.region_id, true, 24, t.origin >> 24 << 24, date 'infinity', 0, count(*)
    from trip as t
    join compacted as l using (load_id)
    group by 1, 2, 5
), kept as (
    select c.segment_id, c.region_id, c.is_origin, 34 as shift, c.corner, w.week, w.datasource_id::integer, sum(w.trips)::bigint as trips
    from segment_cell as c
    cross join unnest(c.weeks, c.datasource_ids, c.trips) as w (week, datasource_id, trips)
    where c.segment_id in (select segment_id from compacted)
    group by 1, 2, 3, 4, 5, 6, 7
    union all
    select c.segment_id, c.region_id, c.is_origin, 34, c.corner, w.week, -1, sum(w.trips)::bigint
    from segment_cell as c
    cross join unnest(c.sum_weeks, c.sum_trips) as w (week, trips)
    where c.segment_id in (select segment_id from compacted)
    group by 1, 2, 3, 4, 5, 6
    union all
    select c.segment_id, c.region_id, c.is_origin, 24, c.corner | (f.fine_cell::bigint << 24), date 'infinity', 0, sum(f.trips)::bigint
    from segment_cell as c
    cross join unnest(c.fine_cells, c.fine_trips) as f (fine_cell, trips)
    where c.segment_id in (select segment_id from compacted)
    group by 1, 2, 3, 5
)
select null::integer as load_id,
       'segment_cell of segment ' || segment_id || ' ' || corner || ' >> ' || shift || ' ' || week || case when is_origin then ' origin' else ' destination' end
           as place,
       coalesce(c.trips, 0) as expected, coalesce(k.trips, 0) as found
from counted as c
full join kept as k using (segment_id, region_id, is_origin, shift, corner, week, datasource_id)
where c.trips is distinct from k.trips;

-- name: check_blocks
-- What the blocks of segments and of uncompacted loads must hold, cell by cell (position >> 32): how many trips, and the sum of a hash of end, other end
-- (0 for destinations), hour and datasource; and the blocks themselves, and hours of cells (trips: their weeks), for the caller to read. In
-- one statement, so of one moment.
with compacted as (
    select load_id, segment_id, null::integer as uncompacted_id, 'segment ' || segment_id as owner from load
    where segment_id is not null
      and (%(load_id)s::integer is null or segment_id = (select segment_id from load where load_id = %(load_id)s::integer))
    union all
    select load_id, null, load_id, 'load ' || load_id from uncompacted_load
    where has_blocks and (%(load_id)s::integer is null or load_id = %(load_id)s::integer)
), trip_end as (
    select l.owner, t.region_id::integer as region_id, is_origin, case when is_origin then t.origin else t.destination end as position,
           case when is_origin then t.destination else 0 end as other,
           ((t.started_at::date - date '0001-01-01') / 7 * 168 + hour_of_week(t.started_at))::bigint * 65536 + t.datasource_id as hour,
           duration_code(t.duration_s) + case when is_origin then 1442 * date_part('minute', t.started_at)::integer else 0 end as detail
    from trip as t
    join compacted as l using (load_id)
    cross join (values (true), (false)) as trip_ends (is_origin)
)
select owner, region_id, is_origin, position >> 32 as cell, count(*) as trips,
       sum((mod(position, 1000003) + 1) * (mod(other, 1000003) + mod(hour, 1000003) + detail + 1))::bigint as hash,
       null::bigint[] as bounds, null::integer as base_week, null::smallint[] as datasource_ids, null::bytea as week_trips,
       null::integer as x_at, null::integer as y_at, null::integer as times_at, null::integer as durations_at, null::integer as minutes_at, null::bytea as week_index, null::bytea as bits,
       null::boolean as has_cell_hours
from trip_end
group by 1, 2, 3, 4
union all
select l.owner, p.region_id, p.is_origin, p.base, p.trips, null,
       array[p.x_low, p.x_high, p.y_low, p.y_high, p.other_x_low, p.other_x_high, p.other_y_low, p.other_y_high],
       (p.base_on - date '0001-01-01') / 7, p.datasource_ids, p.week_trips, p.x_at, p.y_at, p.times_at, p.durations_at, p.minutes_at, p.week_index, p.bits,
       p.has_cell_hours
from block as p
join (select distinct owner, segment_id, uncompacted_id from compacted) as l on l.segment_id = p.segment_id or l.uncompacted_id = p.load_id
union all
select 'segment ' || c.segment_id, c.region_id, c.is_origin, c.corner, (c.weeks[cardinality(c.weeks)] - c.weeks[1]) / 7 + 1, null, null,
       (c.weeks[1] - date '0001-01-01') / 7, null, null, null, null, null, null, null, null, c.hours, null
from segment_cell as c
where c.segment_id in (select segment_id from compacted) and c.hours is not null;

-- name: check_segment_flow
-- What the flows of segments must hold, per origin cell: as a whole, per datasource (else 0), and per slot (else -1) where the segment has hours:
-- how many trips, and the sum of a hash of destination and trips; and the rows themselves, for the caller to read.
with compacted as (
    select load_id, segment_id from load
    where segment_id is not null
      and (%(load_id)s::integer is null or segment_id = (select segment_id from load where load_id = %(load_id)s::integer))
), counted as (
    select l.segment_id, t.region_id::integer as region_id, t.datasource_id, slot_of_hour(hour_of_week(t.started_at)) as slot,
           t.origin >> 32 as origin_cell, t.destination >> 32 as destination_cell, count(*) as trips
    from trip as t
    join compacted as l using (load_id)
    group by 1, 2, 3, 4, 5, 6
), flow as (
    select c.segment_id, c.region_id, coalesce(c.datasource_id, 0)::integer as datasource_id,
           coalesce(c.slot, -1) as slot, c.origin_cell, c.destination_cell, sum(c.trips) as trips
    from counted as c
    join segment as r using (segment_id)
    group by grouping sets ((1, 2, 5, 6, r.has_hours), (1, 2, 5, 6, r.has_hours, c.datasource_id), (1, 2, 5, 6, r.has_hours, c.slot))
    having r.has_hours or c.slot is null
)
select segment_id, region_id, datasource_id, slot, origin_cell, sum(trips)::bigint as flows,
       sum((mod(destination_cell, 1000003) + 1) * trips)::bigint as hash,
       null::integer as first_cell, null::integer as last_cell, null::bytea as destination_cells, null::bytea as trips
from flow
group by 1, 2, 3, 4, 5
union all
select f.segment_id, f.region_id, coalesce(f.datasource_id, 0), coalesce(f.slot, -1), f.origin_cell, f.flows, null, f.first_cell, f.last_cell,
       f.destination_cells, f.trips
from segment_flow as f
where f.segment_id in (select segment_id from compacted);

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
-- Lets the statements of a transaction take as long as they need; Citus also the room, for what is counted on several nodes.
select set_config('statement_timeout', '0', true), set_config('citus.max_intermediate_result_size', '-1', true);
