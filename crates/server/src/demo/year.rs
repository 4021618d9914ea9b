//! The months before the last three: many changes of the ordinary kind. Some are of high risk, and some failed, were rolled
//! back, were undone as planned or caused an incident, so that forecasts, calibration and trends have data. A rule of the
//! demo's own never changes a result, and light changes of the network fail often: the quarterly comparison has to find both.

use acts::Executor;
use acts::core::noun;
use acts::incident::{close_incident, judge_candidates, set_incident};
use jiff::{SignedDuration, Timestamp};
use model::incident::incident_review::IncidentReview;
use model::incident::review_answer::ReviewAnswer;
use serde_json::{Value, json};

use super::estate::Staff;
use super::history::{Walk, create, fit_model};
use super::house;
use super::plans::{NETWORK, PLANS, Plan, request};
use super::{Past, Result, TENANT, body};

/// The number of the first change here: those of the last three months have smaller ones.
const FIRST: usize = 2_000;
/// The number of the first change of the network.
const FIRST_OF_NETWORK: usize = 6_000;
/// After so many changes the network has one more: 26 a quarter.
const NETWORK_EACH: usize = 7;
/// Hours between one change and the next.
const APART: i64 = 12;
/// Days between two models of failure, as the server fits them.
const QUARTER: i64 = 91;
/// A change that is created within this many days before the end would still run in the months that follow.
const LEFT_FREE: i64 = 4;

/// How a change of the year ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Well,
    /// It succeeded, and its undo happened as planned.
    Undone,
    RolledBack,
    Failed,
    /// It failed, and caused a confirmed incident on its service.
    Incident,
}

/// A year has so many rounds of the plans; a longer past repeats them.
const ROUNDS: usize = 67;
/// The rounds in which the change of a service fails, and how, in turn. Three services fail at a rate of one in ten, which
/// still leaves their forecasts a figure, four seldom and the gateway never. So low and high forecasts can be compared with the
/// outcomes. With the failures of the last three months there are more than thirty, the number from which a model looks at
/// features.
const FAILURES: &[(&str, &[usize], [End; 2])] = &[
    ("wms", &[5, 13, 21, 29, 38, 64], [End::RolledBack, End::Incident]),
    ("ledger-db", &[3, 12, 24, 33, 42, 54], [End::RolledBack, End::Incident]),
    ("invoicing", &[7, 15, 23, 31, 40, 50, 60], [End::Failed, End::Incident]),
    ("booking-api", &[19, 52], [End::RolledBack, End::RolledBack]),
    ("driver-app", &[8, 27, 58], [End::Failed, End::Failed]),
    ("label-print", &[35, 62], [End::RolledBack, End::Failed]),
    ("rates-engine", &[11, 30, 47], [End::Failed, End::RolledBack]),
];

/// Makes the changes between `begin` and `end`, under rules of the demo's own; nothing if the two are too close. Returns whether
/// it made any.
///
/// # Errors
/// [`super::DemoError`].
pub fn fill(executor: &Executor, staff: &Staff, begin: Timestamp, end: Timestamp) -> Result<bool> {
    let past = Past::new(executor, TENANT, begin);
    let last = end - SignedDuration::from_hours(24 * LEFT_FREE);
    let mut at = begin + SignedDuration::from_hours(24);
    let mut next_model = begin + SignedDuration::from_hours(24 * QUARTER);
    let mut n = FIRST;
    let has_year = at < last;
    if has_year {
        past.go_to(begin + SignedDuration::from_hours(12));
        house::put_in_force(&past, staff)?;
    }
    while at < last {
        if at >= next_model {
            past.go_to(at);
            fit_model(&past)?;
            next_model += SignedDuration::from_hours(24 * QUARTER);
        }
        one(&past, staff, &planned_change(n), at)?;
        if n.is_multiple_of(NETWORK_EACH) {
            let told = of_network((n - FIRST) / NETWORK_EACH);
            one(&past, staff, &told, at + SignedDuration::from_hours(APART / 2))?;
        }
        n += 1;
        at += SignedDuration::from_hours(APART);
    }
    Ok(has_year)
}

/// A change of the year: its plan, its number, and its outcome.
struct PlannedChange {
    plan: &'static Plan,
    environment: &'static str,
    n: usize,
    end: End,
}

fn planned_change(n: usize) -> PlannedChange {
    PlannedChange {
        plan: &PLANS[n % PLANS.len()],
        environment: "production",
        n,
        end: end_of(n),
    }
}

/// The network change with an index: one of three is rolled back, far more than in any other category. These changes are in
/// staging, so the forecasts for production stay as they are.
fn of_network(index: usize) -> PlannedChange {
    let is_well = index % 3 != 1;
    PlannedChange {
        plan: &NETWORK,
        environment: "staging",
        n: FIRST_OF_NETWORK + index,
        end: if is_well { End::Well } else { End::RolledBack },
    }
}

/// The outcome of the n-th change. Every demo has the same past: the rounds in [`FAILURES`] fail, and some changes of the API
/// are undone.
fn end_of(n: usize) -> End {
    let round = n.saturating_sub(FIRST) / PLANS.len();
    let service = PLANS[n % PLANS.len()].services.first().copied().unwrap_or_default();
    let failing = FAILURES.iter().find(|(failing, ..)| *failing == service);
    let at = failing.and_then(|(_, rounds, _)| rounds.iter().position(|it| *it == round % ROUNDS));
    match (failing, at) {
        (Some((_, _, ends)), Some(at)) => ends[at % ends.len()],
        _ if service == "booking-api" && matches!(round % 12, 3 | 11) => End::Undone,
        _ => End::Well,
    }
}

/// The change's request; some changes of the API declare their undo.
fn request_of(told: &PlannedChange, start: Timestamp) -> Value {
    let mut request = request(told.plan, told.n, start, start + SignedDuration::from_hours(2));
    for target in request["targets"].as_array_mut().into_iter().flatten() {
        target["environment"] = json!(told.environment);
    }
    if told.end == End::Undone {
        let undo = (start + SignedDuration::from_hours(5)).to_string();
        request["planned_undo"] = json!({"text": "Back to 6 GB when the peak is over", "at": undo});
    }
    request
}

fn one(past: &Past, staff: &Staff, told: &PlannedChange, at: Timestamp) -> Result<()> {
    past.go_to(at);
    let start = at + SignedDuration::from_hours(30);
    let PlannedChange { plan, n, end, .. } = *told;
    let walk = create(past, staff, "requester", request_of(told, start))?;
    past.pass(20);
    walk.submit()?;
    past.pass(15);
    walk.assess()?;
    walk.approve()?;
    walk.evidence(n)?;
    past.go_to(start + SignedDuration::from_mins(2));
    walk.deploy(n)?;
    past.pass(41);
    walk.complete(match end {
        End::Well | End::Undone => "succeeded",
        End::RolledBack => "rolled_back",
        End::Failed | End::Incident => "failed",
    })?;
    match end {
        End::Undone => undo(&walk, start)?,
        End::Incident => caused(&walk, plan, n)?,
        _ => {}
    }
    walk.finish(matches!(end, End::Well | End::Undone))
}

/// The undo comes just after its time.
fn undo(walk: &Walk<'_>, start: Timestamp) -> Result<()> {
    walk.past
        .go_to(start + SignedDuration::from_hours(5) + SignedDuration::from_mins(4));
    walk.act("implementer", |cx, key| {
        acts::change::verbs::undo_change(cx, key, &body(json!({"text": "6 GB again on every node."})))
    })
}

/// An incident of half an hour on the change's service, which the commander attributes to the change.
fn caused(walk: &Walk<'_>, plan: &Plan, n: usize) -> Result<()> {
    walk.past.pass(30);
    let service = plan.services.first().copied().unwrap_or_default();
    walk.act("commander", move |cx, key| {
        let began = cx.now - SignedDuration::from_mins(28);
        let told = json!({
            "title": format!("{service} answers slowly after a change"), "severity": 3, "services": [service],
            "started_at": began.to_string(), "resolved_at": (cx.now - SignedDuration::from_mins(1)).to_string(),
            "external_ref": format!("SD-{n}"),
        });
        let incident = set_incident::open_incident(cx, &body(told))?;
        let verdict = json!({"change": key, "confirmed": true, "reason": "It began with the change and ended with its way back."});
        judge_candidates::judge_candidate(cx, &incident.key, &body(verdict))?;
        review(cx, &incident.key, key)
    })
}

/// The review of an incident, after which it is closed. No root cause was found, so that no forecast moves by it.
fn review(cx: &mut acts::Context<'_, '_>, incident: &str, change: &str) -> acts::Result<()> {
    let answer = json!({"incident_key": incident, "change_key": change, "rating": "right", "steps_adequate": true});
    noun::add::<ReviewAnswer>(cx, &body(answer))?;
    let review = json!({
        "incident_key": incident, "cause": "unknown", "is_complete": true,
        "summary": "It became slow with the change and recovered with its way back.",
    });
    noun::add::<IncidentReview>(cx, &body(review))?;
    close_incident::close_incident(cx, incident, &body(json!({}))).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_has_enough_failures_to_learn_from_and_every_end() {
        let ends: Vec<End> = (FIRST..FIRST + 537).map(end_of).collect();
        let count = |end: End| ends.iter().filter(|it| **it == end).count();
        let failed = count(End::RolledBack) + count(End::Failed) + count(End::Incident);
        assert!((25..40).contains(&failed), "{failed} of 537 failed");
        let failures_of = |service: &str| {
            let is_of = |n: &usize| PLANS[n % PLANS.len()].services.contains(&service);
            let has_failed = |n: &usize| !matches!(end_of(*n), End::Well | End::Undone);
            (FIRST..FIRST + 537).filter(is_of).filter(has_failed).count()
        };
        let often = ["wms", "ledger-db", "invoicing"].map(failures_of);
        let seldom = [
            "booking-api",
            "driver-app",
            "label-print",
            "rates-engine",
            "customs-gateway",
        ]
        .map(failures_of);
        assert_eq!((often, seldom), ([6, 6, 7], [2, 3, 2, 3, 0]));
        assert!(
            count(End::Undone) >= 3 && count(End::Incident) >= 3,
            "planned undos and incidents are among them"
        );
    }

    #[test]
    fn work_on_the_network_fails_often_and_has_numbers_of_its_own() {
        let of_quarter: Vec<PlannedChange> = (0..26).map(of_network).collect();
        let failed = of_quarter.iter().filter(|it| it.end == End::RolledBack).count();
        assert_eq!(failed, 9);
        assert!(
            of_quarter
                .iter()
                .all(|it| it.n >= FIRST_OF_NETWORK && it.plan.category == "network")
        );
    }

    #[test]
    fn only_what_is_undone_says_so_beforehand() {
        let start = Timestamp::UNIX_EPOCH;
        for n in FIRST..FIRST + 100 {
            assert_eq!(
                request_of(&planned_change(n), start).get("planned_undo").is_some(),
                end_of(n) == End::Undone,
                "{n}"
            );
        }
    }
}
