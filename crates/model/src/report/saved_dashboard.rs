//! Saved dashboards: tiles and filters under a title, one person's own, read by others where it is shared.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::Reading;
use crate::report::dashboard::{MOST_TILES, TILES, tile_of};
use crate::verbs;

/// The most saved dashboards of one person.
pub const MOST_OWN: usize = 20;
/// The most saved dashboards of a tenant.
pub const MOST: usize = 2_000;
/// The longest query, in bytes.
pub const QUERY: usize = 200;
/// The filters that a query may name.
pub const FILTERS: [&str; 5] = ["team", "service", "environment", "kind", "risk"];

/// A saved dashboard: tiles and filters under a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Dashboard {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The title.
    #[card(text)]
    pub title: String,
    /// The tiles, in the order in which they are shown.
    pub tiles: Vec<String>,
    /// The filters, as in an address: kind=emergency&service=booking-api.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Whether others may read and subscribe to it.
    pub is_shared: bool,
    /// The owner: a login.
    #[card(column, optional)]
    pub owner: PersonId,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A saved dashboard: tiles and filters under a title. Each reader sees what they may read.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct DashboardInput {
    /// The title.
    #[card(text, example = "Payments this week")]
    pub title: String,
    /// The tiles, in the order in which they are shown; the catalogue is at /dashboard-tiles.
    #[card(option = "tile", needed, example = "states")]
    pub tiles: Vec<String>,
    /// The filters, as in an address: kind=emergency&service=booking-api.
    #[card(example = "kind=normal")]
    pub query: Option<String>,
    /// Whether others may read and subscribe to it.
    #[card(option = "shared")]
    pub is_shared: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "reports",
    patch: "DashboardPatch",
    columns: &["id", "title", "tiles", "query", "owner"],
    verbs: verbs! {
        List "list_dashboards" at "/dashboards" may READ => "List your saved dashboards and those that others share";
        Add "add_dashboard" at "/dashboards" may READ => "Save a dashboard";
        Show "show_dashboard" at "/dashboards/{id}" may READ => "Show a saved dashboard";
        Edit "edit_dashboard" at "/dashboards/{id}" may READ => "Change a saved dashboard of your own";
        End "end_dashboard" at "/dashboards/{id}" may READ => "Remove a saved dashboard of your own";
    },
    events: &[
        Event::new("dashboard.added", "chart", "saved a dashboard"),
        Event::new("dashboard.edited", "edit", "changed a dashboard"),
        Event::new("dashboard.ended", "x", "removed a dashboard"),
    ],
    page: Some(Page {
        path: "/dashboards",
        byline: "Your own dashboards, and those that others share. Each shows only what you may read.",
        empty: "No dashboard is saved.",
        labels: ["Save a dashboard", "Change it", "Remove it"],
    }),
    ..Card::of::<Dashboard, DashboardInput>("dashboard", "Saved dashboards")
};

/// The filters of a query with their values, in the order of [`FILTERS`].
///
/// # Errors
/// The unreadable parts, as text.
pub fn filters_of(query: &str) -> Result<Vec<(&'static str, String)>, String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let Some(known) = FILTERS.iter().find(|it| **it == name) else {
            return Err(format!("`{name}` is not one of the filters {}.", FILTERS.join(", ")));
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
        if value.is_empty() || !value.chars().all(is_plain) {
            return Err(format!(
                "`{name}` needs a value of letters, digits and `-_.:/`, such as `{name}=booking-api`."
            ));
        }
        if !seen.insert(name) {
            return Err(format!("`{name}` is listed twice."));
        }
        found.push((*known, value.to_owned()));
    }
    Ok(found)
}

/// The rules of a dashboard's tiles and filters.
pub fn check(reading: &mut Reading<'_>, input: &DashboardInput) {
    if reading.says("tiles") {
        check_tiles(reading, &input.tiles);
    }
    if let Some(query) = input.query.as_deref().filter(|_| reading.says("query")) {
        if query.len() > QUERY {
            reading.wrong("query", "too_long", format!("`query` has at most {QUERY} bytes."));
        } else if let Err(why) = filters_of(query) {
            reading.wrong("query", "not_readable", why);
        }
    }
}

fn check_tiles(reading: &mut Reading<'_>, tiles: &[String]) {
    if tiles.is_empty() {
        reading.wrong("tiles", "missing", "`tiles` needs at least one tile, such as `states`.");
    }
    if tiles.len() > MOST_TILES {
        let text = format!(
            "A dashboard has at most {MOST_TILES} tiles; this one has {}.",
            tiles.len()
        );
        reading.wrong("tiles", "too_many", text);
    }
    let known = TILES.iter().map(|tile| tile.id).collect::<Vec<_>>().join(", ");
    let mut seen = BTreeSet::new();
    for (place, id) in tiles.iter().enumerate() {
        let at = format!("tiles[{place}]");
        if tile_of(id).is_none() {
            reading.wrong(&at, "unknown_word", format!("`{id}` is not one of the tiles {known}."));
        } else if !seen.insert(id) {
            reading.wrong(&at, "not_unique", format!("The tile `{id}` is listed twice."));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_holds_known_filters_each_once_with_plain_values() {
        let read = filters_of("kind=emergency&service=booking-api").unwrap();
        assert_eq!(
            read,
            [("kind", "emergency".to_owned()), ("service", "booking-api".to_owned())]
        );
        assert_eq!(filters_of("").unwrap(), []);
        for wrong in [
            "q=x",
            "kind=",
            "kind",
            "kind=a&kind=b",
            "service=<script>",
            "team=a%20b",
        ] {
            assert!(filters_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fifty_one_tiles_an_unknown_one_and_one_named_twice_are_refused() {
        let refused = |tiles: Vec<String>| {
            let body = json!({"title": "x", "tiles": tiles});
            let mut reading = Reading::new(body.as_object().unwrap(), "");
            let input: DashboardInput = crate::core::card::read(&mut reading);
            check(&mut reading, &input);
            reading.finish().map_err(|why| format!("{why:?}")).err()
        };
        let named = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(refused(named(&["states", "ages"])), None);
        assert!(refused(named(&[])).unwrap().contains("missing"));
        assert!(refused(named(&["sates"])).unwrap().contains("unknown_word"));
        assert!(refused(named(&["ages", "ages"])).unwrap().contains("not_unique"));
        assert!(
            refused(vec!["x".to_owned(); MOST_TILES + 1])
                .unwrap()
                .contains("too_many")
        );
    }
}
