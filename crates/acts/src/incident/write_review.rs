//! Post-incident reviews: written as drafts, completed once each involved change has its two answers.

use std::collections::BTreeSet;

use model::core::enums::{RelationEnd, RelationKind, TimelineKind};
use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::core::unmet::Unmet;
use model::directory::snapshot::Incident;
use model::incident::incident_review::{IncidentReview, IncidentReviewInput, check, missing};
use model::incident::major;
use model::incident::record_link::kind_of_key;
use model::incident::review_answer::{ReviewAnswer, ReviewAnswerInput};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::noun::PlainNoun;
use crate::guard::self_grant::is_one;
use crate::incident::command_incident::check_not_closed;
use crate::incident::keep::keep;
use crate::incident::link_records::{find_links, with_duplicates};
use crate::incident::note_entry::note;
use crate::incident::review_actions::{find_review, reopen_review, request_review};
use crate::risk::set_cause::check_named;

impl PlainNoun for IncidentReview {
    type Input = IncidentReviewInput;
    const IS_HISTORY: bool = true;

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        find_review(cx, &key.to_uppercase())
    }

    fn key(&self) -> &str {
        &self.incident_key
    }

    fn add(cx: &mut Context<'_, '_>, input: IncidentReviewInput, mut reading: Reading<'_>) -> Result<Self> {
        let incident = incident_named(cx, &mut reading, &input.incident_key)?;
        check(&mut reading, &input);
        let key = input.incident_key.to_uppercase();
        let before = find_review(cx, &key)?;
        let was_named = before.as_ref().and_then(|review| review.cause.clone());
        check_named(cx, &mut reading, input.cause.as_deref(), was_named.as_deref())?;
        check_stays(&mut reading, before.as_ref(), &input);
        reading.finish()?;
        let incident = incident.ok_or_else(|| Error::Fault("the incident of a review was not read".to_owned()))?;
        let completed_at = before.as_ref().and_then(|review| review.completed_at);
        let review = Self {
            id: match &before {
                Some(review) => review.id.clone(),
                None => RecordId(cx.new_id()?),
            },
            version: before.map_or(0, |review| review.version),
            incident_key: incident.key.clone(),
            summary: input.summary,
            cause: input.cause,
            contributing: input.contributing,
            completed_at: completed_at.or(input.is_complete.then_some(cx.now)),
            by: cx.actor.person.clone(),
            at: cx.now,
        };
        if review.completed_at.is_some() {
            check_complete(cx, &incident, &review)?;
        }
        if completed_at.is_none() && review.completed_at.is_some() {
            check_completer(cx, &incident)?;
        }
        let kind = match (completed_at, review.completed_at) {
            (None, Some(_)) => "incident_review.completed",
            _ => "incident_review.written",
        };
        let data = json!({"incident": incident.key, "cause": review.cause});
        let written = keep(cx, kind, review, data)?;
        request_review(cx, &written.incident_key)?;
        Ok(written)
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        let directory = cx.directory()?;
        for (review, value) in records.iter().zip(values) {
            let answers = review_answers(cx, &review.incident_key)?;
            let shown = answers.iter().map(|it| {
                let answer = json!({"rating": it.rating, "steps_adequate": it.steps_adequate, "text": it.text});
                (it.change_key.clone(), answer)
            });
            value["answers"] = Value::Object(shown.collect());
            let rows = match directory.incidents.get(&review.incident_key) {
                Some(incident) => missing_of(cx, incident, Some(review))?,
                None => Vec::new(),
            };
            value["missing"] = rows.iter().map(|row| Value::from(row.text.clone())).collect();
        }
        Ok(())
    }
}

impl PlainNoun for ReviewAnswer {
    type Input = ReviewAnswerInput;
    const IS_HISTORY: bool = true;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn add(cx: &mut Context<'_, '_>, input: ReviewAnswerInput, mut reading: Reading<'_>) -> Result<Self> {
        let incident = incident_named(cx, &mut reading, &input.incident_key)?;
        if !reading.says("steps_adequate") {
            let text = "`steps_adequate` is missing: true, or false where a step or check was missing.";
            reading.wrong("steps_adequate", "missing", text);
        }
        let change_key = input.change_key.to_uppercase();
        if let Some(incident) = &incident
            && !change_key.is_empty()
            && !involved(cx, incident)?.contains(&change_key)
        {
            let text = format!(
                "{change_key} is not linked to {}. Link the change as its cause or its fix first.",
                incident.key
            );
            reading.wrong("change_key", "unknown", text);
        }
        reading.finish()?;
        let (Some(incident), Some(rating)) = (incident, input.rating) else {
            return Err(Error::Fault("an answer of a review was not read".to_owned()));
        };
        let before = review_answers(cx, &incident.key)?
            .into_iter()
            .find(|it| it.change_key == change_key);
        let is_same =
            |it: &Self| (it.rating, it.steps_adequate, &it.text) == (rating, input.steps_adequate, &input.text);
        if before.as_ref().is_some_and(|it| !is_same(it)) {
            reopen(cx, &incident, &change_key)?;
        }
        let answer = Self {
            id: match &before {
                Some(answer) => answer.id.clone(),
                None => RecordId(cx.new_id()?),
            },
            version: before.map_or(0, |answer| answer.version),
            incident_key: incident.key.clone(),
            change_key,
            rating,
            steps_adequate: input.steps_adequate,
            text: input.text,
            by: cx.actor.person.clone(),
            at: cx.now,
        };
        let data = json!({"incident": incident.key, "change": answer.change_key, "rating": rating, "steps_adequate": answer.steps_adequate});
        keep(cx, "review_answer.given", answer, data)
    }
}

/// An answer that differs from the one at completion makes the review a draft again: a person completes it again.
fn reopen(cx: &mut Context<'_, '_>, incident: &Incident, change_key: &str) -> Result<()> {
    let review = find_review(cx, &incident.key)?;
    if review.is_none_or(|review| review.completed_at.is_none()) {
        return Ok(());
    }
    check_not_closed(incident)?;
    reopen_review(cx, &incident.key)?;
    let text =
        format!("The review is a draft again: the answers about {change_key} were changed after it was complete.");
    note(cx, incident, TimelineKind::Note, &text)
}

/// An implementer of an involved change gives its answers, but another person completes the review.
fn check_completer(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<()> {
    let implementers = implementers(cx, incident)?;
    let directory = cx.directory()?;
    if !implementers.iter().any(|person| is_one(cx, &directory, person)) {
        return Ok(());
    }
    let text = format!(
        "You implemented a change that was involved in {}. A person who did not must complete its review; your draft can \
         stay.",
        incident.key
    );
    let others = completers(cx, &implementers)?;
    Err(Refusal::not_allowed("own_request", text).with_others(others).into())
}

/// The implementers of the involved changes.
fn implementers(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<BTreeSet<PersonId>> {
    let mut found = BTreeSet::new();
    for key in involved(cx, incident)? {
        let change = cx.as_system(|cx| cx.change(&key))?;
        found.extend(change.implemented_by);
    }
    Ok(found)
}

/// The logins of the people who may complete a review, without the implementers.
fn completers(cx: &mut Context<'_, '_>, implementers: &BTreeSet<PersonId>) -> Result<Vec<String>> {
    let directory = cx.directory()?;
    let mut people = major::commanders(&directory);
    people.retain(|person| !implementers.contains(person));
    Ok(people.iter().map(|person| directory.login(person)).collect())
}

/// The incident that a request names; an unknown one is reported as an error.
fn incident_named(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>, key: &str) -> Result<Option<Incident>> {
    if key.is_empty() {
        return Ok(None);
    }
    let found = cx.directory()?.incidents.get(&key.to_uppercase()).cloned();
    if found.is_none() {
        reading.wrong("incident_key", "unknown", format!("There is no incident `{key}`."));
    }
    Ok(found)
}

/// A complete review stays complete, and keeps the cause by which forecasts moved.
fn check_stays(reading: &mut Reading<'_>, before: Option<&IncidentReview>, input: &IncidentReviewInput) {
    let Some(before) = before.filter(|review| review.completed_at.is_some()) else {
        return;
    };
    if !input.is_complete {
        let text = "The review is complete. Correct it as a whole, with `is_complete`.";
        reading.wrong("is_complete", "not_allowed", text);
    }
    if input.cause != before.cause {
        let text = "The root cause of a complete review cannot change, because forecasts already use it.";
        reading.wrong("cause", "not_allowed", text);
    }
}

/// The answers of the review of an incident, by the keys of their changes.
///
/// # Errors
/// The store's.
pub fn review_answers(cx: &mut Context<'_, '_>, incident_key: &str) -> Result<Vec<ReviewAnswer>> {
    let wanted = Filter::new()
        .equals("incident_key", incident_key)
        .order_by("change_key");
    Ok(record::bodies::<ReviewAnswer>(cx.tx, &wanted)?)
}

/// The changes that were confirmed as the cause of an incident or of its duplicate, without those cleared later at the
/// incident.
fn confirmed_at<'i>(incident: &'i Incident, one: &'i Incident) -> impl Iterator<Item = &'i str> {
    one.confirmed_causes().filter(move |key| {
        let cleared = incident.cause_verdict(key).filter(|said| !said.confirmed);
        let confirmed = one.cause_verdict(key);
        cleared.is_none_or(|cleared| confirmed.is_some_and(|said| said.at > cleared.at))
    })
}

/// The keys of the changes that were involved in an incident: linked as its cause or its fix, or confirmed as its cause.
///
/// # Errors
/// The store's.
pub fn involved(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<BTreeSet<String>> {
    let is_involved = |kind: RelationKind| matches!(kind, RelationKind::Caused | RelationKind::FixedBy);
    let mut keys = BTreeSet::new();
    for one in with_duplicates(cx, incident)? {
        let links = find_links(cx, &one.key)?.into_iter();
        let links = links.filter(|seen| seen.other.kind == RelationEnd::Change && is_involved(seen.reads.kind));
        keys.extend(links.map(|seen| seen.other.key));
        keys.extend(confirmed_at(incident, &one).map(str::to_owned));
    }
    Ok(keys)
}

/// Whether an incident is related to a change: one caused it, as far as is known.
///
/// # Errors
/// The store's.
pub fn is_change_related(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<bool> {
    for one in with_duplicates(cx, incident)? {
        let links = find_links(cx, &one.key)?;
        let is_cause = links.iter().any(|seen| {
            seen.reads.kind == RelationKind::Caused
                && !seen.reads.leads_away
                && kind_of_key(&seen.other.key) == Some(RelationEnd::Change)
        });
        if is_cause || confirmed_at(incident, &one).next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The parts that the review of an incident still lacks; all of them when there is no review.
///
/// # Errors
/// The store's.
pub fn missing_of(
    cx: &mut Context<'_, '_>,
    incident: &Incident,
    review: Option<&IncidentReview>,
) -> Result<Vec<Unmet>> {
    let involved = involved(cx, incident)?;
    let answers = review_answers(cx, &incident.key)?;
    let summary = review.and_then(|review| review.summary.as_deref());
    let cause = review.and_then(|review| review.cause.as_deref());
    Ok(missing(summary, cause, &involved, &answers))
}

fn check_complete(cx: &mut Context<'_, '_>, incident: &Incident, review: &IncidentReview) -> Result<()> {
    let unmet = missing_of(cx, incident, Some(review))?;
    if unmet.is_empty() {
        return Ok(());
    }
    let texts: Vec<&str> = unmet.iter().map(|row| row.text.as_str()).collect();
    let text = format!("The review is not complete. {}", texts.join(" "));
    Err(Refusal::NotNow {
        code: "review_incomplete",
        text,
        unmet,
    }
    .into())
}

/// The unmet obligation of an incident that is related to a change: its review is not complete. The act that closes an incident
/// calls this.
///
/// # Errors
/// The store's.
pub fn unmet_review(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<Vec<Unmet>> {
    if !is_change_related(cx, incident)? {
        return Ok(Vec::new());
    }
    let review = find_review(cx, &incident.key)?;
    let mut unmet = missing_of(cx, incident, review.as_ref())?;
    let implementers = implementers(cx, incident)?;
    let waiting_on = completers(cx, &implementers)?;
    let is_complete = review.is_some_and(|review| review.completed_at.is_some());
    if unmet.is_empty() && !is_complete {
        let text = format!("The review of {} is a draft.", incident.key);
        let how = "Complete the review (POST /incident-reviews with `is_complete`).";
        unmet.push(model::core::unmet::unmet("review_is_draft", text, how, Vec::new()));
    }
    for row in &mut unmet {
        row.waiting_on.clone_from(&waiting_on);
    }
    Ok(unmet)
}
