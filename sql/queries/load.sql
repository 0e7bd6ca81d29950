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

-- name: claim_planning
-- queued → planning, with a lease; a planner whose lease ran out is taken over, also where its load began early: such a load is loading
-- and its number of batches is not known yet. No row when the load is past that. An outage is over when nobody
-- met it for ten minutes: a retry comes after one at the latest.
update load
set state = case when state = 'loading' then 'loading' else 'planning' end,
    bytes_read = case when state = 'loading' then bytes_read else 0 end,
    attempts = attempts + 1, claimed_at = clock_timestamp(), lease_token = gen_random_uuid(), enqueued_at = null,
    started_at = coalesce(started_at, clock_timestamp()),
    failing_since = case when failed_at > clock_timestamp() - interval '10 minutes' then failing_since end
where load_id = %(load_id)s::integer
  and (state = 'queued'
       or (state = 'planning' or state = 'loading' and batches_total is null)
          and (claimed_at is null or claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second'))
returning *;

-- name: find_possible_duplicate
-- A load that began early, is still being read and has as many bytes: perhaps the same file.
select o.load_id
from load as l
join load as o on o.bytes_total = l.bytes_total and o.load_id <> l.load_id
where l.load_id = %(load_id)s::integer and o.state = 'loading' and o.batches_total is null
limit 1;

-- name: renew_planning
-- Keeps the lease; no row when the load was cancelled or another planner has it.
update load set claimed_at = clock_timestamp()
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid and claimed_at is not null
  and (state = 'planning' or state = 'loading' and batches_total is null)
returning load_id;

-- name: show_planning
-- Shows how far the planner has read, and keeps the lease; no row when the load was cancelled or another planner has it.
update load
set claimed_at = clock_timestamp(), bytes_read = case when state = 'planning' then %(bytes_read)s::bigint else bytes_read end
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid
  and (state = 'planning' or state = 'loading' and batches_total is null)
returning load_id;

-- name: release_planning
-- Ends the lease after a failure, so that planning may be tried again when its message comes back; as release_batch.
update load
set claimed_at = null, enqueued_at = clock_timestamp(),
    attempts = attempts - 1, failures = failures + case when %(is_failure)s::boolean then 1 else 0 end,
    failing_since = case when %(is_outage)s::boolean then coalesce(failing_since, clock_timestamp()) else failing_since end,
    failed_at = case when %(is_outage)s::boolean then clock_timestamp() else failed_at end
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid
  and (state = 'planning' or state = 'loading' and batches_total is null)
returning extract(epoch from failed_at - failing_since)::float8 as failing_s;

-- name: return_planning_attempt
-- A planner that lost its lease and lives was slow, not dead: its attempt does not count.
update load set attempts = attempts - 1
where load_id = %(load_id)s::integer and attempts > 1 and (state = 'planning' or state = 'loading' and batches_total is null);

-- name: begin_loading
-- planning → loading while the file is still being read. No row when the lease is lost or the load cancelled, and when another load has
-- as many bytes: it may be of the same file, and only the whole file can tell.
update load as l
set state = 'loading', plan = %(plan)s::jsonb, options = %(options)s::jsonb, bytes_read = 0, claimed_at = clock_timestamp()
where l.load_id = %(load_id)s::integer and l.state = 'planning' and l.lease_token = %(lease_token)s::uuid
  and not exists (select from load as o
                  where o.bytes_total = l.bytes_total and o.load_id <> l.load_id and o.state in ('planning', 'loading', 'succeeded'))
returning l.load_id;

-- name: extend_loading
-- Keeps the lease of a load that began early, for its next batches, and its plan where it is another (null: it is not); that is progress, so attempts and failures
-- are counted anew.
update load set plan = coalesce(%(plan)s::jsonb, plan), attempts = 1, failures = 0, failing_since = null, claimed_at = clock_timestamp()
where load_id = %(load_id)s::integer and state = 'loading' and batches_total is null and lease_token = %(lease_token)s::uuid
returning load_id;

-- name: fetch_load_by_content
-- The live load of these bytes and this mapping.
select load_id, state from load
where content_hash = %(content_hash)s::text and state in ('planning', 'loading', 'succeeded');

-- name: finish_planning
-- The whole file is read: → loading, with the plan and the options that count. No row when the lease is lost or the load cancelled.
-- Violates load_by_content when a live load has the same bytes and mapping.
update load
set state = 'loading', plan = %(plan)s::jsonb, options = %(options)s::jsonb, content_hash = %(content_hash)s::text,
    batches_total = %(batches_total)s::integer, bytes_read = case when state = 'planning' then 0 else bytes_read end,
    claimed_at = null, lease_token = null, failing_since = null
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid
  and (state = 'planning' or state = 'loading' and batches_total is null)
returning load_id;

-- name: add_batch_counts
-- A finished batch's counts, added to its load; no row when the load has ended meanwhile: then the batch must not commit.
update load
set rows_read = rows_read + %(rows_read)s::bigint,
    rows_loaded = rows_loaded + %(rows_loaded)s::bigint,
    rows_rejected = rows_rejected + %(rows_rejected)s::bigint,
    bytes_read = bytes_read + %(bytes)s::bigint,
    batches_done = batches_done + 1,
    rows_in_blocks = rows_in_blocks + %(rows_in_blocks)s::bigint
where load_id = %(load_id)s::integer and state = 'loading'
returning rows_read, rows_rejected;

-- name: has_pending_batches
-- Whether a load has batches that have not ended, or are not known yet.
select exists (select from load_batch where load_id = %(load_id)s::integer and state = 'pending')
       or exists (select from load where load_id = %(load_id)s::integer and state = 'loading' and batches_total is null) as has_pending;

-- name: finish_load
-- loading → succeeded; or failed when a batch failed, when no row of them was good, or when the share of rejects is past the load's limit. The
-- caller holds the load's row and has seen that no batch is pending; no row when the load has ended.
update load as l
set state = case when f.error_code is null then 'succeeded' else 'failed' end,
    error_code = f.error_code,
    error_message = case f.error_code
        when 'batches_failed'
        then f.batches || ' of ' || l.batches_total || ' batches could not be loaded: ' || f.error_message
             || ' Retry the load to go on where it stands, or undo it.'
        when 'all_rejected'
        then 'Every one of the ' || l.rows_read || ' rows was rejected; nothing was loaded. See the rejects for the reasons.'
        when 'too_many_rejects'
        then l.rows_rejected || ' of ' || l.rows_read || ' rows were rejected, more than the limit lets through; nothing was loaded. '
             || 'See the rejects for the reasons.' end,
    finished_at = clock_timestamp(), needs_cleaning = f.batches = 0, claimed_at = null, enqueued_at = null
from (
    select b.batches, b.error_message,
           case when b.batches > 0 then 'batches_failed'
                when i.rows_read > 0 and i.rows_loaded = 0 then 'all_rejected'
                when i.rows_rejected > i.rows_read * coalesce((i.options ->> 'max_reject_share')::float8, %(reject_limit_share)s::float8)
                then 'too_many_rejects' end as error_code
    from load as i
    cross join lateral (
        select count(*) as batches, (array_agg(error_message order by batch_no))[1] as error_message
        from load_batch
        where load_id = i.load_id and state = 'failed'
    ) as b
    where i.load_id = %(load_id)s::integer
) as f
where l.load_id = %(load_id)s::integer and l.state = 'loading'
returning l.load_id, l.state;

-- name: end_load
-- A load that has not ended → failed or cancelled, with its reason; what it loaded is then removed. No row when it has ended.
update load
set state = %(state)s::text, error_code = %(error_code)s::text, error_message = %(error_message)s::text,
    duplicate_of = %(duplicate_of)s::integer, finished_at = clock_timestamp(), needs_cleaning = true,
    claimed_at = null, enqueued_at = null
where load_id = %(load_id)s::integer and state in ('queued', 'planning', 'loading')
returning load_id, state;

-- name: set_load_question
-- What a load that failed asks of a person.
update load set question = %(question)s::jsonb where load_id = %(load_id)s::integer;

-- name: undo_load
-- succeeded, or failed with rows → undone; what it loaded is then removed. Its segment is dissolved: the loads of it are uncompacted again, so
-- that questions read trips while they are being removed. No row otherwise.
with undone as (
    update load
    set state = 'undone', finished_at = clock_timestamp(), needs_cleaning = true, claimed_at = null, enqueued_at = null
    where load_id = %(load_id)s::integer
      and (state = 'succeeded' or state = 'failed' and rows_loaded > 0 and not needs_cleaning)
    returning load_id, state, segment_id
), dissolved as (
    delete from segment where segment_id in (select segment_id from undone)
)
select load_id, state from undone;

-- name: resume_load
-- failed → loading: the batches that are done stay. No row otherwise. Violates load_by_content when another load has the same bytes.
update load
set state = 'loading', error_code = null, error_message = null, question = null, finished_at = null, enqueued_at = clock_timestamp(), claimed_at = null
where load_id = %(load_id)s::integer and state = 'failed'
returning load_id, state;

-- name: restart_load
-- failed, cancelled or undone → queued, from the beginning, with other options where some are given; no row otherwise.
update load
set state = 'queued', options = coalesce(%(options)s::jsonb, options), question = null, plan = null, content_hash = null, duplicate_of = null, rows_read = 0, rows_loaded = 0, rows_rejected = 0, rows_in_blocks = 0,
    bytes_read = 0, batches_total = null, batches_done = 0, error_code = null, error_message = null,
    started_at = null, finished_at = null, compacted_at = null, attempts = 0, failures = 0, failing_since = null,
    enqueued_at = clock_timestamp(), claimed_at = null,
    lease_token = null
where load_id = %(load_id)s::integer and state in ('failed', 'cancelled', 'undone') and not needs_cleaning and object_state = 'kept'
returning load_id, state;

-- name: claim_cleaning
-- Leases a load that ended and is not clean yet; no row when there is nothing to clean or somebody is at it.
with free as (
    select load_id
    from load
    where load_id = %(load_id)s::integer and needs_cleaning
      and (claimed_at is null or claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
    for update skip locked
)
update load as l set claimed_at = clock_timestamp(), enqueued_at = null
from free as f
where l.load_id = f.load_id
returning l.*;

-- name: lock_cleaning
-- One cleaner of a load at a time, until its transaction ends; the load's own row stays free.
select pg_advisory_xact_lock(hashtext('tripdeck.clean'), %(load_id)s::integer);

-- name: subtract_removed
-- Trips that were removed, taken off a load's counter; keeps the lease.
update load set rows_loaded = rows_loaded - %(rows)s::bigint, claimed_at = clock_timestamp()
where load_id = %(load_id)s::integer;

-- name: finish_cleaning
-- A load is clean; no row when its state has changed meanwhile.
update load set needs_cleaning = false, claimed_at = null
where load_id = %(load_id)s::integer and state = %(state)s::text and needs_cleaning
returning load_id;

-- name: claim_expired_objects
-- Files of loads that were cancelled (as duplicates, too) or undone more than retention_s ago; from now on such a load can't be retried.
update load as l set object_state = 'dropping'
from (
    select load_id from load
    where state in ('cancelled', 'undone') and object_state <> 'gone' and not needs_cleaning
      and finished_at < clock_timestamp() - %(retention_s)s::float8 * interval '1 second'
    order by finished_at
    limit %(limit)s::integer
    for update skip locked
) as f
where l.load_id = f.load_id
returning l.load_id, l.object_key;

-- name: finish_object
-- A load's file is no longer in the store.
update load set object_state = 'gone' where load_id = %(load_id)s::integer and object_state = 'dropping';

-- name: list_idle_loads
-- Marks loads as enqueued that wait for a planner, for batches to go on, for their end or for cleaning, with nobody at it and no message
-- sent within patience_s; returns them. work: plan, batch or clean.
with idle as (
    select load_id,
           case when state in ('queued', 'planning') or state = 'loading' and batches_total is null and not is_held then 'plan'
                when state = 'loading' then 'batch' else 'clean' end as work
    from load
    cross join lateral (select coalesce(claimed_at > clock_timestamp() - %(lease_s)s::float8 * interval '1 second', false) as is_held) as h
    where (state in ('queued', 'planning', 'loading') or needs_cleaning)
      and (state in ('queued', 'loading') or not is_held)
      and (state = 'loading'
           or enqueued_at is null or enqueued_at < clock_timestamp() - %(patience_s)s::float8 * interval '1 second')
    order by load_id
    for update of load skip locked
)
update load as l set enqueued_at = clock_timestamp()
from idle as i
where l.load_id = i.load_id
returning l.load_id, i.work;

-- name: count_rejects_by_reason
-- Rejects of a load per reason, all of them: as batches counted them, or in load_reject where a batch is older than that.
select reason, sum(rows)::bigint as rows
from (
    select r.key as reason, r.value::bigint as rows
    from load_batch as b
    cross join jsonb_each_text(b.reasons) as r
    where b.load_id = %(load_id)s::integer
    union all
    select r.reason, count(*)
    from load_reject as r
    join load_batch as b using (load_id, batch_no)
    where r.load_id = %(load_id)s::integer and b.reasons is null
    group by r.reason
) as f
group by reason
order by rows desc, reason;

-- name: has_unlisted_rejects
-- Whether a load has more rejects, for a reason or in all, than load_reject keeps.
select coalesce((
    select sum(coalesce(r.value::bigint, 0)) > (
        select count(*)
        from load_reject as k
        join load_batch as b using (load_id, batch_no)
        where k.load_id = %(load_id)s::integer and b.reasons is not null
          and (%(reason)s::text is null or k.reason = %(reason)s::text)
    )
    from load_batch as b
    cross join jsonb_each_text(b.reasons) as r
    where b.load_id = %(load_id)s::integer and (%(reason)s::text is null or r.key = %(reason)s::text)
), false);

-- name: count_warnings
-- Odd trips of a load per kind.
select w.key as warning, sum(w.value::bigint)::bigint as rows
from load_batch as b
cross join jsonb_each_text(b.warnings) as w
where b.load_id = %(load_id)s::integer
group by w.key
order by rows desc, warning;

-- name: list_reject_batches
-- Batches of a load with rejects that lie after a record number, at least in part, and whether they are all in the object store.
select b.batch_no, b.has_reject_file
from load_batch as b
where b.load_id = %(load_id)s::integer
  and (b.rows_read is null or b.records_before + b.rows_read > %(after)s::bigint)
  and (b.has_reject_file
       or exists (select from load_reject as r where r.load_id = b.load_id and r.batch_no = b.batch_no))
order by b.batch_no;

-- name: list_batch_rejects
-- Rejects of a batch that the database has.
select b.lines_before + r.line_in_batch as line, b.records_before + r.record_in_batch as record,
       r.column_name as "column", r.reason, r.value, r.raw
from load_reject as r
join load_batch as b using (load_id, batch_no)
where r.load_id = %(load_id)s::integer and r.batch_no = %(batch_no)s::integer
order by r.record_in_batch;

-- name: drop_reject_files
-- A load's rejects are no longer in the object store.
update load_batch set has_reject_file = false where load_id = %(load_id)s::integer and has_reject_file;

-- name: list_rejects
-- Rejects of a load in file order after a record number. The record's batch gives the place in the primary key, so that every page
-- costs the same (2 ms instead of 380 ms in the middle of 1,000,000).
with place as (
    select batch_no, %(after)s::bigint - records_before as record_in_batch
    from load_batch
    where load_id = %(load_id)s::integer and records_before <= %(after)s::bigint
    order by batch_no desc
    limit 1
)
select b.lines_before + r.line_in_batch as line, b.records_before + r.record_in_batch as record,
       r.column_name as "column", r.reason, r.value, r.raw
from load_reject as r
join load_batch as b using (load_id, batch_no)
where r.load_id = %(load_id)s::integer
  and (r.batch_no, r.record_in_batch) > ((select batch_no from place), (select record_in_batch from place))
  and (%(reason)s::text is null or r.reason = %(reason)s::text)
order by r.batch_no, r.record_in_batch
limit %(limit)s::integer;

-- name: fetch_load_scope
-- Names of the regions and datasources that a load brought trips of; nulls when it brought none.
select array_agg(distinct r.name) as regions, array_agg(distinct d.name) as datasources
from rollup_week as w
join region as r using (region_id)
join datasource as d using (datasource_id)
where w.load_id = %(load_id)s::integer;
