//! Settings: one file a section, every problem found before anything is opened.
