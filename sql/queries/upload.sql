-- name: insert_upload
insert into upload (upload_id, object_key, s3_upload_id, file_name, bytes, part_bytes)
values (%(upload_id)s::uuid, %(object_key)s::text, %(s3_upload_id)s::text, %(file_name)s::text, %(bytes)s::bigint, %(part_bytes)s::bigint);

-- name: fetch_upload
select * from upload where upload_id = %(upload_id)s::uuid;

-- name: lock_upload
-- An upload, locked until the transaction ends, so that completing twice makes one load.
select * from upload where upload_id = %(upload_id)s::uuid for update;

-- name: complete_upload
-- The upload has become a load; bytes is what came, where nothing had been announced.
update upload set load_id = %(load_id)s::integer, bytes = %(bytes)s::bigint where upload_id = %(upload_id)s::uuid;

-- name: delete_upload
-- Forgets an upload that is no load; returns what to drop in the object store.
delete from upload where upload_id = %(upload_id)s::uuid and load_id is null returning object_key, s3_upload_id;

-- name: list_stale_uploads
-- Uploads older than max_age_s that never completed.
select upload_id, object_key, s3_upload_id from upload
where load_id is null and created_at < clock_timestamp() - %(max_age_s)s::float8 * interval '1 second'
order by created_at
limit %(limit)s::integer;
