-- name: insert_event
-- One event of a load: takes the load's next seq and a snapshot of its counters as the body. None when the load's last event is of the
-- same kind and younger than min_gap_s.
with taken as (
    update load as l set last_seq = last_seq + 1
    where load_id = %(load_id)s::integer
      and not exists (select from load_event as e
                      where e.load_id = l.load_id and e.seq = l.last_seq and e.kind = %(kind)s::text
                        and e.at > clock_timestamp() - %(min_gap_s)s::float8 * interval '1 second')
    returning *
)
insert into load_event (load_id, seq, kind, body)
select load_id, last_seq, %(kind)s::text,
       jsonb_build_object(
           'load_id', load_id, 'state', state, 'file_name', file_name,
           'rows_read', rows_read, 'rows_loaded', rows_loaded, 'rows_rejected', rows_rejected,
           'bytes_read', bytes_read, 'bytes_total', bytes_total,
           'batches_done', batches_done, 'batches_total', batches_total,
           'duplicate_of', duplicate_of, 'error_code', error_code, 'error_message', error_message, 'notes', notes,
           'requested_at', requested_at, 'started_at', started_at, 'finished_at', finished_at)
from taken
returning load_id, seq;

-- name: lock_event_position
-- The relay's lock and counter; held to the end of the transaction, so positions are given in commit order.
select last_position from event_position for update;

-- name: number_events
-- Gives positions to events that have none, oldest first; returns how many.
with fresh as (
    select event_id, row_number() over (order by event_id) as n
    from load_event
    where position is null
    order by event_id
    limit %(limit)s::integer
), numbered as (
    update load_event as e set position = %(last_position)s::bigint + f.n
    from fresh as f
    where e.event_id = f.event_id
    returning e.position
), counted as (
    update event_position set last_position = %(last_position)s::bigint + (select count(*) from numbered)
    where (select count(*) from numbered) > 0
)
select count(*) as events from numbered;

-- name: list_events_after
-- Events in position order after a position; at most limit.
select position, load_id, seq, kind, body, at
from load_event
where position > %(after)s::bigint
order by position
limit %(limit)s::integer;

-- name: fetch_last_position
-- The newest position given.
select last_position from event_position;

-- name: count_unnumbered_events
-- Whether the relay has work.
select count(*) as events from load_event where position is null;

-- name: delete_old_events
-- Drops events older than keep positions, but never the last event of a load, nor one whose webhook deliveries are not queued; returns how many.
with gone as (
    delete from load_event as e
    where e.position <= (select last_position from event_position) - %(keep)s::bigint
      and e.position <= (select last_position from webhook_position)
      and exists (select from load as l where l.load_id = e.load_id and l.last_seq > e.seq)
    returning 1
)
select count(*) as events from gone;
