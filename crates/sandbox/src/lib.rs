//! An offline Microsoft 365 tenant in one process.
