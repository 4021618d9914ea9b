//! The bounds of a template: how far a standard change may go in the fields that its template leaves free.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::change::record::Impact;
use crate::core::enums::{Disruption, Level, Touch};

/// The bounds of a template's version. Outside of them a change is a normal one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateBounds {
    /// The highest risk of its changes.
    pub highest_risk: Level,
    /// The highest impact on each axis.
    pub impact: Impact,
    /// The highest complexity.
    pub complexity: Level,
    /// The sensitive things that its changes may touch.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub touches: BTreeSet<Touch>,
    /// The most that users may notice; absent where they notice nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruption: Option<DisruptionBound>,
    /// The highest forecast of failure, in parts per million; absent where the forecast decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest_probability: Option<i64>,
}

/// The most that users may notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisruptionBound {
    /// The gravest kind.
    pub kind: Disruption,
    /// For how many minutes; without it, for any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
}

impl Default for TemplateBounds {
    /// The bounds of a template that was approved before templates had any: whatever its approvers did not lock is low.
    fn default() -> Self {
        Self {
            highest_risk: Level::Low,
            impact: Impact {
                data: Level::Low,
                availability: Level::Low,
                compliance: Level::Low,
            },
            complexity: Level::Low,
            touches: BTreeSet::new(),
            disruption: None,
            highest_probability: None,
        }
    }
}

impl TemplateBounds {
    /// Bounds that exclude nothing: for searches, which look for paths that no template should hide.
    pub fn widest() -> Self {
        Self {
            highest_risk: Level::High,
            impact: Impact {
                data: Level::High,
                availability: Level::High,
                compliance: Level::High,
            },
            complexity: Level::High,
            touches: Touch::ALL.iter().copied().collect(),
            disruption: Some(DisruptionBound {
                kind: Disruption::Outage,
                minutes: None,
            }),
            highest_probability: None,
        }
    }
}
