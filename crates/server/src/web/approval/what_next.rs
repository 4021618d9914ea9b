//! The next step after an act on a change, beside the confirmation: “Waiting for security, asked 12 minutes ago.”

use acts::approval::find_decided::find_decided;
use jiff::Timestamp;
use model::change::change_file::ChangeFile;
use model::change::waiting_on::awaited;
use pages::{ActForm, ActTone, Field, Rich};

use crate::web::shared::flash::Flash;
use crate::web::shared::view::View;

/// The acts after which the change waits for other people.
const GO_ON: &[&str] = &[
    "approvals",
    "approvals/conditions",
    "approvals/return",
    "approvals/abstain",
    "approvals/{}/withdrawal",
    "submission",
    "handed_over",
    "answer",
    "assessment",
    "acknowledgements",
    "peer-reviews",
    "schedule",
    "evidence",
    "conditions/{}/met",
    "completion",
    "validation",
    "review",
    "break-glass",
    "break-glass/co-signature",
];

/// The people that the change waits for after the confirmed act. Nothing for other confirmations, for a change that waits for
/// nobody, and for one that the reader may not see. `path` is the page below the tenant's address.
///
/// # Errors
/// The store's.
pub(crate) fn after(view: &mut View<'_, '_, '_>, told: &Flash, path: &str) -> acts::Result<Option<Rich>> {
    if !GO_ON.contains(&told.done.as_str()) {
        return Ok(None);
    }
    let Some(key) = key_of(told, path) else {
        return Ok(None);
    };
    let file = match view.cx.file(&key) {
        Err(acts::Error::Refused(_)) => return Ok(None),
        other => other?,
    };
    if !file.change.state.is_open() {
        return Ok(None);
    }
    let people = awaited(&file, &view.directory, view.now());
    if people.is_empty() {
        return Ok(None);
    }
    let who = Rich::from("Waiting for ").append(view.all_waits_on(&people));
    Ok(Some(match requested_since(view, &file, &people) {
        Some(at) => who.text(", asked ").append(view.ago(at)).text("."),
        None => who.text("."),
    }))
}

/// The form that undoes the confirmed act, if undoing it is harmless: a decision that nothing rests on yet, and watching.
///
/// # Errors
/// The store's.
pub(crate) fn undo(view: &mut View<'_, '_, '_>, told: &Flash, path: &str) -> acts::Result<Option<ActForm>> {
    let Some(key) = key_of(told, path) else {
        return Ok(None);
    };
    let url = view.change_url(&key);
    let form = |words: &str, path: &str| ActForm::new("take-back", words, format!("{url}{path}")).tone(ActTone::Link);
    Ok(match told.done.as_str() {
        "watchers" => Some(form("Stop watching", "/watchers/end")),
        "watchers/end" => Some(form("Watch it again", "/watchers")),
        "approvals" | "approvals/conditions" | "approvals/return" | "approvals/reject" | "approvals/abstain" => {
            let mut decided = find_decided(view.cx)?.into_iter();
            let own = decided.find(|one| one.key == key && one.is_open);
            let back = own.map(|one| form("Withdraw the decision", &format!("/approvals/{}/withdrawal", one.id)));
            // A decision made on the first page or at a meeting leads back there.
            let next = match path.strip_prefix("/meetings/") {
                Some(id) => Some(format!("meeting-{id}")),
                None => (path == "/").then(|| "home".to_owned()),
            };
            back.map(|form| match next {
                Some(next) => form.field(Field::hidden("next", next)),
                None => form,
            })
        }
        _ => None,
    })
}

/// The key of the changed record: from the confirmation, else from the page's path.
fn key_of(told: &Flash, path: &str) -> Option<String> {
    if !told.key.is_empty() {
        return Some(told.key.clone());
    }
    let key = path.strip_prefix("/changes/")?;
    (!key.is_empty() && !key.contains('/')).then(|| key.to_owned())
}

/// The time since which the first of them is a requested approver; nothing where they owe no decision.
fn requested_since(view: &View<'_, '_, '_>, file: &ChangeFile, people: &[String]) -> Option<Timestamp> {
    let requests = file.change.requests.iter();
    let theirs = requests.filter(|it| people.contains(&view.directory.login(&it.person)));
    theirs.map(|it| it.asked_at).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::shared::flash::text_of;

    #[test]
    fn what_others_go_on_after_is_told_by_forms() {
        for done in GO_ON {
            assert!(text_of(done).is_some(), "{done}");
        }
    }

    #[test]
    fn the_change_is_the_one_that_is_named_or_whose_page_it_is() {
        let own = Flash::new("approvals");
        assert_eq!(key_of(&own, "/changes/CHG-7").as_deref(), Some("CHG-7"));
        assert_eq!(key_of(&own, "/changes/CHG-7/runbook"), None);
        assert_eq!(key_of(&own, "/"), None);
        let named = Flash {
            key: "CHG-8".to_owned(),
            ..own
        };
        assert_eq!(key_of(&named, "/").as_deref(), Some("CHG-8"));
    }
}
