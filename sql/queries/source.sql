-- Sources and their objects.

-- name: insert_source
-- A source that is due at once; returns its id.
insert into source (address, options, on_drift, is_watched, interval_s)
values (%(address)s::text, %(options)s::jsonb, %(on_drift)s::text, %(is_watched)s::boolean, %(interval_s)s::integer)
returning source_id;

-- name: list_sources
-- Sources, newest first (or one), with the number of their objects by state. loads_failed counts objects whose load failed or was not
-- asked for again.
select s.*, coalesce(o.found, 0) as objects_found, coalesce(o.loaded, 0) as objects_loaded, coalesce(o.failed, 0) as objects_failed,
       coalesce(o.waiting, 0) as objects_waiting, coalesce(o.refused, 0) as objects_refused, coalesce(o.loads_failed, 0) as loads_failed
from source as s
left join lateral (
    select count(*) filter (where o.state = 'found') as found, count(*) filter (where o.state = 'loaded') as loaded,
           count(*) filter (where o.state = 'failed') as failed, count(*) filter (where o.state = 'waiting') as waiting,
           count(*) filter (where o.state = 'refused') as refused, count(*) filter (where l.state = 'failed') as loads_failed
    from source_object as o
    left join load as l using (load_id)
    where o.source_id = s.source_id
) as o on true
where %(source_id)s::integer is null or s.source_id = %(source_id)s::integer
order by s.source_id desc;

-- name: list_source_objects
-- Objects of a source in the order they were found, after an id, in a state (or any), with the state of their load.
select o.*, l.state as load_state, l.error_message as load_error
from source_object as o
left join load as l using (load_id)
where o.source_id = %(source_id)s::integer and o.source_object_id > %(after)s::bigint
  and (%(state)s::text is null or o.state = %(state)s::text)
order by o.source_object_id
limit %(limit)s::integer;

-- name: set_source_state
-- Pauses or goes on with a source; who works at it stops after the object at hand. No row when there is none, or it has ended.
update source
set state = %(state)s::text,
    due_at = case when %(state)s::text = 'active' then clock_timestamp() else due_at end,
    enqueued_at = null
where source_id = %(source_id)s::integer and state <> 'ended'
returning source_id;

-- name: run_source
-- Has an active source listed now. No row when there is none.
update source set due_at = clock_timestamp(), enqueued_at = clock_timestamp()
where source_id = %(source_id)s::integer and state = 'active'
returning source_id;

-- name: delete_source
-- Forgets a source and its objects; their loads stay.
delete from source where source_id = %(source_id)s::integer returning source_id;

-- name: retry_source_objects
-- Has objects read again that failed, wait for an answer or were refused (or one of them); their headers are taken. Returns their ids.
update source_object
set state = 'found', is_accepted = true, attempts = 0, error_code = null, error_message = null
where source_id = %(source_id)s::integer and state in ('failed', 'waiting', 'refused')
  and (%(source_object_id)s::bigint is null or source_object_id = %(source_object_id)s::bigint)
returning source_object_id;

-- name: reopen_source
-- ended → active: its objects are read again.
update source set state = 'active' where source_id = %(source_id)s::integer and state = 'ended' returning source_id;

-- name: list_due_sources
-- Marks sources as enqueued that are due, with nobody at it and no message sent since they became due, or none within patience_s; returns
-- their ids.
with due as (
    select source_id
    from source
    where state = 'active' and due_at <= clock_timestamp()
      and (claimed_at is null or claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
      and (enqueued_at is null or enqueued_at < due_at
           or enqueued_at < clock_timestamp() - %(patience_s)s::float8 * interval '1 second')
    order by source_id
    for update skip locked
)
update source as s set enqueued_at = clock_timestamp()
from due as d
where s.source_id = d.source_id
returning s.source_id;

-- name: claim_source
-- Counts a start and takes the lease of a source that is due; no row when there is nothing to do or somebody is at it.
update source
set attempts = attempts + 1, claimed_at = clock_timestamp(), lease_token = gen_random_uuid(), enqueued_at = null,
    failing_since = case when failed_at > clock_timestamp() - interval '10 minutes' then failing_since end
where source_id = %(source_id)s::integer and state = 'active' and due_at <= clock_timestamp()
  and (claimed_at is null or claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
returning *;

-- name: renew_source
-- Keeps the lease; no row when the source was removed or another worker has it.
update source set claimed_at = clock_timestamp()
where source_id = %(source_id)s::integer and lease_token = %(lease_token)s::uuid and claimed_at is not null
returning source_id;

-- name: release_source
-- Ends the lease after a failure, so that it may be tried again; as release_batch.
update source
set claimed_at = null, enqueued_at = clock_timestamp(),
    attempts = attempts - 1, failures = failures + case when %(is_failure)s::boolean then 1 else 0 end,
    failing_since = case when %(is_outage)s::boolean then coalesce(failing_since, clock_timestamp()) else failing_since end,
    failed_at = case when %(is_outage)s::boolean then clock_timestamp() else failed_at end
where source_id = %(source_id)s::integer and lease_token = %(lease_token)s::uuid
returning extract(epoch from failed_at - failing_since)::float8 as failing_s;

-- name: add_source_objects
-- Notes versions that were not seen before.
insert into source_object (source_id, key, etag, bytes)
select %(source_id)s::integer, found.key, found.etag, found.bytes
from unnest(%(keys)s::text[], %(etags)s::text[], %(bytes)s::bigint[]) as found (key, etag, bytes)
on conflict (source_id, key, etag) do nothing
returning source_object_id;

-- name: note_listed
-- The source was listed to its end.
update source set listed_at = clock_timestamp(), error_code = null, error_message = null
where source_id = %(source_id)s::integer and lease_token = %(lease_token)s::uuid;

-- name: begin_source_object
-- Counts a start of the next object after an id, of a source that is active and whose lease the caller holds; no row when there is none.
update source_object as o
set attempts = o.attempts + 1, object_key = coalesce(o.object_key, %(object_key)s::text)
from source as s
where s.source_id = o.source_id and s.state = 'active' and s.lease_token = %(lease_token)s::uuid
  and o.source_object_id = (
      select source_object_id from source_object
      where source_id = %(source_id)s::integer and state = 'found' and source_object_id > %(after)s::bigint
      order by source_object_id
      limit 1)
returning o.*;

-- name: fetch_header_drift
-- Whether objects of the source were loaded, and none of them had one of these headers.
select coalesce(bool_and(not headers && %(headers)s::text[]), false) as has_drifted
from source_object
where source_id = %(source_id)s::integer and state = 'loaded' and headers <> '{}';

-- name: lock_source_lease
-- The source while the caller has its lease, locked until the transaction ends; no row when it was removed or somebody else has it.
select source_id from source where source_id = %(source_id)s::integer and lease_token = %(lease_token)s::uuid for update;

-- name: finish_source_object
-- What became of an object: its load was requested, or it failed, waits, was refused or has changed.
update source_object
set state = %(state)s::text, load_id = %(load_id)s::integer, headers = %(headers)s::text[], has_drifted = %(has_drifted)s::boolean,
    error_code = %(error_code)s::text, error_message = %(error_message)s::text
where source_object_id = %(source_object_id)s::bigint and state = 'found'
returning source_object_id;

-- name: note_source_error
-- Why an object could not be read this time; it stays to be read.
update source_object set error_code = %(error_code)s::text, error_message = %(error_message)s::text
where source_object_id = %(source_object_id)s::bigint and state = 'found';

-- name: finish_source
-- Ends a run and its lease: due again after pause_s; one that is read once has ended when no object is left to read.
update source as s
set claimed_at = null, lease_token = null, attempts = 0, failures = 0, failing_since = null, enqueued_at = null,
    due_at = clock_timestamp() + %(pause_s)s::float8 * interval '1 second',
    error_code = coalesce(%(error_code)s::text, s.error_code), error_message = coalesce(%(error_message)s::text, s.error_message),
    state = case when s.state = 'active' and not s.is_watched
                      and (s.listed_at is not null or %(error_code)s::text is not null and not %(is_passing)s::boolean)
                      and not exists (select from source_object as o where o.source_id = s.source_id and o.state = 'found')
                 then 'ended' else s.state end
where s.source_id = %(source_id)s::integer and s.lease_token = %(lease_token)s::uuid
returning s.source_id;

-- name: fetch_source_backlog
-- One row: active sources, those whose last listing failed, and objects to read, and for a person to decide.
select (select count(*) from source where state = 'active')::integer as active,
       (select count(*) from source where state = 'active' and error_code is not null)::integer as failing,
       count(*) filter (where state = 'found')::integer as to_read,
       count(*) filter (where state in ('failed', 'waiting', 'refused'))::integer as undecided
from source_object
where state <> 'loaded' and state <> 'changed';
