-- name: insert_webhook
-- A registered address; it hears of events from now on. Returns the row.
insert into webhook (url, secret, states, after_position)
select %(url)s::text, %(secret)s::text, %(states)s::text[], last_position
from event_position
returning *;

-- name: list_webhooks
-- Registered addresses, oldest first, with their deliveries by state and the instant of the last one that arrived.
select w.webhook_id, w.url, w.states, w.created_at, d.pending, d.failed, d.delivered, d.delivered_at
from webhook as w
cross join lateral (
    select count(*) filter (where state = 'pending')::integer as pending,
           count(*) filter (where state = 'failed')::integer as failed,
           count(*) filter (where state = 'delivered')::integer as delivered,
           max(finished_at) filter (where state = 'delivered') as delivered_at
    from webhook_delivery
    where webhook_id = w.webhook_id
) as d
order by w.webhook_id;

-- name: delete_webhook
-- Removes an address with its deliveries; no row when there is none.
delete from webhook where webhook_id = %(webhook_id)s::integer returning webhook_id;

-- name: insert_test_delivery
-- A test message to an address, due at once; no row when there is no such address.
insert into webhook_delivery (webhook_id, kind, body)
select webhook_id, 'test', jsonb_build_object('webhook_id', webhook_id, 'at', clock_timestamp())
from webhook
where webhook_id = %(webhook_id)s::integer
returning *;

-- name: list_webhook_deliveries
-- Deliveries to an address, newest first, before a delivery (or from the newest).
select *
from webhook_delivery
where webhook_id = %(webhook_id)s::integer
  and (%(before)s::bigint is null or delivery_id < %(before)s::bigint)
order by delivery_id desc
limit %(limit)s::integer;

-- name: lock_webhook_position
-- Position of the last event that has its deliveries, and of the newest event; locked for the caller. No row while another process is at it.
select w.last_position, e.last_position as newest_position
from webhook_position as w
cross join event_position as e
for update of w skip locked;

-- name: queue_deliveries
-- Deliveries for the next limit events after a position: those whose kind is a state that a webhook hears of. Returns the position of the last of
-- the events; null without any.
with page as (
    select position, load_id, seq, kind, body, at
    from load_event
    where position > %(after)s::bigint
    order by position
    limit %(limit)s::integer
), queued as (
    insert into webhook_delivery (webhook_id, load_id, kind, body)
    select w.webhook_id, p.load_id, p.kind,
           p.body || jsonb_build_object('position', p.position, 'seq', p.seq, 'kind', p.kind, 'at', p.at)
    from page as p
    join webhook as w on w.after_position < p.position and p.kind = any (w.states)
    order by p.position, w.webhook_id
)
select max(position) as last_position from page;

-- name: move_webhook_position
-- Events up to a position have their deliveries.
update webhook_position set last_position = %(position)s::bigint;

-- name: claim_delivery
-- Counts an attempt and takes the lease of the delivery that is due longest, to an address to which no other is being sent; with address and secret.
-- No row when none is due.
with due as (
    select d.delivery_id
    from webhook_delivery as d
    where d.state = 'pending' and d.due_at <= clock_timestamp()
      and (d.claimed_at is null or d.claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
      and not exists (select from webhook_delivery as o
                      where o.webhook_id = d.webhook_id and o.state = 'pending'
                        and o.claimed_at >= clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
    order by d.due_at, d.delivery_id
    limit 1
    for update skip locked
)
update webhook_delivery as d
set attempts = attempts + 1, claimed_at = clock_timestamp(), lease_token = gen_random_uuid()
from due, webhook as w
where d.delivery_id = due.delivery_id and w.webhook_id = d.webhook_id
returning d.*, w.url, w.secret;

-- name: finish_delivery
-- The outcome of an attempt: delivered, failed, or pending and due again after pause_s. No row when the lease is lost.
update webhook_delivery
set state = %(state)s::text, status = %(status)s::integer, error_message = %(error_message)s::text,
    due_at = clock_timestamp() + %(pause_s)s::float8 * interval '1 second',
    finished_at = case when %(state)s::text <> 'pending' then clock_timestamp() end, claimed_at = null, lease_token = null
where delivery_id = %(delivery_id)s::bigint and lease_token = %(lease_token)s::uuid
returning delivery_id;

-- name: delete_old_deliveries
-- Drops deliveries that ended more than retention_s ago; returns how many.
with gone as (
    delete from webhook_delivery
    where state <> 'pending' and finished_at < clock_timestamp() - %(retention_s)s::float8 * interval '1 second'
    returning 1
)
select count(*) as deliveries from gone;

-- name: fetch_webhook_backlog
-- One row: deliveries that are to be sent, and the age in seconds of the oldest of them (null: there is none).
select count(*)::integer as pending, extract(epoch from clock_timestamp() - min(created_at))::float8 as oldest_s
from webhook_delivery
where state = 'pending';
