//! Records around a change: peer reviews, evidence, checklist, conditions, comments, watchers; its links are in a file of their
//! own.

use jiff::Timestamp;
use serde_json::json;

use crate::approval::authority::peer_counts;
use crate::approval::obligation::Duty;
use crate::change::change_file::{Case, ChangeFile};
use crate::change::content::plan_digest;
use crate::change::duties::evidence::{self, Compared};
use crate::change::next_step::check_state;
use crate::change::read_content::artifact_or_commit;
use crate::change::record::Content;
use crate::change::related_records::{Comment, Evidence, MetCondition, PeerReview};
use crate::change::settle::settle;
use crate::change::{conditions, eligible};
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{ApprovalState, Aspect, EvidenceKind, EvidenceResult, PeerVerdict, Role};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::{LINE, Reading, TEXT};
use crate::core::refusal::Refusal;
use crate::core::statement::Stated;
use crate::directory::snapshot::logins;

pub mod canary;
pub mod checklist;
pub mod communication;
mod links;
pub mod planned_undo;

pub use checklist::tick;
pub use links::{LinkEnd, is_weaker, link, unlink};

/// How many people one comment may mention; further ones are not notified.
const MOST_MENTIONED: usize = 20;

/// A peer's review of plan and code. Void like an approval of *what*.
///
/// # Errors
/// 403 for authors, approvers and people outside the rule's group; 422; 409 for a digest that is not current.
pub fn peer_review(case: &mut Case<'_>, body: &Body) -> Result<RecordId, Refusal> {
    let person = case.person();
    if case.change().authors.contains(&person) {
        return Err(
            Refusal::not_allowed("own_work", "An author of a change cannot review it as a peer.")
                .with_others(peers(case)),
        );
    }
    if case.file.approves(&person) {
        return Err(
            Refusal::not_allowed("is_approver", "An approver of a change cannot review it as a peer.")
                .with_others(peers(case)),
        );
    }
    case.allow(Act::PeerReview)?;
    if !peer_counts(&case.file, &case.directory, &person, None) {
        let text = "A person who declared a conflict of interest, or whose delegate approved the change, cannot \
            review it as a peer.";
        return Err(Refusal::not_allowed("own_work", text).with_others(peers(case)));
    }
    check_group(case)?;
    let mut reading = Reading::new(body, "");
    let verdict = reading.needed_word("verdict", PeerVerdict::Disagree);
    let text = reading.text("text", TEXT);
    let digest = reading.needed("content_digest", LINE);
    reading.finish()?;
    check_state(case, Act::PeerReview)?;
    if digest != case.change().digests.content {
        let text = format!(
            "The change was edited since you read it; its digest is now {}.",
            case.change().digests.content
        );
        return Err(Refusal::NotCurrent {
            text,
            changes: Vec::new(),
        });
    }
    for review in &mut case.file.peer_reviews {
        if review.person == person && review.state == ApprovalState::Standing {
            review.state = ApprovalState::Replaced;
        }
    }
    let (id, change, at) = (case.new_id(), case.change_id(), case.now);
    let what_digest = case.change().digests.what.clone();
    case.emit(
        "peer_review.given",
        json!({"peer_review": id, "verdict": verdict, "by": person}),
    );
    let state = ApprovalState::Standing;
    case.file.peer_reviews.push(PeerReview {
        id: id.clone(),
        version: 0,
        change,
        person,
        verdict,
        text,
        what_digest,
        state,
        at,
    });
    settle(case);
    Ok(id)
}

fn check_group(case: &Case<'_>) -> Result<(), Refusal> {
    let groups: Vec<_> = case
        .file
        .requirements
        .obligations
        .iter()
        .filter_map(|row| match &row.obligation.duty {
            Duty::PeerReview { from, .. } => Some(from.clone()),
            _ => None,
        })
        .collect();
    let person = case.person();
    let welcome = groups.is_empty()
        || groups
            .iter()
            .any(|from| peer_counts(&case.file, &case.directory, &person, from.as_ref()));
    if welcome {
        return Ok(());
    }
    let names: Vec<String> = groups.iter().flatten().map(ToString::to_string).collect();
    Err(Refusal::not_allowed(
        "not_asked",
        format!("A member of the group {} must do the peer review.", names.join(", ")),
    ))
}

/// A file that was stored already, and what a machine read in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// `sha256:…`.
    pub digest: String,
    /// Bytes.
    pub size: i64,
    /// Its media type.
    pub media_type: String,
    /// The result of the reader of its kind.
    pub reading: Option<FileReading>,
}

/// The result of a reader of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReading {
    /// A summary.
    pub summary: String,
    /// Whether it passed, if the kind has a result.
    pub passed: Option<bool>,
    /// Whether its kind gives a judgement but this document leaves the result open.
    pub is_undecided: bool,
    /// Its findings, by names that another report of the same tool uses for the same finding.
    pub findings: Vec<String>,
    /// The suites that it ran, of a failed report those that failed; the tools of a SARIF log; none where its kind has no such.
    pub suites: Vec<String>,
    /// The subjects that the document names, as `sha256:<64 hex>`; empty where its kind or the document names none.
    pub subjects: Vec<String>,
}

/// A document that names its subjects is evidence for these alone: not for another artifact, nor, bound to the plan, for
/// targets that it does not name.
fn foreign_document(content: &Content, artifact: Option<&str>, found: &FileReading) -> Option<String> {
    let wanted: Vec<&str> = match artifact.filter(|it| it.starts_with("sha256:")) {
        Some(artifact) => vec![artifact],
        None => {
            let artifacts = content.targets.iter().filter_map(|target| target.artifact.as_deref());
            artifacts.filter(|it| it.starts_with("sha256:")).collect()
        }
    };
    let first = found.subjects.first()?;
    let names_one = found.subjects.iter().any(|it| wanted.contains(&it.as_str()));
    let wanted = wanted.first().filter(|_| !names_one)?;
    Some(format!(
        "The document is about {first}, not about {wanted}. Send the one about {wanted}, or send this one as `file` \
         and give its outcome in `result`."
    ))
}

/// The refusal of evidence without content: an empty file is none.
fn lacks_file(kind: EvidenceKind, text: Option<&str>, file: &StoredFile) -> Option<&'static str> {
    match kind {
        _ if file.size > 0 => None,
        EvidenceKind::Note | EvidenceKind::Waiver | EvidenceKind::Probe | EvidenceKind::Verdict => None,
        EvidenceKind::File if text.is_some() => None,
        EvidenceKind::File => Some("Send the file, or describe in `text` what it shows: an empty file is no evidence."),
        _ => Some("Send the document as `file`, or its full content in `text`: an empty document is no evidence."),
    }
}

/// The fields of a request for a piece of evidence.
struct Brought {
    kind: EvidenceKind,
    aspect: Aspect,
    stated: Option<EvidenceResult>,
    name: String,
    environment: Option<String>,
    artifact: Option<String>,
    text: Option<String>,
    measured_at: Option<Timestamp>,
    place: Option<String>,
}

fn read_evidence(case: &Case<'_>, body: &Body, file: &StoredFile) -> Result<Brought, Refusal> {
    let mut reading = Reading::new(body, "");
    let kind = reading.needed_word("kind", EvidenceKind::Note);
    let aspect = reading.word("aspect").unwrap_or(match kind {
        // A scanner's report belongs to the aspect of security.
        EvidenceKind::Sarif | EvidenceKind::Cyclonedx => Aspect::Security,
        _ => Aspect::Functional,
    });
    let stated: Option<EvidenceResult> = reading.word("result");
    let name = reading.text("name", LINE).unwrap_or_else(|| format!("{kind} evidence"));
    let environment = reading.text("environment", LINE);
    let artifact = artifact_or_commit(&mut reading, "artifact");
    let text = reading.text("text", TEXT);
    if let Some(key) = &environment
        && !case.directory.environments.contains_key(&key.as_str().into())
    {
        reading.wrong("environment", "unknown", format!("There is no environment `{key}`."));
    }
    let is_told = reading.errors.iter().any(|error| error.field == "text");
    let lacks_text = text.is_none() && !is_told;
    if kind == EvidenceKind::Note && lacks_text {
        reading.wrong("text", "missing", "A note needs `text`.");
    }
    if kind == EvidenceKind::Waiver && !reading.says_text("aspect") {
        reading.wrong("aspect", "missing", "A waiver needs the `aspect` that it replaces.");
    }
    if kind == EvidenceKind::Waiver && lacks_text {
        reading.wrong("text", "missing", "A waiver needs a reason in `text`.");
    }
    if kind == EvidenceKind::Verdict {
        let text = "Only a connection can send a canary verdict.";
        reading.wrong("kind", "not_allowed", text);
    }
    if let Some(help) = lacks_file(kind, text.as_deref(), file) {
        reading.wrong("file", "missing", help);
    }
    let measured_at = reading.time("measured_at");
    if measured_at.is_some_and(|at| at > case.now) {
        reading.wrong("measured_at", "in_the_future", "`measured_at` cannot lie ahead.");
    }
    let place = place(case, &mut reading, kind, measured_at);
    let foreign = |found| foreign_document(&case.change().content, artifact.as_deref(), found);
    if let Some(help) = file.reading.as_ref().and_then(foreign) {
        reading.wrong("artifact", "another_artifact", help);
    }
    reading.finish()?;
    Ok(Brought {
        kind,
        aspect,
        stated,
        name,
        environment,
        artifact,
        text,
        measured_at,
        place,
    })
}

/// The place that a probe's result is about. A machine pushes it with a pipeline's token; people bring none.
fn place(
    case: &Case<'_>,
    reading: &mut Reading<'_>,
    kind: EvidenceKind,
    measured_at: Option<Timestamp>,
) -> Option<String> {
    let named = reading.text("target", LINE);
    if kind != EvidenceKind::Probe {
        if named.is_some() {
            reading.wrong(
                "target",
                "not_allowed",
                "`target` applies only to the response of a probe.",
            );
        }
        return None;
    }
    if !case.actor.speaks_as_pipeline(&case.directory) {
        let text = "Only Assent itself or a pipeline's token can send the response of a probe.";
        reading.wrong("kind", "not_allowed", text);
    }
    if measured_at.is_none() {
        let text = "The response of a probe needs `measured_at`: the time for which its report is true.";
        reading.wrong("measured_at", "missing", text);
    }
    let targets = &case.change().content.targets;
    let found = match &named {
        Some(id) => targets.iter().find(|target| target.id.as_str() == id),
        None => targets.first().filter(|_| targets.len() == 1),
    };
    if found.is_none() {
        reading.wrong(
            "target",
            "unknown",
            "Enter in `target` the id of the target that the response is about.",
        );
    }
    found.map(evidence::place_of)
}

/// Adds evidence whose file is stored.
///
/// # Errors
/// 403, 422, 409.
pub fn add_evidence(case: &mut Case<'_>, body: &Body, file: StoredFile) -> Result<RecordId, Refusal> {
    case.allow(Act::AddEvidence)?;
    let brought = read_evidence(case, body, &file)?;
    check_state(case, Act::AddEvidence)?;
    let kind = brought.kind;
    let plan = brought.artifact.is_none().then(|| plan_digest(&case.change().content));
    let found = file.reading.as_ref();
    let named = found.map(|found| found.findings.clone()).unwrap_or_default();
    let suites = found.map(|found| found.suites.clone()).unwrap_or_default();
    let text = match kind {
        EvidenceKind::Note | EvidenceKind::File | EvidenceKind::Waiver | EvidenceKind::Probe => brought.text,
        _ => found.map(|found| found.summary.clone()),
    };
    let mut evidence = Evidence {
        id: case.new_id(),
        version: 0,
        change: case.change_id(),
        kind,
        aspect: brought.aspect,
        result: judged_result(kind, brought.stated, found),
        name: brought.name,
        environment: brought.environment,
        artifact: brought.artifact,
        plan_digest: plan,
        text,
        file_digest: file.digest,
        size: file.size,
        media_type: file.media_type,
        by: case.person(),
        at: case.now,
        accepted: None,
        findings: named.iter().map(|name| fingerprint(name)).collect(),
        suites: suites.iter().map(|name| fingerprint(name)).collect(),
        agreed: Vec::new(),
        file_erased_at: None,
        measured_at: brought.measured_at,
        place: brought.place,
    };
    compare(&case.file, &mut evidence, &named);
    let id = evidence.id.clone();
    let data = json!({
        "evidence": id, "kind": kind, "aspect": evidence.aspect, "result": evidence.result, "file_digest": evidence.file_digest,
    });
    case.emit("evidence.added", data);
    case.file.evidence.push(evidence);
    settle(case);
    Ok(id)
}

/// How many new findings a text names.
const NEW_NAMED_MAX: usize = 10;

/// A short digest of a finding's name: as many as a report lists are kept with the record.
fn fingerprint(name: &str) -> String {
    let digest = proof::crypto::digest_text(name.as_bytes());
    digest.trim_start_matches("sha256:").chars().take(12).collect()
}

/// Compares the findings of a report with those of the running build at the destination, and records the new ones.
fn compare(file: &ChangeFile, evidence: &mut Evidence, named: &[String]) {
    let targets = file.change.content.targets.iter().filter(|target| {
        let build = evidence.artifact.as_deref();
        build.is_some_and(|build| evidence::names_build(target, build))
    });
    let words: Vec<Compared> = targets
        .filter_map(|target| evidence::compared(file, target, evidence))
        .collect();
    let mut new: Vec<&str> = Vec::new();
    for found in words.iter().filter_map(|it| it.new.as_ref()) {
        let names = evidence.findings.iter().zip(named);
        let names = names
            .filter(|(print, _)| found.contains(*print))
            .map(|(_, name)| name.as_str());
        new.extend(names);
    }
    new.sort_unstable();
    new.dedup();
    let said = if !new.is_empty() {
        evidence.result = EvidenceResult::Failed;
        let more = new.len().saturating_sub(NEW_NAMED_MAX);
        new.truncate(NEW_NAMED_MAX);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("New compared with the running build: {}{more}.", new.join(", "))
    } else if !words.is_empty() && evidence.result != EvidenceResult::Failed {
        evidence.result = EvidenceResult::Unknown;
        "The running build has no such report, so new findings cannot be determined.".to_owned()
    } else {
        return;
    };
    let text = evidence.text.get_or_insert_default();
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(&said);
}

/// A machine's result goes before the stated one: a failure stays a failure, and undecided evidence is no pass.
fn judged_result(kind: EvidenceKind, stated: Option<EvidenceResult>, reading: Option<&FileReading>) -> EvidenceResult {
    match kind {
        EvidenceKind::Waiver => return EvidenceResult::Informational,
        // The probe reports the time of its measurement; the rule limits the age.
        EvidenceKind::Probe => return stated.unwrap_or(EvidenceResult::Passed),
        _ => {}
    }
    if reading.is_some_and(|found| found.is_undecided) && stated != Some(EvidenceResult::Failed) {
        return EvidenceResult::Unknown;
    }
    match (reading.and_then(|found| found.passed), stated) {
        (Some(false), _) => EvidenceResult::Failed,
        (Some(true), Some(EvidenceResult::Failed)) => EvidenceResult::Failed,
        (Some(true), _) => EvidenceResult::Passed,
        (None, Some(stated)) if kind != EvidenceKind::Junit => stated,
        (None, _) => EvidenceResult::Informational,
    }
}

/// An approver accepts failed evidence with a reason.
///
/// # Errors
/// 403, 404, 422, 409.
pub fn accept_evidence(case: &mut Case<'_>, evidence: &RecordId, body: &Body) -> Result<(), Refusal> {
    let (by, at) = (case.person(), case.now);
    let Some(found) = case.file.evidence.iter().find(|row| &row.id == evidence) else {
        return Err(Refusal::not_found("such evidence"));
    };
    let is_waiver = found.kind == EvidenceKind::Waiver;
    let own = found.by == by || found.by == *case.actor.speaker();
    let failed = found.is_against() || is_waiver;
    case.allow(Act::AcceptEvidence)?;
    if own {
        let by = found.by.clone();
        let others = accepters(case, |person| *person != by && person != case.actor.speaker());
        return Err(
            Refusal::not_allowed("own_work", "The person who added evidence cannot accept its failure.")
                .with_others(others),
        );
    }
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_state(case, Act::AcceptEvidence)?;
    if !failed {
        let text = "This evidence is neither failed nor unknown, so there is nothing to accept.";
        return Err(Refusal::not_now(
            "not_failed",
            text,
            "Add evidence with a result.",
            Vec::new(),
        ));
    }
    if is_waiver {
        return agree(case, evidence, &reason);
    }
    for row in case.file.evidence.iter_mut().filter(|row| &row.id == evidence) {
        row.accepted = Some(Stated {
            by: by.clone(),
            at,
            reason: reason.clone(),
        });
    }
    case.emit("evidence.accepted", json!({"evidence": evidence, "by": by}));
    settle(case);
    Ok(())
}

/// The logins of possible peer reviewers: from the group that a rule names, else the people who know the work.
fn peers(case: &Case<'_>) -> Vec<String> {
    let rows = case.file.requirements.obligations.iter();
    let group = rows.into_iter().find_map(|row| match &row.obligation.duty {
        Duty::PeerReview { from, .. } => from.as_ref(),
        _ => None,
    });
    let people = match group {
        Some(key) => case.directory.members(key).into_iter().collect(),
        None => eligible::peers(&case.directory),
    };
    let counts = |person: &&PersonId| {
        case.directory.is_active(person) && peer_counts(&case.file, &case.directory, person, group)
    };
    let people: Vec<PersonId> = people.iter().filter(counts).cloned().collect();
    logins(&case.directory, &people)
}

/// The logins of those who accept a failure or agree to a waiver: the owners and security.
fn accepters(case: &Case<'_>, may: impl Fn(&PersonId) -> bool) -> Vec<String> {
    let owners = eligible::owners_of(&case.file, &case.directory, case.now).into_iter();
    let people = owners.chain(case.directory.with_role(Role::Security));
    let mut found: Vec<PersonId> = people.filter(|it| case.directory.is_active(it) && may(it)).collect();
    found.sort();
    found.dedup();
    logins(&case.directory, &found)
}

/// Agrees to a waiver as an owner, as security, or as both; both needs a second person.
fn agree(case: &mut Case<'_>, waiver: &RecordId, reason: &str) -> Result<(), Refusal> {
    let by = case.person();
    let agreed = evidence::agreements(&case.file, &case.directory, &by, reason, case.now);
    if agreed.is_empty() {
        let text = "A waiver needs the approval of an owner of the target and of security, and you are neither.";
        return Err(Refusal::not_allowed("not_asked", text).with_others(accepters(case, |_| true)));
    }
    for row in case.file.evidence.iter_mut().filter(|row| &row.id == waiver) {
        row.agreed.retain(|it| it.by != by);
        row.agreed.extend(agreed.iter().cloned());
    }
    case.emit("evidence.accepted", json!({"evidence": waiver, "by": by}));
    settle(case);
    Ok(())
}

/// The checker records that a condition is met.
///
/// # Errors
/// 403 for anyone but its checker; 404, 422, 409.
pub fn meet_condition(case: &mut Case<'_>, condition: &RecordId, body: &Body) -> Result<(), Refusal> {
    let person = case.person();
    let Some(found) = case.file.conditions.iter().find(|row| &row.id == condition) else {
        return Err(Refusal::not_found("such condition"));
    };
    let checkers = conditions::checkers(&case.file, &case.directory, found);
    if !checkers.contains(&person) {
        let names: Vec<String> = checkers.iter().map(|it| case.name(it)).collect();
        let text = format!("Only {} can mark this condition as met.", names.join(" or "));
        let others = checkers.iter().map(|it| case.directory.login(it)).collect();
        return Err(Refusal::not_allowed("not_the_checker", text).with_others(others));
    }
    let (is_met, is_over) = (found.met.is_some(), found.lapsed);
    case.allow(Act::MeetCondition)?;
    let mut reading = Reading::new(body, "");
    let text = reading.text("text", TEXT);
    reading.finish()?;
    check_state(case, Act::MeetCondition)?;
    if is_met || is_over {
        let (code, text) = if is_met {
            (
                "condition_met",
                "This condition is already met, and its statement cannot be changed.",
            )
        } else {
            (
                "condition_lapsed",
                "This condition ended with the approval that set it.",
            )
        };
        return Err(Refusal::not_now(code, text, "Add a comment instead.", Vec::new()));
    }
    let at = case.now;
    for row in case.file.conditions.iter_mut().filter(|row| &row.id == condition) {
        row.met = Some(MetCondition {
            by: person.clone(),
            at,
            text: text.clone(),
        });
    }
    case.emit("condition.met", json!({"condition": condition, "by": person}));
    settle(case);
    Ok(())
}

/// Comments.
///
/// # Errors
/// 403, 422.
pub fn comment(case: &mut Case<'_>, body: &Body) -> Result<RecordId, Refusal> {
    case.allow(Act::Comment)?;
    let mut reading = Reading::new(body, "");
    let text = reading.needed("text", TEXT);
    reading.finish()?;
    let (id, change, by, at) = (case.new_id(), case.change_id(), case.person(), case.now);
    case.emit("comment.added", json!({"comment": id, "by": by}));
    case.file.comments.push(Comment {
        id: id.clone(),
        version: 0,
        change,
        text,
        by: by.clone(),
        at,
    });
    notify_returner(case, &id);
    let mentioned = notify_mentioned(case, &id);
    let author = case.name(&by);
    notify_followers(case, &id, (&author, &mentioned));
    Ok(id)
}

/// Adds a comment that was written on the copy of the change in another system. Its text names its author, as no person here
/// wrote it; it mentions nobody and replies to no question.
pub fn take_comment(case: &mut Case<'_>, author: &str, text: String) -> RecordId {
    let (id, change, by, at) = (case.new_id(), case.change_id(), case.person(), case.now);
    case.emit("comment.added", json!({"comment": id, "by": by}));
    case.file.comments.push(Comment {
        id: id.clone(),
        version: 0,
        change,
        text,
        by,
        at,
    });
    notify_followers(case, &id, (author, &[]));
    id
}

/// Notifies the watchers, the requester and the owner of a comment, except the people that it mentions.
fn notify_followers(case: &mut Case<'_>, comment: &RecordId, (author, mentioned): (&str, &[PersonId])) {
    let mut people = case.change().watchers.clone();
    people.push(case.change().requester.clone());
    people.push(case.change().content.owner.clone());
    let news = format!("{author} commented on {}.", case.change().key);
    people.retain(|person| !mentioned.contains(person));
    for person in people {
        case.write_to(&person, "comment", comment.as_str(), news.clone(), "See the change.");
    }
}

/// Notifies everybody whom a comment mentions as `@login`, in a letter of their own; returns these people.
fn notify_mentioned(case: &mut Case<'_>, comment: &RecordId) -> Vec<PersonId> {
    let text = case.file.comments.last().map(|it| it.text.clone()).unwrap_or_default();
    let mut people: Vec<PersonId> = Vec::new();
    for login in mentions(&text) {
        let found = case.directory.by_login(login).map(|person| person.id.clone());
        if let Some(person) = found
            && case.directory.is_active(&person)
            && !people.contains(&person)
            && people.len() < MOST_MENTIONED
        {
            people.push(person);
        }
    }
    let (by, key) = (case.name(&case.person()), case.change().key.clone());
    for person in &people {
        let news = format!("{by} mentioned you in a comment on {key}: {text}");
        case.write_to(person, "mentioned", comment.as_str(), news, "See the change.");
    }
    people
}

/// The mentioned logins of a text: each `@` at the start of a text part, without trailing punctuation. An address names nobody.
fn mentions(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "([{,;".contains(c));
    let logins = words.filter_map(|word| word.strip_prefix('@'));
    let bare = logins.map(|login| login.trim_end_matches(|c: char| !c.is_alphanumeric()));
    bare.filter(|login| !login.is_empty())
}

/// Notifies the person who returned a change with a question of the next comment, which is most likely the reply.
fn notify_returner(case: &mut Case<'_>, comment: &RecordId) {
    let Some(asker) = case.change().returned.as_ref().map(|returned| returned.by.clone()) else {
        return;
    };
    let text = case
        .file
        .comments
        .last()
        .map(|comment| comment.text.clone())
        .unwrap_or_default();
    let news = format!(
        "{} answered your question on {}: {text}",
        case.name(&case.person()),
        case.change().key
    );
    let next = "You are notified again once the change is assessed and awaits your decision.";
    case.write_to(&asker, "answered", comment.as_str(), news, next);
}

/// Watches, or stops watching.
///
/// # Errors
/// 403.
pub fn watch(case: &mut Case<'_>, on: bool) -> Result<(), Refusal> {
    case.allow(Act::Watch)?;
    let person = case.person();
    let watchers = &mut case.file.change.watchers;
    watchers.retain(|watcher| watcher != &person);
    if on {
        watchers.push(person.clone());
    }
    case.emit(
        if on { "change.watched" } else { "change.unwatched" },
        json!({"by": person}),
    );
    Ok(())
}

/// Removes a person who has left from the watchers.
pub fn end_watching(case: &mut Case<'_>, person: &PersonId) {
    case.file.change.watchers.retain(|watcher| watcher != person);
    case.emit("change.watching_ended", json!({"person": person}));
}
