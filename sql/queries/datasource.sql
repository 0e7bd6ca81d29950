-- name: insert_datasources
-- Makes sure that the named datasources exist; those that do use up no id.
insert into datasource (name)
select n.name from unnest(%(names)s::text[]) as n (name)
where not exists (select from datasource as t where t.name = n.name)
on conflict (name) do nothing;

-- name: list_datasource_ids
select datasource_id, name from datasource where name = any(%(names)s::text[]);

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
