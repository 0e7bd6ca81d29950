-- trip on plain PostgreSQL: a heap with one BRIN index for time, place and load.
-- Batches arrive sorted by origin cell, so each range of pages spans few cells; 8 pages are about 1,080 trips. At 5,000,000 trips in 40
-- batches, a 1 km box for both ends costs 62 ms of processor time so, 87 with 16 pages and 96 with 32; the index is 0.06 bytes a trip.
create index trip_brin on trip using brin (started_at, origin, load_id) with (pages_per_range = 8, autosummarize = on);

-- Without these the planner takes every box for empty and reads the trips once per row of something else.
create statistics trip_origin_x on (origin & 3074457345618258602) from trip;
create statistics trip_origin_y on (origin & 1537228672809129301) from trip;
create statistics trip_destination_x on (destination & 3074457345618258602) from trip;
create statistics trip_destination_y on (destination & 1537228672809129301) from trip;

-- What differs by server in questions about trip itself: on PostgreSQL it is a table like others.
create function trip_bytes() returns bigint language sql volatile as $$
    select pg_total_relation_size('trip')
$$;

-- Brings the summaries of new pages up to date; returns how many ranges.
create function summarize_trips() returns integer language sql volatile as $$
    select brin_summarize_new_values('trip_brin')
$$;
