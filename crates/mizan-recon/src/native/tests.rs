//! Whole runs of the native engine.
