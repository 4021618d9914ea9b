//! Completions of an unfinished search: the operators, and the values of an operator.

use model::directory::snapshot::Directory;
use model::report::search_query::{OPERATORS, Operator, Takes};

/// The most completions.
const MOST: usize = 8;
/// The fewest letters by which an operator is completed.
const LETTERS: usize = 2;

/// A completed search text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completion {
    /// The whole text.
    pub text: String,
    /// The filter that its last operator sets.
    pub explanation: &'static str,
}

/// The completions of the last term.
pub(crate) fn complete(text: &str, directory: &Directory) -> Vec<Completion> {
    let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let before = text.get(..text.len() - last.len()).unwrap_or_default();
    let found = match last.split_once(':') {
        Some((name, begun)) => values(&name.to_lowercase(), begun, directory),
        None => names(&last.to_lowercase()),
    };
    found
        .into_iter()
        .take(MOST)
        .map(|(end, explanation)| Completion {
            text: format!("{before}{end}"),
            explanation,
        })
        .collect()
}

fn names(begun: &str) -> Vec<(String, &'static str)> {
    if begun.len() < LETTERS {
        return Vec::new();
    }
    let known = OPERATORS.iter().filter(|operator| operator.name.starts_with(begun));
    known
        .map(|operator| (format!("{}:", operator.name), operator.explanation))
        .collect()
}

fn values(name: &str, begun: &str, directory: &Directory) -> Vec<(String, &'static str)> {
    let Some(operator) = Operator::named(name) else {
        return Vec::new();
    };
    // Of several values the last is completed.
    let (kept, begun) = match begun.rsplit_once(',') {
        Some((kept, begun)) => (format!("{kept},"), begun.to_lowercase()),
        None => (String::new(), begun.to_lowercase()),
    };
    let known: Vec<String> = match operator.takes {
        Takes::Words { .. } => operator.words().into_iter().map(str::to_owned).collect(),
        Takes::Service => directory.services.keys().map(|key| key.0.clone()).collect(),
        Takes::Environment => directory.environments.keys().map(|key| key.0.clone()).collect(),
        Takes::Person => {
            let active = directory.people.values().filter(|person| person.active);
            active.map(|person| person.login.clone()).collect()
        }
        Takes::Team => teams(directory),
    };
    let is_whole = known.contains(&begun);
    let fits = known
        .into_iter()
        .filter(|word| !is_whole && word.to_lowercase().starts_with(&begun));
    fits.map(|word| match word.contains(char::is_whitespace) {
        true => (format!("{name}:\"{word}\""), operator.explanation),
        false => (format!("{name}:{kept}{word}"), operator.explanation),
    })
    .collect()
}

fn teams(directory: &Directory) -> Vec<String> {
    let mut teams: Vec<String> = directory.services.values().filter_map(|it| it.team.clone()).collect();
    teams.sort();
    teams.dedup();
    teams
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let found = complete(text, &Directory::default());
        found.into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn the_last_word_is_completed_and_the_rest_is_kept() {
        assert_eq!(texts("label out"), ["label outcome:"]);
        assert_eq!(texts("label outcome:rolled"), ["label outcome:rolled_back"]);
        assert_eq!(texts("state:open,impl"), ["state:open,implementing"]);
        assert_eq!(texts("risk:h"), ["risk:high"]);
    }

    #[test]
    fn what_is_whole_or_unknown_has_no_completion() {
        for text in ["risk:high", "colour:red", "x", ""] {
            assert!(texts(text).is_empty(), "{text}");
        }
    }
}
