//! Break-glass: start without approvals, in the open, time-boxed, and validated by another person.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::approval::approvals;
use crate::approval::decide::{self, check_factor};
use crate::approval::obligation::{ApprovalRule, Duty};
use crate::approval::one_hand;
use crate::change::change_file::{Case, ChangeFile};
use crate::change::next_step::{self, check_state};
use crate::change::read_content::references;
use crate::change::record::Change;
use crate::change::settle::settle;
use crate::change::{eligible, work};
use crate::core::act::Act;
use crate::core::body::Body;
use crate::core::enums::Role;
use crate::core::ids::PersonId;
use crate::core::parse::{LINE, Reading, TEXT, later};
use crate::core::refusal::{self, Refusal};
use crate::core::statement::Stated;
use crate::core::unmet::{self, Unmet};
use crate::directory::snapshot::{self, Directory, logins};
use crate::emergency::budget::{self, Used, any_approver_signs, could_co_sign, is_dual, is_grave, is_lent, names_two};
use crate::emergency::bypassed;
use crate::emergency::owed::reviewed_it;
use crate::emergency::records::{self, BreakGlass, Bypassed, Cosignature};
use crate::identity::factor::Wanted;
use crate::incident::signature;
use crate::policy::facts::Part;
use crate::policy::permission::allowed;
use crate::schedule::freeze::Freeze;
use crate::schedule::frozen_target::freeze_unmet;

/// The longest time box.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(4);

/// The most eligible people that a refusal names.
const NAMED: usize = 5;

/// Opens break-glass. `used` holds each team's openings of the last [`crate::emergency::budget::BUDGET_DAYS`]. An opening over
/// the budget is allowed at once too; it also notifies the executives.
///
/// # Errors
/// 403 by policy, for the administrator role alone, or `step_up_required`; 422; 409 on hold, without targets or a rollback
/// plan.
pub fn break_glass(case: &mut Case<'_>, body: &Body, used: &Used) -> Result<(), Refusal> {
    case.allow(Act::BreakGlass)?;
    if is_only_admin(&case.directory, &case.actor.person) {
        let text = "The administrator role alone does not permit break-glass.";
        return Err(Refusal::not_allowed("not_allowed", text));
    }
    check_factor(&case.actor, opening_wants(&case.file), case.now)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    let until = reading.needed_time("until");
    let incident = reading.text("incident", LINE);
    let incident = incident.and_then(|named| references::incident(&mut reading, &case.directory, &named));
    if let Some(until) = until {
        if until <= case.now {
            reading.wrong("until", "in_the_past", "`until` must lie ahead.");
        } else if until.duration_since(case.now) > LONGEST {
            reading.wrong("until", "too_long", "A break-glass lasts at most four hours.");
        }
    }
    reading.finish()?;
    check_state(case, Act::BreakGlass)?;
    next_step::check_hold(case)?;
    check_ready(case)?;
    check_no_major_incident(case)?;
    let (by, at) = (case.person(), case.now);
    let needs_cosignature = needs_cosignature(case);
    let until = until.unwrap_or(at);
    let counted = budget::count(&case.file, &case.directory, used, until);
    case.file.change.break_glass = Some(BreakGlass {
        reason,
        until,
        incident,
        by: by.clone(),
        handed_by: case.actor.hand().cloned(),
        factor: case.actor.fresh_factor(at).cloned(),
        at,
        what_digest: case.file.change.digests.what.clone(),
        needs_cosignature,
        cosigned: None,
        ended: false,
        validated: None,
        counted: Some(counted.clone()),
        bypassed: bypassed::bypassed(&case.file, &case.directory, at, until),
    });
    let what = codes_of_bypassed(case);
    case.emit(
        "break_glass.opened",
        json!({
            "bypassed": what,
            "by": by, "until": until.to_string(), "needs_cosignature": needs_cosignature, "team": counted.team,
            "number": counted.number, "budget": counted.budget, "validate_by": counted.validate_by.to_string(),
        }),
    );
    notify_concerned(case, until);
    if counted.is_over() {
        budget::notify_over_budget(case, &counted);
    }
    if !needs_cosignature {
        work::begin(case, at);
        // From here on, the requirements include the duties that follow break-glass.
        case.rejudge();
    }
    settle(case);
    Ok(())
}

/// Refuses a start under break-glass while a major incident stops the change: only its commander's signature allows the start.
/// Earlier work goes on until the commander halts it.
fn check_no_major_incident(case: &Case<'_>) -> Result<(), Refusal> {
    let (change, directory, now) = (case.change(), &case.directory, case.now);
    let stops = |freeze: &&Freeze| {
        freeze.course.major_incident.is_some()
            && freeze.is_on(now)
            && freeze.stops_work_at(change, now)
            && signature::is_stopped(freeze, change, directory)
    };
    let span = (now, later(now, SignedDuration::from_secs(1)));
    let found = directory.freezes.iter().filter(stops);
    let rows = found
        .map(|freeze| freeze_unmet(freeze, (change, directory), span))
        .collect();
    refusal::refuse_unmet(
        "major_incident",
        "A major incident stops this change, even under break-glass.",
        rows,
    )
}

/// The bypassed requirements for the log: code and rule, without free text.
fn codes_of_bypassed(case: &Case<'_>) -> Vec<String> {
    let rows = case.change().break_glass.iter().flat_map(|glass| &glass.bypassed);
    let told = |row: &Bypassed| match &row.rule {
        Some(rule) => format!("{}: {rule}", row.code),
        None => row.code.clone(),
    };
    rows.map(told).collect()
}

/// Notifies the people concerned that break-glass was opened.
fn notify_concerned(case: &mut Case<'_>, until: Timestamp) {
    let at = case.now.to_string();
    let news = format!(
        "{} used break-glass for {} until {until}.",
        case.name(&case.person()),
        case.change().key
    );
    let mut people = budget::concerned(case);
    let (news, signers) = match budget::waits_for_cosignature(case.change(), case.now) {
        false => (news, Vec::new()),
        true => (
            format!("{news} The gate stays closed until a second person signs."),
            budget::cosigners(&case.file, &case.directory, case.now),
        ),
    };
    people.extend(signers.iter().cloned());
    people.sort();
    people.dedup();
    for person in people {
        let then = match signers.contains(&person) {
            true => "Review the change now, and co-sign the break-glass if the work cannot wait.",
            false => "Review the change now; another person validates the break-glass afterwards.",
        };
        case.write_to(&person, "break_glass", &at, news.clone(), then);
    }
}

/// The opener confirms with a fresh factor. Break-glass replaces approvals, so a password is not enough where one of these
/// approvals requires a second factor.
pub fn opening_wants(file: &ChangeFile) -> Wanted {
    let approvals = approval_rules(file).map(ApprovalRule::wanted_factor);
    approvals.max().unwrap_or(Wanted::Any).max(Wanted::Any)
}

fn approval_rules(file: &ChangeFile) -> impl Iterator<Item = &ApprovalRule> {
    let rows = file.requirements.obligations.iter();
    rows.filter_map(|row| match &row.obligation.duty {
        Duty::Approval(rule) => Some(rule),
        _ => None,
    })
}

/// Whether administrator is the person's only role. That role alone cannot open break-glass.
pub fn is_only_admin(directory: &Directory, person: &PersonId) -> bool {
    let person = directory.people.get(person);
    person.is_some_and(|person| person.roles.iter().all(|role| *role == Role::Admin))
}

/// Work without approvals still needs a target and a rollback plan.
pub fn against_breaking(change: &Change, directory: &Directory) -> Vec<Unmet> {
    let content = &change.content;
    let writers = || snapshot::logins(directory, &eligible::writers(change, directory));
    let mut unmet = Vec::new();
    if content.targets.is_empty() {
        unmet.push(unmet::unmet(
            "field_missing",
            "The change has no target.",
            "Fill in `targets`.",
            writers(),
        ));
    }
    if content.rollback_plan.is_empty() && content.no_rollback_reason.is_none() {
        let help = "Add `rollback_plan`, or explain in `no_rollback_reason` why there is none.";
        unmet.push(unmet::unmet(
            "rollback_plan_missing",
            "The change has no rollback plan.",
            help,
            writers(),
        ));
    }
    unmet
}

fn refuse_unready(unmet: Vec<Unmet>) -> Result<(), Refusal> {
    let text = "Break-glass is not possible in the present state of the change.";
    refusal::refuse_unmet("break_glass_refused", text, unmet)
}

fn check_ready(case: &Case<'_>) -> Result<(), Refusal> {
    let mut unmet = against_breaking(case.change(), &case.directory);
    if case
        .change()
        .break_glass
        .as_ref()
        .is_some_and(|glass| !glass.ended && glass.until > case.now && glass.cosigned.is_none() && is_for(glass, case))
    {
        let text = "A break-glass is already open and awaits its co-signature.";
        unmet.push(unmet::unmet(
            "already_open",
            text,
            "A second person must co-sign it.",
            Vec::new(),
        ));
    }
    refuse_unready(unmet)
}

/// Break-glass does not replace dual control or the peer review of high risk: a second person signs first. The same holds for
/// an emergency of high risk, which needs no peer review otherwise. Without this, classifying a change as an emergency would
/// remove the second person.
fn needs_cosignature(case: &Case<'_>) -> bool {
    // If the rules could not be judged, one of them may require two people.
    let unjudged = case.file.requirements.stop.is_some();
    unjudged || names_two(&case.file) || is_grave(case.change()) || is_lent(&case.file, &case.actor)
}

/// Adds the second signature, for the content at the opening and, if the signer names a digest, for the content that they read.
/// Work begins only now.
///
/// # Errors
/// 403 for the opener and for a person who fits no such rule, or `step_up_required`; 422; 409 when nothing waits for a
/// signature, or when the content was edited.
pub fn cosign(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    let person = case.person();
    if case
        .change()
        .break_glass
        .as_ref()
        .is_some_and(|glass| glass.by == person)
    {
        return Err(Refusal::not_allowed(
            "own_request",
            "The person who started under break-glass cannot co-sign it.",
        ));
    }
    if !could_co_sign(&case.file, &case.directory, &person, case.now) {
        return Err(not_eligible(case));
    }
    case.check_lent(Act::CosignBreakGlass)?;
    check_independent_credentials(case)?;
    check_policies(case)?;
    check_factor(&case.actor, signing_wants(&case.file), case.now)?;
    let mut reading = Reading::new(body, "");
    let digest = reading.text("content_digest", LINE);
    reading.finish()?;
    check_state(case, Act::CosignBreakGlass)?;
    // Between the two signatures it may have been paused or emptied.
    next_step::check_hold(case)?;
    if let Some(digest) = digest {
        decide::check_digest(case, &digest)?;
    }
    refuse_unready(against_breaking(case.change(), &case.directory))?;
    // Work begins with this signature, so an incident that began after the first signature stops it.
    check_no_major_incident(case)?;
    check_committers(case)?;
    sign(case, person)
}

/// The fresh factor that the second signature requires: the strictest of the dual-control rules, because the signature replaces
/// these approvals. If the rules could not be judged, any fresh factor is enough, so that a broken policy set does not lock
/// everybody out.
pub fn signing_wants(file: &ChangeFile) -> Wanted {
    let dual = approval_rules(file).filter(|rule| rule.dual_control);
    let wanted = dual.map(ApprovalRule::wanted_factor).max().unwrap_or(Wanted::Nothing);
    match file.requirements.stop.is_some() {
        true => wanted.max(Wanted::Any),
        false => wanted,
    }
}

/// Adds the second signature to a break-glass that waits for it, and begins the work.
fn sign(case: &mut Case<'_>, person: PersonId) -> Result<(), Refusal> {
    check_content(case)?;
    let now = case.now;
    let until = case.change().break_glass.as_ref().map_or(now, |glass| glass.until);
    let missing = bypassed::bypassed(&case.file, &case.directory, now, until);
    let waiting = case
        .file
        .change
        .break_glass
        .as_mut()
        .filter(|glass| glass.needs_cosignature && glass.cosigned.is_none() && !glass.ended);
    let Some(glass) = waiting else {
        return Err(Refusal::not_now(
            "nothing_to_sign",
            "No break-glass waits for a co-signature.",
            "No signature is needed.",
            Vec::new(),
        ));
    };
    if glass.until <= now {
        return Err(Refusal::not_now(
            "time_box_over",
            "The time box of the break-glass has ended.",
            "Use break-glass again.",
            Vec::new(),
        ));
    }
    glass.cosigned = Some(Cosignature {
        by: person.clone(),
        at: now,
        factor: case.actor.fresh_factor(now).cloned(),
    });
    // Between the two signatures some of it may have been met.
    glass.bypassed = missing;
    let what = codes_of_bypassed(case);
    case.emit("break_glass.cosigned", json!({"by": person, "bypassed": what}));
    work::begin_without_implementer(case, now);
    case.rejudge();
    settle(case);
    Ok(())
}

/// Whether break-glass was opened for the current content.
fn is_for(glass: &BreakGlass, case: &Case<'_>) -> bool {
    glass.what_digest == case.change().digests.what
}

/// The second signature is for what the first was for.
fn check_content(case: &Case<'_>) -> Result<(), Refusal> {
    let glass = case.change().break_glass.as_ref();
    if glass.is_none_or(|glass| glass.ended || is_for(glass, case)) {
        return Ok(());
    }
    Err(Refusal::not_now(
        "content_moved",
        "The change was edited after the break-glass.",
        "Use break-glass again for the edited change.",
        Vec::new(),
    ))
}

/// Ends a break-glass that still waits for its second signature, because the content was edited. The signature must cover the
/// same content as the opening.
pub(crate) fn end_waiting(case: &mut Case<'_>) {
    let glass = case.file.change.break_glass.as_mut();
    let waits = |glass: &&mut BreakGlass| glass.needs_cosignature && glass.cosigned.is_none() && !glass.ended;
    let Some(glass) = glass.filter(waits) else { return };
    glass.ended = true;
    let (by, at, until) = (glass.by.clone(), glass.at, glass.until);
    case.emit("break_glass.ended", json!({"until": until.to_string(), "edited": true}));
    let news = format!(
        "{} was edited before a second person co-signed your break-glass, so the break-glass has ended.",
        case.change().key
    );
    let then = "Read the edited change. If the work still cannot wait, use break-glass again.";
    case.write_to(&by, "break_glass_ended", &at.to_string(), news, then);
}

/// The second signature needs independent credentials. A person who issued the credentials of both signers would sign alone.
fn check_independent_credentials(case: &Case<'_>) -> Result<(), Refusal> {
    if is_credential_of_opener(case) {
        return Err(decide::same_person_refusal(case));
    }
    Ok(())
}

/// Whether the actor's credentials come from the opener or the opener's issuer, on any change: break-glass bypasses every rule.
pub(crate) fn is_credential_of_opener(case: &Case<'_>) -> bool {
    let opener = case.change().break_glass.as_ref();
    let first = opener.map(|glass| glass.handed_by.as_ref().unwrap_or(&glass.by));
    let is_theirs = |first: &PersonId, own: &PersonId| {
        case.file.hands.are_one(first, own) || one_hand::is_one_holder(&case.directory, (first, own), case.now)
    };
    let mut own = [case.actor.speaker(), &case.actor.person].into_iter();
    first.is_some_and(|first| own.any(|own| is_theirs(first, own)))
}

/// The co-signer made none of the commits, so all committers must be known.
fn check_committers(case: &Case<'_>) -> Result<(), Refusal> {
    let mut rules = case.file.requirements.obligations.iter();
    let kept_apart = rules.find(|row| is_dual(&row.obligation));
    let rule = kept_apart.map_or("", |row| row.obligation.id.as_str());
    let unmet = approvals::committers_unmet(&case.file, &case.directory, rule);
    let Some(first) = unmet.first() else {
        return Ok(());
    };
    let text = first.text.clone();
    Err(Refusal::NotNow {
        code: "committer_unknown",
        text,
        unmet,
    })
}

/// Checks the policies. A person who fits a rule of dual control or peer review counts as an approver here.
fn check_policies(case: &Case<'_>) -> Result<(), Refusal> {
    let mut facts = case.actor_facts();
    if !facts.parts.contains(&Part::Asked) {
        facts.parts.push(Part::Asked);
    }
    let act = Act::CosignBreakGlass.as_str();
    allowed((case.may)(&facts, act, Some(&case.file)), act)
}

/// The refusal for a person who fits no such rule; the text lists the eligible people.
fn not_eligible(case: &Case<'_>) -> Refusal {
    let text = match any_approver_signs(&case.file) {
        true => "Only a person whom an approval rule could ask may co-sign.",
        false => "Only a person whom the dual-control or peer-review rule could ask may co-sign.",
    };
    let people = budget::cosigners(&case.file, &case.directory, case.now);
    let names: Vec<String> = people.iter().take(NAMED).map(|person| case.name(person)).collect();
    let text = match (names.is_empty(), people.len().saturating_sub(NAMED)) {
        (true, _) => text.to_owned(),
        (false, 0) => format!("{text} Now that is {}.", one_of(&names)),
        (false, more) => format!("{text} Now that is {} or {more} more.", names.join(", ")),
    };
    Refusal::not_allowed("not_asked", text).with_others(logins(&case.directory, &people))
}

/// The logins of the people who may validate break-glass.
fn glass_validators(case: &Case<'_>) -> Vec<String> {
    let people = eligible::glass_validators(&case.file, &case.directory, case.now);
    logins(&case.directory, &people)
}

/// Names side by side, the last behind “or”.
fn one_of(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => names.concat(),
    }
}

/// Another person validates the break-glass afterwards.
///
/// # Errors
/// 403 for the opener; 422; 409.
pub fn validate(case: &mut Case<'_>, body: &Body) -> Result<(), Refusal> {
    let person = case.person();
    if case
        .change()
        .break_glass
        .as_ref()
        .is_some_and(|glass| glass.by == person)
    {
        return Err(Refusal::not_allowed(
            "own_request",
            "The person who started under break-glass cannot validate it.",
        )
        .with_others(glass_validators(case)));
    }
    case.allow(Act::ValidateBreakGlass)?;
    let stakes = [&person, case.actor.speaker()];
    if stakes.into_iter().any(|it| reviewed_it(case.change(), it)) {
        let text = "A reviewer of the work under this break-glass cannot validate it; another person must.";
        return Err(Refusal::not_allowed("reviewed_it", text).with_others(glass_validators(case)));
    }
    if is_credential_of_opener(case) {
        let text = format!(
            "{} already has a part in this break-glass and cannot validate it. An account counts as the person who \
             set its password or provider within the last day, or created its token.",
            case.name(case.actor.speaker())
        );
        return Err(Refusal::not_allowed("one_hand", text).with_others(glass_validators(case)));
    }
    let is_over = |glass: &BreakGlass| glass.counted.as_ref().is_some_and(records::Counted::is_over);
    if case.change().break_glass.as_ref().is_some_and(is_over) {
        let validators = eligible::glass_validators(&case.file, &case.directory, case.now);
        if !validators.contains(&person) {
            let text = "The team has exceeded its break-glass budget, so a change manager must validate it, or \
                security if no other is available.";
            return Err(Refusal::not_allowed("over_budget", text).with_others(glass_validators(case)));
        }
    }
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("text", TEXT);
    reading.finish()?;
    check_state(case, Act::ValidateBreakGlass)?;
    let at = case.now;
    let Some(glass) = case
        .file
        .change
        .break_glass
        .as_mut()
        .filter(|glass| glass.validated.is_none())
    else {
        return Err(Refusal::not_now(
            "nothing_to_validate",
            "No break-glass waits for a validation.",
            "No action is needed.",
            Vec::new(),
        ));
    };
    glass.validated = Some(Stated {
        by: person.clone(),
        at,
        reason,
    });
    case.emit("break_glass.validated", json!({"by": person}));
    settle(case);
    Ok(())
}
