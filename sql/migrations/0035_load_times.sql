-- Times of a load's stages. The same on every server.

-- When the load's trips came into a segment for the first time; null before, and of loads that were compacted before this revision.
alter table load add column compacted_at timestamptz;

-- The upload that became a load: when it began.
create index upload_by_load on upload (load_id) where load_id is not null;
