//! Evidence packs from outside: what is written, what others can read, and what is refused.

mod forms;
mod leaks;
mod packs;
#[path = "../../examples/packs/records.rs"]
mod records;
mod reports;
mod tampering;
