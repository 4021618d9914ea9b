//! Notifies the owners of findings of drift, and keeps the action items of each service: the pending decisions, and the
//! decisions that are not carried out yet.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use model::change::record::Change;
use model::core::enums::{AboutKind, ActionKind, DriftState, Role, State};
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse::later;
use model::incident::drift::finding::DriftFinding;
use model::incident::drift::matching;
use model::incident::drift::source::DriftSource;
use model::notify::action_item::{About, ActionItem, Due, NewItem, Owner};
use model::schedule::calendar::Span;
use serde_json::{Value, json};
use store::change::changes;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::gate::coverage::owners;
use crate::notify::action_items::{open, settle_by_rule};

/// How long the owner has to decide.
const TIME: Span = Span::Minutes(24 * 60);
/// How long carrying out a decision may take; then the finding is open again.
const TO_CARRY_OUT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// The suffix after the source's id in the part of the item about decisions.
const DECIDED: &str = "+decided";
/// The most decided findings of a place that one round reads.
const MOST: i64 = 2_000;
/// How many addresses one message lists.
const LISTED: usize = 20;

/// Notifies the owners and the change managers of findings that are open now, with one message for each service of a report.
///
/// # Errors
/// The store's.
pub(crate) fn alert(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    source: &DriftSource,
    opened: &[DriftFinding],
) -> Result<()> {
    let mut places: BTreeMap<(String, String), Vec<&DriftFinding>> = BTreeMap::new();
    for finding in opened {
        let service = finding.service.as_ref().map(|it| it.0.clone()).unwrap_or_default();
        let environment = finding.environment.as_ref().map(|it| it.0.clone()).unwrap_or_default();
        places.entry((service, environment)).or_default().push(finding);
    }
    let directory = cx.directory()?;
    let managers = directory.with_role(Role::ChangeManager);
    for ((service, environment), findings) in places {
        let mut people = match service.as_str() {
            "" => Vec::new(),
            service => owners(&directory, service, &environment, cx.now),
        };
        people.extend(
            managers
                .iter()
                .filter(|it| !people.contains(it))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let place = match service.as_str() {
            "" => "what no rule maps to a service".to_owned(),
            service => match directory.operators(&ServiceKey::from(service)) {
                Some(vendor) => format!("{service} in {environment}, operated by {vendor}"),
                None => format!("{service} in {environment}"),
            },
        };
        let subject = format!("Drift of {place}: {} without a change", findings.len());
        let text = text(cx, &place, &findings);
        for person in people {
            let dedup = format!("drift/{}/{}/{service}/{environment}/{person}", source.id, cx.act);
            save_message(cx, written, &person, None, ("drift", &subject, &text, &dedup))?;
        }
    }
    Ok(())
}

fn text(cx: &Context<'_, '_>, place: &str, findings: &[&DriftFinding]) -> String {
    use std::fmt::Write;
    let mut text = format!("Of {place} this differs from what is recorded, and no change explains it:\n");
    for finding in findings.iter().take(LISTED) {
        // Writing into a text does not fail.
        let _ = writeln!(text, "- {}: {}", finding.address, finding.attribute);
    }
    if findings.len() > LISTED {
        let _ = writeln!(text, "and {} more.", findings.len() - LISTED);
    }
    let _ = writeln!(
        text,
        "Accept it under an emergency change, report it afterwards, or revert it: {}/t/{}/drift",
        cx.services.tools().public_url,
        cx.tenant()
    );
    text
}

/// The facts on which an event about a finding rests.
pub(crate) fn grounds(it: &DriftFinding) -> Value {
    json!({
        "address": it.address, "attribute": it.attribute, "service": it.service, "environment": it.environment,
        "rule": it.rule, "state": it.state, "ending": it.ending, "change_key": it.change, "explained_by": it.explained_by,
        "permit": it.permit,
        "baseline": it.baseline, "since": it.since.to_string(), "appeared_at": it.appeared_at.to_string(),
    })
}

/// The change with a key, where there is one.
///
/// # Errors
/// The store's.
pub(crate) fn change_named(cx: &mut Context<'_, '_>, key: Option<&str>) -> Result<Option<Change>> {
    let Some(key) = key else { return Ok(None) };
    match changes::id_of_key(cx.tx, key)? {
        Some(id) => cx.load_change(&id),
        None => Ok(None),
    }
}

/// Opens the action items of a service for a source's findings that are undecided, or whose decision is not carried out;
/// settles them once there are none.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, source: &RecordId, service: Option<&ServiceKey>) -> Result<()> {
    let count = record::count::<DriftFinding>(cx.tx, &of_place(source, service, DriftState::Open))?;
    let title = match service {
        Some(service) => format!("Decide about drift of {service}"),
        None => "Decide about drift that no rule maps to a service".to_owned(),
    };
    let text = "Accept it under an emergency change, report it afterwards, or revert it.";
    let wanted = (count > 0).then_some((title, text, Due::Within(TIME)));
    let done = "Every finding is decided or closed.";
    keep_item(cx, (source, service), (source.0.clone(), done), wanted)?;
    let decided = outstanding(cx, source, service)?;
    let first = decided.iter().filter_map(|it| it.decided_at).min();
    let title = match service {
        Some(service) => format!("Carry out the decision about drift of {service}"),
        None => "Carry out the decision about drift that no rule maps to a service".to_owned(),
    };
    let text = "Revert the drift, or make sure that the named changes are closed. Findings that are not resolved by then are \
                reopened.";
    let wanted = first.map(|at| (title, text, Due::At(later(at, TO_CARRY_OUT))));
    let done = "The decision was carried out.";
    keep_item(cx, (source, service), (format!("{source}{DECIDED}"), done), wanted)
}

/// Opens one of the items of a place, with its title, text and time, or settles it because nothing is left to do.
fn keep_item(
    cx: &mut Context<'_, '_>,
    (source, service): (&RecordId, Option<&ServiceKey>),
    (part, done): (String, &str),
    wanted: Option<(String, &str, Due)>,
) -> Result<()> {
    let about = match service {
        Some(service) => About::new(AboutKind::Service, service.as_str()),
        None => About::new(AboutKind::Drift, source.as_str()),
    };
    let Some((title, text, due)) = wanted else {
        return settle_by_rule(cx, ActionKind::DecideDrift, &about, &part, done).map(drop);
    };
    let url = format!("{}/t/{}/drift", cx.services.tools().public_url, cx.tenant());
    let item = NewItem {
        part,
        text: Some(text.to_owned()),
        services: service.cloned().into_iter().collect(),
        owner: if service.is_some() {
            Owner::ServiceOwner
        } else {
            Owner::ChangeManagers
        },
        due,
        links: vec![url],
        // The alert is the letter.
        tells: false,
        ..NewItem::new(ActionKind::DecideDrift, about, title)
    };
    open(cx, item).map(drop)
}

fn of_place(source: &RecordId, service: Option<&ServiceKey>, state: DriftState) -> Filter {
    let of_it = Filter::new()
        .equals("source", source.as_str())
        .equals("state", state.as_str());
    match service {
        Some(service) => of_it.equals("service", service.as_str()),
        None => of_it.is_null("service"),
    }
}

/// The findings of a place whose decision is a promise so far: a revert while the difference is there, and a named change that is
/// not closed.
fn outstanding(cx: &mut Context<'_, '_>, source: &RecordId, service: Option<&ServiceKey>) -> Result<Vec<DriftFinding>> {
    let decided = of_place(source, service, DriftState::Decided)
        .descending_by("id")
        .limit(MOST);
    let mut changes: BTreeMap<String, Option<Change>> = BTreeMap::new();
    let mut found = Vec::new();
    for finding in record::bodies::<DriftFinding>(cx.tx, &decided)? {
        if let Some(key) = finding.change.clone().filter(|key| !changes.contains_key(key)) {
            let change = change_named(cx, Some(key.as_str()))?;
            changes.insert(key, change);
        }
        let named = finding.change.as_ref().and_then(|key| changes.get(key)?.as_ref());
        if !is_carried_out(&finding, named) {
            found.push(finding);
        }
    }
    Ok(found)
}

fn is_carried_out(finding: &DriftFinding, named: Option<&Change>) -> bool {
    let place = finding.service.as_ref().zip(finding.environment.as_ref());
    let (Some(outcome), Some(change), Some(place)) = (finding.outcome, named, place) else {
        return false;
    };
    change.state == State::Closed && matching::carries(change, outcome, place, finding.since)
}

/// When the item about decisions wakes: a completed decision settles it, and one that was not carried out in time opens its
/// finding again.
///
/// # Errors
/// The store's.
pub(crate) fn look_again(cx: &mut Context<'_, '_>, item: &str) -> Result<()> {
    let Some(item) = record::load::<ActionItem>(cx.tx, item)?.map(|it| it.record) else {
        return Ok(());
    };
    let is_its = item.kind == ActionKind::DecideDrift && item.state.is_open();
    let part = item.natural_key.rsplit('/').next().filter(|_| is_its);
    let Some(source) = part.and_then(|part| part.strip_suffix(DECIDED)) else {
        return Ok(());
    };
    let source = RecordId(source.to_owned());
    let service = (item.about_kind == AboutKind::Service).then(|| ServiceKey(item.about.clone()));
    open_late(cx, &source, service.as_ref())?;
    follow(cx, &source, service.as_ref())
}

/// Opens findings again whose decision was not carried out in time, and notifies the owners.
fn open_late(cx: &mut Context<'_, '_>, source: &RecordId, service: Option<&ServiceKey>) -> Result<()> {
    let now = cx.now;
    let mut late = outstanding(cx, source, service)?;
    late.retain(|it| it.decided_at.is_none_or(|at| later(at, TO_CARRY_OUT) <= now));
    let Some(source) = record::load::<DriftSource>(cx.tx, source.as_str())?.map(|it| it.record) else {
        return Ok(());
    };
    let (mut written, mut events, mut opened) = (Written::default(), Vec::new(), Vec::new());
    for finding in late {
        let outcome_before = finding.outcome;
        let saved = cx.put(&mut written, finding.opened())?;
        let mut data = grounds(&saved);
        data["outcome_before"] = json!(outcome_before);
        events.push(draft(
            "drift_finding.reopened",
            ("drift_finding", saved.id.0.clone()),
            now,
            data,
        ));
        opened.push(saved);
    }
    alert(cx, &mut written, &source, &opened)?;
    cx.emit(events, written)
}
