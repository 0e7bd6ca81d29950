-- name: request_publication
-- Queues the publication of a load; one that failed or was withdrawn begins anew. No row when it is under way, published, or being withdrawn.
-- The caller holds the load's row and has seen that it succeeded.
insert into publication (load_id) values (%(load_id)s::integer)
on conflict (load_id) do update
set state = 'queued', manifest = null, rows_written = 0, error_code = null, error_message = null, requested_at = clock_timestamp(),
    finished_at = null, attempts = 0, failures = 0, enqueued_at = clock_timestamp(), claimed_at = null, lease_token = null,
    failing_since = null, failed_at = null
where publication.state in ('failed', 'withdrawn')
returning load_id;

-- name: fetch_publication
-- One load's publication, whole.
select * from publication where load_id = %(load_id)s::integer;

-- name: withdraw_publication
-- The load is being undone: whatever stands of its publication is to be removed. Who publishes loses the lease.
update publication
set state = 'withdrawing', finished_at = null, attempts = 0, failures = 0, enqueued_at = clock_timestamp(), claimed_at = null,
    lease_token = null, failing_since = null
where load_id = %(load_id)s::integer
returning load_id;

-- name: claim_publication
-- Counts a start and takes the lease of a publication that is to be written or removed; no row when there is nothing to do or somebody is at it.
update publication
set state = case state when 'queued' then 'publishing' else state end, attempts = attempts + 1, rows_written = 0,
    claimed_at = clock_timestamp(), lease_token = gen_random_uuid(), enqueued_at = null,
    failing_since = case when failed_at > clock_timestamp() - interval '10 minutes' then failing_since end
where load_id = %(load_id)s::integer and state in ('queued', 'publishing', 'withdrawing')
  and (claimed_at is null or claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
returning *;

-- name: renew_publication
-- Keeps the lease; no row when the load was undone or another worker has it.
update publication set claimed_at = clock_timestamp()
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid and claimed_at is not null
returning load_id;

-- name: show_publication
-- Shows how many rows are written, and keeps the lease; no row when the load was undone or another worker has it.
update publication set claimed_at = clock_timestamp(), rows_written = %(rows)s::bigint
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid and claimed_at is not null
returning load_id;

-- name: release_publication
-- Ends the lease after a failure, so that it may be tried again; as release_batch.
update publication
set claimed_at = null, enqueued_at = clock_timestamp(),
    attempts = attempts - 1, failures = failures + case when %(is_failure)s::boolean then 1 else 0 end,
    failing_since = case when %(is_outage)s::boolean then coalesce(failing_since, clock_timestamp()) else failing_since end,
    failed_at = case when %(is_outage)s::boolean then clock_timestamp() else failed_at end
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid
returning extract(epoch from failed_at - failing_since)::float8 as failing_s;

-- name: finish_publication
-- publishing → published, with its manifest. The caller holds the load's row; no row when the load was undone or another worker has the lease.
update publication
set state = 'published', manifest = %(manifest)s::jsonb, rows_written = %(rows)s::bigint, finished_at = clock_timestamp(),
    claimed_at = null, lease_token = null, failing_since = null
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid and state = 'publishing'
returning load_id;

-- name: fail_publication
-- publishing → failed with its reason; no row when the load was undone or another worker has the lease.
update publication
set state = 'failed', error_code = %(error_code)s::text, error_message = %(error_message)s::text, finished_at = clock_timestamp(),
    claimed_at = null, lease_token = null
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid and state = 'publishing'
returning load_id;

-- name: finish_withdrawal
-- withdrawing → withdrawn; no row when another worker has the lease.
update publication
set state = 'withdrawn', manifest = null, rows_written = 0, finished_at = clock_timestamp(), claimed_at = null, lease_token = null,
    failing_since = null
where load_id = %(load_id)s::integer and lease_token = %(lease_token)s::uuid and state = 'withdrawing'
returning load_id;

-- name: repeat_withdrawal
-- withdrawn → withdrawing: a worker that had lost its lease wrote an object afterwards.
update publication
set state = 'withdrawing', finished_at = null, attempts = 0, enqueued_at = clock_timestamp()
where load_id = %(load_id)s::integer and state = 'withdrawn'
returning load_id;

-- name: list_idle_publications
-- Marks publications as enqueued that wait for a worker, with nobody at it and no message sent within patience_s; returns their loads.
with idle as (
    select load_id
    from publication
    where state in ('queued', 'publishing', 'withdrawing')
      and (claimed_at is null or claimed_at < clock_timestamp() - %(lease_s)s::float8 * interval '1 second')
      and (enqueued_at is null or enqueued_at < clock_timestamp() - %(patience_s)s::float8 * interval '1 second')
    order by load_id
    for update skip locked
)
update publication as p set enqueued_at = clock_timestamp()
from idle as i
where p.load_id = i.load_id
returning p.load_id;

-- name: begin_publishing
-- Lets a transaction read as long as it takes, sort in memory as far as that goes (hashed groups would need memory for all of a load), and end
-- soon when its client is gone.
select set_config('statement_timeout', '0', true),
       set_config('work_mem', '64MB', true),
       set_config('enable_hashagg', 'off', true),
       set_config('client_connection_check_interval', '1s', true);

-- name: fetch_load_span
-- A load's trips, those of its largest week, and when the first and the last one began; nulls for a load without trips.
select sum(trips)::bigint as trips, max(trips)::bigint as trips_of_a_week, min(first_at) as first_at, max(last_at) as last_at
from (
    select week, sum(trips) as trips, min(first_at) as first_at, max(last_at) as last_at
    from rollup_week
    where load_id = %(load_id)s::integer
    group by week
) as w;

-- name: measure_bins
-- Trips of the largest bin of start times of a load.
select coalesce(max(trips), 0) as trips
from (
    select count(*) as trips
    from trip
    where load_id = %(load_id)s::integer
    group by date_bin(%(bin_s)s::float8 * interval '1 second', started_at, timestamp '2000-01-01')
) as b;

-- name: copy_published_bins
-- A load's trips as arrays of each bin of start times, bins in order; their trips are in any order, the same in each of the four. other: duration
-- (-1 for null), region and datasource, 32, 16 and 16 bits. Sorted by bin alone, for the caller sorts a bin in a tenth of the time.
copy (
    select array_agg(started_at), array_agg(origin), array_agg(destination),
           array_agg((coalesce(duration_s, -1)::bigint << 32) | (region_id::bigint << 16) | datasource_id)
    from trip
    where load_id = %(load_id)s::integer
    group by date_bin(%(bin_s)s::float8 * interval '1 second', started_at, timestamp '2000-01-01')
    order by date_bin(%(bin_s)s::float8 * interval '1 second', started_at, timestamp '2000-01-01')
) to stdout (format binary);

-- name: copy_published_trips
-- The same as rows by start time; the other columns settle the order of equal times, so that files are the same each time.
copy (
    select started_at, origin, destination,
           (coalesce(duration_s, -1)::bigint << 32) | (region_id::bigint << 16) | datasource_id as other
    from trip
    where load_id = %(load_id)s::integer
    order by started_at, origin, destination, other
) to stdout (format binary);

-- name: list_names
-- Names of all regions and datasources. kind: region or datasource.
select 'region' as kind, region_id::integer as id, name from region
union all
select 'datasource', datasource_id, name from datasource;
