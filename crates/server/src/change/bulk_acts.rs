//! One act on several changes, for pages and API alike. A dry run performs the act and rolls it back, so that its messages are
//! those of the act itself. Then the act is performed on each change, each in a transaction of its own.

use acts::Context;
use model::core::act;
use model::core::body::Body;
use model::core::refusal::Refusal;
use serde_json::Value;
use store::{Lane, Mode};

use crate::http::attempts;
use crate::http::caller::Caller;
use crate::http::failure::Failure;
use crate::http::route::{Once, Reply};
use crate::http::state::AppState;

/// The most changes at once.
pub(crate) const MOST: usize = 50;
/// The code by which an act that was only tried is taken back.
const TRIED: &str = "tried";
/// The placeholder for a reason in a dry run without one.
const TRIED_WORDS: &str = "Tried beforehand.";

/// An act that can be done to several changes.
pub(crate) struct BulkAct {
    /// Its name in addresses and bodies.
    pub name: &'static str,
    /// The verb on the button.
    pub verb: &'static str,
    /// The rest of “will be …”, before the act.
    pub will: &'static str,
    /// “is …”, said afterwards.
    pub done: &'static str,
    /// The label of the act's text field; none without a field.
    pub reason: Option<&'static str>,
    /// The act, with the change, the digest that was seen, and the reason.
    run: fn(&mut Context<'_, '_>, &str, &str, &str) -> acts::Result<()>,
}

/// Every such act.
pub(crate) const ACTS: &[BulkAct] = &[
    BulkAct {
        name: "approve",
        verb: "Approve",
        will: "will be approved by you",
        done: "is approved by you",
        reason: None,
        run: |cx, key, digest, comment| {
            let mut body = text_body("comment", comment);
            body.insert("decision".to_owned(), "approve".into());
            body.insert("content_digest".to_owned(), digest.into());
            acts::approval::verbs::approve_change(cx, key, &body).map(drop)
        },
    },
    BulkAct {
        name: "acknowledge",
        verb: "Acknowledge them",
        will: "will be acknowledged by you",
        done: "is acknowledged by you",
        reason: None,
        run: |cx, key, _, _| acts::approval::verbs::acknowledge_change(cx, key),
    },
    BulkAct {
        name: "watch",
        verb: "Watch",
        will: "will be watched by you",
        done: "is watched by you",
        reason: None,
        run: |cx, key, _, _| acts::change::verbs::watch_change(cx, key, true),
    },
    BulkAct {
        name: "hold",
        verb: "Put on hold",
        will: "will be on hold",
        done: "is on hold",
        reason: Some("Why they wait"),
        run: |cx, key, _, reason| acts::change::verbs::hold_change(cx, key, &text_body("reason", reason)),
    },
    BulkAct {
        name: "cancel",
        verb: "Cancel",
        will: "will be cancelled",
        done: "is cancelled",
        reason: Some("Why they are cancelled"),
        run: |cx, key, _, reason| acts::change::verbs::cancel_change(cx, key, &text_body("reason", reason)),
    },
];

fn text_body(field: &str, text: &str) -> Body {
    let mut body = Body::new();
    if !text.trim().is_empty() {
        body.insert(field.to_owned(), Value::String(text.to_owned()));
    }
    body
}

/// The act of a name.
pub(crate) fn find(name: &str) -> Option<&'static BulkAct> {
    ACTS.iter().find(|act| act.name == name)
}

/// A picked change, as far as the caller may see it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picked {
    /// Its key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// The present state.
    pub state: String,
    /// The digest that an approval names.
    pub digest: String,
}

/// The result for one change, or the expected one.
pub(crate) struct BulkResult {
    /// The change.
    pub picked: Picked,
    /// Why not, where it was not done or would not be.
    pub failure: Option<Failure>,
    /// Whether it was done before, by the same request.
    pub was_done: bool,
}

impl BulkResult {
    fn of(picked: Picked, failure: Option<Failure>) -> Self {
        Self {
            picked,
            failure,
            was_done: false,
        }
    }
}

/// The requested act on each change.
#[derive(Clone)]
pub(crate) struct Wish {
    /// The act.
    pub act: &'static BulkAct,
    /// Comment or reason.
    pub words: String,
    /// Whether this is a dry run.
    pub is_trial: bool,
    /// The lane in which the act runs.
    pub lane: Lane,
}

/// How many may be picked.
///
/// # Errors
/// 422.
pub(crate) fn check_count(count: usize) -> Result<(), Failure> {
    if count == 0 || count > MOST {
        let text = format!("Select between 1 and {MOST} changes in the list.");
        return Err(Failure::new(422, "nothing_selected", text));
    }
    Ok(())
}

/// The present state of the changes with these keys; an absent or hidden one has its own refusal.
///
/// # Errors
/// 403 for a caller who may see no change at all, or a fault.
pub(crate) async fn look(
    state: &AppState,
    caller: &Caller,
    lane: Lane,
    keys: Vec<String>,
) -> Result<Vec<BulkResult>, Failure> {
    let act = move |cx: &mut Context<'_, '_>| {
        cx.allow(act::actions::READ)?;
        let mut found = Vec::new();
        for key in &keys {
            found.push(match cx.change(key) {
                Ok(change) => Ok(Picked {
                    key: change.key,
                    title: change.content.title,
                    state: change.state.to_string(),
                    digest: change.digests.content,
                }),
                Err(acts::Error::Refused(refusal)) => Err((key.clone(), refusal)),
                Err(error) => return Err(error),
            });
        }
        Ok(found)
    };
    let found = state.act(lane, caller, Mode::Read, act).await?;
    let answer = |one: Result<Picked, (String, Refusal)>| match one {
        Ok(picked) => BulkResult::of(picked, None),
        Err((key, refusal)) => {
            let failure = Failure::from(acts::Error::Refused(refusal));
            BulkResult::of(
                Picked {
                    key,
                    ..Picked::default()
                },
                Some(failure),
            )
        }
    };
    Ok(found.into_iter().map(answer).collect())
}

/// Runs the act on a change inside of a transaction. A dry run ends in a refusal of its own, which rolls the act back.
fn run(cx: &mut Context<'_, '_>, wish: &Wish, picked: &Picked) -> acts::Result<()> {
    let is_bare = wish.words.trim().is_empty();
    let words = if wish.is_trial && is_bare && wish.act.reason.is_some() {
        TRIED_WORDS
    } else {
        &wish.words
    };
    (wish.act.run)(cx, &picked.key, &picked.digest, words)?;
    match wish.is_trial {
        true => Err(Refusal::not_allowed(TRIED, "Only tried.").into()),
        false => Ok(()),
    }
}

/// Performs or tries the act on each change. A refused attempt is logged as at the act's own endpoint. With `once`, the results
/// of an earlier identical request are kept and not repeated.
///
/// # Errors
/// A fault: nothing is known of the rest then.
pub(crate) async fn each(
    state: &AppState,
    caller: &Caller,
    wish: &Wish,
    mut answers: Vec<BulkResult>,
    once: Option<&Once>,
) -> Result<Vec<BulkResult>, Failure> {
    for answer in answers.iter_mut().filter(|answer| answer.failure.is_none()) {
        let done = one(state, caller, wish, &answer.picked, once).await;
        match done {
            Ok(was_done) => answer.was_done = was_done,
            Err(failure) if wish.is_trial && failure.problem.code == TRIED => {}
            Err(failure) if failure.status() >= 500 => return Err(failure),
            Err(failure) => answer.failure = Some(failure),
        }
        if let Some(failure) = answer.failure.as_ref().filter(|_| !wish.is_trial) {
            let (what, key) = (format!("bulk {}", wish.act.name), answer.picked.key.clone());
            attempts::note(state, caller, what, Some(key), failure).await;
        }
    }
    Ok(answers)
}

/// Runs the act on one change; returns whether it was done before.
async fn one(
    state: &AppState,
    caller: &Caller,
    wish: &Wish,
    picked: &Picked,
    once: Option<&Once>,
) -> Result<bool, Failure> {
    let once = once.map(|once| Once {
        key: once.key.as_ref().map(|key| format!("{key}#{}", picked.key)),
        ..once.clone()
    });
    let (lane, wish, picked) = (wish.lane, wish.clone(), picked.clone());
    let act = move |cx: &mut Context<'_, '_>| {
        let Some(once) = &once else {
            return run(cx, &wish, &picked).map(|()| false);
        };
        let mut was_done = true;
        once.run(cx, |cx| {
            was_done = false;
            run(cx, &wish, &picked)?;
            Ok(Reply::ok(Value::Null))
        })?;
        Ok(was_done)
    };
    state.act(lane, caller, Mode::Write, act).await
}
