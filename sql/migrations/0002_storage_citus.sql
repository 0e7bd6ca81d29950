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
