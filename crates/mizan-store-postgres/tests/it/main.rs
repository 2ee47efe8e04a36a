//! What only PostgreSQL can get wrong: statements, roles, locks, rivals, connections and the seal.
//! What every store must do is proven once, for all of them, elsewhere.

mod connections;
mod findings;
mod locks;
mod outbox;
mod partitions;
mod plans;
mod postings;
mod privileges;
mod rivals;
mod sealing;
mod statements;
mod tester;
mod tls;
mod verify;
