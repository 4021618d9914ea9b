//! Acts that the clock makes due: computed from the change itself, so that a timer carries nothing and may run twice.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::approval::{clocks, routing};
use crate::change::after::{close_now, mark_unauthorized};
use crate::change::around::planned_undo;
use crate::change::change_file::{Case, ChangeFile};
use crate::change::closure::before_closure;
use crate::change::record::Change;
use crate::change::requirement::before_start;
use crate::change::settle::{is_forward, revoke_permits, settle};
use crate::change::success::succeeded;
use crate::change::template::template_review;
use crate::change::{duties, eligible};
use crate::core::enums::{self, Kind, Outcome, State};
use crate::core::ids::PersonId;
use crate::core::parse::later;
use crate::directory::ownership_matrix::Place;
use crate::directory::snapshot::Directory;
use crate::emergency::grounds::end_of_grounds;
use crate::incident::watch;
use crate::schedule::freeze::Freeze;

/// An unanswered request for more time is an overrun after this long.
const EXTENSION_MINUTES: i64 = 15;
/// The interval of notifications about an overrun.
const OVERRUN_MINUTES: i64 = 15;
/// Validation should come within a day of the work's end, and the review within five.
const VALIDATION_HOURS: i64 = 24;
/// See [`VALIDATION_HOURS`].
const REVIEW_HOURS: i64 = 5 * 24;
/// The marks of the two reminders.
const VALIDATION_DUE: &str = "validation_due";
/// See [`VALIDATION_DUE`].
const REVIEW_DUE: &str = "review_due";

/// The latest moment to roll back and still end inside the window; for break-glass work outside a window, inside the glass's
/// time box.
pub fn latest_rollback(change: &Change) -> Option<Timestamp> {
    let minutes = change.content.rollback_minutes.or_else(|| {
        let sum: i64 = change
            .content
            .rollback_plan
            .iter()
            .filter_map(|step| step.minutes)
            .sum();
        (sum > 0).then_some(sum)
    })?;
    end_of_work(change)?
        .checked_sub(SignedDuration::from_mins(minutes))
        .ok()
}

/// The due end of the work: the end of its window, or of the break-glass for work outside one.
fn end_of_work(change: &Change) -> Option<Timestamp> {
    let end = change.window_end();
    let begun = change.actual_start.filter(|_| change.state >= State::Implementing);
    let is_outside = |start: &Timestamp| {
        let begins_early = change.planned_start.is_none_or(|planned| *start < planned);
        begins_early || end.is_none_or(|end| *start >= end)
    };
    let glass = change
        .break_glass
        .as_ref()
        .filter(|_| begun.as_ref().is_some_and(is_outside));
    glass.map(|glass| glass.until).or(end)
}

/// By when a person's decision is due: when the rule of the request should be met, and before the work would start. An
/// emergency starts when it is submitted, which must not make a decision due before its request.
pub fn decision_due(change: &Change, person: &PersonId) -> Option<Timestamp> {
    let asks = |rule: &str| {
        let mut rows = change.requests.iter();
        rows.any(|request| &request.person == person && request.rule == rule)
    };
    let clocks = change.clocks.iter().filter(|clock| clock.met_at.is_none());
    let by_rule = clocks.filter(|clock| asks(&clock.rule)).map(|clock| clock.decide_by);
    let own = change.requests.iter().filter(|request| &request.person == person);
    let asked_at = own.map(|request| request.asked_at).min()?;
    let is_emergency = change.content.kind == Kind::Emergency;
    let start = change.planned_start.filter(|start| !is_emergency || *start > asked_at);
    by_rule.chain(start).min()
}

/// The next instant at which something may be due; `None` when nothing is ahead.
///
/// A passed instant is returned only until [`run`] has done the work that was due at it: a late timer is not forgotten when
/// another act comes first, and no instant returns after its run.
pub fn next_due(case: &Case<'_>) -> Option<Timestamp> {
    instants(case)
        .into_iter()
        .filter_map(|due| due.at.map(|at| (at, due.is_pending)))
        .filter(|(at, is_pending)| *at > case.now || *is_pending)
        .map(|(at, _)| at)
        .min()
}

/// An instant, and whether what is due at it has still to be done.
struct DueAt {
    at: Option<Timestamp>,
    is_pending: bool,
}

/// An instant at which conditions are checked again; the check itself leaves no work behind.
fn look(at: Option<Timestamp>) -> DueAt {
    DueAt { at, is_pending: false }
}

/// An instant with a lasting effect of its own.
fn effect(at: Option<Timestamp>, is_pending: bool) -> DueAt {
    DueAt { at, is_pending }
}

/// An instant at which people get one notification, under a mark.
fn news(case: &Case<'_>, at: Option<Timestamp>, mark: String) -> DueAt {
    effect(at, at.is_some() && !case.change().told.contains(&mark))
}

fn instants(case: &Case<'_>) -> Vec<DueAt> {
    let change = case.change();
    if let Some(hold) = &change.hold {
        let mut found = vec![news(case, hold.until, hold_mark(hold.until))];
        if change.state == State::Scheduled {
            found.push(look(change.planned_end));
        }
        return found;
    }
    let mut found = match change.state {
        State::Draft | State::Assessing => Vec::new(),
        State::Authorizing | State::Approved | State::Scheduled => while_deciding(case),
        State::Implementing => while_implementing(case),
        State::Reviewing => while_reviewing(case),
        State::Closed | State::Rejected | State::Cancelled => return Vec::new(),
    };
    if let Some(glass) = change.break_glass.as_ref().filter(|glass| !glass.ended) {
        found.push(effect(Some(glass.until), true));
    }
    if planned_undo::is_awaited(case) {
        let undo = duties::undo::instants(change).into_iter();
        found.extend(undo.map(|(at, mark)| news(case, Some(at), mark)));
    }
    found
}

fn while_deciding(case: &Case<'_>) -> Vec<DueAt> {
    let change = case.change();
    let mut found = vec![
        look(change.planned_end),
        look(template_review(&case.file, &case.directory)),
        look(end_of_grounds(&case.file, &case.directory)),
    ];
    found.push(match change.planned_start {
        Some(start) if change.state == State::Scheduled => news(case, Some(start), window_mark(start)),
        start => look(start),
    });
    found.extend(clocks::agenda(case).into_iter().map(|item| effect(Some(item.at), true)));
    found.extend(authority_edges(case));
    let counted = case.file.standing().flat_map(|approval| &approval.counted_for);
    found.extend(counted.map(|row| look(row.valid_until)));
    found.extend(freeze_edges(case));
    found
}

fn while_implementing(case: &Case<'_>) -> Vec<DueAt> {
    let change = case.change();
    let mut found: Vec<DueAt> = freeze_edges(case).collect();
    if let Some(moment) = latest_rollback(change) {
        found.push(news(case, Some(moment), rollback_mark(moment)));
    }
    if let Some(since) = overrun_since(change) {
        let quarter = overrun_quarter(since, case.now);
        let next = later(since, SignedDuration::from_mins(OVERRUN_MINUTES * (quarter + 1)));
        let due = news(case, Some(since), overrun_mark(since, quarter));
        found.push(effect(due.at, since <= case.now && (due.is_pending || !change.overrun)));
        found.push(look((since <= case.now).then_some(next)));
    }
    found
}

fn while_reviewing(case: &Case<'_>) -> Vec<DueAt> {
    let change = case.change();
    let end = change.actual_end.unwrap_or(change.updated_at);
    let at = |hours: i64| Some(later(end, SignedDuration::from_hours(hours)));
    let rows = before_closure(&case.file, &case.directory, case.now);
    let lacks = |code: &str, topic: &str| rows.iter().any(|row| row.code == code) && !change.told.contains(topic);
    let unanswered = change
        .retrospective
        .as_ref()
        .is_some_and(|retro| retro.confirmation.is_none());
    vec![
        effect(at(VALIDATION_HOURS), lacks("validation_missing", VALIDATION_DUE)),
        effect(at(REVIEW_HOURS), lacks("review_missing", REVIEW_DUE)),
        effect(
            change.retrospective.as_ref().map(|retro| retro.confirm_by),
            unanswered && !change.unauthorized,
        ),
        effect(watch_end(case), closes_by_itself(case)),
    ]
}

/// The next instants at which somebody gains or loses authority by the clock alone.
fn authority_edges(case: &Case<'_>) -> impl Iterator<Item = DueAt> {
    let (directory, now) = (&case.directory, case.now);
    let targets = case.change().content.targets.iter();
    targets
        .map(move |target| directory.next_edge(&Place::from(target), now))
        .chain([
            directory.next_people_edge(now),
            directory.next_on_call_edge(now),
            directory.next_training_edge(now),
        ])
        .chain(duties::ends(&case.file, directory).map(Some))
        .map(look)
}

fn hold_mark(until: Option<Timestamp>) -> String {
    format!("hold/{}", until.map(|until| until.to_string()).unwrap_or_default())
}

fn window_mark(start: Timestamp) -> String {
    format!("window_opens/{start}")
}

fn rollback_mark(moment: Timestamp) -> String {
    format!("latest_rollback/{moment}")
}

/// How marks of overruns begin.
const OVERRUN: &str = "overrun/";

fn overrun_mark(since: Timestamp, quarter: i64) -> String {
    format!("{OVERRUN}{since}/{quarter}")
}

/// Since when work overruns: its end, or sooner where a request for more time has no decision. Under break-glass only the time
/// box counts.
fn overrun_since(change: &Change) -> Option<Timestamp> {
    if change.lawful_break_glass().is_some() {
        return None;
    }
    let end = change.window_end()?;
    let asked = change
        .extension
        .as_ref()
        .filter(|extension| extension.decision.is_none());
    let silence = asked.map(|extension| extension.at + SignedDuration::from_mins(EXTENSION_MINUTES));
    Some(silence.map_or(end, |silence| end.min(silence)))
}

/// How many times a quarter of an hour has passed since.
fn overrun_quarter(since: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(since).as_mins().max(0) / OVERRUN_MINUTES
}

/// Edges of freezes over one of the change's targets: only these affect the change, which is also settled when such a freeze is
/// set or moved.
fn freeze_edges(case: &Case<'_>) -> impl Iterator<Item = DueAt> {
    let (targets, directory) = (&case.change().content.targets, &case.directory);
    let touches = |freeze: &&Freeze| {
        let mut targets = targets.iter();
        targets.any(|target| directory.is_frozen_by(freeze, &target.service, &target.environment))
    };
    let change = &case.change().id;
    let freezes = case.directory.freezes.iter().filter(touches);
    freezes.flat_map(move |freeze| {
        let own = freeze.exceptions.iter().filter(move |row| &row.change == change);
        let ends = own.filter_map(|row| row.until).map(|until| look(Some(until)));
        let spans = freeze.spans();
        spans
            .flat_map(|span| [look(Some(span.starts_at)), look(Some(span.ends_at))])
            .chain(ends)
    })
}

/// When a standard change in review closes by itself, by its present content; `None` where something is still missing.
pub fn closes_at(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Option<Timestamp> {
    let closes = file.change.state == State::Reviewing && !file.change.is_on_hold() && is_clean(file, directory, now);
    closes.then(|| watch_end_of(&file.change, directory)).flatten()
}

fn watch_end(case: &Case<'_>) -> Option<Timestamp> {
    watch_end_of(case.change(), &case.directory)
}

/// A standard change alone closes by itself when its watch window ends.
fn watch_end_of(change: &Change, directory: &Directory) -> Option<Timestamp> {
    let is_standard = change.content.kind == Kind::Standard && change.content.template.is_some();
    watch::watch_end(change, directory).filter(|_| is_standard)
}

/// Does what is due now. Running it twice at the same instant does nothing the second time.
pub fn run(case: &mut Case<'_>) {
    if !case.change().state.is_open() {
        return;
    }
    end_hold_reminder(case);
    if case.change().is_on_hold() {
        settle(case);
        return;
    }
    routing::run(case);
    window_opens(case);
    latest_rollback_passes(case);
    overrun(case);
    planned_undo::run(case);
    end_break_glass(case);
    after_the_work(case);
    settle(case);
}

fn end_hold_reminder(case: &mut Case<'_>) {
    let Some(hold) = case.change().hold.clone() else { return };
    let Some(until) = hold.until.filter(|until| *until <= case.now) else {
        return;
    };
    if !case.file.change.tell_once(&hold_mark(Some(until))) {
        return;
    }
    case.emit("change.hold_ended", json!({"until": until.to_string()}));
    let news = format!("The hold of {} was meant to last until {until}.", case.change().key);
    for person in [hold.by, case.change().content.owner.clone()] {
        case.write_to(
            &person,
            "hold_ended",
            &until.to_string(),
            news.clone(),
            "Resume the change, or extend the hold.",
        );
    }
}

fn window_opens(case: &mut Case<'_>) {
    let change = case.change();
    let Some(start) = change.planned_start.filter(|start| *start <= case.now) else {
        return;
    };
    if change.state != State::Scheduled || !case.file.change.tell_once(&window_mark(start)) {
        return;
    }
    case.emit("change.window_opened", json!({"at": start.to_string()}));
    // A person who is called to work at night gets the remaining obstacle, not a prompt to start work that no gate lets
    // through.
    let lacking = before_start(&case.file, &case.directory, case.now).into_iter().next();
    let key = &case.change().key;
    let (headline, news, next) = match lacking {
        None => (
            None,
            format!("The window of {key} is open."),
            "Start the change, or put it on hold.".to_owned(),
        ),
        Some(unmet) => (
            Some("cannot start yet".to_owned()),
            format!("The window of {key} is open, but the change cannot start yet."),
            unmet.satisfy,
        ),
    };
    let mut people = case.change().content.implementers.clone();
    if people.is_empty() {
        // Nobody is named to do the work, so the owner of the change gets the notification.
        people.push(case.change().content.owner.clone());
    }
    for person in people {
        let topic = ("window_opens", headline.clone());
        case.write_under(&person, topic, &start.to_string(), news.clone(), &next);
    }
}

fn latest_rollback_passes(case: &mut Case<'_>) {
    let change = case.change();
    let Some(moment) = latest_rollback(change).filter(|moment| *moment <= case.now) else {
        return;
    };
    if change.state != State::Implementing || !case.file.change.tell_once(&rollback_mark(moment)) {
        return;
    }
    case.emit("change.latest_rollback_passed", json!({"at": moment.to_string()}));
    let mut people = case.change().content.implementers.clone();
    people.extend(case.people_in_charge());
    let news = format!("{} can no longer be rolled back inside its window.", case.change().key);
    for person in people {
        case.write_to(
            &person,
            "latest_rollback",
            &moment.to_string(),
            news.clone(),
            "Decide now: finish, roll back, or request an extension.",
        );
    }
}

fn overrun(case: &mut Case<'_>) {
    if case.change().state != State::Implementing {
        return;
    }
    let now = case.now;
    let Some(since) = overrun_since(case.change()).filter(|since| *since <= now) else {
        return;
    };
    if !case.change().overrun {
        case.file.change.overrun = true;
        case.emit("change.overrun", json!({"end": since.to_string()}));
        revoke_permits(case, "the change overran its window", is_forward);
    }
    let quarter = overrun_quarter(since, now);
    let mark = overrun_mark(since, quarter);
    if !case.file.change.tell_once(&mark) {
        return;
    }
    // The mark of this quarter replaces those of earlier ones, so that a record does not grow by one for each.
    let told = &mut case.file.change.told;
    told.retain(|it| *it == mark || !it.starts_with(OVERRUN));
    let end = case.change().window_end().unwrap_or(since);
    let mut people = case.people_in_charge();
    people.extend(case.change().content.implementers.iter().cloned());
    let news = if end <= now {
        format!(
            "{} is still under way after the end of its window, {end}.",
            case.change().key
        )
    } else {
        format!("{} requested an extension, and nobody has answered.", case.change().key)
    };
    for person in people {
        case.write_to(
            &person,
            "overrun",
            &format!("{since}/{quarter}"),
            news.clone(),
            "Complete the change, roll back, or decide on the extension.",
        );
    }
}

fn end_break_glass(case: &mut Case<'_>) {
    let now = case.now;
    let Some(glass) = case
        .file
        .change
        .break_glass
        .as_mut()
        .filter(|glass| !glass.ended && glass.until <= now)
    else {
        return;
    };
    glass.ended = true;
    let until = glass.until;
    case.emit("break_glass.ended", json!({"until": until.to_string()}));
    revoke_permits(case, "the break-glass has ended", is_forward);
    let news = format!("The break-glass of {} has ended.", case.change().key);
    for person in case.people_in_charge() {
        case.write_to(
            &person,
            "break_glass_ended",
            &until.to_string(),
            news.clone(),
            "Complete the change; another person validates it.",
        );
    }
}

fn after_the_work(case: &mut Case<'_>) {
    if case.change().state != State::Reviewing {
        return;
    }
    let now = case.now;
    let change = case.change();
    let end = change.actual_end.unwrap_or(change.updated_at);
    let late_confirmation = change
        .retrospective
        .as_ref()
        .is_some_and(|retro| retro.confirmation.is_none() && retro.confirm_by <= now);
    if late_confirmation {
        mark_unauthorized(case, "unanswered");
    }
    if watch_end(case).is_some_and(|until| until <= now) && closes_by_itself(case) {
        close_now(case);
        return;
    }
    let rows = before_closure(&case.file, &case.directory, case.now);
    let missing = |code: &str| rows.iter().any(|row| row.code == code);
    let late = |hours: i64| later(end, SignedDuration::from_hours(hours)) <= now;
    let (validation, review) = (
        missing("validation_missing") && late(VALIDATION_HOURS),
        missing("review_missing") && late(REVIEW_HOURS),
    );
    if validation {
        let is_first = remind(
            case,
            VALIDATION_DUE,
            "has not been validated",
            "Validate the change: does it work?",
        );
        if is_first && eligible::testers(&case.file, &case.directory, case.now).is_empty() {
            notify_administrators(case);
        }
    }
    if review {
        remind(
            case,
            REVIEW_DUE,
            "has not been reviewed",
            "Write the post-implementation review.",
        );
    }
}

fn closes_by_itself(case: &Case<'_>) -> bool {
    is_clean(&case.file, &case.directory, case.now)
}

/// Whether a standard change followed its template, so that nobody has to look at it again. Break-glass leaves the template's
/// path, and a person closes a change whose gaps were filled afterwards.
fn is_clean(file: &ChangeFile, directory: &Directory, now: Timestamp) -> bool {
    file.change.content.kind == Kind::Standard
        && file.change.retrospective.is_none()
        && file.change.break_glass.is_none()
        && file.change.outcome == Some(Outcome::Succeeded)
        && succeeded(&file.change) == Some(true)
        && before_closure(file, directory, now).is_empty()
}

/// Notifies the administrators, who can give the service another owner, when nobody is left who may validate.
fn notify_administrators(case: &mut Case<'_>) {
    let news = format!(
        "{} has not been validated, and no independent validator is left.",
        case.change().key
    );
    for admin in case.directory.with_role(enums::Role::Admin) {
        case.write_to(
            &admin,
            VALIDATION_DUE,
            "mend",
            news.clone(),
            "Add an owner of the service who took no part in the work.",
        );
    }
}

/// Sends one reminder; returns whether it was sent now.
fn remind(case: &mut Case<'_>, topic: &'static str, what: &str, next: &'static str) -> bool {
    if !case.file.change.tell_once(topic) {
        return false;
    }
    case.emit("change.reminded", json!({"about": topic}));
    let news = format!("{} {what}.", case.change().key);
    let mut people: Vec<PersonId> = case.change().content.tester.iter().cloned().collect();
    people.extend(case.people_in_charge());
    for person in people {
        case.write_to(&person, topic, "1", news.clone(), next);
    }
    true
}
