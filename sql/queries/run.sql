-- Runs: finished loads packed together. One packer at a time; run_id is the run being made, load_ids are its loads.

-- name: lock_packing
-- Whether this transaction may pack: one at a time.
select pg_try_advisory_xact_lock(hashtext('tripdeck.pack')) as is_ours;

-- name: begin_packing
-- Lets this transaction take the time it needs, pauses included, and end soon when its client is gone.
select set_config('statement_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', '0', true),
       set_config('client_connection_check_interval', '1s', true);

-- name: has_running_loads
-- Whether loads are being planned or loaded.
select exists (select from load where state in ('planning', 'loading')) as is_busy;

-- name: list_packable
-- Loads that may be packed: loose ones (run_id null) and those of each run, with the run's trips.
select l.run_id, coalesce(r.trips, sum(l.rows_loaded)::bigint) as trips, array_agg(l.load_id order by l.load_id) as load_ids
from load as l
left join run as r using (run_id)
where l.state = 'succeeded' and l.rows_loaded > 0
group by l.run_id, r.trips
order by l.run_id is not null, trips;

-- name: insert_run
-- A new run; returns its id.
insert into run (trips) values (%(trips)s::bigint) returning run_id;

-- name: sample_trips
-- Some of the loads' trips at random, about samples of them.
select origin, destination, started_at
from trip
where load_id = any(%(load_ids)s::integer[])
  and random() < %(samples)s::float8 / (select sum(rows_loaded) from load where load_id = any(%(load_ids)s::integer[]));

-- name: copy_bare_trips
-- Trips of a part of bare loads: from one origin, destination and time (null: the first) to before another (null: after the last).
copy (
    select origin, destination, started_at, region_id, datasource_id
    from trip
    where load_id = any(%(load_ids)s::integer[])
      and (%(from_origin)s::bigint is null
           or (origin >= %(from_origin)s::bigint
               and (origin, destination, started_at) >= (%(from_origin)s::bigint, %(from_destination)s::bigint, %(from_at)s::timestamp)))
      and (%(to_origin)s::bigint is null
           or (origin <= %(to_origin)s::bigint
               and (origin, destination, started_at) < (%(to_origin)s::bigint, %(to_destination)s::bigint, %(to_at)s::timestamp)))
) to stdout (format binary);

-- name: list_bare_loads
-- Those of some loads that have no blocks.
select load_id from loose_load where load_id = any(%(load_ids)s::integer[]) and not has_blocks;

-- name: list_block_bits
-- Pieces of blocks' bits, each with its number among those asked for: so many words, or as many as there are, from one on. A block that is
-- gone has no row. One after the other, so that the first come at once: joined, the blocks of all runs would be read and sorted before.
select w.number, substring(p.bits from 8 * w.first_word + 1 for 8 * w.words) as bits
from unnest(%(block_ids)s::bigint[], %(first_words)s::integer[], %(words)s::integer[]) with ordinality as w (block_id, first_word, words, number)
cross join lateral (
    select r.bits from run_point as r where r.block_id = w.block_id
    union all
    select b.bits from batch_point as b where b.block_id = w.block_id
    limit 1
) as p;

-- name: list_packed_blocks
-- The blocks of some loads, of their batches and of their runs, in order of their first position: the columns that shared.ends takes, and
-- the datasources.
select p.trips, p.region_id, p.base, (p.base_on - date '0001-01-01') / 7 as base_week, cardinality(p.datasource_ids) as datasources,
       -1 as wanted, 0 as end_test, 0 as other_test, coalesce(p.other_x_low, 0), coalesce(p.other_y_low, 0), p.x_at,
       p.y_at - p.x_at, p.times_at - p.y_at, p.runs, p.bits, p.datasource_ids
from block as p
where p.is_origin = %(is_origin)s::boolean
  and (p.load_id in (select load_id from load where load_id = any(%(load_ids)s::integer[]) and run_id is null)
       or p.run_id in (select run_id from load where load_id = any(%(load_ids)s::integer[])))
order by p.base;

-- name: copy_run_day
copy run_day (run_id, day, region_id, datasource_id, hours, trips) from stdin (format binary);

-- name: copy_run_point
copy run_point (run_id, region_id, is_origin, trips, x_at, y_at, times_at, base_on, base, x_low, x_high, y_low, y_high, other_x_low, other_x_high,
                other_y_low, other_y_high, datasource_ids, week_trips, runs, bits, has_cell_hours)
from stdin (format binary);

-- name: copy_run_cell
copy run_cell (run_id, region_id, is_origin, corner, weeks, datasource_ids, trips, sum_weeks, sum_trips, fine_cells, fine_trips, hours)
from stdin (format binary);

-- name: copy_run_flow
copy run_flow (run_id, region_id, datasource_id, slot, origin_cell, flows, first_cell, last_cell, destination_cells, trips)
from stdin (format binary);

-- name: delete_run_slots
-- The flows per hour that were written before there were too many of them.
delete from run_flow where run_id = %(run_id)s::integer and slot is not null;

-- name: finish_packing
-- Gives the loads their run, which has their blocks now; returns those that still stand. Fewer than asked: one was undone meanwhile, and the run must not commit.
update load set run_id = %(run_id)s::integer, rows_in_blocks = 0
where load_id = any(%(load_ids)s::integer[]) and state = 'succeeded'
returning load_id;

-- name: mark_run_hours
update run set has_hours = true where run_id = %(run_id)s::integer;

-- name: delete_empty_runs
-- Runs without loads, for they were merged into others.
delete from run as r where not exists (select from load as l where l.run_id = r.run_id);

-- name: delete_run_days
-- Rows of runs that are gone; so do the next three.
delete from run_day as d where not exists (select from run as r where r.run_id = d.run_id);

-- name: delete_run_cells
delete from run_cell as c where not exists (select from run as r where r.run_id = c.run_id);

-- name: delete_run_points
delete from run_point as p where not exists (select from run as r where r.run_id = p.run_id);

-- name: delete_run_flows
delete from run_flow as f where not exists (select from run as r where r.run_id = f.run_id);

-- name: summarize_ranges
-- Brings the BRIN indexes up to date: ranges of pages that they don't know yet are read by every question.
select relname, case relname when 'trip' then summarize_trips() else brin_summarize_new_values(oid) end as ranges
from pg_class
where oid in ('trip'::regclass, 'run_point_brin'::regclass);

-- name: lock_batch_points
-- Keeps batches and questions from the table of their blocks, or fails at once when one is there.
lock table batch_point in access exclusive mode nowait;

-- name: find_batch_points
-- Whether there are blocks of batches of loads that are in no run, and such as are in one, which nobody reads.
select coalesce(bool_or(l.run_id is null), false) as has_loose, coalesce(bool_or(l.run_id is not null), false) as has_packed
from (select distinct load_id from batch_point) as b
left join load as l using (load_id);

-- name: delete_packed_batch_points
-- The blocks of batches of loads that are in a run.
delete from batch_point as b using load as l where l.load_id = b.load_id and l.run_id is not null;

-- name: truncate_batch_points
truncate batch_point;

-- name: vacuum_batch_points
-- Gives the room of blocks that are in a run now to the next batches; outside a transaction.
vacuum batch_point;

-- name: analyze_trips
-- Tells the planner what there is, now and not when autovacuum gets to it.
analyze trip, run_day, run_cell, run_point, run_flow, batch_point;
