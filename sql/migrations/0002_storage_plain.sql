-- trip on plain PostgreSQL: a heap with one BRIN index for time, place and load.
-- Batches arrive sorted by origin cell, so each range of pages spans few cells; 32 pages are about 4,300 trips.
create index trip_brin on trip using brin (started_at, origin, load_id) with (pages_per_range = 32, autosummarize = on);
