//! Copies changes that Assent leads into coexisting systems that mirror them, and follows the copies there. The change here
//! leads: an edit of a copy is reported to people and moves nothing here.

use model::change::record::Change;
use model::core::enums::{AboutKind, ActionKind, Closing, ForeignPhase, Severity, State};
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::integration::foreign_change::ReceivedChange;
use model::integration::foreign_mirror::{ForeignMirror, differences, fields, has_moved, phase};
use model::integration::foreign_system::ForeignSystem;
use model::notify::action_item::{About, NewItem, Owner};
use serde_json::json;
use store::change::changes;
use store::integration::call;
use store::record::{self, Filter};

use crate::core::context::{Context, Saved};
use crate::core::error::Result;
use crate::core::noun::{self, PlainNoun};
use crate::core::secrets;
use crate::core::write::{Written, draft};
use crate::integration::beside::known_system::{credential_name, cut, in_use, queue_comments};
use crate::notify::action_items;

/// The kind of call that writes a copy.
const CALL: &str = "foreign_mirror";
/// The most copies listed when no page is requested.
const LISTED: i64 = 200;

impl PlainNoun for ForeignMirror {
    type Input = model::core::card::NoInput;
    const IS_HISTORY: bool = true;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().descending_by("id").limit(LISTED);
        Ok(record::bodies::<Self>(cx.tx, &filter)?)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        false
    }

    fn add(_cx: &mut Context<'_, '_>, _input: Self::Input, _reading: Reading<'_>) -> Result<Self> {
        Err(Refusal::not_found("foreign-mirror").into())
    }
}

/// Whether a call writes a copy.
#[must_use]
pub fn is_call(kind: &str) -> bool {
    kind == CALL
}

/// Queues the copy of a change that was submitted or moved, if a system mirrors one of its services that Assent leads.
///
/// # Errors
/// The store's.
pub(crate) fn mirror_saved(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let change = &saved.after.change;
    let before = saved.before.as_ref().map(|file| &file.change);
    let is_news = match before {
        Some(before) => has_moved(before, change),
        None => true,
    };
    let was_draft = before.is_none_or(|before| before.state == State::Draft);
    if !is_news || (was_draft && change.state == State::Draft) {
        return Ok(());
    }
    // A draft that was cancelled before anybody there saw it is nobody else's business.
    let is_unseen = was_draft && change.state == State::Cancelled;
    for system in noun::in_use::<ForeignSystem>(cx)? {
        if is_unseen && mirror_of(cx, &system.id, &change.key)?.is_none() {
            continue;
        }
        if mirrors(cx, &system, change)? {
            begin(cx, &system, change)?;
            let id = cx.new_id()?;
            let subject = format!("{}/{}", system.id, change.key);
            call::insert(cx.tx, &id, (CALL, subject.as_str()), cx.now)?;
        }
    }
    Ok(())
}

/// Whether a system mirrors a change: one of its services is in the system's table, and no other system leads any of them.
pub(super) fn mirrors(cx: &mut Context<'_, '_>, system: &ForeignSystem, change: &Change) -> Result<bool> {
    if !system.mirrors || !system.active {
        return Ok(false);
    }
    let directory = cx.directory()?;
    let mut targets = change.content.targets.iter();
    let is_led = |key: &ServiceKey| directory.services.get(key).is_some_and(|it| it.led_by.is_some());
    let is_led_elsewhere = change.content.targets.iter().any(|target| is_led(&target.service));
    Ok(!is_led_elsewhere && targets.any(|target| system.maps_to(&target.service)))
}

pub(super) fn mirror_of(cx: &mut Context<'_, '_>, system: &RecordId, key: &str) -> Result<Option<ForeignMirror>> {
    let filter = Filter::new()
        .equals("system", system.as_str())
        .equals("change_key", key);
    Ok(record::find_one::<ForeignMirror>(cx.tx, &filter)?.map(|stored| stored.record))
}

/// Records a copy before it is written, so that a reading recognises the copy.
fn begin(cx: &mut Context<'_, '_>, system: &ForeignSystem, change: &Change) -> Result<()> {
    if mirror_of(cx, &system.id, &change.key)?.is_some() {
        return Ok(());
    }
    let mirror = ForeignMirror {
        id: RecordId(cx.new_id()?),
        version: 0,
        system: system.id.clone(),
        change_key: change.key.clone(),
        natural_key: None,
        foreign_key: None,
        edited_at: None,
        written_at: None,
        differs: false,
        read_problem: None,
        comments: Vec::new(),
    };
    save(cx, "foreign_mirror.begun", mirror)
}

pub(super) fn save(cx: &mut Context<'_, '_>, kind: &'static str, mirror: ForeignMirror) -> Result<()> {
    let mut written = Written::default();
    let saved = cx.put(&mut written, mirror)?;
    let data = json!({"system": saved.system, "change": saved.change_key, "foreign_key": saved.foreign_key});
    let event = draft(kind, ("foreign_mirror", saved.id.to_string()), cx.now, data);
    cx.emit(vec![event], written)
}

/// The data for writing a copy.
pub struct MirrorErrand {
    /// The system.
    pub system: ForeignSystem,
    /// Its credential, if any.
    pub credential: Option<Vec<u8>>,
    /// The id of the copy there, where it is known.
    pub known: Option<String>,
    /// The key of the change.
    pub change: String,
    /// The content of the copy.
    pub fields: Vec<(&'static str, String)>,
    /// How far the change is, for a system that knows one status alone.
    pub phase: ForeignPhase,
}

/// Loads the data for the call; `None` when the change is mirrored no more.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn errand(cx: &mut Context<'_, '_>, subject: &str) -> Result<Option<MirrorErrand>> {
    let Some((id, key)) = subject.split_once('/') else {
        return Ok(None);
    };
    let Some(system) = in_use(cx, id)? else { return Ok(None) };
    let Some(change) = found_change(cx, key)? else {
        return Ok(None);
    };
    if !mirrors(cx, &system, &change)? {
        return Ok(None);
    }
    let mirror = mirror_of(cx, &system.id, key)?;
    let credential = match system.has_credential {
        true => secrets::open(cx, &credential_name(id))?,
        false => None,
    };
    Ok(Some(MirrorErrand {
        system,
        credential,
        known: mirror.and_then(|mirror| mirror.natural_key),
        fields: fields(&change),
        phase: phase(&change),
        change: change.key,
    }))
}

pub(super) fn found_change(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Change>> {
    let Some(id) = changes::id_of_key(cx.tx, key)? else {
        return Ok(None);
    };
    Ok(record::load::<Change>(cx.tx, &id)?.map(|stored| stored.record))
}

/// A copy as it was written.
pub struct Copied {
    /// Its id there.
    pub natural_key: String,
    /// Its key there.
    pub foreign_key: String,
    /// When it was edited, by the clock there.
    pub edited_at: jiff::Timestamp,
    /// The parts of the copy that could not be written.
    pub problem: Option<String>,
}

/// The result of writing a copy, or why it was not written.
pub type Done = std::result::Result<Copied, String>;

/// Records the result of writing a copy; a failure is reported to people.
///
/// # Errors
/// The store's.
pub fn note(cx: &mut Context<'_, '_>, subject: &str, done: &Done) -> Result<()> {
    let Some((id, key)) = subject.split_once('/') else {
        return Ok(());
    };
    let Some(mirror) = mirror_of(cx, &RecordId::from(id), key)? else {
        return Ok(());
    };
    match done {
        Ok(copied) => {
            let problem = copied.problem.as_deref().map(cut);
            match &problem {
                None => settle(cx, &mirror)?,
                Some(why) => open(cx, &mirror, by_hand(key), why)?,
            }
            let kind = match problem {
                None => "foreign_mirror.written",
                Some(_) => "foreign_mirror.failed",
            };
            let next = ForeignMirror {
                natural_key: Some(copied.natural_key.clone()),
                foreign_key: Some(copied.foreign_key.clone()),
                edited_at: Some(copied.edited_at),
                written_at: Some(cx.now),
                differs: problem.is_some(),
                read_problem: problem,
                ..mirror
            };
            // Comments of the time before the copy, and those that came there while it was written.
            queue_comments(cx, &next)?;
            save(cx, kind, next)
        }
        Err(why) => {
            let why = cut(why);
            open(cx, &mirror, by_hand(key), &why)?;
            if mirror.read_problem.as_ref() == Some(&why) {
                return Ok(());
            }
            let next = ForeignMirror {
                read_problem: Some(why),
                ..mirror
            };
            save(cx, "foreign_mirror.failed", next)
        }
    }
}

fn by_hand(key: &str) -> String {
    format!("Write {key} into the other system by hand")
}

/// The part of the action item of a copy.
fn part(mirror: &ForeignMirror) -> String {
    format!("mirror:{}", mirror.system)
}

fn open(cx: &mut Context<'_, '_>, mirror: &ForeignMirror, title: String, text: &str) -> Result<()> {
    open_part(cx, (mirror, part(mirror)), title, text)
}

/// Opens an item about a part of a copy for the change managers.
pub(super) fn open_part(
    cx: &mut Context<'_, '_>,
    (mirror, part): (&ForeignMirror, String),
    title: String,
    text: &str,
) -> Result<()> {
    let about = About::new(AboutKind::Change, mirror.change_key.as_str());
    let item = NewItem {
        part,
        text: Some(text.to_owned()),
        severity: Some(Severity::Medium),
        owner: Owner::ChangeManagers,
        closing: Closing::Person,
        tells: true,
        ..NewItem::new(ActionKind::Other, about, title)
    };
    action_items::open(cx, item).map(drop)
}

/// Settles the item of a copy once the copy equals the change here.
fn settle(cx: &mut Context<'_, '_>, mirror: &ForeignMirror) -> Result<()> {
    let about = About::new(AboutKind::Change, mirror.change_key.as_str());
    let reason = "The copy matches the change here.";
    action_items::settle_by_rule(cx, ActionKind::Other, &about, &part(mirror), reason).map(drop)
}

/// Whether a row that was read is the copy of a change, which is then no change of the other system. An edit of the copy there
/// that differs from the change is reported to people. The edit moves nothing, and the change's next move writes the copy
/// again.
///
/// # Errors
/// The store's.
pub(crate) fn take_copy(cx: &mut Context<'_, '_>, system: &ForeignSystem, told: &ReceivedChange) -> Result<bool> {
    let Some(mirror) = copy_of(cx, system, told)? else {
        return Ok(false);
    };
    // Until the response to its writing comes, nothing can be compared; another connection to the system follows its own copies.
    if mirror.natural_key.is_none() || mirror.system != system.id {
        return Ok(true);
    }
    if mirror.edited_at.is_some_and(|at| told.edited_at <= at) {
        return Ok(true);
    }
    let key = &mirror.change_key;
    let Some(change) = found_change(cx, key)? else {
        return Ok(true);
    };
    queue_comments(cx, &mirror)?;
    let found = differences(system, &change, told);
    if !found.is_empty() {
        let title = format!("{key} was edited in the other system, but Assent leads it");
        let text = format!(
            "The copy of {} differs in: {}. The change here is authoritative. Apply the edit here or have it undone there.",
            told.key,
            found.join(", ")
        );
        open(cx, &mirror, title, &text)?;
    }
    let next = ForeignMirror {
        edited_at: Some(told.edited_at),
        differs: !found.is_empty(),
        ..mirror
    };
    save(cx, "foreign_mirror.differed", next)?;
    Ok(true)
}

/// The copy that a row is: by its id there, also after its mark was removed; before an id is known by the mark. The mark alone
/// proves nothing: another row that claims to be the copy is read like any other.
fn copy_of(cx: &mut Context<'_, '_>, system: &ForeignSystem, told: &ReceivedChange) -> Result<Option<ForeignMirror>> {
    let by_key = Filter::new()
        .equals("natural_key", told.natural_key.as_str())
        .order_by("id");
    let mut found = record::bodies::<ForeignMirror>(cx.tx, &by_key)?;
    if let Some(place) = found.iter().position(|mirror| mirror.system == system.id) {
        return Ok(Some(found.swap_remove(place)));
    }
    for mirror in found {
        let other = record::load::<ForeignSystem>(cx.tx, mirror.system.as_str())?;
        if other.is_some_and(|other| other.record.is_same_place(system)) {
            return Ok(Some(mirror));
        }
    }
    let Some(key) = &told.ours else { return Ok(None) };
    // If none could be written, the mark belongs to another row.
    let waits = |mirror: &ForeignMirror| mirror.natural_key.is_none() && mirror.read_problem.is_none();
    Ok(mirror_of(cx, &system.id, key)?.filter(waits))
}
