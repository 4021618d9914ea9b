//! The forms of the acts that are open to the reader on a change: found by `acts`, drawn by `pages`.

use acts::change::find_acts::OpenActs;
use model::change::change_file::ChangeFile;
use model::change::closure::before_closure;
use model::change::lowered::Lowered;
use model::change::record::{Change, Request};
use model::change::requirement::earliest_start;
use model::change::timers::closes_at;
use model::change::waiting_on::ahead;
use model::core::act::Act as Verb;
use model::core::enums::{RatedFact, SecurityQuestion, State};
use model::core::ids::PersonId;
use model::identity::factor::Wanted;
use model::risk::effective::{effective, unaccepted};
use model::risk::security_questions;
use pages::{Act, ActContext, ActForm, ActTone, Field, SecurityQuestionField, Tone};

use crate::http::percent::escaped;
use crate::web::cab::meetings;
use crate::web::change::refused_acts;
use crate::web::shared::view::View;
use crate::web::shared::{fields, idempotent_form, step_up};

/// The data about a change that its forms need.
pub(crate) fn context(view: &View<'_, '_, '_>, file: &ChangeFile) -> ActContext {
    let change = &file.change;
    let field = |at: Option<jiff::Timestamp>| at.map(|at| view.reader.field(at)).unwrap_or_default();
    ActContext {
        change_url: view.change_url(&change.key),
        picks_url: view.url("/picks"),
        content_digest: change.digests.content.clone(),
        writer: view.name(&change.requester),
        zone: view.reader.zone_name().to_owned(),
        planned_start: field(change.planned_start),
        planned_end: field(change.planned_end),
        earliest_start: earliest(view, file),
        reader: view.directory.login(&view.me),
        targets: change
            .open_targets()
            .map(|target| {
                (
                    target.id.0.clone(),
                    format!("{}, {}", target.service, target.environment),
                )
            })
            .collect(),
        item: String::new(),
        questions: questions(view, change),
        is_rolled_back: false,
        by_steps: None,
        when_digest: change.digests.when.clone(),
        standing_times: fields::present_times([
            ("planned_start", change.planned_start),
            ("planned_end", change.planned_end),
        ]),
        once: idempotent_form::mark(view),
        causes: Vec::new(),
        environments: view.directory.environments.keys().map(|key| key.0.clone()).collect(),
    }
}

/// The earliest start that rules on lead time allow, as text; empty where no rule applies.
pub(crate) fn earliest(view: &View<'_, '_, '_>, file: &ChangeFile) -> String {
    let found = earliest_start(file, &view.directory, view.now());
    found.map(|(at, _)| view.reader.moment(at)).unwrap_or_default()
}

/// The decisions open to the reader, the yes first.
pub(crate) fn decisions(
    view: &View<'_, '_, '_>,
    file: &ChangeFile,
    open: &OpenActs,
    context: &ActContext,
) -> Vec<ActForm> {
    if !open.has(Verb::Approve) {
        return Vec::new();
    }
    if has_decided_all(view, file) {
        return change_decision(view, file, open, context);
    }
    let acts = [
        Act::Approve,
        Act::ApproveWithConditions,
        Act::Return,
        Act::Reject,
        Act::Abstain,
    ];
    let forms = acts.iter().map(|act| {
        let form = meetings::seated(view, file, act.form(context));
        // A return commits nobody, so it needs no prior proof.
        let lacking = open.decision_lacks.filter(|_| *act != Act::Return);
        stepped(form, context, lacking)
    });
    let lower = accept_lower(view, file, context);
    let lower = lower.map(|form| stepped(meetings::seated(view, file, form), context, open.decision_lacks));
    forms.chain(lower).collect()
}

/// An approval that accepts values below the derived ones, where the change states any.
fn accept_lower(view: &View<'_, '_, '_>, file: &ChangeFile, context: &ActContext) -> Option<ActForm> {
    let lowered = effective(file, &view.directory, view.now()).risk.lowered;
    let is_open = |it: &&Lowered| it.accepted_by.is_none() && it.fact != RatedFact::RiskOverride;
    let fields: Vec<&str> = lowered.iter().filter(is_open).map(|it| it.fact.as_str()).collect();
    if fields.is_empty() {
        return None;
    }
    let url = format!("{}/approvals", context.change_url);
    let form = ActForm::new("accept-lower", "Approve the lower values as well", url)
        .tone(ActTone::Quiet)
        .field(Field::hidden("decision", "approve"))
        .field(Field::hidden("content_digest", context.content_digest.as_str()))
        .field(pages::once(context))
        .field(Field::hidden("lowering_fields", fields.join(",")))
        .field(
            Field::textarea("lowering_reason", "Why the lower values are right")
                .hint("The change states lower values than its services and config items. With your approval the lower values \
                    apply.")
                .required(),
        )
        .submit("Approve with the lower values");
    Some(form)
}

/// Whether a rule of approval still waits for a person's decision, also after an earlier decision of theirs.
pub(crate) fn awaits_decision_of(view: &View<'_, '_, '_>, file: &ChangeFile, person: &PersonId) -> bool {
    // Nobody is requested to approve times that have passed: the change gets new times first.
    if file.change.window_missed {
        return false;
    }
    let login = view.directory.login(person);
    let rows = ahead(file, &view.directory, view.now());
    rows.iter()
        .any(|row| row.unmet.code == "approval_missing" && row.unmet.waiting_on.contains(&login))
}

/// Whether the rule of a request has its approvals, so that the request needs no decision any more.
pub(crate) fn is_met_without(change: &Change, request: &Request) -> bool {
    let of_rule = || change.clocks.iter().filter(|clock| clock.rule == request.rule);
    of_rule().next().is_some() && of_rule().all(|clock| clock.met_at.is_some())
}

/// A request behind its person's name: one whose rule is met waits for nothing.
pub(crate) fn asked_words(change: &Change, request: &Request) -> (Tone, &'static str) {
    match is_met_without(change, request) {
        true => (Tone::Plain, " was asked; the decisions of others met the rule"),
        false => (Tone::Wait, " is asked"),
    }
}

/// Whether the reader's decision counts and nothing more is expected from the reader.
pub(crate) fn has_decided_all(view: &View<'_, '_, '_>, file: &ChangeFile) -> bool {
    let has_said = file.standing().any(|approval| approval.person == view.me);
    has_said && !awaits_decision_of(view, file, &view.me)
}

/// After a decision no further one is urged; a change of it is one secondary form.
fn change_decision(view: &View<'_, '_, '_>, file: &ChangeFile, open: &OpenActs, context: &ActContext) -> Vec<ActForm> {
    let words = [
        ("approve", "Approve"),
        ("approve_with_conditions", "Approve with conditions"),
        ("return", "Return with a question"),
        ("reject", "Reject"),
        ("abstain", "Abstain"),
    ];
    let form = ActForm::new(
        "change-word",
        "Change your decision",
        format!("{}/approvals", context.change_url),
    )
    .tone(ActTone::Quiet)
    .field(Field::hidden("content_digest", context.content_digest.as_str()))
    .field(pages::once(context))
    .field(Field::radio("decision", "Your new decision", &words).required())
    .field(Field::textarea("comment", "Why").hint("Required unless you approve. Visible to everyone on the change."))
    .field(Field::textarea("condition", "Conditions").hint("Only if you approve with conditions; one per line."))
    .note("It replaces your earlier decision.")
    .submit("Record this decision");
    let form = meetings::seated(view, file, form);
    vec![stepped(form, context, open.decision_lacks)]
}

/// The security questions that a change raises, each with its text, its answer, and the details.
fn questions(view: &View<'_, '_, '_>, change: &Change) -> Vec<SecurityQuestionField> {
    let touches = unaccepted(change, &view.directory).touches;
    let asked = security_questions::raised(change.content.category, &touches);
    let one = |question: SecurityQuestion| {
        let mut answers = change.content.security_answers.iter();
        let answer = answers.find(|answer| answer.question == question);
        SecurityQuestionField {
            key: question.as_str().to_owned(),
            words: question.asked().to_owned(),
            answer: answer
                .map_or("", |answer| if answer.yes { "yes" } else { "no" })
                .to_owned(),
            text: answer.and_then(|answer| answer.text.clone()).unwrap_or_default(),
        }
    };
    asked.into_iter().map(one).collect()
}

/// The second signature of a broken glass, where the reader may give it.
pub(crate) fn signatures(open: &OpenActs, context: &ActContext) -> Vec<ActForm> {
    let is_open = open.has(Verb::CosignBreakGlass);
    let form = || stepped(Act::CoSign.form(context), context, open.signing_lacks);
    is_open.then(form).into_iter().collect()
}

/// The act, or the way to it where something is to be shown first.
fn stepped(form: ActForm, context: &ActContext, lacking: Option<Wanted>) -> ActForm {
    let (what, more) = match lacking {
        None => return form,
        Some(Wanted::Second) => ("your second factor", step_up::SECOND),
        Some(Wanted::Any | Wanted::Nothing) => ("your password", ""),
    };
    let base = context.change_url.split("/changes/").next().unwrap_or_default();
    let address = format!("{base}/step-up?next={}{more}", escaped(&context.change_url));
    let mut link = ActForm::link(format!("{}: {what} first", form.verb_label), address).tone(form.tone);
    link.id = form.id;
    link
}

/// Every other act on the change as a whole, the main one first.
pub(crate) fn others(
    view: &View<'_, '_, '_>,
    file: &ChangeFile,
    open: &OpenActs,
    context: &ActContext,
) -> Vec<ActForm> {
    let mut forms = Vec::new();
    let plain = [
        (Verb::Submit, Act::Submit),
        (Verb::Assess, Act::Assess),
        (Verb::CosignBreakGlass, Act::CoSign),
        (Verb::ValidateBreakGlass, Act::ValidateBreakGlass),
        (Verb::ConfirmRetrospective, Act::ConfirmRetrospective),
        (Verb::Resume, Act::Resume),
        (Verb::Start, Act::Start),
        (Verb::DecideExtension, Act::DecideExtension),
        (Verb::Complete, Act::Complete),
        (Verb::Validate, Act::Validate),
        (Verb::Review, Act::Review),
        (Verb::Close, Act::Close),
        (Verb::PeerReview, Act::PeerReview),
        (Verb::Acknowledge, Act::Acknowledge),
        (Verb::Schedule, Act::Schedule),
        (Verb::AskExtension, Act::Extend),
        (Verb::Overrule, Act::Overrule),
        (Verb::Hold, Act::Hold),
        (Verb::Cancel, Act::Cancel),
    ];
    for (verb, act) in plain {
        // Acts after the closing add to the record, and are shown there.
        if open.has(verb) && !(verb == Verb::Review && file.change.state == State::Closed) {
            let lacking = open.signing_lacks.filter(|_| verb == Verb::CosignBreakGlass);
            let form = stepped(act.form(context), context, lacking);
            let form = weighed(view, file, open, (verb, form));
            forms.push(refused_acts::why_not(view, file, open, (verb, form)));
        }
    }
    if open.has(Verb::StateFinding) {
        forms.insert(0, finding(context));
    }
    forms.extend(meetings::forms(view, file, context));
    if let Some(returned) = file.change.returned.as_ref().filter(|_| open.has(Verb::Submit)) {
        // One button is the main one: an open question to the reader comes first.
        forms.iter_mut().for_each(|form| {
            form.tone = if form.tone == ActTone::Go {
                ActTone::Plain
            } else {
                form.tone
            }
        });
        forms.insert(0, answer(&view.name(&returned.by), context));
    }
    if open.has(Verb::Return) && !open.has(Verb::Approve) {
        forms.push(return_form(context));
    }
    if open.has(Verb::BreakGlass) {
        let form = stepped(Act::BreakGlass.form(context), context, open.opening_lacks);
        forms.push(refused_acts::why_not(view, file, open, (Verb::BreakGlass, form)));
    }
    forms
}

/// The form of an act with its present emphasis: during the work the outcome is the main act, and nobody is urged to close a
/// change that closes automatically.
fn weighed(view: &View<'_, '_, '_>, file: &ChangeFile, open: &OpenActs, (verb, form): (Verb, ActForm)) -> ActForm {
    let is_under_way = file.change.state == State::Implementing;
    match verb {
        Verb::Complete if is_under_way && !open.has(Verb::DecideExtension) => form.tone(ActTone::Go),
        Verb::Schedule if file.change.window_missed => {
            let mut form = form.tone(ActTone::Go);
            form.verb_label = "Set new times".to_owned();
            form
        }
        Verb::Validate if is_asked_for(view, file, "validation_missing") => form.tone(ActTone::Go),
        Verb::Review if is_asked_for(view, file, "review_missing") => form.tone(ActTone::Go),
        Verb::Close if closes_at(file, &view.directory, view.now()).is_some() => form.tone(ActTone::Plain),
        Verb::Close if !before_closure(file, &view.directory, view.now()).is_empty() => form.tone(ActTone::Plain),
        _ => form,
    }
}

/// Whether the reader's first missing step before the closing is this one.
fn is_asked_for(view: &View<'_, '_, '_>, file: &ChangeFile, code: &str) -> bool {
    let login = view.directory.login(&view.me);
    let rows = before_closure(file, &view.directory, view.now());
    let own = rows.iter().find(|row| row.waiting_on.contains(&login));
    own.is_some_and(|row| row.code == code)
}

fn finding(context: &ActContext) -> ActForm {
    ActForm::new(
        "finding",
        "State your finding",
        format!("{}/finding", context.change_url),
    )
    .tone(ActTone::Go)
    .field(Field::textarea("text", "Your finding about the unauthorized work").required())
    .submit("State this finding")
}

/// The answer to the question of a return; one act with the submission.
fn answer(asker: &str, context: &ActContext) -> ActForm {
    ActForm::new(
        "answer",
        format!("Answer {asker}"),
        format!("{}/answer", context.change_url),
    )
    .tone(ActTone::Go)
    .field(
        Field::textarea("text", "Your answer")
            .hint("Your answer is added to the comments and sent to the person who asked. If the change needs an edit, edit \
                it first.")
            .required(),
    )
    .submit("Answer and submit again")
}

/// A return by the change manager, who is no requested approver.
fn return_form(context: &ActContext) -> ActForm {
    ActForm::new(
        "return",
        "Return with a question",
        format!("{}/return", context.change_url),
    )
    .field(
        Field::textarea("question", format!("Your question to {}", context.writer))
            .hint("The change returns to draft, and its approvals become void.")
            .required(),
    )
    .submit("Return with this question")
}

/// The note above the acts.
pub(crate) fn note(view: &View<'_, '_, '_>, file: &ChangeFile, has_acts: bool) -> String {
    if let Some(at) = closes_at(file, &view.directory, view.now()) {
        return format!("The change closes automatically: {}.", view.reader.due(at));
    }
    match has_acts {
        true => next_of(&file.change).to_owned(),
        false => String::new(),
    }
}

fn next_of(change: &Change) -> &'static str {
    if change.is_on_hold() {
        return "Next: resume it, or cancel it.";
    }
    if change.window_missed {
        return "Next: set new times. The content stays approved; only the approvals of the times are requested again.";
    }
    match change.state {
        State::Draft => "Next: submit it for assessment.",
        State::Assessing => "Next: assess it.",
        State::Authorizing => "It waits for its approvals.",
        State::Approved => "Next: it is scheduled automatically when its times are approved and free.",
        State::Scheduled => "Next: start it within its window; a pipeline's permit starts it automatically.",
        State::Implementing => "Next: record the outcome of each target.",
        State::Reviewing => "Next: validate, review and close it.",
        State::Rejected => "The change has ended. An edit turns it back into a draft.",
        State::Closed | State::Cancelled => "",
    }
}
