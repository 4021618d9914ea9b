//! What stands around a change: peer reviews, evidence, checklist, conditions, comments, watchers, links.

use serde_json::json;

use crate::approval::authority::peer_counts;
use crate::approval::obligation::Duty;
use crate::change::change_file::{Case, Linked};
use crate::change::conditions;
use crate::change::content::plan_digest;
use crate::change::next_step::check_state;
use crate::change::read_content::artifact_or_commit;
use crate::change::record::Content;
use crate::change::related_records::{Comment, Evidence, Link, MetCondition, PeerReview};
use crate::change::settle::{recompute, settle};
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{ApprovalState, Aspect, EvidenceKind, EvidenceResult, LinkKind, PeerVerdict, State};
use crate::core::ids::{ChangeId, PersonId, RecordId};
use crate::core::parse::{LINE, Reading, TEXT};
use crate::core::refusal::Refusal;
use crate::core::statement::Stated;

/// How many people one comment may name; whoever is named beyond that is not told.
const MOST_MENTIONED: usize = 20;

/// A peer's word on plan and code. Void like an approval of *what*.
///
/// # Errors
/// 403 for authors, approvers and whom the rule's group does not hold; 422; 409 for a digest that is not current.
pub fn peer_review(case: &mut Case<'_>, body: &Body) -> Result<RecordId, Refusal> {
    let person = case.person();
    if case.change().authors.contains(&person) {
        return Err(Refusal::not_allowed(
            "own_work",
            "Who wrote a change cannot review it as a peer.",
        ));
    }
    if case.file.approves(&person) {
        return Err(Refusal::not_allowed(
            "is_approver",
            "Who approves a change cannot review it as a peer.",
        ));
    }
    case.allow(Act::PeerReview)?;
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
    case.tell(
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
        format!("A peer review is asked from the group {}.", names.join(", ")),
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
    /// What the reader of its kind found.
    pub reading: Option<FileReading>,
}

/// What a reader of evidence found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReading {
    /// In words.
    pub summary: String,
    /// Whether it passed, if the kind can say so.
    pub passed: Option<bool>,
    /// What the document says it is about, as `sha256:<64 hex>`; none where its kind or it does not say.
    pub subjects: Vec<String>,
}

/// A document that names what it is about speaks for nothing else: not for another artifact, nor, bound to the plan, for
/// targets none of which is what it names.
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
        "The document says that it is about {first}, not about {wanted}. Send the one about {wanted}, or send this one as \
         `file` and say in `result` what it shows."
    ))
}

/// What a piece of evidence lacks that shows nothing: an empty file is none.
fn lacks_file(kind: EvidenceKind, text: Option<&str>, file: &StoredFile) -> Option<&'static str> {
    match kind {
        _ if file.size > 0 => None,
        EvidenceKind::Note => None,
        EvidenceKind::File if text.is_some() => None,
        EvidenceKind::File => Some("Send the file, or say in `text` what it shows: an empty one shows nothing."),
        _ => Some("Send the document as `file`, or whole in `text`: an empty one shows nothing."),
    }
}

/// Adds evidence whose file is stored.
///
/// # Errors
/// 403, 422, 409.
pub fn add_evidence(case: &mut Case<'_>, body: &Body, file: StoredFile) -> Result<RecordId, Refusal> {
    case.allow(Act::AddEvidence)?;
    let mut reading = Reading::new(body, "");
    let kind = reading.needed_word("kind", EvidenceKind::Note);
    let aspect = reading.word("aspect").unwrap_or(Aspect::Functional);
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
    if kind == EvidenceKind::Note && text.is_none() && !is_told {
        reading.wrong("text", "missing", "A note says something in `text`.");
    }
    if let Some(help) = lacks_file(kind, text.as_deref(), &file) {
        reading.wrong("file", "missing", help);
    }
    let foreign = |found| foreign_document(&case.change().content, artifact.as_deref(), found);
    if let Some(help) = file.reading.as_ref().and_then(foreign) {
        reading.wrong("artifact", "another_artifact", help);
    }
    reading.finish()?;
    check_state(case, Act::AddEvidence)?;
    let result = judged_result(kind, stated, file.reading.as_ref());
    let plan_digest = artifact.is_none().then(|| plan_digest(&case.change().content));
    let summary = file.reading.map(|found| found.summary);
    let text = match (kind, text, summary) {
        (EvidenceKind::Note | EvidenceKind::File, text, _) => text,
        (_, _, summary) => summary,
    };
    let (id, change, by, at) = (case.new_id(), case.change_id(), case.person(), case.now);
    let data = json!({"evidence": id, "kind": kind, "aspect": aspect, "result": result, "file_digest": file.digest});
    case.tell("evidence.added", data);
    case.file.evidence.push(Evidence {
        id: id.clone(),
        version: 0,
        change,
        kind,
        aspect,
        result,
        name,
        environment,
        artifact,
        plan_digest,
        text,
        file_digest: file.digest,
        size: file.size,
        media_type: file.media_type,
        by,
        at,
        accepted: None,
        file_erased_at: None,
    });
    settle(case);
    Ok(id)
}

/// A machine's reading beats what its bringer states: failed stays failed.
fn judged_result(kind: EvidenceKind, stated: Option<EvidenceResult>, reading: Option<&FileReading>) -> EvidenceResult {
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
    let (own, failed) = (found.by == by, found.result == EvidenceResult::Failed);
    case.allow(Act::AcceptEvidence)?;
    if own {
        return Err(Refusal::not_allowed(
            "own_work",
            "Who brought evidence cannot accept its failure.",
        ));
    }
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_state(case, Act::AcceptEvidence)?;
    if !failed {
        let text = "This evidence has not failed, so there is nothing to accept.";
        return Err(Refusal::not_now(
            "not_failed",
            text,
            "Add evidence that states its result.",
            Vec::new(),
        ));
    }
    for row in case.file.evidence.iter_mut().filter(|row| &row.id == evidence) {
        row.accepted = Some(Stated {
            by: by.clone(),
            at,
            reason: reason.clone(),
        });
    }
    case.tell("evidence.accepted", json!({"evidence": evidence, "by": by}));
    settle(case);
    Ok(())
}

/// Ticks a checklist item.
///
/// # Errors
/// 403, 404, 422, 409.
pub fn tick(case: &mut Case<'_>, item: &RecordId, body: &Body) -> Result<(), Refusal> {
    if !case.file.checklist.iter().any(|row| &row.id == item) {
        return Err(Refusal::not_found("such checklist item"));
    }
    case.allow(Act::TickChecklist)?;
    let mut reading = Reading::new(body, "");
    let text = reading.text("text", TEXT);
    reading.finish()?;
    check_state(case, Act::TickChecklist)?;
    let (by, at) = (case.person(), case.now);
    for row in case.file.checklist.iter_mut().filter(|row| &row.id == item) {
        row.done = Some(MetCondition {
            by: by.clone(),
            at,
            text: text.clone(),
        });
    }
    case.tell("checklist.ticked", json!({"item": item, "by": by}));
    settle(case);
    Ok(())
}

/// The checker says that a condition is met.
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
        let text = format!("This condition is checked by {}.", names.join(" or "));
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
                "This condition is met already; what was said of it stands.",
            )
        } else {
            ("condition_lapsed", "This condition went with the approval that set it.")
        };
        return Err(Refusal::not_now(code, text, "Write a comment to say more.", Vec::new()));
    }
    let at = case.now;
    for row in case.file.conditions.iter_mut().filter(|row| &row.id == condition) {
        row.met = Some(MetCondition {
            by: person.clone(),
            at,
            text: text.clone(),
        });
    }
    case.tell("condition.met", json!({"condition": condition, "by": person}));
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
    case.tell("comment.added", json!({"comment": id, "by": by}));
    case.file.comments.push(Comment {
        id: id.clone(),
        version: 0,
        change,
        text,
        by: by.clone(),
        at,
    });
    tell_asker(case, &id);
    let mentioned = tell_mentioned(case, &id);
    let mut people = case.change().watchers.clone();
    people.push(case.change().requester.clone());
    people.push(case.change().content.owner.clone());
    let news = format!("{} commented on {}.", case.name(&by), case.change().key);
    people.retain(|person| !mentioned.contains(person));
    for person in people {
        case.write_to(&person, "comment", id.as_str(), news.clone(), "Read it in the change.");
    }
    Ok(id)
}

/// Whoever a comment names, as `@login`, is told in words of their own; answers whom.
fn tell_mentioned(case: &mut Case<'_>, comment: &RecordId) -> Vec<PersonId> {
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
        let news = format!("{by} names you in a comment on {key}: {text}");
        case.write_to(person, "mentioned", comment.as_str(), news, "Read it in the change.");
    }
    people
}

/// The logins that a text names: each `@` at the beginning of a word, without the marks behind it. An address names nobody.
fn mentions(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "([{,;".contains(c));
    let logins = words.filter_map(|word| word.strip_prefix('@'));
    let bare = logins.map(|login| login.trim_end_matches(|c: char| !c.is_alphanumeric()));
    bare.filter(|login| !login.is_empty())
}

/// Whoever returned a change with a question is told of the words that follow: most likely they are the answer.
fn tell_asker(case: &mut Case<'_>, comment: &RecordId) {
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
    let next = "You are asked again once it is assessed and waits for your word.";
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
    case.tell(
        if on { "change.watched" } else { "change.unwatched" },
        json!({"by": person}),
    );
    Ok(())
}

/// Ends the watching of somebody who is gone.
pub fn end_watching(case: &mut Case<'_>, person: &PersonId) {
    case.file.change.watchers.retain(|watcher| watcher != person);
    case.tell("change.watching_ended", json!({"person": person}));
}

/// A change that a link may point at: found by `acts` before the verb runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkEnd {
    /// Its id.
    pub id: ChangeId,
    /// Its key.
    pub key: String,
    /// The keys on the way back from it over links of the same kind, when they already lead to the change that is being linked.
    pub way_back: Vec<String>,
}

/// Links to another change, or to an incident by key or outside reference.
///
/// # Errors
/// 403, for a `depends_on` also to who may not write the change; 422 for itself, an unknown change or a doubled link.
pub fn link(case: &mut Case<'_>, body: &Body, find: &dyn Fn(&str) -> Option<LinkEnd>) -> Result<RecordId, Refusal> {
    case.allow(Act::Link)?;
    let mut reading = Reading::new(body, "");
    let kind = reading.needed_word("kind", LinkKind::FollowsUp);
    check_holding(case, kind)?;
    let to = reading.needed("to", LINE);
    let end = find(&to);
    // One change has one name here, whatever the case of the letters in which it was written.
    let to = end.as_ref().map_or(to, |end| end.key.clone());
    let is_change_key = to.to_uppercase().starts_with("CHG-");
    if is_change_key && end.is_none() {
        reading.wrong("to", "unknown", format!("There is no change {to}."));
    }
    if end.as_ref().is_some_and(|end| end.id == case.change().id) {
        reading.wrong("to", "not_allowed", "A change is not linked to itself.");
    }
    let needs_change = matches!(kind, LinkKind::DependsOn | LinkKind::ParentOf | LinkKind::Replaces);
    if needs_change && end.is_none() && !to.is_empty() && !is_change_key {
        reading.wrong(
            "to",
            "not_allowed",
            format!("`{kind}` points at a change, such as CHG-1042."),
        );
    }
    if let Some(end) = end.as_ref().filter(|end| needs_change && !end.way_back.is_empty()) {
        let (would, already) = match kind {
            LinkKind::ParentOf => ("be a part of itself", "already holds it"),
            LinkKind::Replaces => ("replace itself", "already replaces it"),
            _ => ("wait for itself", "already depends on it"),
        };
        let (key, way) = (&case.change().key, end.way_back.join(" → "));
        let text = format!("{key} would {would}: {} {already} by way of {way}.", end.key);
        reading.wrong("to", "circular", text);
    }
    if case.file.links.iter().any(|link| link.kind == kind && link.to == to) {
        reading.wrong("to", "not_unique", "This link is there already.");
    }
    reading.finish()?;
    let (id, change, by, at) = (case.new_id(), case.change_id(), case.person(), case.now);
    case.tell("change.linked", json!({"link": id, "kind": kind, "to": to}));
    let to_change = end.map(|end| end.id);
    if kind == LinkKind::DependsOn {
        // Its state is not at hand here; until the file is loaded again it holds the start, so that nothing slips by.
        let (key, state) = (to.clone(), State::Draft);
        case.file.depends_on.push(Linked {
            key,
            state,
            owner: None,
        });
    }
    case.file.links.push(Link {
        id: id.clone(),
        version: 0,
        change,
        kind,
        to_change,
        to,
        by,
        at,
        removed_by: None,
        removed_at: None,
    });
    recompute(case);
    Ok(id)
}

/// Refuses a `depends_on` to who may not write the change: it holds the start, or lets it go, where other links only tell.
fn check_holding(case: &Case<'_>, kind: LinkKind) -> Result<(), Refusal> {
    if kind == LinkKind::DependsOn {
        return case.allow(Act::Edit);
    }
    Ok(())
}

/// Takes a link away. An unfinished `depends_on` holds the start no more.
///
/// # Errors
/// 403, for a `depends_on` also to who may not write the change; 404 for a link that is not there.
pub fn unlink(case: &mut Case<'_>, id: &RecordId) -> Result<(), Refusal> {
    case.allow(Act::Link)?;
    let is_it = |link: &Link| &link.id == id && link.removed_at.is_none();
    let Some(place) = case.file.links.iter().position(is_it) else {
        return Err(Refusal::not_found("such link"));
    };
    check_holding(case, case.file.links[place].kind)?;
    let (by, at) = (case.person(), case.now);
    let link = &mut case.file.links[place];
    link.removed_by = Some(by);
    link.removed_at = Some(at);
    let (kind, to) = (link.kind, link.to.clone());
    if kind == LinkKind::DependsOn {
        case.file.depends_on.retain(|other| other.key != to);
    }
    case.tell("change.unlinked", json!({"link": id, "kind": kind, "to": to}));
    recompute(case);
    Ok(())
}
