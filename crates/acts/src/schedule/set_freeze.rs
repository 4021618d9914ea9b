//! Sets a freeze, or excepts a change from it. The act takes effect in its own transaction.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::approval::one_hand::are_one;
use model::change::read_content;
use model::change::record::Change;
use model::change::related_records::Permit;
use model::change::settle::{self, is_reached, void_at_halt};
use model::core::act;
use model::core::body::Body;
use model::core::enums::{FreezeStage, Level, PermitState, Role};
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::incident::major;
use model::schedule::freeze::{Freeze, FreezeException};
use model::schedule::freeze_steps::Course;
use model::schedule::repeat::Occurrence;
use serde_json::json;
use store::gate::revocation::{self, NotBefore};
use store::record::{self, Filter};

use crate::case::settle_one::settle_own;
use crate::case::settle_open::settle_open;
use crate::core::context::Context;
use crate::core::eligible_people::whom_rules_let_here_but;
use crate::core::error::Result;
use crate::core::log_names::HALTED;
use crate::core::read_fields::{check_ahead, read_marked_span, read_scope};
use crate::core::write;
use crate::gate::rejudge::rejudge_service;
use crate::guard::self_grant;
use crate::schedule::follow_steps::follow_steps;
use crate::schedule::read_repeat::read_repeat;
use crate::schedule::sign_step::{notify_business_owner, signed};
use crate::schedule::{find_hits, push_freezes};

/// The longest freeze over everything.
const LONGEST_EVERYWHERE: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Sets a freeze.
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_freeze(cx: &mut Context<'_, '_>, body: &Body) -> Result<Freeze> {
    cx.allow(act::actions::SET_FREEZE)?;
    let mut freeze = read_freeze(cx, body)?;
    state_thaw(cx, &mut freeze)?;
    if !freeze.course.counts() {
        let reason = freeze.reason.clone().unwrap_or_default();
        freeze.course.steps.push(signed(cx, FreezeStage::Proposed, reason));
        let freeze = cx.put_estate("freeze.proposed", freeze, json!({}))?;
        notify_business_owner(cx, &freeze)?;
        follow_steps(cx, &freeze)?;
        return Ok(freeze);
    }
    let freeze = cx.put_estate("freeze.set", freeze, json!({}))?;
    take_effect(cx, &freeze)?;
    push_freezes::queue_calls(cx, &freeze)?;
    find_hits::queue_notices(cx, &freeze)?;
    Ok(freeze)
}

/// Puts the expected number of failures beside a bound of risk.
pub(crate) fn state_thaw(cx: &mut Context<'_, '_>, freeze: &mut Freeze) -> Result<()> {
    if freeze.course.thaw_risk.is_none() {
        freeze.course.thaw_changes = None;
        freeze.course.thaw_expected_failures = None;
        return Ok(());
    }
    let preview = find_hits::preview(cx, freeze)?;
    freeze.course.thaw_changes = i64::try_from(preview.thaw_changes).ok();
    freeze.course.thaw_expected_failures = Some(preview.thaw_expected_failures);
    Ok(())
}

/// Reads a freeze from a request; checks no permission.
///
/// # Errors
/// 422, or the store's.
pub(crate) fn read_freeze(cx: &mut Context<'_, '_>, body: &Body) -> Result<Freeze> {
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let (services, environments) = read_scope(&mut reading, &directory);
    let (starts_at, ends_at, corrected_at) = read_marked_span(&mut reading, cx, None);
    let once = Occurrence { starts_at, ends_at };
    let repeat = read_repeat(&mut reading, (&directory, cx.now), once);
    let business_owner = read_content::person(&mut reading, "business_owner", &directory);
    let thaw_risk = read_thaw(&mut reading);
    let freeze = Freeze {
        id: RecordId(cx.new_id()?),
        version: 0,
        title: reading.needed("title", LINE),
        reason: reading.text("reason", TEXT),
        starts_at,
        ends_at,
        services,
        environments,
        halt: reading.boolean("halt").unwrap_or_default(),
        reach: reading.word("reach").unwrap_or_default(),
        exceptions: Vec::new(),
        ended: false,
        corrected_at,
        loosening: None,
        loosened: Vec::new(),
        set_by: Some(cx.actor.person.clone()),
        set_at: Some(cx.now),
        repeat,
        course: Course {
            business_owner,
            thaw_risk,
            ..Course::default()
        },
    };
    check_times(&mut reading, &freeze, cx.now, "`ends_at` must lie ahead.");
    check_course(&mut reading, (&*cx, &directory), &freeze);
    check_bounds(&mut reading, (&directory, cx.now), &freeze);
    reading.finish()?;
    Ok(freeze)
}

/// The bound of risk below which changes pass.
pub(crate) fn read_thaw(reading: &mut Reading<'_>) -> Option<Level> {
    let bound = reading.word("thaw_risk");
    if bound == Some(Level::High) {
        let text = "A freeze that allows every risk blocks nothing; use `low` or `medium`.";
        reading.wrong("thaw_risk", "not_allowed", text);
    }
    bound
}

/// Refuses times that lie behind us already.
pub(crate) fn check_times(reading: &mut Reading<'_>, freeze: &Freeze, now: jiff::Timestamp, text: &str) {
    if !freeze.repeat.is_set() {
        check_ahead(reading, freeze.ends_at, now, text);
    } else if reading.errors.is_empty() && freeze.is_over(now) {
        reading.wrong(
            "rrule",
            "in_the_past",
            "All times of this rule are in the past; start or end it later.",
        );
    }
}

/// Refuses a freeze that practically has no end, over everything or by a rule without a pause: a slip of the year stops all work
/// of a tenant.
pub(crate) fn check_bounds(
    reading: &mut Reading<'_>,
    (directory, now): (&Directory, jiff::Timestamp),
    freeze: &Freeze,
) {
    if freeze.repeat.is_set() {
        if reading.errors.is_empty()
            && let Err(trouble) = freeze.repeat.check_pause(freeze.once(), &directory.calendars, now)
        {
            reading.wrong(trouble.field, trouble.code, trouble.text);
        }
        return;
    }
    // All of several that are named are no narrower than none.
    let is_all = |named: usize, known: usize| named == 0 || (known > 1 && named >= known);
    let is_everywhere = is_all(freeze.services.len(), directory.services.len())
        && is_all(freeze.environments.len(), directory.environments.len());
    let length = freeze.ends_at.duration_since(freeze.starts_at);
    if is_everywhere && length > LONGEST_EVERYWHERE {
        let text =
            "A freeze over everything lasts 400 days at most; name fewer services or environments, or an earlier end.";
        reading.wrong("ends_at", "too_long", text);
    }
}

/// A proposal needs a reason, and a business owner who is another person than the proposer.
fn check_course(reading: &mut Reading<'_>, (cx, directory): (&Context<'_, '_>, &Directory), freeze: &Freeze) {
    let Some(owner) = &freeze.course.business_owner else {
        return;
    };
    if directory.has_role(owner, Role::Pipeline) {
        let text = "The business owner must be a person, not the account of a pipeline.";
        reading.wrong("business_owner", "not_allowed", text);
    }
    if self_grant::is_one(cx, directory, owner) {
        let text =
            "The business owner must not be the person who proposes the freeze; omit it to set the freeze at once.";
        reading.wrong("business_owner", "not_allowed", text);
    }
    if freeze.reason.is_none() {
        reading.wrong(
            "reason",
            "missing",
            "A freeze that needs the agreement of the business must have a reason.",
        );
    }
}

/// Judges the changes that it covers; a halting freeze that is on voids every permit given before it.
pub(crate) fn take_effect(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    if !freeze.course.counts() {
        return Ok(());
    }
    if freeze.halt && freeze.is_on(cx.now) {
        void_earlier(cx, freeze)?;
    }
    settle_touched(cx, freeze)
}

/// Voids the permits given before a halt, on the revocation list and here alike. Permits have whole seconds, so within the
/// halt's second a time cannot separate permits from before it from lawful ones after it, by an exception or break-glass.
/// Therefore the limit is the second's beginning, and the earlier permits of that second are listed one by one.
fn void_earlier(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    let directory = cx.directory()?;
    let epoch = revocation::raise(cx.tx)?;
    let second = whole_second(cx.now);
    let mut pairs = 0_usize;
    for service in directory.services.keys() {
        for environment in directory
            .environments
            .keys()
            .filter(|place| directory.is_frozen_by(freeze, service, place))
        {
            let entry = NotBefore {
                service: service.0.clone(),
                environment: environment.0.clone(),
                iat: second,
                epoch,
            };
            revocation::set_not_before(cx.tx, &entry)?;
            pairs += 1;
        }
    }
    record_halt(cx, freeze, (second, epoch, pairs))?;
    void_given(cx, freeze)
}

/// Revokes every permit that the halt reaches. The list's line has only places and times, so the permits that it voids for a
/// verifier without a network are void here as well, even if the change itself may go on.
fn void_given(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    let alive = Filter::new()
        .equals("state", PermitState::Issued.as_str())
        .more("expires_at", cx.now)
        .order_by("expires_at");
    let given = record::bodies::<Permit>(cx.tx, &alive)?;
    let directory = cx.directory()?;
    let reached = given
        .into_iter()
        .filter(|permit| is_reached(permit, freeze, &directory));
    let changes: BTreeSet<_> = reached.map(|permit| permit.change).collect();
    for change in changes {
        cx.on_change(change.as_str(), |case| {
            void_at_halt(case, freeze);
            Ok(())
        })?;
    }
    Ok(())
}

fn whole_second(at: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.as_second()).expect("the second of a time is a time")
}

/// The log lists the voided permits, because rows on the revocation list are no records.
fn record_halt(
    cx: &mut Context<'_, '_>,
    freeze: &Freeze,
    (issued_before, epoch, pairs): (jiff::Timestamp, i64, usize),
) -> Result<()> {
    let told = json!({"issued_before": issued_before, "epoch": epoch, "pairs": pairs,
        "services": cx.directory()?.frozen_services(freeze), "environments": freeze.environments});
    let subject = ("freeze", freeze.id.0.clone());
    let event = write::draft(HALTED, subject, cx.now, told);
    cx.emit(vec![event], write::Written::default())
}

/// Judges the changes that it covers or covered.
pub(crate) fn settle_touched(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    let scope = Freeze {
        ended: false,
        ..freeze.clone()
    };
    let directory = cx.directory()?;
    settle_open(cx, |change| {
        let mut targets = change.content.targets.iter();
        targets.any(|target| directory.is_frozen_by(&scope, &target.service, &target.environment))
    })?;
    // No change here is about a service that another system leads.
    for service in directory.services.values().filter(|it| it.led_by.is_some()) {
        let mut places = directory.environments.keys();
        if places.any(|place| directory.is_frozen_by(&scope, &service.key, place)) {
            rejudge_service(cx, service.key.as_str())?;
        }
    }
    Ok(())
}

pub(crate) fn load(cx: &mut Context<'_, '_>, id: &str) -> Result<Freeze> {
    let found = record::load::<Freeze>(cx.tx, id)?.map(|stored| stored.record);
    found.ok_or_else(|| Refusal::not_found("freeze").into())
}

/// A freeze that a person may edit: a freeze of a major incident is moved only by its incident.
///
/// # Errors
/// 404; 409 `follows_incident`; or the store's.
pub(crate) fn load_own(cx: &mut Context<'_, '_>, id: &str) -> Result<Freeze> {
    let freeze = load(cx, id)?;
    let Some(key) = &freeze.course.major_incident else {
        return Ok(freeze);
    };
    let directory = cx.directory()?;
    let asked = directory
        .incidents
        .get(key)
        .map(|it| major::awaited_people(it, &directory))
        .unwrap_or_default();
    let text = format!(
        "The freeze “{}” follows from the major incident {key}, so it cannot be edited.",
        freeze.title
    );
    let satisfy = format!(
        "The commander of {key} signs for single changes (POST /incidents/{key}/signatures) or ends it (DELETE /incidents/{key}/major)."
    );
    let people = asked.iter().map(|person| directory.login(person)).collect();
    Err(Refusal::not_now("follows_incident", text, satisfy, people).into())
}

/// Refuses acts on a past freeze: nothing waits for it any more.
pub(crate) fn check_not_over(freeze: &Freeze, now: jiff::Timestamp) -> Result<()> {
    if !freeze.is_over(now) {
        return Ok(());
    }
    let text = format!("The freeze “{}” has ended, so it blocks nothing.", freeze.title);
    Err(Refusal::not_now("freeze_over", text, "No action is needed.", Vec::new()).into())
}

/// The time of a freeze that an exception is for: the one of the named instant; otherwise the first over the planned window of
/// the change that has no exception for it, and for a change that is planned in none the present one.
fn excepted_time(freeze: &Freeze, change: &Change, named: Option<Timestamp>, now: Timestamp) -> Result<Occurrence> {
    let times = || freeze.times().filter(|it| it.ends_at > now);
    let at = |instant: Timestamp| times().find(|it| it.starts_at <= instant && instant < it.ends_at);
    if let Some(instant) = named {
        let none = || {
            let text = format!("The freeze “{}” has no time ahead in which `time` lies.", freeze.title);
            Refusal::field("time", "not_a_time", text).into()
        };
        return at(instant).ok_or_else(none);
    }
    if !freeze.repeat.is_set() {
        return Ok(freeze.once());
    }
    let planned = change.planned_start.zip(change.window_end());
    let is_over = |it: &Occurrence| planned.is_some_and(|(start, end)| it.overlaps(start, end));
    let is_free = |it: &Occurrence| freeze.exceptions_in(change, *it).next().is_none();
    let over = times().filter(is_over).find(is_free);
    let found = over.or_else(|| times().find(is_over)).or_else(|| at(now));
    found.ok_or_else(|| {
        let text = format!(
            "{} is planned in no time of the freeze “{}”; plan it first, or name in `time` the start of the time that the exception is \
             for.",
            change.key, freeze.title
        );
        Refusal::field("time", "missing", text).into()
    })
}

/// Refuses an exception for a change that a freeze no longer stops or lets pass already.
fn check_exceptable(freeze: &Freeze, change: &Change, time: Occurrence) -> Result<()> {
    if !change.state.is_open() {
        let text = format!("{} is {}, so no freeze stops it.", change.key, change.state);
        return Err(Refusal::not_now("not_in_state", text, "No action is needed.", Vec::new()).into());
    }
    let is_excepted = freeze.exceptions_in(change, time).next().is_some();
    if freeze.thaws(change) || is_excepted {
        let text = format!("The freeze “{}” already exempts {}.", freeze.title, change.key);
        let satisfy = format!(
            "Keep it, or withdraw it with DELETE /freezes/{}/exceptions/{}.",
            freeze.id, change.key
        );
        return Err(Refusal::not_now("excepted_already", text, satisfy, Vec::new()).into());
    }
    Ok(())
}

/// Lets one change pass one time of a freeze, in its present version (`POST /freezes/{id}/exceptions`): an edit of *what* ends
/// the exception, and a change that moves into another time of the freeze needs another one.
///
/// # Errors
/// 403, 404, 422; 409 for a freeze or a change that is over, and for one that is excepted already; or the store's.
pub fn except_from_freeze(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Freeze> {
    cx.allow(act::actions::SET_FREEZE)?;
    let mut freeze = load_own(cx, id)?;
    let mut reading = Reading::new(body, "");
    let key = reading.needed("change", LINE);
    let reason = reading.needed("reason", TEXT);
    let named = reading.time("time");
    reading.finish()?;
    let (change, directory) = (cx.change(&key)?, cx.directory()?);
    if has_part(cx, &directory, &change) {
        let refusal = Refusal::not_allowed("own_request", "You cannot exempt your own change from a freeze.");
        return Err(refusal.with_others(others(cx, &change)?).into());
    }
    check_not_over(&freeze, cx.now)?;
    let time = excepted_time(&freeze, &change, named, cx.now)?;
    check_exceptable(&freeze, &change, time)?;
    let exception = FreezeException {
        change: change.id.clone(),
        change_key: change.key.clone(),
        reason,
        by: cx.actor.person.clone(),
        at: cx.now,
        what_digest: change.digests.what.clone(),
        until: None,
        time: Some(time),
    };
    freeze.exceptions.push(exception);
    let freeze = cx.put_estate("freeze.excepted", freeze, json!({"change": change.key}))?;
    settle_own(cx, &change)?;
    Ok(freeze)
}

/// Whether the acting person requested, owns, wrote or implements a change, under any of their accounts: such a person would
/// except their own change.
pub(crate) fn has_part(cx: &Context<'_, '_>, directory: &Directory, change: &Change) -> bool {
    parts(change).any(|person| self_grant::is_one(cx, directory, person))
}

fn parts(change: &Change) -> impl Iterator<Item = &PersonId> {
    let named = [&change.requester, &change.content.owner]
        .into_iter()
        .chain(&change.authors);
    named.chain(&change.content.implementers).chain(&change.implemented_by)
}

/// The people without a part in the change who may except it from a freeze.
fn others(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<String>> {
    let (directory, policies, now) = (cx.directory()?, cx.policies()?, cx.now);
    let is_out = |person: &PersonId| parts(change).any(|part| are_one(&directory, (person, part), now));
    let asking = (&cx.actor.person, &is_out as &dyn Fn(&PersonId) -> bool);
    Ok(whom_rules_let_here_but(
        act::actions::SET_FREEZE,
        &policies,
        (&directory, now),
        asking,
    ))
}

/// Withdraws an exception (`DELETE /freezes/{id}/exceptions/{change}`): the freeze stops the change again, and its owner and
/// the exception's author are notified.
///
/// # Errors
/// 403; 404 also for a change that is not excepted; 409 for a freeze that is over; or the store's.
pub fn withdraw_exception(cx: &mut Context<'_, '_>, id: &str, change: &str) -> Result<Freeze> {
    cx.allow(act::actions::SET_FREEZE)?;
    let mut freeze = load_own(cx, id)?;
    let change = cx.change(change)?;
    let own = freeze.exceptions.iter().filter(|row| row.change == change.id);
    let gone: Vec<FreezeException> = own.cloned().collect();
    if gone.is_empty() {
        return Err(Refusal::not_found(format!("exception for {}", change.key)).into());
    }
    freeze.end_exceptions(|row| row.change == change.id, Some(&cx.actor.person), cx.now);
    check_not_over(&freeze, cx.now)?;
    let freeze = cx.put_estate("freeze.exception_withdrawn", freeze, json!({"change": change.key}))?;
    let mark = format!("{}/{}", freeze.id, cx.now);
    cx.on_change(change.id.as_str(), |case| {
        let news = format!("{} is no longer exempt from the freeze “{}”.", change.key, freeze.title);
        let mut people: Vec<_> = gone.iter().map(|row| row.by.clone()).collect();
        people.push(case.change().content.owner.clone());
        people.dedup();
        for person in people {
            let then = "Plan another time, or have a change manager exempt it again.";
            case.write_to(&person, "exception_withdrawn", &mark, news.clone(), then);
        }
        settle::recompute(case);
        settle::settle(case);
        Ok(())
    })?;
    Ok(freeze)
}
