-- Roles are shared by all databases of a server: made once, granted here. Log-in roles are made by the operator and put in one of them.
do $$
begin
    if not exists (select from pg_roles where rolname = 'tripdeck_analyst') then
        create role tripdeck_analyst nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'tripdeck_loader') then
        create role tripdeck_loader nologin;
    end if;
exception when duplicate_object or unique_violation then
    null; -- another database of this server is being migrated at the same moment
end
$$;

-- Analysts read the views; the loader reads and writes the tables.
grant select on trips, weekly_trips, rejects, load_history, region, datasource to tripdeck_analyst;
grant select, insert, update, delete on all tables in schema public to tripdeck_loader;

-- The space of batches' blocks is given back, indexes and all, when every load is in a run.
grant truncate on batch_point to tripdeck_loader;
