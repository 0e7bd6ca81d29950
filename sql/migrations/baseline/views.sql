-- Views of loads and blocks for queries, and what analysts read. The same on every server.

-- Loads in no run. Those without blocks have to be read trip by trip, and so have those whose trips are being removed.
create view loose_load as
select load_id, rows_in_blocks = rows_loaded and (state = 'succeeded' or not needs_cleaning) as has_blocks
from load
where rows_loaded > 0 and run_id is null;

-- Whether these are the loads in no run, and these the ones of them without blocks; both in order.
create function are_loose(load_ids integer[], bare_load_ids integer[]) returns boolean
    language sql stable parallel safe
as $$
    select array(select load_id from loose_load order by load_id) = load_ids
           and array(select load_id from loose_load where not has_blocks order by load_id) = bare_load_ids
$$;

-- All blocks: those of the runs that stand, and those of batches, which count while their load is in no run. has_cells: whether the run keeps
-- the cell that the block lies in; has_cell_hours: and its hours.
-- The runs as an array: asked once. As a subquery they were joined, and points were read once for each run.
create view block as
select null::integer as load_id, run_id, region_id, is_origin, true as has_cells, has_cell_hours, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, runs, bits, block_id
from run_point
where run_id = any(array(select run_id from run))
union all
select load_id, null, region_id, is_origin, false, false, trips, x_at, y_at, times_at, base_on,
       base, x_low, x_high, y_low, y_high, other_x_low, other_x_high, other_y_low, other_y_high, datasource_ids, week_trips, runs, bits, block_id
from batch_point;

-- What analysts read: names and degrees.
create view trips as
select t.started_at,
       r.name as region,
       d.name as datasource,
       position_longitude(t.origin) as origin_longitude,
       position_latitude(t.origin) as origin_latitude,
       position_longitude(t.destination) as destination_longitude,
       position_latitude(t.destination) as destination_latitude,
       t.duration_s,
       t.load_id
from trip as t
join region as r using (region_id)
join datasource as d using (datasource_id);

create view weekly_trips as
select w.week, r.name as region, d.name as datasource, sum(w.trips)::bigint as trips,
       min(w.first_at) as first_at, max(w.last_at) as last_at
from rollup_week as w
join region as r using (region_id)
join datasource as d using (datasource_id)
group by w.week, r.name, d.name;

-- Rejects with physical line and record number in the whole file, both from 1 (a header is a line, not a record).
create view rejects as
select r.load_id,
       b.lines_before + r.line_in_batch as line,
       b.records_before + r.record_in_batch as record,
       r.column_name, r.reason, r.value, r.raw, r.batch_no
from load_reject as r
join load_batch as b using (load_id, batch_no);

create view load_history as
select load_id, state, file_name, rows_read, rows_loaded, rows_rejected, bytes_total, requested_at, started_at, finished_at,
       error_code, error_message
from load;
