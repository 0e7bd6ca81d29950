-- Minute of the day of a wall clock, 0 to 1439.
create function minute_of_day(at timestamp) returns integer
language sql immutable parallel safe as $$
    select date_part('hour', at)::integer * 60 + date_part('minute', at)::integer
$$;
