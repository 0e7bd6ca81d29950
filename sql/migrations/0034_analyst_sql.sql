-- Questions in an analyst's own SQL. The role tripdeck_analyst may read the views of baseline/roles.sql and nothing else. The same on every server.

-- Whether a row fits into an answer; an error where it does not. Every row of an analyst's statement passes it, before it is sent.
create function check_row_bytes(bytes integer) returns boolean
    language plpgsql immutable parallel safe
as $$
begin
    if bytes > 1048576 then
        raise exception 'A row of the answer has % bytes; a row may have 1,048,576.', bytes using errcode = 'program_limit_exceeded';
    end if;
    return true;
end
$$;
