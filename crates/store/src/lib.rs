//! SQL and blobs: facade, SQLite, migrations, ledger, outbox.
