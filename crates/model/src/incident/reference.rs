//! References to incidents in texts: a key here, or an outside reference to another system. Links, changes and break-glass read
//! their incidents here, so that a mistyped key is refused at every entry point.

use crate::core::typed;
use crate::directory::snapshot::{Directory, Incident};

/// The prefixes of keys of incidents, changes and problems here.
const OWN_KEYS: [&str; 3] = ["INC-", "CHG-", "PRB-"];

/// The record that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// An incident here, by its key.
    Incident(String),
    /// Something in another system, as it is written.
    Outside(String),
}

impl Reference {
    /// The stored form.
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

/// Checks the form of an incident's name in another system: its key there (at most 100 ASCII letters, digits, `.`, `_` and
/// `-`), or an outside reference without spaces. A text in the form of a key here would be read as such a key.
///
/// # Errors
/// A sentence that names the mistake and the right form of a reference.
pub fn check_typed(text: &str) -> Result<(), String> {
    let upper = text.to_uppercase();
    let number = OWN_KEYS.iter().find_map(|key| upper.strip_prefix(key));
    if number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(format!(
            "`{text}` has the form of a key of this server. Write a record of another system with its system, such \
             as `jira:OPS-7`."
        ));
    }
    let is_one_word = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if typed::is_key(text) || is_one_word && is_outside(text) {
        return Ok(());
    }
    Err(
        "Write a record of another system without spaces: as its key there, such as `OPS-7`, as `system:key`, such \
         as `jira:OPS-7`, or as a link."
            .to_owned(),
    )
}

/// The incidents here that a text names: the one of this key, in any case of letters, or those with this reference; open ones
/// first, the latest first.
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

/// The incident here that a text names. Of several under one reference an open one counts, and of those the latest.
#[must_use]
pub fn incident_here<'d>(directory: &'d Directory, text: &str) -> Option<&'d Incident> {
    incidents_here(directory, text).first().copied()
}

/// Reads the name of an incident.
///
/// # Errors
/// A sentence that names the mistake and the right form of an outside reference.
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

    #[test]
    fn a_typed_reference_is_one_word_and_no_key_of_this_server() {
        for text in [
            "SD-4711",
            "INC0012345",
            "jira:OPS-7",
            "jira:INC-7",
            "https://status.example/42?a=b",
        ] {
            assert_eq!(check_typed(text), Ok(()), "{text}");
        }
        for text in [
            "INC-7",
            "inc-7",
            "CHG-1042",
            "see the chat",
            "jira:OPS 7",
            "jira:OPS\u{7}",
            "Ola Nordmann",
            ":x",
            "7:x",
        ] {
            assert!(check_typed(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn without_a_system_nothing_is_an_outside_reference(text in "[^:]{0,40}") {
            prop_assert!(incident(&Directory::default(), &text).is_err());
        }
    }
}
