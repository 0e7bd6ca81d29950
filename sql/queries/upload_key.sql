-- name: insert_key
-- Names the request that made a load; returns nothing where the name is taken.
insert into upload_key (key, request_hash, content_hash, load_id)
values (%(key)s::text, %(request_hash)s::text, %(content_hash)s::text, %(load_id)s::integer)
on conflict (key) do nothing
returning key;

-- name: fetch_key
-- What a request made, by its key.
select request_hash, content_hash, load_id from upload_key where key = %(key)s::text;

-- name: delete_old_keys
-- Forgets keys older than retention_s.
delete from upload_key where created_at < clock_timestamp() - %(retention_s)s::float8 * interval '1 second';
