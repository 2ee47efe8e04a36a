//! Killed processes, killed databases, cut wires and restored backups: what was acknowledged is there, once.

#[expect(dead_code, reason = "shared with the journeys, which use the rest")]
#[path = "../it/harness.rs"]
mod harness;
#[expect(dead_code, reason = "shared with the journeys, which use the rest")]
#[path = "../it/postings.rs"]
mod postings;
#[expect(dead_code, reason = "shared with the journeys, which use the rest")]
#[path = "../it/verbs.rs"]
mod verbs;

mod backup;
mod crashes;
mod load;
