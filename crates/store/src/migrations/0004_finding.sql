-- What was found wrong, since when, and until when.
CREATE TABLE finding (
    code        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    severity    TEXT NOT NULL,
    evidence    TEXT NOT NULL,
    first_seen  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    resolved_at BIGINT,
    PRIMARY KEY (code, subject, first_seen)
);
