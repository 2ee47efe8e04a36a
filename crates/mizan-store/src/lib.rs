//! The storage contract: Store, Tx, StoreError, migration plans; no SQL.
