//! Know your customer: whether a player's documents were reviewed, and with which result.

mizan_core::words! {
    pub enum KycStatus {
        /// No document was handed in.
        None = "none",
        Pending = "pending",
        Approved = "approved",
        Rejected = "rejected",
    }
}
