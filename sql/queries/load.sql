-- name: insert_load
-- A queued load; returns its id.
insert into load (file_name, object_key, object_etag, bytes_total, options)
values (%(file_name)s::text, %(object_key)s::text, %(object_etag)s::text, %(bytes_total)s::bigint, %(options)s::jsonb)
returning load_id;

-- name: fetch_load
-- One load, whole.
select * from load where load_id = %(load_id)s::integer;

-- name: lock_load
-- One load, locked until the transaction ends.
select * from load where load_id = %(load_id)s::integer for update;

-- name: list_loads
-- Loads, newest first, before a load id (or from the newest), in a state (or any).
select *
from load
where (%(before)s::integer is null or load_id < %(before)s::integer)
  and (%(state)s::text is null or state = %(state)s::text)
order by load_id desc
limit %(limit)s::integer;

-- name: start_planning
-- queued or planning → planning; a planner that died is taken over. No row when the load is past that.
update load set state = 'planning', started_at = coalesce(started_at, clock_timestamp())
where load_id = %(load_id)s::integer and state in ('queued', 'planning')
returning *;

-- name: set_content_hash
-- Claims the bytes and mapping for this load; violates load_by_content when a live load has them.
update load set content_hash = %(content_hash)s::text
where load_id = %(load_id)s::integer and state = 'planning'
returning load_id;

-- name: fetch_load_by_content
-- The live load of these bytes and this mapping.
select load_id, state from load
where content_hash = %(content_hash)s::text and state in ('planning', 'loading', 'succeeded');

-- name: start_loading
-- planning → loading, with the plan; no row when somebody else did it or the load was cancelled.
update load set state = 'loading', plan = %(plan)s::jsonb, batches_total = %(batches_total)s::integer
where load_id = %(load_id)s::integer and state = 'planning'
returning load_id;

-- name: add_batch_counts
-- A finished batch's counts, added to its load.
update load
set rows_read = rows_read + %(rows_read)s::bigint,
    rows_loaded = rows_loaded + %(rows_loaded)s::bigint,
    rows_rejected = rows_rejected + %(rows_rejected)s::bigint,
    bytes_read = bytes_read + %(bytes)s::bigint,
    batches_done = batches_done + 1
where load_id = %(load_id)s::integer
returning rows_read, rows_rejected;

-- name: finish_load
-- loading → succeeded, once, when every batch is done; no row otherwise.
update load as l
set state = 'succeeded', finished_at = clock_timestamp()
where l.load_id = %(load_id)s::integer and l.state = 'loading'
  and not exists (select from load_batch as b where b.load_id = l.load_id and b.state <> 'done')
returning l.load_id;

-- name: end_load
-- A load that has not ended → failed or cancelled, with its reason; no row when it has ended.
update load
set state = %(state)s::text, error_code = %(error_code)s::text, error_message = %(error_message)s::text,
    duplicate_of = %(duplicate_of)s::integer, finished_at = clock_timestamp()
where load_id = %(load_id)s::integer and state in ('queued', 'planning', 'loading')
returning load_id;

-- name: undo_load
-- succeeded → undone; no row otherwise.
update load set state = 'undone', finished_at = clock_timestamp()
where load_id = %(load_id)s::integer and state = 'succeeded'
returning load_id;

-- name: retry_load
-- failed or cancelled → queued, from the beginning; no row otherwise.
update load
set state = 'queued', plan = null, content_hash = null, duplicate_of = null, rows_read = 0, rows_loaded = 0, rows_rejected = 0,
    bytes_read = 0, batches_total = null, batches_done = 0, error_code = null, error_message = null,
    started_at = null, finished_at = null
where load_id = %(load_id)s::integer and state in ('failed', 'cancelled')
returning load_id;

-- name: reset_load_counts
-- Counters of a load whose rows were removed.
update load set rows_loaded = 0
where load_id = %(load_id)s::integer;

-- name: list_unfinished_loads
-- Loads that the reconciler looks after: no end yet.
select load_id, state, requested_at from load where state in ('queued', 'planning', 'loading') order by load_id;

-- name: count_rejects_by_reason
-- Rejects of a load per reason.
select reason, count(*) as rows from load_reject where load_id = %(load_id)s::integer group by reason order by rows desc, reason;

-- name: list_rejects
-- Rejects of a load in file order after a record number.
select line, record, column_name as "column", reason, value, raw
from rejects
where load_id = %(load_id)s::integer and record > %(after)s::bigint
  and (%(reason)s::text is null or reason = %(reason)s::text)
order by record
limit %(limit)s::integer;
