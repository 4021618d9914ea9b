//! Turns the fields that a client writes into `change_request` into acts: each by its own route, in a fixed order and
//! independent of the others.

use model::core::enums::State;
use serde_json::{Map, Value, json};

use super::change_rows::{self, state_of};
use super::fields::{OWN, content, flag, nothing_left, plain, take};
use super::states::{self, CHANGES, Step};
use super::table::Table;
use super::tables::segment;
use crate::dialects::DialectRequest;
use crate::dialects::api::{Refused, items_of, text_of};

/// How many unmet conditions a refusal names.
const MOST_UNMET: usize = 10;

/// Fields that a change keeps when a client writes them empty.
const KEPT: &[&str] = &[
    "type",
    "start_date",
    "end_date",
    "cmdb_ci",
    "assigned_to",
    "assignment_group",
];

/// The acts that follow from the fields of a record of `change_request`.
#[derive(Debug, Default)]
struct Acts {
    /// The number of the state.
    to: Option<&'static str>,
    close_code: Option<String>,
    close_notes: Option<String>,
    comment: Option<String>,
    on_hold: Option<bool>,
    on_hold_reason: Option<String>,
    outcome: Option<String>,
    assessment: Map<String, Value>,
    validation: Option<Value>,
    review: Option<Value>,
}

impl Acts {
    fn read(fields: &mut Map<String, Value>) -> Result<Self, Refused> {
        let to = take(fields, "state").map(|text| number(&text)).transpose()?;
        let comments = [take(fields, "comments"), take(fields, "work_notes")];
        let comments: Vec<String> = comments.into_iter().flatten().collect();
        let mut own = |name: &str| fields.remove(&format!("{OWN}{name}"));
        let outcome = own("outcome").map(|value| plain(&value));
        let (validation, review) = (own("validation"), own("review"));
        let reviewed = own("dependencies_reviewed");
        let mut assessment = match own("assessment") {
            Some(Value::Object(assessment)) => assessment,
            Some(_) => {
                return Err(Refused::field(
                    "`u_assent_assessment` is an object, as the API takes it.",
                ));
            }
            None => Map::new(),
        };
        if let Some(value) = reviewed {
            let is_reviewed = flag("u_assent_dependencies_reviewed", &plain(&value))?;
            assessment.insert("dependencies_reviewed".to_owned(), json!(is_reviewed));
        }
        Ok(Self {
            to,
            close_code: take(fields, "close_code"),
            close_notes: take(fields, "close_notes"),
            comment: (!comments.is_empty()).then(|| comments.join("\n\n")),
            on_hold: take(fields, "on_hold").map(|text| flag("on_hold", &text)).transpose()?,
            on_hold_reason: take(fields, "on_hold_reason"),
            outcome,
            assessment,
            validation,
            review,
        })
    }

    /// The reason of a cancellation or a return: the protocol carries it in the comment.
    fn reason(&self) -> &str {
        let notes = self.close_notes.as_deref().filter(|_| self.to == Some("4"));
        notes.or(self.comment.as_deref()).unwrap_or_default()
    }

    /// The texts that become comments: notes that no act takes as its reason.
    fn comments(&self) -> Vec<&str> {
        let is_reason = matches!(self.to, Some("4" | "-5"));
        let notes = self.close_notes.as_deref().filter(|_| self.to != Some("4"));
        let comment = self.comment.as_deref().filter(|_| !is_reason);
        notes.into_iter().chain(comment).collect()
    }

    /// How the work ended.
    fn outcome(&self) -> Result<String, Refused> {
        if let Some(outcome) = &self.outcome {
            return Ok(outcome.clone());
        }
        let code = self.close_code.as_deref().unwrap_or_default();
        let wrong = || {
            let known = states::close_codes().join("`, `");
            Refused::field(format!(
                "Say how the work ended: `close_code` is `{known}`, or `u_assent_outcome` an outcome of Assent."
            ))
        };
        Ok(states::outcome(code).ok_or_else(wrong)?.to_owned())
    }
}

fn number(text: &str) -> Result<&'static str, Refused> {
    states::number(CHANGES, text).ok_or_else(|| {
        let known: Vec<String> = CHANGES.iter().map(|row| format!("{} ({})", row.1, row.2)).collect();
        Refused::field(format!("There is no state `{text}`. There are: {}.", known.join(", ")))
    })
}

/// Creates a change; returns its view.
pub(super) async fn create(asked: &DialectRequest, mut fields: Map<String, Value>) -> Result<Value, Refused> {
    let state = take(&mut fields, "state").map(|text| number(&text)).transpose()?;
    if state.is_some_and(|state| state != "-5") {
        return Err(Refused::field(
            "A change begins as New (-5). Write its next state into it afterwards.",
        ));
    }
    let content = content(asked, &mut fields).await?;
    nothing_left(&fields, Table::Change)?;
    asked.api.post("/changes", &Value::Object(content)).await
}

/// Updates a change; returns its view. Steps done before a refusal stay, and the refusal lists them.
pub(super) async fn update(
    asked: &DialectRequest,
    key: &str,
    mut fields: Map<String, Value>,
) -> Result<Value, Refused> {
    let acts = Acts::read(&mut fields)?;
    let path = format!("/changes/{}", segment(key));
    if KEPT.iter().any(|name| fields.contains_key(*name)) {
        check_kept(&asked.api.get(&path).await?, &mut fields)?;
    }
    let content = content(asked, &mut fields).await?;
    nothing_left(&fields, Table::Change)?;
    let mut done = Vec::new();
    match perform(asked, &path, content, &acts, &mut done).await {
        Ok(()) => asked.api.get(&path).await,
        Err(mut why) => {
            if !done.is_empty() {
                why.text
                    .push_str(&format!(" Before that it was {}, which stays.", done.join(", ")));
            }
            Err(why)
        }
    }
}

/// Refuses input that would be silently lost or kept: an empty text that does not clear a value, and targets beside the one
/// that `cmdb_ci` names. A record that is written back unchanged loses nothing.
fn check_kept(view: &Value, fields: &mut Map<String, Value>) -> Result<(), Refused> {
    let row = change_rows::change(view);
    for name in KEPT {
        let is_empty = fields.get(*name).is_some_and(|value| plain(value).trim().is_empty());
        if is_empty && !row.value(name).is_empty() {
            return Err(Refused::field(format!(
                "`{name}` is empty here, which does not take the change's own value away. Leave it out, or write another."
            )));
        }
    }
    let named = fields.get("cmdb_ci").map(plain).unwrap_or_default();
    if items_of(&view["targets"]).len() < 2 || named.trim().is_empty() {
        return Ok(());
    }
    let is_shown = row
        .get("cmdb_ci")
        .is_some_and(|it| it.value == named || it.display == named);
    if is_shown && !fields.contains_key(&format!("{OWN}environment")) {
        fields.remove("cmdb_ci");
        return Ok(());
    }
    Err(Refused::field(
        "The change has several targets, and `cmdb_ci` names one: the others would be lost. Write all of them as `u_assent_targets`.",
    ))
}

async fn perform(
    asked: &DialectRequest,
    path: &str,
    content: Map<String, Value>,
    acts: &Acts,
    done: &mut Vec<&'static str>,
) -> Result<(), Refused> {
    let api = &asked.api;
    let mut view = api.get(path).await?;
    if !content.is_empty() {
        view = api
            .edit("PATCH", path, &Value::Object(content), &view["version"])
            .await?;
        done.push("edited");
    }
    for (acts, to, word) in [
        (&acts.validation, "validation", "validated"),
        (&acts.review, "review", "reviewed"),
    ] {
        if let Some(body) = acts {
            api.post(&format!("{path}/{to}"), body).await?;
            done.push(word);
        }
    }
    match (acts.on_hold, view["on_hold"] == true) {
        (Some(true), false) => {
            let reason = acts.on_hold_reason.as_deref().unwrap_or_default();
            let held = api.post(&format!("{path}/hold"), &json!({"reason": reason})).await;
            held.map_err(|why| why.renamed("reason", "on_hold_reason"))?;
            done.push("put on hold");
        }
        (Some(false), true) => {
            api.post(&format!("{path}/resume"), &json!({})).await?;
            done.push("resumed");
        }
        _ => {}
    }
    for text in acts.comments() {
        api.post(&format!("{path}/comments"), &json!({"text": text})).await?;
        done.push("commented");
    }
    match acts.to {
        Some(to) => go(asked, path, to, acts).await,
        None => Ok(()),
    }
}

/// Takes the step to a state.
async fn go(asked: &DialectRequest, path: &str, to: &'static str, acts: &Acts) -> Result<(), Refused> {
    let view = asked.api.get(path).await?;
    let from = state_of(&view);
    if states::shown(CHANGES, from).0 == to {
        return Ok(());
    }
    let Some(step) = states::step(from, to) else {
        return Err(refuse(asked, path, &view, to, "no step leads").await);
    };
    take_step(asked, path, &view, step, acts).await?;
    if matches!(step, Step::Cancel | Step::Return) {
        return Ok(());
    }
    let view = asked.api.get(path).await?;
    let is_there = states::ours(CHANGES, to)
        .into_iter()
        .any(|wanted| state_of(&view) >= wanted);
    match is_there {
        true => Ok(()),
        false => Err(refuse(asked, path, &view, to, "more is needed to go").await),
    }
}

async fn take_step(asked: &DialectRequest, path: &str, view: &Value, step: Step, acts: &Acts) -> Result<(), Refused> {
    let (to, body) = match step {
        Step::Schedule => {
            let times = json!({"planned_start": view["planned_start"], "planned_end": view["planned_end"]});
            let path = format!("{path}/schedule");
            return asked.api.edit("PUT", &path, &times, &view["version"]).await.map(drop);
        }
        Step::Submit => ("submission", json!({})),
        Step::Assess => ("assessment", Value::Object(acts.assessment.clone())),
        Step::Start => ("implementation", json!({})),
        Step::Complete => ("completion", json!({"outcome": acts.outcome()?})),
        Step::Close => {
            check_close_code(view, acts)?;
            ("closure", json!({}))
        }
        Step::Cancel => ("cancellation", json!({"reason": acts.reason()})),
        Step::Return => ("return", json!({"question": acts.reason()})),
    };
    let done = asked.api.post(&format!("{path}/{to}"), &body).await.map(drop);
    done.map_err(|why| why.renamed("reason", "close_notes").renamed("question", "comments"))
}

/// The outcome is recorded when the work ends. At the closing, a close code for another outcome is refused.
fn check_close_code(view: &Value, acts: &Acts) -> Result<(), Refused> {
    let Some(code) = &acts.close_code else { return Ok(()) };
    let ended = text_of(&view["outcome"]);
    let said = states::outcome(code).map(|outcome| states::close_code(outcome).0);
    if said == Some(states::close_code(ended).0) {
        return Ok(());
    }
    let text =
        format!("`close_code` is `{code}`, and its work ended as `{ended}`. Leave it out, or say what was recorded.");
    Err(Refused::field(text))
}

/// The refusal of a step to a state, with the unmet conditions.
async fn refuse(asked: &DialectRequest, path: &str, view: &Value, to: &str, why: &str) -> Refused {
    let from = state_of(view);
    let (number, label) = states::shown(CHANGES, from);
    let wanted = CHANGES.iter().find(|row| row.1 == to).map_or("", |row| row.2);
    let mut text = format!(
        "{} is {} ({number}, `{from}` in Assent), and {why} from there to {wanted} ({to}).",
        text_of(&view["key"]),
        label,
    );
    let ahead = states::ahead(from);
    if !ahead.is_empty() {
        text.push_str(&format!(" Steps from there lead to: {}.", ahead.join(", ")));
    }
    // The list of unmet conditions is an addition: the refusal is complete without it.
    let unmet = asked.api.get(&format!("{path}/requirements")).await.unwrap_or_default();
    for it in items_of(&unmet["items"]).iter().take(MOST_UNMET) {
        text.push_str(&format!(" {} {}", text_of(&it["text"]), text_of(&it["satisfy"])));
    }
    Refused::new(409, "not_in_state", text).with_api_names()
}

/// The states to which a client may move a change, with their labels; the present state comes first.
pub(super) fn next_states(from: State) -> Vec<(&'static str, &'static str)> {
    let label = |number: &'static str| {
        (
            number,
            CHANGES.iter().find(|row| row.1 == number).map_or("", |row| row.2),
        )
    };
    let here = states::shown(CHANGES, from);
    std::iter::once(here)
        .chain(states::ahead(from).into_iter().map(label))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(fields: Value) -> Acts {
        let Value::Object(mut fields) = fields else {
            panic!("an object");
        };
        let acts = Acts::read(&mut fields).expect("it is read");
        assert!(fields.is_empty(), "{fields:?}");
        acts
    }

    #[test]
    fn a_comment_is_the_reason_of_a_step_back_and_a_comment_otherwise() {
        let forward = acts(json!({"state": "-4", "comments": "c", "work_notes": "w"}));
        assert_eq!(forward.comments(), ["c\n\nw"]);
        let back = acts(json!({"state": "New", "comments": "Which cluster?"}));
        assert_eq!(
            (back.to, back.reason(), back.comments()),
            (Some("-5"), "Which cluster?", vec![])
        );
        let cancelled = acts(json!({"state": "4", "close_notes": "n", "comments": "c"}));
        assert_eq!((cancelled.reason(), cancelled.comments()), ("n", vec![]));
        let closed = acts(json!({"state": "3", "close_notes": "n", "close_code": "successful"}));
        assert_eq!(closed.comments(), ["n"]);
    }

    #[test]
    fn work_ends_as_the_close_code_says_and_never_by_default() {
        assert_eq!(
            acts(json!({"close_code": "successful"})).outcome().ok().as_deref(),
            Some("succeeded")
        );
        assert_eq!(
            acts(json!({"close_code": "unsuccessful", "u_assent_outcome": "rolled_back"}))
                .outcome()
                .ok()
                .as_deref(),
            Some("rolled_back")
        );
        assert!(acts(json!({"state": "0"})).outcome().is_err());
        assert!(acts(json!({"close_code": "fine"})).outcome().is_err());
    }

    #[test]
    fn a_close_code_against_the_record_is_refused() {
        let ended = json!({"outcome": "rolled_back"});
        assert!(check_close_code(&ended, &acts(json!({"close_code": "unsuccessful"}))).is_ok());
        assert!(check_close_code(&ended, &acts(json!({"close_code": "successful"}))).is_err());
        assert!(check_close_code(&ended, &Acts::default()).is_ok());
    }

    #[test]
    fn yes_and_no_are_read_in_each_form_and_another_word_is_refused() {
        for (value, is_set) in [
            (json!(true), true),
            (json!("True"), true),
            (json!("1"), true),
            (json!(1), true),
            (json!(false), false),
            (json!("FALSE"), false),
            (json!("0"), false),
        ] {
            let read = acts(json!({"on_hold": value, "u_assent_dependencies_reviewed": value}));
            assert_eq!(read.on_hold, Some(is_set), "{value}");
            assert_eq!(read.assessment["dependencies_reviewed"], json!(is_set), "{value}");
        }
        for name in ["on_hold", "u_assent_dependencies_reviewed"] {
            let Value::Object(mut fields) = json!({name: "yes"}) else {
                panic!("an object");
            };
            let refused = Acts::read(&mut fields).expect_err("it is no yes or no");
            assert!(refused.text.contains(name), "{}", refused.text);
        }
    }

    #[test]
    fn nothing_is_kept_or_lost_without_a_word() {
        let two = json!({"key": "CHG-7", "planned_start": "2026-12-24T18:00:00Z", "implementers": ["ada"],
            "targets": [{"service": "pay", "environment": "production"}, {"service": "tax", "environment": "production"}]});
        let kept = |view: &Value, fields: Value| {
            let Value::Object(mut fields) = fields else {
                panic!("an object");
            };
            check_kept(view, &mut fields).map(|()| fields)
        };
        for (fields, named) in [
            (json!({"start_date": ""}), "start_date"),
            (json!({"assigned_to": ""}), "assigned_to"),
            (json!({"assigned_to": null}), "assigned_to"),
            (json!({"cmdb_ci": " "}), "cmdb_ci"),
            (
                json!({"cmdb_ci": "pay", "u_assent_environment": "production"}),
                "several targets",
            ),
            (json!({"cmdb_ci": "ship"}), "several targets"),
        ] {
            let refused = kept(&two, fields.clone()).expect_err("it would be kept or lost");
            assert!(refused.text.contains(named), "{fields}: {}", refused.text);
        }
        let back = kept(
            &two,
            json!({"cmdb_ci": "pay", "end_date": "", "start_date": "2026-12-25 18:00:00"}),
        );
        assert_eq!(
            back.ok().map(|fields| fields.contains_key("cmdb_ci")),
            Some(false),
            "as it was read"
        );
        let one = json!({"key": "CHG-8", "targets": [{"service": "pay", "environment": "production"}]});
        let written = kept(
            &one,
            json!({"cmdb_ci": "tax", "u_assent_environment": "production", "assigned_to": ""}),
        );
        assert!(written.is_ok_and(|fields| fields.contains_key("cmdb_ci")));
    }

    #[test]
    fn an_unknown_state_is_refused_with_those_that_there_are() {
        assert_eq!(number("Authorize").ok(), Some("-3"));
        assert!(number("17").expect_err("there is none").text.contains("-2 (Scheduled)"));
    }

    #[test]
    fn the_next_states_begin_with_what_it_is() {
        assert_eq!(
            next_states(State::Draft),
            [("-5", "New"), ("-4", "Assess"), ("4", "Canceled")]
        );
        assert_eq!(next_states(State::Closed), [("3", "Closed")]);
    }
}
