-- The ledger. A batch is pending until it is done, failed or cancelled; enqueued_at and claimed_at say whose turn it is.

-- name: insert_batches
-- The ledger of a load, from one JSON array of objects.
insert into load_batch (load_id, batch_no, slice, bytes, lines_before, records_before)
select %(load_id)s::integer, b.batch_no, b.slice, b.bytes, b.lines_before, b.records_before
from jsonb_to_recordset(%(batches)s::jsonb)
    as b (batch_no integer, slice jsonb, bytes bigint, lines_before bigint, records_before bigint);

-- name: mark_enqueued
-- Marks batches as enqueued, so many that window of the load are under way; returns them. Under way: a runner holds the lease, or a
-- message was sent less than patience_s ago. Rows that a running batch has locked are left alone.
with pending as (
    select batch_no,
           coalesce(claimed_at > clock_timestamp() - %(lease_s)s::float8 * interval '1 second', false)
           or coalesce(enqueued_at > clock_timestamp() - %(patience_s)s::float8 * interval '1 second', false) as is_under_way
    from load_batch
    where load_id = %(load_id)s::integer and state = 'pending'
), picked as (
    select b.batch_no
    from load_batch as b
    join pending as p using (batch_no)
    where b.load_id = %(load_id)s::integer and b.state = 'pending' and not p.is_under_way
      and exists (select from load as l where l.load_id = %(load_id)s::integer and l.state = 'loading')
    order by b.batch_no
    limit greatest(0, %(window)s::integer - (select count(*) from pending where is_under_way))
    for update of b skip locked
)
update load_batch as b
set enqueued_at = clock_timestamp(), claimed_at = null
from picked as p
where b.load_id = %(load_id)s::integer and b.batch_no = p.batch_no
returning b.batch_no;

-- name: count_stock
-- Batches of a load that wait for somebody, and those somebody is at.
select count(*) filter (where not is_held)::integer as waiting, count(*) filter (where is_held)::integer as running
from load_batch
cross join lateral (select coalesce(claimed_at > clock_timestamp() - %(lease_s)s::float8 * interval '1 second', false) as is_held) as h
where load_id = %(load_id)s::integer and state = 'pending';

-- name: claim_batch
-- Counts a start and leases the batch, in a transaction of its own so that kills count. No row when it is not pending, when a live
-- runner has it, or when the load is not loading any more. An outage is over when nobody
-- met it for ten minutes: a retry comes after one at the latest.
with free as (
    select b.load_id, b.batch_no, l.plan, l.options, l.object_key, l.object_etag, l.bytes_total
    from load_batch as b
    join load as l using (load_id)
    where b.load_id = %(load_id)s::integer and b.batch_no = %(batch_no)s::integer and b.state = 'pending' and l.state = 'loading'
      and (b.claimed_at is null or b.claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
    for update of b skip locked
)
update load_batch as b
set attempts = attempts + 1, claimed_at = clock_timestamp(), lease_token = gen_random_uuid(), enqueued_at = null,
    failing_since = case when failed_at > clock_timestamp() - interval '10 minutes' then failing_since end
from free as f
where b.load_id = f.load_id and b.batch_no = f.batch_no
returning b.load_id, b.batch_no, b.slice, b.bytes, b.attempts, b.failures, b.lease_token, b.ledger_token,
          f.plan, f.options, f.object_key, f.object_etag, f.bytes_total;

-- name: renew_batch
-- Keeps the lease of a batch that is still ours; not while a runner is in its transaction: nobody can claim it then.
with ours as (
    select load_id, batch_no from load_batch
    where load_id = %(load_id)s::integer and batch_no = %(batch_no)s::integer and state = 'pending'
      and lease_token = %(lease_token)s::uuid and claimed_at is not null
    for update skip locked
)
update load_batch as b set claimed_at = clock_timestamp()
from ours as o
where b.load_id = o.load_id and b.batch_no = o.batch_no
returning b.batch_no;

-- name: release_batch
-- Ends the lease after a failure, so that the batch may be run again when its message comes back; no row when another runner has it. is_failure:
-- it counts as one. is_outage: something is away; how long it has been, without a break, is returned.
update load_batch
set claimed_at = null, enqueued_at = clock_timestamp(),
    attempts = attempts - 1, failures = failures + case when %(is_failure)s::boolean then 1 else 0 end,
    failing_since = case when %(is_outage)s::boolean then coalesce(failing_since, clock_timestamp()) else failing_since end,
    failed_at = case when %(is_outage)s::boolean then clock_timestamp() else failed_at end
where load_id = %(load_id)s::integer and batch_no = %(batch_no)s::integer and state = 'pending'
  and lease_token = %(lease_token)s::uuid
returning extract(epoch from failed_at - failing_since)::float8 as failing_s;

-- name: lock_batch
-- The batch's state, locked until the transaction ends: a concurrent duplicate waits here, then skips. No row when the ledger was written
-- anew. A runner that has lost its lease may still be the first to end: whoever ends first counts.
select state from load_batch
where load_id = %(load_id)s::integer and batch_no = %(batch_no)s::integer and ledger_token = %(ledger_token)s::uuid
for update;

-- name: finish_batch
-- pending → done with its counts, rejects per reason and odd trips per kind.
update load_batch
set state = 'done', reasons = %(reasons)s::jsonb, rejects_kept = %(rejects_kept)s::bigint, warnings = %(warnings)s::jsonb, has_reject_file = %(rows_rejected)s::bigint > 0, finished_at = clock_timestamp(), failing_since = null, rows_read = %(rows_read)s::bigint,
    rows_loaded = %(rows_loaded)s::bigint, rows_rejected = %(rows_rejected)s::bigint
where load_id = %(load_id)s::integer and batch_no = %(batch_no)s::integer and state = 'pending';

-- name: fail_batch
-- pending → failed with its reason; no row when it is not pending or another runner has it.
update load_batch set state = 'failed', finished_at = clock_timestamp(), error_message = %(error_message)s::text
where load_id = %(load_id)s::integer and batch_no = %(batch_no)s::integer and state = 'pending'
  and lease_token = %(lease_token)s::uuid
returning batch_no;

-- name: void_batches
-- Every batch of a load → cancelled: nothing of it stands in the trips, or will.
update load_batch set state = 'cancelled', finished_at = clock_timestamp()
where load_id = %(load_id)s::integer and state <> 'cancelled';

-- name: revive_batches
-- failed → pending, for another try; returns which.
update load_batch
set state = 'pending', attempts = 0, failures = 0, enqueued_at = null, claimed_at = null, lease_token = null, failing_since = null, failed_at = null, finished_at = null, error_message = null
where load_id = %(load_id)s::integer and state = 'failed'
returning batch_no;

-- name: list_batches
-- The ledger of a load.
select * from load_batch where load_id = %(load_id)s::integer order by batch_no;

-- name: copy_reject
-- The loader's COPY target; rows come as text.
copy load_reject (load_id, batch_no, line_in_batch, record_in_batch, column_name, reason, value, raw) from stdin;

-- name: copy_batch_block
copy batch_block (load_id, region_id, is_origin, trips, x_at, y_at, times_at, durations_at, minutes_at, base_on, base, x_low, x_high, y_low, y_high, other_x_low, other_x_high,
                  other_y_low, other_y_high, datasource_ids, week_trips, week_index, bits)
from stdin (format binary);

-- name: delete_batch_blocks
-- The blocks of some loads' batches.
delete from batch_block where load_id = any(%(load_ids)s::integer[]);

-- name: delete_batches
-- The ledger of a load, once its rejects are gone.
delete from load_batch where load_id = %(load_id)s::integer;

-- name: delete_rejects
-- The rejects of a load.
delete from load_reject where load_id = %(load_id)s::integer;
