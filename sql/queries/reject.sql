-- name: list_rejects_after
-- Rejects of a load in file order after a batch's record, by the primary key: pages of a download cost the same from first to last.
select r.batch_no, r.record_in_batch,
       b.lines_before + r.line_in_batch as line, b.records_before + r.record_in_batch as record,
       r.column_name as "column", r.reason, r.value, r.raw
from load_reject as r
join load_batch as b using (load_id, batch_no)
where r.load_id = %(load_id)s::integer
  and (r.batch_no, r.record_in_batch) > (%(batch_no)s::integer, %(record_in_batch)s::bigint)
  and (%(reason)s::text is null or r.reason = %(reason)s::text)
order by r.batch_no, r.record_in_batch
limit %(limit)s::integer;
