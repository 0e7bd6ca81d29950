-- What differs by server in questions about trip itself: on PostgreSQL it is a table like others.
create function trip_bytes() returns bigint language sql volatile as $$
    select pg_total_relation_size('trip')
$$;

-- Brings the summaries of new pages up to date; returns how many ranges.
create function summarize_trips() returns integer language sql volatile as $$
    select brin_summarize_new_values('trip_brin')
$$;
