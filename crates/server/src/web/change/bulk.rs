//! One act on several changes: first a page that shows the expected result for each, then the act, each in a transaction of its
//! own, then the results.
//!
//! The expected result is found by a dry run: see [`crate::change::bulk_acts`], which the API shares.

use axum::extract::{Query, State};
use axum::response::Response;
use pages::{ActForm, ActTone, Entry, Field, Place, RecordPage, Rich, Section, SectionBody, Tone};
use store::Lane;

use crate::change::bulk_acts::{ACTS, BulkAct, BulkResult, Wish, check_count, each, find, look};
use crate::http::failure::Failure;
use crate::http::percent;
use crate::http::route::Once;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::labels::plain_error;
use crate::web::shared::response::see;
use crate::web::shared::view::{View, Visitor, problem, show};
use crate::web::shared::{flash, idempotent_form};

/// The acts that a list offers: their name and the label of the button.
pub(crate) fn offered() -> Vec<(String, String)> {
    let acts = ACTS.iter().map(|act| (act.name.to_owned(), act.verb.to_owned()));
    acts.collect()
}

/// Shows the expected result for each change.
pub(crate) async fn ask(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let form = Form::new(pairs);
    let (Some(act), keys) = (find(form.first("act")), form.all("key")) else {
        return see(&format!("{}/changes", visitor.base()));
    };
    let back = format!("{}/changes", visitor.base());
    let wish = wish(act, "", true);
    let answers = match do_to(&state, &visitor, &wish, (keys, &[]), None).await {
        Ok(answers) => answers,
        Err(failure) => return problem(&state, &visitor, &failure, &back).await,
    };
    let answers = std::sync::Arc::new(answers);
    show(&state, &visitor, Place::Changes, move |view| {
        Ok(preview_page(view, act, &answers))
    })
    .await
}

/// Performs the act on each shown change, and shows the results.
pub(crate) async fn act(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let Some(act) = find(form.first("act")) else {
        return see(&format!("{}/changes", visitor.base()));
    };
    let back = format!("{}/changes", visitor.base());
    let wish = wish(act, form.first("words"), false);
    let once = idempotent_form::once(&visitor, "/changes/bulk", &form);
    let picked = (form.all("key"), form.all("digest"));
    let answers = match do_to(&state, &visitor, &wish, (picked.0, &picked.1), Some(&once)).await {
        Ok(answers) => answers,
        Err(failure) => return problem(&state, &visitor, &failure, &back).await,
    };
    let answers = std::sync::Arc::new(answers);
    show(&state, &visitor, Place::Changes, move |view| {
        Ok(done_page(view, act, &answers))
    })
    .await
}

fn wish(act: &'static BulkAct, words: &str, is_trial: bool) -> Wish {
    Wish {
        act,
        words: words.to_owned(),
        is_trial,
        lane: Lane::Pages,
    }
}

/// Performs or tries the act. Decisions are about the shown content: the digests come from the form, in the order of its keys.
async fn do_to(
    state: &AppState,
    visitor: &Visitor,
    wish: &Wish,
    (keys, seen): (Vec<String>, &[String]),
    once: Option<&Once>,
) -> Result<Vec<BulkResult>, Failure> {
    check_count(keys.len())?;
    let mut picked = look(state, &visitor.caller, wish.lane, keys).await?;
    for (one, seen) in picked.iter_mut().zip(seen) {
        one.picked.digest.clone_from(seen);
    }
    each(state, &visitor.caller, wish, picked, once).await
}

fn entries(view: &View<'_, '_, '_>, answers: &[BulkResult], fine: &str, not: &str) -> Vec<Entry> {
    let entry = |answer: &BulkResult| {
        let picked = &answer.picked;
        let name = Rich::new()
            .link(picked.key.as_str(), view.change_url(&picked.key))
            .text(" ")
            .said(picked.title.as_str());
        match &answer.failure {
            // A result of the earlier submission may have been undone since.
            None if answer.was_done => Entry::new(Tone::Plain, name).why(flash::TAKEN_BEFORE),
            None => Entry::new(Tone::Ok, name).why(fine),
            Some(failure) => {
                let why = Rich::from(format!("{not} ")).append(view.sentence(&describe(failure)));
                Entry::new(Tone::Wait, name)
                    .code(failure.problem.code.as_str())
                    .why(why)
            }
        }
    };
    answers.iter().map(entry).collect()
}

/// Why not, in one sentence.
fn describe(failure: &Failure) -> String {
    let problem = &failure.problem;
    let row = problem.unmet.first().map(|row| row.text.clone());
    let field = problem
        .errors
        .first()
        .map(|error| plain_error(&error.text, &error.field));
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

fn preview_page(view: &View<'_, '_, '_>, act: &BulkAct, answers: &[BulkResult]) -> String {
    let able: Vec<&BulkResult> = answers.iter().filter(|answer| answer.failure.is_none()).collect();
    let whole = answers.len();
    let mut page = page(
        view,
        format!("{}: {} of {whole} can", act.verb, able.len()),
        entries(view, answers, act.will, "Unchanged."),
    );
    let needs_proof = answers.iter().any(|answer| {
        answer
            .failure
            .as_ref()
            .is_some_and(|failure| failure.problem.code == "step_up_required")
    });
    if needs_proof {
        let next = percent::escaped(&view.url("/changes"));
        page.acts.push(ActForm::link(
            "Confirm your identity first",
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

/// The form that performs the act on the possible changes: their keys, and the digests that were shown.
fn doing_form(view: &View<'_, '_, '_>, act: &BulkAct, able: &[&BulkResult], whole: usize) -> ActForm {
    let label = format!("{} {} of {whole}", act.verb, able.len());
    let tone = if act.name == "cancel" {
        ActTone::Stop
    } else {
        ActTone::Go
    };
    let mut form = ActForm::new("bulk", label, view.url("/changes/bulk")).tone(tone);
    form = form
        .field(idempotent_form::field(view))
        .field(Field::hidden("act", act.name));
    for answer in able {
        form = form
            .field(Field::hidden("key", answer.picked.key.as_str()))
            .field(Field::hidden("digest", answer.picked.digest.as_str()));
    }
    match act.reason {
        Some(label) => {
            // Only the button shows the count: the head of an open form would repeat it.
            let words = std::mem::replace(&mut form.verb_label, "Give a reason".to_owned());
            let mut form = form.submit(words).field(Field::textarea("words", label).required());
            form.is_open = true;
            form
        }
        None => form,
    }
}

fn done_page(view: &View<'_, '_, '_>, act: &BulkAct, answers: &[BulkResult]) -> String {
    let is_done = |answer: &&BulkResult| answer.failure.is_none() && !answer.was_done;
    let done = answers.iter().filter(is_done).count();
    let mut page = page(
        view,
        format!("{}: {done} of {} done", act.verb, answers.len()),
        entries(view, answers, act.done, "Nothing was done."),
    );
    page.acts.push(ActForm::link("Back to the list", view.url("/changes")));
    page.render()
}
