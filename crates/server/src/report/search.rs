//! The search over records, acts, pages and settings, as the API and the page show it.

use acts::Context;
use acts::approval::find_queue::find_queue;
use acts::change::find_acts::find_acts;
use acts::report::search_records::{Hit, HitKind, fits, search_records};
use model::core::act::{Act, actions};
use model::core::card::Does;
use model::core::enums::Outcome;
use model::nouns::CARDS;
use model::report::search_query::SearchQuery;
use pages::Place;

use crate::http::percent::escaped;
use crate::report::settings::settings_of;

/// The most changes that an act is offered for where no key was typed.
const MOST_OF_QUEUE: usize = 5;
/// The most pages that are found.
const MOST_PAGES: usize = 10;
/// The fewest characters that are recognised as the verb of an act.
const LETTERS: usize = 3;

/// The acts that can be typed before the key of a change: the verb, the act, and the form of the change's page.
const ACTS: [(&str, Act, &str); 13] = [
    ("approve", Act::Approve, "approve"),
    ("reject", Act::Approve, "reject"),
    ("return", Act::Return, "return"),
    ("submit", Act::Submit, "submit"),
    ("schedule", Act::Schedule, "schedule"),
    ("hold", Act::Hold, "hold"),
    ("resume", Act::Resume, "resume"),
    ("start", Act::Start, "start"),
    ("complete", Act::Complete, "complete"),
    ("review", Act::Review, "review"),
    ("close", Act::Close, "close"),
    ("cancel", Act::Cancel, "cancel"),
    ("comment", Act::Comment, "comment"),
];

/// Pages beside those of the navigation and of nouns: label, path, the action that opens it.
const FURTHER: [(&str, &str, &str); 11] = [
    ("Set up Assent", "/setup", actions::SET_CONNECTION),
    ("Boards", "/boards", actions::READ),
    ("Dashboards", "/dashboard", actions::READ),
    ("Lessons", "/lessons", actions::READ),
    ("What changed?", "/what-changed", actions::READ),
    ("Conflicts", "/conflicts", actions::READ),
    ("Maintenance windows", "/windows", actions::READ),
    ("Problems", "/problems", actions::READ),
    ("Status", "/status", actions::READ),
    ("Notifications", "/telling", actions::READ),
    ("Absences and delegations", "/away", actions::READ),
];

/// A search result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// `act`, `change`, `person`, `service`, `incident`, `freeze`, `template`, `page` or `setting`.
    pub kind: &'static str,
    /// The verb of an act, the key, the login or the id of a record; empty for a page and a setting.
    pub key: String,
    /// Its title or name.
    pub title: String,
    /// Its state; empty where it has none.
    pub state: String,
    /// The outcome of a closed change without full success.
    pub outcome: Option<Outcome>,
    /// The path of its page, below the tenant's address.
    pub path: String,
}

/// Searches records, acts, pages and settings; `language` is the tag of the reader's own, in which names of pages and settings
/// are found too.
///
/// # Errors
/// 403; 422 for a search that cannot be read; the store's.
pub(crate) fn search(cx: &mut Context<'_, '_>, text: &str, language: &str) -> acts::Result<Vec<Item>> {
    cx.allow(actions::READ)?;
    let query = SearchQuery::parse(text)?;
    let mut found = Vec::new();
    if query.terms.is_empty() {
        found.extend(acts_of(cx, &query.words)?);
    }
    found.extend(search_records(cx, &query)?.into_iter().map(item));
    if query.terms.is_empty() && !query.words.is_empty() {
        let pages = pages_of(cx, &query.words, language)?;
        let language = pages::language::find(language);
        let settings = settings_of(cx, &query.words, language, &pages)?;
        found.extend(pages.into_iter().chain(settings));
    }
    Ok(found)
}

fn item(hit: Hit) -> Item {
    let key = escaped(&hit.key);
    let path = match hit.kind {
        HitKind::Change => format!("/changes/{key}"),
        HitKind::Person => format!("/people?q={key}"),
        HitKind::Service => format!("/services/{key}"),
        HitKind::Incident => format!("/incidents/{key}"),
        HitKind::Freeze => format!("/freezes/{key}"),
        HitKind::Template => format!("/templates/{key}"),
    };
    Item {
        kind: hit.kind.as_str(),
        key: hit.key,
        title: hit.title,
        state: hit.state,
        outcome: hit.outcome,
        path,
    }
}

/// Whether a text is the key of a change.
pub(crate) fn is_key(text: &str) -> bool {
    let rest = text
        .get(..4)
        .filter(|head| head.eq_ignore_ascii_case("chg-"))
        .and_then(|_| text.get(4..));
    rest.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

/// The acts that are open to the reader: on the named change, or on the queue where the text is the beginning of a verb alone.
fn acts_of(cx: &mut Context<'_, '_>, words: &str) -> acts::Result<Vec<Item>> {
    let words: Vec<&str> = words.split_whitespace().collect();
    match words[..] {
        [key] if is_key(key) => on_change(cx, "", key),
        [verb, key] | [key, verb] if is_key(key) => on_change(cx, &verb.to_lowercase(), key),
        [verb] if verb.len() >= LETTERS && "approve".starts_with(&verb.to_lowercase()) => of_queue(cx),
        _ => Ok(Vec::new()),
    }
}

fn on_change(cx: &mut Context<'_, '_>, verb: &str, key: &str) -> acts::Result<Vec<Item>> {
    let key = key.to_uppercase();
    // A record that the reader may not see is treated as absent.
    if !cx.sees_key(&key)? {
        return Ok(Vec::new());
    }
    let file = cx.file(&key)?;
    let open = find_acts(cx, &file)?;
    let offered = ACTS
        .iter()
        .filter(|(word, act, _)| word.starts_with(verb) && open.has(*act));
    let title = file.change.content.title.as_str();
    Ok(offered
        .map(|(word, _, form)| act_item(word, form, &key, title))
        .collect())
}

fn of_queue(cx: &mut Context<'_, '_>) -> acts::Result<Vec<Item>> {
    let mut found = Vec::new();
    for file in find_queue(cx, MOST_OF_QUEUE)? {
        if find_acts(cx, &file)?.has(Act::Approve) {
            found.push(act_item(
                "approve",
                "approve",
                &file.change.key,
                &file.change.content.title,
            ));
        }
    }
    Ok(found)
}

fn act_item(word: &str, form: &str, key: &str, title: &str) -> Item {
    Item {
        kind: "act",
        key: format!("{word} {key}"),
        title: title.to_owned(),
        state: String::new(),
        outcome: None,
        // The page's script opens the form and gives it the focus; without script its acts are in view.
        path: format!("/changes/{key}#act={form}"),
    }
}

/// The pages that the reader may open and whose names match.
fn pages_of(cx: &mut Context<'_, '_>, words: &str, language: &str) -> acts::Result<Vec<Item>> {
    let language = pages::language::find(language);
    let is_fitting = |label: &str| {
        let own = language.map(|language| language.text(label)).unwrap_or_default();
        fits(words, &[label, &own])
    };
    let mut found: Vec<(String, String)> = Vec::new();
    for (label, path) in open_pages(cx)? {
        let is_new = found.iter().all(|(_, known)| *known != path);
        if is_new && is_fitting(&label) {
            found.push((label, path));
        }
    }
    found.truncate(MOST_PAGES);
    let page = |(title, path)| Item {
        kind: "page",
        key: String::new(),
        title,
        state: String::new(),
        outcome: None,
        path,
    };
    Ok(found.into_iter().map(page).collect())
}

fn open_pages(cx: &mut Context<'_, '_>) -> acts::Result<Vec<(String, String)>> {
    let named = |place: &Place| (place.label().to_owned(), place.path().to_owned());
    if cx.scope()?.is_some() {
        return Ok(Place::SCOPED.iter().map(named).collect());
    }
    let mut may = |action: &str| cx.allow(action).is_ok();
    let audits = may(actions::AUDIT);
    let administers = may(actions::SET_PERSON) || may(actions::SET_TOKEN);
    let connects = may(actions::SET_CONNECTION);
    let mut open: Vec<(String, String)> = Place::shown(audits, administers, connects).iter().map(named).collect();
    open.extend([Place::Messages, Place::Account].iter().map(named));
    let further = FURTHER.iter().filter(|(_, _, action)| may(action));
    open.extend(further.map(|(label, path, _)| ((*label).to_owned(), (*path).to_owned())));
    for card in CARDS {
        let list = card.verbs.iter().find(|verb| verb.does == Does::List);
        let is_open = list.is_some_and(|verb| verb.may.split('|').any(|action| may(action.trim())));
        if let Some(page) = card.page.filter(|_| is_open) {
            open.push((card.title.to_owned(), page.path.to_owned()));
        }
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_words() {
        assert!(is_key("chg-1042") && is_key("CHG-7"));
        for word in ["CHG-", "CHG-10x", "ché", "INC-7"] {
            assert!(!is_key(word), "{word}");
        }
    }

    #[test]
    fn every_kind_of_record_leads_to_its_page() {
        let hit = |kind: HitKind, key: &str| {
            item(Hit {
                kind,
                key: key.to_owned(),
                title: String::new(),
                state: String::new(),
                outcome: None,
            })
            .path
        };
        assert_eq!(hit(HitKind::Change, "CHG-7"), "/changes/CHG-7");
        assert_eq!(hit(HitKind::Person, "a b"), "/people?q=a%20b");
        assert_eq!(hit(HitKind::Service, "wms"), "/services/wms");
        assert_eq!(hit(HitKind::Incident, "INC-1"), "/incidents/INC-1");
    }
}
