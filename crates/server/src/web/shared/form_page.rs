//! Forms of lists and records: sent, performed, and on a refusal shown again with the errors.

use acts::Context;
use axum::response::Response;
use model::core::body::Body;
use model::core::unmet::Unmet;
use pages::{ActForm, Frame, Input, Notice, Place, Reader, Rich, Tone};

use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::web::shared::flash::Flash;
use crate::web::shared::form::{Decoded, Form, refill, to_errors, unplaced};
use crate::web::shared::view::{View, Visitor, notice_of, problem, reader_of, redirect_with_flash, show_as, write};
use crate::web::shared::{idempotent_form, step_up};

/// A returned form.
pub(crate) struct Back {
    /// The address to which the form was sent.
    pub url: String,
    form: Form,
    decoded: Decoded,
    failure: Failure,
}

impl Back {
    /// A form that was sent to a path of the tenant and refused.
    pub fn new(state: &AppState, visitor: &Visitor, path: &str, form: Form, failure: Failure) -> Self {
        // Only the places of rows are read from the form here, so any zone does; the refusal reports invalid times.
        let reader = Reader::named("UTC", state.executor().tools().clock.now());
        let decoded = form.decode(&reader, &[]).without_errors();
        Self {
            url: format!("{}{path}", visitor.base()),
            form,
            decoded,
            failure,
        }
    }

    /// The sent form.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Whether the form was refused because another person's edit came first.
    pub fn is_stale(&self) -> bool {
        self.failure.problem.code == "stale"
    }

    /// The unmet conditions, if the refusal has this code.
    pub fn unmet(&self, code: &str) -> Option<&[Unmet]> {
        let problem = &self.failure.problem;
        (problem.code == code).then_some(problem.unmet.as_slice())
    }

    /// The same refusal of a form with other values.
    pub fn with_form(&self, form: Form) -> Self {
        Self {
            url: self.url.clone(),
            form,
            decoded: self.decoded.clone(),
            failure: self.failure.clone(),
        }
    }

    /// Opens the form among these acts with its values and errors, and shows the rest in the frame.
    pub fn put<'x>(&self, view: &View<'_, '_, '_>, frame: &mut Frame, acts: impl Iterator<Item = &'x mut ActForm>) {
        let mut errors = self.failure.problem.errors.clone();
        errors.extend(self.decoded.errors.iter().cloned());
        let errors = self.decoded.by_field(&errors, &view.reader);
        // A question leads to a page and is never sent back, though a form beside it may have its address.
        let mut same = acts.filter(|act| !act.is_question && act.action_url == self.url && self.has_hidden(act));
        let rest = match same.next() {
            Some(act) => refill(act, &self.form, &errors),
            None => unplaced(&errors),
        };
        let mut notice = notice_of(view, &self.failure);
        if rest.len() < errors.len() {
            notice.rows.push(to_errors());
        }
        notice.rows.extend(rest.iter().map(|text| view.sentence(text)));
        frame.notices.push(notice);
    }

    fn has_hidden(&self, act: &ActForm) -> bool {
        let is_of_page =
            |name: &str| [crate::web::shared::form::MARK, crate::web::shared::form::STANDS].contains(&name);
        let is_told = |field: &&pages::Field| field.input == Input::Hidden && !is_of_page(&field.name);
        let mut hidden = act.fields.iter().filter(is_told);
        hidden.all(|field| match field.value.as_str() {
            "" => self.form.first(&field.name).is_empty(),
            // Of several values under one name, such as packs, each sent one is selected.
            value => self.form.all(&field.name).iter().any(|sent| sent == value),
        })
    }
}

/// A sent form.
pub(crate) struct Sent {
    /// The sent form.
    pub form: Form,
    /// Checkboxes that count as `false` when they are not ticked.
    pub boxes: &'static [&'static str],
    /// The address to which the form was sent, without the tenant: `/freezes`.
    pub path: String,
    /// Where the reader goes when it is done, without the tenant.
    pub then: String,
    /// The place of the page that shows it again.
    pub place: Place,
    /// The confirmation on the next page, by its name in [`crate::web::shared::flash`]; empty where the page shows the result
    /// by itself.
    pub done: &'static str,
}

/// Performs the act of a form; shows its page again on a refusal.
pub(crate) async fn send<A, P>(state: &AppState, visitor: &Visitor, sent: Sent, run: A, page: P) -> Response
where
    A: Fn(&mut Context<'_, '_>, &Body) -> acts::Result<()> + Send + 'static,
    P: Fn(&mut View<'_, '_, '_>, Option<&Back>) -> acts::Result<String> + Send + 'static,
{
    let (form, boxes) = (sent.form.clone(), sent.boxes);
    let once = idempotent_form::once(visitor, &sent.path, &sent.form);
    let done = write(state, visitor, move |cx| {
        let directory = cx.directory()?;
        let decoded = form.decode(&reader_of(cx, &directory), boxes);
        let done = idempotent_form::run(&once, cx, |cx| decoded.tell_all(run(cx, &decoded.body)))?;
        Ok((decoded.twice, done.is_again))
    })
    .await;
    let failure = match done {
        Ok((twice, is_again)) => {
            let then = format!("{}{}", visitor.base(), sent.then);
            let told = Flash::new(sent.done).twice(twice).unless_again(is_again);
            return redirect_with_flash(state, visitor, &then, &told);
        }
        Err(failure) => failure,
    };
    if !matches!(failure.status(), 409 | 412 | 422) {
        return elsewhere(state, visitor, &failure, &sent).await;
    }
    let status = failure.status();
    let back = Back::new(state, visitor, &sent.path, sent.form, failure);
    show_as(state, visitor, sent.place, status, move |view| page(view, Some(&back))).await
}

/// A created object, and its values that are shown once.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// The news: “booking-api is connected”.
    pub title: String,
    /// The instructions for it.
    pub text: String,
    /// The values to copy, each with its label.
    pub shown: Vec<(String, String)>,
}

impl Made {
    /// The notice that shows it.
    pub fn notice(&self) -> Notice {
        let mut notice = Notice::new(Tone::Ok, self.text.as_str())
            .title(self.title.as_str())
            .answer();
        let row = |(label, value): &(String, String)| Rich::from(format!("{label}: ")).code(value.as_str());
        notice.rows = self.shown.iter().map(row).collect();
        notice
    }
}

/// Performs the act of a form and shows the page with the result: the response is the page itself, so that no address contains
/// a secret. On a refusal the form comes back.
pub(crate) async fn send_made<A, P>(state: &AppState, visitor: &Visitor, sent: Sent, run: A, page: P) -> Response
where
    A: Fn(&mut Context<'_, '_>, &Body) -> acts::Result<Made> + Send + 'static,
    P: Fn(&mut View<'_, '_, '_>, Option<&Back>) -> acts::Result<String> + Send + 'static,
{
    let (form, boxes) = (sent.form.clone(), sent.boxes);
    let once = idempotent_form::once(visitor, &sent.path, &sent.form);
    let done = write(state, visitor, move |cx| {
        let directory = cx.directory()?;
        let decoded = form.decode(&reader_of(cx, &directory), boxes);
        idempotent_form::run_once_shown(&once, cx, |cx| decoded.tell_all(run(cx, &decoded.body)))
    })
    .await;
    match done {
        Ok(None) => {
            let then = format!("{}{}", visitor.base(), sent.then);
            redirect_with_flash(state, visitor, &then, &Flash::default().unless_again(true))
        }
        Ok(Some(made)) => {
            let show = move |view: &mut View<'_, '_, '_>| {
                view.frame.notices.push(made.notice());
                page(view, None)
            };
            show_as(state, visitor, sent.place, 200, show).await
        }
        Err(failure) if matches!(failure.status(), 409 | 412 | 422) => {
            let status = failure.status();
            let back = Back::new(state, visitor, &sent.path, sent.form, failure);
            show_as(state, visitor, sent.place, status, move |view| page(view, Some(&back))).await
        }
        Err(failure) => elsewhere(state, visitor, &failure, &sent).await,
    }
}

/// The response to a failure that the form itself cannot correct: a request for a missing factor; any other failure is shown.
async fn elsewhere(state: &AppState, visitor: &Visitor, failure: &Failure, sent: &Sent) -> Response {
    let [path, back] = [&sent.path, &sent.then].map(|place| format!("{}{place}", visitor.base()));
    if failure.problem.code == "step_up_required" {
        return step_up::hold(state, visitor, (&path, &sent.form), &back).await;
    }
    problem(state, visitor, failure, &back).await
}

/// A form of a page that is shown again where it was sent.
pub(crate) fn sent(form: Form, path: String, then: String, place: Place) -> Sent {
    Sent {
        form,
        boxes: &[],
        path,
        then,
        place,
        done: "",
    }
}
