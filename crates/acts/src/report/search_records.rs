//! Searches changes, people, services, incidents, freezes and templates at once, as far as the acting person sees them.

use jiff::Timestamp;
use model::core::act::actions::READ;
use model::core::enums::{Outcome, State};
use model::core::parse::nearest;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::report::search_query::{Operator, SearchQuery, Takes, ended_span};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_changes::{ChangeFilter, find_changes, shown_outcome};

/// The most records of one kind in a search result.
pub const MOST_OF_A_KIND: usize = 10;

/// The kind of a found record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitKind {
    /// A change.
    Change,
    /// A person.
    Person,
    /// A service.
    Service,
    /// An incident.
    Incident,
    /// A freeze.
    Freeze,
    /// A template of standard changes.
    Template,
}

impl HitKind {
    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Person => "person",
            Self::Service => "service",
            Self::Incident => "incident",
            Self::Freeze => "freeze",
            Self::Template => "template",
        }
    }
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its kind.
    pub kind: HitKind,
    /// Its key, login or id.
    pub key: String,
    /// Its title or name.
    pub title: String,
    /// Its state; empty for a record without one.
    pub state: String,
    /// Of a closed change that did not plainly succeed: its outcome.
    pub outcome: Option<Outcome>,
}

/// Searches. Operators narrow changes, so a search with one finds changes alone; without terms or operators nothing is found. A
/// person who is scoped to services finds changes alone too: the pages of the other records are closed to them.
///
/// # Errors
/// 403; 422 for an operator's value that there is not; the store's.
pub fn search_records(cx: &mut Context<'_, '_>, query: &SearchQuery) -> Result<Vec<Hit>> {
    cx.allow(READ)?;
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let directory = cx.visible()?;
    let filter = change_filter(query, &directory, cx.now)?;
    let limit = i64::try_from(MOST_OF_A_KIND).unwrap_or_default();
    let changes = find_changes(cx, &filter, limit, None)?;
    let changes = changes.rows.into_iter().map(|(row, targets)| Hit {
        outcome: shown_outcome(&row.state, &targets),
        kind: HitKind::Change,
        key: row.key,
        title: row.title,
        state: row.state,
    });
    let mut found: Vec<Hit> = changes.collect();
    if query.terms.is_empty() && cx.scope()?.is_none() {
        found.extend(of_directory(&directory, &query.words, cx.now));
    }
    Ok(found)
}

/// The filter of changes for a search.
///
/// # Errors
/// 422 for a service, an environment or a person that there is not.
pub fn change_filter(query: &SearchQuery, directory: &Directory, now: Timestamp) -> Result<ChangeFilter> {
    for (name, value) in &query.terms {
        check_known(name, value, directory)?;
    }
    let text = |name: &str| query.get(name).map(str::to_owned);
    let words = |name: &str| {
        let words = query.get(name).into_iter().flat_map(|value| value.split(','));
        words.map(|word| word.trim().to_owned()).collect::<Vec<_>>()
    };
    let person = |name: &str| {
        let found = query.get(name).and_then(|login| directory.by_login(login));
        found.map(|person| person.id.0.clone())
    };
    let mut states = words("state");
    if states.iter().any(|state| state == "open") {
        states.retain(|state| state != "open");
        let open = State::ALL.iter().filter(|state| state.is_open());
        states.extend(open.map(|state| state.as_str().to_owned()));
    }
    let ended = query.get("ended").and_then(|word| ended_span(word, now));
    Ok(ChangeFilter {
        states,
        kind: text("kind"),
        service: text("service"),
        environment: text("environment"),
        outcomes: words("outcome"),
        risk: text("risk"),
        owner: person("owner"),
        requester: person("requester"),
        team: text("team"),
        q: (!query.words.is_empty()).then(|| query.words.clone()),
        ended_from: ended.map(|(from, _)| from),
        ended_to: ended.and_then(|(_, to)| to),
        ..ChangeFilter::default()
    })
}

/// Refuses an unknown key: finding nothing would look like a result.
fn check_known(name: &str, value: &str, directory: &Directory) -> Result<()> {
    let known: Vec<&str> = match Operator::named(name).map(|operator| operator.takes) {
        Some(Takes::Service) => directory.services.keys().map(|key| key.0.as_str()).collect(),
        Some(Takes::Environment) => directory.environments.keys().map(|key| key.0.as_str()).collect(),
        Some(Takes::Person) => directory.logins.keys().map(String::as_str).collect(),
        _ => return Ok(()),
    };
    if known.contains(&value) {
        return Ok(());
    }
    let near = nearest(value, &known).map(|near| format!(" Did you mean `{near}`?"));
    let text = format!("`{name}:` finds no `{value}`.{}", near.unwrap_or_default());
    Err(Refusal::field("q", "unknown", text).into())
}

/// Whether each term is in one of the texts, ignoring case.
#[must_use]
pub fn fits(words: &str, texts: &[&str]) -> bool {
    let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
    let asked = words.to_lowercase();
    asked
        .split_whitespace()
        .all(|word| texts.iter().any(|text| text.contains(word)))
}

/// The first matching rows; rows whose key or name begins with the search text come first.
fn fitting<'r>(
    kind: HitKind,
    words: &str,
    rows: impl Iterator<Item = (&'r str, &'r str, &'r str)>,
) -> impl Iterator<Item = Hit> {
    let mut found: Vec<(&str, &str, &str)> = rows.filter(|(key, title, _)| fits(words, &[key, title])).collect();
    let begin = words.to_lowercase();
    let begins = |text: &str| text.to_lowercase().starts_with(&begin);
    found.sort_by_key(|(key, title, _)| !(begins(key) || begins(title)));
    found.truncate(MOST_OF_A_KIND);
    let hits: Vec<Hit> = found
        .into_iter()
        .map(|(key, title, state)| Hit {
            kind,
            key: key.to_owned(),
            title: title.to_owned(),
            state: state.to_owned(),
            outcome: None,
        })
        .collect();
    hits.into_iter()
}

fn of_directory(directory: &Directory, words: &str, now: Timestamp) -> Vec<Hit> {
    let services = directory.services.values();
    let services = services.map(|it| (it.key.as_str(), it.name.as_str(), ""));
    let people = directory.people.values().filter(|it| it.active);
    let people = people.map(|it| (it.login.as_str(), it.name.as_str(), ""));
    let incidents = directory.incidents.values().map(|it| {
        let state = if it.resolved_at.is_some() { "resolved" } else { "open" };
        (it.key.as_str(), it.title.as_str(), state)
    });
    let freezes = directory.freezes.iter().filter(|it| !it.ended).map(|it| {
        let state = match (now < it.starts_at, now < it.ends_at) {
            (true, _) => "planned",
            (false, true) => "in force",
            (false, false) => "over",
        };
        (it.id.as_str(), it.title.as_str(), state)
    });
    let templates = directory.templates.values();
    let templates = templates.map(|it| (it.key.as_str(), it.title.as_str(), it.state.as_str()));
    fitting(HitKind::Person, words, people)
        .chain(fitting(HitKind::Service, words, services))
        .chain(fitting(HitKind::Incident, words, incidents))
        .chain(fitting(HitKind::Freeze, words, freezes))
        .chain(fitting(HitKind::Template, words, templates))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_a_few_of_a_kind_are_found_and_those_that_begin_so_come_first() {
        let rows: Vec<(String, String)> = (0..40)
            .map(|at| (format!("svc-{at:02}"), format!("Old billing {at}")))
            .chain([("billing".to_owned(), "The billing".to_owned())])
            .collect();
        let shown = rows.iter().map(|(key, name)| (key.as_str(), name.as_str(), ""));
        let found: Vec<Hit> = fitting(HitKind::Service, "Billing", shown).collect();
        assert_eq!(found.len(), MOST_OF_A_KIND);
        assert_eq!(found.first().map(|hit| hit.key.as_str()), Some("billing"));
    }

    #[test]
    fn a_key_that_there_is_not_is_refused() {
        let query = SearchQuery {
            words: String::new(),
            terms: vec![("service", "nowhere".to_owned())],
        };
        let refused = change_filter(&query, &Directory::default(), Timestamp::UNIX_EPOCH).err();
        assert!(
            refused.is_some_and(|error| error.to_string().contains("nowhere")),
            "names what was typed"
        );
    }
}
