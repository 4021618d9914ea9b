//! The sections of a home besides the queue, by the reader's work: decisions that can be withdrawn, late and conflicting
//! changes, today's work, changes since yesterday, figures, the population.

use std::collections::BTreeSet;

use acts::approval::find_decided::find_decided;
use acts::report::find_changes::{
    ChangeFilter, ChangeRow as Listed, Tally, TargetRow, find_changes, find_implementers, tally_changes,
};
use acts::report::find_moved::find_moved;
use acts::schedule::change_conflicts::plans_of;
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, ToSpan, Unit};
use model::change::record::Change;
use model::change::waiting_on;
use model::core::act::actions;
use model::core::enums::{Decision, Outcome, State as Stage};
use model::core::ids::ServiceKey;
use model::schedule::conflicts::{Planned, between, pairs};
use model::schedule::ways::Ways;
use pages::{ActForm, ActTone, Cell, Column, Entry, Field, Figure, Fold, Rich, Section, SectionBody, Table, Tone};

use crate::http::percent::escaped;
use crate::web::approval::decision_card::outcome_mark;
use crate::web::report::success_rate;
use crate::web::schedule::calendar;
use crate::web::shared::view::View;
use crate::web::shared::words::capital;

/// How far ahead collisions and work are looked for, in days.
const AHEAD_DAYS: i64 = 14;
/// The most rows of a section.
const MOST: usize = 8;
/// The most changes that a section looks at.
const LOOK: i64 = 300;
/// The most plans that are compared with each other: the pairs grow with the square.
const COMPARED: usize = 100;
/// The span that figures are about, in days.
const FIGURE_DAYS: i64 = 30;
/// Over how many weeks a figure's course is drawn.
const WEEKS: i64 = 12;

/// The reader's recent decisions, each with its withdrawal while one is possible.
pub(crate) fn decided(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Entry>> {
    let found = find_decided(view.cx)?;
    let entries = found.into_iter().enumerate().map(|(place, one)| {
        let url = view.change_url(&one.key);
        let (tone, words) = match one.decision {
            Decision::Approve => (Tone::Ok, "Approved"),
            Decision::ApproveWithConditions => (Tone::Ok, "Approved with conditions"),
            Decision::Return => (Tone::Wait, "Returned"),
            Decision::Reject => (Tone::Stop, "Rejected"),
            Decision::Abstain => (Tone::Plain, "Abstained"),
        };
        let text = Rich::from(format!("{words} "))
            .link(one.key.as_str(), url.as_str())
            .text(" ")
            .said(one.title.as_str());
        let mut entry = Entry::new(tone, text).why(view.reader.moment(one.at));
        if one.is_open {
            let address = format!("{url}/approvals/{}/withdrawal", one.id);
            let mut undo = ActForm::new(format!("undo-{place}"), "Undo", address).tone(ActTone::Link);
            undo.fields.push(Field::hidden("next", "home"));
            undo.key = (place == 0).then_some('U');
            entry.acts.push(undo);
        }
        entry
    });
    Ok(entries.collect())
}

/// The sections for the reader's work, by their roles.
pub(crate) fn sections(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Section>> {
    let roles: Vec<&str> = view
        .directory
        .people
        .get(&view.me)
        .map(|person| person.roles.iter().map(|role| role.as_str()).collect())
        .unwrap_or_default();
    let has = |wanted: &[&str]| roles.iter().any(|role| wanted.contains(role));
    let mut sections = Vec::new();
    if has(&["implementer", "vendor"]) {
        sections.extend(work(view)?);
    }
    if has(&["change_manager"]) {
        sections.extend(stuck(view)?);
    }
    if has(&["executive", "change_manager"]) {
        sections.push(success_rate::section(view)?);
        sections.push(figures(view)?);
    }
    if has(&["auditor"]) && view.may(actions::AUDIT) {
        sections.push(population(view));
    }
    // A vendor's home shows the vendor's own places. The role may read the tenant's other changes too, on other pages.
    if is_vendor_alone(view) {
        return Ok(vec![own_targets(view)?]);
    }
    sections.extend(since_yesterday(view)?);
    Ok(sections)
}

fn named(view: &View<'_, '_, '_>, listed: &Listed) -> Rich {
    Rich::new()
        .link(listed.key.as_str(), view.change_url(&listed.key))
        .text(" ")
        .said(listed.title.as_str())
}

fn in_states(states: &[Stage]) -> Vec<String> {
    states.iter().map(|state| state.as_str().to_owned()).collect()
}

/// The reader's implementation work: under way now, or within the days ahead.
fn work(view: &mut View<'_, '_, '_>) -> acts::Result<Option<Section>> {
    let now = view.now();
    let filter = ChangeFilter {
        states: in_states(&[Stage::Scheduled, Stage::Implementing]),
        planned_to: Some(now + SignedDuration::from_hours(24 * AHEAD_DAYS)),
        ..ChangeFilter::default()
    };
    let mut entries = Vec::new();
    let found = find_changes(view.cx, &filter, LOOK, None)?.rows;
    let ids: Vec<&str> = found.iter().map(|(listed, _)| listed.id.as_str()).collect();
    let named_people = find_implementers(view.cx, &ids)?;
    let me = view.me.clone();
    let is_own = |id: &str| named_people.get(id).is_none_or(|people| people.contains(&me));
    for (listed, _) in found.iter().filter(|(listed, _)| is_own(&listed.id)) {
        let is_on = listed.state == Stage::Implementing.as_str();
        let (tone, words) = match (calendar::stays_away(listed, now), is_on) {
            (Some(why), _) => (Tone::Stop, why),
            (None, true) => (Tone::Ok, "under way"),
            (None, false) => (Tone::Wait, "ahead"),
        };
        let span = match (listed.planned_start, listed.planned_end) {
            (Some(start), Some(end)) => view.reader.span(start, end),
            _ => String::new(),
        };
        let runbook = format!("{}/runbook", view.change_url(&listed.key));
        let why = Rich::from(format!("{words}: {span}. ")).link("Its runbook", runbook);
        entries.push((
            !is_on,
            listed.planned_start,
            Entry::new(tone, named(view, listed)).why(why),
        ));
    }
    entries.sort_by_key(|(is_ahead, start, _)| (*is_ahead, *start));
    let entries: Vec<Entry> = entries.into_iter().map(|(_, _, entry)| entry).take(MOST).collect();
    let section = Section::new("work", "Your work", SectionBody::Entries(entries)).note("under way, then ahead");
    Ok((!section.is_empty()).then_some(section))
}

/// Whether the reader is a vendor without another role.
fn is_vendor_alone(view: &View<'_, '_, '_>) -> bool {
    let person = view.directory.people.get(&view.me);
    person.is_some_and(|person| !person.roles.is_empty() && person.roles.iter().all(|role| role.as_str() == "vendor"))
}

/// The open changes that name a vendor as implementer, and their services.
pub(crate) struct VendorPlaces {
    /// Their keys.
    pub changes: BTreeSet<String>,
    /// The services that the vendor's changes touch.
    pub services: BTreeSet<ServiceKey>,
}

/// The reader's own places; `None` for a reader with a role beyond vendor.
pub(crate) fn places_of_a_vendor(view: &mut View<'_, '_, '_>) -> acts::Result<Option<VendorPlaces>> {
    if !is_vendor_alone(view) {
        return Ok(None);
    }
    let own = implemented(view)?;
    let services = own.iter().flat_map(|(_, targets)| targets);
    Ok(Some(VendorPlaces {
        services: services
            .map(|target| ServiceKey::from(target.service.as_str()))
            .collect(),
        changes: own.iter().map(|(listed, _)| listed.key.clone()).collect(),
    }))
}

/// The open changes that name the reader as implementer.
fn implemented(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<(Listed, Vec<TargetRow>)>> {
    let open = Stage::ALL
        .iter()
        .filter(|state| !state.is_final())
        .copied()
        .collect::<Vec<_>>();
    let filter = ChangeFilter {
        states: in_states(&open),
        ..ChangeFilter::default()
    };
    let mut own = find_changes(view.cx, &filter, LOOK, None)?.rows;
    let ids: Vec<&str> = own.iter().map(|(listed, _)| listed.id.as_str()).collect();
    let named_people = find_implementers(view.cx, &ids)?;
    own.retain(|(listed, _)| {
        let people = named_people.get(&listed.id);
        people.is_some_and(|people| people.contains(&view.me))
    });
    Ok(own)
}

/// The targets of open changes that the reader implements: a vendor's work here.
fn own_targets(view: &mut View<'_, '_, '_>) -> acts::Result<Section> {
    let mut rows = Vec::new();
    for (listed, targets) in implemented(view)? {
        for target in targets {
            rows.push(vec![
                Cell::title(format!("{}, {}", target.service, target.environment), ""),
                Cell::Text(named(view, &listed)),
                Cell::text(capital(&listed.state)),
                Cell::Short(
                    listed
                        .planned_start
                        .map(|at| view.reader.moment(at))
                        .unwrap_or_default(),
                ),
                Cell::Text(Rich::new().link("Its runbook", format!("{}/runbook", view.change_url(&listed.key)))),
            ]);
        }
    }
    let table = Table {
        caption: "Your targets".to_owned(),
        columns: vec![
            Column::new("Target", Fold::Never),
            Column::new("Change", Fold::Under),
            Column::new("State", Fold::Under),
            Column::new("When", Fold::Under),
            Column::new("Work", Fold::Under),
        ],
        rows,
        ..Table::default()
    };
    let unsaid = "No open change names you as implementer.";
    let all = Rich::new().link("all changes", view.url("/changes"));
    Ok(Section::new("targets", "Your targets", SectionBody::Table(table))
        .note(all)
        .unsaid(unsaid))
}

/// Conflicts in the days ahead, and changes that cannot start in time.
fn stuck(view: &mut View<'_, '_, '_>) -> acts::Result<Option<Section>> {
    let now = view.now();
    let filter = ChangeFilter {
        planned_from: Some(now),
        planned_to: Some(now + SignedDuration::from_hours(24 * AHEAD_DAYS)),
        ..ChangeFilter::default()
    };
    let rows = find_changes(view.cx, &filter, LOOK, None)?.rows;
    let mut soonest: Vec<&Listed> = rows.iter().map(|(row, _)| row).collect();
    soonest.sort_by_key(|row| row.planned_start);
    let ids: Vec<&str> = soonest.iter().take(COMPARED).map(|row| row.id.as_str()).collect();
    let planned: Vec<Planned> = plans_of(view.cx, &ids)?.into_values().collect();
    let mut entries = Vec::new();
    let terms = view.directory.planning();
    let mut ways = Ways::of(&view.directory, terms.steps());
    let pairs = pairs(&mut ways, &terms, &planned).into_iter().take(MOST);
    for (one, other) in pairs {
        let (one, other) = (&planned[one], &planned[other]);
        let Some(found) = between(&mut ways, (&view.directory, &terms), one, other) else {
            continue;
        };
        let text = Rich::new()
            .link(one.key.as_str(), view.change_url(&one.key))
            .text(" and ")
            .link(other.key.as_str(), view.change_url(&other.key))
            .text(" collide");
        let span = view.reader.span(found.from, found.to);
        let propose = view.url(&format!("/calendar/propose?change={}", other.key));
        let on = found
            .met
            .first()
            .map(|met| met.path.join(" needs "))
            .unwrap_or_default();
        let why = Rich::from(format!("{span}, on {on}. ")).link("Another time", propose);
        entries.push(Entry::new(Tone::Stop, text).why(why));
    }
    let soon = now + SignedDuration::from_hours(48);
    let starts_soon = |row: &&Listed| is_undecided(row) && row.planned_start.is_some_and(|start| start <= soon);
    let unready = rows.iter().map(|(row, _)| row).filter(starts_soon);
    let unready: Vec<&Listed> = unready.take((2 * MOST).saturating_sub(entries.len())).collect();
    let keys: Vec<&str> = unready.iter().map(|row| row.key.as_str()).collect();
    for file in view.cx.files_of(&keys)? {
        let listed = unready.iter().find(|row| row.key == file.change.key);
        let Some((listed, start)) = listed.and_then(|row| Some((row, row.planned_start?))) else {
            continue;
        };
        let ahead = waiting_on::ahead(&file, &view.directory, now);
        let waits = ahead
            .first()
            .map(|row| view.all_waits_on(&row.unmet.waiting_on))
            .unwrap_or_default();
        let why = Rich::from(format!("starts {}", view.reader.due(start)));
        let why = match waits.is_empty() {
            true => why,
            false => why.text(", waits for ").append(waits),
        };
        entries.push(Entry::new(Tone::Wait, named(view, listed)).why(why));
    }
    let section = Section::new("stuck", "Colliding and not ready", SectionBody::Entries(entries));
    Ok((!section.is_empty()).then_some(section.note("in the next 14 days; not ready: in the next 48 hours")))
}

fn is_undecided(row: &Listed) -> bool {
    matches!(row.state.as_str(), "draft" | "assessing" | "authorizing" | "approved")
}

/// A figure: what it counts.
type Counted = (&'static str, fn(&Tally) -> i64);

/// The figures in display order.
const FIGURES: [Counted; 4] = [
    ("Changes written", |it| it.written),
    ("Of them closed by now", |it| it.closed),
    ("Of them emergencies", |it| it.emergencies),
    ("Of them rejected or cancelled", |it| it.stopped),
];

/// Counts between days of the past, each so many days before now.
struct Course {
    /// The days at which counting begins and ends, the oldest first.
    days: Vec<i64>,
    /// The counts between each two neighbours.
    tallies: Vec<Tally>,
}

impl Course {
    fn counted(view: &mut View<'_, '_, '_>) -> acts::Result<Self> {
        let weeks = (0..=WEEKS).map(|week| 7 * week);
        let days: BTreeSet<i64> = weeks.chain([FIGURE_DAYS, 2 * FIGURE_DAYS]).collect();
        let days: Vec<i64> = days.into_iter().rev().collect();
        // To the next minute, so that the same counts serve every page of it.
        let now = view.now();
        let minute = now.round(TimestampRound::new().smallest(Unit::Minute).mode(RoundMode::Ceil));
        let now = minute.unwrap_or(now);
        let times: Vec<Timestamp> = days.iter().map(|day| days_before(now, *day)).collect();
        let tallies = tally_changes(view.cx, &times)?;
        Ok(Self { days, tallies })
    }

    /// The counts from so many days before now up to so many; both are days at which counting begins or ends.
    fn between(&self, from: i64, to: i64) -> Tally {
        let spans = self.days.iter().zip(&self.tallies);
        let within = spans.filter(|(day, _)| **day <= from && **day > to);
        within.fold(Tally::default(), |sum, (_, tally)| sum + *tally)
    }

    /// The counts of each week, the oldest first.
    fn weeks(&self) -> impl Iterator<Item = (i64, Tally)> + '_ {
        (0..WEEKS)
            .rev()
            .map(|week| (week, self.between(7 * (week + 1), 7 * week)))
    }
}

fn days_before(now: Timestamp, days: i64) -> Timestamp {
    now - SignedDuration::from_hours(24 * days)
}

/// Four figures with their earlier values and their course over twelve weeks.
fn figures(view: &mut View<'_, '_, '_>) -> acts::Result<Section> {
    let now = view.now();
    let course = Course::counted(view)?;
    let (lately, before) = (
        course.between(FIGURE_DAYS, 0),
        course.between(2 * FIGURE_DAYS, FIGURE_DAYS),
    );
    let drawn = FIGURES.iter().map(|(words, of)| Figure {
        label: (*words).to_owned(),
        href: String::new(),
        value: of(&lately).to_string(),
        before: format!("{} in the 30 days before", of(&before)),
        points: course
            .weeks()
            .map(|(_, tally)| u32::try_from(of(&tally)).unwrap_or(u32::MAX))
            .collect(),
        unit: "week".to_owned(),
    });
    let drawn: Vec<Figure> = drawn.collect();
    let rows = course.weeks().map(|(week, tally)| {
        let ends = view.reader.day(days_before(now, 7 * week));
        let mut cells = vec![Cell::Name(format!("to {ends}"))];
        cells.extend(FIGURES.iter().map(|(_, of)| Cell::Short(of(&tally).to_string())));
        cells
    });
    let mut columns = vec![Column::new("Week", Fold::Never)];
    columns.extend(
        FIGURES
            .iter()
            .map(|(words, _)| Column::new(words, Fold::Under).number()),
    );
    let table = Table {
        caption: "The figures week by week, the oldest first".to_owned(),
        columns,
        rows: rows.collect(),
        ..Table::default()
    };
    let from = view.reader.field(days_before(now, FIGURE_DAYS));
    let link = view.url(&format!("/changes?created_from={}", escaped(&from)));
    let section = Section::new(
        "figures",
        "The last 30 days, and twelve weeks",
        SectionBody::Figures(drawn, table),
    );
    Ok(section.note(Rich::new().link("the rows behind them", link)))
}

/// The auditor's way in: the population, a sample of it, the log.
fn population(view: &View<'_, '_, '_>) -> Section {
    let entry = |words: &str, path: &str, why: &str| {
        let link = Rich::new().link(words, view.url(path));
        Entry::new(Tone::Plain, link).icon("right").why(why)
    };
    let entries = vec![
        entry(
            "Draw a sample",
            "/audit/sample",
            "25 of a population, drawn reproducibly from a seed",
        ),
        entry(
            "Audit samples",
            "/audit-samples",
            "stratified samples for a control, with conclusions and a signed working paper",
        ),
        entry(
            "Control reports",
            "/audit/reports",
            "controls tested against the log, by framework",
        ),
        entry(
            "Reconciliation",
            "/audit/reconciliation",
            "what ran beside what was approved, both ways",
        ),
        entry(
            "Forensic timeline",
            "/audit/timeline",
            "who did what, by person, record, address, session, token or incident",
        ),
        entry(
            "Schedules of control reports",
            "/report-schedules",
            "monthly, quarterly or yearly control reports for named people",
        ),
        entry(
            "The population",
            "/changes?state=closed",
            "filter it, and export it with its query and row count",
        ),
        entry("The log", "/audit", "every entry with its place and its proof"),
    ];
    Section::new("audit", "Audit", SectionBody::Entries(entries))
}

/// The events of changes since yesterday morning, from the log, with the services: the usual questions to a service desk.
fn since_yesterday(view: &mut View<'_, '_, '_>) -> acts::Result<Option<Section>> {
    let today = view.reader.local(view.now());
    let yesterday = today.start_of_day().and_then(|start| start.checked_sub(1.day()));
    // No real zone fails to count back one day.
    let from = yesterday.map_or(view.now(), |start| start.timestamp());
    let found = find_moved(view.cx, from, 2 * MOST)?;
    let service = |change: &Change| {
        let mut text = Rich::new();
        for (place, target) in change.content.targets.iter().take(3).enumerate() {
            let query = format!("service={}&sort=-updated_at", escaped(target.service.as_str()));
            let comma = if place == 0 { "" } else { ", " };
            text = text
                .text(comma)
                .said_link(target.service.as_str(), view.url(&format!("/changes?{query}")));
        }
        text
    };
    let cells = found.iter().map(|moved| {
        let change = &moved.change;
        let told = match (moved.kind.as_str(), change.outcome) {
            ("change.implementing", _) => Cell::text("The work began"),
            ("change.completed", Some(outcome)) => Cell::Mark(outcome_mark(outcome)),
            ("change.completed", None) => Cell::text("The work ended"),
            (_, Some(outcome)) if outcome != Outcome::Succeeded => Cell::Mark(outcome_mark(outcome)),
            _ => Cell::text("Closed"),
        };
        vec![
            Cell::Title {
                text: change.content.title.clone(),
                href: view.change_url(&change.key),
                key: change.key.clone(),
                marks: Vec::new(),
                sub: Rich::new(),
            },
            Cell::Text(service(change)),
            told,
            Cell::Short(view.reader.moment(moved.at)),
        ]
    });
    let table = Table {
        caption: "What happened since yesterday, by the log, the newest first".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("On", Fold::Under),
            Column::new("What happened", Fold::Under),
            Column::new("When", Fold::Under),
        ],
        rows: cells.collect(),
        ..Table::default()
    };
    let all = view.url("/changes?sort=-updated_at");
    let section = Section::new("since-yesterday", "Changed since yesterday", SectionBody::Table(table));
    Ok((!section.is_empty()).then_some(section.note(Rich::new().link("all changes, the last changed first", all))))
}
