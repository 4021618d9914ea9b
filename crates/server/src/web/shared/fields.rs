//! Fields and facts that pages of several areas share.

use model::core::ids::PersonId;
use pages::{Choice, Fact, Field, IN_A_MENU, Input, Named, Rich};

use crate::web::shared::view::View;

/// The most watchers that are named.
const WATCHERS_SHOWN: usize = 5;

/// A field for a time in the reader's zone.
pub(crate) fn time_field(view: &View<'_, '_, '_>, name: &str, label: &str) -> Field {
    Field::new(name, label, Input::DateTime)
        .hint(format!("In {}.", view.reader.zone_name()))
        .half()
}

/// The exact times that a form shows, sent along hidden: an untouched time keeps its exact value.
pub(crate) fn present_times<const N: usize>(times: [(&str, Option<jiff::Timestamp>); N]) -> String {
    let told = times.into_iter().filter_map(|(name, at)| Some((name.to_owned(), at?)));
    let told: serde_json::Map<String, serde_json::Value> =
        told.map(|(name, at)| (name, at.to_string().into())).collect();
    serde_json::Value::Object(told).to_string()
}

/// A field that searches people by name or login, or another kind of [`crate::web::shared::picks`].
pub(crate) fn pick_field(view: &View<'_, '_, '_>, kind: &str, name: &str, label: &str) -> Field {
    Field::pick(name, label, view.url(&format!("/picks/{kind}")))
}

/// A field that searches several keys of a kind, parted by commas.
pub(crate) fn picks_field(view: &View<'_, '_, '_>, kind: &str, name: &str, label: &str) -> Field {
    pick_field(view, kind, name, label).several()
}

/// A field for one of the keys of a kind ([`crate::web::shared::picks`]): a menu of few, else a field that searches. `none` is
/// the menu's text for no key; the field is empty then.
pub(crate) fn key_field(
    view: &View<'_, '_, '_>,
    (kind, none): (&str, &str),
    (name, label): (&str, &str),
    keys: impl Iterator<Item = String>,
) -> Field {
    let keys: Vec<String> = keys.take(IN_A_MENU + 1).collect();
    if keys.len() > IN_A_MENU {
        return Field::pick(name, label, view.url(&format!("/picks/{kind}")));
    }
    let choices =
        std::iter::once(Choice::new("", none)).chain(keys.into_iter().map(|key| Choice::said(key.clone(), key)));
    Field::new(name, label, Input::Select(choices.collect()))
}

/// The filter of a list by a service.
pub(crate) fn service_filter(view: &View<'_, '_, '_>, value: &str) -> Field {
    let keys = view.directory.services.keys().map(|key| key.0.clone());
    key_field(view, ("services", "Any"), ("service", "Service"), keys)
        .value(value)
        .half()
}

/// The filter of a list by an environment.
pub(crate) fn environment_filter(view: &View<'_, '_, '_>, value: &str) -> Field {
    let keys = view.directory.environments.keys().map(|key| key.0.clone());
    key_field(view, ("environments", "Any"), ("environment", "Environment"), keys)
        .value(value)
        .half()
}

/// The filter of a list by one of its states.
pub(crate) fn state_filter(states: &[(&str, &str)], value: &str) -> Field {
    let choices: Vec<(&str, &str)> = std::iter::once(("", "Any")).chain(states.iter().copied()).collect();
    Field::select("state", "State", &choices).value(value).half()
}

/// An environment, or none of them.
pub(crate) fn environment_menu(view: &View<'_, '_, '_>) -> Field {
    let keys = view.directory.environments.keys().map(|key| key.0.clone());
    key_field(
        view,
        ("environments", "Not stated"),
        ("environment", "Environment"),
        keys,
    )
}

/// The watchers: people by name, the first of them, and groups.
pub(crate) fn watching<'p>(
    view: &View<'_, '_, '_>,
    people: impl Iterator<Item = &'p PersonId>,
    groups: impl Iterator<Item = String>,
) -> Fact {
    let names = view.all_named(people);
    let shown: Vec<Named> = names.iter().take(WATCHERS_SHOWN).cloned().collect();
    let mut fact = Fact::people("Watching", shown);
    let group = |key: String| Rich::new().text("the group ").said(key);
    fact.values.extend(groups.map(group));
    match names.len().saturating_sub(WATCHERS_SHOWN) {
        0 => {}
        more => fact.values.push(Rich::from(format!("{more} more"))),
    }
    if names.is_empty() && fact.values.is_empty() {
        fact.values.push(Rich::from("nobody"));
    }
    fact
}
