-- trip on Citus: its rows lie in shards on all nodes, by origin, so that one load is written by all of them and every question is answered by
-- all of them. Everything else stays on the coordinator: it takes few bytes, and ledger and blocks are seen in one snapshot.
set local citus.multi_shard_modify_mode = 'sequential';

select create_distributed_table('trip', 'origin', shard_count => 16);

create index trip_brin on trip using brin (started_at, origin, load_id) with (pages_per_range = 8, autosummarize = on);

-- As on plain PostgreSQL: without these the planner takes every box for empty.
create statistics trip_origin_x on (origin & 3074457345618258602) from trip;
create statistics trip_origin_y on (origin & 1537228672809129301) from trip;
create statistics trip_destination_x on (destination & 3074457345618258602) from trip;
create statistics trip_destination_y on (destination & 1537228672809129301) from trip;

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
