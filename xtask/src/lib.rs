//! The rules of the repository: who may depend on whom, how code looks, and that generated files are fresh.
//!
//! Each rule carries its reason, which its message repeats, and has two tests: it holds for this repository,
//! and a seeded violation breaks it.

pub mod fresh;
pub mod layers;
pub mod repo;
pub mod source;
pub mod tidy;
mod violation;

pub use repo::Repo;
pub use violation::Violation;
