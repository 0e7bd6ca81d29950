-- Webhooks: addresses that are sent a request when a load ends. The same on every server.

create table webhook (
    webhook_id integer generated always as identity primary key,
    url text not null,
    -- Key of the signatures; readable for whoever sends, and shown once, to whoever registered the address.
    secret text not null,
    -- Load states whose events are sent.
    states text[] not null,
    -- Events after this position are sent.
    after_position bigint not null,
    created_at timestamptz not null default clock_timestamp()
);

-- One message to one address. The body is copied, because the outbox is trimmed.
create table webhook_delivery (
    delivery_id bigint generated always as identity primary key,
    -- The same at every attempt, so that the receiver can drop duplicates.
    message_id uuid not null unique default gen_random_uuid(),
    webhook_id integer not null references webhook on delete cascade,
    -- Null for a test message.
    load_id integer references load,
    kind text not null,
    body jsonb not null,
    state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
    attempts integer not null default 0,
    -- When the next attempt is due.
    due_at timestamptz not null default clock_timestamp(),
    claimed_at timestamptz,
    lease_token uuid,
    -- The last attempt: status of the answer (null: none came), and what went wrong.
    status integer,
    error_message text,
    created_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
);

create index webhook_delivery_pending on webhook_delivery (due_at) where state = 'pending';
create index webhook_delivery_by_webhook on webhook_delivery (webhook_id, delivery_id);
create index webhook_delivery_by_age on webhook_delivery (finished_at) where state <> 'pending';

-- One row: events up to this position have their deliveries.
create table webhook_position (
    last_position bigint not null
);
insert into webhook_position select last_position from event_position;

grant select, insert, update, delete on webhook, webhook_delivery, webhook_position to tripdeck_loader;
