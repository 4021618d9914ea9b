//! The working paper of an audit sample: the control's questions about each change, the conclusions and the signature.

use acts::Context;
use acts::audit::audit_paper::{Item, auditor_result, items, sign_sample};
use acts::audit::draw_sample::review_conclusion;
use acts::core::noun;
use axum::extract::{Path, State};
use axum::response::Response;
use model::audit::audit_conclusion::AuditConclusion;
use model::audit::audit_sample::AuditSample;
use model::core::body::Body;
use model::core::enums::AuditVerdict;
use pages::{ActForm, ActTone, Fact, Field, Place, RecordPage, Rich, Section, SectionBody, count};
use serde_json::{Value, json};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, show};

/// The verdicts as readers see them.
const VERDICTS: [(&str, &str); 3] = [
    ("effective", "The control worked"),
    ("exception", "Exception"),
    ("not_applicable", "Not applicable"),
];

/// The labels of the answers to questions.
const ANSWERS: [(&str, &str); 3] = [
    ("held", "Held"),
    ("exception", "Exception"),
    ("not_applicable", "Not applicable"),
];
/// The prefix of an answer's field name, before the rule.
const ANSWER: &str = "answer_";

/// The paper of a sample.
pub(crate) async fn paper(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::AuditLog, move |view| page(view, &id, None)).await
}

/// Concludes on a change.
pub(crate) async fn conclude(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let (sent, sample) = (sent_to(&id, "conclusions", form), id.clone());
    let run = move |cx: &mut Context<'_, '_>, body: &Body| {
        let mut whole = body.clone();
        whole.insert("sample".to_owned(), json!(sample));
        let names: Vec<String> = whole.keys().filter(|name| name.starts_with(ANSWER)).cloned().collect();
        let mut answers: Vec<String> = Vec::new();
        for name in names {
            if let Some(Value::String(answer)) = whole.remove(&name) {
                answers.push(format!("{}={answer}", name.trim_start_matches(ANSWER)));
            }
        }
        whole.insert("answers".to_owned(), json!(answers));
        noun::add::<AuditConclusion>(cx, &whole).map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}

/// Reviews a conclusion of another auditor.
pub(crate) async fn review(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id, conclusion)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let sent = sent_to(&id, &format!("reviews/{}", escaped(&conclusion)), form);
    let run = move |cx: &mut Context<'_, '_>, _: &Body| review_conclusion(cx, &conclusion).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}

/// Signs the paper.
pub(crate) async fn sign(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    form: Form,
) -> Response {
    let (sent, sample) = (sent_to(&id, "signature", form), id.clone());
    let run = move |cx: &mut Context<'_, '_>, _: &Body| sign_sample(cx, &sample).map(drop);
    send(&state, &visitor, sent, run, move |view, back| page(view, &id, back)).await
}

fn sent_to(id: &str, rest: &str, form: Form) -> Sent {
    let here = format!("/audit-samples/{}", escaped(id));
    sent(form, format!("{here}/{rest}"), format!("{here}/paper"), Place::AuditLog)
}

fn page(view: &mut View<'_, '_, '_>, id: &str, back: Option<&Back>) -> acts::Result<String> {
    let (sample, items) = items(view.cx, id)?;
    let reviewed = items.iter().filter(|it| is_reviewed(it)).count();
    let byline = format!(
        "{} of {} conclusions are reviewed.",
        count(reviewed as u64),
        count(items.len() as u64)
    );
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Audit samples".to_owned(), view.url("/audit-samples"))],
        title: sample.title.clone(),
        is_said: true,
        byline: Rich::from(byline),
        facts: facts(view, &sample),
        ..RecordPage::default()
    };
    page.acts.push(
        ActForm::link("Export as ZIP", format!("/api/v1/audit-samples/{}/export", escaped(id))).tone(ActTone::Quiet),
    );
    if sample.is_open() && reviewed == items.len() && !items.is_empty() {
        let url = view.url(&format!("/audit-samples/{}/signature", escaped(id)));
        page.acts
            .push(ActForm::new("sign", "Sign the working paper", url).submit("Sign the working paper"));
    }
    for item in &items {
        page.sections.push(section(view, &sample, item));
    }
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn is_reviewed(item: &Item) -> bool {
    item.conclusion.as_ref().is_some_and(|it| it.reviewed_at.is_some())
}

fn facts(view: &View<'_, '_, '_>, sample: &AuditSample) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Control", Rich::new().code(sample.control.as_str())),
        Fact::new("From", view.reader.moment(sample.from)),
        Fact::new("To", view.reader.moment(sample.to)),
        Fact::new(
            "Population",
            count(u64::try_from(sample.population).unwrap_or_default()),
        ),
        Fact::new("Strata", Rich::new().said(sample.strata.join("; "))),
        Fact::new("Seed", Rich::new().code(sample.seed.as_str())),
        Fact::new("Drawn by", view.person(&sample.by)),
    ];
    if let (Some(by), Some(at)) = (&sample.signed_by, sample.signed_at) {
        facts.push(Fact::new("Signed by", view.person(by)));
        facts.push(Fact::new("Signed", view.reader.moment(at)));
    }
    if let Some(digest) = &sample.paper_digest {
        facts.push(Fact::new("Digest", Rich::new().code(digest.as_str())));
    }
    facts
}

fn section(view: &View<'_, '_, '_>, sample: &AuditSample, item: &Item) -> Section {
    let mut facts = vec![Fact::new(
        "Change",
        Rich::new().link(item.change.as_str(), view.change_url(&item.change)),
    )];
    for answer in &item.answers {
        let found = answer.exception.as_deref().unwrap_or("No exception.");
        let mut told = Rich::new().said(answer.question).line().said(found);
        if let Some(answer) = auditor_result(item.conclusion.as_ref(), answer.rule) {
            told = told
                .line()
                .text(format!("Answer of the auditor: {}", answer.replace('_', " ")));
        }
        facts.push(Fact::new(answer.rule.replace('_', " "), told));
    }
    let mut acts = Vec::new();
    match &item.conclusion {
        Some(it) => {
            facts.extend(concluded(view, it));
            if sample.is_open() && it.reviewed_at.is_none() && it.by != view.cx.actor.person {
                let url = view.url(&format!("/audit-samples/{}/reviews/{}", sample.id, it.id));
                acts.push(
                    ActForm::new(format!("review-{}", item.change), "Review the conclusion", url)
                        .submit("Review the conclusion"),
                );
            }
        }
        None if sample.is_open() => acts.push(form(view, sample, item)),
        None => {}
    }
    Section::new(
        format!("item-{}", item.change),
        item.change.clone(),
        SectionBody::Facts(facts),
    )
    .said()
    .acts(acts)
}

fn concluded(view: &View<'_, '_, '_>, it: &AuditConclusion) -> Vec<Fact> {
    let verdict = match it.verdict {
        AuditVerdict::Effective => VERDICTS[0].1,
        AuditVerdict::Exception => VERDICTS[1].1,
        AuditVerdict::NotApplicable => VERDICTS[2].1,
    };
    let mut facts = vec![
        Fact::new("Conclusion", Rich::from(verdict)),
        Fact::new("Found", Rich::new().said(it.text.as_str())),
        Fact::new("Concluded by", view.person(&it.by)),
    ];
    if let Some(by) = &it.reviewed_by {
        facts.push(Fact::new("Reviewed by", view.person(by)));
    }
    facts
}

fn form(view: &View<'_, '_, '_>, sample: &AuditSample, item: &Item) -> ActForm {
    let url = view.url(&format!("/audit-samples/{}/conclusions", sample.id));
    let mut form = ActForm::new(format!("conclude-{}", item.change), "Conclude", url)
        .field(idempotent_form::field(view))
        .field(Field::hidden("change", item.change.as_str()));
    for answer in &item.answers {
        let name = format!("{ANSWER}{}", answer.rule);
        form = form.field(
            Field::select(name, answer.rule.replace('_', " "), &ANSWERS)
                .value(answer.prefilled.as_str())
                .hint(answer.question),
        );
    }
    form.field(Field::select("verdict", "Conclusion", &VERDICTS))
        .field(Field::textarea("text", "What was examined and found").required())
        .submit("Record the conclusion")
}
