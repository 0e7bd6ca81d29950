-- name: insert_batch
-- One ledger row.
insert into load_batch (load_id, batch_no, slice, bytes, lines_before, records_before)
values (%(load_id)s::integer, %(batch_no)s::integer, %(slice)s::jsonb, %(bytes)s::bigint,
        %(lines_before)s::bigint, %(records_before)s::bigint);

-- name: claim_batch
-- Counts an attempt and leases the batch, in a transaction of its own so that kills count; no row when it is not pending.
update load_batch as b
set attempts = attempts + 1, claimed_at = clock_timestamp()
from load as l
where b.load_id = %(load_id)s::integer and b.batch_no = %(batch_no)s::integer and b.state = 'pending'
  and l.load_id = b.load_id and l.state = 'loading'
returning b.slice, b.bytes, b.attempts, l.plan, l.object_key, l.object_etag, l.options;

-- name: lock_batch
-- The batch's state, locked until the transaction ends: a concurrent duplicate waits here, then skips.
select b.state, l.state as load_state
from load_batch as b
join load as l using (load_id)
where b.load_id = %(load_id)s::integer and b.batch_no = %(batch_no)s::integer
for update of b;

-- name: finish_batch
-- pending → done with its counts.
update load_batch
set state = 'done', finished_at = clock_timestamp(), rows_read = %(rows_read)s::bigint,
    rows_loaded = %(rows_loaded)s::bigint, rows_rejected = %(rows_rejected)s::bigint
where load_id = %(load_id)s::integer and batch_no = %(batch_no)s::integer and state = 'pending'
returning batch_no;

-- name: fail_batch
-- pending → failed with its reason.
update load_batch set state = 'failed', finished_at = clock_timestamp(), error_message = %(error_message)s::text
where load_id = %(load_id)s::integer and batch_no = %(batch_no)s::integer and state = 'pending'
returning batch_no;

-- name: release_batch
-- Ends the lease, so that the batch may be run again at once.
update load_batch set claimed_at = null
where load_id = %(load_id)s::integer and batch_no = %(batch_no)s::integer and state = 'pending';

-- name: cancel_batches
-- Every batch of a load that has not run → cancelled.
update load_batch set state = 'cancelled', finished_at = clock_timestamp()
where load_id = %(load_id)s::integer and state = 'pending';

-- name: list_batches
-- The ledger of a load.
select * from load_batch where load_id = %(load_id)s::integer order by batch_no;

-- name: list_stale_batches
-- Pending batches of running loads without a fresh lease: the reconciler enqueues them again.
select b.load_id, b.batch_no, b.attempts
from load_batch as b
join load as l using (load_id)
where b.state = 'pending' and l.state = 'loading'
  and (b.claimed_at is null or b.claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
order by b.load_id, b.batch_no
limit %(limit)s::integer;

-- name: delete_batches
-- The ledger of a load.
delete from load_batch where load_id = %(load_id)s::integer;

-- name: delete_rejects
-- The rejects of a load.
delete from load_reject where load_id = %(load_id)s::integer;
