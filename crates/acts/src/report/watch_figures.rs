//! Watches figures for their owners: a lasting rise of emergencies becomes an action item of the change managers that names the
//! rise and links the rows; a wait above an agreed bound becomes one of its group. One for each rise, and for each budget and
//! period, however often it is examined. The verdict of a trial becomes an item of the template's proposer.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::core::enums::{AboutKind, ActionKind, Closing, WaitOf};
use model::notify::action_item::{About, NewItem, Owner};
use model::report::change_outcome::ChangeOutcome;
use model::report::control_chart::{self, Shift};
use model::report::definition::{self, Definition};
use model::report::evaluate::{Counted, Question, Window, evaluate};
use model::report::figure::weekly;
use model::report::population::RowFilter;
use model::report::wait_budget::{Measured, WaitBudget};
use model::report::what_rose::{Risen, risen};

use crate::change::try_template;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::notify::action_items::{find, open};
use crate::report::find_figures::since_first_change;
use crate::report::former_teams::facts_of;
use crate::report::metric_query::week_begins;
use crate::report::set_wait_budget::{read_rows, rows_of};

/// The figure that is watched for a lasting rise.
const VOLUME: &str = "emergency_volume";
/// A rise that was found longer ago is history: nobody is notified of it.
const FRESH_WEEKS: i64 = 4;
/// The most changes that an item links.
const MOST_LINKED: usize = 10;
/// A week in hours.
const WEEK_HOURS: i64 = 7 * 24;

/// The items that are due and were never opened. The search only reads, so that other writers wait only for the items to be
/// saved.
///
/// # Errors
/// The store's.
pub fn find_due(cx: &mut Context<'_, '_>) -> Result<Vec<NewItem>> {
    let mut due: Vec<NewItem> = rise(cx)?.into_iter().collect();
    due.extend(late_waits(cx)?);
    due.extend(try_template::find_decided(cx)?);
    let mut fresh = Vec::new();
    for item in due {
        if is_new(cx, &item)? {
            fresh.push(item);
        }
    }
    Ok(fresh)
}

/// Opens the items, each unless another server or an earlier round did.
///
/// # Errors
/// The store's.
pub fn open_due(cx: &mut Context<'_, '_>, due: &[NewItem]) -> Result<()> {
    for item in due {
        if is_new(cx, item)? {
            open(cx, item.clone())?;
        }
    }
    Ok(())
}

/// A settled item stays settled: the same rise and the same period are no news.
fn is_new(cx: &mut Context<'_, '_>, item: &NewItem) -> Result<bool> {
    Ok(find(cx, item.kind, &item.about, &item.part)?.is_none())
}

/// The lasting rise of emergencies that was found last, where that is news.
fn rise(cx: &mut Context<'_, '_>) -> Result<Option<NewItem>> {
    let Some(definition) = definition::find(VOLUME) else {
        return Ok(None);
    };
    let to = week_begins(cx.now, &TimeZone::UTC);
    let window = since_first_change(cx, window_of(definition, to))?;
    let rows = read_rows(cx, (window.from, to))?;
    let facts = facts_of(cx, &rows)?;
    let filter = RowFilter::default();
    let question = Question {
        definition,
        window,
        filter: &filter,
        by: None,
    };
    let counted = evaluate(&question, &rows, &facts);
    let chart = control_chart::chart(&weekly(&counted, window));
    let Some(shift) = chart.shifts.last() else {
        return Ok(None);
    };
    let found_at = week_of(window, shift.found_in);
    let age = to.duration_since(found_at);
    if age > SignedDuration::from_hours(FRESH_WEEKS * WEEK_HOURS) {
        return Ok(None);
    }
    let since = Window {
        from: week_of(window, shift.began_in),
        to: week_of(window, shift.found_in + 1),
    };
    if was_reported(cx, since.from, to)? {
        return Ok(None);
    }
    let before = Window {
        from: window.from,
        to: since.from,
    };
    let parts = risen(&counted, &facts, (before, since));
    Ok(Some(rise_item(cx, (shift, since), &parts, &counted)))
}

/// Whether an item reports a rise that was found after this one began: it is the same rise. As the window moves on, or the
/// counted data are corrected, the week in which it is found may move.
fn was_reported(cx: &mut Context<'_, '_>, began: Timestamp, to: Timestamp) -> Result<bool> {
    let mut found_by = began;
    while found_by < to {
        found_by = found_by
            .checked_add(SignedDuration::from_hours(WEEK_HOURS))
            .unwrap_or(to);
        if find(cx, ActionKind::Improve, &about_volume(), &part_of(found_by))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The subject of an item about a rise.
fn about_volume() -> About {
    About::new(AboutKind::Other, format!("metric {VOLUME}"))
}

/// The part of an item about a rise: the day by which it was found.
fn part_of(found_by: Timestamp) -> String {
    found_by.to_zoned(TimeZone::UTC).date().to_string()
}

fn window_of(definition: &Definition, to: Timestamp) -> Window {
    let length = SignedDuration::from_hours(24 * definition.window_days);
    Window {
        from: to.checked_sub(length).unwrap_or(Timestamp::MIN),
        to,
    }
}

/// When a week of a window begins.
fn week_of(window: Window, week: usize) -> Timestamp {
    let hours = i64::try_from(week).unwrap_or_default().saturating_mul(WEEK_HOURS);
    window
        .from
        .checked_add(SignedDuration::from_hours(hours))
        .unwrap_or(window.to)
}

fn rise_item(
    cx: &Context<'_, '_>,
    (shift, since): (&Shift, Window),
    parts: &[Risen],
    counted: &[Counted<'_>],
) -> NewItem {
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().to_string();
    let rows = format!(
        "{}/t/{}/metrics/{VOLUME}?from={}&to={}&zone=UTC&by=cause",
        cx.services.tools().public_url,
        cx.tenant(),
        day(since.from),
        day(since.to)
    );
    let is_its = |it: &&Counted<'_>| it.is_hit && since.has(it.at);
    let newest = counted.iter().rev().filter(is_its).take(MOST_LINKED);
    let mut links = vec![rows];
    links.extend(newest.map(|it| it.row.key.clone()));
    let named: Vec<String> = parts
        .iter()
        .map(|it| {
            let (before, after) = (tenths(it.before_milli), tenths(it.after_milli));
            format!("{} {}: from {before} to {after} a week", it.by.as_str(), it.part)
        })
        .collect();
    let what = match named.is_empty() {
        true => "No single cause, service or team stands out.".to_owned(),
        false => format!("What rose most: {}.", named.join("; ")),
    };
    let (before, after) = (tenths(shift.before_milli), tenths(shift.after_milli));
    let title = format!(
        "Emergencies rose since {} from {before} to {after} a week",
        day(since.from)
    );
    NewItem {
        part: part_of(since.to),
        text: Some(format!("{what} The links lead to the rows.")),
        owner: Owner::ChangeManagers,
        closing: Closing::Person,
        links,
        ..NewItem::new(ActionKind::Improve, about_volume(), title)
    }
}

/// Thousandths with one decimal place.
fn tenths(milli: i64) -> String {
    format!("{}.{}", milli / 1_000, milli % 1_000 / 100)
}

/// The budgets whose last period is above their bound.
fn late_waits(cx: &mut Context<'_, '_>) -> Result<Vec<NewItem>> {
    let budgets = WaitBudget::listed(cx)?;
    let rows: Vec<ChangeOutcome> = rows_of(cx, &budgets)?;
    let mut found = Vec::new();
    for budget in &budgets {
        let measured = budget.measure(&rows, cx.now);
        if budget.alarms(&measured) {
            found.push(late_item(cx, budget, &measured));
        }
    }
    Ok(found)
}

fn late_item(cx: &Context<'_, '_>, budget: &WaitBudget, measured: &Measured) -> NewItem {
    let median = measured.median.unwrap_or_default();
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date().to_string();
    let place = match (budget.wait_of, budget.waits_at.split_once('/')) {
        (WaitOf::Pipeline, Some((service, environment))) => format!("&service={service}&environment={environment}"),
        _ => String::new(),
    };
    let rows = format!(
        "{}/t/{}/metrics/time_to_approve?from={}&to={}&zone=UTC{place}",
        cx.services.tools().public_url,
        cx.tenant(),
        day(measured.window.from),
        day(measured.window.to)
    );
    let about = About::new(AboutKind::Other, format!("wait-budget {}", budget.id));
    let title = format!(
        "{} waited {median} min in {}, above the agreed {} min",
        budget.waits_at, measured.period, budget.minutes
    );
    NewItem {
        part: measured.period.clone(),
        text: Some(format!(
            "Half of the {} waits lasted longer than {median} minutes. Shorten the wait, or agree on another bound.",
            measured.of
        )),
        owner: Owner::Group(budget.group.clone()),
        closing: Closing::Person,
        links: vec![rows],
        ..NewItem::new(ActionKind::Improve, about, title)
    }
}
