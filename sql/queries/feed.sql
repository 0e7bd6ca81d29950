-- name: fetch_feed_snapshot
-- The newest position given and, one row a load, the newest event of each load that is running, among the newest, or has
-- events after a position; with a load_id of that load alone. One statement, so one instant: events after last_position follow.
-- A single row with nulls when there is no event.
with chosen as (
    select load_id from load where load_id = %(load_id)s::integer
    union
    select load_id from load where %(load_id)s::integer is null and state in ('queued', 'planning', 'loading')
    union
    (select load_id from load where %(load_id)s::integer is null order by load_id desc limit %(recent)s::integer)
    union
    select load_id from load_event where %(load_id)s::integer is null and position > %(after)s::bigint
), newest as (
    select e.*
    from (select load_id from chosen order by load_id desc limit %(limit)s::integer) as c
    cross join lateral (
        select position, load_id, seq, kind, body, at
        from load_event
        where load_id = c.load_id and position is not null
        order by seq desc
        limit 1
    ) as e
)
select p.last_position, n.*
from event_position as p
left join newest as n on true
order by n.position;

-- name: has_load
-- Whether there is such a load.
select exists (select from load where load_id = %(load_id)s::integer) as has_load;

-- name: fetch_data_version
-- A text that differs after every commit that changes loads or trips: what happens to a load adds an event to it, and only
-- the removal of rows goes on between events, step by step with the load's counter.
select concat_ws('-', coalesce(sum(last_seq), 0), coalesce(sum(rows_loaded), 0), count(*) filter (where needs_cleaning)) as version
from load;
