-- Uploads and objects that nobody needs any more. The same on every server.
-- active_at: the last sign of life, of the caller or as the store has it; joining_at: a call joins the parts, or drops them.
alter table upload
    add column active_at timestamptz not null default clock_timestamp(),
    add column joining_at timestamptz;
update upload set active_at = created_at;

-- The uploaded file: kept, on its way out of the store, gone.
alter table load add column object_state text not null default 'kept' check (object_state in ('kept', 'dropping', 'gone'));

create index load_with_object on load (finished_at) where state in ('cancelled', 'undone') and object_state <> 'gone';
