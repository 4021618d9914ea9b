//! Shows the changes that a planned or an existing freeze hits.

use model::core::act;
use model::core::body::Body;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::find_hits::{Preview, preview};
use crate::schedule::set_freeze::{load, read_freeze};

/// The expected effects of a freeze that is not set yet (`POST /freeze-previews`, with the body of a freeze). Nothing is
/// written.
///
/// # Errors
/// 403, 422, or the store's.
pub fn preview_freeze(cx: &mut Context<'_, '_>, body: &Body) -> Result<Preview> {
    cx.allow(act::actions::SET_FREEZE)?;
    let freeze = read_freeze(cx, body)?;
    preview(cx, &freeze)
}

/// The same of a freeze that is there (`GET /freezes/{id}/preview`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn preview_of(cx: &mut Context<'_, '_>, id: &str) -> Result<Preview> {
    cx.allow(act::actions::READ)?;
    let freeze = load(cx, id)?;
    let mut preview = preview(cx, &freeze)?;
    let (directory, person) = (cx.directory()?, cx.actor.person.clone());
    // Hits that a scoped reader may not see are left out.
    for hit in std::mem::take(&mut preview.hits) {
        let change = cx.change(&hit.key)?;
        if directory.sees(&person, &change) {
            preview.hits.push(hit);
        }
    }
    Ok(preview)
}
