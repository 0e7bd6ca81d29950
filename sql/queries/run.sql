-- Runs: finished loads packed together. One packer at a time; run_id is the run being made, load_ids are its loads.

-- name: lock_packing
-- Whether this transaction may pack: one at a time.
select pg_try_advisory_xact_lock(hashtext('tripdeck.pack')) as is_ours;

-- name: begin_packing
-- Lets the statements of this transaction take the time and memory they need, and end soon when their client is gone.
select set_config('statement_timeout', '0', true), set_config('work_mem', '128MB', true),
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
-- A new run; returns its id and the finest of its cells, finest_shift or (null) what pays: a level with sixteen times more trips than it
-- can have numbers.
with coarse as (
    select origin >> 28 as cell
    from trip
    where %(finest_shift)s::integer is null and load_id = any(%(load_ids)s::integer[])
    group by 1
), level (shift, cells) as (
    select 28, count(*) from coarse
    union all
    select 30, count(distinct cell >> 2) from coarse
), size (numbers) as (
    select count(distinct (week, datasource_id)) from rollup_week where load_id = any(%(load_ids)s::integer[])
)
insert into run (trips, finest_shift)
select %(trips)s::bigint,
       coalesce(
           %(finest_shift)s::integer,
           (select min(l.shift) from level as l cross join size as s where 16 * l.cells * s.numbers <= %(trips)s::bigint),
           34)
returning run_id, finest_shift;

-- name: pack_days
insert into run_day (run_id, day, region_id, datasource_id, hours, trips)
select %(run_id)s::integer, day, region_id, datasource_id, array_agg(hour order by hour), array_agg(trips order by hour)
from (
    select started_at::date as day, region_id, datasource_id, extract(hour from started_at)::smallint as hour, count(*)::integer as trips
    from trip
    where load_id = any(%(load_ids)s::integer[])
    group by 1, 2, 3, 4
) as counted
group by day, region_id, datasource_id
order by day;

-- name: pack_points
-- One end of every trip (is_origin), in blocks within cells of position >> block_shift. Weeks count from the start of an era of 32,767
-- weeks, the first on Monday 0001-01-01. 992 offsets fill two TOAST chunks to the last byte. One
-- number sorts faster than week, datasource and hour.
insert into run_point (run_id, region_id, is_origin, base, x_low, x_high, y_low, y_high, base_on, offsets, weeks, datasource_ids, hours,
                       sum_weeks, sum_trips)
select %(run_id)s::integer, p.region_id, %(is_origin)s::boolean, p.base, p.x_low, p.x_high, p.y_low, p.y_high, p.base_on,
       p.offsets, p.weeks, p.datasource_ids, p.hours, s.weeks, s.trips
from (
    select region_id, cell, era, block,
           (cell << %(block_shift)s::integer) + (1::bigint << (%(block_shift)s::integer - 1)) as base,
           min(z & 3074457345618258602) as x_low, max(z & 3074457345618258602) as x_high,
           min(z & 1537228672809129301) as y_low, max(z & 1537228672809129301) as y_high,
           date '0001-01-01' + era * 7 * 32767 as base_on,
           array_agg((z - (cell << %(block_shift)s::integer) - (1::bigint << (%(block_shift)s::integer - 1)))::integer
                     order by time_key) as offsets,
           array_agg((week - era * 32767)::smallint order by time_key) as weeks,
           array_agg(datasource_id order by time_key) as datasource_ids,
           array_agg((hour - 84)::"char" order by time_key) as hours
    from (
        select region_id, datasource_id, z, week, hour, z >> %(block_shift)s::integer as cell, week / 32767 as era,
               (week::bigint << 24) | (datasource_id::bigint << 8) | hour as time_key,
               (row_number() over (partition by region_id, z >> %(block_shift)s::integer, week / 32767 order by z) - 1) / 992 as block
        from (
            select region_id, datasource_id, case when %(is_origin)s::boolean then origin else destination end as z,
                   (started_at::date - date '0001-01-01') / 7 as week, hour_of_week(started_at) as hour
            from trip
            where load_id = any(%(load_ids)s::integer[])
        ) as t
    ) as b
    group by region_id, cell, era, block
) as p
cross join lateral (
    select array_agg(week order by week) as weeks, array_agg(trips order by week) as trips
    from (select week, count(*)::smallint as trips from unnest(p.weeks) as w (week) group by week) as counted
) as s
order by p.region_id, p.cell, p.era, p.block;

-- name: pack_cells
-- One level of cells, from the run's points; with_density: the fine cells of origins too.
with weekly as (
    select region_id, is_origin, cell, array_agg(week order by week, datasource_id) as weeks,
           array_agg(datasource_id order by week, datasource_id) as datasource_ids,
           array_agg(trips order by week, datasource_id) as trips
    from (
        select p.region_id, p.is_origin, (p.base + d.place) >> %(shift)s::integer as cell, p.base_on + 7 * d.week as week,
               d.datasource_id, count(*)::integer as trips
        from run_point as p
        cross join unnest(p.offsets, p.weeks, p.datasource_ids) as d (place, week, datasource_id)
        where p.run_id = %(run_id)s::integer
        group by 1, 2, 3, 4, 5
    ) as counted
    group by region_id, is_origin, cell
), fine as (
    select region_id, fine_cell << 24 >> %(shift)s::integer as cell,
           array_agg((fine_cell & 1023)::smallint order by fine_cell) as fine_cells,
           array_agg(trips order by fine_cell) as fine_trips
    from (
        select p.region_id, (p.base + o.place) >> 24 as fine_cell, count(*)::integer as trips
        from run_point as p
        cross join unnest(p.offsets) as o (place)
        where %(with_density)s::boolean and p.run_id = %(run_id)s::integer and p.is_origin
        group by 1, 2
    ) as counted
    group by 1, 2
)
insert into run_cell (run_id, region_id, is_origin, shift, corner, weeks, datasource_ids, trips, fine_cells, fine_trips)
select %(run_id)s::integer, w.region_id, w.is_origin, %(shift)s::integer, w.cell << %(shift)s::integer,
       w.weeks, w.datasource_ids, w.trips, f.fine_cells, f.fine_trips
from weekly as w
left join fine as f on w.is_origin and f.region_id = w.region_id and f.cell = w.cell
order by w.is_origin, w.cell;

-- name: pack_cell_hours
-- Hours of the coarsest cells, from the run's points, where there are at least eight trips to each number, or (is_forced) anyway.
with counted as materialized (
    select p.region_id, p.is_origin, (p.base + d.place) >> 34 as cell, d.hour::integer + 84 as hour,
           p.base_on + 7 * d.week as week, count(*)::integer as trips
    from run_point as p
    cross join unnest(p.offsets, p.weeks, p.hours) as d (place, week, hour)
    where p.run_id = %(run_id)s::integer
    group by 1, 2, 3, 4, 5
), hourly as (
    select region_id, is_origin, cell, hour, min(week) as first_week, max(week) as last_week,
           array_agg(week) as weeks, array_agg(trips) as trips
    from counted
    where %(is_forced)s::boolean or (select sum(trips) >= 8 * count(*) from counted)
    group by 1, 2, 3, 4
)
insert into run_hour (run_id, region_id, is_origin, hour, corner, first_week, trips)
select %(run_id)s::integer, h.region_id, h.is_origin, h.hour, h.cell << 34, h.first_week, d.trips
from hourly as h
cross join lateral (
    select array_agg(coalesce(t.trips, 0) order by n) as trips
    from generate_series(0, (h.last_week - h.first_week) / 7) as n
    left join unnest(h.weeks, h.trips) as t (week, trips) on t.week = h.first_week + 7 * n
) as d
order by h.is_origin, h.cell, h.hour;

-- name: mark_cell_hours
update run set has_cell_hours = true where run_id = %(run_id)s::integer;

-- name: pack_flows
-- Flows as a whole and per datasource.
insert into run_flow (run_id, region_id, datasource_id, slot, origin_cell, destination_cells, trips)
select %(run_id)s::integer, region_id, datasource_id, null, origin_cell,
       array_agg(destination_cell order by destination_cell), array_agg(trips order by destination_cell)
from (
    select region_id, datasource_id, (origin >> 32)::integer as origin_cell, (destination >> 32)::integer as destination_cell,
           count(*)::integer as trips
    from trip
    where load_id = any(%(load_ids)s::integer[])
    group by grouping sets ((1, 3, 4), (1, 2, 3, 4))
) as counted
group by region_id, datasource_id, origin_cell
order by datasource_id nulls first, origin_cell;

-- name: pack_flow_hours
-- Flows per slot, where there are at least four trips to each; otherwise no row.
with counted as materialized (
    select region_id, slot_of_hour(hour_of_week(started_at))::smallint as slot, (origin >> 32)::integer as origin_cell,
           (destination >> 32)::integer as destination_cell, count(*)::integer as trips
    from trip
    where load_id = any(%(load_ids)s::integer[])
    group by 1, 2, 3, 4
)
insert into run_flow (run_id, region_id, datasource_id, slot, origin_cell, destination_cells, trips)
select %(run_id)s::integer, region_id, null, slot, origin_cell,
       array_agg(destination_cell order by destination_cell), array_agg(trips order by destination_cell)
from counted
where (select sum(trips) >= 4 * count(*) from counted)
group by region_id, slot, origin_cell
order by slot, origin_cell;

-- name: finish_packing
-- Gives the loads their run; returns those that still stand. Fewer than asked: one was undone meanwhile, and the run must not commit.
update load set run_id = %(run_id)s::integer
where load_id = any(%(load_ids)s::integer[]) and state = 'succeeded'
returning load_id;

-- name: mark_run_hours
update run set has_hours = true where run_id = %(run_id)s::integer;

-- name: delete_empty_runs
-- Runs without loads, for they were merged into others.
delete from run as r where not exists (select from load as l where l.run_id = r.run_id);

-- name: delete_run_days
-- Rows of runs that are gone; so do the next four.
delete from run_day as d where not exists (select from run as r where r.run_id = d.run_id);

-- name: delete_run_cells
delete from run_cell as c where not exists (select from run as r where r.run_id = c.run_id);

-- name: delete_run_hours
delete from run_hour as h where not exists (select from run as r where r.run_id = h.run_id);

-- name: delete_run_points
delete from run_point as p where not exists (select from run as r where r.run_id = p.run_id);

-- name: delete_run_flows
delete from run_flow as f where not exists (select from run as r where r.run_id = f.run_id);

-- name: summarize_ranges
-- Brings the BRIN indexes up to date: ranges of pages that they don't know yet are read by every question.
select relname, brin_summarize_new_values(oid) as ranges from pg_class where relname in ('trip_brin', 'run_point_brin');

-- name: analyze_trips
-- Tells the planner what there is, now and not when autovacuum gets to it.
analyze trip, run_day, run_cell, run_hour, run_point, run_flow;
