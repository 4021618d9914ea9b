//! Access reviews: each manager reviews the rights of their people and signs, and refused rights are removed.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::card::Derived;
pub use crate::core::enums::Period;
use crate::core::ids::{PersonId, RecordId};

/// The prefix of a person's id in a scope, as in the keys of rows of the matrix.
pub const PERSON: &str = "person:";

impl Default for Period {
    /// Rights are looked at four times a year.
    fn default() -> Self {
        Self::Quarter
    }
}

impl Period {
    /// How many months it lasts; `None` where no review begins by itself.
    pub fn months(self) -> Option<i8> {
        match self {
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::HalfYear => Some(6),
            Self::Year => Some(12),
            Self::Never => None,
        }
    }

    /// Whether this is the default.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// A right that a person holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HeldRight {
    /// Its place in the review, from 1 on.
    pub row: i64,
    /// The holder.
    pub person: PersonId,
    /// `role`, `function`, `group`, `ownership`, `delegation`, `token` or `workload`.
    pub kind: String,
    /// The role, the job function, the group's key, or the id of the row of the matrix, the delegation, the token or the
    /// workload.
    pub what: String,
    /// The scope of the right, where its name does not contain it: `service:shop * owner person:…`, `person:…: security`. The
    /// log keeps the scope, so people appear in it by their ids alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whether the manager refused it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// A review is open until it is signed.
const OPEN: &[Derived] = &[("is_open", |it| it["signed_at"].is_null().into())];

/// One manager's part of a review of everybody's rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "access_review", derived = OPEN)]
pub struct AccessReview {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Joins the parts of one review.
    pub campaign: String,
    /// Who looks and signs.
    #[card(column)]
    pub manager: PersonId,
    /// The person who began it.
    pub begun_by: PersonId,
    /// When.
    pub begun_at: Timestamp,
    /// Until when it is to be signed.
    pub due_at: Timestamp,
    /// What is looked at.
    #[card(object)]
    pub rights: Vec<HeldRight>,
    /// When its manager was last reminded, in reviews from the time before action items did that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<Timestamp>,
    /// When it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// Why something was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub reason: Option<String>,
}

impl HeldRight {
    /// The scope for readers: with the present name of a person who lent a credential, as `named` returns it. Without such a
    /// name, and in older reviews that stored the login, the scope stays as it is.
    pub fn told_scope(&self, named: impl Fn(&PersonId) -> Option<String>) -> Option<String> {
        let scope = self.scope.as_ref()?;
        let told = scope.strip_prefix(PERSON).filter(|_| self.kind == "delegation");
        let told = told.and_then(|rest| {
            let (id, parts) = rest.split_at(rest.find([':', ';']).unwrap_or(rest.len()));
            Some(format!("{}{parts}", named(&PersonId::from(id))?))
        });
        Some(told.unwrap_or_else(|| scope.clone()))
    }
}

impl AccessReview {
    /// The refused rights.
    pub fn refused(&self) -> impl Iterator<Item = &HeldRight> {
        self.rights.iter().filter(|right| right.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_lent_their_word_is_told_by_name_and_kept_by_id() {
        let told = |kind: &str, scope: &str| {
            let right = HeldRight {
                row: 1,
                person: PersonId::from("p-2"),
                kind: kind.to_owned(),
                what: "d-1".to_owned(),
                scope: Some(scope.to_owned()),
                refused: false,
            };
            let named = |person: &PersonId| (person.as_str() == "p-1").then(|| "olga".to_owned());
            right.told_scope(named)
        };
        for (kind, scope, words) in [
            ("delegation", "person:p-1: owner; pay", "olga: owner; pay"),
            ("delegation", "person:p-1; pay", "olga; pay"),
            ("delegation", "person:p-1", "olga"),
            ("delegation", "person:p-9: owner", "person:p-9: owner"),
            ("delegation", "olga: owner; pay", "olga: owner; pay"),
            ("delegation", "person: owner", "person: owner"),
            ("workload", "person:p-1", "person:p-1"),
        ] {
            assert_eq!(told(kind, scope).as_deref(), Some(words));
        }
    }
}
