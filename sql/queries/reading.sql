-- How files of a kind are read.

-- name: fetch_reading
-- What was said of a file of one of these kinds, the newest.
select header_hash, options, load_id, said_at from reading
where header_hash = any(%(header_hashes)s::text[])
order by said_at desc
limit 1;

-- name: remember_reading
-- What was said of a load that has succeeded with trips, for the next file of its kind; nothing where nothing was said.
insert into reading (header_hash, options, load_id)
select plan ->> 'header_hash', plan -> 'given_options', load_id
from load
where load_id = %(load_id)s::integer and state = 'succeeded' and rows_loaded > 0
  and plan ->> 'header_hash' is not null and plan -> 'given_options' <> '{}'
on conflict (header_hash) do update
set options = excluded.options, load_id = excluded.load_id, said_at = clock_timestamp();

-- name: delete_reading
-- Forgets a kind; no row when there was nothing.
delete from reading where header_hash = %(header_hash)s::text returning header_hash;
