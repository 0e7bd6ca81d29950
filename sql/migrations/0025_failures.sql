-- Two limits, two counters. The same on every server.
-- attempts: starts that did not end, which a kill leaves behind; failures: ends with an unexpected exception.
alter table load add column failures integer not null default 0;
alter table load_batch add column failures integer not null default 0;
