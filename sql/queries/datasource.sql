-- name: count_new_datasources
-- Of the named datasources those that do not exist, and how many the load has made so far.
select count(*) filter (where t.datasource_id is null) as missing,
       (select count(*) from datasource where load_id = %(load_id)s::integer) as made
from unnest(%(names)s::text[]) as n (name)
left join datasource as t using (name);

-- name: insert_datasources
-- Makes sure that the named datasources exist, with the smallest ids that are free, as far as there are any. The caller holds lock_names.
insert into datasource (datasource_id, name, load_id)
select f.id, n.name, %(load_id)s::integer
from (
    select name, row_number() over (order by name) as place
    from (select distinct name from unnest(%(names)s::text[]) as given (name)) as given
    where not exists (select from datasource as t where t.name = given.name)
) as n
join (
    select id, row_number() over (order by id) as place
    from generate_series(1, 32767) as id
    where not exists (select from datasource as t where t.datasource_id = id)
) as f using (place)
on conflict (name) do nothing;

-- name: list_datasource_ids
select datasource_id as id, name from datasource where name = any(%(names)s::text[]);

-- name: hold_datasources
-- Names of ids, which nobody removes until the transaction ends.
select datasource_id as id, name from datasource where datasource_id = any(%(ids)s::integer[]) order by datasource_id for key share;

-- name: lock_unused_datasources
-- Locks datasources without trips that no running load has made, but for those that a batch holds; delete_unused_datasources looks once more.
select t.datasource_id as id
from datasource as t
where not exists (select from rollup_week as w where w.datasource_id = t.datasource_id)
  and not exists (select from load as l where l.load_id = t.load_id and l.state in ('queued', 'planning', 'loading'))
order by t.datasource_id
for update of t skip locked;

-- name: delete_unused_datasources
-- Removes those of the datasources that have no trips; returns how many.
with gone as (
    delete from datasource as t
    where t.datasource_id = any(%(ids)s::integer[])
      and not exists (select from rollup_week as w where w.datasource_id = t.datasource_id)
    returning 1
)
select count(*) as names from gone;

-- name: list_datasources
-- Datasources that have trips, most first, with how many and between when.
select n.name, sum(w.trips)::bigint as trips, min(w.first_at) as first_at, max(w.last_at) as last_at
from rollup_week as w
join datasource as n using (datasource_id)
group by n.name
order by trips desc, n.name;

-- name: list_datasource_names
-- Names to look for one like a name that isn't there.
select name from datasource order by name limit 2000;
