-- Trips per week and hour of the week in a cell, as a column of bits, from the cell's first week to its last, where there are four times
-- more trips than numbers; blocks in such a cell say so. The same on every server.
alter table run_cell add column hours bytea;
alter table run_point add column has_cell_hours boolean not null default false;
