//! The record of a target that a person closed by revoking a permit (`closing` beside it has the rules).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::Purpose;
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey, TargetId};
use crate::core::statement::Stated;

/// A target that is or was closed for one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedTarget {
    /// The permit that was revoked.
    pub permit: RecordId,
    /// The target.
    pub target: TargetId,
    /// Its service.
    pub service: ServiceKey,
    /// Its environment.
    pub environment: EnvironmentKey,
    /// Its artifact; for a rollback, the restored one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// Its commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Forward or back.
    pub purpose: Purpose,
    /// Why.
    pub reason: String,
    /// The person who closed it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The person who opened it again, and the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<Stated>,
}
