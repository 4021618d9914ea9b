//! Settings in the search: found by their names, and by the fields of a page's form.

use acts::Context;
use acts::report::search_records::fits;
use model::core::act::actions;
use model::core::card::{Card, Does};
use model::nouns::CARDS;
use pages::language::Language;

use crate::http::scoped::{is_page_open, is_page_open_to_mandate};
use crate::report::search::Item;

/// The most settings that are found.
const MOST: usize = 10;
/// The fewest characters by which the fields of a form are searched: shorter texts occur in most labels.
const LETTERS: usize = 4;
/// Fields that most forms have; they do not characterise a page.
const COMMON: [&str; 6] = ["key", "name", "title", "reason", "description", "active"];

/// A setting: its name, its page, the action that sets it.
const SETTINGS: [(&str, &str, &str); 22] = [
    ("Language, time zone and clock", "/telling", actions::READ),
    ("Daily letter and quiet hours", "/telling", actions::READ),
    ("Density of lists", "/telling", actions::READ),
    ("Invitations by mail for your calendar", "/telling", actions::READ),
    ("Your password", "/account", actions::READ),
    (
        "Authenticators, passkeys and recovery codes",
        "/account#factors",
        actions::READ,
    ),
    ("Sessions on other devices", "/account#sessions", actions::READ),
    ("Personal calendar feed", "/calendar/feed", actions::READ),
    ("Keyboard shortcuts", "/help#keys", actions::READ),
    ("Working hours and holidays", "/hours", actions::SET_SERVICE),
    ("Additional fields of changes", "/fields", actions::SET_SERVICE),
    ("Roles and managers of people", "/people", actions::SET_PERSON),
    ("Owners of services", "/ownership", actions::SET_OWNERSHIP),
    ("Risk table", "/policies#risk-table", actions::SET_POLICY),
    (
        "Times to acknowledge and to decide (SLA)",
        "/policies#sla-table",
        actions::SET_POLICY,
    ),
    (
        "Watch windows after a change",
        "/policies#watch-table",
        actions::SET_POLICY,
    ),
    (
        "Parameters of the approval rules",
        "/policies#parameters",
        actions::SET_POLICY,
    ),
    (
        "From deployments to kinds of change",
        "/policies#mapping",
        actions::SET_POLICY,
    ),
    (
        "Single sign-on (OIDC) and provisioning (SCIM)",
        "/identity-providers",
        actions::SET_CONNECTION,
    ),
    ("Public status page", "/status", actions::SET_CONNECTION),
    ("Export of the log to a SIEM", "/sinks", actions::SET_CONNECTION),
    ("Tokens for the API and for pipelines", "/tokens", actions::SET_TOKEN),
];

/// The settings that the reader may change and that match the search terms, in their order; then pages of nouns with a form
/// that has such a field. The search also covers the reader's own `language`; a page that was `found` by its name is not
/// repeated.
///
/// # Errors
/// The store's.
pub(super) fn settings_of(
    cx: &mut Context<'_, '_>,
    words: &str,
    language: Option<&'static Language>,
    found: &[Item],
) -> acts::Result<Vec<Item>> {
    let is_fitting = |label: &str| {
        let own = language.map(|language| language.text(label)).unwrap_or_default();
        fits(words, &[label, &own])
    };
    let scope = cx.scope()?;
    let is_open = |path: &str| match &scope {
        None => true,
        Some(scope) if scope.is_bound() => is_page_open_to_mandate(path),
        Some(_) => is_page_open(path),
    };
    let mut settings = Vec::new();
    for (label, path, action) in SETTINGS {
        let page = path.split('#').next().unwrap_or(path);
        if is_fitting(label) && is_open(page) && cx.allow(action).is_ok() {
            settings.push(setting(label, path));
        }
    }
    if words.chars().count() >= LETTERS {
        let language = |label: &str| language.map(|it| it.text(label)).unwrap_or_default();
        for card in CARDS {
            let Some(page) = card.page.filter(|page| is_open(page.path)) else {
                continue;
            };
            let is_known = found.iter().any(|item| item.path == page.path);
            if !is_known && sets(card, words, language) && may_set(cx, card) {
                settings.push(setting(card.title, page.path));
            }
        }
    }
    settings.truncate(MOST);
    Ok(settings)
}

fn setting(title: &str, path: &str) -> Item {
    Item {
        kind: "setting",
        key: String::new(),
        title: title.to_owned(),
        state: String::new(),
        outcome: None,
        path: path.to_owned(),
    }
}

/// Whether the form of a noun has a field whose label contains these search terms. Keys of other nouns are no settings.
fn sets(card: &Card, words: &str, in_own_language: impl Fn(&str) -> String) -> bool {
    let words = words.to_lowercase();
    let fields = card.input.2.iter();
    let mut own = fields.filter(|field| field.refers.is_empty() && !COMMON.contains(&field.name));
    own.any(|field| {
        let labels = [field.label.to_owned(), in_own_language(field.label)];
        labels.iter().any(|label| label.to_lowercase().contains(&words))
    })
}

/// Whether the reader may add a record of this noun or change one.
fn may_set(cx: &mut Context<'_, '_>, card: &Card) -> bool {
    let verb = [Does::Set, Does::Add].into_iter().find_map(|does| card.verb(does));
    let Some(verb) = verb else { return false };
    verb.may.split('|').any(|action| cx.allow(action.trim()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_what_its_form_sets_and_not_by_the_keys_in_it() {
        let card = CARDS
            .iter()
            .find(|card| card.table == "retention_rule")
            .expect("it has a card");
        let field = card
            .input
            .2
            .iter()
            .find(|it| it.refers.is_empty() && !COMMON.contains(&it.name));
        let label = field.expect("its form sets something").label;
        let none = |_: &str| String::new();
        assert!(sets(card, &label.to_uppercase(), none));
        assert!(!sets(card, "no such field", none));
        assert!(sets(card, "kein solches feld", |_: &str| "Kein solches Feld".to_owned()));
    }

    #[test]
    fn no_setting_stands_twice() {
        let mut names: Vec<&str> = SETTINGS.iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.len());
    }
}
