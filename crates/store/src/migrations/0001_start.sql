-- Written in PostgreSQL's form; the SQLite form is derived from it.
-- Times are BIGINT microseconds since 1970 (UTC), ids are TEXT, structured values are TEXT with JSON.

-- Counts that would otherwise need a scan, and the last number given to an event.
CREATE TABLE counter (
    name  TEXT PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES
    ('conversations', 0), ('events', 0), ('messages_inbound', 0), ('messages_outbound', 0),
    ('probe', 0), ('quarantined', 0), ('receipts', 0);

CREATE TABLE integration (
    id                    TEXT PRIMARY KEY NOT NULL,
    tenant_id             TEXT NOT NULL,
    application_name      TEXT NOT NULL,
    app_id                TEXT,
    application_object_id TEXT,
    service_principal_id  TEXT,
    authority             TEXT NOT NULL,
    graph_url             TEXT NOT NULL,
    token_endpoint        TEXT,
    intended_state        TEXT NOT NULL,
    reported_state        TEXT NOT NULL,
    reported_text         TEXT NOT NULL,
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL,
    UNIQUE (tenant_id, application_name)
);

CREATE TABLE credential (
    id             TEXT PRIMARY KEY NOT NULL,
    integration_id TEXT NOT NULL REFERENCES integration (id),
    kind           TEXT NOT NULL,
    key_id         TEXT NOT NULL,
    description    TEXT NOT NULL,
    sealed         BYTEA NOT NULL,
    expires_at     BIGINT NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE INDEX credential_of_integration ON credential (integration_id, created_at);

CREATE TABLE mailbox (
    id             TEXT PRIMARY KEY NOT NULL,
    integration_id TEXT NOT NULL REFERENCES integration (id),
    address        TEXT NOT NULL,
    graph_user_id  TEXT NOT NULL,
    display_name   TEXT NOT NULL,
    enabled        BOOLEAN NOT NULL,
    created_at     BIGINT NOT NULL,
    UNIQUE (integration_id, address)
);

CREATE TABLE folder (
    id              TEXT PRIMARY KEY NOT NULL,
    mailbox_id      TEXT NOT NULL REFERENCES mailbox (id),
    graph_folder_id TEXT NOT NULL,
    name            TEXT NOT NULL,
    sync_cursor     TEXT NOT NULL,
    epoch           BIGINT NOT NULL,
    synced_at       BIGINT,
    lease_owner     TEXT,
    lease_until     BIGINT,
    UNIQUE (mailbox_id, graph_folder_id)
);

CREATE TABLE subscription (
    id               TEXT PRIMARY KEY NOT NULL,
    folder_id        TEXT NOT NULL REFERENCES folder (id),
    client_state     TEXT NOT NULL,
    notification_url TEXT NOT NULL,
    expires_at       BIGINT NOT NULL,
    created_at       BIGINT NOT NULL
);
CREATE INDEX subscription_of_folder ON subscription (folder_id);

CREATE TABLE conversation (
    id                    TEXT PRIMARY KEY NOT NULL,
    mailbox_id            TEXT NOT NULL REFERENCES mailbox (id),
    subject               TEXT NOT NULL,
    state                 TEXT NOT NULL,
    queue                 TEXT NOT NULL,
    route                 TEXT,
    priority              BIGINT NOT NULL,
    threading_window_days BIGINT NOT NULL,
    contact_name          TEXT NOT NULL,
    contact_address       TEXT NOT NULL,
    continues             TEXT,
    message_count         BIGINT NOT NULL,
    opened_at             BIGINT NOT NULL,
    last_activity_at      BIGINT NOT NULL,
    closed_at             BIGINT
);
-- Lists always name a state (a list over all states is merged from one per state), so three indexes
-- serve every filter.
CREATE INDEX conversation_by_state ON conversation (state, last_activity_at, id);
CREATE INDEX conversation_by_queue ON conversation (queue, state, last_activity_at, id);
CREATE INDEX conversation_by_mailbox ON conversation (mailbox_id, state, last_activity_at, id);

CREATE TABLE message (
    id                    TEXT PRIMARY KEY NOT NULL,
    conversation_id       TEXT NOT NULL REFERENCES conversation (id),
    mailbox_id            TEXT NOT NULL REFERENCES mailbox (id),
    direction             TEXT NOT NULL,
    state                 TEXT NOT NULL,
    state_reason          TEXT NOT NULL,
    immutable_id          TEXT,
    internet_message_id   TEXT,
    graph_conversation_id TEXT,
    content               TEXT NOT NULL,
    mime                  TEXT,
    size                  BIGINT NOT NULL,
    received_at           BIGINT NOT NULL,
    sent_at               BIGINT,
    threading             TEXT,
    verdict               TEXT,
    answers               TEXT
);
CREATE INDEX message_of_conversation ON message (conversation_id, received_at, id);

CREATE TABLE attachment (
    message_id   TEXT NOT NULL REFERENCES message (id),
    position     BIGINT NOT NULL,
    id           TEXT NOT NULL,
    name         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    content_id   TEXT,
    is_inline    BOOLEAN NOT NULL,
    size         BIGINT NOT NULL,
    blob         TEXT NOT NULL,
    PRIMARY KEY (message_id, position)
);

-- Which conversations a Message-ID stands in. Several may share one.
CREATE TABLE message_ref (
    mailbox_id          TEXT NOT NULL REFERENCES mailbox (id),
    internet_message_id TEXT NOT NULL,
    conversation_id     TEXT NOT NULL REFERENCES conversation (id),
    seen_at             BIGINT NOT NULL,
    PRIMARY KEY (mailbox_id, internet_message_id, conversation_id)
);

CREATE TABLE receipt (
    mailbox_id          TEXT NOT NULL REFERENCES mailbox (id),
    immutable_id        TEXT NOT NULL,
    internet_message_id TEXT,
    message_id          TEXT,
    quarantined         TEXT,
    mime                TEXT,
    size                BIGINT NOT NULL,
    first_seen_at       BIGINT NOT NULL,
    PRIMARY KEY (mailbox_id, immutable_id)
);
CREATE INDEX receipt_by_message_id ON receipt (internet_message_id, first_seen_at)
    WHERE internet_message_id IS NOT NULL;
CREATE INDEX receipt_quarantined ON receipt (first_seen_at) WHERE quarantined IS NOT NULL;

CREATE TABLE trace_step (
    ordinal      BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    mailbox_id   TEXT NOT NULL,
    immutable_id TEXT NOT NULL,
    at           BIGINT NOT NULL,
    step         TEXT NOT NULL,
    detail       TEXT NOT NULL
);
CREATE INDEX trace_step_of_mail ON trace_step (mailbox_id, immutable_id);

CREATE TABLE event (
    seq             BIGINT PRIMARY KEY,
    at              BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    mailbox_id      TEXT NOT NULL,
    conversation_id TEXT,
    message_id      TEXT
);

-- available_at is when a job may be taken next: its due time, or the end of the lease on it.
CREATE TABLE job (
    id           TEXT PRIMARY KEY NOT NULL,
    mailbox_id   TEXT NOT NULL REFERENCES mailbox (id),
    kind         TEXT NOT NULL,
    rank         BIGINT NOT NULL,
    message_id   TEXT UNIQUE,
    state        TEXT NOT NULL,
    attempts     BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    deadline     BIGINT NOT NULL,
    available_at BIGINT NOT NULL,
    progress     TEXT NOT NULL,
    epoch        BIGINT NOT NULL,
    lease_owner  TEXT,
    lease_until  BIGINT,
    reason       TEXT NOT NULL,
    died_at      BIGINT
);
CREATE INDEX job_to_take ON job (state, mailbox_id, rank, available_at, id);
CREATE INDEX job_due ON job (state, available_at);
CREATE INDEX job_dead ON job (died_at) WHERE died_at IS NOT NULL;

CREATE TABLE idempotency (
    client     TEXT NOT NULL,
    key        TEXT NOT NULL,
    digest     TEXT NOT NULL,
    message_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (client, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE api_key (
    id         TEXT PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
