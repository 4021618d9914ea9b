//! Opens and settles action items in the act that calls for them. Every rule that needs an action from a person opens its item
//! here, and settles the item here once its condition is met.

use model::core::enums::{ActionKind, ActionState, Closing};
use model::core::ids::{PersonId, RecordId};
pub use model::notify::action_item::{About, ActionItem, Due, NewItem, Owner};
use model::notify::action_item::{MOST_LINKS, MOST_SERVICES, natural_key};
use model::notify::item_clock::{due_at, is_ownerless, next_at, notified, resolve};
use serde_json::{Value, json};
use store::queue::timer::{self, NewTimer};
use store::record::{self, Filter};
use store::{counter, record::Record};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_names::{ACTION_ITEMS, BEFORE_FIRST_ACTION_ITEM};
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};

/// The table of items and of their timers.
pub const TABLE: &str = "action_item";
/// The kind of an item's timer.
const KIND: &str = "escalation";
/// The topic of letters about items that are new or due soon.
pub(crate) const TOPIC: &str = "action_item";
/// The most items read for one record or one owner at once.
const MOST: i64 = 500;
/// The longest title that a rule writes, in characters.
const TITLE: usize = 200;

/// Opens an item, or returns the existing one with the same natural key. An open item keeps its owner, unless the kind has a
/// fixed one, and gets the new due time. A done item is opened again. A dismissed item stays dismissed, except for an
/// announcement, which is about another start.
///
/// # Errors
/// The store's.
pub fn open(cx: &mut Context<'_, '_>, new: NewItem) -> Result<ActionItem> {
    if let Some(known) = by_natural_key(cx, &new.natural_key())? {
        return open_again(cx, known, new);
    }
    let directory = cx.directory()?;
    let (owner, group) = resolve(&directory, &new.owner, (&new.services, &new.involved), cx.now);
    let due_at = due_at(&directory, (owner.as_ref(), group.as_ref()), new.due, cx.now);
    let item = ActionItem {
        id: RecordId(cx.new_id()?),
        version: 0,
        key: next_key(cx)?,
        natural_key: new.natural_key(),
        kind: new.kind,
        about_kind: new.about.kind,
        about: new.about.key,
        services: new.services.into_iter().take(MOST_SERVICES).collect(),
        title: new.title.chars().take(TITLE).collect(),
        text: new.text,
        severity: new.severity,
        owner,
        group,
        escalate_to: new.escalate_to,
        state: ActionState::Open,
        closing: new.closing,
        opened_by: cx.actor.person.clone(),
        opened_at: cx.now,
        asked_at: cx.now,
        due_at,
        acknowledged_by: None,
        acknowledged_at: None,
        settled_by: None,
        settled_at: None,
        reason: None,
        links: new.links.into_iter().take(MOST_LINKS).collect(),
        involved: new.involved,
        steps: 0,
    };
    keep(cx, "action_item.opened", item, new.tells)
}

fn open_again(cx: &mut Context<'_, '_>, known: ActionItem, new: NewItem) -> Result<ActionItem> {
    if known.state == ActionState::Dismissed && known.announced_to().is_none() {
        return Ok(known);
    }
    let directory = cx.directory()?;
    let is_done = !known.state.is_open();
    let mut next = known.clone();
    if is_done || (new.kind.has_fixed_owner() && is_moved(&known, &new.owner)) {
        (next.owner, next.group) = resolve(&directory, &new.owner, (&new.services, &new.involved), cx.now);
    }
    if is_done {
        let due = due_at(&directory, (next.owner.as_ref(), next.group.as_ref()), new.due, cx.now);
        next = next.reopened(due, cx.now);
        return keep(cx, "action_item.reopened", next, new.tells);
    }
    if let Due::At(due) = new.due
        && due != next.due_at
    {
        (next.due_at, next.steps) = (due, 0);
    }
    if next == known {
        return Ok(known);
    }
    let has_moved = (&next.owner, &next.group) != (&known.owner, &known.group);
    let kind = if has_moved {
        "action_item.assigned"
    } else {
        "action_item.postponed"
    };
    keep(cx, kind, next, new.tells && has_moved)
}

/// Whether a rule names another person than the present owner.
fn is_moved(known: &ActionItem, owner: &Owner) -> bool {
    matches!(owner, Owner::Person(person) if known.owner.as_ref() != Some(person))
}

/// Settles the open item of a rule whose condition is met; `None` where none is open.
///
/// # Errors
/// The store's.
pub fn settle_by_rule(
    cx: &mut Context<'_, '_>,
    kind: ActionKind,
    about: &About,
    part: &str,
    reason: &str,
) -> Result<Option<ActionItem>> {
    let found = find(cx, kind, about, part)?.filter(|item| item.state.is_open());
    found
        .map(|item| settle(cx, item, ActionState::Done, reason))
        .transpose()
}

/// The item of this kind about a record, or about this part of it, open or not.
///
/// # Errors
/// The store's.
pub fn find(cx: &mut Context<'_, '_>, kind: ActionKind, about: &About, part: &str) -> Result<Option<ActionItem>> {
    by_natural_key(cx, &natural_key(kind, about, part))
}

/// The open items about a record, at most 500, in the order of their keys.
///
/// # Errors
/// The store's.
pub fn open_about(cx: &mut Context<'_, '_>, about: &About) -> Result<Vec<ActionItem>> {
    let filter = Filter::new()
        .equals("about_kind", about.kind.as_str())
        .equals("about", about.key.as_str());
    Ok(record::bodies::<ActionItem>(
        cx.tx,
        &is_open(filter).order_by("id").limit(MOST),
    )?)
}

/// The same filter, of open items alone.
pub(crate) fn is_open(filter: Filter) -> Filter {
    let open = ActionState::ALL.iter().filter(|it| it.is_open());
    filter.one_of("state", open.map(|it| it.as_str()))
}

fn by_natural_key(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<ActionItem>> {
    let found = record::find_one::<ActionItem>(cx.tx, &Filter::new().equals("natural_key", key))?;
    Ok(found.map(|stored| stored.record))
}

/// The key of a new item: `ACT-101` is a tenant's first.
fn next_key(cx: &mut Context<'_, '_>) -> Result<String> {
    let number = BEFORE_FIRST_ACTION_ITEM + counter::next_number(cx.tx, ACTION_ITEMS)?;
    Ok(format!("ACT-{number}"))
}

/// Settles an item as done or dismissed and takes its timer away.
pub(crate) fn settle(
    cx: &mut Context<'_, '_>,
    item: ActionItem,
    state: ActionState,
    reason: &str,
) -> Result<ActionItem> {
    let settled = ActionItem {
        state,
        settled_by: Some(cx.actor.person.clone()),
        settled_at: Some(cx.now),
        reason: Some(reason.to_owned()),
        ..item
    };
    let kind = match state {
        ActionState::Dismissed => "action_item.dismissed",
        _ => "action_item.done",
    };
    keep(cx, kind, settled, false)
}

/// Saves an item with its event and its timer; with `tells` its owners get a letter.
pub(crate) fn keep(cx: &mut Context<'_, '_>, kind: &'static str, item: ActionItem, tells: bool) -> Result<ActionItem> {
    let mut written = Written::default();
    let item = cx.put(&mut written, item)?;
    if tells {
        let directory = cx.directory()?;
        let words = (TOPIC, subject(&item), waits(&item));
        for reader in notified(&directory, &item, 1, cx.now) {
            write_to(
                cx,
                &mut written,
                (&item, &reader),
                &words,
                &format!("asked/{}", item.version),
            )?;
        }
    }
    let event = draft(kind, (TABLE, item.id().to_owned()), cx.now, facts(&item));
    cx.emit(vec![event], written)?;
    set_timer(cx, &item, cx.now)?;
    Ok(item)
}

/// The facts about an item in events: no free text.
pub(crate) fn facts(item: &ActionItem) -> Value {
    // The part of a violation is the id of the rule that found it.
    let is_violation = item.kind == ActionKind::ResolveViolation;
    let rule = item.natural_key.rsplit('/').next().filter(|_| is_violation);
    json!({
        "key": item.key, "kind": item.kind, "about_kind": item.about_kind, "about": item.about, "owner": item.owner,
        "group": item.group, "due_at": item.due_at.to_string(), "severity": item.severity, "steps": item.steps,
        "rule": rule,
    })
}

/// The subject of the first letter about an item: the title when a rule wrote it, because such a title is translated for the
/// reader.
fn subject(item: &ActionItem) -> String {
    match item.closing {
        Closing::Person => format!("{} waits for you", item.key),
        _ => item.title.clone(),
    }
}

/// A title without its final point, for the end of a sentence.
pub(crate) fn without_point(title: &str) -> &str {
    title.trim_end_matches('.')
}

fn waits(item: &ActionItem) -> String {
    let text = item.text.as_deref().map(|text| format!("\n{text}")).unwrap_or_default();
    format!(
        "{} waits for you until {}: {}.{text}",
        item.key,
        item.due_at,
        without_point(&item.title)
    )
}

/// Writes a letter about an item; `words` are the topic, the subject and the text, and `what` identifies the letter.
pub(crate) fn write_to(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    (item, reader): (&ActionItem, &PersonId),
    (topic, subject, text): &(&str, String, String),
    what: &str,
) -> Result<()> {
    let url = format!(
        "{}/t/{}/inbox/{}",
        cx.services.tools().public_url,
        cx.tenant(),
        item.key
    );
    let text = format!("{text}\n{url}\n");
    let dedup = format!("action_item/{}/{what}/{reader}", item.key);
    save_message(
        cx,
        written,
        reader,
        None,
        (*topic, subject.as_str(), text.as_str(), dedup.as_str()),
    )
}

/// Sets the timer of an item to its next step, not before `least`, or removes the timer once the item is settled.
///
/// # Errors
/// The store's.
pub(crate) fn set_timer(cx: &mut Context<'_, '_>, item: &ActionItem, least: jiff::Timestamp) -> Result<()> {
    let Some(at) = next_at(&*cx.directory()?, item, cx.now) else {
        timer::cancel(cx.tx, TABLE, item.id(), KIND)?;
        return Ok(());
    };
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: item.id(),
        kind: KIND,
        run_at: at.max(least),
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// Gives the open items of a person who has left to an owner of the services, else to the change managers.
///
/// # Errors
/// The store's.
pub(crate) fn reassign_items(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let theirs = is_open(Filter::new().equals("owner", person.as_str()));
    for stored in record::find::<ActionItem>(cx.tx, &theirs.order_by("id").limit(MOST))? {
        fall(cx, stored.record)?;
    }
    Ok(())
}

/// Gives an item without an owner who is left to the next. An item that stays the same is not saved.
pub(crate) fn fall(cx: &mut Context<'_, '_>, item: ActionItem) -> Result<ActionItem> {
    let directory = cx.directory()?;
    if !is_ownerless(&directory, &item) {
        return Ok(item);
    }
    let (owner, group) = resolve(
        &directory,
        &Owner::ServiceOwner,
        (&item.services, &item.involved),
        cx.now,
    );
    let next = ActionItem {
        owner,
        group,
        state: ActionState::Open,
        acknowledged_by: None,
        acknowledged_at: None,
        ..item
    };
    keep(cx, "action_item.assigned", next, true)
}
