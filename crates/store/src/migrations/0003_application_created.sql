-- Whether Guichet made the application registration, or found it. Only what it made may it delete.
ALTER TABLE integration ADD COLUMN application_created BOOLEAN NOT NULL DEFAULT FALSE;
