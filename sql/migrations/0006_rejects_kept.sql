-- How many of a batch's rejects the database keeps; null in batches of before: all. The same on every server.
alter table load_batch add column rejects_kept bigint;
