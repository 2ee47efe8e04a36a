//! Double-entry rules and invariants, pure.
