//! Use cases: one function tells one story from begin to commit.
