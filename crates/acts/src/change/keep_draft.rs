//! Stores the form of a new change while a person types, until the form is sent or discarded. A draft is private to
//! that person and decides nothing, so the log has no entry of it.

use jiff::{SignedDuration, Timestamp};
use model::core::act::Act;
use model::core::refusal::Refusal;
use store::change::form_draft;
pub use store::change::form_draft::FormDraft;

use crate::core::context::Context;
use crate::core::error::Result;

/// The most drafts that a person has.
pub const MOST_DRAFTS: usize = 10;
/// The most bytes of the values in a draft.
pub const MOST_BYTES: usize = 64 * 1024;
/// A draft is deleted after so many days without an edit.
pub const KEPT_DAYS: i64 = 30;

/// The longest address of a form, in bytes.
const FORM_LIMIT: usize = 200;
/// The query fields of a form's address: the template that the change follows, or its service.
const SAID: [&str; 2] = ["after=", "service="];

/// Finds the acting person's drafts, the newest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_drafts(cx: &mut Context<'_, '_>) -> Result<Vec<FormDraft>> {
    cx.allow(Act::Create.as_str())?;
    let person = cx.actor.person.0.clone();
    let limit = i64::try_from(MOST_DRAFTS).unwrap_or(i64::MAX);
    Ok(form_draft::list(cx.tx, &person, oldest(cx.now), limit)?)
}

/// Stores the content of a form, and returns its version. `seen` is the version that the form began with or saved last,
/// 0 for none.
///
/// # Errors
/// 403, 409 if another window of the form saved meanwhile, 422 for an address that is no form, too many values or one
/// draft too many, or the store's.
pub fn keep_draft(cx: &mut Context<'_, '_>, form: &str, seen: i64, answers: &[(String, String)]) -> Result<i64> {
    let kept = find_drafts(cx)?;
    if !is_form(form) {
        let text = "The draft does not belong to a form for a new change. Open the form again.";
        return Err(Refusal::field("draft", "unknown", text).into());
    }
    let answers = serde_json::to_string(answers)?;
    if answers.len() > MOST_BYTES {
        let text = format!(
            "A draft can have at most {} KiB. Create the change, and add the rest as evidence.",
            MOST_BYTES / 1024
        );
        return Err(Refusal::field("draft", "too_large", text).into());
    }
    let old = kept.iter().find(|draft| draft.form == form);
    let standing = old.map_or(0, |draft| draft.version);
    if standing != seen {
        let text = "Another window of this form has saved different answers.";
        let satisfy = "Open the form again to continue with those answers, or send this one.";
        return Err(Refusal::not_now("stale", text, satisfy, Vec::new()).into());
    }
    if old.is_none() && kept.len() >= MOST_DRAFTS {
        let text = format!("You already have {MOST_DRAFTS} drafts. Send or discard one first.");
        return Err(Refusal::field("draft", "too_many", text).into());
    }
    let draft = FormDraft {
        form: form.to_owned(),
        version: standing.saturating_add(1),
        answers,
        saved_at: cx.now,
    };
    let person = cx.actor.person.0.clone();
    form_draft::save(cx.tx, &person, &draft)?;
    Ok(draft.version)
}

/// Deletes the acting person's draft of a form. A missing draft is no error.
///
/// # Errors
/// 403, or the store's.
pub fn discard_draft(cx: &mut Context<'_, '_>, form: &str) -> Result<()> {
    cx.allow(Act::Create.as_str())?;
    let person = cx.actor.person.0.clone();
    form_draft::delete(cx.tx, &person, form)?;
    Ok(())
}

/// The values of a draft, in the form's order.
#[must_use]
pub fn values_of(draft: &FormDraft) -> Vec<(String, String)> {
    // An unreadable draft is treated as none: it decides nothing, and the form starts empty.
    serde_json::from_str(&draft.answers).unwrap_or_default()
}

fn oldest(now: Timestamp) -> Timestamp {
    let span = SignedDuration::from_hours(24 * KEPT_DAYS);
    now.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// Whether this is the query of a form's address, to which pages link unchanged.
#[must_use]
pub fn is_form(form: &str) -> bool {
    let said = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic() && !b"&#?\"'<>".contains(&b));
    form.is_empty() || form.len() <= FORM_LIMIT && SAID.iter().any(|name| form.strip_prefix(name).is_some_and(said))
}

#[cfg(test)]
mod tests {
    use super::is_form;

    #[test]
    fn only_addresses_of_the_form_have_drafts() {
        for form in ["", "after=restart-label-print", "service=a%20b"] {
            assert!(is_form(form), "{form}");
        }
        let long = format!("service={}", "a".repeat(200));
        for form in [
            "after=",
            "after=a&service=b",
            "next=//evil",
            "service=a b",
            "service=<b>",
            &long,
        ] {
            assert!(!is_form(form), "{form}");
        }
    }
}
