-- name: insert_upload
-- Writes an upload that has begun, unless there is one of that id.
insert into upload (upload_id, object_key, s3_upload_id, file_name, bytes, part_bytes)
values (%(upload_id)s::uuid, %(object_key)s::text, %(s3_upload_id)s::text, %(file_name)s::text, %(bytes)s::bigint, %(part_bytes)s::bigint)
on conflict (upload_id) do nothing;

-- name: fetch_upload
select upload_id, object_key, s3_upload_id, file_name, bytes, part_bytes, load_id, created_at
from upload where upload_id = %(upload_id)s::uuid;

-- name: lock_upload
-- An upload, locked until the transaction ends, so that completing twice makes one load.
select upload_id, object_key, s3_upload_id, file_name, bytes, part_bytes, load_id, created_at
from upload where upload_id = %(upload_id)s::uuid for update;

-- name: touch_upload
-- A sign of life of whoever sends the file.
update upload set active_at = clock_timestamp() where upload_id = %(upload_id)s::uuid and load_id is null;

-- name: claim_upload
-- Whether the caller may join or drop an upload's parts now: nobody else is at it. A call that died is forgotten after two minutes, longer
-- than the store may take.
update upload set joining_at = clock_timestamp()
where upload_id = %(upload_id)s::uuid and load_id is null
  and (joining_at is null or joining_at < clock_timestamp() - interval '2 minutes')
returning upload_id;

-- name: release_upload
-- The parts may be joined by another call.
update upload set joining_at = null where upload_id = %(upload_id)s::uuid;

-- name: complete_upload
-- The upload has become a load; bytes is what came, where nothing had been announced.
update upload set load_id = %(load_id)s::integer, bytes = %(bytes)s::bigint where upload_id = %(upload_id)s::uuid;

-- name: delete_upload
-- Forgets an upload that is no load; returns what to drop in the object store.
delete from upload where upload_id = %(upload_id)s::uuid and load_id is null returning object_key, s3_upload_id;

-- name: list_stale_uploads
-- Uploads without a sign of life for max_age_s that never became loads.
select upload_id, object_key, s3_upload_id from upload
where load_id is null and active_at < clock_timestamp() - %(max_age_s)s::float8 * interval '1 second'
order by active_at
limit %(limit)s::integer;

-- name: note_last_part
-- When the store took the last part of an upload.
update upload set active_at = %(active_at)s::timestamptz, joining_at = null
where upload_id = %(upload_id)s::uuid and load_id is null;
