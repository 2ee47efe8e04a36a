//! The matching engine: statements and ledger lines in, findings out.
