-- What the service reports of the integration gets a code, what to do about it, and the time since when it is so.
ALTER TABLE integration ADD COLUMN reported_code TEXT NOT NULL DEFAULT '';
ALTER TABLE integration ADD COLUMN reported_fix TEXT NOT NULL DEFAULT '';
ALTER TABLE integration ADD COLUMN reported_since BIGINT;
