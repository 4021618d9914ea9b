//! A form that is sent twice, by a second click or from the previous page, does its work once. The page gives the form a unique
//! mark, and the result is kept under the mark and the form's values. Other values under the same mark are another form.

use acts::Context;
use pages::Field;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::http::route::{Once, Reply};
use crate::web::shared::form::{Form, MARK};
use crate::web::shared::view::{View, Visitor};

/// The longest valid mark.
const LONGEST: usize = 64;

/// A unique mark for a form. A form without a mark works too, but may be performed twice.
pub(crate) fn mark(view: &View<'_, '_, '_>) -> String {
    view.cx.new_id().unwrap_or_default()
}

/// The mark as a form sends it.
pub(crate) fn field(view: &View<'_, '_, '_>) -> Field {
    Field::hidden(MARK, mark(view))
}

/// The same fields with a mark.
pub(crate) fn marked(view: &View<'_, '_, '_>, mut fields: Vec<Field>) -> Vec<Field> {
    fields.push(field(view));
    fields
}

/// The identity of a form: sender, address, mark and values.
pub(crate) fn once(visitor: &Visitor, path: &str, form: &Form) -> Once {
    let mark = form.first(MARK);
    let is_ours = !mark.is_empty() && mark.len() <= LONGEST && mark.chars().all(|c| c.is_ascii_graphic());
    let mut answers = String::new();
    for (name, value) in form.pairs() {
        answers.push_str(&format!("{}:{name}{}:{value}", name.len(), value.len()));
    }
    let digest = proof::crypto::digest_text(answers.as_bytes());
    Once {
        credential: visitor.caller.credential_id().to_owned(),
        path: format!("{}{path}", visitor.base()),
        key: is_ours.then(|| format!("{mark}/{digest}")),
        body_digest: digest,
    }
}

/// The result of a form.
#[derive(Debug, Clone)]
pub(crate) struct Done<T> {
    /// The result of its act.
    pub answer: T,
    /// Whether it was done before, by the same form: nothing was done now, and it may be otherwise since.
    pub is_again: bool,
}

/// Performs the act, or returns the kept result.
pub(crate) fn run<T: Serialize + DeserializeOwned>(
    once: &Once,
    cx: &mut Context<'_, '_>,
    act: impl FnOnce(&mut Context<'_, '_>) -> acts::Result<T>,
) -> acts::Result<Done<T>> {
    let mut is_again = true;
    let reply = once.run(cx, |cx| {
        is_again = false;
        Ok(Reply::ok(serde_json::to_value(act(cx)?)?))
    })?;
    Ok(Done {
        answer: serde_json::from_value(reply.body)?,
        is_again,
    })
}

/// Performs an act whose result is shown once and kept nowhere, such as a secret: `None` where it was done before.
pub(crate) fn run_once_shown<T>(
    once: &Once,
    cx: &mut Context<'_, '_>,
    act: impl FnOnce(&mut Context<'_, '_>) -> acts::Result<T>,
) -> acts::Result<Option<T>> {
    let mut made = None;
    run(once, cx, |cx| {
        made = Some(act(cx)?);
        Ok(())
    })?;
    Ok(made)
}
