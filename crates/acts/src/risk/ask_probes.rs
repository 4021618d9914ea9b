//! Calls the probes of checklists: when a change first needs one, when its window opens, and on request. A call names the
//! change, the rule and the target; the worker loads the current state, and each result is kept as evidence, whether good or
//! bad.

use jiff::SignedDuration;
use model::approval::obligation::ItemCheck;
use model::change::around::checklist::{self, ProbeResult};
use model::change::change_file::ChangeFile;
use model::change::duties::items::{Item, last_result};
use model::change::record::{Change, Target};
use model::core::enums::State;
use model::core::ids::RecordId;
use model::risk::probe::Probe;
use store::integration::call;
use store::record::{self, Filter};

use crate::core::context::{Context, Saved};
use crate::core::error::Result;

/// The kind of call to a probe.
pub const CALL: &str = "probe";
/// A result younger than this is not refreshed automatically.
const FRESH: SignedDuration = SignedDuration::from_mins(15);
/// The most targets of a change for which one probe is called.
const MOST_TARGETS: usize = 50;

/// Whether a call is to a probe.
pub fn is_call(kind: &str) -> bool {
    kind == CALL
}

/// The probe to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The change's id.
    pub change: String,
    /// The probe's key.
    pub key: String,
    /// The place, as `service/environment`.
    pub place: String,
    /// The probe and the address for the place; absent where no probe of the key is in use.
    pub probe: Option<(Probe, String)>,
}

/// Queues each probe that a change newly needs and that has no recent result (an effect of a saved change).
///
/// # Errors
/// The store's.
pub(crate) fn queue_new(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let file = &saved.after;
    if !is_waiting(file) {
        return Ok(());
    }
    let before = saved.before.as_ref();
    // A change is saved often; its probes are called when it first needs them, and when its window opens.
    let is_news = before.is_none_or(|before| {
        before.change.state != file.change.state
            || before.checklist.len() != file.checklist.len()
            || before.change.told.len() != file.change.told.len()
    });
    if !is_news {
        return Ok(());
    }
    let wanted = wanted(file);
    for (rule, probe, target) in wanted {
        // Where evidence does as well, a probe that nobody set up is not missed.
        if !is_needed(file, &rule) && in_use(cx, &probe)?.is_none() {
            continue;
        }
        let place = place_of(&target);
        let last = last_result(file, &probe, &place);
        if last.is_none_or(|last| cx.now.duration_since(last.at) > FRESH) {
            queue_probe(cx, &file.change, &rule, &target)?;
        }
    }
    Ok(())
}

fn is_waiting(file: &ChangeFile) -> bool {
    matches!(
        file.change.state,
        State::Assessing | State::Authorizing | State::Approved | State::Scheduled
    )
}

fn place_of(target: &Target) -> String {
    format!("{}/{}", target.service, target.environment)
}

/// The probes that the rules of a change want, each with its rule and target.
fn wanted(file: &ChangeFile) -> Vec<(String, String, Target)> {
    let mut found = Vec::new();
    for item in file.requirements.obligations.iter().filter_map(Item::of) {
        let Some(probe) = item.check.probe() else { continue };
        let targets = &file.change.content.targets;
        let own = targets.iter().filter(|target| item.row.targets.contains(&target.id));
        let own = own.take(MOST_TARGETS).cloned();
        found.extend(own.map(|target| (item.row.obligation.id.clone(), probe.to_owned(), target)));
    }
    found
}

/// Whether nothing else than a probe meets the item of a rule.
fn is_needed(file: &ChangeFile, rule: &str) -> bool {
    let mut items = file.requirements.obligations.iter().filter_map(Item::of);
    items.any(|item| item.row.obligation.id == rule && matches!(item.check, ItemCheck::Probe { .. }))
}

fn in_use(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Probe>> {
    let filter = Filter::new().equals("key", key).equals("active", true);
    Ok(record::find_one::<Probe>(cx.tx, &filter)?.map(|stored| stored.record))
}

fn queue_probe(cx: &mut Context<'_, '_>, change: &Change, rule: &str, target: &Target) -> Result<()> {
    let subject = format!("{}/{}/{rule}", change.id, target.id);
    let (id, now) = (cx.new_id()?, cx.now);
    Ok(call::insert(cx.tx, &id, (CALL, subject.as_str()), now)?)
}

/// Queues the probe of an item at once (`POST …/checklist/{id}/probe`).
///
/// # Errors
/// 403, 404, 409 for an item without a probe; the store's.
pub fn ask_probe(cx: &mut Context<'_, '_>, key: &str, item: &RecordId) -> Result<()> {
    let rule = cx.on_change(key, |case| checklist::check_probe_request(case, item))?;
    let change = cx.change(key)?;
    let file = cx.file(&change.key)?;
    for (of, _, target) in wanted(&file) {
        if of == rule {
            queue_probe(cx, &change, &rule, &target)?;
        }
    }
    Ok(())
}

/// The probe that a call is for now; nothing when the change needs it no more.
///
/// # Errors
/// The store's.
pub fn errand(cx: &mut Context<'_, '_>, subject: &str) -> Result<Option<Errand>> {
    let mut parts = subject.splitn(3, '/');
    let (Some(id), Some(target), Some(rule)) = (parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let Some(stored) = record::load::<Change>(cx.tx, id)? else {
        return Ok(None);
    };
    let file = cx.file(&stored.record.key)?;
    if !is_waiting(&file) {
        return Ok(None);
    }
    let found = wanted(&file)
        .into_iter()
        .find(|(of, _, at)| of == rule && at.id.as_str() == target);
    let Some((_, key, target)) = found else { return Ok(None) };
    let probe = in_use(cx, &key)?;
    let address = |probe: Probe| {
        let url = probe.address(target.service.as_str(), target.environment.as_str());
        (probe, url)
    };
    Ok(Some(Errand {
        change: id.to_owned(),
        place: place_of(&target),
        probe: probe.map(address),
        key,
    }))
}

/// Stores the result of a probe.
///
/// # Errors
/// The store's.
pub fn take(cx: &mut Context<'_, '_>, change: &str, answer: ProbeResult) -> Result<()> {
    cx.on_change(change, |case| {
        // A change that began meanwhile does not need the result.
        if case.change().state.is_before_start() {
            checklist::take_probe_result(case, answer);
        }
        Ok(())
    })
}
