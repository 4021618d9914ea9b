//! The syntax of the search: terms, and operators that narrow the changes found (`outcome:failed service:wms`).

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::core::enums::{Kind, Outcome, State};
use crate::core::parse::nearest;
use crate::core::refusal::Refusal;

/// The most characters of a search.
pub const MOST_CHARACTERS: usize = 200;

/// The kind of an operator's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A value of a closed list; several where `many`, separated by commas.
    Words {
        /// Whether several values are allowed.
        many: bool,
    },
    /// A service's key.
    Service,
    /// An environment's key.
    Environment,
    /// A person's login.
    Person,
    /// A team's name.
    Team,
}

/// A filter of changes that can be typed into the search.
#[derive(Debug)]
pub struct Operator {
    /// The name before the colon.
    pub name: &'static str,
    /// The filter, in one sentence.
    pub explanation: &'static str,
    /// A whole example.
    pub example: &'static str,
    /// The kind of value.
    pub takes: Takes,
}

const fn operator(name: &'static str, takes: Takes, explanation: &'static str, example: &'static str) -> Operator {
    Operator {
        name,
        explanation,
        example,
        takes,
    }
}

const ONE: Takes = Takes::Words { many: false };
const MANY: Takes = Takes::Words { many: true };

/// The operators, in the order of the pages' help.
pub const OPERATORS: [Operator; 10] = [
    operator("state", MANY, "Changes in one of these states.", "state:open"),
    operator("outcome", MANY, "Changes with one of these outcomes.", "outcome:failed"),
    operator("ended", ONE, "Changes that ended in this time.", "ended:last_month"),
    operator(
        "service",
        Takes::Service,
        "Changes of a service, by its key.",
        "service:wms",
    ),
    operator(
        "environment",
        Takes::Environment,
        "Changes in an environment.",
        "environment:production",
    ),
    operator("kind", ONE, "Normal, standard or emergency changes.", "kind:emergency"),
    operator("risk", ONE, "Changes of a risk level.", "risk:high"),
    operator("owner", Takes::Person, "Changes of an owner, by login.", "owner:hanne"),
    operator(
        "requester",
        Takes::Person,
        "Changes of a requester, by login.",
        "requester:tomasz",
    ),
    operator("team", Takes::Team, "Changes of a team.", "team:\"Port systems\""),
];

/// The values of `ended`.
const ENDED: [&str; 3] = ["last_7_days", "last_30_days", "last_month"];

/// The span in which a change ended, for a value of `ended`; the months are those of UTC.
#[must_use]
pub fn ended_span(word: &str, now: Timestamp) -> Option<(Timestamp, Option<Timestamp>)> {
    let back = |days: i64| now.checked_sub(SignedDuration::from_hours(24 * days)).ok();
    match word {
        "last_7_days" => Some((back(7)?, None)),
        "last_30_days" => Some((back(30)?, None)),
        "last_month" => {
            let end = now.to_zoned(TimeZone::UTC).date().first_of_month();
            let begin = end.yesterday().ok()?.first_of_month();
            let midnight = |date: jiff::civil::Date| Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp());
            Some((midnight(begin)?, Some(midnight(end)?)))
        }
        _ => None,
    }
}

impl Operator {
    /// The operator of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        OPERATORS.iter().find(|it| it.name == name)
    }

    /// The values of its closed list; none where it takes a key, a login or a name.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        match self.name {
            "state" => std::iter::once("open")
                .chain(State::ALL.iter().map(|state| state.as_str()))
                .collect(),
            "outcome" => Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect(),
            "ended" => ENDED.to_vec(),
            "kind" => Kind::ALL.iter().map(|kind| kind.as_str()).collect(),
            "risk" => vec!["low", "medium", "high", "none"],
            _ => Vec::new(),
        }
    }
}

/// A parsed search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchQuery {
    /// The terms without an operator, separated by spaces.
    pub words: String,
    /// Each operator with its value, in the order of the text; none twice.
    pub terms: Vec<(&'static str, String)>,
}

impl SearchQuery {
    /// Reads the typed text. A term with a colon that begins like no operator is a plain term, such as an address; a text
    /// between quotation marks is one too.
    ///
    /// # Errors
    /// 422 for a text that is too long, an operator without a value, one that is given twice or misspelt, and a value outside
    /// its closed list; each names the next step.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.chars().count() > MOST_CHARACTERS {
            let text = format!("A search can have at most {MOST_CHARACTERS} characters. Shorten it.");
            return Err(refused("too_long", text));
        }
        let mut query = Self::default();
        let mut words = Vec::new();
        for token in tokens(text) {
            match read_operator(&token)? {
                Some((name, value)) => query.add(name, value)?,
                None => words.push(token.replace('"', "")),
            }
        }
        words.retain(|word| !word.is_empty());
        query.words = words.join(" ");
        Ok(query)
    }

    fn add(&mut self, operator: &'static Operator, value: String) -> Result<(), Refusal> {
        if self.get(operator.name).is_some() {
            let more = match operator.takes {
                Takes::Words { many: true } => " Separate several words with commas.",
                _ => " It takes one value.",
            };
            let text = format!("`{}:` is given twice.{more}", operator.name);
            return Err(refused("given_twice", text));
        }
        check_values(operator, &value)?;
        self.terms.push((operator.name, value));
        Ok(())
    }

    /// The value of an operator.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.terms.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the query is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.terms.is_empty()
    }
}

fn refused(code: &'static str, text: String) -> Refusal {
    Refusal::field("q", code, text)
}

/// The terms of a text. A text between quotation marks is one term; an open quotation mark ends with the text.
fn tokens(text: &str) -> Vec<String> {
    let (mut found, mut token, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        is_quoted ^= letter == '"';
        if letter.is_whitespace() && !is_quoted {
            found.push(std::mem::take(&mut token));
            continue;
        }
        token.push(letter);
    }
    found.push(token);
    found.retain(|token| !token.is_empty());
    found
}

fn read_operator(token: &str) -> Result<Option<(&'static Operator, String)>, Refusal> {
    let Some((name, value)) = token.split_once(':').filter(|_| !token.starts_with('"')) else {
        return Ok(None);
    };
    let (name, value) = (name.to_lowercase(), value.replace('"', ""));
    if let Some(operator) = Operator::named(&name) {
        if value.trim().is_empty() {
            let text = format!(
                "`{name}:` has no value. Write it without a space, such as `{}`.",
                operator.example
            );
            return Err(refused("missing", text));
        }
        return Ok(Some((operator, value.trim().to_owned())));
    }
    let names: Vec<&str> = OPERATORS.iter().map(|it| it.name).collect();
    match nearest(&name, &names).filter(|_| name.len() > 3 && !value.starts_with("//")) {
        Some(near) => {
            let text = format!("There is no operator `{name}:`. Did you mean `{near}:`?");
            Err(refused("unknown_word", text))
        }
        None => Ok(None),
    }
}

fn check_values(operator: &Operator, value: &str) -> Result<(), Refusal> {
    let Takes::Words { many } = operator.takes else {
        return Ok(());
    };
    let known = operator.words();
    let mut asked = value.split(',').map(str::trim);
    if !many && value.contains(',') {
        let text = format!("`{}:` takes one of {}.", operator.name, known.join(", "));
        return Err(refused("unknown_word", text));
    }
    let Some(odd) = asked.find(|word| !known.contains(word)) else {
        return Ok(());
    };
    let near = nearest(odd, &known).map(|near| format!(" Did you mean `{near}`?"));
    let text = format!(
        "`{}:` knows no `{odd}`; it takes {}.{}",
        operator.name,
        known.join(", "),
        near.unwrap_or_default()
    );
    Err(refused("unknown_word", text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn why(text: &str) -> String {
        SearchQuery::parse(text).unwrap_err().text()
    }

    #[test]
    fn operators_are_told_from_words_and_quotation_marks_keep_a_name_whole() {
        let read =
            SearchQuery::parse("label outcome:failed,rolled_back SERVICE:wms team:\"Port systems\" printer").unwrap();
        assert_eq!(read.words, "label printer");
        assert_eq!(read.get("outcome"), Some("failed,rolled_back"));
        assert_eq!(read.get("service"), Some("wms"));
        assert_eq!(read.get("team"), Some("Port systems"));
        assert!(SearchQuery::parse("  ").unwrap().is_empty());
    }

    #[test]
    fn an_address_and_a_word_with_a_colon_are_words() {
        let read = SearchQuery::parse("https://ci.example/7 re:print \"disk:full\"").unwrap();
        assert_eq!(
            (read.words.as_str(), read.terms.len()),
            ("https://ci.example/7 re:print disk:full", 0)
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_the_next_step() {
        assert!(why("servce:wms").contains("Did you mean `service:`?"));
        assert!(why("outcome:faild").contains("Did you mean `failed`?"));
        assert!(why("outcome: failed").contains("has no value"));
        assert!(why("kind:normal,standard").contains("takes one of"));
        assert!(why("risk:low risk:high").contains("given twice"));
        assert!(why(&"a".repeat(MOST_CHARACTERS + 1)).contains("at most 200"));
    }

    #[test]
    fn every_word_of_ended_has_its_span_and_the_last_month_is_whole() {
        let now: Timestamp = "2026-01-29T11:00:00Z".parse().unwrap();
        for word in ENDED {
            assert!(ended_span(word, now).is_some(), "{word}");
        }
        let month = ended_span("last_month", now).map(|(from, to)| (from.to_string(), to.map(|at| at.to_string())));
        let wanted = (
            "2025-12-01T00:00:00Z".to_owned(),
            Some("2026-01-01T00:00:00Z".to_owned()),
        );
        assert_eq!(month, Some(wanted));
        assert_eq!(ended_span("yesterday", now), None);
    }

    #[test]
    fn every_example_can_be_read() {
        for operator in &OPERATORS {
            let read = SearchQuery::parse(operator.example).unwrap();
            assert!(read.get(operator.name).is_some(), "{}", operator.example);
        }
    }
}
