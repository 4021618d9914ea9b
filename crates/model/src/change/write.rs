//! Writing a change: create, edit, label, submit, assess.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::approval::authority::{all_able, approval_rules};
use crate::approval::{clocks, routing};
use crate::change::change_file::{Case, ChangeFile};
use crate::change::content::{Cover, WHEN, cover};
use crate::change::next_step::{check_hold, check_state};
use crate::change::read_content::{self, Input};
use crate::change::record::{Change, Content, Digests, FieldEdit, Retrospective, SeenWork, Target, TargetRecord};
use crate::change::related_records::{Approval, Coverage};
use crate::change::requirement::{against_submission, before_approvals, before_submission};
use crate::change::settle::{self, move_to, recompute, settle, void_what, void_when};
use crate::change::template::{self, template_trouble};
use crate::change::waves::run;
use crate::change::{custom_field, custom_values, lifecycle};
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::{Kind, Outcome, Role, State};
use crate::core::ids::{self, PersonId, TargetId};
use crate::core::parse::{self, Reading};
use crate::core::refusal::{FieldError, Refusal, refuse_unmet};
use crate::directory::ownership_matrix::Place;
use crate::directory::snapshot::Directory;
use crate::emergency::{break_glass, grounds};
use crate::risk::effective::effective;
use crate::risk::reach;

/// Makes the record of a new change out of a checked input: a draft, or retrospective work in review.
pub fn new_change(
    case_id: &str,
    key: String,
    number: i64,
    mut input: Input,
    requester: ids::PersonId,
    now: Timestamp,
) -> Change {
    let retrospective = input.retrospective.take();
    let mut change = untouched((case_id, key, number), input, requester, now);
    if let Some(retro) = retrospective {
        set_retrospective(&mut change, retro, now);
    }
    change
}

/// A draft with which nobody has done anything yet.
fn untouched((id, key, number): (&str, String, i64), input: Input, requester: ids::PersonId, now: Timestamp) -> Change {
    Change {
        id: id.into(),
        version: 0,
        revision: 0,
        key,
        number,
        state: State::Draft,
        authors: vec![requester.clone()],
        handed_by: Vec::new(),
        planned_by: planner_of(&input, &requester),
        requester,
        created_at: now,
        updated_at: now,
        target_records: records_for(&input.content),
        content: input.content,
        planned_start: input.planned_start,
        planned_end: input.planned_end,
        labels: input.labels,
        watchers: Vec::new(),
        origins: input.origins,
        risk: settle::unjudged(),
        forecast: None,
        reach: None,
        digests: Digests::default(),
        digest_salt: None,
        legal_hold: None,
        erasure: None,
        texts_erased_at: None,
        closed_targets: Vec::new(),
        wave_run: None,
        implemented_by: Vec::new(),
        requests: Vec::new(),
        clocks: Vec::new(),
        board_decisions: Vec::new(),
        hold: None,
        submitted_at: None,
        changed_at: Vec::new(),
        assessed_at: None,
        returned: None,
        rejection: None,
        cancelled: None,
        outcome: None,
        actual_start: None,
        actual_end: None,
        seen_work: SeenWork::default(),
        way_back_taken: false,
        undo: None,
        undo_missed_at: None,
        caused_incidents: Vec::new(),
        watch_incidents: Vec::new(),
        extension: None,
        extended_until: None,
        overrun: false,
        distrusted: false,
        ready: Vec::new(),
        window_missed: false,
        in_freeze: false,
        past_levels: Vec::new(),
        new_services: Vec::new(),
        changed_files: None,
        unauthorized: false,
        finding: None,
        gate_reopenings: Vec::new(),
        turned_normal: Vec::new(),
        break_glass: None,
        retrospective: None,
        validations: Vec::new(),
        reviews: Vec::new(),
        closed_at: None,
        closed_by: None,
        communicated: None,
        told: std::collections::BTreeSet::new(),
    }
}

fn set_retrospective(change: &mut Change, retro: read_content::RetrospectiveInput, now: Timestamp) {
    change.retrospective = Some(Retrospective {
        reason: retro.reason,
        verbal_approver: retro.verbal_approver,
        confirm_by: now + jiff::SignedDuration::from_hours(24),
        confirmation: None,
    });
    change.actual_start = Some(retro.actual_start);
    change.actual_end = Some(retro.actual_end);
}

fn records_for(content: &Content) -> Vec<TargetRecord> {
    content
        .targets
        .iter()
        .map(|target| TargetRecord {
            target: target.id.clone(),
            outcome: None,
            earlier: Vec::new(),
            actual_start: None,
            actual_end: None,
            actual_downtime_minutes: None,
            is_observed: false,
            ran_before: None,
            rollback_unproven: false,
        })
        .collect()
}

/// Creates a change: the case holds it already; this function checks, judges and records it.
///
/// # Errors
/// 403 for who may not create; 422 when retrospective work lacks its facts or names its own author as approver.
pub fn create(case: &mut Case<'_>) -> Result<(), Refusal> {
    note_credential_author(case);
    recompute(case);
    case.allow(Act::Create)?;
    grounds::take(case, None)?;
    let turned = template::outside(&case.file, &case.directory);
    if case.change().retrospective.is_some() {
        check_retrospective(&as_if_ahead(case), &case.directory, case.now)?;
        // Nobody looked at the work before it was done, so its template must at least be valid now.
        let trouble = turned
            .is_empty()
            .then(|| template_trouble(&case.file, &case.directory, case.now));
        if let Some(trouble) = trouble.flatten() {
            return Err(Refusal::field("template", "template_not_valid", trouble.text));
        }
    }
    case.emit(
        "change.created",
        json!({"key": case.change().key, "kind": case.change().content.kind}),
    );
    if !turned.is_empty() {
        settle::turn_normal(case, turned);
        recompute(case);
        // The right to create a standard change does not include the right to create the kind that it became.
        case.allow(Act::Create)?;
    }
    if case.change().retrospective.is_some() {
        open_retrospective(case);
    }
    settle(case);
    Ok(())
}

/// The change as if it had been planned ahead: rules need no approvals of finished work, so the approvers of the planned change
/// are used.
fn as_if_ahead(case: &Case<'_>) -> ChangeFile {
    let mut ahead = case.file.clone();
    let told = ahead.change.retrospective.take();
    ahead.requirements = (case.judge)(&ahead);
    ahead.change.retrospective = told;
    ahead
}

fn check_retrospective(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Result<(), Refusal> {
    let change = &file.change;
    let mut errors = Vec::new();
    for unmet in before_submission(change, directory) {
        let field = unmet.satisfy.split('`').nth(1).unwrap_or("").to_owned();
        let about_the_future = matches!(field.as_str(), "planned_start" | "planned_end" | "complexity");
        if !about_the_future {
            errors.push(FieldError::new(field, "missing", unmet.text));
        }
    }
    let verbal = change.retrospective.as_ref().map(|retro| &retro.verbal_approver);
    if let Some(text) = verbal.and_then(|person| why_no_verbal_approver(file, directory, person, now)) {
        errors.push(FieldError::new("retrospective.verbal_approver", "not_allowed", text));
    }
    if change.actual_end.is_some_and(|end| end > change.created_at) {
        let text = "Retrospective work has ended already; it cannot end in the future.";
        errors.push(FieldError::new("retrospective.actual_end", "out_of_order", text));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(errors))
    }
}

/// How many possible verbal approvers a message lists.
const TOLD: usize = 10;

/// Why a person's verbal approval would not count: the approver must be neither requester nor implementer, and must be an
/// approver of a rule or a change manager.
fn why_no_verbal_approver(
    file: &ChangeFile,
    directory: &Directory,
    named: &PersonId,
    now: Timestamp,
) -> Option<String> {
    let change = &file.change;
    if named == &change.requester {
        return Some("The verbal approver must be another person than the requester.".to_owned());
    }
    let person = directory.people.get(named);
    if !person.is_some_and(|person| person.active && !person.is_barred_from_deciding()) {
        let text = "The verbal approver must be an active person who may approve changes: not a pipeline, a vendor or an \
             auditor.";
        return Some(text.to_owned());
    }
    if change.content.implementers.contains(named) {
        return Some("The verbal approver cannot be one of the implementers.".to_owned());
    }
    let is_asked = || approval_rules(file).next().is_some();
    let able = all_able(file, directory, now);
    if directory.has_role(named, Role::ChangeManager) || able.contains(named) || !is_asked() {
        return None;
    }
    let rule = "The verbal approver must be a possible approver of these targets, or a change manager.";
    if able.is_empty() {
        return Some(rule.to_owned());
    }
    let names: Vec<String> = able.iter().take(TOLD).map(|it| directory.login(it)).collect();
    Some(format!("{rule} For example: {}.", names.join(", ")))
}

/// Finished work goes straight to review; the person who records it counts as an implementer.
fn open_retrospective(case: &mut Case<'_>) {
    let requester = case.change().requester.clone();
    let change = &mut case.file.change;
    change.implemented_by = if change.content.implementers.is_empty() {
        vec![requester]
    } else {
        change.content.implementers.clone()
    };
    for record in &mut change.target_records {
        record.outcome = Some(Outcome::Succeeded);
        record.actual_start = change.actual_start;
        record.actual_end = change.actual_end;
    }
    change.outcome = Some(Outcome::Succeeded);
    let started = change.actual_start.unwrap_or(change.created_at);
    let verbal = change.retrospective.as_ref().map(|retro| retro.verbal_approver.clone());
    case.emit_at("change.told_afterwards", started, json!({"verbal_approver": verbal}));
    move_to(case, State::Reviewing);
    if let Some(person) = verbal {
        let news = format!("{} reports that you approved work verbally.", case.change().key);
        case.write_to(
            &person,
            "confirm_retrospective",
            "1",
            news,
            "Confirm or deny it within 24 hours.",
        );
    }
}

/// Edits by a JSON Merge Patch: voids exactly what it touches.
///
/// # Errors
/// 403, 422, or 409 for a state that takes only labels or nothing.
pub fn edit(case: &mut Case<'_>, patch: &Body) -> Result<(), Refusal> {
    if patch.keys().all(|field| field == "labels") && !patch.is_empty() {
        return label(case, patch);
    }
    case.allow(Act::Edit)?;
    let new_times = sets_times(case, patch);
    if new_times {
        case.allow(Act::Schedule)?;
    }
    let input = patched(case, patch)?;
    check_state(case, Act::Edit)?;
    if new_times {
        check_hold(case)?;
    }
    keep_what_was_needed(case, &input)?;
    let revises = case.change().state == State::Rejected;
    let becomes_standard = case.change().content.kind != Kind::Standard && input.content.kind == Kind::Standard;
    apply(case, input)?;
    if becomes_standard {
        template::check_inside(case)?;
    }
    if WHEN.iter().all(|field| patch.contains_key(*field)) {
        take_times(case);
    }
    // The edited change may be under other rules: another service, another kind.
    case.allow(Act::Edit)?;
    if revises {
        case.file.change.rejection = None;
        settle::void_all(case, "the change was revised after a rejection");
        move_to(case, State::Draft);
    }
    settle(case);
    Ok(())
}

/// Refuses an impossible edit before anybody writes it: by a person who may not edit, and of a change that has ended. In some
/// states only labels may be edited, so the state is checked with the edit itself.
///
/// # Errors
/// 403, or 409 with the way there.
pub fn check_editable(case: &mut Case<'_>) -> Result<(), Refusal> {
    case.allow(Act::Edit)?;
    match case.change().state {
        State::Closed | State::Cancelled => check_state(case, Act::Edit),
        _ => Ok(()),
    }
}

/// Past the draft a PATCH of the planned times is the same act as PUT …/schedule, with its rules.
fn sets_times(case: &Case<'_>, patch: &Body) -> bool {
    let planning = lifecycle::is_legal(Act::Schedule, case.change().state);
    planning && WHEN.iter().any(|field| patch.contains_key(*field))
}

/// Reads a patch against the present change.
///
/// # Errors
/// [`Refusal::Invalid`].
pub fn patched(case: &Case<'_>, patch: &Body) -> Result<Input, Refusal> {
    if patch.contains_key("retrospective") {
        return Err(Refusal::field(
            "retrospective",
            "not_allowed",
            "`retrospective` can be set only when a change is created.",
        ));
    }
    let change = case.change();
    let mut body = read_content::patch_base(change, &case.directory);
    if ["services", "environment", "artifact", "commit", "config_items"]
        .iter()
        .any(|field| patch.get(*field).is_some_and(|value| !value.is_null()))
    {
        body.remove("targets");
    }
    if patch.get("kind").is_some_and(|kind| kind != "standard") {
        body.remove("template");
    }
    read_content::merge(&mut body, patch);
    if patch.get("template").is_some_and(Value::is_string) {
        take_from_template(&mut body, patch, &case.directory);
    }
    read_content::name_cleared(&mut body, patch);
    let mut input = read_content::read(&body, &case.directory, &change.requester, Some(&change.content))?;
    let same_template = input.content.template.as_ref().zip(change.content.template.as_ref());
    if let Some((new, old)) = same_template
        && new.key == old.key
        && !patch.contains_key("template")
    {
        input.content.template = Some(old.clone());
    }
    run::keep_lists(&mut input.content, &change.content);
    Ok(input)
}

/// A patch that names a template takes its present values: the locked values replace those that the patch does not set itself.
fn take_from_template(body: &mut Body, patch: &Body, directory: &Directory) {
    let named = body.get("template").and_then(Value::as_str);
    let Some(template) = named.and_then(|key| directory.templates.get(key)) else {
        return;
    };
    let locked = template.locked.keys().map(String::as_str).chain(["kind"]);
    for field in locked.filter(|field| !patch.contains_key(*field)) {
        body.remove(field);
    }
    if let Some(Value::Object(own)) = body.get_mut(custom_field::FIELD) {
        let said = patch.get(custom_field::FIELD).and_then(Value::as_object);
        for value in custom_values::locked(template, directory) {
            if said.is_none_or(|said| !said.contains_key(&value.key)) {
                own.remove(&value.key);
            }
        }
    }
    read_content::fill_from_template(body, directory);
}

/// Past submission or assessment, what they needed cannot be removed.
fn keep_what_was_needed(case: &Case<'_>, input: &Input) -> Result<(), Refusal> {
    let change = case.change();
    if matches!(change.state, State::Draft | State::Rejected) {
        return Ok(());
    }
    let mut next = change.clone();
    next.content = input.content.clone();
    next.planned_start = input.planned_start;
    next.planned_end = input.planned_end;
    let mut errors: Vec<_> = before_submission(&next, &case.directory)
        .into_iter()
        .map(|row| {
            let field = row.satisfy.split('`').nth(1).unwrap_or("").to_owned();
            FieldError::new(
                field,
                "needed",
                format!("{} This was required for submission and cannot be removed.", row.text),
            )
        })
        .collect();
    let standard = next.content.kind == Kind::Standard;
    if change.state >= State::Authorizing
        && !standard
        && !change.content.plan.is_empty()
        && next.content.plan.is_empty()
    {
        errors.push(FieldError::new(
            "plan",
            "needed",
            "The plan was required for the assessment and cannot be removed.",
        ));
    }
    let no_way_back = next.content.rollback_plan.is_empty() && next.content.no_rollback_reason.is_none();
    if change.state >= State::Authorizing && !standard && no_way_back {
        let text = "The rollback plan was required for the assessment and cannot be removed.";
        errors.push(FieldError::new("rollback_plan", "needed", text));
    }
    if let Some(end) = next
        .planned_end
        .filter(|end| Some(*end) != change.planned_end && *end <= case.now)
    {
        errors.push(FieldError::new(
            "planned_end",
            "in_the_past",
            format!("`planned_end`, {end}, must lie ahead."),
        ));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(errors))
    }
}

/// Puts a checked input into the change and voids what it touches, in the same breath.
///
/// # Errors
/// 422 for an emergency without a ground; callers check state and hold before.
pub fn apply(case: &mut Case<'_>, input: Input) -> Result<(), Refusal> {
    let before = case.file.change.clone();
    let change = &mut case.file.change;
    if change.content.targets != input.content.targets {
        change.target_records = records_for(&input.content);
    }
    change.content = input.content;
    run::follow_edit(change);
    change.planned_start = input.planned_start;
    change.planned_end = input.planned_end;
    change.labels = input.labels;
    change.origins = input.origins;
    if change.planned_start != before.planned_start || change.planned_end != before.planned_end {
        change.window_missed = false;
    }
    let turned = if before.content.kind == Kind::Standard && case.change().content.kind == Kind::Normal {
        vec!["kind".to_owned()]
    } else {
        settle::compute_risk(case);
        template::outside(&settle::foretold(case), &case.directory)
    };
    settle::turn_normal(case, turned);
    if case.change().content.kind == Kind::Standard {
        case.file.change.turned_normal.clear();
    }
    reach::follow_edit(case, &before);
    recompute(case);
    grounds::take(case, Some(&before))?;
    let fields = changed_fields(&before, case.change());
    keep_origins(case, &before, &fields);
    if fields.is_empty() {
        return Ok(());
    }
    let what = before.digests.what != case.change().digests.what;
    let when = before.digests.when != case.change().digests.when;
    note_editor(case, &before, what);
    note_changed(case, &fields);
    case.emit("change.edited", json!({"fields": fields, "what": what, "when": when}));
    if what {
        void_edited(case, &before);
        break_glass::end_waiting(case);
        crate::change::settle::notify_lapsed(case);
        settle::revoke_permits(case, "the content was edited", |_| true);
        clocks::hasten(case, &before);
        routing::forget_acknowledgements(case);
    }
    if when {
        void_when(case, "its planned times were edited");
        settle::revoke_permits(case, "the planned times were edited", |_| true);
    }
    Ok(())
}

/// Voids the decisions that an edit of the content touches: after an edit of member lists alone only the decisions on their
/// targets.
fn void_edited(case: &mut Case<'_>, before: &Change) {
    match run::only_lists(&before.content, &case.change().content) {
        Some(targets) => settle::void_members(case, "the members of its targets were edited", &targets),
        None => {
            let moved = moved_targets(&before.content.targets, &case.change().content.targets);
            settle::void_content(case, "its content was edited", &moved);
        }
    }
}

/// When a covered field was edited after the submission: lead times that rest on it begin again.
fn note_changed(case: &mut Case<'_>, fields: &[String]) {
    let now = case.now;
    let change = &mut case.file.change;
    if change.submitted_at.is_none() || change.state == State::Draft {
        return;
    }
    for field in fields.iter().filter(|field| cover(field) == Some(Cover::What)) {
        change.changed_at.retain(|edit| &edit.field != field);
        change.changed_at.push(FieldEdit {
            field: field.clone(),
            at: now,
        });
    }
}

/// An editor of what is done becomes an author, and an editor of the planned times their planner: alone after setting both
/// times, with the former planner after setting one.
fn note_editor(case: &mut Case<'_>, before: &Change, what: bool) {
    if case.actor.is_system {
        return;
    }
    if what {
        note_credential_author(case);
    }
    let editor = case.person();
    let change = &mut case.file.change;
    if what && !change.authors.contains(&editor) {
        change.authors.push(editor.clone());
    }
    let moved = [
        before.planned_start != change.planned_start,
        before.planned_end != change.planned_end,
    ];
    match moved {
        [false, false] => {}
        [true, true] => change.planned_by = vec![editor],
        _ if change.planned_by.contains(&editor) => {}
        _ => change.planned_by.push(editor),
    }
}

/// The person who issued the writer's credential counts as an author of the content.
fn note_credential_author(case: &mut Case<'_>) {
    let Some(hand) = case.actor.hand().cloned().filter(|_| !case.actor.is_system) else {
        return;
    };
    if !case.change().handed_by.contains(&hand) {
        case.file.change.handed_by.push(hand);
    }
}

fn planner_of(input: &Input, requester: &ids::PersonId) -> Vec<ids::PersonId> {
    let is_planned = input.planned_start.is_some() || input.planned_end.is_some();
    is_planned.then(|| requester.clone()).into_iter().collect()
}

/// The targets that are no longer the place that they were: a target is known by its number in the list, where an edit may
/// put another service, environment or config item, or nothing.
fn moved_targets(before: &[Target], after: &[Target]) -> BTreeSet<TargetId> {
    let stays = |old: &Target| {
        after
            .iter()
            .any(|new| new.id == old.id && Place::from(new) == Place::from(old))
    };
    let moved = before.iter().filter(|old| !stays(old));
    moved.map(|old| old.id.clone()).collect()
}

/// A value without an edit keeps its origin: a pipeline's report, or a default at submission.
fn keep_origins(case: &mut Case<'_>, before: &Change, changed: &[String]) {
    let kept = before
        .origins
        .iter()
        // A value that comes from the service is derived anew with each edit.
        .filter(|(field, _)| *field != "owner" && !field.starts_with("impact."))
        .filter(|(field, _)| !changed.contains(field));
    for (field, origin) in kept {
        case.file.change.origins.entry(field.clone()).or_insert(*origin);
    }
}

fn changed_fields(before: &Change, after: &Change) -> Vec<String> {
    let (Ok(Value::Object(before)), Ok(Value::Object(after))) =
        (serde_json::to_value(before), serde_json::to_value(after))
    else {
        return Vec::new();
    };
    let mut fields: Vec<String> = before
        .keys()
        .chain(after.keys())
        .filter(|field| matches!(cover(field), Some(Cover::What | Cover::When)) || *field == "labels")
        .filter(|field| before.get(*field) != after.get(*field))
        .cloned()
        .collect();
    fields.sort();
    fields.dedup();
    fields
}

/// Sets labels: nothing is voided.
///
/// # Errors
/// 403, 422, or 409 once closed.
pub fn label(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Label)?;
    let mut reading = Reading::new(body, "");
    let labels = reading.texts("labels", parse::LINE).unwrap_or_default();
    reading.finish()?;
    check_state(case, Act::Label)?;
    case.file.change.labels = labels;
    case.emit(
        "change.edited",
        json!({"fields": ["labels"], "what": false, "when": false}),
    );
    settle(case);
    Ok(())
}

/// Submits the change for assessment; a standard change goes on by itself.
///
/// # Errors
/// 403; 409 with every missing field, `on_hold`, or `template_not_valid`.
pub fn submit(case: &mut Case<'_>) -> Result<(), Refusal> {
    case.allow(Act::Submit)?;
    check_state(case, Act::Submit)?;
    check_hold(case)?;
    settle::emergency_window(&mut case.file.change, case.now);
    let unmet = against_submission(&case.file, &case.directory, case.now);
    refuse_unmet("submission_incomplete", "The change cannot be submitted yet.", unmet)?;
    let now = case.now;
    let change = &mut case.file.change;
    change.submitted_at = Some(now);
    change.changed_at.clear();
    change.returned = None;
    recompute(case);
    move_to(case, State::Assessing);
    if case.change().content.kind == Kind::Standard {
        case.file.change.assessed_at = Some(now);
        case.emit(
            "change.assessed",
            json!({"by_template": case.change().content.template.as_ref().map(|t| &t.key)}),
        );
        move_to(case, State::Authorizing);
    }
    settle(case);
    Ok(())
}

/// A person who brought other content through an outside system counts as an author of the change.
pub fn add_author(case: &mut Case<'_>, person: &PersonId) {
    if case.file.change.authors.contains(person) {
        return;
    }
    case.file.change.authors.push(person.clone());
    case.emit("change.author_added", json!({"person": person}));
    settle(case);
}

/// States risk and impact, and requests approvals.
///
/// # Errors
/// 403; 422; 409 with what the assessment still needs.
pub fn assess(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    case.allow(Act::Assess)?;
    let assessment = read_content::read_assessment(body)?;
    assessment.check_excluded(&case.directory, &case.change().content.targets)?;
    check_state(case, Act::Assess)?;
    check_hold(case)?;
    let (before, earlier) = (case.change().digests.what.clone(), case.change().clone());
    take_assessment(case, assessment);
    recompute(case);
    let fields = changed_fields(&earlier, case.change());
    note_changed(case, &fields);
    let unmet = before_approvals(&case.file, &case.directory, case.now);
    refuse_unmet("assessment_incomplete", "Approvals cannot be requested yet.", unmet)?;
    let (now, editor) = (case.now, case.person());
    case.file.change.assessed_at = Some(now);
    reach::pin(case, &earlier.content.excluded, &editor);
    if before != case.change().digests.what {
        if !case.actor.is_system && !case.file.change.authors.contains(&editor) {
            case.file.change.authors.push(editor);
        }
        void_what(case, "the assessment changed its content");
        break_glass::end_waiting(case);
        crate::change::settle::notify_lapsed(case);
        recompute(case);
    }
    case.emit("change.assessed", json!({"risk": case.change().risk.level}));
    move_to(case, State::Authorizing);
    settle(case);
    Ok(())
}

fn take_assessment(case: &mut Case<'_>, assessment: read_content::Assessment) {
    let directory = case.directory.clone();
    let change = &mut case.file.change;
    let content = &mut change.content;
    let given = [
        ("data", assessment.impact[0], content.impact.data),
        ("availability", assessment.impact[1], content.impact.availability),
        ("compliance", assessment.impact[2], content.impact.compliance),
    ];
    let stated = given.map(|(name, now_given, present)| {
        let derived = change.origins.contains_key(&format!("impact.{name}"));
        now_given.or((!derived).then_some(present))
    });
    let (impact, origins) = read_content::with_derived_impact(stated, &directory, &content.targets, content.kind);
    content.impact = impact;
    change.origins.retain(|name, _| !name.starts_with("impact."));
    change.origins.extend(origins);
    content.complexity = assessment.complexity.or(content.complexity);
    if assessment.security.is_some() {
        content.security = assessment.security;
    }
    if let Some(answers) = assessment.security_answers {
        content.security_answers = answers;
    }
    reach::take_look(change, &directory, assessment.dependencies_reviewed, case.now);
    let content = &mut change.content;
    if let Some(excluded) = assessment.excluded {
        content.excluded = excluded;
    }
    if assessment.risk_override.is_some() {
        content.risk_override = assessment.risk_override;
    }
    let stated = content.risk_override.take();
    let by_table = effective(&case.file, &directory, case.now).risk.level;
    case.file.change.content.risk_override = stated.filter(|stated| stated.level != by_table);
}

/// A person who states both times becomes their planner; for a person who has approved them already nothing changes.
pub(crate) fn take_times(case: &mut Case<'_>) {
    let planner = vec![case.person()];
    let agrees = |word: &Approval| word.person == planner[0] && word.is_yes() && word.when == Coverage::Standing;
    let has_approved = case.file.standing().any(agrees);
    if case.actor.is_system || has_approved || case.change().planned_by == planner {
        return;
    }
    case.file.change.planned_by = planner;
    case.emit(
        "change.edited",
        json!({"fields": ["planned_by"], "what": false, "when": false}),
    );
}
