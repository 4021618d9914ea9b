//! Code shared by the acts about coexisting systems.

use model::integration::foreign_mirror::ForeignMirror;
use model::integration::foreign_system::ForeignSystem;
use store::integration::call;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;

/// The kind of call that copies comments between a change and its copy.
pub(super) const COMMENTS: &str = "foreign_comments";
/// The longest sentence on why a reading or a writing failed, in characters.
const PROBLEM: usize = 200;

/// The name under which the credential of a system rests.
pub(super) fn credential_name(id: &str) -> String {
    format!("foreign_system/{id}")
}

/// The system with this id while it is read.
pub(super) fn in_use(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<ForeignSystem>> {
    let found = record::load::<ForeignSystem>(cx.tx, id)?.map(|stored| stored.record);
    Ok(found.filter(|system| system.active))
}

/// A sentence as it is kept.
pub(super) fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(PROBLEM).collect()
}

/// Queues the copying of the comments of a copy.
pub(super) fn queue_comments(cx: &mut Context<'_, '_>, mirror: &ForeignMirror) -> Result<()> {
    let id = cx.new_id()?;
    let subject = format!("{}/{}", mirror.system, mirror.change_key);
    Ok(call::insert(cx.tx, &id, (COMMENTS, subject.as_str()), cx.now)?)
}
