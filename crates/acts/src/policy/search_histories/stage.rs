//! The stage of a story: one change, the acts of the product done by the chosen people, and the steps so far.

mod communication;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::approval::authority::{able, is_met, rules_open_for, targets_of};
use model::approval::decide;
use model::approval::obligation::{self, ApprovalRule, Asked, Duty, ItemCheck};
use model::change::around::checklist::{ProbeResult, take_probe_result};
use model::change::around::{self, StoredFile};
use model::change::change_file::{Actor, Case, ChangeFile};
use model::change::duties::items::Item;
use model::change::read_content::new_change::NewChange;
use model::change::{after, read_content, related_records, tasks, timers, waiting_on, work, write};
use model::core::body::Body;
use model::core::enums::{EvidenceResult, ItemKind, Kind, State, TaskState};
use model::core::ids::{self, PersonId};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::emergency::{break_glass, budget};
use model::identity::factor::Factor;
use model::policy::facts::ActorFacts;
use model::policy::permission;
use model::risk::effective::unaccepted;
use model::risk::security_questions;
use policy::PolicySet;
use serde_json::{Value, json};

use super::cast::{dawn, window};
use super::{Shape, Step, Story, is_peer_review};
use crate::case::judge;

/// The artifact of the changes in all stories.
const ARTIFACT: &str = "sha256:6b1d1f0d1c3a4b5c6d7e8f901234567890abcdef1234567890abcdef12345678";
/// How long before the start the last decisions are made.
const BEFORE_START: SignedDuration = SignedDuration::from_mins(2);
/// How often people decide again: rules of a later stage need nobody before the earlier ones are met.
const ROUNDS: usize = 4;

/// The actor: a person in a session with a fresh second factor, or a person's token.
#[derive(Debug, Clone)]
pub(super) struct StageActor {
    person: PersonId,
    by_token: bool,
}

impl StageActor {
    /// A person in a session.
    pub(super) fn person(login: &str) -> Self {
        Self {
            person: login.into(),
            by_token: false,
        }
    }

    /// A token.
    pub(super) fn token(login: &str) -> Self {
        Self {
            person: login.into(),
            by_token: true,
        }
    }

    /// The house's own clock.
    fn clock() -> Self {
        Self::person("system")
    }

    fn actor(&self, now: Timestamp) -> Actor {
        if self.person.as_str() == "system" {
            return Actor::system();
        }
        Actor {
            person: self.person.clone(),
            by_token: self.by_token,
            stepped_up_at: (!self.by_token).then_some(now),
            factor: (!self.by_token).then(|| Factor::new("totp", true)),
            is_system: false,
            method: if self.by_token { "token" } else { "password" }.to_owned(),
            lent: None,
            via: None,
        }
    }
}

fn body(value: Value) -> Body {
    match value {
        Value::Object(map) => map,
        _ => Body::new(),
    }
}

/// One change and the people around it.
pub(super) struct Stage<'s> {
    pub(super) set: &'s PolicySet,
    /// The people around it, and the estate.
    pub(super) directory: Arc<Directory>,
    /// The time.
    pub(super) now: Timestamp,
    /// The change and all around it.
    pub(super) file: ChangeFile,
    steps: Vec<Step>,
    refused: Vec<Refused>,
    peers: BTreeSet<PersonId>,
    ids: u64,
}

impl<'s> Stage<'s> {
    /// A person writes a change of a shape. An emergency starts at once, unless it has to be announced before: then it starts
    /// as late as that requires.
    pub(super) fn open(
        set: &'s PolicySet,
        directory: &Arc<Directory>,
        by: &StageActor,
        told: (&Shape, &[&str]),
    ) -> Result<Self, Refusal> {
        let is_emergency = told.0.kind == Kind::Emergency;
        let stage = Self::open_at(set, directory, by, told, if is_emergency { dawn() } else { window() })?;
        match stage.announced_ahead().filter(|_| is_emergency) {
            Some(ahead) => Self::open_at(set, directory, by, told, dawn() + ahead + BEFORE_START),
            None => Ok(stage),
        }
    }

    fn open_at(
        set: &'s PolicySet,
        directory: &Arc<Directory>,
        by: &StageActor,
        (shape, implementers): (&Shape, &[&str]),
        starts_at: Timestamp,
    ) -> Result<Self, Refusal> {
        let facts = facts(shape, implementers, starts_at);
        let read = read_content::read(&facts, directory, &by.person, None)?;
        let change = write::new_change("c1", "CHG-1".to_owned(), 1, read, by.person.clone(), dawn());
        let mut stage = Self {
            set,
            directory: directory.clone(),
            now: dawn(),
            file: ChangeFile::new(change),
            steps: Vec::new(),
            refused: Vec::new(),
            peers: BTreeSet::new(),
            ids: 0,
        };
        stage.act(by, "writes the change", write::create)?;
        Ok(stage)
    }

    /// One act of one person: the result is kept only after success, as in a transaction.
    fn act<T>(
        &mut self,
        by: &StageActor,
        does: &str,
        verb: impl FnOnce(&mut Case<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (set, directory, now) = (self.set, self.directory.clone(), self.now);
        let judge = |file: &ChangeFile| judge::judge_by_rules(set, "acme", (&directory, now), file);
        let may = |facts: &ActorFacts, act: &str, file: Option<&ChangeFile>| {
            let known = file.map(|file| {
                let change = permission::present_facts(file, &directory, "acme", now);
                (change, permission::target_facts(file, &directory, now))
            });
            let about = known.as_ref().map(|(change, targets)| (change, targets.as_slice()));
            set.may(facts, act, about)
        };
        let mut next = self.ids;
        let mut ids = || {
            next += 1;
            format!("id-{next:05}")
        };
        let mut case = Case {
            file: self.file.clone(),
            directory: self.directory.clone(),
            actor: by.actor(now),
            now,
            ids: &mut ids,
            judge: &judge,
            may: &may,
            events: Vec::new(),
            letters: Vec::new(),
            revoked: Vec::new(),
        };
        let who = if by.by_token {
            format!("The token of {}", by.person)
        } else {
            by.person.0.clone()
        };
        let answer = verb(&mut case).inspect_err(|refusal| {
            let refused = Refused::new(&who, does, refusal);
            let is_same = |it: &&Refused| it.does == refused.does && it.why == refused.why;
            if !self.refused.iter().any(|it| is_same(&it)) {
                self.refused.push(refused);
            }
        })?;
        self.file = case.file;
        self.file.change.version += 1;
        self.ids = next;
        self.steps.push(Step {
            who,
            does: does.to_owned(),
        });
        Ok(answer)
    }

    /// Hands it over.
    pub(super) fn submit(&mut self, by: &StageActor) -> bool {
        self.act(by, "submits it", write::submit).is_ok()
    }

    /// Assesses the change.
    pub(super) fn assess(&mut self, by: &StageActor) -> bool {
        if self.file.change.state != State::Assessing {
            return true;
        }
        let touches = unaccepted(&self.file.change, &self.directory).touches;
        let open = security_questions::open(&self.file.change.content, &touches);
        let answers: Vec<_> = open.iter().map(|it| json!({"question": it, "yes": false})).collect();
        let words = body(json!({
            "dependencies_reviewed": true, "security": "Looked at.", "security_answers": answers,
        }));
        self.act(by, "assesses it", |case| write::assess(case, &words)).is_ok()
    }

    /// Supplies everything that rules require beside approvals: evidence, ticks, tasks, peers.
    pub(super) fn prepare(&mut self, by: &[&StageActor], with_peers: bool) {
        let rows = self.file.requirements.obligations.clone();
        for row in &rows {
            match &row.obligation.duty {
                Duty::Evidence { aspect, environment } => {
                    let words = body(json!({
                        "kind": "note", "aspect": aspect, "result": EvidenceResult::Passed, "text": "All passed.",
                        "environment": environment.as_deref().unwrap_or("staging"), "artifact": ARTIFACT,
                    }));
                    let known = self.file.evidence.iter().any(|it| it.aspect == *aspect);
                    let does = format!("brings evidence ({aspect})");
                    self.first_of(by, &does, known, |case| around::add_evidence(case, &words, stored()));
                }
                Duty::Task { kind, title, .. } => {
                    let words = body(json!({"kind": kind, "title": title}));
                    let known = self.file.tasks.iter().any(|it| it.title == *title);
                    self.first_of(by, "adds a task", known, |case| tasks::add(case, &words));
                }
                duty if is_peer_review(duty) && with_peers => self.review_as_peers(duty),
                _ => {}
            }
        }
        self.bring_items(by);
        for id in open_items(&self.file) {
            let words = Body::new();
            let owners = self.owners_of(&id);
            let hands: Vec<&StageActor> = by.iter().copied().chain(&owners).collect();
            self.first_of(&hands, "ticks an item", false, |case| around::tick(case, &id, &words));
        }
        for id in open_tasks(&self.file) {
            let words = body(json!({"state": "done"}));
            self.first_of(by, "does a task", false, |case| tasks::update(case, &id, &words));
        }
    }

    /// Supplies the requirements of checklist items: evidence that is new enough, and results of probes.
    fn bring_items(&mut self, by: &[&StageActor]) {
        for row in self.file.requirements.obligations.clone() {
            // Evidence comes from an owner of the item first, and where no author may vouch for it, from others than authors.
            let item = Item::of(&row);
            let wants_another = item.is_some_and(|item| item.wants_another_than_authors());
            let owners = item.map(|item| item.named_owners(&self.file, &self.directory, self.now));
            let owners: Vec<StageActor> = owners
                .iter()
                .flatten()
                .map(|it| StageActor::person(it.as_str()))
                .collect();
            let is_other = |hand: &&StageActor| !wants_another || !self.file.wrote_by_hand(&hand.person);
            let hands: Vec<&StageActor> = owners.iter().chain(by.iter().copied()).filter(is_other).collect();
            match &row.obligation.duty {
                Duty::Item {
                    check: ItemCheck::Evidence {
                        aspect, environment, ..
                    },
                    ..
                } => {
                    let words = body(json!({
                        "kind": "note", "aspect": aspect, "result": EvidenceResult::Passed, "text": "All passed.",
                        "environment": environment.as_deref().unwrap_or("staging"), "artifact": ARTIFACT,
                    }));
                    let does = format!("brings evidence ({aspect})");
                    // The same file again keeps its age, so each one is another.
                    let digest = format!("sha256:{:064x}", self.now.as_second());
                    let file = || StoredFile {
                        digest: digest.clone(),
                        ..stored()
                    };
                    self.first_of(&hands, &does, false, |case| around::add_evidence(case, &words, file()));
                }
                Duty::Item {
                    check: ItemCheck::Probe { probe, .. },
                    ..
                } => self.hear_probe(by, probe),
                _ => {}
            }
        }
    }

    /// The probe reports success for each place: a search is about people.
    fn hear_probe(&mut self, by: &[&StageActor], probe: &str) {
        let targets = self.file.change.content.targets.iter();
        let places: Vec<String> = targets.map(|it| format!("{}/{}", it.service, it.environment)).collect();
        let now = self.now;
        for place in places {
            let answer = || ProbeResult {
                probe: probe.to_owned(),
                place: place.clone(),
                found: Ok(now),
                body: String::new(),
                digest: ARTIFACT.to_owned(),
                size: 0,
                media_type: "application/json".to_owned(),
            };
            self.first_of(by, "hears the probe", false, |case| {
                take_probe_result(case, answer());
                Ok(())
            });
        }
    }

    /// The first actor who can performs the act.
    fn first_of<T>(
        &mut self,
        by: &[&StageActor],
        does: &str,
        is_done: bool,
        verb: impl Fn(&mut Case<'_>) -> Result<T, Refusal>,
    ) {
        if !is_done {
            by.iter().any(|hand| self.act(hand, does, &verb).is_ok());
        }
    }

    /// The only people who may tick an item.
    fn owners_of(&self, id: &ids::RecordId) -> Vec<StageActor> {
        let line = self.file.checklist.iter().find(|line| &line.id == id);
        let item = line.and_then(|line| Item::of_line(&self.file, line));
        let owners = item.map(|item| item.named_owners(&self.file, &self.directory, self.now));
        let owners = owners.unwrap_or_default();
        owners
            .iter()
            .map(|person| StageActor::person(person.as_str()))
            .collect()
    }

    /// Peers review it: the last members of their group, so that others are left to approve.
    fn review_as_peers(&mut self, duty: &Duty) {
        let Duty::PeerReview { count, from } = duty else { return };
        let mut people: Vec<PersonId> = match from {
            Some(group) => self.directory.members(group),
            None => self.directory.people.keys().cloned().collect(),
        };
        people.reverse();
        let mut agreed = self
            .file
            .agreeing_peers()
            .filter(|it| people.contains(&it.person))
            .count();
        for person in people {
            if agreed >= *count as usize {
                break;
            }
            let words = body(json!({"verdict": "agree", "content_digest": self.file.change.digests.content}));
            let hand = StageActor::person(person.as_str());
            if self
                .act(&hand, "reads it as a peer and agrees", |case| {
                    around::peer_review(case, &words)
                })
                .is_ok()
            {
                self.peers.insert(person);
                agreed += 1;
            }
        }
    }

    /// Moves to the window and decides on the way: right before the window, so that no decision expires before the start. Where
    /// a rule requires an announcement, the decision is early enough for that as well.
    pub(super) fn approach(&mut self, decide: impl Fn(&mut Self)) {
        if let Some(ahead) = self.announced_ahead() {
            self.await_start(ahead);
            decide(self);
            self.communicate();
            self.await_start(SignedDuration::ZERO);
            // Expired decisions are requested again. The clock's own act refuses nothing.
            let _ = self.act(&StageActor::clock(), "lets the time until the start pass", |case| {
                timers::run(case);
                Ok(())
            });
        }
        self.await_start(SignedDuration::ZERO);
        decide(self);
        self.communicate();
    }

    /// Time passes until right before the start, or so long ahead of that; it is not turned back.
    fn await_start(&mut self, ahead: SignedDuration) {
        if let Some(start) = self.file.change.planned_start {
            self.now = self.now.max(start - ahead - BEFORE_START);
        }
    }

    /// Approves, at the meeting of the board where one is required.
    pub(super) fn approve(&mut self, by: &StageActor) -> bool {
        let asked = rules_open_for(&self.file, &self.directory, &by.person, self.now);
        if asked.is_empty() {
            return false;
        }
        let mut words = body(json!({"decision": "approve", "content_digest": self.file.change.digests.content}));
        let board = asked.iter().find_map(|it| match (&it.rule.from, it.rule.quorum) {
            (Asked::Group(key), Some(_)) => self
                .directory
                .meetings_on(key, self.now)
                .last()
                .map(|it| it.id.0.clone()),
            _ => None,
        });
        if let Some(meeting) = board {
            words.insert("meeting".to_owned(), meeting.into());
        }
        self.act(by, "approves it", |case| decide::approve(case, &words))
            .is_ok()
    }

    /// Every approver of a rule approves, until its count is reached.
    pub(super) fn gather_approvals(&mut self) {
        for _ in 0..ROUNDS {
            let rows = self.file.requirements.obligations.clone();
            for row in &rows {
                let Duty::Approval(rule) = &row.obligation.duty else {
                    continue;
                };
                let id = row.obligation.id.as_str();
                self.ask_all(rule, row, &self.askable(id, rule, row));
            }
            if self.file.change.state >= State::Scheduled {
                return;
            }
        }
        // A person whom a rule excludes gets no request; their attempt shows which rule it is.
        for person in self.file.requirements.refused.clone() {
            let words = body(json!({"decision": "approve", "content_digest": self.file.change.digests.content}));
            let _ = self.act(&StageActor::person(person.as_str()), "approves it", |case| {
                decide::approve(case, &words)
            });
        }
    }

    fn askable(&self, id: &str, rule: &ApprovalRule, row: &obligation::TargetObligation) -> Vec<PersonId> {
        let mut found: Vec<PersonId> = Vec::new();
        for target in targets_of(&self.file, row) {
            for holder in able(&self.file, &self.directory, (id, rule), target, self.now) {
                if !found.contains(&holder.person) && !self.peers.contains(&holder.person) {
                    found.push(holder.person);
                }
            }
        }
        found
    }

    fn ask_all(&mut self, rule: &ApprovalRule, row: &obligation::TargetObligation, people: &[PersonId]) {
        let id = row.obligation.id.as_str();
        for person in people {
            let counted = self
                .file
                .standing()
                .filter(|it| it.is_yes() && it.counted_for.iter().any(|row| is_worth(row, id, self.now)))
                .count();
            // For distinct groups the decision depends on who the people are, and not only on how many.
            let is_enough = rule.from.distinct_groups().is_none()
                || targets_of(&self.file, row).all(|it| is_met(&self.file, (id, rule), &it.id, self.now));
            if counted >= rule.count as usize && is_enough {
                return;
            }
            if !self.has_said_enough(person, id) {
                self.approve(&StageActor::person(person.as_str()));
            }
        }
    }

    /// Whether a person has decided and gets no further request. A decider of an earlier stage gets a new request when the
    /// stage of this rule opens, as in the product.
    fn has_said_enough(&self, person: &PersonId, rule_id: &str) -> bool {
        let mut words = self.file.standing().filter(|it| &it.person == person).peekable();
        if words.peek().is_none() {
            return false;
        }
        let is_of_rule = |row: &related_records::CountedFor| is_worth(row, rule_id, self.now);
        let has_spoken = words.any(|it| it.counted_for.iter().any(is_of_rule));
        let asked = rules_open_for(&self.file, &self.directory, person, self.now);
        has_spoken || !asked.iter().any(|it| it.counted.iter().any(is_of_rule))
    }

    /// Begins the work, inside the window.
    pub(super) fn start(&mut self, by: &StageActor) -> bool {
        if let Some(start) = self.file.change.planned_start.filter(|start| *start > self.now) {
            self.now = start + SignedDuration::from_mins(1);
        }
        self.bring_items(&[by]);
        self.act(by, "starts the work", work::start).is_ok() && self.file.change.state == State::Implementing
    }

    /// Opens break-glass.
    pub(super) fn break_glass(&mut self, by: &StageActor) -> bool {
        let until = (self.now + SignedDuration::from_hours(1)).to_string();
        let words = body(json!({"reason": "It is down.", "until": until}));
        self.act(by, "breaks the glass", |case| {
            break_glass::break_glass(case, &words, &budget::Used::new())
        })
        .is_ok()
    }

    /// Another person cosigns a break-glass use, where that is needed.
    pub(super) fn cosign(&mut self, people: &[String]) {
        for person in people {
            if self
                .act(&StageActor::person(person), "co-signs the break-glass", |case| {
                    break_glass::cosign(case, &Body::new())
                })
                .is_ok()
            {
                return;
            }
        }
    }

    /// Validates a break-glass use.
    pub(super) fn validate_glass(&mut self, by: &StageActor) -> bool {
        let words = body(json!({"text": "It was needed."}));
        self.act(by, "validates the break-glass", |case| {
            break_glass::validate(case, &words)
        })
        .is_ok()
    }

    /// The named person confirms that the retroactive work was allowed.
    pub(super) fn confirm(&mut self, by: &StageActor) -> bool {
        let words = body(json!({"confirmed": true, "text": "I said so."}));
        self.act(by, "confirms that it was allowed", |case| {
            after::confirm_retrospective(case, &words)
        })
        .is_ok()
    }

    /// Lets the time pass after which a clean change of a template closes by itself.
    fn watch(&mut self) {
        if self.file.change.content.kind != Kind::Standard || self.file.change.state != State::Reviewing {
            return;
        }
        self.now += SignedDuration::from_mins(super::cast::WATCH_MINUTES + 1);
        // The clock's own act refuses nothing.
        let _ = self.act(&StageActor::clock(), "lets the watch window pass", |case| {
            timers::run(case);
            Ok(())
        });
    }

    /// Completes, validates, reviews and closes the change; returns whether it is closed.
    pub(super) fn finish(&mut self, implementers: &[&str]) -> bool {
        let hands: Vec<StageActor> = implementers
            .iter()
            .map(|login| {
                if *login == "pip" {
                    StageActor::token(login)
                } else {
                    StageActor::person(login)
                }
            })
            .collect();
        if self.file.change.state == State::Implementing {
            let words = body(json!({"outcome": "succeeded"}));
            let hands: Vec<&StageActor> = hands.iter().collect();
            self.first_of(&hands, "completes it", false, |case| work::complete(case, &words, &[]));
        }
        self.watch();
        let helpers = [
            StageActor::person("rita"),
            StageActor::person("ida"),
            StageActor::token("pip"),
        ];
        self.prepare(&helpers.iter().collect::<Vec<_>>(), true);
        let lookers: Vec<StageActor> = ["tom", "owner-2", "owner-3", "change-managers-1", "change-managers-2"]
            .map(StageActor::person)
            .into();
        let lookers: Vec<&StageActor> = lookers.iter().collect();
        let works = body(json!({"result": "works"}));
        let is_valid = !self.file.change.validations.is_empty();
        self.first_of(&lookers, "says that it works", is_valid, |case| {
            after::validate(case, &works)
        });
        let review = body(json!({
            "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Went well.",
            "dependencies_reviewed": true,
        }));
        let is_reviewed = !self.file.change.reviews.is_empty();
        self.first_of(&lookers, "reviews it", is_reviewed, |case| {
            after::review(case, &review, &[])
        });
        self.first_of(&lookers, "closes it", false, after::close);
        self.file.change.state == State::Closed
    }

    /// The policy facts about a person here.
    pub(super) fn facts_of(&self, person: &PersonId) -> ActorFacts {
        permission::person_facts(&self.file, &self.directory, person, self.now)
    }

    /// The obstacle.
    pub(super) fn stuck(&self) -> String {
        let ahead = waiting_on::ahead(&self.file, &self.directory, self.now);
        let mut lines: Vec<String> = ahead.iter().map(|row| row.unmet.text.clone()).collect();
        lines.dedup();
        lines.truncate(3);
        let wanted = wanted(self.file.change.state);
        let mut tried = self.refused.iter().filter(|it| wanted.contains(&it.does.as_str()));
        // The writer of a set looks for rules of their own; the base set forbids most acts to most people anyway.
        let leads = |it: &&Refused| it.is_by_own_rule && (wanted.contains(&it.does.as_str()) || it.prepares());
        let told = self.refused.iter().find(leads).or_else(|| tried.next());
        if let Some(Refused { who, does, why, .. }) = told.or(self.refused.last()) {
            lines.push(format!("{who} {does}, and is refused: {why}"));
        }
        if let Some(stop) = &self.file.requirements.stop {
            lines.push(stop.clone());
        }
        format!("It stands at {}. {}", self.file.change.state, lines.join(" "))
    }

    /// The story so far.
    pub(super) fn story(&self, path: &'static str, title: &str, (shape, rule): (&Shape, String)) -> Story {
        Story {
            path,
            title: title.to_owned(),
            about: shape.words(),
            steps: self.steps.clone(),
            rule,
        }
    }
}

/// Whether a decision counts for a rule and has not expired.
fn is_worth(row: &related_records::CountedFor, rule: &str, now: Timestamp) -> bool {
    row.rule == rule && row.valid_until.is_none_or(|until| now < until)
}

/// An act that was tried in vain.
struct Refused {
    who: String,
    does: String,
    why: String,
    /// Whether a rule refused that is not of the base.
    is_by_own_rule: bool,
}

impl Refused {
    fn new(who: &str, does: &str, refusal: &Refusal) -> Self {
        let policies = match refusal {
            Refusal::NotAllowed { policies, .. } => policies.as_slice(),
            _ => &[],
        };
        Self {
            who: who.to_owned(),
            does: does.to_owned(),
            why: refusal.to_string(),
            is_by_own_rule: policies.iter().any(|it| !it.id.starts_with("base.")),
        }
    }

    /// Whether the actor would have supplied the requirements beside approvals.
    fn prepares(&self) -> bool {
        let does = self.does.as_str();
        does.starts_with("brings evidence")
            || matches!(
                does,
                "adds a task" | "does a task" | "ticks an item" | "says that the team is ready"
            )
    }
}

/// The acts that lead on from a state.
fn wanted(state: State) -> &'static [&'static str] {
    match state {
        State::Draft => &["submits it", "breaks the glass"],
        State::Assessing => &["assesses it"],
        State::Authorizing => &["approves it", "reads it as a peer and agrees"],
        State::Approved | State::Scheduled => &["starts the work"],
        State::Implementing => &["completes it"],
        _ => &[
            "says that it works",
            "validates the break-glass",
            "confirms that it was allowed",
            "reviews it",
            "closes it",
        ],
    }
}

/// The fields of a change of a shape.
fn facts(shape: &Shape, implementers: &[&str], starts_at: Timestamp) -> Body {
    let (impact, complexity) = if shape.is_high {
        ("high", "high")
    } else {
        ("low", "low")
    };
    let mut facts = body(json!({
        "kind": shape.kind, "category": shape.category, "touches": shape.touches, "title": "Something new",
        "description": "Something new.", (NewChange::JUSTIFICATION.name): "It is needed.", "complexity": complexity,
        "impact": {"data": impact, "availability": impact, "compliance": impact},
        "targets": [{
            "service": shape.service, "environment": shape.environment(), "artifact": ARTIFACT, "commit": "abcdef0",
            "rollback_to": "sha256:0000000000000000000000000000000000000000000000000000000000000000",
        }],
        "plan": [{"title": "Roll out", "minutes": 10}], "rollback_plan": [{"title": "Roll back", "minutes": 5}],
        (NewChange::ROLLBACK_MINUTES.name): 5, "implementers": implementers,
        "planned_start": starts_at.to_string(), "planned_end": (starts_at + SignedDuration::from_hours(3)).to_string(),
    }));
    if shape.kind == Kind::Standard {
        facts.insert("template".to_owned(), super::cast::TEMPLATE.into());
    }
    if shape.is_expedited {
        facts.insert("expedited".to_owned(), true.into());
        facts.insert(NewChange::EXPEDITED_REASON.name.to_owned(), "It was found late.".into());
    }
    if shape.is_told_afterwards {
        facts.remove("planned_start");
        facts.remove("planned_end");
        let by = if implementers.is_empty() {
            "alma"
        } else {
            super::cast::OPENER
        };
        let earlier = |hours: i64| (dawn() - SignedDuration::from_hours(hours)).to_string();
        let told = json!({
            "actual_start": earlier(3), "actual_end": earlier(2), "reason": "It was night.", "verbal_approver": by,
        });
        facts.insert("retrospective".to_owned(), told);
    }
    if !implementers.is_empty() {
        facts.insert("tester".to_owned(), "tom".into());
    }
    if shape.kind == Kind::Emergency {
        // An incident needs fewer approvers than a threat, so that no path hides behind security's approval.
        facts.insert("incident".to_owned(), super::cast::INCIDENT.into());
    }
    facts
}

fn stored() -> StoredFile {
    StoredFile {
        digest: ARTIFACT.to_owned(),
        size: 11,
        media_type: "text/plain".to_owned(),
        reading: None,
    }
}

fn open_items(file: &ChangeFile) -> Vec<ids::RecordId> {
    file.checklist
        .iter()
        .filter(|it| it.done.is_none() && matches!(it.kind, None | Some(ItemKind::Manual)))
        .map(|it| it.id.clone())
        .collect()
}

fn open_tasks(file: &ChangeFile) -> Vec<ids::RecordId> {
    file.tasks
        .iter()
        .filter(|it| it.state != TaskState::Done)
        .map(|it| it.id.clone())
        .collect()
}
