//! The mandate that binds an auditor, its read rights, and the rules of its fields.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::change::record::Change;
use crate::core::enums::Role;
use crate::core::ids::PersonId;
use crate::core::parse::Reading;
use crate::directory::audit_mandate::{AuditMandate, AuditMandateInput, LONGEST};
use crate::directory::snapshot::Directory;

impl AuditMandate {
    /// Whether a change is inside: each of its targets is, and it was created in the span.
    #[must_use]
    pub fn has(&self, change: &Change) -> bool {
        let targets = &change.content.targets;
        !targets.is_empty()
            && (self.services.is_empty() || targets.iter().all(|it| self.services.contains(&it.service)))
            && self.span_from.is_none_or(|from| change.created_at >= from)
            && self.span_to.is_none_or(|to| change.created_at < to)
    }
}

impl Directory {
    /// Whether an auditor was ever given a mandate; they read nothing outside of it from then on.
    #[must_use]
    pub fn is_mandated(&self, person: &PersonId) -> bool {
        self.audit_mandates.iter().any(|it| it.person == *person && it.binds())
    }

    /// The mandate of a person that holds now.
    #[must_use]
    pub fn mandate(&self, person: &PersonId, now: Timestamp) -> Option<&AuditMandate> {
        let own = self.audit_mandates.iter().filter(|it| it.person == *person);
        own.into_iter().find(|it| it.is_in_force(now))
    }
}

/// Checks a proposed mandate; returns its auditor.
pub fn check(reading: &mut Reading<'_>, input: &AuditMandateInput, directory: &Directory, now: Timestamp) -> PersonId {
    let found = directory.by_login(&input.person).filter(|person| person.active);
    if reading.says("person") && found.is_none() {
        let text = format!("No active person has the login `{}`.", input.person);
        reading.wrong("person", "unknown", text);
    }
    if found.is_some_and(|person| person.roles != BTreeSet::from([Role::Auditor])) {
        let text = "A mandate needs an account whose only right is `auditor`: any other right would grant more \
            access.";
        reading.wrong("person", "other_rights", text);
    }
    if input.span_from.zip(input.span_to).is_some_and(|(from, to)| from >= to) {
        let text = "`span_to` must be later than `span_from`: this period contains no change.";
        reading.wrong("span_to", "out_of_order", text);
    }
    if reading.says("ends_at") && input.ends_at <= input.starts_at.max(now) {
        let text = "`ends_at` must lie in the future and after `starts_at`.";
        reading.wrong("ends_at", "out_of_order", text);
    } else if input.ends_at.duration_since(input.starts_at) > LONGEST {
        let text = "A mandate is valid for at most a year; propose a new one afterwards.";
        reading.wrong("ends_at", "too_long", text);
    }
    let person = found
        .map(|person| person.id.clone())
        .unwrap_or_else(|| PersonId::from(""));
    let overlaps = |it: &&AuditMandate| {
        it.active && it.person == person && it.starts_at < input.ends_at && input.starts_at < it.ends_at
    };
    if let Some(other) = directory.audit_mandates.iter().find(overlaps) {
        let text = format!(
            "Their mandate {} is also valid in this period; withdraw it first.",
            other.id
        );
        reading.wrong("starts_at", "not_unique", text);
    }
    person
}
