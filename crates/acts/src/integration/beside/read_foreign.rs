//! Reads the changes of a coexisting system repeatedly. A call names the system and reads page by page. Each page is stored
//! together with the reading position, so a killed server continues there: no row is lost, and none is stored twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::change::change_file::EventDraft;
use model::core::enums::ForeignDifference;
use model::core::ids::{RecordId, ServiceKey};
use model::integration::foreign_change::{ForeignChange, Home, ReceivedChange, compared, not_judged, take};
use model::integration::foreign_system::ForeignSystem;
use serde_json::json;
use store::integration::call;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;
use crate::core::secrets;
use crate::core::write::{Written, draft};
use crate::gate::led::looked_at;
use crate::gate::rejudge::rejudge_service;
use crate::integration::beside::judge_foreign::lacking;
use crate::integration::beside::known_system::{credential_name, cut, in_use};
use crate::integration::beside::mirror_changes::take_copy;

/// The kind of call that reads a system.
const CALL: &str = "foreign_changes";
/// The most changes of a system that are kept.
const MOST_CHANGES: i64 = 200_000;
/// Why a system with too many changes is read no further.
pub const FULL: &str = "200,000 of its changes are kept, which is the most: end it, and read from a later day.";

/// Whether a call reads a system.
#[must_use]
pub fn is_call(kind: &str) -> bool {
    kind == CALL
}

/// Has a system read as soon as may be.
///
/// # Errors
/// The store's.
pub(crate) fn queue_reading(cx: &mut Context<'_, '_>, system: &ForeignSystem) -> Result<()> {
    if system.next_reading(cx.now).is_none() {
        return Ok(());
    }
    let id = cx.new_id()?;
    Ok(call::insert(cx.tx, &id, (CALL, system.id.as_str()), cx.now)?)
}

/// The systems without a reading call, which a fault or a person removed. Writes nothing.
///
/// # Errors
/// The store's.
pub fn find_unasked(cx: &mut Context<'_, '_>) -> Result<Vec<ForeignSystem>> {
    let mut found = Vec::new();
    for system in ForeignSystem::listed(cx)? {
        if !call::waits(cx.tx, CALL, system.id.as_str())? {
            found.push(system);
        }
    }
    Ok(found)
}

/// Queues the reading call of a system again.
///
/// # Errors
/// The store's.
pub fn requeue_reading(cx: &mut Context<'_, '_>, system: &ForeignSystem) -> Result<()> {
    match in_use(cx, system.id.as_str())? {
        Some(system) => queue_reading(cx, &system),
        None => Ok(()),
    }
}

/// The data for reading a system.
pub struct Errand {
    /// The system.
    pub system: ForeignSystem,
    /// Its credential, if any.
    pub credential: Option<Vec<u8>>,
    /// Whether as many of its changes are kept as may be.
    pub is_full: bool,
}

/// Loads the data for the call; `None` when the system is read no more.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn errand(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<Errand>> {
    let Some(system) = in_use(cx, id)? else { return Ok(None) };
    let credential = match system.has_credential {
        true => secrets::open(cx, &credential_name(id))?,
        false => None,
    };
    let kept = record::count::<ForeignChange>(cx.tx, &Filter::new().equals("system", id))?;
    Ok(Some(Errand {
        system,
        credential,
        is_full: kept >= MOST_CHANGES,
    }))
}

/// Stores the rows of a page, judges those that decide, and records the reading position; `false` when the system is read no
/// more, or with other terms than the page was: `terms` is their digest.
///
/// # Errors
/// The store's.
pub fn take_page(
    cx: &mut Context<'_, '_>,
    (id, terms): (&str, &str),
    rows: &[ReceivedChange],
    problem: Option<&str>,
) -> Result<bool> {
    // The page was read with the mapping of that time, so under another mapping it is invalid.
    let Some(system) = in_use(cx, id)?.filter(|system| system.terms_digest() == terms) else {
        return Ok(false);
    };
    let mut known = known(cx, &system, rows)?;
    let (mut written, mut drafts) = (Written::default(), Vec::new());
    let mut seen = BTreeSet::new();
    // A row that is twice on a page is applied once; the next round reads it again.
    for told in rows.iter().filter(|told| seen.insert(told.natural_key.as_str())) {
        // A row that was read as the other system's own change stays one: a mark added later hides no edit of it.
        if !known.contains_key(&told.natural_key) && take_copy(cx, &system, told)? {
            continue;
        }
        take_row(cx, &system, told, (&mut known, &mut written, &mut drafts))?;
    }
    let is_news = !drafts.is_empty();
    // A row with an edit time in the future must not make the reading skip edits until then.
    let believed = rows.iter().map(|told| told.edited_at).filter(|at| *at <= cx.now);
    let last = believed.max();
    let read_until = last.max(system.read_until);
    let problem = problem.map(cut);
    let is_mended = problem != system.read_problem;
    if is_news || read_until != system.read_until || problem != system.read_problem {
        let next = ForeignSystem {
            read_until,
            read_at: Some(cx.now),
            read_problem: problem,
            ..system
        };
        let saved = cx.put(&mut written, next)?;
        let subject = ("foreign_system", saved.id.to_string());
        drafts.push(draft(
            "foreign_system.read",
            subject,
            cx.now,
            json!({"rows": rows.len()}),
        ));
    }
    cx.emit(drafts, written)?;
    match is_mended {
        true => rejudge_all_led(cx, id)?,
        false => rejudge_led(cx, id, known)?,
    }
    Ok(true)
}

/// Judges the waiting checks again of services that the system leads and whose changes were read now.
fn rejudge_led(cx: &mut Context<'_, '_>, system: &str, known: BTreeMap<String, ForeignChange>) -> Result<()> {
    let (directory, now) = (cx.directory()?, cx.now);
    let fresh = known.into_values().filter(|it| it.read_at == now);
    let services: BTreeSet<ServiceKey> = fresh.filter_map(|it| it.service).collect();
    for service in services {
        let led = directory.services.get(&service).and_then(|it| it.led_by.as_ref());
        if led.is_some_and(|led| led.system.as_str() == system) {
            rejudge_service(cx, service.as_str())?;
        }
    }
    Ok(())
}

/// The records of the rows of a page, by their ids there.
fn known(
    cx: &mut Context<'_, '_>,
    system: &ForeignSystem,
    rows: &[ReceivedChange],
) -> Result<BTreeMap<String, ForeignChange>> {
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys = rows.iter().map(|told| told.natural_key.as_str());
    let filter = Filter::new()
        .equals("system", system.id.as_str())
        .one_of("natural_key", keys)
        .order_by("id");
    let found = record::bodies::<ForeignChange>(cx.tx, &filter)?;
    Ok(found.into_iter().map(|it| (it.natural_key.clone(), it)).collect())
}

/// The result of a page: the updated records, and what is written about them.
type Gathered<'a> = (
    &'a mut BTreeMap<String, ForeignChange>,
    &'a mut Written,
    &'a mut Vec<EventDraft>,
);

fn take_row(
    cx: &mut Context<'_, '_>,
    system: &ForeignSystem,
    told: &ReceivedChange,
    (known, written, drafts): Gathered<'_>,
) -> Result<()> {
    let service = match &told.service {
        Some(name) => system.service(name, &*cx.directory()?),
        None => None,
    };
    let home = Home {
        system: system.id.clone(),
        service,
        environment: system.environment.clone(),
        terms: system.terms_digest(),
    };
    let id = RecordId(cx.new_id()?);
    let before = known.get(&told.natural_key);
    let is_new = before.is_none();
    let Some(step) = take(before, told, &home, (&id, cx.now)) else {
        return Ok(());
    };
    let mut after = step.after;
    if step.is_decided {
        after = match after.service.clone() {
            Some(service) => {
                let unmet = lacking(cx, system.kind, &after, &service)?;
                compared(after, &unmet, cx.now)
            }
            None => not_judged(after, unmapped(told.service.as_deref()), cx.now),
        };
    }
    let kind = match (is_new, step.is_decided) {
        (_, true) => "foreign_change.compared",
        (true, false) => "foreign_change.read",
        (false, false) => "foreign_change.edited",
    };
    let saved = cx.put(written, after)?;
    drafts.push(change_event(&saved, kind, cx.now));
    known.insert(saved.natural_key.clone(), saved);
    Ok(())
}

fn change_event(saved: &ForeignChange, kind: &'static str, now: Timestamp) -> EventDraft {
    let data = json!({
        "system": saved.system, "foreign_key": saved.foreign_key, "phase": saved.phase, "difference": saved.difference,
        "unmet_rules": saved.unmet_rules,
    });
    draft(kind, ("foreign_change", saved.id.to_string()), now, data)
}

/// The other system's ids of the changes on which the gates of its services depend. They are read by id at the end of each
/// round, since a deleted row is edited no more and so is on no page.
///
/// # Errors
/// The store's.
pub fn open_rows(cx: &mut Context<'_, '_>, id: &str) -> Result<Vec<String>> {
    let Some(system) = in_use(cx, id)? else {
        return Ok(Vec::new());
    };
    let (directory, terms, now) = (cx.directory()?, system.terms_digest(), cx.now);
    let mut found = BTreeSet::new();
    for service in directory.services.values() {
        if service.led_by.as_ref().is_some_and(|by| by.system.as_str() == id) {
            let rows = record::bodies::<ForeignChange>(cx.tx, &looked_at(id, service.key.as_str()))?;
            let open = rows.into_iter().filter(|row| row.may_open(&terms, now));
            found.extend(open.map(|row| row.natural_key));
        }
    }
    Ok(found.into_iter().collect())
}

/// Notes that rows read by their ids are missing in a system: no gate uses them until they are there again.
///
/// # Errors
/// The store's.
pub fn note_gone(cx: &mut Context<'_, '_>, (id, terms): (&str, &str), keys: &[String]) -> Result<()> {
    let is_asked = in_use(cx, id)?.is_some_and(|system| system.terms_digest() == terms);
    if keys.is_empty() || !is_asked {
        return Ok(());
    }
    let filter = Filter::new()
        .equals("system", id)
        .one_of("natural_key", keys.iter().map(String::as_str))
        .order_by("id");
    let (mut written, mut drafts, mut services) = (Written::default(), Vec::new(), BTreeSet::new());
    for change in record::bodies::<ForeignChange>(cx.tx, &filter)? {
        let Some(next) = change.gone(cx.now) else { continue };
        let saved = cx.put(&mut written, next)?;
        drafts.push(change_event(&saved, "foreign_change.edited", cx.now));
        services.extend(saved.service);
    }
    if drafts.is_empty() {
        return Ok(());
    }
    cx.emit(drafts, written)?;
    for service in services {
        rejudge_service(cx, service.as_str())?;
    }
    Ok(())
}

fn unmapped(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("No service here is meant by “{name}”: name it in the table of services."),
        None => "It names no service there.".to_owned(),
    }
}

/// Queues the next reading at its time.
///
/// # Errors
/// The store's.
pub fn queue_next_reading(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(system) = in_use(cx, id)? else { return Ok(()) };
    let Some(at) = system.next_reading(cx.now) else {
        return Ok(());
    };
    let call_id = cx.new_id()?;
    Ok(call::insert(cx.tx, &call_id, (CALL, id), at)?)
}

/// Continues a round where it was, after so many seconds: the system limits the rate, or a round ended before the last page.
///
/// # Errors
/// The store's.
pub fn go_on(cx: &mut Context<'_, '_>, id: &str, (seconds, left): (i64, &str)) -> Result<()> {
    if in_use(cx, id)?.is_none() {
        return Ok(());
    }
    let at = cx.now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(cx.now);
    let call_id = cx.new_id()?;
    Ok(call::insert_rest(cx.tx, &call_id, (CALL, id), left, at)?)
}

/// Records that a system which leads services was read to its end, when the last record grows old.
///
/// # Errors
/// The store's.
pub fn note_whole(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let now = cx.now;
    let Some(system) = in_use(cx, id)?.filter(|system| system.notes_whole(now)) else {
        return Ok(());
    };
    let directory = cx.directory()?;
    let mut services = directory.services.values();
    if !services.any(|it| it.led_by.as_ref().is_some_and(|by| by.system.as_str() == id)) {
        return Ok(());
    }
    let was_stale = system.is_stale(now);
    let next = ForeignSystem {
        whole_at: Some(now),
        ..system
    };
    cx.put_estate("foreign_system.read", next, json!({}))?;
    match was_stale {
        true => rejudge_all_led(cx, id),
        false => Ok(()),
    }
}

/// Records why a reading failed, and closes the gates that depend on it; the same reason again writes nothing.
///
/// # Errors
/// The store's.
pub fn fail(cx: &mut Context<'_, '_>, (id, url): (&str, &str), why: &str) -> Result<()> {
    let Some(system) = in_use(cx, id)?.filter(|system| system.url == url) else {
        return Ok(());
    };
    let why = Some(cut(why));
    if system.read_problem == why {
        return Ok(());
    }
    let next = ForeignSystem {
        read_problem: why,
        ..system
    };
    cx.put_estate("foreign_system.failed", next, json!({}))?;
    // Waiting changes that depended on earlier rows are stopped too.
    rejudge_all_led(cx, id)
}

/// Judges the waiting checks again of every service that a system leads: whether it is believed at all has changed.
fn rejudge_all_led(cx: &mut Context<'_, '_>, system: &str) -> Result<()> {
    let directory = cx.directory()?;
    for service in directory.services.values() {
        if service.led_by.as_ref().is_some_and(|by| by.system.as_str() == system) {
            rejudge_service(cx, service.key.as_str())?;
        }
    }
    Ok(())
}

/// The changes of a system that are compared in one way.
pub(crate) fn of_difference(system: &RecordId, difference: ForeignDifference) -> Filter {
    Filter::new()
        .equals("system", system.as_str())
        .equals("difference", difference.as_str())
}
