//! Signs a step of a freeze, requests the business owner's agreement, and notifies the owners of the stopped changes.

use model::change::record::Change;
use model::core::enums::FreezeStage;
use model::schedule::freeze::Freeze;
use model::schedule::freeze_steps::FreezeStep;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::schedule::find_hits::Hit;

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

/// Notifies the business owner that their agreement is needed.
pub(crate) fn notify_business_owner(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
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
    cx.emit(vec![event], written)
}

/// Notifies the owner of a change that it is planned in a freeze, with the next free times.
pub(crate) fn notify_owner(cx: &mut Context<'_, '_>, freeze: &Freeze, hit: &Hit) -> Result<()> {
    let change: Change = cx.change(&hit.key)?;
    let over = change.planned_start.zip(change.window_end());
    let span = over.and_then(|(start, end)| freeze.times().find(|it| it.overlaps(start, end)));
    let span = span.unwrap_or_else(|| freeze.next_time(cx.now));
    let free = match hit.free_starts.as_slice() {
        [] => "No time in the next three weeks is free; ask for an exception.".to_owned(),
        starts => {
            let starts: Vec<String> = starts.iter().map(ToString::to_string).collect();
            format!("Free starts: {}.", starts.join(", "))
        }
    };
    let news = format!(
        "The freeze “{}” stops {} from {} to {}. {free}",
        freeze.title, change.key, span.starts_at, span.ends_at
    );
    // Moved to a time that the freeze hits as well, the change is announced again.
    let mark = match change.planned_start {
        Some(start) => format!("{}/{start}", freeze.id),
        None => freeze.id.0.clone(),
    };
    cx.on_change(change.id.as_str(), |case| {
        let owner = case.change().content.owner.clone();
        case.write_to(
            &owner,
            "freeze_announced",
            &mark,
            news,
            "Propose another time, or ask for an exception.",
        );
        Ok(())
    })
}
