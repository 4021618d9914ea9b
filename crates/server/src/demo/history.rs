//! The last three months of changes, and today's open ones in every state.

use acts::change::{add_evidence, create_change};
use acts::core::gate_question;
use acts::directory::set_service;
use acts::effects::run_timer;
use acts::executor::Executor;
use acts::gate::answer;
use acts::incident::set_incident;
use acts::risk::fit_model::{find_material, keep_model};
use acts::schedule::set_freeze;
use jiff::{SignedDuration, Timestamp};
use model::approval::obligation::Duty;
use model::change::around::StoredFile;
use model::change::read_content::new_change::NewChange;
use model::core::ids::PersonId;
use serde_json::{Value, json};

use super::estate::Staff;
use super::plans::{ORDINARY, PLANS, artifact, described, request};
use super::{Past, Result, TENANT, body};

/// A change being walked: its key, and the executor at its own time.
pub(super) struct Walk<'a> {
    pub(super) past: &'a Past,
    staff: &'a Staff,
    pub(super) key: String,
}

impl Walk<'_> {
    fn person(&self, word: &str) -> PersonId {
        self.staff.people.get(word).cloned().unwrap_or_default()
    }

    pub(super) fn act(
        &self,
        word: &str,
        act: impl Fn(&mut acts::Context<'_, '_>, &str) -> acts::Result<()> + Send + 'static,
    ) -> Result<()> {
        let key = self.key.clone();
        self.past.by(&self.person(word), move |cx| act(cx, &key))
    }

    pub(super) fn submit(&self) -> Result<()> {
        self.act("requester", acts::change::verbs::submit_change)
    }

    pub(super) fn assess(&self) -> Result<()> {
        self.act("requester", |cx, key| {
            acts::change::verbs::assess_change(cx, key, &body(json!({"dependencies_reviewed": true})))
        })
    }

    fn decide(&self, word: &str, decision: &'static str, comment: &'static str) -> Result<()> {
        self.act(word, move |cx, key| {
            let digest = cx.change(key)?.digests.content;
            let mut request = json!({"decision": decision, "content_digest": digest});
            if !comment.is_empty() {
                request["comment"] = json!(comment);
            }
            acts::approval::verbs::approve_change(cx, key, &body(request)).map(|_| ())
        })
    }

    /// A peer reviews a change if a rule requires a review: for a high risk, or a forecast of frequent failure.
    pub(super) fn read_by_peer(&self) -> Result<()> {
        self.past.pass(12);
        self.act("luc", |cx, key| {
            let file = cx.file(key)?;
            let is_review = |duty: &Duty| matches!(duty, Duty::PeerReview { .. });
            let mut rows = file.requirements.obligations.iter();
            if !rows.any(|row| is_review(&row.obligation.duty)) {
                return Ok(());
            }
            let request = json!({
                "verdict": "agree", "text": "Plan and way back are what I would do.",
                "content_digest": file.change.digests.content,
            });
            acts::approval::verbs::peer_review_change(cx, key, &body(request)).map(|_| ())
        })
    }

    /// A peer reviews the change where a review is required, then owner, security and change manager approve.
    pub(super) fn approve(&self) -> Result<()> {
        self.read_by_peer()?;
        for word in ["owner", "security", "change_manager"] {
            self.past.pass(47);
            self.decide(word, "approve", "")?;
        }
        Ok(())
    }

    /// The owner accepts, with a reason, that the change states less than the directory.
    fn accept_lower(&self) -> Result<()> {
        self.past.pass(47);
        self.act("owner", |cx, key| {
            let digest = cx.change(key)?.digests.content;
            let request = json!({
                "decision": "approve", "content_digest": digest,
                "lowering": {
                    "fields": ["impact.availability"],
                    "reason": "One node at a time: the other two carry even the Monday peak.",
                },
            });
            acts::approval::verbs::approve_change(cx, key, &body(request)).map(|_| ())
        })
    }

    pub(super) fn evidence(&self, n: usize) -> Result<()> {
        let text = "412 of 412 tests passed on this build.";
        self.act("requester", move |cx, key| {
            let digest = proof::crypto::digest_text(text.as_bytes());
            let size = i64::try_from(text.len()).unwrap_or_default();
            let file = StoredFile {
                digest,
                size,
                media_type: "text/plain".to_owned(),
                reading: None,
            };
            let request = json!({
                "kind": "note", "aspect": "functional", "result": "passed", "name": "Tests in staging",
                "environment": "staging", "artifact": artifact(n), "text": text,
            });
            add_evidence::add_evidence(cx, key, &body(request), &file).map(|_| ())
        })
    }

    /// Collects a permit for each target, as the pipeline does: the first starts the work.
    pub(super) fn deploy(&self, n: usize) -> Result<()> {
        self.act("pipeline", move |cx, key| {
            for target in cx.change(key)?.content.targets {
                let question = gate_question::Question {
                    service: target.service.0,
                    environment: target.environment.0,
                    artifact: Some(artifact(n)),
                    commit: None,
                    change: Some(key.to_owned()),
                    purpose: None,
                    member: None,
                };
                answer::check(cx, &question, None)?;
            }
            Ok(())
        })
    }

    pub(super) fn complete(&self, outcome: &'static str) -> Result<()> {
        self.act("implementer", move |cx, key| {
            acts::change::verbs::complete_change(cx, key, &body(json!({"outcome": outcome})))
        })
    }

    /// The pipeline reports the outcome with its own token: such a report updates the running version, a person's report does
    /// not.
    fn report(&self, outcome: &'static str) -> Result<()> {
        let key = self.key.clone();
        self.past.by_token(&self.person("pipeline"), move |cx| {
            acts::change::verbs::complete_change(cx, &key, &body(json!({"outcome": outcome})))
        })
    }

    pub(super) fn finish(&self, well: bool) -> Result<()> {
        self.past.pass(35);
        self.act("owner", move |cx, key| {
            let request = json!({"result": "works", "text": "Checked after the change."});
            acts::change::verbs::validate_change(cx, key, &body(request))
        })?;
        self.past.pass(90);
        self.act("change_manager", move |cx, key| {
            let summary = if well {
                "It went as planned."
            } else {
                "The test data missed a case that production has."
            };
            let improvements: Vec<&str> = if well {
                Vec::new()
            } else {
                vec!["Add the missing case to the test data."]
            };
            let mut request = body(json!({
                "objectives_met": well, "assessment_adequate": well, "steps_adequate": true,
                "summary": summary, "improvements": improvements,
            }));
            if !well {
                request.insert("cause".to_owned(), json!("missing_test"));
            }
            let caused = &cx.change(key)?.caused_incidents;
            let incidents: Vec<&str> = caused.iter().map(|it| it.incident.as_str()).collect();
            if !incidents.is_empty() {
                request.insert("incidents".to_owned(), json!(incidents));
            }
            acts::change::verbs::review_change(cx, key, &request)?;
            acts::change::verbs::close_change(cx, key)
        })
    }
}

pub(super) fn create<'a>(past: &'a Past, staff: &'a Staff, word: &str, request: Value) -> Result<Walk<'a>> {
    let person = staff.people.get(word).cloned().unwrap_or_default();
    let key = past.by(&person, move |cx| {
        create_change::create_change(cx, &body(request.clone()), &[])
    })?;
    Ok(Walk { past, staff, key })
}

/// Makes the history, of which nothing is open any more.
///
/// # Errors
/// [`super::DemoError`].
pub fn fill(executor: &Executor, staff: &Staff, begin: Timestamp) -> Result<()> {
    let past = Past::new(executor, TENANT, begin);
    for n in 0..ORDINARY {
        let day = i64::try_from(n).unwrap_or_default() * 88 / i64::try_from(ORDINARY).unwrap_or(1) + 1;
        ordinary(&past, staff, n, begin + SignedDuration::from_hours(24 * day))?;
    }
    for (n, day) in [9, 37, 71].into_iter().enumerate() {
        emergency(&past, staff, 900 + n, begin + SignedDuration::from_hours(24 * day + 3))?;
    }
    for day in [5, 19, 33, 47, 61, 75] {
        standard(&past, staff, begin + SignedDuration::from_hours(24 * day + 6))?;
    }
    glass(&past, staff, 950, begin + SignedDuration::from_hours(24 * 52 + 1))
}

/// Makes the present: what surrounds the open changes, and these.
///
/// # Errors
/// [`super::DemoError`].
pub fn fill_today(executor: &Executor, staff: &Staff, now: Timestamp) -> Result<()> {
    let past = Past::new(executor, TENANT, now - SignedDuration::from_hours(30));
    fit_model(&past)?;
    around_today(executor, staff, now)?;
    today(&past, staff, now)
}

/// Fits the model on ended changes, so that open ones have a forecast, as far as the history allows.
pub(super) fn fit_model(past: &Past) -> Result<()> {
    past.system(|cx| {
        let Some(material) = find_material(cx)? else {
            return Ok(());
        };
        keep_model(cx, &material.fit(), &material).map(drop)
    })
}

/// How the n-th ordinary change ended: most well, a few not.
fn outcome_of(n: usize) -> &'static str {
    match n {
        7 | 23 => "rolled_back",
        15 => "failed",
        11 | 31 => "succeeded_with_issues",
        _ => "succeeded",
    }
}

fn ordinary(past: &Past, staff: &Staff, n: usize, at: Timestamp) -> Result<()> {
    past.go_to(at);
    let start = at + SignedDuration::from_hours(30);
    let plan = &PLANS[n % PLANS.len()];
    let walk = create(
        past,
        staff,
        "requester",
        request(plan, n, start, start + SignedDuration::from_hours(2)),
    )?;
    past.pass(20);
    walk.submit()?;
    past.pass(15);
    walk.assess()?;
    if n == 19 {
        past.pass(60);
        return walk.decide(
            "security",
            "reject",
            "The gateway would answer to any address. Restrict it first.",
        );
    }
    walk.approve()?;
    walk.evidence(n)?;
    past.go_to(start + SignedDuration::from_mins(2));
    walk.deploy(n)?;
    past.pass(41);
    let outcome = outcome_of(n);
    if n == 23 {
        // The first attempt to take it back failed, and the target stayed open for a second one.
        walk.complete("rollback_failed")?;
        past.pass(25);
    }
    match plan.services {
        ["driver-app"] => walk.report(outcome)?,
        _ => walk.complete(outcome)?,
    }
    walk.finish(outcome == "succeeded")
}

fn emergency(past: &Past, staff: &Staff, n: usize, at: Timestamp) -> Result<()> {
    past.go_to(at);
    let request = json!({
        "kind": "emergency", "title": "Restart label printing with the patched driver",
        "threat": "Labels stop at every dock within the hour.",
        "category": "application", "complexity": "low",
        "impact": {"data": "none", "availability": "medium", "compliance": "none"},
        "targets": [{"service": "label-print", "environment": "production", "artifact": artifact(n)}],
        "plan": [{"title": "Install the patched driver and restart", "minutes": 6}],
        "rollback_plan": [{"title": "Put the old driver back", "minutes": 4}], "implementers": ["tomasz", "pipeline"], "tester": "ingrid",
    });
    let what = "The driver loses the connection after each hundredth label.";
    let request = described(what, "Three docks stand still.", request);
    let walk = create(past, staff, "implementer", request)?;
    walk.act("implementer", acts::change::verbs::submit_change)?;
    walk.act("implementer", |cx, key| {
        acts::change::verbs::assess_change(cx, key, &body(json!({})))
    })?;
    // The reason is a threat and no incident, so security approves as well.
    for word in ["owner", "security", "change_manager"] {
        past.pass(4);
        walk.decide(word, "approve", "")?;
    }
    walk.deploy(n)?;
    past.pass(9);
    walk.complete("succeeded")?;
    walk.evidence(n)?;
    past.pass(35);
    walk.act("requester", |cx, key| {
        acts::change::verbs::validate_change(
            cx,
            key,
            &body(json!({"result": "works", "text": "A hundred labels printed."})),
        )
    })?;
    walk.act("change_manager", |cx, key| {
        let request = json!({
            "objectives_met": true, "assessment_adequate": true, "steps_adequate": true,
            "summary": "Printing came back in nine minutes.", "improvements": ["Watch the driver's connections."],
            "dependencies_reviewed": true,
        });
        acts::change::verbs::review_change(cx, key, &body(request))?;
        acts::change::verbs::close_change(cx, key)
    })
}

/// A change that began before owner and change manager had approved: its record names the approvals that the broken glass
/// replaced.
fn glass(past: &Past, staff: &Staff, n: usize, at: Timestamp) -> Result<()> {
    past.go_to(at);
    let start = at + SignedDuration::from_hours(20);
    let request = json!({
        "title": "Raise the limit of the print queue", "category": "configuration", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "targets": [{"service": "label-print", "environment": "production", "artifact": artifact(n)}],
        "planned_start": start.to_string(), "planned_end": (start + SignedDuration::from_hours(2)).to_string(),
        "plan": [{"title": "Load the new limit", "minutes": 4}],
        "rollback_plan": [{"title": "Load the old limit", "minutes": 2}], (NewChange::ROLLBACK_MINUTES.name): 2,
        "implementers": ["tomasz", "pipeline"], "tester": "ingrid",
    });
    let what = "Raise the limit from 500 to 2,000 jobs.";
    let request = described(what, "The morning's orders fill the queue.", request);
    let walk = create(past, staff, "requester", request)?;
    walk.submit()?;
    walk.assess()?;
    past.pass(6);
    walk.decide("security", "approve", "")?;
    past.pass(12);
    let until = (at + SignedDuration::from_hours(2)).to_string();
    walk.act("commander", move |cx, key| {
        let request = json!({"reason": "The queue is full, and four docks wait for labels.", "until": until});
        acts::emergency::break_glass::break_glass(cx, key, &body(request))
    })?;
    walk.deploy(n)?;
    past.pass(9);
    walk.complete("succeeded")?;
    walk.evidence(n)?;
    past.pass(35);
    walk.act("requester", |cx, key| {
        let request = json!({"result": "works", "text": "The queue empties faster than it fills."});
        acts::change::verbs::validate_change(cx, key, &body(request))
    })?;
    walk.act("security", |cx, key| {
        let request = json!({"text": "The docks stood still; nobody could wait for the morning."});
        acts::emergency::verbs::validate_break_glass(cx, key, &body(request))
    })?;
    walk.act("change_manager", |cx, key| {
        let request = json!({
            "objectives_met": true, "assessment_adequate": true, "steps_adequate": true,
            "summary": "The limit holds. Owner and change manager were asked too late.", "improvements": ["Warn at 400 jobs."],
            "dependencies_reviewed": true,
        });
        acts::change::verbs::review_change(cx, key, &body(request))?;
        acts::change::verbs::close_change(cx, key)
    })
}

fn standard(past: &Past, staff: &Staff, at: Timestamp) -> Result<()> {
    past.go_to(at);
    let request = standard_request(at + SignedDuration::from_mins(30));
    let walk = create(past, staff, "implementer", request)?;
    walk.act("implementer", acts::change::verbs::submit_change)?;
    past.pass(32);
    walk.act("implementer", acts::change::verbs::start_change)?;
    past.pass(8);
    walk.complete("succeeded")?;
    past.pass(61);
    let key = walk.key.clone();
    tick(past, key)
}

/// Runs the due timers of a change.
fn tick(past: &Past, key: String) -> Result<()> {
    past.system(move |cx| {
        let id = cx.change(&key)?.id;
        run_timer::run_timer(cx, "change", id.as_str())
    })
}

fn standard_request(start: Timestamp) -> Value {
    json!({
        "kind": "standard", "template": "restart-label-print", "title": "Restart label printing",
        "targets": [{"service": "label-print", "environment": "production"}],
        "planned_start": start.to_string(), "planned_end": (start + SignedDuration::from_hours(1)).to_string(),
    })
}

/// A freeze that begins in ten days, an incident that freezes nothing, maintenance windows, the vendor's notice.
fn around_today(executor: &Executor, staff: &Staff, now: Timestamp) -> Result<()> {
    let past = Past::new(executor, TENANT, now - SignedDuration::from_hours(40));
    let at = move |hours: i64| (now + SignedDuration::from_hours(hours)).to_string();
    let manager = staff.people.get("change_manager").cloned().unwrap_or_default();
    past.by(&manager, move |cx| {
        set_freeze::set_freeze(
            cx,
            &body(json!({
                "title": "Month-end closing", "reason": "Finance closes the books.",
                "starts_at": at(24 * 10), "ends_at": at(24 * 13), "environments": ["production"],
            })),
        )?;
        for (title, from, hours, services) in [
            ("Weekly maintenance", 26, 6, json!([])),
            ("Cartwell Hosting: storage maintenance (their notice CW-2291)", 52, 4, json!(["backup", "ledger-db"])),
        ] {
            let window = json!({"title": title, "starts_at": at(from), "ends_at": at(from + hours), "services": services, "environments": ["production"]});
            set_service::set_window(cx, &body(window))?;
        }
        Ok(())
    })?;
    let commander = staff.people.get("commander").cloned().unwrap_or_default();
    past.go_to(now - SignedDuration::from_hours(20) + SignedDuration::from_mins(9));
    past.by(&commander, move |cx| {
        let incident = json!({
            "title": "Customs declarations are slow", "severity": 3, "services": ["customs-gateway"],
            "started_at": at(-20), "external_ref": "SD-8812",
        });
        set_incident::open_incident(cx, &body(incident)).map(|_| ())
    })
}

/// A scheduled change that states less than its service; the owner accepted this.
fn with_lower_risk(past: &Past, staff: &Staff, n: usize, (from, until): (Timestamp, Timestamp)) -> Result<()> {
    let mut lower = request(&PLANS[0], n, from, until);
    lower["impact"] = json!({"availability": "low"});
    let walk = create(past, staff, "requester", lower)?;
    walk.submit()?;
    walk.assess()?;
    walk.read_by_peer()?;
    walk.accept_lower()?;
    for word in ["security", "change_manager"] {
        past.pass(47);
        walk.decide(word, "approve", "")?;
    }
    walk.evidence(n)
}

/// One open change in every state.
fn today(past: &Past, staff: &Staff, now: Timestamp) -> Result<()> {
    let hours = |n: i64| now + SignedDuration::from_hours(n);
    let make = |n: usize, plan: usize, from: Timestamp, until: Timestamp| {
        create(past, staff, "requester", request(&PLANS[plan], 1_000 + n, from, until))
    };
    make(0, 2, hours(96), hours(98))?;
    make(1, 1, hours(72), hours(74))?.submit()?;
    let authorizing = make(2, 4, hours(50), hours(53))?;
    authorizing.submit()?;
    authorizing.assess()?;
    past.pass(40);
    authorizing.decide("owner", "approve", "Finance knows and has planned for it.")?;
    let ready = |n: usize, plan: usize, from: Timestamp, until: Timestamp| -> Result<Walk<'_>> {
        let walk = make(n, plan, from, until)?;
        walk.submit()?;
        walk.assess()?;
        walk.approve()?;
        Ok(walk)
    };
    with_lower_risk(past, staff, 1_003, (hours(28), hours(30)))?;
    let held = ready(4, 3, hours(34), hours(36))?;
    held.act("requester", |cx, key| {
        acts::change::verbs::hold_change(
            cx,
            key,
            &body(json!({"reason": "We wait for the new surcharge table."})),
        )
    })?;
    let cancelled = make(5, 6, hours(60), hours(62))?;
    cancelled.act("requester", |cx, key| {
        acts::change::verbs::cancel_change(
            cx,
            key,
            &body(json!({"reason": "The status page gets the figure from elsewhere."})),
        )
    })?;
    let missed = ready(
        6,
        7,
        now - SignedDuration::from_hours(20),
        now - SignedDuration::from_hours(18),
    )?;
    let reviewing = ready(
        7,
        2,
        now - SignedDuration::from_hours(6),
        now - SignedDuration::from_hours(4),
    )?;
    reviewing.evidence(1_007)?;
    let implementing = ready(8, 5, now - SignedDuration::from_mins(30), hours(3))?;
    implementing.evidence(1_008)?;
    past.go_to(now - SignedDuration::from_hours(17));
    let key = missed.key.clone();
    tick(past, key)?;
    past.go_to(now - SignedDuration::from_hours(6) + SignedDuration::from_mins(3));
    reviewing.deploy(1_007)?;
    past.pass(30);
    reviewing.complete("succeeded")?;
    past.go_to(now - SignedDuration::from_mins(20));
    implementing.deploy(1_008)?;
    Ok(())
}
