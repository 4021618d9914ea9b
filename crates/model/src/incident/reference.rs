//! How a text names an incident: by its key here, or as an outside reference to another system. Links, changes and break-glass
//! read their incidents here, so that a mistyped key is refused at every entry point.

use crate::directory::snapshot::{Directory, Incident};

/// What a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// An incident here, by its key.
    Incident(String),
    /// Something in another system, as it is written.
    Outside(String),
}

impl Reference {
    /// As it is kept.
    #[must_use]
    pub fn into_text(self) -> String {
        match self {
            Self::Incident(text) | Self::Outside(text) => text,
        }
    }
}

/// Whether a text is written as a reference to another system: `system:key`, such as `jira:OPS-7`, or a link.
#[must_use]
pub fn is_outside(text: &str) -> bool {
    let Some((system, key)) = text.split_once(':') else {
        return false;
    };
    let begins = system.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    let is_name = system.chars().all(|c| c.is_ascii_alphanumeric() || "+.-_".contains(c));
    let rest = key.trim_start_matches('/');
    begins && is_name && !rest.is_empty() && !key.starts_with(char::is_whitespace)
}

/// The incidents here that a text names: the one of this key, in any case of letters, or those with this reference; what goes on
/// before what is over, the latest first.
#[must_use]
pub fn incidents_here<'d>(directory: &'d Directory, text: &str) -> Vec<&'d Incident> {
    if let Some(found) = directory.incidents.get(&text.to_uppercase()) {
        return vec![found];
    }
    let same = directory.incidents.values();
    let mut found: Vec<&Incident> = same
        .filter(|it| it.external_ref.as_deref() == Some(text) || it.course.external_keys.contains(text))
        .collect();
    found.sort_by_key(|it| {
        (
            it.ended_at().is_some(),
            std::cmp::Reverse((it.started_at, it.key.clone())),
        )
    });
    found
}

/// The incident here that a text names. Of several under one reference one that goes on counts, and of those the latest.
#[must_use]
pub fn incident_here<'d>(directory: &'d Directory, text: &str) -> Option<&'d Incident> {
    incidents_here(directory, text).first().copied()
}

/// Reads the name of an incident.
///
/// # Errors
/// A sentence that says what is wrong and how an outside reference is written.
pub fn incident(directory: &Directory, text: &str) -> Result<Reference, String> {
    let text = text.trim();
    if let Some(found) = incident_here(directory, text) {
        return Ok(Reference::Incident(found.key.clone()));
    }
    if is_outside(text) {
        return Ok(Reference::Outside(text.to_owned()));
    }
    Err(format!(
        "There is no incident `{text}`. A record of another system is written as `system:key`, such as `jira:OPS-7`, or as a \
         link."
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_outside_reference_names_its_system() {
        for text in [
            "jira:OPS-7",
            "pagerduty:shop/slow",
            "https://status.example/42",
            "deployment:0198:7",
        ] {
            assert!(is_outside(text), "{text}");
            assert_eq!(
                incident(&Directory::default(), text),
                Ok(Reference::Outside(text.to_owned()))
            );
        }
        for text in [
            "",
            "banana",
            "INC-99999",
            "inc-1",
            ":OPS-7",
            "jira:",
            "jira: OPS",
            "7:x",
            "https://",
            "my jira:7",
        ] {
            assert!(incident(&Directory::default(), text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn without_a_system_nothing_is_an_outside_reference(text in "[^:]{0,40}") {
            prop_assert!(incident(&Directory::default(), &text).is_err());
        }
    }
}
