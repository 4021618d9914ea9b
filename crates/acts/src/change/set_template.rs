//! The catalogue of standard changes: proposed, approved by owner and change manager, suspended, retired.

use std::collections::BTreeSet;

use model::approval::one_hand::are_one;
use model::change::read_content::new_change::NewChange;
use model::change::success::succeeded;
use model::change::template::bounds::TemplateBounds;
use model::change::{custom_field, custom_values, read_content};
use model::core::act;
use model::core::body::Body;
use model::core::enums::{Kind, OwnershipRole, Role, TemplateState};
use model::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::records::USUAL_FAILURES;
use model::directory::snapshot::{self, Directory, StandardTemplate, TemplateApproval};
use serde_json::{Map, Value, json};

use crate::case::settle_open::settle_open;
use crate::core::context::{Context, Saved};
use crate::core::error::{Error, Result};
use crate::core::messages::save_message;
use crate::core::read_fields;
use crate::core::write::{Written, draft};
use crate::guard::self_grant::is_one;
use crate::guard::{impersonation, read_directory_rows};

/// Fields that a template may lock or leave free: those of a change's request.
const FIELDS: &[&str] = &[
    NewChange::TITLE.name,
    NewChange::DESCRIPTION.name,
    NewChange::JUSTIFICATION.name,
    NewChange::OBJECTIVES.name,
    NewChange::VERIFICATION.name,
    NewChange::CATEGORY.name,
    NewChange::TOUCHES.name,
    NewChange::IMPACT.name,
    NewChange::COMPLEXITY.name,
    NewChange::DISRUPTION.name,
    NewChange::PLAN.name,
    NewChange::ROLLBACK_PLAN.name,
    NewChange::NO_ROLLBACK_REASON.name,
    NewChange::ROLLBACK_MINUTES.name,
    NewChange::TEAM.name,
    custom_field::FIELD,
];

/// The most people in a refusal's list.
const NAMED: usize = 5;
/// Fields that the bounds of a version limit if the version does not lock them.
const BOUNDED: &[&str] = &[
    NewChange::TOUCHES.name,
    NewChange::IMPACT.name,
    NewChange::COMPLEXITY.name,
    NewChange::DISRUPTION.name,
];

/// Fields that differ in every change, so that a template may only leave them free.
const ALWAYS_FREE: &[&str] = &[
    NewChange::PLANNED_START.name,
    NewChange::PLANNED_END.name,
    NewChange::PLANNED_UNDO.name,
    NewChange::TARGETS.name,
    NewChange::SERVICES.name,
    NewChange::ENVIRONMENT.name,
    NewChange::ARTIFACT.name,
    NewChange::COMMIT.name,
    NewChange::CONFIG_ITEMS.name,
    NewChange::OWNER.name,
    NewChange::IMPLEMENTERS.name,
    NewChange::TESTER.name,
    NewChange::BUSINESS_CONTACT.name,
    NewChange::EXPEDITED.name,
    NewChange::EXPEDITED_REASON.name,
    NewChange::LABELS.name,
];

/// Proposes a template, or a new version of one (`POST /templates`); returns the proposal. An approved version stays in
/// force until the new one is approved too, so a person who may not suspend a template cannot stop changes by a
/// proposal.
///
/// # Errors
/// 403, 422, or the store's.
pub fn propose_template(cx: &mut Context<'_, '_>, body: &Body) -> Result<StandardTemplate> {
    cx.allow(act::actions::PROPOSE_TEMPLATE)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let key = reading.needed("key", 100);
    let mut locked = read_locked(&mut reading);
    let digest = proof::canonical::digest(&Value::Object(locked.clone()));
    let custom_fields = match locked.remove(custom_field::FIELD) {
        Some(own) => custom_values::read_locked(&mut reading, "locked.custom_fields", &own, &directory),
        None => Vec::new(),
    };
    check_values(&mut reading, &locked, (&directory, &cx.actor.person));
    let (services, environments) = read_fields::read_scope(&mut reading, &directory);
    let old = directory.templates.get(&key).cloned();
    if let Some(text) = read_directory_rows::no_new_key(&key).filter(|_| old.is_none()) {
        reading.wrong("key", "not_a_key", text);
    }
    if digest.is_err() {
        reading.wrong(
            "locked",
            "not_allowed",
            "`locked` holds only texts, whole numbers, booleans, lists and objects.",
        );
    }
    let mut free = read_free(&mut reading, &locked);
    free.extend(left_free(&locked, custom_fields.is_empty()));
    let review_by = reading.time("review_by");
    if review_by.is_some_and(|at| at <= cx.now) {
        reading.wrong(
            "review_by",
            "in_the_past",
            "`review_by` must be in the future: after it, no change can be created from the template.",
        );
    }
    let mut template = StandardTemplate {
        id: match &old {
            Some(old) => old.id.clone(),
            None => RecordId(cx.new_id()?),
        },
        version: old.as_ref().map_or(0, |old| old.version),
        template_version: old.as_ref().map_or(1, |old| {
            let last = old.next.as_deref().unwrap_or(old);
            last.template_version + 1
        }),
        state: TemplateState::Proposed,
        title: reading.text("title", LINE).unwrap_or_else(|| key.clone()),
        key,
        locked,
        custom_fields,
        free,
        bounds: TemplateBounds::default(),
        services,
        environments,
        review_by: review_by.unwrap_or(cx.now + jiff::SignedDuration::from_hours(24 * 365)),
        watch_minutes: reading.integer("watch_minutes", 1..=100_000).unwrap_or(60),
        suspend_after: reading.integer("suspend_after", 1..=100).unwrap_or(USUAL_FAILURES),
        failures: Vec::new(),
        proposer: cx.actor.person.clone(),
        handed_by: cx.actor.hand().cloned(),
        approvals: Vec::new(),
        digest: digest.unwrap_or_default(),
        ended_reason: None,
        next: None,
    };
    template.bounds = TemplateBounds::read(&mut reading, &template, &directory);
    reading.finish()?;
    let standing = old.filter(|old| old.state == TemplateState::Approved);
    save_proposed(cx, "template.proposed", standing, (template, Map::new()))
}

/// Saves a pending version beside the one in force, if there is one; returns the pending version.
fn save_proposed(
    cx: &mut Context<'_, '_>,
    kind: &'static str,
    standing: Option<StandardTemplate>,
    (proposed, mut more): (StandardTemplate, Map<String, Value>),
) -> Result<StandardTemplate> {
    more.insert("template_version".to_owned(), json!(proposed.template_version));
    let whole = match standing {
        Some(standing) => StandardTemplate {
            next: Some(Box::new(proposed.clone())),
            ..standing
        },
        None => proposed.clone(),
    };
    let saved = save_with(cx, kind, whole, (Written::default(), more))?;
    Ok(StandardTemplate {
        version: saved.version,
        ..proposed
    })
}

/// The fields that a version neither locks nor bounds, so that its approvers see which fields each change fills in. A
/// missing rollback is never free unless the proposal states it.
fn left_free(locked: &Map<String, Value>, has_no_own: bool) -> impl Iterator<Item = String> {
    let fields = FIELDS.iter().filter(|field| !BOUNDED.contains(field));
    let is_free = move |field: &&&str| match **field {
        "no_rollback_reason" => false,
        custom_field::FIELD => has_no_own,
        field => !locked.contains_key(field),
    };
    let others = fields.filter(is_free);
    others.map(|field| (*field).to_owned())
}

fn read_free(reading: &mut Reading<'_>, locked: &Map<String, Value>) -> BTreeSet<String> {
    let free: BTreeSet<String> = reading.texts("free", LINE).unwrap_or_default().into_iter().collect();
    for field in &free {
        if locked.contains_key(field) {
            let text = format!("`{field}` cannot be both locked and free.");
            reading.wrong("free", "not_allowed", text);
        } else if !FIELDS.contains(&field.as_str()) && !ALWAYS_FREE.contains(&field.as_str()) {
            let text = format!(
                "A change has no field `{field}`; free may be {}, {}.",
                FIELDS.join(", "),
                ALWAYS_FREE.join(", ")
            );
            reading.wrong("free", "unknown_field", text);
        }
    }
    free
}

fn read_locked(reading: &mut Reading<'_>) -> Map<String, Value> {
    let locked = match reading.value("locked") {
        Some(Value::Object(map)) => map.clone(),
        Some(_) => {
            reading.wrong(
                "locked",
                "not_an_object",
                "`locked` must be an object of fields and values.",
            );
            Map::new()
        }
        None => Map::new(),
    };
    for field in locked.keys().filter(|field| !FIELDS.contains(&field.as_str())) {
        reading.wrong(
            &format!("locked.{field}"),
            "unknown_field",
            format!("A template cannot lock `{field}`."),
        );
    }
    locked
}

/// Locked values are checked like a change's request: an invalid value would otherwise first be reported to the author
/// of a change from the approved template.
fn check_values(reading: &mut Reading<'_>, locked: &Map<String, Value>, (directory, person): (&Directory, &PersonId)) {
    let known = locked.iter().filter(|(field, _)| FIELDS.contains(&field.as_str()));
    let request: Body = known.map(|(field, value)| (field.clone(), value.clone())).collect();
    if let Err(Refusal::Invalid(errors)) = read_content::read(&request, directory, person, None) {
        for error in errors {
            reading.wrong(&format!("locked.{}", error.field), &error.code, error.text);
        }
    }
}

/// Saves a template with other written records; its event records the version and `more`.
fn save_with(
    cx: &mut Context<'_, '_>,
    kind: &'static str,
    template: StandardTemplate,
    (mut written, more): (Written, Map<String, Value>),
) -> Result<StandardTemplate> {
    let mut data = json!({"key": template.key, "template_version": template.template_version});
    if let Value::Object(data) = &mut data {
        data.extend(more);
    }
    let template = cx.put(&mut written, template)?;
    let subject = ("template", template.id.0.clone());
    cx.emit(vec![draft(kind, subject, cx.now, data)], written)?;
    cx.touch_directory()?;
    settle_open(cx, |change| {
        change.content.kind == Kind::Standard && change.content.template.as_ref().is_some_and(|t| t.key == template.key)
    })?;
    Ok(template)
}

fn load(cx: &mut Context<'_, '_>, key: &str) -> Result<StandardTemplate> {
    let found = cx.directory()?.templates.get(key).cloned();
    found.ok_or_else(|| Error::Refused(Refusal::not_found(format!("template {key}"))))
}

/// Approves the proposed version (`POST /templates/{key}/approvals`): owner and change manager, never the proposer, and
/// two independent people. `body` may name the `template_version` that was read, so that nobody approves a newer
/// proposal unseen. An approval counts while its author could still give it; others are dropped, and the template
/// continues to wait.
///
/// # Errors
/// 403, 404, 409, 422, or the store's.
pub fn approve_template(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<StandardTemplate> {
    let whole = load(cx, key)?;
    let mut template = whole.proposed().unwrap_or(&whole).clone();
    cx.allow(act::actions::APPROVE_TEMPLATE)?;
    let person = cx.actor.person.clone();
    if person == template.proposer {
        let refusal = Refusal::not_allowed("own_request", "The proposer of a template cannot approve it.");
        return Err(refusal.with_others(approvers(cx, &template)?).into());
    }
    // The two are no proposers, but one of them set up the other's sign-in or account.
    let directory = cx.directory()?;
    let mut proposers = std::iter::once(&template.proposer).chain(&template.handed_by);
    if let Some(hand) = proposers.find(|proposer| is_one(cx, &directory, proposer)) {
        let hand = hand.clone();
        return Err(same_person_refusal(cx, &template, &hand)?);
    }
    if template.state != TemplateState::Proposed {
        let text = format!("The template is {}.", template.state);
        return Err(Refusal::not_now("not_in_state", text, "Propose a new version.", Vec::new()).into());
    }
    check_read(&template, body)?;
    let role = approving_role(cx, &template)?;
    let stale = drop_stale(cx, &mut template)?;
    template.approvals.retain(|approval| approval.person != person);
    check_is_second_person(cx, &template)?;
    impersonation::check_voice(cx)?;
    template.approvals.push(TemplateApproval {
        person,
        role,
        handed_by: cx.actor.hand().cloned(),
        at: cx.now,
    });
    let pair = pair_of(&template, &*cx.directory()?, cx.now);
    let is_next = template.template_version != whole.template_version;
    let mut standing = is_next.then(|| whole.clone());
    if let Some([owner, manager]) = pair {
        template.approvals[owner].role = Role::Owner;
        template.approvals[manager].role = Role::ChangeManager;
        template.state = TemplateState::Approved;
        template.version = whole.version;
        standing = None;
    }
    let mut more = Map::new();
    if !stale.is_empty() {
        more.insert("dropped".to_owned(), json!(stale));
    }
    save_proposed(cx, "template.approved", standing, (template, more))
}

/// Two approvals, one by an owner and one by a change manager: a person with both roles counts as the one that the
/// other is not.
fn pair_of(template: &StandardTemplate, directory: &Directory, now: jiff::Timestamp) -> Option<[usize; 2]> {
    let may = |at: usize, role| holds(directory, template, (&template.approvals[at].person, role), now);
    let places = 0..template.approvals.len();
    let pairs = places
        .clone()
        .flat_map(|owner| places.clone().map(move |manager| [owner, manager]));
    let mut apart = pairs.filter(|[owner, manager]| owner != manager);
    apart.find(|[owner, manager]| may(*owner, Role::Owner) && may(*manager, Role::ChangeManager))
}

/// Drops the approvals of people who could not give them any more, and returns their authors. A template is in force
/// for a year, and its approvals are checked once, when it is approved.
fn drop_stale(cx: &mut Context<'_, '_>, template: &mut StandardTemplate) -> Result<Vec<PersonId>> {
    let (directory, now) = (cx.directory()?, cx.now);
    let given = template.approvals.clone().into_iter();
    let (kept, stale): (Vec<_>, Vec<_>) = given.partition(|approval| stands(template, approval, &directory, now));
    template.approvals = kept;
    Ok(stale.into_iter().map(|approval| approval.person).collect())
}

/// Whether an approver could still approve, and no account that somebody else may have used is behind the approval.
fn stands(
    template: &StandardTemplate,
    approval: &TemplateApproval,
    directory: &Directory,
    now: jiff::Timestamp,
) -> bool {
    let hand = directory.people.get(approval.speaker());
    holds(directory, template, (&approval.person, approval.role), now)
        && !hand.is_some_and(snapshot::Person::is_compromised)
}

/// The roles that must still approve the proposed version.
pub fn waits_for(template: &StandardTemplate, directory: &Directory, now: jiff::Timestamp) -> Vec<Role> {
    let counts = |it: &&TemplateApproval| stands(template, it, directory, now);
    let given: BTreeSet<Role> = template.approvals.iter().filter(counts).map(|it| it.role).collect();
    let wanted = [Role::Owner, Role::ChangeManager].into_iter();
    wanted.filter(|role| !given.contains(role)).collect()
}

/// Two people approve, so a person who set up the other's sign-in does not count for both.
fn check_is_second_person(cx: &mut Context<'_, '_>, template: &StandardTemplate) -> Result<()> {
    let directory = cx.directory()?;
    let mut given = template.approvals.iter().flat_map(|it| [&it.person, it.speaker()]);
    if !given.any(|other| is_one(cx, &directory, other)) {
        return Ok(());
    }
    let speaker = cx.actor.speaker().clone();
    Err(same_person_refusal(cx, template, &speaker)?)
}

/// The refusal of a second approval that counts as the same person's.
fn same_person_refusal(cx: &mut Context<'_, '_>, template: &StandardTemplate, hand: &PersonId) -> Result<Error> {
    let name = cx.directory()?.name(hand);
    let text = format!(
        "{name} already took part in this version of the template. An account counts as the person who created it or set its \
         password or provider within the last day, created its token or acts for it."
    );
    let refusal = Refusal::not_allowed("one_hand", text);
    Ok(refusal.with_others(approvers(cx, template)?).into())
}

/// The logins of some people who may give an approval that the proposed version still waits for: neither its proposers
/// nor its approvers.
fn approvers(cx: &mut Context<'_, '_>, template: &StandardTemplate) -> Result<Vec<String>> {
    let (directory, now) = (cx.directory()?, cx.now);
    let roles = waits_for(template, &directory, now);
    let is_out = |person: &PersonId| {
        let given = template.approvals.iter().flat_map(|it| [&it.person, it.speaker()]);
        let proposers = std::iter::once(&template.proposer).chain(&template.handed_by);
        let mut parts = given.chain(proposers);
        *person == cx.actor.person || parts.any(|part| are_one(&directory, (person, part), now))
    };
    let able = directory
        .people
        .values()
        .filter(|person| person.active && !is_out(&person.id));
    let able = able.filter(|person| {
        roles
            .iter()
            .any(|role| holds(&directory, template, (&person.id, *role), now))
    });
    Ok(able.take(NAMED).map(|person| person.login.clone()).collect())
}

/// The pending version is the one that was read, if the request names one.
fn check_read(template: &StandardTemplate, body: &Body) -> Result<()> {
    let mut reading = Reading::new(body, "");
    let read = reading.integer("template_version", 1..=i64::MAX);
    reading.finish()?;
    let now = template.template_version;
    match read.filter(|read| *read != now) {
        None => Ok(()),
        Some(read) => Err(Refusal::NotCurrent {
            text: format!("Version {now} of the template is now proposed, but you read version {read}; read it again."),
            changes: Vec::new(),
        }
        .into()),
    }
}

/// The role in which the acting person approves: change manager, or owner of the permitted services.
fn approving_role(cx: &mut Context<'_, '_>, template: &StandardTemplate) -> Result<Role> {
    let directory = cx.directory()?;
    let (person, now) = (&cx.actor.person, cx.now);
    let held = [Role::ChangeManager, Role::Owner]
        .into_iter()
        .find(|role| holds(&directory, template, (person, *role), now));
    if let Some(held) = held {
        return Ok(held);
    }
    let text = "A template must be approved by a change manager and by an owner of all its services.";
    let refusal = Refusal::not_allowed("not_asked", text);
    Err(refusal.with_others(approvers(cx, template)?).into())
}

/// Whether a person may approve as change manager, or as owner of the permitted services.
fn holds(
    directory: &Directory,
    template: &StandardTemplate,
    (person, role): (&PersonId, Role),
    now: jiff::Timestamp,
) -> bool {
    if role == Role::ChangeManager {
        return directory.has_role(person, role);
    }
    if !directory.is_active(person) {
        return false;
    }
    let services: Vec<&ServiceKey> = if template.services.is_empty() {
        directory.services.keys().collect()
    } else {
        template.services.iter().collect()
    };
    let places: Vec<&EnvironmentKey> = if template.environments.is_empty() {
        directory.environments.keys().collect()
    } else {
        template.environments.iter().collect()
    };
    services.iter().all(|service| {
        places
            .iter()
            .all(|place| directory.holds(person, service, place, OwnershipRole::Owner, now))
    })
}

/// Counts the failures among the changes of a template in force, and suspends the template at its limit. This is an
/// effect of each saved change, so the count follows an outcome that is revised later.
///
/// # Errors
/// The store's.
pub(crate) fn count_failures(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let change = &saved.after.change;
    let has_succeeded = succeeded(change);
    let before = saved.before.as_ref();
    if before.is_none_or(|before| succeeded(&before.change) == has_succeeded) {
        return Ok(());
    }
    let Some(pinned) = &change.content.template else {
        return Ok(());
    };
    let directory = cx.directory()?;
    let template = directory.templates.get(&pinned.key);
    let Some((template, next)) = template.and_then(|it| Some((it, it.after(change, has_succeeded, cx.now)?))) else {
        return Ok(());
    };
    let is_suspended = next.state != template.state;
    let kind = if is_suspended {
        "template.suspended"
    } else {
        "template.failure_counted"
    };
    let mut written = Written::default();
    if is_suspended {
        let reason = next.ended_reason.clone().unwrap_or_default();
        notify_suspended(cx, &mut written, template, &reason)?;
    }
    let mut more = Map::new();
    more.insert("failures".to_owned(), json!(next.failures.len()));
    more.insert("change".to_owned(), json!(change.key));
    save_with(cx, kind, next, (written, more))?;
    Ok(())
}

/// Notifies the proposers of a template, and the change managers, that it is suspended.
fn notify_suspended(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    template: &StandardTemplate,
    why: &str,
) -> Result<()> {
    let directory = cx.directory()?;
    let managers = directory.with_role(Role::ChangeManager);
    let approvers = template.approvals.iter().map(|approval| &approval.person);
    let concerned: BTreeSet<&PersonId> = approvers.chain([&template.proposer]).chain(&managers).collect();
    for person in concerned.into_iter().filter(|person| directory.is_active(person)) {
        let subject = format!("The template {} is suspended", template.key);
        let dedup = format!("template_suspended/{}/{}/{person}", template.id, template.version);
        save_message(cx, written, person, None, ("template_suspended", &subject, why, &dedup))?;
    }
    Ok(())
}

/// The reason for suspending a template that depends on a compromised account.
const COMPROMISED: &str = "A compromised account approved it. Propose it again.";

/// Suspends the approved templates that depend on a person whose account is compromised, and notifies their other
/// proposers.
///
/// # Errors
/// The store's.
pub(crate) fn suspend_of(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let directory = cx.directory()?;
    let rests = |it: &&StandardTemplate| {
        let mut approvals = it.approvals.iter();
        it.state == TemplateState::Approved
            && approvals.any(|approval| &approval.person == person || approval.speaker() == person)
    };
    for template in directory.templates.values().filter(rests) {
        let suspended = StandardTemplate {
            state: TemplateState::Suspended,
            ended_reason: Some(COMPROMISED.to_owned()),
            ..template.clone()
        };
        let mut written = Written::default();
        notify_suspended(cx, &mut written, template, COMPROMISED)?;
        save_with(cx, "template.suspended", suspended, (written, Map::new()))?;
    }
    Ok(())
}

/// A template goes from proposed through approved and suspended to retired, and never back. A proposal may be retired
/// at once.
fn check_goes_on(template: &StandardTemplate, state: TemplateState) -> Result<()> {
    let goes_on = match state {
        TemplateState::Suspended => template.state == TemplateState::Approved,
        _ => template.state != TemplateState::Retired,
    };
    if goes_on {
        return Ok(());
    }
    let text = format!("The template {} is {}.", template.key, template.state);
    Err(Refusal::not_now("not_in_state", text, "Propose a new version.", Vec::new()).into())
}

/// Suspends or retires a template with a reason (`POST /templates/{key}/suspension`, `/retirement`). A retirement that
/// names a proposed `template_version` beside the one in force removes only that proposal.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn end_template(
    cx: &mut Context<'_, '_>,
    key: &str,
    body: &Body,
    state: TemplateState,
) -> Result<StandardTemplate> {
    let template = load(cx, key)?;
    cx.allow(act::actions::APPROVE_TEMPLATE)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    let named = reading.integer("template_version", 1..=i64::MAX);
    reading.finish()?;
    let next = template.proposed().map(|next| next.template_version);
    let is_beside = next != Some(template.template_version);
    if state == TemplateState::Retired && is_beside && named.is_some() && named == next {
        return drop_proposal(cx, template, reason);
    }
    if let Some(read) = named.filter(|read| *read != template.template_version) {
        let text = format!(
            "Version {} of the template is in force, and you named version {read}; read it again.",
            template.template_version
        );
        let changes = Vec::new();
        return Err(Refusal::NotCurrent { text, changes }.into());
    }
    check_goes_on(&template, state)?;
    let kind = if state == TemplateState::Retired {
        "template.retired"
    } else {
        "template.suspended"
    };
    let next = template.next.clone().filter(|_| state != TemplateState::Retired);
    let ended = StandardTemplate {
        state,
        ended_reason: Some(reason),
        next,
        ..template
    };
    save_with(cx, kind, ended, (Written::default(), Map::new()))
}

/// Removes the version that is proposed beside the one in force; returns it as it ended.
fn drop_proposal(cx: &mut Context<'_, '_>, template: StandardTemplate, reason: String) -> Result<StandardTemplate> {
    let Some(next) = template.next.clone() else {
        return Ok(template);
    };
    let dropped = StandardTemplate {
        state: TemplateState::Retired,
        ended_reason: Some(reason),
        ..*next
    };
    save_proposed(cx, "template.retired", Some(template), (dropped, Map::new()))
}
