//! Places a change under a legal hold (`POST …/changes/{key}/legal-hold`), or lifts it (`POST …/legal-hold/end`): while
//! the hold is in force nothing of the change is erased, neither by people nor by the clock.

use model::change::record::Change;
use model::compliance::erasure::LegalHold;
use model::compliance::hold_lifting::Step;
use model::core::act;
use model::core::body::Body;
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use model::core::statement::Stated;
use serde_json::json;

use crate::compliance::erase_texts::save;
use crate::compliance::lift_hold::{decide, lift_request};
use crate::core::context::Context;
use crate::core::error::Result;

/// Places it (`{reason}`). Auditors may do so: a hold removes nothing.
///
/// # Errors
/// 403, 404, 409 `under_legal_hold`, 422, the store's.
pub fn place_legal_hold(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Change> {
    cx.allow(act::actions::AUDIT)?;
    let change = cx.change(key)?;
    let reason = reason(body)?;
    if change.standing_hold().is_some() {
        let text = format!("{} is under a legal hold already.", change.key);
        return Err(Refusal::not_now("under_legal_hold", text, "One hold keeps everything.", Vec::new()).into());
    }
    let hold = LegalHold {
        reason,
        by: cx.actor.person.clone(),
        at: cx.now,
        lift_asked: None,
        lifted: None,
    };
    let held = Change {
        legal_hold: Some(hold),
        ..change
    };
    save(
        cx,
        held,
        ("change.legal_hold_placed", json!({})),
        "is under a legal hold",
    )
}

/// Lifts it (`{reason}`), or requests a second person's agreement if the tenant requires two.
///
/// # Errors
/// 403, 404, 409 `nothing_held` or `second_person_needed`, 422, the store's.
pub fn end_legal_hold(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Change> {
    cx.allow(act::actions::SET_POLICY)?;
    let change = cx.change(key)?;
    let word = lift_request(cx, body)?;
    let Some(hold) = change.standing_hold().cloned() else {
        let text = format!("{} is under no legal hold.", change.key);
        return Err(Refusal::not_now("nothing_held", text, "There is nothing to lift.", Vec::new()).into());
    };
    if decide(cx, hold.lift_asked.clone(), &word)? == Step::Ask {
        let asked = Change {
            legal_hold: Some(LegalHold {
                lift_asked: Some(word),
                ..hold
            }),
            ..change
        };
        let news = format!("{} asks to lift the legal hold of {}.", name(cx)?, asked.key);
        return save(cx, asked, ("change.legal_hold_lift_asked", json!({})), &news);
    }
    let data = json!({"placed_by": hold.by, "placed_at": hold.at});
    let lifted = Stated {
        by: word.by,
        at: word.at,
        reason: word.reason,
    };
    let free = Change {
        legal_hold: Some(LegalHold {
            lifted: Some(lifted),
            ..hold
        }),
        ..change
    };
    let news = format!("The legal hold of {} was lifted by {}.", free.key, name(cx)?);
    save(cx, free, ("change.legal_hold_lifted", data), &news)
}

fn reason(body: &Body) -> Result<String> {
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    Ok(reason)
}

fn name(cx: &mut Context<'_, '_>) -> Result<String> {
    Ok(cx.directory()?.name(&cx.actor.person))
}
