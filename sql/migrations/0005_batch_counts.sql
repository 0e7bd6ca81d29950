-- What a batch met: rejects per reason, odd trips per kind; and whether all its rejects lie in the object store. The same on every server.
-- Batches of before have nulls: then the rejects in load_reject are all there are.
alter table load_batch
    add column reasons jsonb,
    add column warnings jsonb,
    add column has_reject_file boolean not null default false;
