//! The names of what lies outside a scope, and texts without them. Records are filtered where they are read; this is the last
//! step of every response to a scoped reader, for the sentences, links and lists that a rule wrote with the whole directory.

use std::collections::{BTreeSet, HashMap};

use crate::directory::scope::Scope;
use crate::directory::snapshot::Directory;

/// The replacement for the key of a change that its reader does not see.
pub const OTHER_CHANGE: &str = "another change";
/// The beginning of the key of a change.
const CHANGE: &str = "CHG-";
/// The beginning of a message that repeats a requested name that does not exist for its reader.
const ABSENT: &str = "There is no ";
/// Titles and display names below this length are too common to be replaced in sentences; keys are replaced at any length.
const SHORTEST_NAME: usize = 3;

/// A name that a scoped reader does not see.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hidden {
    name: String,
    instead: &'static str,
}

/// The names outside a scope: keys and names of services, config items, incidents, templates and vendors, titles of freezes,
/// windows, coordinated maintenances and vendors' notices, names of calendars.
#[derive(Debug, Clone, Default)]
pub struct OutsideNames {
    /// By the letters and digits with which a name begins, the longest name first.
    by_beginning: HashMap<String, Vec<Hidden>>,
}

impl OutsideNames {
    /// The names that a directory has and a scope does not. A name that something inside has as well is not hidden.
    pub fn of(directory: &Directory, scope: &Scope) -> Self {
        let inside: BTreeSet<String> = names_of(&scope.narrow(directory)).map(|it| it.name).collect();
        let mut found = Self::default();
        for hidden in names_of(directory).filter(|it| !inside.contains(&it.name)) {
            let beginning = beginning_of(&hidden.name).to_owned();
            found.by_beginning.entry(beginning).or_default().push(hidden);
        }
        for row in found.by_beginning.values_mut() {
            row.sort_by_key(|it| std::cmp::Reverse(it.name.len()));
            row.dedup();
        }
        found
    }

    /// Whether a whole text is a hidden name, or the key of a change that the reader does not see.
    pub fn is_hidden(&self, text: &str, sees: &mut dyn FnMut(&str) -> bool) -> bool {
        if change_at(text).is_some_and(|key| key.len() == text.len()) {
            return !sees(text);
        }
        let rows = self.by_beginning.get(beginning_of(text));
        rows.is_some_and(|rows| rows.iter().any(|it| it.name == text))
    }

    /// A text with every hidden name replaced by what it names (`another service`); `None` where nothing is hidden. `sees`
    /// returns whether the reader sees the change of a key.
    pub fn without(&self, text: &str, sees: &mut dyn FnMut(&str) -> bool) -> Option<String> {
        let mut out = String::new();
        let (mut copied, mut place) = (0, 0);
        while let Some(letter) = text[place..].chars().next() {
            let is_start = !text[..place].chars().next_back().is_some_and(is_name_letter);
            let found = is_start.then(|| self.hidden_at(&text[place..], sees)).flatten();
            match found.filter(|_| !is_echo(&text[..place])) {
                Some((length, instead)) => {
                    out.push_str(&text[copied..place]);
                    out.push_str(instead);
                    place += length;
                    copied = place;
                }
                None => place += letter.len_utf8(),
            }
        }
        (copied > 0).then(|| out + &text[copied..])
    }

    fn hidden_at(&self, rest: &str, sees: &mut dyn FnMut(&str) -> bool) -> Option<(usize, &'static str)> {
        if let Some(key) = change_at(rest) {
            return (!sees(key)).then_some((key.len(), OTHER_CHANGE));
        }
        let beginning = rest.len() - rest.trim_start_matches(char::is_alphanumeric).len();
        let rows = self.by_beginning.get(&rest[..beginning])?;
        let is_whole = |it: &&Hidden| {
            rest.strip_prefix(it.name.as_str())
                .is_some_and(|after| !after.chars().next().is_some_and(is_name_letter))
        };
        rows.iter().find(is_whole).map(|it| (it.name.len(), it.instead))
    }
}

/// The key of a change with which a text begins.
fn change_at(text: &str) -> Option<&str> {
    let digits = text.strip_prefix(CHANGE)?;
    let count = digits.len() - digits.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (count > 0).then(|| &text[..CHANGE.len() + count])
}

/// Whether the text before a name reports the name as absent: the reader wrote that name.
fn is_echo(before: &str) -> bool {
    let begun = before.rfind(ABSENT).map(|at| &before[at + ABSENT.len()..]);
    begun.is_some_and(|words| !words.contains('.'))
}

fn is_name_letter(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '-' | '_')
}

fn beginning_of(name: &str) -> &str {
    let rest = name.trim_start_matches(char::is_alphanumeric);
    &name[..name.len() - rest.len()]
}

fn names_of(directory: &Directory) -> impl Iterator<Item = Hidden> + '_ {
    let service = "another service";
    let services = directory
        .services
        .iter()
        .flat_map(move |(key, row)| keyed(key.as_str(), &row.name, service));
    let items = directory
        .config_items
        .iter()
        .flat_map(|(key, row)| keyed(key, &row.name, "another config item"));
    let incidents = directory
        .incidents
        .iter()
        .flat_map(|(key, row)| keyed(key, &row.title, "another incident"));
    let templates = directory
        .templates
        .iter()
        .flat_map(|(key, row)| keyed(key, &row.title, "another template"));
    let freezes = directory
        .freezes
        .iter()
        .flat_map(|row| keyed("", &row.title, "another freeze"));
    let windows = directory
        .windows
        .iter()
        .flat_map(|row| keyed("", &row.title, "another window"));
    let joint = directory
        .joint_maintenances
        .iter()
        .flat_map(|row| keyed("", &row.title, "another maintenance"));
    let vendors = directory
        .vendors
        .iter()
        .flat_map(|row| keyed(&row.key, &row.name, "another vendor"));
    let notices = directory
        .vendor_notices
        .iter()
        .flat_map(|row| keyed("", &row.title, "another notice"));
    let calendars = directory
        .outside_calendars
        .iter()
        .flat_map(|row| keyed("", &row.name, "another calendar"));
    let all = services.chain(items).chain(incidents).chain(templates);
    let all = all.chain(freezes).chain(windows).chain(joint);
    all.chain(vendors).chain(notices).chain(calendars)
}

fn keyed(key: &str, name: &str, instead: &'static str) -> impl Iterator<Item = Hidden> + use<> {
    // A name that begins with a sign is found behind it.
    let name = name.trim().trim_start_matches(|c: char| !c.is_alphanumeric());
    let name = if name.chars().count() < SHORTEST_NAME { "" } else { name };
    let rows = [key.to_owned(), name.to_owned()].into_iter();
    rows.filter(|it| !beginning_of(it).is_empty())
        .map(move |name| Hidden { name, instead })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rows: &[(&str, &'static str)]) -> OutsideNames {
        let mut found = OutsideNames::default();
        for (name, instead) in rows {
            let hidden = Hidden {
                name: (*name).to_owned(),
                instead,
            };
            let beginning = beginning_of(name).to_owned();
            found.by_beginning.entry(beginning).or_default().push(hidden);
        }
        found
    }

    #[test]
    fn hidden_names_and_changes_leave_a_sentence_and_others_stay() {
        let names = names(&[("shop", "another service"), ("Year end, all", "another freeze")]);
        let mut sees = |key: &str| key == "CHG-7";
        let mut without = |text: &str| names.without(text, &mut sees);
        for (text, expected) in [
            (
                "It waits for CHG-71, and CHG-7 for shop.",
                Some("It waits for another change, and CHG-7 for another service."),
            ),
            (
                "The freeze Year end, all holds `shop`",
                Some("The freeze another freeze holds `another service`"),
            ),
            ("The workshop of shop-api and the eshop", None),
            ("There is no service `shop`.", None),
            (
                "There is no service `sho`. Is it `shop`?",
                Some("There is no service `sho`. Is it `another service`?"),
            ),
            ("CHG- and CHG-x", None),
            ("Über shop", Some("Über another service")),
        ] {
            assert_eq!(without(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_whole_text_is_hidden_by_its_name_alone() {
        let names = names(&[("shop", "another service")]);
        let mut sees = |key: &str| key == "CHG-7";
        assert!(names.is_hidden("shop", &mut sees) && names.is_hidden("CHG-71", &mut sees));
        assert!(!names.is_hidden("the shop", &mut sees) && !names.is_hidden("CHG-7", &mut sees));
    }
}
