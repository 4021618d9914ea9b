//! Acute entries, and the numbers of a home. Each number is counted by the query of the list that it opens, as that list counts
//! itself, so that both are the same.

use acts::emergency::find_glasses::find_glasses;
use acts::notify::list_items::{self, ItemQuery, Whose};
use acts::report::find_changes::{ChangeFilter, Order, find_changes, find_in_waves, find_ordered};
use jiff::SignedDuration;
use model::change::record::Change;
use model::core::enums::State as Stage;
use model::directory::snapshot::Incident;
use model::emergency::budget::waits_for_cosignature;
use pages::{Entry, HomeNumber, Place, Rich, Tone};

use crate::http::percent::escaped;
use crate::web::change::counts;
use crate::web::change::list::UNSUCCESSFUL;
use crate::web::report::home_roles::VendorPlaces;
use crate::web::shared::view::View;

/// The most late changes shown.
const LATE: i64 = 50;
/// How many changes under way are looked at for a rollout that stopped.
const UNDER_WAY: i64 = 500;
/// The number of past days in which changes without success are counted.
const DAYS: i64 = 30;

/// Urgent entries, the gravest first: broken glasses, halted rollouts, open incidents, late work; for a vendor only of their
/// own places.
///
/// # Errors
/// The store's.
pub(crate) fn acute(view: &mut View<'_, '_, '_>, own: Option<&VendorPlaces>) -> acts::Result<Vec<Entry>> {
    let mut entries = glasses(view, own)?;
    entries.extend(halted(view, own)?);
    entries.extend(incidents(view, own));
    entries.extend(late(view, own)?);
    Ok(entries)
}

fn states(states: &[Stage]) -> Vec<String> {
    states.iter().map(|state| state.as_str().to_owned()).collect()
}

/// The changes with a rollout in waves that a filter finds, each as a whole; for a vendor those that they implement.
fn in_waves(
    view: &mut View<'_, '_, '_>,
    filter: &ChangeFilter,
    own: Option<&VendorPlaces>,
) -> acts::Result<Vec<Change>> {
    let found = find_changes(view.cx, filter, UNDER_WAY, None)?.rows;
    let keys = found.iter().map(|(listed, _)| listed.key.as_str());
    let keys: Vec<&str> = keys
        .filter(|key| own.is_none_or(|own| own.changes.contains(*key)))
        .collect();
    let begun = find_in_waves(view.cx, &keys)?;
    begun.iter().map(|key| view.cx.change(key)).collect()
}

fn named(view: &View<'_, '_, '_>, change: &Change, path: &str) -> Rich {
    Rich::new()
        .link(change.key.as_str(), format!("{}{path}", view.change_url(&change.key)))
        .text(" ")
        .said(change.content.title.as_str())
}

/// Changes whose glass is broken: the bypass ends with its time.
fn glasses(view: &mut View<'_, '_, '_>, own: Option<&VendorPlaces>) -> acts::Result<Vec<Entry>> {
    let mut found = find_glasses(view.cx)?;
    found.retain(|change| own.is_none_or(|own| own.changes.contains(&change.key)));
    let now = view.now();
    let entries = found.iter().filter_map(|change| {
        let glass = change.break_glass.as_ref()?;
        let until = view.reader.due(glass.until);
        let why = match (
            waits_for_cosignature(change, now),
            glass.is_lawful() && glass.until > now,
        ) {
            (true, _) => format!("Break-glass is waiting for a second signature, until {until}"),
            (false, true) if !glass.ended => format!("Break-glass is active until {until}"),
            _ => return None,
        };
        Some(Entry::new(Tone::Stop, named(view, change, "")).why(Rich::new().late(why)))
    });
    Ok(entries.collect())
}

/// Halted rollouts in waves.
fn halted(view: &mut View<'_, '_, '_>, own: Option<&VendorPlaces>) -> acts::Result<Vec<Entry>> {
    let filter = ChangeFilter {
        states: states(&[Stage::Implementing]),
        ..ChangeFilter::default()
    };
    let found = in_waves(view, &filter, own)?;
    let entries = found.iter().filter_map(|change| {
        let (run, plan) = (change.wave_run.as_ref()?, change.content.wave_plan.as_ref()?);
        let why = run.stop.as_ref()?.sentence(run, plan);
        Some(Entry::new(Tone::Stop, named(view, change, "/waves")).why(view.sentence(&why)))
    });
    Ok(entries.collect())
}

/// Open incidents, the major ones first.
fn incidents(view: &View<'_, '_, '_>, own: Option<&VendorPlaces>) -> Vec<Entry> {
    let is_own = |it: &&Incident| own.is_none_or(|own| !own.services.is_disjoint(&it.services));
    let all = view.directory.incidents.values();
    let mut open: Vec<&Incident> = all.filter(|it| it.resolved_at.is_none()).filter(is_own).collect();
    open.sort_by_key(|it| (!it.is_major(), it.severity, it.started_at));
    let entry = |incident: &Incident| {
        let url = view.url(&format!("/incidents/{}", incident.key));
        let text = Rich::new()
            .link(incident.key.as_str(), url)
            .text(" ")
            .said(incident.title.as_str());
        let tone = if incident.is_major() { Tone::Stop } else { Tone::Wait };
        Entry::new(tone, text)
            .icon("incident")
            .why(format!("since {}", view.reader.moment(incident.started_at)))
    };
    open.into_iter().map(entry).collect()
}

/// Late changes: work past its end, and windows that passed.
fn late(view: &mut View<'_, '_, '_>, own: Option<&VendorPlaces>) -> acts::Result<Vec<Entry>> {
    let filter = ChangeFilter {
        states: states(&[Stage::Approved, Stage::Scheduled, Stage::Implementing]),
        overdue_at: Some(view.now()),
        ..ChangeFilter::default()
    };
    // The earliest start comes first: of many the oldest are shown, not the newest.
    let order = Order::parse("planned_start").unwrap_or_default();
    let mut entries = Vec::new();
    for (listed, _) in find_ordered(view.cx, &filter, order, LATE, None)?.0.rows {
        let Some(end) = listed.planned_end.filter(|end| *end <= view.now()) else {
            continue;
        };
        if own.is_some_and(|own| !own.changes.contains(&listed.key)) {
            continue;
        }
        let text = Rich::new()
            .link(listed.key.as_str(), view.change_url(&listed.key))
            .text(" ")
            .said(listed.title.as_str());
        let words = if listed.state == Stage::Implementing.as_str() {
            "should have ended"
        } else {
            "its window passed"
        };
        let why = Rich::new().late(format!("{words} {}", view.reader.moment(end)));
        entries.push(Entry::new(Tone::Stop, text).icon("clock").why(why));
    }
    Ok(entries)
}

/// The numbers, each with the list that it counts; zeros are left out.
///
/// # Errors
/// The store's.
pub(crate) fn numbers(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<HomeNumber>> {
    let asked = queries(view);
    let queries: Vec<String> = asked.iter().map(|(_, query)| query.clone()).collect();
    let figures = counts::of_views(view, &queries)?;
    let mut numbers: Vec<HomeNumber> = asked
        .iter()
        .zip(figures)
        .map(|((label, query), count)| {
            HomeNumber::new(of(label, &count), count, view.url(&format!("/changes?{query}")))
        })
        .collect();
    if view.frame.places.contains(&Place::Incidents) {
        let all = view.directory.incidents.values();
        let open = all.filter(|it| it.state().as_str() == "open").count();
        let url = view.url("/incidents?state=open");
        let open = open.to_string();
        numbers.push(HomeNumber::new(of("Open incidents", &open), open, url));
    }
    let mine = ItemQuery {
        whose: Whose::Mine,
        open: true,
        ..ItemQuery::default()
    };
    let items = list_items::count(view.cx, &mine)?.to_string();
    numbers.push(HomeNumber::new(of("Action items", &items), items, view.url("/inbox")));
    numbers.retain(|it| !matches!(it.count.as_str(), "" | "0"));
    Ok(numbers)
}

/// The label of a number, which is another one for a single thing.
fn of(label: &'static str, count: &str) -> &'static str {
    match (count, label) {
        ("1", "Your open changes") => "Your open change",
        ("1", "Start within a day") => "Starts within a day",
        ("1", "Open emergencies") => "Open emergency",
        ("1", "Open incidents") => "Open incident",
        ("1", "Action items") => "Action item",
        _ => label,
    }
}

/// The queries of the list of changes that are counted, with their labels.
fn queries(view: &View<'_, '_, '_>) -> Vec<(&'static str, String)> {
    let me = view.directory.people.get(&view.me);
    let has = |role: &str| me.is_some_and(|person| person.roles.iter().any(|it| it.as_str() == role));
    let field = |hours: i64| escaped(&view.reader.field(view.now() + SignedDuration::from_hours(hours)));
    let mut queries = vec![
        (
            "Your open changes",
            format!("state=open&requester={}", escaped(&view.directory.login(&view.me))),
        ),
        ("Under way", "state=implementing".to_owned()),
        (
            "Start within a day",
            format!(
                "state={}&planned_from={}&planned_to={}",
                escaped("approved,scheduled"),
                field(0),
                field(24)
            ),
        ),
        ("Open emergencies", "state=open&kind=emergency".to_owned()),
    ];
    if has("change_manager") || has("executive") {
        queries.push((
            "Without success, written in 30 days",
            format!("outcome={}&created_from={}", escaped(UNSUCCESSFUL), field(-24 * DAYS)),
        ));
    }
    queries
}
