-- Rollups: a batch appends its share in its own transaction; a load's shares are merged (folded) in the background.

-- name: copy_rollup_week
copy rollup_week (load_id, week, region_id, datasource_id, trips, first_at, last_at) from stdin (format binary);

-- name: list_load_weeks
-- Trips of a load per week, in order.
select week, sum(trips)::bigint as trips
from rollup_week
where load_id = %(load_id)s::integer
group by week
order by week;

-- name: fold_rollup_week
-- Merges a load's rows into one per key, without the weeks from gone_from to gone_to (null: all stay).
with gone as (
    delete from rollup_week where load_id = %(load_id)s::integer returning *
)
insert into rollup_week (load_id, week, region_id, datasource_id, trips, first_at, last_at)
select load_id, week, region_id, datasource_id, sum(trips), min(first_at), max(last_at)
from gone
where not coalesce(week between %(gone_from)s::date and %(gone_to)s::date, false)
group by load_id, week, region_id, datasource_id;

-- name: list_foldable
-- Running loads whose batches have left so many rows.
select w.load_id
from rollup_week as w
join load as l using (load_id)
where l.state = 'loading'
group by w.load_id
having count(*) >= %(least_rows)s::bigint
order by w.load_id;

-- name: vacuum_rollup_week
-- Gives the room of merged rows to the next batches; outside a transaction.
vacuum rollup_week;
