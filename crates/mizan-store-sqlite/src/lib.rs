//! The storage contract on SQLite.
