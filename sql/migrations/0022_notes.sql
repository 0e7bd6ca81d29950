-- What a person should know of how a load ended, said in one place for the API, the feed and the pages. The same on every server.
create function load_notes(state text, rows_read bigint, rows_rejected bigint) returns jsonb
language sql immutable parallel safe as $$
    select case when state = 'succeeded' and rows_rejected > rows_read - rows_rejected
                then jsonb_build_array(rows_rejected || ' of ' || rows_read || ' rows were rejected, more than half. See the rejects for the reasons.')
                else '[]' end
$$;

alter table load add column notes jsonb not null generated always as (load_notes(state, rows_read, rows_rejected)) stored;
