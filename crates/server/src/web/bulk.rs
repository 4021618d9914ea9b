//! One act on several changes: first a page that says for each what will happen, then the act, each in a transaction of
//! its own, then what each answered.
//!
//! What will happen is found by doing it: the act runs whole and is taken back, so that the words are those of the act
//! itself.

use acts::Room;
use axum::extract::{Query, State};
use axum::response::Response;
use model::refusal::Refusal;
use model::verbs::Body;
use pages::{ActForm, ActTone, Entry, Field, Place, RecordPage, Rich, Section, SectionBody, Tone};
use serde_json::Value;
use store::{Lane, Mode};

use super::form::Form;
use super::view::{View, Visitor, problem, see, show, write};
use crate::failure::Failure;
use crate::state::AppState;

/// The most changes at once.
const MOST: usize = 50;
/// The code by which an act that was only tried is taken back.
const TRIED: &str = "tried";

/// An act that can be done to several changes.
struct BulkAct {
    /// Its name in the address.
    name: &'static str,
    /// The verb on the button.
    verb: &'static str,
    /// “will be …”, said of a change.
    will: &'static str,
    /// “is …”, said afterwards.
    done: &'static str,
    /// Whether it asks why.
    reason: Option<&'static str>,
    /// The act: change, digest that was seen, words.
    run: fn(&mut Room<'_, '_>, &str, &str, &str) -> acts::Result<()>,
}

const ACTS: &[BulkAct] = &[
    BulkAct {
        name: "approve",
        verb: "Approve",
        will: "will be approved by you",
        done: "is approved by you",
        reason: None,
        run: |room, key, digest, comment| {
            let mut body = words("comment", comment);
            body.insert("decision".to_owned(), "approve".into());
            body.insert("content_digest".to_owned(), digest.into());
            acts::approve_change::approve_change(room, key, &body).map(drop)
        },
    },
    BulkAct {
        name: "acknowledge",
        verb: "Say that you have seen them",
        will: "will be noted as seen by you",
        done: "is noted as seen by you",
        reason: None,
        run: |room, key, _, _| acts::acknowledge_change::acknowledge_change(room, key),
    },
    BulkAct {
        name: "watch",
        verb: "Watch",
        will: "will be watched by you",
        done: "is watched by you",
        reason: None,
        run: |room, key, _, _| acts::watch_change::watch_change(room, key, true),
    },
    BulkAct {
        name: "hold",
        verb: "Put on hold",
        will: "will be on hold",
        done: "is on hold",
        reason: Some("Why they wait"),
        run: |room, key, _, reason| acts::hold_change::hold_change(room, key, &words("reason", reason)),
    },
    BulkAct {
        name: "cancel",
        verb: "Cancel",
        will: "will be cancelled",
        done: "is cancelled",
        reason: Some("Why they are called off"),
        run: |room, key, _, reason| acts::cancel_change::cancel_change(room, key, &words("reason", reason)),
    },
];

fn words(field: &str, text: &str) -> Body {
    let mut body = Body::new();
    if !text.trim().is_empty() {
        body.insert(field.to_owned(), Value::String(text.to_owned()));
    }
    body
}

/// The acts as a list offers them: their name and the words on the button.
pub(super) fn offered() -> Vec<(String, String)> {
    let acts = ACTS.iter().map(|act| (act.name.to_owned(), act.verb.to_owned()));
    acts.collect()
}

fn find(name: &str) -> Option<&'static BulkAct> {
    ACTS.iter().find(|act| act.name == name)
}

/// A change that was picked.
#[derive(Clone)]
struct Picked {
    key: String,
    title: String,
    digest: String,
}

/// What became of one, or will.
struct Answer {
    picked: Picked,
    failure: Option<Failure>,
}

/// Says what will happen to each.
pub(super) async fn ask(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let form = Form::new(pairs);
    let (Some(act), keys) = (find(form.first("act")), form.all("key")) else {
        return see(&format!("{}/changes", visitor.base()));
    };
    let back = format!("{}/changes", visitor.base());
    let picked = match look(&state, &visitor, keys).await {
        Ok(picked) => picked,
        Err(failure) => return problem(&state, &visitor, &failure, &back).await,
    };
    let mut answers = Vec::new();
    for one in picked {
        let failure = attempt(&state, &visitor, act, &one, "Tried beforehand.", true)
            .await
            .err();
        answers.push(Answer { picked: one, failure });
    }
    let answers = std::sync::Arc::new(answers);
    show(&state, &visitor, Place::Changes, move |view| {
        Ok(asking_page(view, act, &answers))
    })
    .await
}

/// Does it to each that was shown, and says what each answered.
pub(super) async fn act(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let Some(act) = find(form.first("act")) else {
        return see(&format!("{}/changes", visitor.base()));
    };
    let back = format!("{}/changes", visitor.base());
    let mut picked = match look(&state, &visitor, form.all("key")).await {
        Ok(picked) => picked,
        Err(failure) => return problem(&state, &visitor, &failure, &back).await,
    };
    // What is decided is what was shown: the digests come from the form, in the order of its keys.
    for (one, seen) in picked.iter_mut().zip(form.all("digest")) {
        one.digest = seen;
    }
    let mut answers = Vec::new();
    for one in picked {
        let failure = attempt(&state, &visitor, act, &one, form.first("words"), false)
            .await
            .err();
        answers.push(Answer { picked: one, failure });
    }
    let answers = std::sync::Arc::new(answers);
    show(&state, &visitor, Place::Changes, move |view| {
        Ok(done_page(view, act, &answers))
    })
    .await
}

async fn look(state: &AppState, visitor: &Visitor, keys: Vec<String>) -> Result<Vec<Picked>, Failure> {
    if keys.is_empty() || keys.len() > MOST {
        let text = format!("Select between 1 and {MOST} changes in the list.");
        return Err(Failure::new(422, "nothing_selected", text));
    }
    let act = move |room: &mut Room<'_, '_>| {
        room.allow(model::act::actions::READ)?;
        let mut picked = Vec::new();
        for key in &keys {
            let change = room.file(key)?.change;
            picked.push(Picked {
                key: change.key,
                title: change.content.title,
                digest: change.digests.content,
            });
        }
        Ok(picked)
    };
    state.act(Lane::Pages, &visitor.caller, Mode::Read, act).await
}

/// Does the act, or only tries it: then its transaction ends in a refusal of our own, and nothing of it stays.
async fn attempt(
    state: &AppState,
    visitor: &Visitor,
    act: &'static BulkAct,
    picked: &Picked,
    words: &str,
    is_trial: bool,
) -> Result<(), Failure> {
    let (picked, words) = (picked.clone(), words.to_owned());
    let tried = write(state, visitor, move |room| {
        (act.run)(room, &picked.key, &picked.digest, &words)?;
        match is_trial {
            true => Err(Refusal::not_allowed(TRIED, "Only tried.").into()),
            false => Ok(()),
        }
    })
    .await;
    match tried {
        Err(failure) if is_trial && failure.problem.code == TRIED => Ok(()),
        other => other,
    }
}

fn entries(view: &View<'_, '_, '_>, answers: &[Answer], fine: &str, not: &str) -> Vec<Entry> {
    let entry = |answer: &Answer| {
        let picked = &answer.picked;
        let name = Rich::new()
            .link(picked.key.as_str(), view.change_url(&picked.key))
            .text(" ")
            .said(picked.title.as_str());
        match &answer.failure {
            None => Entry::new(Tone::Ok, name).why(fine),
            Some(failure) => {
                let why = Rich::from(format!("{not}: ")).append(view.sentence(&told(failure)));
                Entry::new(Tone::Wait, name)
                    .code(failure.problem.code.as_str())
                    .why(why)
            }
        }
    };
    answers.iter().map(entry).collect()
}

/// Why not, in one sentence.
fn told(failure: &Failure) -> String {
    let problem = &failure.problem;
    let row = problem.unmet.first().map(|row| row.text.clone());
    let field = problem.errors.first().map(|error| error.text.clone());
    row.or(field).unwrap_or_else(|| problem.detail.clone())
}

fn page(view: &View<'_, '_, '_>, title: String, entries: Vec<Entry>) -> RecordPage {
    RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Changes".to_owned(), view.url("/changes"))],
        title,
        sections: vec![Section::new("rows", "One by one", SectionBody::Entries(entries))],
        ..RecordPage::default()
    }
}

fn asking_page(view: &View<'_, '_, '_>, act: &BulkAct, answers: &[Answer]) -> String {
    let able: Vec<&Answer> = answers.iter().filter(|answer| answer.failure.is_none()).collect();
    let whole = answers.len();
    let mut page = page(
        view,
        format!("{}: {} of {whole} can", act.verb, able.len()),
        entries(view, answers, act.will, "Stays as it is"),
    );
    let needs_proof = answers.iter().any(|answer| {
        answer
            .failure
            .as_ref()
            .is_some_and(|failure| failure.problem.code == "step_up_required")
    });
    if needs_proof {
        let next = super::view::escaped(&view.url("/changes"));
        page.acts.push(ActForm::link(
            "Show that it is you first",
            view.url(&format!("/step-up?next={next}")),
        ));
    }
    if !able.is_empty() {
        page.acts.push(doing_form(view, act, &able, whole));
    }
    page.acts
        .push(ActForm::link("Back to the list", view.url("/changes")).tone(ActTone::Quiet));
    page.render()
}

/// The form that does it to those that can: their keys, and the digests that were shown.
fn doing_form(view: &View<'_, '_, '_>, act: &BulkAct, able: &[&Answer], whole: usize) -> ActForm {
    let label = format!("{} {} of {whole}", act.verb, able.len());
    let tone = if act.name == "cancel" {
        ActTone::Stop
    } else {
        ActTone::Go
    };
    let mut form = ActForm::new("bulk", label, view.url("/changes/bulk")).tone(tone);
    form = form.field(Field::hidden("act", act.name));
    for answer in able {
        form = form
            .field(Field::hidden("key", answer.picked.key.as_str()))
            .field(Field::hidden("digest", answer.picked.digest.as_str()));
    }
    match act.reason {
        Some(label) => {
            let mut form = form.field(Field::textarea("words", label).required());
            form.is_open = true;
            form
        }
        None => form,
    }
}

fn done_page(view: &View<'_, '_, '_>, act: &BulkAct, answers: &[Answer]) -> String {
    let done = answers.iter().filter(|answer| answer.failure.is_none()).count();
    let mut page = page(
        view,
        format!("{}: {done} of {} done", act.verb, answers.len()),
        entries(view, answers, act.done, "Nothing was done"),
    );
    page.acts.push(ActForm::link("Back to the list", view.url("/changes")));
    page.render()
}
