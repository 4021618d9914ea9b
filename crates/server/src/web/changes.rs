//! The list of changes: filters live in the address, so that a list can be sent to somebody.

use acts::find_changes::{ChangeFilter, ChangeRow as Listed, TargetRow, find_changes};
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use model::words::{Level, State as Stage};
use pages::{ChangeList, ChangeRow, Chip, Choice, Column, Field, Input, ListRow, Paging, Place, View as SavedView};

use super::view::{View, Visitor, escaped, see, show};
use super::words::capital;
use crate::state::AppState;

/// How many changes a page shows.
const PAGE: i64 = 50;
/// The filters, by their name in the address and the words above them.
const FILTERS: [(&str, &str); 9] = [
    ("q", "Words"),
    ("state", "State"),
    ("kind", "Kind"),
    ("service", "Service"),
    ("environment", "Environment"),
    ("risk", "Risk"),
    ("owner", "Owner"),
    ("requester", "Requester"),
    ("team", "Team"),
];

/// What the address asks for.
#[derive(Debug, Clone, Default)]
struct Wanted(Vec<(String, String)>);

impl Wanted {
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.trim().is_empty())
            .map(|(_, value)| value.trim())
    }

    /// The address with a filter replaced, or removed for an empty value. A new filter begins on the first page.
    fn with(&self, name: &str, value: &str) -> String {
        let kept = self
            .0
            .iter()
            .filter(|(known, kept)| known != name && known != "after" && !kept.trim().is_empty());
        let mut pairs: Vec<String> = kept.map(|(known, kept)| format!("{known}={}", escaped(kept))).collect();
        if !value.is_empty() {
            pairs.push(format!("{name}={}", escaped(value)));
        }
        if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        }
    }
}

/// The list of changes; a whole key in the search leads to its change.
pub(super) async fn show_list(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let wanted = Wanted(pairs);
    if let Some(key) = wanted.get("q").filter(|q| is_key(q)) {
        return see(&format!("{}/changes/{}", visitor.base(), key.to_uppercase()));
    }
    show(&state, &visitor, Place::Changes, move |view| page(view, &wanted)).await
}

/// Whether a text is the key of a change.
pub(super) fn is_key(text: &str) -> bool {
    let rest = text
        .get(..4)
        .filter(|head| head.eq_ignore_ascii_case("chg-"))
        .and_then(|_| text.get(4..));
    rest.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

fn filter(view: &View<'_, '_, '_>, wanted: &Wanted) -> ChangeFilter {
    let text = |name: &str| wanted.get(name).map(str::to_owned);
    // A login that nobody has finds nothing, rather than everything.
    let person = |name: &str| {
        wanted.get(name).map(|login| {
            view.directory
                .by_login(login)
                .map_or_else(|| login.to_owned(), |person| person.id.0.clone())
        })
    };
    let time = |name: &str| {
        wanted
            .get(name)
            .and_then(|text| text.parse::<Timestamp>().ok().or_else(|| view.reader.read_field(text)))
    };
    let states = match wanted.get("state") {
        Some("open") => Stage::ALL
            .iter()
            .filter(|state| state.is_open())
            .map(|state| state.as_str().to_owned())
            .collect(),
        Some(state) => state.split(',').map(|word| word.trim().to_owned()).collect(),
        None => Vec::new(),
    };
    ChangeFilter {
        states,
        kind: text("kind"),
        service: text("service"),
        environment: text("environment"),
        risk: text("risk"),
        owner: person("owner"),
        team: text("team"),
        requester: person("requester"),
        q: text("q"),
        planned_from: time("planned_from"),
        planned_to: time("planned_to"),
        created_from: time("created_from"),
        created_to: time("created_to"),
    }
}

fn page(view: &mut View<'_, '_, '_>, wanted: &Wanted) -> acts::Result<String> {
    let after = wanted.get("after").and_then(|text| text.parse().ok());
    let filter = filter(view, wanted);
    let found = find_changes(view.room, &filter, PAGE, after)?;
    let rows: Vec<ChangeRow> = found
        .rows
        .iter()
        .map(|(listed, targets)| row(view, listed, targets))
        .collect();
    let url = view.url("/changes");
    let older = found.next.map(|next| {
        let rest = wanted.with("after", "");
        let sign = if rest.is_empty() { '?' } else { '&' };
        format!("{url}{rest}{sign}after={next}")
    });
    let newer = after.map(|_: i64| format!("{url}{}", wanted.with("after", "")));
    let shown = format!("{} shown", rows.len());
    view.follow(None);
    view.frame.query = wanted.get("q").unwrap_or_default().to_owned();
    let page = ChangeList {
        frame: view.frame.clone(),
        views: views(view, wanted),
        chips: chips(&url, wanted),
        filters: fields(view, wanted),
        filter_url: url,
        count: shown.clone(),
        paging: Paging {
            newer,
            older,
            count: shown,
        },
        rows,
        columns: columns(),
        ..ChangeList::default()
    };
    Ok(page.render())
}

/// The usual columns; whom a change waits for is told on its page, the list names who answers for it.
fn columns() -> Vec<Column> {
    let mut columns = ChangeRow::columns();
    if let Some(column) = columns.iter_mut().find(|column| column.label == "Waits for") {
        column.label = "Owner";
    }
    columns
}

fn row(view: &View<'_, '_, '_>, listed: &Listed, targets: &[TargetRow]) -> ChangeRow {
    let first = targets.first().map(|target| target.service.clone()).unwrap_or_default();
    let more = targets.len().saturating_sub(1);
    let state = pages::State::from_word(&listed.state).unwrap_or_default();
    let owner = model::ids::PersonId::from(listed.owner.as_str());
    ChangeRow {
        key: listed.key.clone(),
        href: view.change_url(&listed.key),
        title: listed.title.clone(),
        kind: pages::Kind::from_word(&listed.kind).unwrap_or_default(),
        state: if listed.on_hold { pages::State::OnHold } else { state },
        risk: pages::Risk::from_word(&listed.risk),
        targets: if more == 0 { first } else { format!("{first} +{more}") },
        planned: listed
            .planned_start
            .map(|at| view.reader.moment(at))
            .unwrap_or_default(),
        waits_for: view.name(&owner),
        age: view.reader.age(listed.created_at),
    }
}

fn views(view: &View<'_, '_, '_>, wanted: &Wanted) -> Vec<SavedView> {
    let me = view.directory.login(&view.me);
    let mine = format!("requester={}&state=open", escaped(&me));
    let rows = [
        ("All", String::new()),
        ("Open", "state=open".to_owned()),
        ("Yours", mine),
        ("Waiting for approval", "state=authorizing".to_owned()),
        ("Under way", "state=implementing".to_owned()),
        ("To be closed", "state=reviewing".to_owned()),
    ];
    let present = |query: &str| {
        let parts: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
        let set: Vec<String> = FILTERS
            .iter()
            .filter_map(|(name, _)| wanted.get(name).map(|value| format!("{name}={}", escaped(value))))
            .collect();
        parts.len() == set.len() && set.iter().all(|one| parts.contains(&one.as_str()))
    };
    let views = rows.into_iter().map(|(label, query)| SavedView {
        label: label.to_owned(),
        is_current: present(&query),
        href: view.url(&if query.is_empty() {
            "/changes".to_owned()
        } else {
            format!("/changes?{query}")
        }),
        count: String::new(),
    });
    views.collect()
}

fn chips(url: &str, wanted: &Wanted) -> Vec<Chip> {
    let set = FILTERS
        .iter()
        .filter_map(|(name, label)| Some((name, label, wanted.get(name)?)));
    set.map(|(name, label, value)| Chip {
        label: (*label).to_owned(),
        value: value.replace('_', " "),
        remove_url: format!("{url}{}", wanted.with(name, "")),
    })
    .collect()
}

fn fields(view: &View<'_, '_, '_>, wanted: &Wanted) -> Vec<Field> {
    let present = |name: &str| wanted.get(name).unwrap_or_default().to_owned();
    let menu = |name: &str, label: &str, words: Vec<String>| {
        let any = std::iter::once(Choice::new("", "Any"));
        let choices = any.chain(words.iter().map(|word| Choice::new(word.as_str(), word_label(word))));
        Field::new(name, label, Input::Select(choices.collect()))
            .value(present(name))
            .half()
    };
    let stages = std::iter::once("open".to_owned()).chain(Stage::ALL.iter().map(|state| state.as_str().to_owned()));
    let levels = [Level::Low, Level::Medium, Level::High].map(|level| level.as_str().to_owned());
    vec![
        Field::text("q", "Words").value(present("q")),
        menu("state", "State", stages.collect()),
        menu(
            "kind",
            "Kind",
            ["normal", "standard", "emergency"].map(str::to_owned).to_vec(),
        ),
        menu(
            "service",
            "Service",
            view.directory.services.keys().map(|key| key.0.clone()).collect(),
        ),
        menu(
            "environment",
            "Environment",
            view.directory.environments.keys().map(|key| key.0.clone()).collect(),
        ),
        menu("risk", "Risk", levels.to_vec()),
        Field::text("owner", "Owner’s login").value(present("owner")).half(),
        Field::text("requester", "Requester’s login")
            .value(present("requester"))
            .half(),
        Field::text("team", "Team").value(present("team")).half(),
    ]
}

/// A closed word with a capital; keys of services stay as they are.
fn word_label(word: &str) -> String {
    let is_closed = word == "open" || Stage::ALL.iter().any(|state| state.as_str() == word);
    let is_closed = is_closed || ["low", "medium", "high", "normal", "standard", "emergency"].contains(&word);
    if is_closed { capital(word) } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_words() {
        assert!(is_key("chg-1042"));
        assert!(!is_key("CHG-"));
        assert!(!is_key("CHG-10x"));
        assert!(!is_key("ché"));
    }

    #[test]
    fn a_filter_is_replaced_or_removed_in_the_address() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let wanted = Wanted(vec![
            pair("q", "a b"),
            pair("state", "open"),
            pair("after", "9"),
            pair("kind", ""),
        ]);
        assert_eq!(wanted.with("state", ""), "?q=a%20b");
        assert_eq!(wanted.with("risk", "high"), "?q=a%20b&state=open&risk=high");
        assert_eq!(Wanted::default().with("q", ""), "");
    }
}
