-- What a failed load asks of a person: the option that answers it, the choices there are, the file's columns; null where it asks nothing.
-- The same on every server.
alter table load add column question jsonb;
