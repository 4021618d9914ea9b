//! A person who holds a right, and the basis of that right.

use serde::{Deserialize, Serialize};

use crate::core::enums::Role;
use crate::core::ids::PersonId;

/// A record with the version that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The record's id, or a group's key.
    pub id: String,
    /// Its version then.
    pub version: i64,
}

/// Why a person may decide, as the records and versions on which the authority rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Basis {
    /// The row of the ownership matrix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership: Option<Seen>,
    /// The scope of the matrix row: `service:shop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The path from the target to that scope, where it is inherited: `item:orders-db`, `service:shop`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// The group through which the person holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership: Option<Seen>,
    /// The on-call time that makes the person an approver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_call: Option<Seen>,
    /// The right in the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The delegations, nearest to the holder of the right first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegations: Vec<Seen>,
    /// The people for whom the person decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegators: Vec<PersonId>,
    /// Whether the change itself names them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named: bool,
    /// Whether an escalation brought the matter to them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escalated: bool,
}

impl Basis {
    /// Whether nothing is known of it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A person with the reason why they have a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The person.
    pub person: PersonId,
    /// `owner of booking-api since 2025-03-01`.
    pub why: String,
    /// The same as records.
    pub basis: Basis,
}

impl Holder {
    /// The original holder of the right: one right counts once, whoever uses it.
    pub fn root(&self) -> &PersonId {
        self.basis.delegators.first().unwrap_or(&self.person)
    }

    /// The group through which the person holds it, if any.
    pub fn group(&self) -> Option<&str> {
        self.basis.membership.as_ref().map(|group| group.id.as_str())
    }

    /// Whether both decide for one person by the same path, for different groups of that person.
    pub(crate) fn speaks_for_another_group_than(&self, other: &Self) -> bool {
        let lent = !self.basis.delegators.is_empty();
        lent && self.basis.delegators == other.basis.delegators && self.group() != other.group()
    }
}
