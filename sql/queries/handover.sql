-- name: request_handover
-- Queues the way of a published load into an engine; one that failed or was undone begins anew. No row when it is under way or there, or the load
-- is not published.
insert into handover (load_id, engine)
select load_id, %(engine)s::text from publication where load_id = %(load_id)s::integer and state = 'published'
on conflict (load_id, engine) do update
set state = 'queued', specification = null, rows_counted = null, error_code = null, error_message = null,
    requested_at = clock_timestamp(), finished_at = null, due_at = clock_timestamp(), attempts = 0, failures = 0,
    enqueued_at = clock_timestamp(), claimed_at = null, lease_token = null, failing_since = null, failed_at = null
where handover.state in ('failed', 'undone')
returning load_id;

-- name: list_handovers
-- Handovers of a load.
select * from handover where load_id = %(load_id)s::integer order by engine;

-- name: undo_handovers
-- The load is being undone: engines are to remove it. One that was never sent is undone at once. Who works at it loses the lease, and has
-- half a minute to send what it was about to send.
update handover
set state = case when specification is null then 'undone' else 'undo_queued' end, finished_at = null,
    due_at = clock_timestamp() + case when claimed_at is null then interval '0' else interval '30 seconds' end,
    attempts = 0, failures = 0, enqueued_at = clock_timestamp(), claimed_at = null, lease_token = null, failing_since = null
where load_id = %(load_id)s::integer and state <> 'undone'
returning load_id;

-- name: repeat_handover_undo
-- undone → undo_queued: a worker that had lost its lease sent a task afterwards.
update handover set state = 'undo_queued', due_at = clock_timestamp(), enqueued_at = null, finished_at = null
where load_id = %(load_id)s::integer and engine = %(engine)s::text and state = 'undone' and specification is not null
returning load_id;

-- name: claim_handover
-- Counts a start and takes the lease of a handover that is due; no row when there is nothing to do yet or somebody is at it.
update handover
set attempts = attempts + 1, claimed_at = clock_timestamp(), lease_token = gen_random_uuid(), enqueued_at = null,
    failing_since = case when failed_at > clock_timestamp() - interval '10 minutes' then failing_since end
where load_id = %(load_id)s::integer and engine = %(engine)s::text and state in ('queued', 'running', 'undo_queued', 'undoing')
  and due_at <= clock_timestamp()
  and (claimed_at is null or claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
returning *;

-- name: renew_handover
-- Keeps the lease; no row when the load was undone or another worker has it.
update handover set claimed_at = clock_timestamp()
where load_id = %(load_id)s::integer and engine = %(engine)s::text and lease_token = %(lease_token)s::uuid and claimed_at is not null
returning load_id;

-- name: release_handover
-- Ends the lease after a failure, so that it may be tried again; as release_batch.
update handover
set claimed_at = null, enqueued_at = clock_timestamp(),
    attempts = attempts - 1, failures = failures + case when %(is_failure)s::boolean then 1 else 0 end,
    failing_since = case when %(is_outage)s::boolean then coalesce(failing_since, clock_timestamp()) else failing_since end,
    failed_at = case when %(is_outage)s::boolean then clock_timestamp() else failed_at end
where load_id = %(load_id)s::integer and engine = %(engine)s::text and lease_token = %(lease_token)s::uuid
returning extract(epoch from failed_at - failing_since)::float8 as failing_s;

-- name: store_task
-- Stores a task before it is sent; no row when the lease is lost.
update handover
set state = %(state)s::text, task_no = task_no + 1, task_id = %(task_id)s::text, specification = %(specification)s::jsonb,
    claimed_at = clock_timestamp()
where load_id = %(load_id)s::integer and engine = %(engine)s::text and lease_token = %(lease_token)s::uuid
returning load_id;

-- name: postpone_handover
-- Ends the lease until the engine is to be asked again; that is progress, so attempts are counted anew.
update handover
set state = %(state)s::text, due_at = clock_timestamp() + %(pause_s)s::float8 * interval '1 second', attempts = 0,
    failures = failures + case when %(is_failure)s::boolean then 1 else 0 end, enqueued_at = null,
    claimed_at = null, lease_token = null, failing_since = null
where load_id = %(load_id)s::integer and engine = %(engine)s::text and lease_token = %(lease_token)s::uuid
returning load_id;

-- name: finish_handover
-- Ends a handover: succeeded, undone or failed. The caller holds the load's row; no row when the lease is lost.
update handover
set state = %(state)s::text, rows_counted = %(rows)s::bigint, error_code = %(error_code)s::text, error_message = %(error_message)s::text,
    finished_at = clock_timestamp(), claimed_at = null, lease_token = null, failing_since = null
where load_id = %(load_id)s::integer and engine = %(engine)s::text and lease_token = %(lease_token)s::uuid
returning load_id;

-- name: list_due_handovers
-- Marks handovers as enqueued that are due, with nobody at it and no message sent since they became due, or none within patience_s; returns
-- their loads.
with due as (
    select load_id, engine
    from handover
    where state in ('queued', 'running', 'undo_queued', 'undoing') and due_at <= clock_timestamp()
      and (claimed_at is null or claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
      and (enqueued_at is null or enqueued_at < due_at
           or enqueued_at < clock_timestamp() - %(patience_s)s::float8 * interval '1 second')
    order by load_id
    for update skip locked
)
update handover as h set enqueued_at = clock_timestamp()
from due as d
where h.load_id = d.load_id and h.engine = d.engine
returning h.load_id;
