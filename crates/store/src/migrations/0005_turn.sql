-- What one node at a time does for all, and which one that is.
CREATE TABLE turn (
    name        TEXT PRIMARY KEY NOT NULL,
    owner       TEXT NOT NULL,
    lease_until BIGINT NOT NULL
);
