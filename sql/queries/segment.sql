-- Segments: finished loads compacted together. One compaction at a time; segment_id is the segment being made, load_ids are its loads.

-- name: lock_compaction
-- Whether this transaction may compact: one at a time.
select pg_try_advisory_xact_lock(hashtext('tripdeck.compact')) as is_ours;

-- name: begin_compaction
-- Lets this transaction take the time it needs, pauses included, and end soon when its client is gone.
select set_config('statement_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', '0', true),
       set_config('client_connection_check_interval', '1s', true);

-- name: has_running_loads
-- Whether loads are being planned or loaded.
select exists (select from load where state in ('planning', 'loading')) as is_busy;

-- name: list_merge_candidates
-- Loads that may be compacted: uncompacted ones (segment_id null) and those of each segment, with the segment's trips.
select l.segment_id, coalesce(s.trips, sum(l.rows_loaded)::bigint) as trips, array_agg(l.load_id order by l.load_id) as load_ids
from load as l
left join segment as s using (segment_id)
where l.state = 'succeeded' and l.rows_loaded > 0
group by l.segment_id, s.trips
order by l.segment_id is not null, trips;

-- name: insert_segment
-- A new segment; returns its id.
insert into segment (trips) values (%(trips)s::bigint) returning segment_id;

-- name: sample_trips
-- Some of the loads' trips at random, about samples of them.
select origin, destination, started_at
from trip
where load_id = any(%(load_ids)s::integer[])
  and random() < %(samples)s::float8 / (select sum(rows_loaded) from load where load_id = any(%(load_ids)s::integer[]));

-- name: copy_unindexed_trips
-- Trips of a part of unindexed loads: from one origin, destination and time (null: the first) to before another (null: after the last).
copy (
    select origin, destination, started_at, region_id, datasource_id, duration_code(duration_s)
    from trip
    where load_id = any(%(load_ids)s::integer[])
      and (%(from_origin)s::bigint is null
           or (origin >= %(from_origin)s::bigint
               and (origin, destination, started_at) >= (%(from_origin)s::bigint, %(from_destination)s::bigint, %(from_at)s::timestamp)))
      and (%(to_origin)s::bigint is null
           or (origin <= %(to_origin)s::bigint
               and (origin, destination, started_at) < (%(to_origin)s::bigint, %(to_destination)s::bigint, %(to_at)s::timestamp)))
) to stdout (format binary);

-- name: list_unindexed_loads
-- Those of some loads that have no blocks.
select load_id from uncompacted_load where load_id = any(%(load_ids)s::integer[]) and not has_blocks;

-- name: count_unindexed_trips
-- Trips of some loads.
select coalesce(sum(rows_loaded), 0)::bigint as trips from load where load_id = any(%(unindexed_loads)s::integer[]);

-- name: list_block_bits
-- Pieces of blocks' bits, each with its number among those asked for: so many words, or as many as there are, from one on. A block that is
-- gone has no row. One after the other, so that the first come at once: joined, the blocks of all segments would be read and sorted before.
select w.number, substring(p.bits from 8 * w.first_word + 1 for 8 * w.words) as bits
from unnest(%(block_ids)s::bigint[], %(first_words)s::integer[], %(words)s::integer[]) with ordinality as w (block_id, first_word, words, number)
cross join lateral (
    select s.bits from segment_block as s where s.block_id = w.block_id
    union all
    select b.bits from batch_block as b where b.block_id = w.block_id
    limit 1
) as p;

-- name: list_load_blocks
-- The blocks of some loads, of their batches and of their segments, in order of their first position: the columns that sorted ends are read
-- from (shared/compaction/sorted_ends.py), and the datasources.
select p.trips, p.region_id, p.base, (p.base_on - date '0001-01-01') / 7 as base_week, cardinality(p.datasource_ids) as datasources,
       coalesce(p.other_x_low, 0), coalesce(p.other_y_low, 0), p.x_at, p.y_at - p.x_at, p.times_at - p.y_at,
       p.durations_at - p.times_at, p.minutes_at - p.durations_at, p.week_index, p.bits, p.datasource_ids
from block as p
where p.is_origin = %(is_origin)s::boolean
  and (p.load_id in (select load_id from load where load_id = any(%(load_ids)s::integer[]) and segment_id is null)
       or p.segment_id in (select segment_id from load where load_id = any(%(load_ids)s::integer[])))
order by p.base;

-- name: copy_segment_day
copy segment_day (segment_id, day, region_id, datasource_id, hours, trips) from stdin (format binary);

-- name: copy_segment_block
copy segment_block (segment_id, region_id, is_origin, trips, x_at, y_at, times_at, durations_at, minutes_at, base_on, base, x_low, x_high, y_low, y_high, other_x_low, other_x_high,
                other_y_low, other_y_high, datasource_ids, week_trips, week_index, bits, has_cell_hours)
from stdin (format binary);

-- name: copy_segment_cell
copy segment_cell (segment_id, region_id, is_origin, corner, weeks, datasource_ids, trips, sum_weeks, sum_trips, fine_cells, fine_trips, hours)
from stdin (format binary);

-- name: copy_segment_flow
copy segment_flow (segment_id, region_id, datasource_id, slot, origin_cell, flows, first_cell, last_cell, destination_cells, trips)
from stdin (format binary);

-- name: delete_segment_slots
-- The flows per hour that were written before there were too many of them.
delete from segment_flow where segment_id = %(segment_id)s::integer and slot is not null;

-- name: finish_compaction
-- Gives the loads their segment, which has their blocks now; returns those that are still there. Fewer than asked: one was undone meanwhile, and the
-- segment must not commit.
update load set segment_id = %(segment_id)s::integer, rows_in_blocks = 0, compacted_at = coalesce(compacted_at, clock_timestamp())
where load_id = any(%(load_ids)s::integer[]) and state = 'succeeded'
returning load_id;

-- name: mark_segment_hours
update segment set has_hours = true where segment_id = %(segment_id)s::integer;

-- name: delete_empty_segments
-- Segments without loads: they were merged into others.
delete from segment as s where not exists (select from load as l where l.segment_id = s.segment_id);

-- name: delete_segment_days
-- Rows of segments that are gone; so do the next three.
delete from segment_day as d where not exists (select from segment as s where s.segment_id = d.segment_id);

-- name: delete_segment_cells
delete from segment_cell as c where not exists (select from segment as s where s.segment_id = c.segment_id);

-- name: delete_segment_blocks
delete from segment_block as p where not exists (select from segment as s where s.segment_id = p.segment_id);

-- name: delete_segment_flows
delete from segment_flow as f where not exists (select from segment as s where s.segment_id = f.segment_id);

-- name: summarize_ranges
-- Brings the BRIN index of trips up to date: ranges of pages that it doesn't know yet are read by every question that reads trips.
select summarize_trips();

-- name: lock_batch_blocks
-- Keeps batches and questions from the table of their blocks, or fails at once when one is there.
lock table batch_block in access exclusive mode nowait;

-- name: find_batch_blocks
-- Whether there are blocks of batches of uncompacted loads, and of compacted ones, which nobody reads.
select coalesce(bool_or(l.segment_id is null), false) as has_uncompacted, coalesce(bool_or(l.segment_id is not null), false) as has_compacted
from (select distinct load_id from batch_block) as b
left join load as l using (load_id);

-- name: delete_compacted_batch_blocks
-- The blocks of batches of compacted loads.
delete from batch_block as b using load as l where l.load_id = b.load_id and l.segment_id is not null;

-- name: truncate_batch_blocks
truncate batch_block;

-- name: vacuum_batch_blocks
-- Gives the space of deleted blocks to the next batches; outside a transaction.
vacuum batch_block;

-- name: analyze_trips
-- Tells the planner what there is, now and not when autovacuum gets to it.
analyze trip, segment_day, segment_cell, segment_block, segment_flow, batch_block;
