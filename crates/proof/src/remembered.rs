//! A verifier's memory of the revocation lists that it has verified. No list un-revokes a permit: a later list with fewer
//! permits takes nothing back, and one of a lower epoch is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::jws::Refused;
use crate::revocation::{NotBefore, RevocationList};

/// The most revoked permits that are remembered. Beyond that, the earliest ids are dropped, because those permits have expired.
pub const MOST: usize = 200_000;

/// The union of all lists that were verified. It belongs to one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The tenant whose lists these were.
    pub tenant: String,
    /// The highest epoch that a list had.
    pub epoch: u64,
    /// The `jti` of each revoked permit.
    pub revoked: BTreeSet<String>,
    /// By service and environment: permits issued before this are revoked.
    pub not_before: BTreeMap<String, BTreeMap<String, i64>>,
}

impl Remembered {
    /// Nothing yet of this tenant.
    #[must_use]
    pub fn new(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            ..Self::default()
        }
    }

    /// Adds a verified list.
    ///
    /// # Errors
    /// [`Refused`] (undecided) with `list_set_back` for a list of a lower epoch than was seen, or `list_invalid` for one of
    /// another tenant.
    pub fn take(&mut self, list: &RevocationList) -> Result<(), Refused> {
        if list.tenant.as_ref().is_some_and(|tenant| *tenant != self.tenant) {
            return Err(Refused::cannot_tell(
                "list_invalid",
                "The revocation list is of another tenant than what is remembered.",
            ));
        }
        if list.epoch < self.epoch {
            let text = format!(
                "The revocation list has epoch {}, and one with epoch {} was seen: it was set back.",
                list.epoch, self.epoch
            );
            return Err(Refused::cannot_tell("list_set_back", text));
        }
        self.epoch = list.epoch;
        self.revoked.extend(list.revoked.iter().cloned());
        while self.revoked.len() > MOST {
            self.revoked.pop_first();
        }
        for entry in &list.not_before {
            let places = self.not_before.entry(entry.service.clone()).or_default();
            let iat = places.entry(entry.environment.clone()).or_insert(entry.iat);
            *iat = entry.iat.max(*iat);
        }
        Ok(())
    }

    /// A list with all revocations so far, as fresh as the last one that was added.
    #[must_use]
    pub fn united(&self, list: &RevocationList) -> RevocationList {
        let places = self.not_before.iter().flat_map(|(service, places)| {
            places.iter().map(move |(environment, iat)| NotBefore {
                service: service.clone(),
                environment: environment.clone(),
                iat: *iat,
            })
        });
        RevocationList {
            revoked: self.revoked.iter().cloned().collect(),
            not_before: places.collect(),
            ..list.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn list(epoch: u64, revoked: &[&str], iat: i64) -> RevocationList {
        RevocationList {
            tenant: Some("acme".into()),
            epoch,
            issued_at: 100,
            next_update: 160,
            revoked: revoked.iter().map(|it| (*it).to_owned()).collect(),
            not_before: vec![NotBefore {
                service: "shop".into(),
                environment: "production".into(),
                iat,
            }],
        }
    }

    #[test]
    fn what_was_revoked_once_stays_revoked() {
        let mut known = Remembered::new("acme");
        known.take(&list(3, &["a", "b"], 50)).unwrap();
        known.take(&list(3, &["c"], 40)).unwrap();
        let united = known.united(&list(3, &["c"], 40));
        assert_eq!(united.revoked, ["a", "b", "c"]);
        assert_eq!(united.not_before[0].iat, 50);
        let text = serde_json::to_string(&known).unwrap();
        assert_eq!(serde_json::from_str::<Remembered>(&text).unwrap(), known);
    }

    #[test]
    fn a_list_of_a_lower_epoch_or_another_tenant_is_refused_and_changes_nothing() {
        let mut known = Remembered::new("acme");
        known.take(&list(3, &["a"], 50)).unwrap();
        let before = known.clone();
        assert_eq!(known.take(&list(2, &["z"], 90)).unwrap_err().code, "list_set_back");
        let other = RevocationList {
            tenant: Some("other".into()),
            ..list(9, &["z"], 90)
        };
        assert_eq!(known.take(&other).unwrap_err().code, "list_invalid");
        assert_eq!(known, before);
    }
}
