-- Leases with an owner, and outages with a last failure. The same on every server.
-- lease_token: drawn at each claim; who holds another one has lost the lease and neither renews nor releases it.
-- failed_at: the last failure that passes by itself; a try that begins long after it begins another outage.
alter table load
    add column lease_token uuid,
    add column failed_at timestamptz;

-- ledger_token: one per row, never reused; a runner from before a restart of its load finds that its row is gone.
alter table load_batch
    add column lease_token uuid,
    add column failed_at timestamptz,
    add column ledger_token uuid not null default gen_random_uuid();
