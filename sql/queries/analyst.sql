-- Questions in an analyst's own SQL.

-- name: begin_analyst_sql
-- Limits of the transaction, which is read-only already. Returns whether the role may read tables (has_tables), is in roles beside tripdeck_analyst
-- (has_roles), and whether the server is Citus, where functions reach other nodes as another user.
select has_table_privilege('load', 'select') as has_tables,
       exists (select from pg_roles
               where pg_has_role(session_user, oid, 'member') and rolname not in (session_user, 'tripdeck_analyst')) as has_roles,
       exists (select from pg_extension where extname = 'citus') as is_citus,
       set_config('statement_timeout', %(timeout_ms)s::text, true),
       set_config('idle_in_transaction_session_timeout', %(timeout_ms)s::text, true),
       set_config('lock_timeout', '2s', true),
       set_config('work_mem', %(work_mem)s::text, true),
       set_config('max_parallel_workers_per_gather', '0', true),
       set_config('search_path', 'public', true);

-- name: unlock_analyst
-- Frees advisory locks that a statement took for its session: they outlive a rollback.
select pg_advisory_unlock_all();

-- name: list_analyst_columns
-- Columns of what analysts may read, in order.
select table_name as view, column_name as "column", data_type as type
from information_schema.columns
where table_schema = 'public'
  and table_name in (select table_name from information_schema.role_table_grants
                     where grantee = 'tripdeck_analyst' and privilege_type = 'SELECT' and table_schema = 'public')
order by table_name = 'trips' desc, table_name = 'weekly_trips' desc, table_name, ordinal_position;
