//! Overrides of rollout flags.

use async_trait::async_trait;
use mizan_core::Timestamp;
use mizan_payments::rollout::Flag;

use crate::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagOverride {
    pub flag: Flag,
    pub value: bool,
    pub reason: String,
    pub set_by: String,
    pub set_at: Timestamp,
}

#[async_trait]
pub trait Flags {
    async fn flag_overrides(&mut self) -> Result<Vec<FlagOverride>>;

    /// Sets the tenant's override of a flag, in place of an earlier one.
    async fn set_flag_override(&mut self, flag: &FlagOverride) -> Result<()>;
}
