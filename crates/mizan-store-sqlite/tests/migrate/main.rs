//! Migrations on a real SQLite file: up, down, what is in the way, who holds what, and drift.

mod conflict;
mod drift;
mod journey;
mod lock;
mod schema;
mod script;
mod tester;
