-- Whether a position lies in an area of any shape: in its boxes, and in its ranges (null: the boxes say all). ranges: first position, and first
-- later position, of each range, in order.
create function position_in_area(p bigint, area bigint[], ranges bigint[]) returns boolean
language sql immutable parallel safe as $$
    select area is null or (position_in_area(p, area) and (ranges is null or width_bucket(p, ranges) % 2 = 1))
$$;
