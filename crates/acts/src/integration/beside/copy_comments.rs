//! Copies comments between a change that Assent leads and its copy in another system. The comments there are read first, so that
//! a lost response makes no second copy; then those here are written. The record of the copy lists what was copied.

use model::change::around::take_comment;
use model::change::record::Change;
use model::change::related_records::Comment;
use model::core::enums::{AboutKind, ActionKind};
use model::core::ids::RecordId;
use model::integration::foreign_comment::{CopiedComment, MOST, ReceivedComment, Step, kept, step, written};
use model::integration::foreign_mirror::ForeignMirror;
use model::integration::foreign_system::ForeignSystem;
use model::notify::action_item::About;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::secrets;
use crate::integration::beside::known_system::{COMMENTS, credential_name, cut, in_use, queue_comments};
use crate::integration::beside::mirror_changes::{found_change, mirror_of, mirrors, open_part, save};
use crate::notify::action_items;

/// Whether a call copies comments.
#[must_use]
pub fn is_call(kind: &str) -> bool {
    kind == COMMENTS
}

/// Queues the copying of the comments of a change to each of its copies.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    let copies = Filter::new()
        .equals("change_key", key)
        .is_set("natural_key")
        .order_by("id");
    for mirror in record::bodies::<ForeignMirror>(cx.tx, &copies)? {
        queue_comments(cx, &mirror)?;
    }
    Ok(())
}

/// The data for copying comments.
pub struct Errand {
    /// The system.
    pub system: ForeignSystem,
    /// Its credential, if any.
    pub credential: Option<Vec<u8>>,
    /// The id of the copy there.
    pub copy: String,
}

/// Loads the data for the call; `None` when the change has no copy, or is mirrored no more.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn errand(cx: &mut Context<'_, '_>, subject: &str) -> Result<Option<Errand>> {
    let Some((system, _, mirror)) = mirrored(cx, subject)? else {
        return Ok(None);
    };
    let credential = match system.has_credential {
        true => secrets::open(cx, &credential_name(system.id.as_str()))?,
        false => None,
    };
    Ok(mirror.natural_key.map(|copy| Errand {
        system,
        credential,
        copy,
    }))
}

/// The system, the change and its copy, while the change is mirrored.
fn mirrored(cx: &mut Context<'_, '_>, subject: &str) -> Result<Option<(ForeignSystem, Change, ForeignMirror)>> {
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
    Ok(mirror.map(|mirror| (system, change, mirror)))
}

/// The comments that are to be written there.
#[derive(Debug, Default)]
pub struct Todo {
    /// The id of each with its text, the oldest first.
    pub write: Vec<(RecordId, String)>,
    /// Whether another server is writing one.
    pub waits: bool,
}

/// Keeps the comments that were read there, and reserves those here that are to be written, so that no other server writes them.
///
/// # Errors
/// The store's.
pub fn take(cx: &mut Context<'_, '_>, subject: &str, told: &[ReceivedComment]) -> Result<Todo> {
    let Some((system, change, mirror)) = mirrored(cx, subject)? else {
        return Ok(Todo::default());
    };
    let of_change = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let ours = record::bodies::<Comment>(cx.tx, &of_change)?;
    let step = step(&mirror.comments, &ours, told, cx.now);
    if step.is_full {
        let text = format!("{MOST} comments of the change and its copy were copied, which is the limit.");
        open_part(cx, (&mirror, part(&mirror)), by_hand(&mirror), &text)?;
    }
    let copied = copied(cx, (&system, &change), &mirror, &step)?;
    if copied != mirror.comments {
        let next = ForeignMirror {
            comments: copied,
            ..mirror
        };
        save(cx, "foreign_mirror.commented", next)?;
    }
    let directory = cx.directory()?;
    let texts = step.write.into_iter().filter_map(|id| {
        let comment = ours.iter().find(|it| it.id == id)?;
        Some((id, written(&directory.name(&comment.by), comment)))
    });
    Ok(Todo {
        write: texts.collect(),
        waits: step.waits,
    })
}

/// The record of what was copied after a step, whose comments there become comments of the change.
fn copied(
    cx: &mut Context<'_, '_>,
    (system, change): (&ForeignSystem, &Change),
    mirror: &ForeignMirror,
    step: &Step,
) -> Result<Vec<CopiedComment>> {
    let mut copied = mirror.comments.clone();
    for told in &step.take {
        let text = kept(told, &system.name);
        let author = format!("{} ({})", told.author, system.name);
        let here = cx.on_change(&change.key, |case| Ok(take_comment(case, &author, text)))?;
        copied.push(CopiedComment {
            here,
            there: Some(told.there.clone()),
            at: told.edited_at,
            is_open: false,
        });
    }
    for (ids, is_open) in [(&step.found, false), (&step.write, true)] {
        for id in ids {
            copied.retain(|it| it.there.is_some() || it.here != *id);
            copied.push(CopiedComment {
                here: id.clone(),
                there: None,
                at: cx.now,
                is_open,
            });
        }
    }
    Ok(copied)
}

/// The result of writing comments there.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// The ids of those that were written.
    pub written: Vec<RecordId>,
    /// The ids of those that were not: another call writes them.
    pub left: Vec<RecordId>,
    /// Why a person has to look after the others.
    pub problem: Option<String>,
}

/// Records the result of writing comments. A failure that lasts is reported to people.
///
/// # Errors
/// The store's.
pub fn note(cx: &mut Context<'_, '_>, subject: &str, sent: &Sent) -> Result<()> {
    let Some((id, key)) = subject.split_once('/') else {
        return Ok(());
    };
    let Some(mirror) = mirror_of(cx, &RecordId::from(id), key)? else {
        return Ok(());
    };
    match &sent.problem {
        Some(why) => open_part(cx, (&mirror, part(&mirror)), by_hand(&mirror), &cut(why))?,
        None if sent.left.is_empty() && mirror.comments.len() < MOST => settle(cx, &mirror)?,
        None => {}
    }
    let mut comments = mirror.comments.clone();
    comments.retain(|it| !(it.is_open && sent.left.contains(&it.here)));
    for copied in comments
        .iter_mut()
        .filter(|it| it.is_open && sent.written.contains(&it.here))
    {
        (copied.is_open, copied.at) = (false, cx.now);
    }
    if comments == mirror.comments {
        return Ok(());
    }
    save(cx, "foreign_mirror.commented", ForeignMirror { comments, ..mirror })
}

fn by_hand(mirror: &ForeignMirror) -> String {
    format!(
        "Copy comments between {} and the other system by hand",
        mirror.change_key
    )
}

/// The part of the action item about the comments of a copy.
fn part(mirror: &ForeignMirror) -> String {
    format!("comments:{}", mirror.system)
}

fn settle(cx: &mut Context<'_, '_>, mirror: &ForeignMirror) -> Result<()> {
    let about = About::new(AboutKind::Change, mirror.change_key.as_str());
    let reason = "The comments were copied.";
    action_items::settle_by_rule(cx, ActionKind::Other, &about, &part(mirror), reason).map(drop)
}
