-- Names that databases use elsewhere: a run is a segment, and what is not in one is uncompacted. Only names change. The same on every server.
alter table run rename to segment;
alter table run_day rename to segment_day;
alter table run_cell rename to segment_cell;
alter table run_point rename to segment_block;
alter table run_flow rename to segment_flow;
alter table batch_point rename to batch_block;

alter table segment rename column run_id to segment_id;
alter table segment rename column packed_at to compacted_at;
alter table segment_day rename column run_id to segment_id;
alter table segment_cell rename column run_id to segment_id;
alter table segment_block rename column run_id to segment_id;
alter table segment_flow rename column run_id to segment_id;
alter table load rename column run_id to segment_id;

-- The weeks that there are in a block, with the trips and the first position of each.
alter table segment_block rename column runs to week_index;
alter table batch_block rename column runs to week_index;

alter sequence run_run_id_seq rename to segment_segment_id_seq;
alter table segment rename constraint run_pkey to segment_pkey;
alter table load rename constraint load_run_id_fkey to load_segment_id_fkey;

alter index run_cell_by_corner rename to segment_cell_by_corner;
alter index run_point_brin rename to segment_block_brin;
alter index run_point_by_block rename to segment_block_by_id;
alter index batch_point_by_block rename to batch_block_by_id;
alter index batch_point_by_load rename to batch_block_by_load;
alter index run_flow_by_kind rename to segment_flow_by_kind;
alter index load_by_run rename to load_by_segment;
alter index load_loose rename to load_uncompacted;

-- From PostgreSQL 18 on, `not null` is a constraint with a name of its own.
do $$
declare
    found record;
begin
    for found in
        select c.conrelid::regclass as relation, c.conname as old_name, r.relname || '_' || a.attname || '_not_null' as new_name
        from pg_constraint as c
        join pg_class as r on r.oid = c.conrelid
        join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'n' and c.conrelid = any(array['segment', 'segment_day', 'segment_cell', 'segment_block', 'segment_flow', 'batch_block']::regclass[])
    loop
        if found.old_name <> found.new_name then
            execute format('alter table %s rename constraint %I to %I', found.relation, found.old_name, found.new_name);
        end if;
    end loop;
end
$$;

alter view block rename column run_id to segment_id;
alter view block rename column runs to week_index;

drop function are_loose(integer[], integer[]);

-- Loads in no segment. Those without blocks are unindexed: their trips are read.
alter view loose_load rename to uncompacted_load;

-- Whether these are the uncompacted loads, and these the unindexed ones; both in order.
create function are_uncompacted(load_ids integer[], unindexed_load_ids integer[]) returns boolean
    language sql stable parallel safe
as $$
    select array(select load_id from uncompacted_load order by load_id) = load_ids
           and array(select load_id from uncompacted_load where not has_blocks order by load_id) = unindexed_load_ids
$$;
