//! Grants of a compromised account to others: they are suspended with the account until another person confirms them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;

/// The kind of grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenKind {
    /// A person's account here.
    Person,
    /// A right in the tenant.
    Role,
    /// A job function.
    Function,
    /// A login in a connected system.
    Account,
    /// The membership of a group.
    Group,
    /// A row of the ownership matrix.
    Ownership,
    /// A delegation.
    Delegation,
    /// A webhook.
    Webhook,
    /// A connection.
    Connection,
    /// An identity provider.
    IdentityProvider,
    /// A workload.
    Workload,
    /// A sink of the log.
    Sink,
    /// A training on record.
    Training,
}

/// One grant of a compromised account, and the decision about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    /// Its number in the list, from 1.
    pub number: i64,
    /// The granted thing.
    pub kind: GivenKind,
    /// The holder, where it belongs to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The role, the function, the group's key, or the record's id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// A login in a connected system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The end of the grant, where one was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whether the grant holds all the same: its holder is the person who deactivated the account and could not act otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds: bool,
    /// The decision about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// A person's decision on a suspended grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The person who decided.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Whether the grant holds again by this decision.
    pub confirmed: bool,
}

/// The giver of each grant: the actor of the version in which it came last. `versions` are the contents of a record with their
/// actors, from the first on.
pub fn givers<'a, T: PartialEq + Clone>(versions: impl IntoIterator<Item = (&'a str, Vec<T>)>) -> Vec<(T, &'a str)> {
    let mut found: Vec<(T, &str)> = Vec::new();
    for (actor, now) in versions {
        found.retain(|(one, _)| now.contains(one));
        for one in now {
            if !found.iter().any(|(known, _)| *known == one) {
                found.push((one, actor));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_giver_is_who_gave_it_last() {
        let versions = vec![
            ("ada", vec!["owner"]),
            ("eve", vec!["owner", "security"]),
            ("ada", vec!["security"]),
            ("eve", vec!["security", "owner"]),
        ];
        assert_eq!(givers(versions), [("security", "eve"), ("owner", "eve")]);
        assert!(givers(vec![("eve", vec![1]), ("ada", Vec::new())]).is_empty());
        assert_eq!(
            givers(vec![("eve", vec![1]), ("ada", vec![]), ("bea", vec![1])]),
            [(1, "bea")]
        );
    }
}
