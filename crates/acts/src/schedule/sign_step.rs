//! Signs a step of a freeze, and asks its business owner.

use model::core::enums::FreezeStage;
use model::schedule::freeze::Freeze;
use model::schedule::freeze_steps::FreezeStep;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};

/// A step signed by the acting person.
pub(crate) fn signed(cx: &Context<'_, '_>, step: FreezeStage, reason: String) -> FreezeStep {
    FreezeStep {
        step,
        by: cx.actor.person.clone(),
        at: cx.now,
        reason,
        hits: Vec::new(),
    }
}

/// Notifies the business owner that their agreement is asked for.
pub(crate) fn ask_owner(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    let Some(owner) = freeze.course.business_owner.clone() else {
        return Ok(());
    };
    let next = freeze.next_time(cx.now);
    let subject = format!("The freeze “{}” needs your agreement", freeze.title);
    let text = format!(
        "{} proposes the freeze “{}”, next from {} to {}.\nRead what it hits, then agree or decline: {}/t/{}/freezes/{}\n",
        cx.directory()?.login(&cx.actor.person),
        freeze.title,
        next.starts_at,
        next.ends_at,
        cx.services.tools().public_url,
        cx.tenant(),
        freeze.id
    );
    let dedup = format!("freeze_proposed/{}/{}", freeze.id, cx.now);
    let mut written = Written::default();
    save_message(
        cx,
        &mut written,
        &owner,
        None,
        ("freeze_proposed", &subject, &text, &dedup),
    )?;
    let event = draft(
        "freeze.owner_asked",
        ("freeze", freeze.id.0.clone()),
        cx.now,
        json!({"business_owner": owner}),
    );
    cx.tell(vec![event], written)
}
