//! Secret values, and the masking of everything that leaves the process.
//!
//! [`Secret`] holds a value that must never be printed; [`Masker`] takes the values it was told, and
//! everything that looks like a credential, out of text. What comes out is a [`Masked`]: something to show,
//! never something to connect with. [`MaskStream`] and [`MaskingWriter`] do the same on the way to a sink.

mod engine;
mod known;
mod masked;
mod masker;
mod secret;
mod segment;
mod shapes;
mod span;
mod stream;
mod structure;
mod weakness;
mod writer;

pub use masked::Masked;
pub use masker::{Builder, Known, Masker, mask_dsn};
pub use secret::Secret;
pub use stream::MaskStream;
pub use weakness::{Refused, Weakness};
pub use writer::MaskingWriter;
