-- Cells keep the trips of each week of all datasources too: most questions ask for no datasource, and read a fifth of the numbers.
alter table run_cell add column sum_weeks date[], add column sum_trips integer[];

update run_cell as c
set (sum_weeks, sum_trips) = (
    select array_agg(s.week order by s.week), array_agg(s.trips order by s.week)
    from (
        select w.week, sum(w.trips)::integer as trips
        from unnest(c.weeks, c.trips) as w (week, trips)
        group by w.week
    ) as s
);

alter table run_cell alter sum_weeks set not null, alter sum_trips set not null;

-- A run's origins come before its destinations, so a question about one of them reads half of the pages. (BRIN knows no booleans.)
drop index run_point_brin;
create index run_point_brin on run_point using brin ((is_origin::integer), x_low, x_high, y_low, y_high)
    with (pages_per_range = 8, autosummarize = on);

-- The runs as an array: asked once. As a subquery they were joined, and points were read once for each run.
create or replace view block as
select null::integer as load_id, run_id, region_id, is_origin, trips, base, x_low, x_high, y_low, y_high, other_x_low, other_x_high,
       other_y_low, other_y_high, base_on, datasource_ids, sum_weeks, sum_trips, places, times, others, true as has_cells, has_cell_hours
from run_point
where run_id = any(array(select run_id from run))
union all
select load_id, null, region_id, is_origin, trips, base, x_low, x_high, y_low, y_high, other_x_low, other_x_high,
       other_y_low, other_y_high, base_on, datasource_ids, sum_weeks, sum_trips, places, times, others, false, false
from batch_point;
