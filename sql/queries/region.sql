-- name: lock_names
-- One maker of names at a time, until its transaction ends.
select pg_advisory_xact_lock(hashtext('tripdeck.names'));

-- name: count_new_regions
-- Of the named regions those that do not exist, and how many the load has made so far.
select count(*) filter (where t.region_id is null) as missing,
       (select count(*) from region where load_id = %(load_id)s::integer) as made
from unnest(%(names)s::text[]) as n (name)
left join region as t using (name);

-- name: insert_regions
-- Makes sure that the named regions exist, with the smallest ids that are free, as far as there are any. The caller holds lock_names.
insert into region (region_id, name, load_id)
select f.id, n.name, %(load_id)s::integer
from (
    select name, row_number() over (order by name) as place
    from (select distinct name from unnest(%(names)s::text[]) as given (name)) as given
    where not exists (select from region as t where t.name = given.name)
) as n
join (
    select id, row_number() over (order by id) as place
    from generate_series(1, 32767) as id
    where not exists (select from region as t where t.region_id = id)
) as f using (place)
on conflict (name) do nothing;

-- name: list_region_ids
select region_id as id, name from region where name = any(%(names)s::text[]);

-- name: hold_regions
-- Names of ids, which nobody removes until the transaction ends.
select region_id as id, name from region where region_id = any(%(ids)s::integer[]) order by region_id for key share;

-- name: lock_unused_regions
-- Locks regions without trips that no running load has made, but for those that a batch holds; delete_unused_regions looks once more.
select t.region_id as id
from region as t
where not exists (select from rollup_week as w where w.region_id = t.region_id)
  and not exists (select from load as l where l.load_id = t.load_id and l.state in ('queued', 'planning', 'loading'))
order by t.region_id
for update of t skip locked;

-- name: delete_unused_regions
-- Removes those of the regions that have no trips; returns how many.
with gone as (
    delete from region as t
    where t.region_id = any(%(ids)s::integer[])
      and not exists (select from rollup_week as w where w.region_id = t.region_id)
    returning 1
)
select count(*) as names from gone;

-- name: list_regions
-- Regions that have trips, most first, with how many and between when.
select n.name, sum(w.trips)::bigint as trips, min(w.first_at) as first_at, max(w.last_at) as last_at
from rollup_week as w
join region as n using (region_id)
group by n.name
order by trips desc, n.name;

-- name: list_region_names
-- Names to look for one like a name that isn't there.
select name from region order by name limit 2000;
