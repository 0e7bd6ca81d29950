-- Questions read segments whole, and filter blocks in their own process: what filtered them in SQL goes. The same on every server.
drop index segment_block_brin;
drop index segment_cell_by_corner;
drop index segment_flow_by_kind;

-- A segment's rows follow one another in each table.
create index segment_block_by_segment on segment_block (segment_id);
create index segment_cell_by_segment on segment_cell (segment_id);
create index segment_day_by_segment on segment_day (segment_id);
create index segment_flow_by_segment on segment_flow (segment_id);

drop function are_uncompacted(integer[], integer[]);
drop function box_touches_area(bigint, bigint, bigint, bigint, bigint[]);
drop function box_in_area(bigint, bigint, bigint, bigint, bigint[]);
drop function x_in_area(bigint, bigint, bigint[]);
drop function y_in_area(bigint, bigint, bigint[]);
