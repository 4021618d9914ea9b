//! Identity providers of a tenant, and what their word on a person comes to here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{GroupKey, PersonId, RecordId};
use crate::words::Role;

/// An OpenID Connect provider at which people of the tenant sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `corp`: stands in its addresses.
    pub key: String,
    /// What its button says.
    pub name: String,
    /// The issuer, letter for letter as its tokens name it (OpenID Connect Discovery section 4).
    pub issuer: String,
    /// Our name at the provider.
    pub client_id: String,
    /// Whether a secret is kept for it; without one PKCE alone protects the code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_secret: bool,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that a new person's login is made from.
    pub login_claim: String,
    /// The claim that lists groups; without one groups are left alone. A sign-in that does not bring it is one in no group, unless
    /// the provider says that the list stands elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<String>,
    /// Their groups to ours. A person who signs in joins and leaves exactly these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, GroupKey>,
    /// Their groups to rights. A person who signs in gains and loses exactly these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
    /// Whether somebody who is not known yet becomes a person on first sign-in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub creates_people: bool,
    /// Whether its mail addresses are believed although it does not say that it verified them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trusts_mail: bool,
    /// Whether people may sign in there.
    pub active: bool,
    /// Who set it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_at: Option<Timestamp>,
}

/// What a provider's verified token says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// `issuer subject`: who they are at the provider, for ever.
    pub subject: String,
    /// The text that a login may be made from.
    pub login: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their mail address, in lower case.
    pub mail: Option<String>,
    /// Whether the provider says that it verified the address.
    pub mail_is_verified: bool,
    /// Their groups; `None` when they are not asked for, or when the provider says that they stand elsewhere because there are too
    /// many: then nothing is known of them. Whoever is in no group has the empty list.
    pub groups: Option<Vec<String>>,
}

/// A person as a provisioning directory tells of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProvisionedPerson {
    /// In lower case.
    pub login: String,
    /// The name that others read.
    pub name: String,
    /// Where mail goes.
    pub email: Option<String>,
    /// IANA zone, if it is one.
    pub zone: Option<String>,
    /// Whether they may act, where it says so: what it does not say stays as it is, for nobody comes back by silence.
    pub active: Option<bool>,
    /// With `active` false: whether somebody else may have used the account.
    pub compromised: bool,
    /// Their id in that directory.
    pub external_id: Option<String>,
    /// What else it tells, by attribute.
    pub attributes: Vec<(String, String)>,
}

/// A group as a provisioning directory tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProvisionedGroup {
    /// The name.
    pub name: String,
    /// Its id in that directory.
    pub external_id: Option<String>,
    /// Ids of the people in it.
    pub members: BTreeSet<String>,
}

impl IdentityProvider {
    /// The mail address by which a person may be found: one that is verified or believed.
    pub fn mail_of<'a>(&self, claimed: &'a Claimed) -> Option<&'a str> {
        let counts = claimed.mail_is_verified || self.trusts_mail;
        claimed.mail.as_deref().filter(|_| counts)
    }

    /// The rights of somebody after a sign-in: those that the provider manages follow its word, the others stay.
    pub fn roles_after(&self, before: &BTreeSet<Role>, claimed: &Claimed) -> BTreeSet<Role> {
        let Some(theirs) = claimed.groups.as_ref().filter(|_| self.groups_claim.is_some()) else {
            return before.clone();
        };
        let managed: BTreeSet<Role> = self.roles.values().copied().collect();
        let given = theirs.iter().filter_map(|name| self.roles.get(name)).copied();
        before.difference(&managed).copied().chain(given).collect()
    }

    /// For each group that the provider manages, whether somebody belongs to it now.
    pub fn memberships(&self, claimed: &Claimed) -> BTreeMap<GroupKey, bool> {
        let mut found: BTreeMap<GroupKey, bool> = BTreeMap::new();
        let Some(theirs) = claimed.groups.as_ref().filter(|_| self.groups_claim.is_some()) else {
            return found;
        };
        for (name, ours) in &self.groups {
            let belongs = theirs.contains(name);
            *found.entry(ours.clone()).or_default() |= belongs;
        }
        found
    }
}

/// Members of a group with one person in or out; `None` when nothing changes.
pub fn with_member(members: &BTreeSet<PersonId>, person: &PersonId, belongs: bool) -> Option<BTreeSet<PersonId>> {
    if members.contains(person) == belongs {
        return None;
    }
    let mut members = members.clone();
    if belongs {
        members.insert(person.clone());
    } else {
        members.remove(person);
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    fn provider() -> IdentityProvider {
        serde_json::from_value(json!({
            "id": "i1", "version": 1, "key": "corp", "name": "Corp", "issuer": "https://id.example",
            "client_id": "assent", "scopes": [], "login_claim": "preferred_username", "groups_claim": "groups",
            "groups": {"sre": "ops", "dba": "ops", "sec": "security"}, "roles": {"sre": "implementer"}, "active": true,
        }))
        .unwrap()
    }

    fn claimed(groups: Option<&[&str]>) -> Claimed {
        Claimed {
            subject: "https://id.example 7".to_owned(),
            login: None,
            name: None,
            mail: Some("a@b.example".to_owned()),
            mail_is_verified: false,
            groups: groups.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        }
    }

    #[test]
    fn managed_groups_and_rights_follow_the_provider_and_stay_where_it_names_no_list() {
        let before = BTreeSet::from([Role::Implementer, Role::Auditor]);
        let it = provider();
        assert_eq!(
            it.roles_after(&before, &claimed(Some(&[]))),
            BTreeSet::from([Role::Auditor])
        );
        assert_eq!(it.roles_after(&before, &claimed(None)), before, "too many to be named");
        let after = it.memberships(&claimed(Some(&["dba", "unknown"])));
        assert_eq!(
            after,
            BTreeMap::from([("ops".into(), true), ("security".into(), false)])
        );
        let nowhere = it.memberships(&claimed(Some(&[])));
        assert_eq!(
            nowhere,
            BTreeMap::from([("ops".into(), false), ("security".into(), false)])
        );
        assert!(it.memberships(&claimed(None)).is_empty(), "nobody is moved");
    }

    #[test]
    fn an_unverified_address_finds_nobody() {
        let mut it = provider();
        assert_eq!(it.mail_of(&claimed(None)), None);
        it.trusts_mail = true;
        assert_eq!(it.mail_of(&claimed(None)), Some("a@b.example"));
    }
}
