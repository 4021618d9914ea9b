//! Which vendors operate a service, and the rules of a vendor's fields.

use std::collections::BTreeSet;

use crate::core::ids::{PersonId, ServiceKey};
use crate::core::parse::Reading;
use crate::directory::snapshot::Directory;
use crate::directory::vendor::{MOST_PEOPLE, Vendor, VendorInput};

impl Directory {
    /// The vendor in use with this key.
    #[must_use]
    pub fn vendor(&self, key: &str) -> Option<&Vendor> {
        self.vendors.iter().find(|it| it.key == key)
    }

    /// The vendors that operate a service, by name and key; `None` where none does.
    #[must_use]
    pub fn operators(&self, service: &ServiceKey) -> Option<String> {
        let found = self.vendors.iter().filter(|it| it.services.contains(service));
        let names: Vec<String> = found.map(Vendor::called).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// The rules of a vendor's fields: a key, mail addresses, limits; and each login belongs to a person of no other vendor.
/// Returns the people; those of `old` where the request leaves them alone.
pub fn check(
    reading: &mut Reading<'_>,
    input: &VendorInput,
    old: Option<&Vendor>,
    directory: &Directory,
) -> BTreeSet<PersonId> {
    let is_key = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if reading.says("key") && (!is_key(&input.key) || input.key.len() > 64) {
        let text = "`key` has at most 64 lower-case letters, digits and `-`.";
        reading.wrong("key", "not_a_key", text);
    }
    if input.contacts.len() > MOST_PEOPLE || input.members.len() > MOST_PEOPLE {
        let text = format!("A vendor has at most {MOST_PEOPLE} contacts and {MOST_PEOPLE} people.");
        reading.wrong("members", "too_many", text);
    }
    let is_mail = |text: &&String| {
        let whole = text.split_once('@');
        whole.is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) && !text.contains(char::is_whitespace)
    };
    if reading.says("contacts")
        && let Some(wrong) = input.contacts.iter().find(|it| !is_mail(it))
    {
        let text = format!("`{wrong}` is not a mail address such as noc@cartwell.example.");
        reading.wrong("contacts", "not_an_address", text);
    }
    match old {
        Some(old) if !reading.says("members") => old.members.clone(),
        _ => members(reading, input, old, directory),
    }
}

fn members(
    reading: &mut Reading<'_>,
    input: &VendorInput,
    old: Option<&Vendor>,
    directory: &Directory,
) -> BTreeSet<PersonId> {
    let mut found = BTreeSet::new();
    for login in &input.members {
        let Some(person) = directory.by_login(login) else {
            let text = format!("No person has the login `{login}`.");
            reading.wrong("members", "unknown", text);
            continue;
        };
        let mut others = directory
            .vendors
            .iter()
            .filter(|it| old.is_none_or(|old| old.id != it.id));
        if let Some(other) = others.find(|it| it.members.contains(&person.id)) {
            let text = format!(
                "`{login}` already belongs to {}; remove them there first.",
                other.called()
            );
            reading.wrong("members", "not_unique", text);
        }
        found.insert(person.id.clone());
    }
    found
}
