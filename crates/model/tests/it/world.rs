//! The world of the tests: one change, a clock and ids that the test sets, and people who act on it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::approval::decide;
use model::approval::obligation::{Due, Duty};
use model::change::around::{self, StoredFile};
use model::change::change_file::{Actor, Case, ChangeFile, EventDraft, Letter};
use model::change::record::Change;
use model::change::related_records::Permit;
use model::change::{after, read_content, settle, timers, waiting_on, work, write};
use model::core::enums::{self, GateDecision, Purpose, State};
use model::core::ids::RecordId;
use model::core::refusal::Refusal;
use model::core::unmet::Unmet;
use model::directory::snapshot::{Directory, Freeze};
use model::emergency::budget;
use model::gate::answer::{self, Answer};
use model::gate::names::Names;
use model::gate::permit;
use model::policy::facts::ActorFacts;
use model::schedule::plan;
use serde_json::{Map, Value, json};

use crate::people::{dawn, directory, may, requirements};

/// A request's body.
pub type Body = Map<String, Value>;

/// The signing data of permits here.
pub fn signing() -> permit::Signing {
    permit::Signing {
        epoch: 1,
        kid: "k1".to_owned(),
    }
}

/// A body out of a JSON object.
pub fn body(value: Value) -> Body {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is not an object"),
    }
}

/// One change and the world around it.
#[derive(Clone)]
pub struct World {
    pub directory: Arc<Directory>,
    pub now: Timestamp,
    pub file: ChangeFile,
    pub extra: Vec<(Due, Duty)>,
    pub stop: Option<String>,
    pub events: Vec<EventDraft>,
    pub letters: Vec<Letter>,
    pub by_token: bool,
    ids: u64,
}

/// The content of a low-risk normal change.
pub fn facts() -> Body {
    body(json!({
        "title": "Ship 2.4", "description": "The new basket.", "justification": "Customers wait for it.",
        "complexity": "low", "impact": {"data": "low", "availability": "low", "compliance": "none"},
        "targets": [{
            "service": "shop", "environment": "production", "artifact": "git:aae5e5e", "commit": "abcdef0",
            "rollback_to": "git:00e5e5e",
        }],
        "plan": [{"title": "Roll out", "minutes": 10}],
        "rollback_plan": [{"title": "Roll back", "minutes": 5}],
        "planned_start": "2026-11-20T11:00:00Z", "planned_end": "2026-11-20T13:00:00Z",
        "implementers": ["ida"], "tester": "tom",
    }))
}

/// The facts with some of them changed.
pub fn facts_but(changes: Value) -> Body {
    let mut map = facts();
    read_content::merge(&mut map, &body(changes));
    map
}

impl World {
    /// A draft of a low-risk normal change by `rita`.
    pub fn new() -> Self {
        Self::with(facts(), Vec::new())
    }

    /// A draft by `rita` with these facts, under these rules beside the base ones.
    pub fn with(facts: Body, extra: Vec<(Due, Duty)>) -> Self {
        Self::create("rita", facts, extra, directory()).unwrap()
    }

    /// A new change by anyone, in any estate.
    pub fn create(who: &str, facts: Body, extra: Vec<(Due, Duty)>, estate: Directory) -> Result<Self, Refusal> {
        let mut facts = facts;
        read_content::fill_from_template(&mut facts, &estate);
        let read = read_content::read(&facts, &estate, &who.into(), None)?;
        let change = write::new_change("c1", "CHG-1".into(), 1, read, who.into(), dawn());
        let mut world = Self {
            directory: Arc::new(estate),
            now: dawn(),
            file: ChangeFile::new(change),
            extra,
            stop: None,
            events: Vec::new(),
            letters: Vec::new(),
            by_token: false,
            ids: 0,
        };
        world.act(who, write::create)?;
        Ok(world)
    }

    /// One act of one person: kept only if it succeeds, as a transaction would.
    pub fn act<T>(&mut self, who: &str, verb: impl FnOnce(&mut Case<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let actor = match who {
            "system" => Actor::system(),
            who => Actor {
                person: who.into(),
                by_token: self.by_token,
                stepped_up_at: Some(self.now),
                factor: None,
                is_system: false,
                method: "password".to_owned(),
                lent: None,
                via: None,
            },
        };
        self.act_as(actor, verb)
    }

    /// One act with a given actor.
    pub fn act_as<T>(
        &mut self,
        actor: Actor,
        verb: impl FnOnce(&mut Case<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (extra, stop) = (self.extra.clone(), self.stop.clone());
        let estate = (self.directory.as_ref(), self.now);
        let judge = move |file: &ChangeFile| requirements(file, &extra, stop.as_deref(), estate);
        let asks = |facts: &ActorFacts, act: &str, file: Option<&ChangeFile>| may(facts, act, file, estate);
        let mut next = self.ids;
        let mut ids = || {
            next += 1;
            format!("id-{next:05}")
        };
        let mut case = Case {
            file: self.file.clone(),
            directory: self.directory.clone(),
            actor,
            now: self.now,
            ids: &mut ids,
            judge: &judge,
            may: &asks,
            events: Vec::new(),
            letters: Vec::new(),
            revoked: Vec::new(),
        };
        let answer = verb(&mut case)?;
        let (file, events, letters) = (case.file, case.events, case.letters);
        self.file = file;
        self.file.change.version += 1;
        self.file.change.updated_at = self.now;
        self.events.extend(events);
        self.letters.extend(letters);
        self.ids = next;
        Ok(answer)
    }

    /// Queries the case without changing the world.
    pub fn look<T>(&self, ask: impl FnOnce(&Case<'_>) -> T) -> T {
        let mut copy = self.clone();
        copy.act_as(Actor::system(), |case| Ok(ask(case))).unwrap()
    }

    pub fn change(&self) -> &Change {
        &self.file.change
    }

    pub fn state(&self) -> State {
        self.file.change.state
    }

    /// Changes the estate.
    pub fn estate(&mut self, mend: impl FnOnce(&mut Directory)) {
        let mut copy = (*self.directory).clone();
        mend(&mut copy);
        self.directory = Arc::new(copy);
    }

    /// A freeze over everything.
    pub fn freeze(&mut self, from: &str, until: &str, halt: bool) {
        let freeze = Freeze {
            id: format!("f{}", self.directory.freezes.len()).as_str().into(),
            version: 1,
            title: "Year end".into(),
            reason: None,
            starts_at: at(from),
            ends_at: at(until),
            services: Default::default(),
            environments: Default::default(),
            halt,
            reach: Default::default(),
            exceptions: Vec::new(),
            ended: false,
            corrected_at: None,
            loosening: None,
            loosened: Vec::new(),
            set_by: None,
            set_at: None,
            repeat: Default::default(),
            course: Default::default(),
        };
        self.estate(|estate| estate.freezes.push(freeze));
        self.settle();
    }

    /// Judges anew after something outside the change moved.
    pub fn settle(&mut self) {
        self.act("system", |case| {
            settle::recompute(case);
            settle::settle(case);
            Ok(())
        })
        .unwrap();
    }

    /// Runs timers due at this instant, as the worker does, until none is due. Fails on a busy loop.
    pub fn run_timers(&mut self) {
        for _ in 0..20 {
            self.act("system", |case| {
                timers::run(case);
                Ok(())
            })
            .unwrap();
            let next = self.look(timers::next_due);
            if next.is_none_or(|at| at > self.now) {
                return;
            }
        }
        panic!("the timers never come to rest: {:?}", self.look(timers::next_due));
    }

    /// Lets time pass to an instant of the day, running every timer on its way.
    pub fn wait_until(&mut self, time: Timestamp) {
        for _ in 0..10_000 {
            match self.look(timers::next_due).filter(|next| *next <= time) {
                Some(next) => {
                    self.now = next.max(self.now);
                    self.run_timers();
                }
                None => {
                    self.now = time;
                    self.run_timers();
                    return;
                }
            }
        }
        panic!("too many timers before {time}");
    }

    /// Lets minutes pass.
    pub fn wait(&mut self, minutes: i64) {
        self.wait_until(self.now + SignedDuration::from_mins(minutes));
    }

    /// The unmet requirements ahead of the change, by code.
    pub fn unmet(&self) -> Vec<String> {
        let rows = waiting_on::ahead(&self.file, &self.directory, self.now);
        rows.into_iter().map(|row| row.unmet.code).collect()
    }

    pub fn edit(&mut self, who: &str, patch: Value) -> Result<(), Refusal> {
        self.act(who, |case| write::edit(case, &body(patch)))
    }

    pub fn submit(&mut self, who: &str) -> Result<(), Refusal> {
        self.act(who, write::submit)
    }

    pub fn assess(&mut self, who: &str, words: Value) -> Result<(), Refusal> {
        self.act(who, |case| write::assess(case, &body(words)))
    }

    /// A decision with the present digest, and further input.
    pub fn decide(&mut self, who: &str, words: Value) -> Result<RecordId, Refusal> {
        let mut words = body(words);
        let digest = self.change().digests.content.clone();
        words.entry("content_digest").or_insert(Value::String(digest));
        self.act(who, |case| decide::approve(case, &words))
    }

    pub fn approve(&mut self, who: &str) -> Result<RecordId, Refusal> {
        self.decide(who, json!({"decision": "approve"}))
    }

    pub fn schedule(&mut self, who: &str, from: &str, until: &str) -> Result<(), Refusal> {
        let words = body(json!({"planned_start": at(from).to_string(), "planned_end": at(until).to_string()}));
        self.act(who, |case| plan::schedule(case, &words))
    }

    pub fn hold(&mut self, who: &str, words: Value) -> Result<(), Refusal> {
        self.act(who, |case| plan::hold(case, &body(words)))
    }

    pub fn start(&mut self, who: &str) -> Result<(), Refusal> {
        self.act(who, work::start)
    }

    pub fn complete(&mut self, who: &str, words: Value) -> Result<(), Refusal> {
        let earlier = self.file.entries.clone();
        self.act(who, |case| work::complete(case, &body(words), &earlier))
    }

    pub fn validate(&mut self, who: &str, result: &str) -> Result<(), Refusal> {
        self.act(who, |case| after::validate(case, &body(json!({"result": result}))))
    }

    pub fn review(&mut self, who: &str) -> Result<(), Refusal> {
        let words = json!({
            "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Went well.",
        });
        let mut words = body(words);
        if model::change::success::succeeded(&self.file.change) == Some(false) {
            words.insert("cause".to_owned(), json!("missing_test"));
        }
        let causes: Vec<_> = model::risk::cause::shipped().collect();
        self.act(who, |case| after::review(case, &words, &causes))
    }

    pub fn close(&mut self, who: &str) -> Result<(), Refusal> {
        self.act(who, after::close)
    }

    pub fn peer_review(&mut self, who: &str, verdict: &str) -> Result<RecordId, Refusal> {
        let words = json!({"verdict": verdict, "content_digest": self.change().digests.content});
        self.act(who, |case| around::peer_review(case, &body(words)))
    }

    /// A note on a functional test in staging of an artifact.
    pub fn evidence(&mut self, who: &str, result: &str, artifact: Option<&str>) -> Result<RecordId, Refusal> {
        self.evidence_of(who, ("functional", result), artifact)
    }

    /// The same of any aspect.
    pub fn evidence_of(
        &mut self,
        who: &str,
        (aspect, result): (&str, &str),
        artifact: Option<&str>,
    ) -> Result<RecordId, Refusal> {
        let mut words = body(json!({
            "kind": "note", "aspect": aspect, "result": result, "environment": "staging", "text": "All green.",
        }));
        if let Some(artifact) = artifact {
            words.insert("artifact".into(), artifact.into());
        }
        self.act(who, |case| around::add_evidence(case, &words, file()))
    }

    pub fn break_glass(&mut self, who: &str, minutes: i64) -> Result<(), Refusal> {
        let until = self.now + SignedDuration::from_mins(minutes);
        let words = body(json!({"reason": "The shop is down", "until": until.to_string()}));
        self.act(who, |case| {
            model::emergency::break_glass::break_glass(case, &words, &budget::Used::new())
        })
    }

    /// The second signature, by somebody who names no digest.
    pub fn cosign(&mut self, who: &str) -> Result<(), Refusal> {
        self.act(who, |case| model::emergency::break_glass::cosign(case, &Body::new()))
    }

    /// Queries the gate about an artifact for the shop in production.
    pub fn gate(&self, artifact: &str) -> Answer {
        self.gate_for("shop", artifact)
    }

    /// Queries the gate about an artifact for a service in production.
    pub fn gate_for(&self, service: &str, artifact: &str) -> Answer {
        let rows: Vec<_> = answer::rows(&self.file, &self.directory, self.now)
            .into_iter()
            .filter(|row| row.service.as_str() == service && row.artifact.as_deref() == Some(artifact))
            .collect();
        answer::decide(&rows, None, self.now)
    }

    /// Collects a permit as the gate's route does: judged anew, and on a forward deployment the work begins.
    pub fn collect(&mut self, who: &str, artifact: &str) -> Result<Permit, Vec<Unmet>> {
        self.collect_for(who, "shop", artifact)
    }

    /// The same for a service in production.
    pub fn collect_for(&mut self, who: &str, service: &str, artifact: &str) -> Result<Permit, Vec<Unmet>> {
        let answer = self.gate_for(service, artifact);
        if answer.decision == GateDecision::Stop {
            return Err(answer.reasons);
        }
        let (_, id) = answer.target.unwrap();
        let target = self
            .change()
            .content
            .targets
            .iter()
            .find(|target| target.id == id)
            .unwrap()
            .clone();
        let given = self.act(who, |case| {
            let asked = Names::new(Some(artifact), None);
            let given = permit::give(case, (&target, answer.purpose, None), asked, &signing());
            if case.change().state == State::Scheduled && answer.purpose == Purpose::Deploy {
                work::begin(case, case.now);
            }
            settle::settle(case);
            Ok(given)
        });
        Ok(given.unwrap())
    }

    /// Permits that live now.
    pub fn live_permits(&self) -> Vec<&Permit> {
        let lives = |permit: &&Permit| permit.state == enums::PermitState::Issued && permit.expires_at > self.now;
        self.file.permits.iter().filter(lives).collect()
    }

    /// Walks to authorizing.
    pub fn until_authorizing(mut self) -> Self {
        self.submit("rita").unwrap();
        self.assess("rita", json!({})).unwrap();
        self
    }

    /// Walks to scheduled with all that the base rules require.
    pub fn until_scheduled(self) -> Self {
        let mut world = self.until_authorizing();
        world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
        for who in ["olga", "sam", "mia"] {
            world.approve(who).unwrap();
        }
        assert_eq!(world.state(), State::Scheduled, "{:?}", world.unmet());
        world
    }

    /// Walks to implementing.
    pub fn until_implementing(self) -> Self {
        let mut world = self.until_scheduled();
        world.wait_until(at("11:10"));
        world.start("ida").unwrap();
        world
    }

    /// Walks to reviewing.
    pub fn until_reviewing(self) -> Self {
        let mut world = self.until_implementing();
        world.complete("ida", json!({"outcome": "succeeded"})).unwrap();
        world
    }

    /// Walks to closed.
    pub fn until_closed(self) -> Self {
        let mut world = self.until_reviewing();
        world.validate("tom", "works").unwrap();
        world.review("olga").unwrap();
        world.close("olga").unwrap();
        world
    }

    /// A low-risk normal change in each of the ten states.
    pub fn in_state(state: State) -> Self {
        let mut world = Self::new();
        match state {
            State::Draft => {}
            State::Assessing => world.submit("rita").unwrap(),
            State::Authorizing => return world.until_authorizing(),
            State::Approved => {
                world = world.until_scheduled();
                world.freeze("11:30", "12:00", false);
            }
            State::Scheduled => return world.until_scheduled(),
            State::Implementing => return world.until_implementing(),
            State::Reviewing => return world.until_reviewing(),
            State::Closed => return world.until_closed(),
            State::Rejected => {
                world = world.until_authorizing();
                world
                    .decide("sam", json!({"decision": "reject", "comment": "Unsafe."}))
                    .unwrap();
            }
            State::Cancelled => {
                world
                    .act("rita", |case| {
                        plan::cancel(case, &body(json!({"reason": "Not needed"})))
                    })
                    .unwrap();
            }
        }
        assert_eq!(world.state(), state);
        world
    }
}

/// The content of a standard change from the template.
pub fn standard_facts() -> Body {
    let mut words = facts_but(json!({"kind": "standard", "template": "patch", "plan": null, "rollback_plan": null}));
    words.remove("category");
    words
}

/// A change of another kind than the normal one in each of the states that it can be in.
impl World {
    /// The content of a standard change from the template.
    pub fn standard() -> Self {
        let mut words =
            facts_but(json!({"kind": "standard", "template": "patch", "plan": null, "rollback_plan": null}));
        words.remove("category");
        Self::with(words, Vec::new())
    }

    /// An emergency with its incident.
    pub fn emergency() -> Self {
        Self::with(facts_but(json!({"kind": "emergency", "incident": "INC-1"})), Vec::new())
    }

    /// Work that `rita` reports afterwards and `olga` allowed.
    pub fn retrospective() -> Self {
        let words = facts_but(json!({"retrospective": {
            "actual_start": "2026-11-20T07:00:00Z", "actual_end": "2026-11-20T08:00:00Z",
            "reason": "The shop was down", "verbal_approver": "olga",
        }}));
        Self::with(words, Vec::new())
    }

    /// A standard change in a state; it never waits for an assessment or for approvals, so nobody rejects it.
    pub fn standard_in(state: State) -> Option<Self> {
        let mut world = Self::standard();
        match state {
            State::Draft | State::Cancelled => {}
            State::Assessing | State::Authorizing | State::Rejected => return None,
            _ => world.submit("rita").unwrap(),
        }
        Some(world.walked_to(state))
    }

    /// An emergency in a state.
    pub fn emergency_in(state: State) -> Self {
        let mut world = Self::emergency();
        if !matches!(state, State::Draft | State::Cancelled) {
            world.submit("rita").unwrap();
        }
        if !matches!(state, State::Draft | State::Cancelled | State::Assessing) {
            world.assess("rita", json!({})).unwrap();
        }
        if state == State::Rejected {
            let no = json!({"decision": "reject", "comment": "Unsafe."});
            world.decide("olga", no).unwrap();
        }
        if state.is_open() && state >= State::Approved || state == State::Closed {
            world.approve("olga").unwrap();
            world.approve("mia").unwrap();
        }
        world.walked_to(state)
    }

    /// Work reported afterwards in a state: it begins when all is over.
    pub fn retrospective_in(state: State) -> Option<Self> {
        matches!(state, State::Reviewing | State::Closed).then(|| Self::retrospective().walked_to(state))
    }

    /// From where its kind has brought it with all approvals given, on to a state.
    fn walked_to(mut self, state: State) -> Self {
        if state == State::Cancelled {
            let reason = body(json!({"reason": "Not needed"}));
            self.act("rita", |case| plan::cancel(case, &reason)).unwrap();
        }
        if state == State::Approved {
            self.freeze("11:30", "12:00", true);
        }
        let is_begun = matches!(state, State::Implementing | State::Reviewing | State::Closed);
        if is_begun && self.state() == State::Scheduled {
            self.wait_until(at("11:10"));
            self.start("ida").unwrap();
        }
        if matches!(state, State::Reviewing | State::Closed) && self.state() == State::Implementing {
            self.complete("ida", json!({"outcome": "succeeded"})).unwrap();
        }
        if state == State::Closed {
            self.close_with_all_words();
        }
        assert_eq!(self.state(), state, "{:?}", self.unmet());
        self
    }

    fn close_with_all_words(&mut self) {
        if self.change().retrospective.is_some() {
            let yes = body(json!({"confirmed": true}));
            self.act("olga", |case| after::confirm_retrospective(case, &yes))
                .unwrap();
        }
        self.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
        self.validate("tom", "works").unwrap();
        self.review("olga").unwrap();
        self.close("olga").unwrap();
    }
}

/// A stored file for evidence that no machine reads.
pub fn file() -> StoredFile {
    StoredFile {
        digest: "sha256:file".into(),
        size: 9,
        media_type: "text/plain".into(),
        reading: None,
    }
}

/// An instant of the first day, by its time of day, or any RFC 3339 instant.
pub fn at(time: &str) -> Timestamp {
    if time.contains('T') {
        time.parse().unwrap()
    } else {
        format!("2026-11-20T{time}:00Z").parse().unwrap()
    }
}

/// A refusal's code.
pub fn code<T>(answer: Result<T, Refusal>) -> &'static str {
    match answer {
        Ok(_) => "done",
        Err(refusal) => refusal.code(),
    }
}

/// The codes of a refusal's unmet conditions.
pub fn missing<T>(answer: Result<T, Refusal>) -> Vec<String> {
    match answer {
        Err(Refusal::NotNow { unmet, .. }) => unmet.into_iter().map(|row| row.code).collect(),
        Err(other) => panic!("not a refusal for now: {other}"),
        Ok(_) => panic!("nothing was missing"),
    }
}

/// The fields that a refusal names, each with its code.
pub fn fields<T>(answer: Result<T, Refusal>) -> Vec<(String, String)> {
    match answer {
        Err(Refusal::Invalid(errors)) => errors.into_iter().map(|error| (error.field, error.code)).collect(),
        Err(other) => panic!("not an invalid request: {other}"),
        Ok(_) => panic!("nothing was invalid"),
    }
}
