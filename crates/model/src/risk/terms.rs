//! The terms by which risk is derived: the reach of a change in distance and number, and the least complexity of sensitive
//! work.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::enums::{Category, Level, Touch};

/// The touches that a service or a config item may hold. The network is not among them.
pub const HELD: [Touch; 4] = [
    Touch::PrivilegedAccess,
    Touch::CryptoKeys,
    Touch::PersonalData,
    Touch::Schema,
];

/// The terms of a tenant, put in force with its risk table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskTerms {
    /// Up to so many arrows away a reached service counts as if it were changed itself.
    pub near: i64,
    /// Up to so many arrows away it counts by one level less; what lies further away counts among the many alone.
    pub far: i64,
    /// The number of reached things from which the impact on availability is medium.
    pub many: i64,
    /// The number from which it is high.
    pub most: i64,
    /// The least complexity by touch.
    pub complexity: BTreeMap<Touch, Level>,
    /// The least complexity of work of a category.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<Category, Level>,
}

impl Default for RiskTerms {
    fn default() -> Self {
        Self {
            near: 1,
            far: 3,
            many: 20,
            most: 100,
            complexity: BTreeMap::from([(Touch::Schema, Level::Medium), (Touch::CryptoKeys, Level::Medium)]),
            categories: BTreeMap::new(),
        }
    }
}

impl RiskTerms {
    /// Whether these are the terms of a tenant that set none.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The least complexity of work of a category with these touches, where there is one.
    pub fn complexity_of(&self, touches: &BTreeSet<Touch>, category: Category) -> Option<Level> {
        let by_touches = touches.iter().filter_map(|touch| self.complexity.get(touch));
        by_touches.chain(self.categories.get(&category)).max().copied()
    }
}
