//! Secret values and the masking of everything that leaves the process.
