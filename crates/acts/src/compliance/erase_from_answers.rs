//! Erases texts from the responses that are kept for repeated requests. The responses themselves stay: without them a repeated
//! request would be done again.

use std::collections::BTreeSet;

use model::compliance::erasure::ERASED;
use model::core::free_text;
use serde_json::Value;
use store::idempotency;

use crate::core::context::Context;
use crate::core::error::Result;

/// Erases these texts from the responses that name a record by its key or its id.
///
/// # Errors
/// The store's.
pub(crate) fn erase_from_answers(cx: &mut Context<'_, '_>, names: [&str; 2], texts: &BTreeSet<String>) -> Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    for name in names {
        for kept in idempotency::naming(cx.tx, name)? {
            let mut answer: Value = serde_json::from_str(&kept.answer)?;
            if blank(&mut answer, false, texts) {
                idempotency::replace(cx.tx, &kept.request(), &answer.to_string())?;
            }
        }
    }
    Ok(())
}

/// Replaces these texts in the fields of free text; returns whether any was there. Equal texts of other fields, such as states,
/// stay.
fn blank(value: &mut Value, is_text: bool, texts: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) if is_text && texts.contains(text.as_str()) => {
            *text = ERASED.to_owned();
            true
        }
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |found, item| blank(item, is_text, texts) | found),
        Value::Object(members) => members.iter_mut().fold(false, |found, (name, member)| {
            blank(member, free_text::is_text(name), texts) | found
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_free_texts_are_blanked() {
        let texts = BTreeSet::from(["closed".to_owned(), "Ola is ill".to_owned()]);
        let mut answer = json!({"body": {"key": "CHG-101", "state": "closed", "title": "closed",
            "comments": [{"text": "Ola is ill"}, {"text": "Ola is ill again"}]}, "etag": 3});
        assert!(blank(&mut answer, false, &texts));
        let left = json!({"body": {"key": "CHG-101", "state": "closed", "title": ERASED,
            "comments": [{"text": ERASED}, {"text": "Ola is ill again"}]}, "etag": 3});
        assert_eq!(answer, left);
        assert!(!blank(&mut answer, false, &texts));
    }
}
