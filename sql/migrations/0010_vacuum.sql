-- Trips, their blocks and runs are written once, and no plan gains from a visibility map of them: a vacuum because of new rows alone would
-- only read and rewrite what a load has just written, beside the next batches. One because of removed rows still comes, and summaries of
-- new pages are made by the packer.
alter table trip set (autovacuum_vacuum_insert_threshold = -1);
alter table batch_point set (autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1);
alter table run_point set (autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1);
