//! The job side: claim, lease, retry, dead letter.
