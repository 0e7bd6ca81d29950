-- What differs by server in questions about trip itself: on Citus its rows lie in shards, on other nodes. These run where they are called.
set local citus.enable_ddl_propagation = off;

create function trip_bytes() returns bigint language sql volatile as $$
    select citus_total_relation_size('trip')
$$;

-- Brings the summaries of new pages up to date on every node that answers; returns how many ranges.
create function summarize_trips() returns integer language sql volatile as $$
    select coalesce(sum(result::integer), 0)::integer
    from run_command_on_shards('trip', $command$
        select sum(brin_summarize_new_values(i.indexrelid))
        from pg_index as i
        join pg_class as c on c.oid = i.indexrelid
        join pg_am as a on a.oid = c.relam
        where i.indrelid = '%s'::regclass and a.amname = 'brin'
    $command$)
    where success
$$;

set local citus.enable_ddl_propagation = on;
