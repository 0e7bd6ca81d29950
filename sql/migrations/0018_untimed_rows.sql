-- How many of the load's rows are known to have no duration: where that is all of every load, nobody looks for durations among the trips. A
-- load from before this, or by a worker that does not count them, has fewer than its rows. The same on every server.
alter table load add column rows_untimed bigint not null default 0;
