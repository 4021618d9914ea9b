//! Identity providers of a tenant, and the effect of their claims about a person.

use std::collections::{BTreeMap, BTreeSet};

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::enums::Role;
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::directory::records::{Given, Person, RefusedRight, Vouched};

/// An OpenID Connect provider at which people of the tenant sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "identity_provider")]
pub struct IdentityProvider {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `corp`: stands in its addresses.
    #[card(column)]
    pub key: String,
    /// What its button says.
    #[card(text)]
    pub name: String,
    /// The issuer, exactly as its tokens name it (OpenID Connect Discovery section 4).
    pub issuer: String,
    /// Our name at the provider.
    pub client_id: String,
    /// Whether a client secret is stored; without one, PKCE alone protects the code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_secret: bool,
    /// The scopes requested besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that a new person's login is made from.
    pub login_claim: String,
    /// The claim that lists groups; without one, groups are left alone. A sign-in without this claim means no groups, unless
    /// the provider states that the list is elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<String>,
    /// The provider's groups, mapped to groups here. A sign-in adds and removes exactly these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[card(object)]
    pub groups: BTreeMap<String, GroupKey>,
    /// The provider's groups, mapped to roles. A sign-in adds and removes exactly these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[card(object)]
    pub roles: BTreeMap<String, Role>,
    /// The number of days for which its rights last after the last sign-in.
    #[serde(default = "usual_days", skip_serializing_if = "is_usual_days")]
    pub rights_last_days: i64,
    /// Whether an unknown person is created at their first sign-in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub creates_people: bool,
    /// Whether its mail addresses are trusted without a claim that they are verified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trusts_mail: bool,
    /// Whether people may sign in there.
    #[card(column)]
    pub active: bool,
    /// The person who set it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_at: Option<Timestamp>,
}

/// The usual lifetime of a provider's rights in days: a quarter, like access reviews.
pub const USUAL_DAYS: i64 = 90;

fn usual_days() -> i64 {
    USUAL_DAYS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_usual_days(days: &i64) -> bool {
    *days == USUAL_DAYS
}

impl Vouched {
    /// Whether it gives no rights.
    pub fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.groups.is_empty()
    }
}

impl ProvisionedPerson {
    /// Every mail address of the person, in lower case.
    pub fn addresses(&self) -> Vec<String> {
        addresses(&self.attributes, self.email.as_deref())
    }
}

/// The mail addresses among attributes, and the main one, in lower case.
fn addresses(attributes: &[(String, String)], main: Option<&str>) -> Vec<String> {
    let told = attributes.iter().find(|(name, _)| name == "emails");
    // A provisioning directory's data is kept as the JSON that it sent; its attribute table was applied before.
    let told = told.and_then(|(_, text)| serde_json::from_str::<Vec<serde_json::Value>>(text).ok());
    let values = told.iter().flatten().filter_map(|item| item.get("value")?.as_str());
    values.chain(main).map(str::to_lowercase).collect()
}

impl Person {
    /// Every mail address of the person, in lower case: the main address, and further ones from a provisioning directory.
    pub fn addresses(&self) -> Vec<String> {
        addresses(&self.attributes, self.email.as_deref())
    }

    /// Whether an administrator here refused them this right.
    pub fn is_refused(&self, kind: Given, what: &str) -> bool {
        self.refused_rights.iter().any(|it| it.kind == kind && it.what == what)
    }

    /// Notes a refusal; one of the same right goes.
    pub fn refuse(&mut self, right: RefusedRight) {
        self.lift(right.kind, &right.what);
        self.refused_rights.push(right);
    }

    /// Forgets a refusal.
    pub fn lift(&mut self, kind: Given, what: &str) {
        self.refused_rights.retain(|it| it.kind != kind || it.what != what);
    }
}

/// The claims about a person in a provider's verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// `issuer subject`: the permanent id of the person at the provider.
    pub subject: String,
    /// The text that a login may be made from.
    pub login: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their mail address, in lower case.
    pub mail: Option<String>,
    /// Whether the provider states that it verified the address.
    pub mail_is_verified: bool,
    /// Their groups; `None` when groups are not requested, or when the provider states that the list is elsewhere because it is
    /// too long. A person without groups has the empty list.
    pub groups: Option<Vec<String>>,
}

/// A person as a provisioning directory sends them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProvisionedPerson {
    /// In lower case.
    pub login: String,
    /// The name that others read.
    pub name: String,
    /// The mail address for letters.
    pub email: Option<String>,
    /// IANA zone, if it is one.
    pub zone: Option<String>,
    /// Whether they may act; without this attribute the state is unchanged, so that a missing value reactivates nobody.
    pub active: Option<bool>,
    /// With `active` false: whether another person may have used the account.
    pub compromised: bool,
    /// Their id in that directory.
    pub external_id: Option<String>,
    /// The remaining attributes, by name.
    pub attributes: Vec<(String, String)>,
}

/// A group as a provisioning directory sends it.
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
    /// The mail address by which a person may be found: a verified or trusted one.
    pub fn mail_of<'a>(&self, claimed: &'a Claimed) -> Option<&'a str> {
        let counts = claimed.mail_is_verified || self.trusts_mail;
        claimed.mail.as_deref().filter(|_| counts)
    }

    /// The groups that a sign-in names, if the provider is configured for them and sends them.
    fn theirs<'a>(&self, claimed: &'a Claimed) -> Option<&'a Vec<String>> {
        claimed.groups.as_ref().filter(|_| self.groups_claim.is_some())
    }

    /// The roles that a sign-in gives, without refused ones.
    fn given(&self, person: &Person, theirs: &[String]) -> BTreeSet<Role> {
        let told = theirs.iter().filter_map(|name| self.roles.get(name)).copied();
        told.filter(|role| !person.is_refused(Given::Role, role.as_str()))
            .collect()
    }

    /// The roles of a person after a sign-in: the provider's claims decide those that it manages; the others stay.
    pub fn roles_after(&self, person: &Person, claimed: &Claimed) -> BTreeSet<Role> {
        let Some(theirs) = self.theirs(claimed) else {
            return person.roles.clone();
        };
        let managed: BTreeSet<Role> = self.roles.values().copied().collect();
        let kept = person.roles.difference(&managed).copied();
        kept.chain(self.given(person, theirs)).collect()
    }

    /// For each group that the provider manages, whether the person is a member now. A refused membership counts as none.
    pub fn memberships(&self, person: &Person, claimed: &Claimed) -> BTreeMap<GroupKey, bool> {
        let mut found: BTreeMap<GroupKey, bool> = BTreeMap::new();
        let Some(theirs) = self.theirs(claimed) else {
            return found;
        };
        for (name, ours) in &self.groups {
            let belongs = theirs.contains(name) && !person.is_refused(Given::Group, ours.as_str());
            *found.entry(ours.clone()).or_default() |= belongs;
        }
        found
    }

    /// The record that a sign-in leaves: the rights that it gives, and their end. A sign-in without a groups claim renews the
    /// existing rights. Within a day of the last sign-in nothing is written again.
    pub fn vouched_after(&self, person: &Person, claimed: &Claimed, now: Timestamp) -> Vec<Vouched> {
        let old = person.vouched.iter().find(|it| it.provider == self.key);
        let (roles, groups) = match (self.theirs(claimed), old) {
            (Some(theirs), _) => {
                let seats = self.memberships(person, claimed).into_iter();
                let groups = seats.filter_map(|(key, belongs)| belongs.then_some(key)).collect();
                (self.given(person, theirs), groups)
            }
            (None, Some(old)) => (old.roles.clone(), old.groups.clone()),
            (None, None) => return person.vouched.clone(),
        };
        let until = self.lasts_until(now);
        let is_fresh = |old: &Vouched| {
            let age = now.duration_since(old.confirmed_at);
            old.roles == roles && old.groups == groups && age < A_DAY && until.duration_since(old.until).abs() < A_DAY
        };
        if old.is_some_and(is_fresh) || old.is_none() && roles.is_empty() && groups.is_empty() {
            return person.vouched.clone();
        }
        let (provider, confirmed_at) = (self.key.clone(), now);
        let fresh = Vouched {
            provider,
            confirmed_at,
            until,
            roles,
            groups,
        };
        let others = person.vouched.iter().filter(|it| it.provider != self.key).cloned();
        others.chain([fresh]).collect()
    }

    /// The end of the rights that a sign-in at this time gives.
    pub fn lasts_until(&self, confirmed_at: Timestamp) -> Timestamp {
        let whole = SignedDuration::from_hours(24 * self.rights_last_days);
        confirmed_at.checked_add(whole).unwrap_or(Timestamp::MAX)
    }
}

/// The precision with which sign-in times are stored.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

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

    fn person() -> Person {
        serde_json::from_value(json!({
            "id": "p1", "version": 1, "login": "ida", "name": "Ida", "roles": ["implementer", "auditor"], "zone": "UTC",
            "active": true,
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
        let somebody = person();
        let it = provider();
        assert_eq!(
            it.roles_after(&somebody, &claimed(Some(&[]))),
            BTreeSet::from([Role::Auditor])
        );
        assert_eq!(
            it.roles_after(&somebody, &claimed(None)),
            somebody.roles,
            "too many to be named"
        );
        let after = it.memberships(&somebody, &claimed(Some(&["dba", "unknown"])));
        assert_eq!(
            after,
            BTreeMap::from([("ops".into(), true), ("security".into(), false)])
        );
        let nowhere = it.memberships(&somebody, &claimed(Some(&[])));
        assert_eq!(
            nowhere,
            BTreeMap::from([("ops".into(), false), ("security".into(), false)])
        );
        assert!(it.memberships(&somebody, &claimed(None)).is_empty(), "nobody is moved");
    }

    #[test]
    fn what_somebody_here_refused_no_claim_gives_until_it_is_lifted() {
        let it = provider();
        let mut somebody = person();
        for (kind, what) in [(Given::Role, "implementer"), (Given::Group, "ops")] {
            let (by, at) = (PersonId::from("adam"), Timestamp::UNIX_EPOCH);
            somebody.refuse(RefusedRight {
                kind,
                what: what.to_owned(),
                by,
                at,
                review: None,
            });
        }
        let told = claimed(Some(&["sre", "sec"]));
        assert_eq!(it.roles_after(&somebody, &told), BTreeSet::from([Role::Auditor]));
        let seats = BTreeMap::from([("ops".into(), false), ("security".into(), true)]);
        assert_eq!(it.memberships(&somebody, &told), seats);
        let vouched = it.vouched_after(&somebody, &told, Timestamp::UNIX_EPOCH);
        assert_eq!((vouched[0].roles.len(), vouched[0].groups.len()), (0, 1));
        somebody.lift(Given::Role, "implementer");
        assert!(it.roles_after(&somebody, &told).contains(&Role::Implementer));
    }

    #[test]
    fn a_sign_in_is_noted_once_a_day_and_what_it_gives_ends_a_quarter_later() {
        let it = provider();
        let mut somebody = person();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let told = claimed(Some(&["sre"]));
        let first = it.vouched_after(&somebody, &told, at("2026-11-20T08:00:00Z"));
        assert_eq!(first[0].until, at("2027-02-18T08:00:00Z"));
        somebody.vouched = first.clone();
        let same_day = it.vouched_after(&somebody, &told, at("2026-11-21T07:59:59Z"));
        assert_eq!(same_day, first);
        let next_day = it.vouched_after(&somebody, &claimed(None), at("2026-11-21T08:00:00Z"));
        assert_eq!(
            next_day[0].until,
            at("2027-02-19T08:00:00Z"),
            "renewed, as nothing of it moves"
        );
        assert_eq!(next_day[0].roles, first[0].roles);
        let moved = it.vouched_after(&somebody, &claimed(Some(&[])), at("2026-11-20T09:00:00Z"));
        assert!(moved[0].is_empty());
    }

    #[test]
    fn an_unverified_address_finds_nobody() {
        let mut it = provider();
        assert_eq!(it.mail_of(&claimed(None)), None);
        it.trusts_mail = true;
        assert_eq!(it.mail_of(&claimed(None)), Some("a@b.example"));
    }
}
