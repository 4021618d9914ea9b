//! The acts on a change as forms: each form is converted into the API's JSON object and passed to the same function.

use acts::Context;
use acts::cab::meetings;
use acts::change::{link_change, record_entry};
use acts::compliance::{erase_texts, set_legal_hold};
use acts::emergency::break_glass;
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::body::Body;
use model::core::enums::SecurityQuestion;
use model::core::ids::RecordId;
use model::core::refusal::{self, FieldError};
use pages::Reader;
use serde_json::{Value, json};

use crate::http::failure::Failure;
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::change::page::{Refused, show_refused, tab_of};
use crate::web::shared::flash::{Flash, decided};
use crate::web::shared::form::{Decoded, Form};
use crate::web::shared::response::see;
use crate::web::shared::view::{Visitor, problem, reader_of, redirect_with_flash, write_noted};
use crate::web::shared::{idempotent_form, step_up};

/// An act as a form reaches it.
struct Door {
    /// The path below the change's address; `{}` is the id of an item.
    path: &'static str,
    /// Checkboxes that count as `false` when they are not ticked.
    boxes: &'static [&'static str],
    /// The act: change, item, body.
    run: fn(&mut Context<'_, '_>, &str, &str, &Body) -> acts::Result<()>,
}

const fn door(path: &'static str, run: fn(&mut Context<'_, '_>, &str, &str, &Body) -> acts::Result<()>) -> Door {
    Door { path, boxes: &[], run }
}

const fn boxed(mut door: Door, boxes: &'static [&'static str]) -> Door {
    door.boxes = boxes;
    door
}

/// Every act on a change.
const DOORS: &[Door] = &[
    door("submission", |cx, key, _, _| {
        acts::change::verbs::submit_change(cx, key)
    }),
    door("assessment", |cx, key, _, body| {
        acts::change::verbs::assess_change(cx, key, body)
    }),
    door("acknowledgements", |cx, key, _, _| {
        acts::approval::verbs::acknowledge_change(cx, key)
    }),
    door("approvals", |cx, key, _, body| {
        acts::approval::verbs::approve_change(cx, key, body).map(drop)
    }),
    door("approvals/{}/withdrawal", |cx, key, item, _| {
        acts::approval::verbs::withdraw_approval(cx, key, &RecordId::from(item))
    }),
    door("meeting", |cx, _, _, body| meetings::open_meeting(cx, body).map(drop)),
    door("meetings/{}/attendance", |cx, _, item, body| {
        meetings::attend_meeting(cx, item, body).map(drop)
    }),
    door("meetings/{}/departure", |cx, _, item, _| {
        meetings::leave_meeting(cx, item).map(drop)
    }),
    door("meetings/{}/conflict", |cx, key, item, body| {
        let mut body = body.clone();
        body.insert("change".to_owned(), key.into());
        meetings::declare_conflict(cx, item, &body).map(drop)
    }),
    door("return", |cx, key, _, body| {
        acts::approval::verbs::return_change(cx, key, body)
    }),
    door("peer-reviews", |cx, key, _, body| {
        acts::approval::verbs::peer_review_change(cx, key, body).map(drop)
    }),
    door("overruling", |cx, key, _, body| {
        acts::approval::verbs::overrule_rejection(cx, key, body)
    }),
    door("schedule", |cx, key, _, body| {
        acts::change::verbs::schedule_change(cx, key, body)
    }),
    door("hold", |cx, key, _, body| {
        acts::change::verbs::hold_change(cx, key, body)
    }),
    door("resume", |cx, key, _, _| acts::change::verbs::resume_change(cx, key)),
    door("implementation", |cx, key, _, _| {
        acts::change::verbs::start_change(cx, key)
    }),
    door("implementation/entries", |cx, key, _, body| {
        record_entry::record_entry(cx, key, body).map(drop)
    }),
    door("extension", |cx, key, _, body| {
        acts::change::verbs::ask_extension(cx, key, body)
    }),
    door("extension/decision", |cx, key, _, body| {
        acts::change::verbs::decide_extension(cx, key, body)
    }),
    door("completion", |cx, key, _, body| {
        acts::change::verbs::complete_change(cx, key, body)
    }),
    door("validation", |cx, key, _, body| {
        acts::change::verbs::validate_change(cx, key, body)
    }),
    door("review", |cx, key, _, body| {
        acts::change::verbs::review_change(cx, key, body)
    }),
    door("closure", |cx, key, _, _| acts::change::verbs::close_change(cx, key)),
    door("cancellation", |cx, key, _, body| {
        acts::change::verbs::cancel_change(cx, key, body)
    }),
    door("legal-hold", |cx, key, _, body| {
        set_legal_hold::place_legal_hold(cx, key, body).map(drop)
    }),
    door("legal-hold/end", |cx, key, _, body| {
        set_legal_hold::end_legal_hold(cx, key, body).map(drop)
    }),
    door("erasure", |cx, key, _, body| {
        erase_texts::ask_erasure(cx, key, body).map(drop)
    }),
    door("erasure/confirmation", |cx, key, _, _| {
        erase_texts::confirm_erasure(cx, key).map(drop)
    }),
    door("erasure/withdrawal", |cx, key, _, _| {
        erase_texts::withdraw_erasure(cx, key).map(drop)
    }),
    door("break-glass", |cx, key, _, body| {
        break_glass::break_glass(cx, key, body)
    }),
    door("break-glass/co-signature", |cx, key, _, body| {
        acts::emergency::verbs::cosign_break_glass(cx, key, body)
    }),
    door("break-glass/validation", |cx, key, _, body| {
        acts::emergency::verbs::validate_break_glass(cx, key, body)
    }),
    door("retrospective/confirmation", |cx, key, _, body| {
        acts::emergency::verbs::confirm_retrospective(cx, key, body)
    }),
    door("finding", |cx, key, _, body| {
        acts::emergency::verbs::state_finding(cx, key, body)
    }),
    door("gate-reopenings", |cx, key, _, body| {
        acts::gate::reopen_gate::reopen_gate(cx, key, body)
    }),
    door("evidence/{}/acceptance", |cx, key, item, body| {
        acts::change::verbs::accept_evidence(cx, key, &RecordId::from(item), body)
    }),
    door("conditions/{}/met", |cx, key, item, body| {
        acts::change::verbs::meet_condition(cx, key, &RecordId::from(item), body)
    }),
    door("checklist/{}/tick", |cx, key, item, body| {
        acts::change::verbs::tick_checklist(cx, key, &RecordId::from(item), body)
    }),
    door("checklist/{}/waiver", |cx, key, item, body| {
        acts::change::verbs::waive_item(cx, key, &RecordId::from(item), body)
    }),
    door("checklist/{}/probe", |cx, key, item, _| {
        acts::risk::ask_probes::ask_probe(cx, key, &RecordId::from(item))
    }),
    door("undo", |cx, key, _, body| {
        let mut body = body.clone();
        // A form sends text; a hidden field marks the form that reopens the task.
        if body.get("done").is_some_and(|said| said == "no") {
            body.insert("done".to_owned(), Value::Bool(false));
        }
        acts::change::verbs::undo_change(cx, key, &body)
    }),
    door("readiness", |cx, key, _, body| {
        let mut body = body.clone();
        // A form sends text; a hidden field marks the form that withdraws the confirmation.
        if body.get("ready").is_some_and(|said| said == "no") {
            body.insert("ready".to_owned(), Value::Bool(false));
        }
        acts::change::verbs::say_ready(cx, key, &body)
    }),
    boxed(
        door("tasks", |cx, key, _, body| {
            acts::change::verbs::add_task(cx, key, body).map(drop)
        }),
        &["mandatory"],
    ),
    door("tasks/{}", |cx, key, item, body| {
        acts::change::verbs::update_task(cx, key, &RecordId::from(item), body)
    }),
    door("comments", |cx, key, _, body| {
        acts::change::verbs::comment_change(cx, key, body).map(drop)
    }),
    door("answer", |cx, key, _, body| {
        acts::change::verbs::comment_change(cx, key, body)?;
        acts::change::verbs::submit_change(cx, key)
    }),
    door("links", |cx, key, _, body| {
        link_change::link_change(cx, key, body).map(drop)
    }),
    door("permits/{}/revocation", |cx, key, item, body| {
        acts::gate::verbs::revoke_permit(cx, key, &RecordId::from(item), body)
    }),
    door("permits/{}/revocation/lifting", |cx, key, item, body| {
        acts::gate::verbs::lift_revocation(cx, key, &RecordId::from(item), body)
    }),
    door("watchers", |cx, key, _, _| {
        acts::change::verbs::watch_change(cx, key, true)
    }),
    door("watchers/end", |cx, key, _, _| {
        acts::change::verbs::watch_change(cx, key, false)
    }),
];

/// Finds the act of a path, and the id of the item in it.
fn find(path: &str) -> Option<(&'static Door, String)> {
    let exact = DOORS
        .iter()
        .find(|door| door.path == path)
        .map(|door| (door, String::new()));
    exact.or_else(|| {
        DOORS.iter().find_map(|door| {
            let (before, after) = door.path.split_once("{}")?;
            let item = path.strip_prefix(before)?.strip_suffix(after)?;
            (!item.is_empty() && !item.contains('/')).then(|| (door, item.to_owned()))
        })
    })
}

/// Reads a form as the acts want it: some fields of a form gather several of the API's.
fn read(form: &Form, door: &Door, reader: &Reader) -> Decoded {
    let mut decoded = form.decode(reader, door.boxes);
    let body = &mut decoded.body;
    if door.path == "approvals" {
        gather_condition(body);
        gather_lowering(body);
    }
    if door.path == "assessment" {
        gather_answers(body);
        let unread = gather_excluded(body);
        decoded.errors.extend(unread);
        check_override(&mut decoded);
    }
    decoded
}

/// The reason for another risk has no meaning without the risk.
fn check_override(decoded: &mut Decoded) {
    let stated = decoded.body.get("risk_override").and_then(Value::as_object);
    if stated.is_some_and(|stated| !stated.contains_key("level")) {
        let text = "Choose a risk, or leave out the reason for a different one.";
        decoded
            .errors
            .push(FieldError::new("risk_override.level", "missing", text));
    }
}

/// Conditions come one a line; they share their due step and their checker.
fn gather_condition(body: &mut Body) {
    let (text, due, checker) = (body.remove("condition"), body.remove("due"), body.remove("checker"));
    if body.get("decision").and_then(Value::as_str) != Some("approve_with_conditions") {
        return;
    }
    let text = text.as_ref().and_then(Value::as_str).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let one = |line: Option<&str>| {
        let mut condition = Body::new();
        let text = line.map(Value::from);
        for (name, value) in [("text", text), ("due", due.clone()), ("checker", checker.clone())] {
            if let Some(value) = value {
                condition.insert(name.to_owned(), value);
            }
        }
        Value::Object(condition)
    };
    // Without a line the act reports that a condition is missing.
    let conditions = match lines.as_slice() {
        [] => vec![one(None)],
        lines => lines.iter().map(|line| one(Some(line))).collect(),
    };
    body.insert("conditions".to_owned(), Value::Array(conditions));
}

/// The fields whose lower values are accepted come in one field, separated by commas, and the reason in another.
fn gather_lowering(body: &mut Body) {
    let (fields, reason) = (body.remove("lowering_fields"), body.remove("lowering_reason"));
    let Some(Value::String(fields)) = fields else { return };
    let fields: Vec<&str> = fields.split(',').filter(|field| !field.is_empty()).collect();
    let mut lowering = Body::new();
    lowering.insert("fields".to_owned(), json!(fields));
    if let Some(reason) = reason {
        lowering.insert("reason".to_owned(), reason);
    }
    body.insert("lowering".to_owned(), Value::Object(lowering));
}

/// The answers to the security questions: a choice and a text for each answered question.
fn gather_answers(body: &mut Body) {
    let mut answers = Vec::new();
    for question in SecurityQuestion::ALL {
        let said = body.remove(&format!("question_{question}"));
        let text = body.remove(&format!("question_{question}_text"));
        let Some(said) = said.as_ref().and_then(Value::as_str).filter(|said| !said.is_empty()) else {
            continue;
        };
        let mut answer = json!({"question": question, "yes": said == "yes"});
        if let Some(text) = text {
            answer["text"] = text;
        }
        answers.push(answer);
    }
    if !answers.is_empty() {
        body.insert("security_answers".to_owned(), answers.into());
    }
}

/// Exclusions come one a line: the item, a colon, the reason. Returns the error of the first line that lacks one of them.
fn gather_excluded(body: &mut Body) -> Option<FieldError> {
    let Some(Value::String(text)) = body.remove("excluded") else {
        return None;
    };
    let (mut rows, mut unread) = (Vec::new(), None);
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (item, reason) = line.split_once(':').unwrap_or((line, ""));
        let (item, reason) = (item.trim(), reason.trim());
        if item.is_empty() || reason.is_empty() {
            let text = format!("Line {} needs the item, a colon and the reason.", place + 1);
            unread = unread.or_else(|| Some(FieldError::new("excluded", "missing", text)));
        }
        rows.push(json!({"item": item, "reason": reason}));
    }
    body.insert("excluded".to_owned(), rows.into());
    unread
}

/// Times may only replace the times that the form's page showed, so that another person's edit is not overwritten unseen.
fn check_times(cx: &mut Context<'_, '_>, path: &str, key: &str, shown: &str) -> acts::Result<()> {
    if path != "schedule" || shown.is_empty() || cx.change(key)?.digests.when == shown {
        return Ok(());
    }
    let text = "The times were changed after you opened this form. The current times are shown above; set yours again if they \
        should apply.";
    Err(refusal::Refusal::Stale { text: text.to_owned() }.into())
}

/// Performs the act of a form, and returns to the change.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key, path)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let back = format!("{}/changes/{}", visitor.base(), escaped(&key));
    let Some((door, item)) = find(&path) else {
        return problem(
            &state,
            &visitor,
            &Failure::new(404, "not_found", "There is no such act."),
            &back,
        )
        .await;
    };
    let (sent, whose) = (form.clone(), key.clone());
    let what = (door.path, Some(key.as_str()));
    let once = idempotent_form::once(&visitor, &format!("/changes/{key}/{path}"), &form);
    let done = write_noted(&state, &visitor, what, move |cx| {
        let directory = cx.directory()?;
        let decoded = read(&sent, door, &reader_of(cx, &directory));
        // Time fields are checked here, where the reader's time zone is known; the act reports all other errors.
        let done = idempotent_form::run(&once, cx, |cx| {
            check_times(cx, door.path, &whose, sent.first("was"))?;
            decoded.tell_all((door.run)(cx, &whose, &item, &decoded.body))
        })?;
        Ok((decoded.twice, done.is_again))
    })
    .await;
    let failure = match done {
        Ok((twice, is_again)) => {
            let name = match door.path {
                "approvals" => decided(form.first("decision")),
                path => path,
            };
            let told = Flash {
                tab: tab_of(door.path),
                ..Flash::new(name)
            };
            let told = told.twice(twice).unless_again(is_again);
            return after(&state, &visitor, (&key, form.first("next")), told);
        }
        Err(failure) => failure,
    };
    if failure.problem.code == "step_up_required" {
        let path = format!("{back}/{path}");
        return step_up::hold(&state, &visitor, (&path, &form), &back).await;
    }
    if matches!(failure.status(), 401 | 404 | 500..=599) {
        return problem(&state, &visitor, &failure, &back).await;
    }
    let reader = Reader::named("UTC", state.executor().tools().clock.now());
    let decoded = read(&form, door, &reader).without_errors();
    let refused = Refused {
        path: format!("/{path}"),
        form,
        decoded,
        failure,
    };
    show_refused(&state, &visitor, key, refused).await
}

/// Where the reader goes after an act: back to the change, or on to where they did it.
fn after(state: &AppState, visitor: &Visitor, (key, next): (&str, &str), told: Flash) -> Response {
    let change = format!("{}/changes/{}", visitor.base(), escaped(key));
    let is_again = told.is_again();
    match next {
        "home" => {
            let told = Flash {
                key: key.to_owned(),
                tab: "",
                ..told
            };
            redirect_with_flash(state, visitor, &format!("{}/", visitor.base()), &told)
        }
        // A vote at a meeting leads to the next item there.
        _ if next.starts_with("meeting-") => {
            let id = next.trim_start_matches("meeting-");
            let told = Flash {
                key: key.to_owned(),
                tab: "",
                ..told
            };
            redirect_with_flash(
                state,
                visitor,
                &format!("{}/meetings/{}", visitor.base(), escaped(id)),
                &told,
            )
        }
        // The runbook shows the results itself.
        "runbook" if is_again => redirect_with_flash(state, visitor, &format!("{change}/runbook"), &told),
        "runbook" => see(&format!("{change}/runbook")),
        _ => redirect_with_flash(state, visitor, &change, &told),
    }
}

/// The address of an act is no page: a request for it is redirected to the change.
pub(crate) async fn away(visitor: Visitor, Path((_, key, _)): Path<(String, String, String)>) -> Response {
    see(&format!("{}/changes/{}", visitor.base(), escaped(&key)))
}

/// Takes evidence with its file.
pub(crate) async fn evidence(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    multipart: axum::extract::Multipart,
) -> Response {
    let back = format!("{}/changes/{}", visitor.base(), escaped(&key));
    match crate::web::change::evidence::take(&state, &visitor, &key, multipart).await {
        Ok(is_again) => {
            let told = Flash {
                tab: tab_of("evidence"),
                ..Flash::new("evidence")
            };
            let told = told.unless_again(is_again);
            redirect_with_flash(&state, &visitor, &back, &told)
        }
        Err((form, failure)) if matches!(failure.status(), 403 | 409 | 422) => {
            let refused = Refused {
                path: "/evidence".to_owned(),
                form,
                decoded: Decoded::default(),
                failure,
            };
            show_refused(&state, &visitor, key, refused).await
        }
        Err((_, failure)) => problem(&state, &visitor, &failure, &back).await,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use jiff::Timestamp;

    use super::*;
    use crate::web::shared::flash;

    #[test]
    fn every_usual_form_of_a_change_finds_its_act() {
        let context = pages::ActContext {
            item: "i1".to_owned(),
            ..pages::ActContext::default()
        };
        for act in pages::Act::ALL {
            let form = act.form(&context);
            let path = form.action_url.trim_start_matches('/');
            assert!(path == "evidence" || find(path).is_some(), "{path}");
        }
    }

    #[test]
    fn what_an_act_answers_has_words() {
        let others = [
            "created",
            "edited",
            "handed_over",
            "by_template",
            "told_afterwards",
            "evidence",
        ];
        for path in DOORS.iter().map(|door| door.path).chain(others) {
            assert!(flash::text_of(path).is_some(), "{path}");
        }
    }

    #[test]
    fn whoever_acts_stays_in_the_tab_where_they_did_it() {
        let staying = [
            ("comments", "comments"),
            ("evidence/{}/acceptance", "evidence"),
            ("conditions/{}/met", "approvals"),
            ("approvals/{}/withdrawal", "approvals"),
            ("approvals", ""),
            ("implementation/entries", "work"),
            ("implementation", ""),
            ("permits/{}/revocation/lifting", "work"),
            ("tasks/{}", "plan"),
            ("hold", ""),
        ];
        for (path, tab) in staying {
            assert_eq!(tab_of(path), tab, "{path}");
        }
    }

    #[test]
    fn items_are_found_in_their_path() {
        assert_eq!(find("tasks/t1").unwrap().1, "t1");
        assert_eq!(
            find("approvals/a1/withdrawal").unwrap().0.path,
            "approvals/{}/withdrawal"
        );
        assert!(find("approvals//withdrawal").is_none());
        assert!(find("nothing").is_none());
    }

    #[test]
    fn forms_gather_what_the_api_parts() {
        let reader = Reader::named("UTC", Timestamp::UNIX_EPOCH);
        let form = |pairs: &[(&str, &str)]| {
            Form::new(
                pairs
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            )
        };
        let sent = form(&[
            ("decision", "approve_with_conditions"),
            ("condition", "Back up first"),
            ("due", "start"),
        ]);
        let body = read(&sent, find("approvals").unwrap().0, &reader).body;
        assert_eq!(body["conditions"], json!([{"due": "start", "text": "Back up first"}]));
        let sent = form(&[
            ("decision", "approve_with_conditions"),
            ("condition", "Back up first\n\n Warn the hauliers "),
            ("due", "close"),
        ]);
        let body = read(&sent, find("approvals").unwrap().0, &reader).body;
        assert_eq!(
            body["conditions"],
            json!([{"due": "close", "text": "Back up first"}, {"due": "close", "text": "Warn the hauliers"}])
        );
        let sent = form(&[("risk_override.reason", "It is the month’s end.")]);
        let errors = read(&sent, find("assessment").unwrap().0, &reader).errors;
        assert_eq!(errors[0].field, "risk_override.level");
        let sent = form(&[("excluded", "DR site: not affected\n\nload: too small")]);
        let body = read(&sent, find("assessment").unwrap().0, &reader).body;
        assert_eq!(
            body["excluded"],
            json!([{"item": "DR site", "reason": "not affected"}, {"item": "load", "reason": "too small"}])
        );
        let unread = |text: &str| read(&form(&[("excluded", text)]), find("assessment").unwrap().0, &reader).errors;
        assert_eq!(unread("DR site: not affected\nload")[0].field, "excluded");
        assert!(
            unread("\nDR site: not affected\n:load\nload")[0]
                .text
                .starts_with("Line 3 ")
        );
    }
}
