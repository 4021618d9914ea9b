//! The sections of a change's page below its decision card.

use std::collections::{BTreeMap, BTreeSet};

use acts::audit::find_timeline::ShownEvent;
use acts::change::find_acts::OpenActs;
use acts::report::find_records::PipelineReport;
use model::change::blocks::lets_do;
use model::change::change_file::ChangeFile;
use model::change::record::{self, Change, Content, PostImplementationReview};
use model::change::related_records::{self, Comment, Entry as ActionEntry};
use model::change::waiting_on::ahead;
use model::core::act::Act as Verb;
use model::core::enums::{
    self, ApprovalState, GateDecision, Kind, LinkKind, Outcome, PermitState, State, TaskState, ValidationResult,
};
use model::core::ids::PersonId;
use model::core::statement::Stated;
use model::directory::snapshot::Directory;
use model::emergency::records::BreakGlass;
use model::gate::answer;
use model::risk::effective::effective;
use pages::{
    Act, ActContext, ActForm, ActTone, Entry, Fact, Field, Input, Moment, Rich, Stepper, TargetRow, Tone, Work,
};

use serde_json::Value;

use crate::http::percent::escaped;
use crate::web::approval::decision_card::{self, decided, missing, outcome_mark, request_reason, step_name, way_on};
use crate::web::cab::meetings;
use crate::web::change::open_acts::{asked_words, awaits_decision_of, is_met_without};
use crate::web::change::review_draft::{cause_text, what_differs};
use crate::web::change::runbook::action_log;
use crate::web::change::{course, custom_fields, waves};
use crate::web::risk::affected;
use crate::web::shared::fields::watching;
use crate::web::shared::timeline;
use crate::web::shared::view::View;
use crate::web::shared::words::{capital, free, plain, state};

/// How many moments of the timeline a change's page shows.
const MOMENTS: usize = 60;

/// The data of the sections.
pub(crate) struct Around<'f> {
    /// The file.
    pub file: &'f ChangeFile,
    /// Its comments.
    pub comments: Vec<Comment>,
    /// Its log of actions.
    pub entries: Vec<ActionEntry>,
    /// The reports of pipelines about its deployments.
    pub reports: Vec<PipelineReport>,
    /// The events, newest first.
    pub told: Vec<ShownEvent>,
    /// The acts that are open to the reader.
    pub open: &'f OpenActs,
    /// The data about the change that forms need.
    pub context: &'f ActContext,
    /// The review as it is drafted, where one is wanted after a failure.
    pub review_draft: Option<Value>,
    /// The targets that are listed.
    pub listed: &'f [record::Target],
}

impl Around<'_> {
    pub(crate) fn act(&self, verb: Verb, act: Act) -> Vec<ActForm> {
        if self.open.has(verb) {
            vec![act.form(self.context)]
        } else {
            Vec::new()
        }
    }

    fn item(&self, act: Act, item: &str) -> ActForm {
        act.form(&ActContext {
            item: item.to_owned(),
            ..self.context.clone()
        })
    }

    pub(crate) fn at(&self, id: &str, label: &str, path: &str) -> ActForm {
        ActForm::new(id, label, format!("{}{path}", self.context.change_url)).tone(ActTone::Link)
    }

    /// The unmet conditions before each step.
    pub fn requirements(&self, view: &View<'_, '_, '_>) -> Work {
        let rows = ahead(self.file, &view.directory, view.now());
        let entries = rows.iter().map(|row| {
            let entry = Entry::new(Tone::Wait, missing(view, &row.unmet))
                .code(row.unmet.code.as_str())
                .why(way_on(view, &row.unmet))
                .aside(step_name(row.step));
            // If a decision is missing, the sentence names the deciders.
            match row.unmet.waiting_on.is_empty() || row.unmet.code == "approval_missing" {
                true => entry,
                false => entry.aside(view.all_waits_on(&row.unmet.waiting_on)),
            }
        });
        let mut entries: Vec<Entry> = entries.collect();
        entries.extend(self.checklist(view));
        let open = rows.len();
        let note = if open == 0 {
            String::new()
        } else {
            format!("{open} open")
        };
        Work::new(note, entries)
    }

    /// The requested approvers, the reasons, and their decisions.
    pub fn approvals(&self, view: &View<'_, '_, '_>) -> Work {
        let template = decision_card::by_template(view, self.file);
        let mut entries: Vec<Entry> = template
            .into_iter()
            .map(|(tone, text)| {
                Entry::new(tone, text).why("A change that follows the template needs no approval of its own.")
            })
            .collect();
        for approval in &self.file.approvals {
            entries.push(self.approval(view, approval));
        }
        entries.extend(meetings::entries(view, self.file));
        let change = &self.file.change;
        for request in &change.requests {
            let has_decided = self.file.standing().any(|approval| approval.person == request.person);
            if has_decided && !awaits_decision_of(view, self.file, &request.person) {
                continue;
            }
            let aside = match request.acknowledged_at {
                Some(at) => Rich::from("seen ").append(view.ago(at)),
                None => Rich::from("asked ").append(view.ago(request.asked_at)),
            };
            let (tone, words) = asked_words(change, request);
            let is_late = request.acknowledged_at.is_none() && request.acknowledge_by < view.now();
            let is_late = is_late && tone == Tone::Wait;
            let aside = if is_late { aside.all_late() } else { aside };
            entries.push(
                Entry::new(tone, view.person(&request.person).text(words))
                    .why(
                        view.sentence(request_reason(&request.why))
                            .text(", rule ")
                            .code(request.rule.as_str()),
                    )
                    .aside(aside),
            );
        }
        for review in &self.file.peer_reviews {
            let tone = if review.state == ApprovalState::Standing {
                Tone::Ok
            } else {
                Tone::Plain
            };
            let words = format!(" {}s as a peer", review.verdict.as_str());
            let mut entry = Entry::new(tone, view.person(&review.person).text(words)).aside(view.ago(review.at));
            if review.state != ApprovalState::Standing {
                entry = entry.why(plain(review.state.as_str()));
            }
            entries.push(match &review.text {
                Some(text) => entry.quote(text.as_str()).own(review.person == view.me),
                None => entry,
            });
        }
        Work::new(self.yes_note(view), entries)
    }

    /// The share of approvals among requested approvers and deciders: “2 of 4 approved”. An approval that an edit voided in
    /// part, so that its author is a requested approver again, does not count.
    fn yes_note(&self, view: &View<'_, '_, '_>) -> String {
        let yes: BTreeSet<&PersonId> = self
            .file
            .standing()
            .filter(|approval| approval.is_yes() && !awaits_decision_of(view, self.file, &approval.person))
            .map(|approval| &approval.person)
            .collect();
        let change = &self.file.change;
        let open = change.requests.iter().filter(|row| !is_met_without(change, row));
        let mut asked: BTreeSet<&PersonId> = open.map(|row| &row.person).collect();
        // A rejection ends all requests. Its author still counts in the total, but not as approving.
        asked.extend(self.file.standing().map(|approval| &approval.person));
        let glass = self.file.change.lawful_break_glass();
        let bypassed = glass.map_or(0, BreakGlass::bypassed_approvals);
        match asked.len() {
            _ if bypassed > 0 => format!(
                "{} of {} approved, break-glass replaced the others",
                yes.len(),
                yes.len() + usize::try_from(bypassed).unwrap_or_default()
            ),
            0 => String::new(),
            all => format!("{} of {all} approved", yes.len()),
        }
    }

    fn approval(&self, view: &View<'_, '_, '_>, approval: &related_records::Approval) -> Entry {
        let (tone, text) = decided(view, approval);
        let stands = approval.state == ApprovalState::Standing;
        let mut entry = Entry::new(if stands { tone } else { Tone::Plain }, text);
        let mut rules: Vec<&str> = approval.counted_for.iter().map(|row| row.rule.as_str()).collect();
        // A member of several groups that a rule names has a reason for each.
        rules.dedup();
        entry.sub = match (stands, approval.ended.as_deref()) {
            (true, _) if rules.is_empty() => Rich::from("Not required by any rule."),
            (true, _) => rules
                .iter()
                .enumerate()
                .fold(Rich::new().text("Counts for rule "), |rich, (place, rule)| {
                    rich.text(if place > 0 { ", " } else { "" }).code(*rule)
                }),
            (false, why) => Rich::from(why.unwrap_or(approval.state.as_str())),
        };
        if let Some(comment) = &approval.comment {
            entry = entry.quote(comment.as_str()).own(approval.person == view.me);
        }
        entry = entry.aside(Rich::new().digest(&approval.content_digest));
        let used = self.file.permits.iter().any(|permit| permit.issued_at >= approval.at);
        if stands && approval.person == view.me && self.open.has(Verb::Withdraw) && !used {
            let id = approval.id.as_str();
            entry = entry.act(format!("approval-{id}"), self.item(Act::Withdraw, id));
        }
        entry
    }

    /// Conditions of approvals.
    pub fn conditions(&self, view: &View<'_, '_, '_>) -> Work {
        let entries = self
            .file
            .conditions
            .iter()
            .filter(|condition| !condition.lapsed)
            .map(|condition| {
                let id = condition.id.as_str();
                let checkers = model::change::conditions::checkers(self.file, &view.directory, condition);
                let names: Vec<String> = checkers.iter().map(|person| view.name(person)).collect();
                let entry = Entry::new(
                    if condition.met.is_some() { Tone::Ok } else { Tone::Wait },
                    free(&condition.text),
                );
                match &condition.met {
                    Some(met) => entry
                        .why(view.person(&met.by).text(" confirmed that it is met"))
                        .aside(view.ago(met.at)),
                    None if checkers.contains(&view.me) && self.open.has(Verb::MeetCondition) => {
                        let meet = self
                            .at(&format!("meet-{id}"), "It is met", &format!("/conditions/{id}/met"))
                            .field(Field::textarea("text", "How you checked it"))
                            .submit("Confirm that it is met");
                        entry
                            .why(format!("due before {}, checked by you", condition.due.as_str()))
                            .act(format!("condition-{id}"), meet)
                    }
                    None => {
                        let due = format!("due before {}, checked by ", condition.due.as_str());
                        entry.why(Rich::from(due).said(names.join(", ")))
                    }
                }
            });
        Work::new("", entries.collect())
    }

    /// Tasks.
    pub fn tasks(&self, view: &View<'_, '_, '_>) -> Work {
        let entries = self.file.tasks.iter().map(|task| {
            let tone = match task.state {
                TaskState::Open => Tone::Wait,
                TaskState::Done => Tone::Ok,
                TaskState::Dropped => Tone::Plain,
            };
            let who = match &task.assignee {
                Some(person) => view.person(person),
                None => Rich::from("nobody yet"),
            };
            let holds = if task.mandatory {
                "the next step waits for it"
            } else {
                "optional"
            };
            let entry = Entry::new(tone, Rich::new().said(task.title.as_str()))
                .why(
                    Rich::from(format!("{}, ", task.kind))
                        .append(who)
                        .text(format!("; {holds}")),
                )
                .aside(match &task.done_by {
                    Some(person) => {
                        Rich::from(format!("{} by ", plain(task.state.as_str()))).append(view.person(person))
                    }
                    None => Rich::from(plain(task.state.as_str())),
                });
            let id = task.id.as_str();
            let is_theirs = lets_do(task, &view.me, (self.file, &view.directory, view.now()));
            if task.state != TaskState::Open || !self.open.has(Verb::UpdateTask) || !is_theirs {
                return entry;
            }
            let update = self
                .at(&format!("task-{id}"), "Finish or drop it", &format!("/tasks/{id}"))
                .field(
                    Field::radio("state", "It is", &[("done", "done"), ("dropped", "dropped")])
                        .value("done")
                        .required(),
                )
                .field(Field::textarea("text", "In words").hint("Required when it is dropped."))
                .submit("Record it");
            entry.act(format!("task-{id}"), update)
        });
        let entries: Vec<Entry> = entries.collect();
        let done = self
            .file
            .tasks
            .iter()
            .filter(|task| task.state != TaskState::Open)
            .count();
        let note = if entries.is_empty() {
            String::new()
        } else {
            format!("{done} of {} done", entries.len())
        };
        Work::new(note, entries).acts(self.act(Verb::AddTask, Act::AddTask))
    }

    /// The gate's present decision for each target, and the issued permits.
    pub fn gate(&self, view: &View<'_, '_, '_>) -> Work {
        let now = view.now();
        let mut entries = Vec::new();
        for row in answer::rows(self.file, &view.directory, now) {
            let answer = answer::judge(&row, now);
            let artifact = row.artifact.as_deref().or(row.commit.as_deref()).unwrap_or_default();
            let way = if row.purpose == enums::Purpose::Rollback {
                "back to"
            } else {
                "forward with"
            };
            let (tone, word) = match answer.decision {
                GateDecision::Go => (Tone::Ok, "Go"),
                GateDecision::Stop => (Tone::Stop, "Stop"),
            };
            let text = Rich::new()
                .strong(word)
                .text(" for ")
                .said(row.service.as_str())
                .text(", ")
                .said(row.environment.as_str())
                .text(format!(", {way} "))
                .digest(artifact);
            let why = answer
                .reasons
                .first()
                .map(|reason| view.sentence(&reason.text))
                .unwrap_or_default();
            let entry = Entry::new(tone, text).why(why);
            entries.push(match answer.next_transition_at {
                Some(at) => entry.aside(format!("next check {}", view.reader.moment(at))),
                None => entry,
            });
        }
        entries.extend(self.file.permits.iter().map(|permit| self.permit(view, permit)));
        Work::new("", entries).acts(self.permits_ahead(now))
    }

    /// For each target that a policy lets have its permit before the window.
    fn permits_ahead(&self, now: jiff::Timestamp) -> Vec<ActForm> {
        if !self.open.has(Verb::IssuePermit) {
            return Vec::new();
        }
        let targets = self.file.change.open_targets();
        let granted = targets.filter(|target| model::gate::permit::is_granted_ahead(self.file, &target.id, now));
        granted
            .map(|target| {
                let place = format!("{}, {}", target.service, target.environment);
                let form = ActForm::new(
                    format!("permit-ahead-{}", target.id),
                    format!("Fetch the permit for {place}"),
                    format!("{}/permit-file", self.context.change_url),
                )
                .note("The permit is valid from the planned start. It does not start the change; the deployment's own signal \
                    does.")
                .field(Field::hidden("service", target.service.as_str()))
                .field(Field::hidden("environment", target.environment.as_str()));
                let named = [("artifact", &target.artifact), ("commit", &target.commit)];
                named
                    .into_iter()
                    .filter_map(|(name, value)| Some(Field::hidden(name, value.as_deref()?)))
                    .fold(form, ActForm::field)
            })
            .collect()
    }

    fn permit(&self, view: &View<'_, '_, '_>, permit: &related_records::Permit) -> Entry {
        let id = permit.id.as_str();
        let is_good = permit.state == PermitState::Issued && permit.expires_at > view.now();
        let text = Rich::new()
            .text("Permit for ")
            .said(permit.service.as_str())
            .text(", ")
            .said(permit.environment.as_str())
            .text(format!(", {}", permit.purpose));
        let mut entry = Entry::new(if is_good { Tone::Ok } else { Tone::Plain }, text).icon("leaf");
        entry.sub = match (&permit.revoked_reason, permit.used_at) {
            (Some(reason), _) => Rich::from("revoked: ").append(free(reason)),
            (None, Some(at)) => Rich::from(format!("used {}", view.reader.moment(at))),
            (None, None) => Rich::from(format!("valid until {}", view.reader.moment(permit.expires_at))),
        };
        entry = entry.aside(view.ago(permit.issued_at));
        if is_good && self.open.has(Verb::RevokePermit) {
            entry = entry.act(format!("permit-{id}"), self.item(Act::RevokePermit, id));
        }
        let mut closed = self.file.change.closed_targets.iter();
        let is_shut = closed.any(|row| row.permit == permit.id && row.lifted.is_none());
        if is_shut && self.file.change.state.is_open() && self.open.has(Verb::RevokePermit) {
            entry = entry.act(format!("permit-{id}"), self.item(Act::LiftRevocation, id));
        }
        entry
    }

    /// The log of actions, with the form that writes into it.
    pub fn runbook(&self, view: &View<'_, '_, '_>) -> Work {
        let entries = action_log(view, &self.entries, &self.reports);
        let mut acts = self.act(Verb::Record, Act::Entry);
        if !acts.is_empty() {
            let page = format!("{}/runbook", self.context.change_url);
            acts.insert(0, ActForm::link("Step by step", page));
        }
        acts.extend(self.undo_acts());
        acts.extend(self.ready_acts(view));
        Work::new("", entries).acts(acts)
    }

    /// Validations and reviews, with their forms.
    pub fn review(&self, view: &View<'_, '_, '_>) -> Work {
        let change = &self.file.change;
        let mut entries: Vec<Entry> = Vec::new();
        for validation in &change.validations {
            let (tone, word) = match validation.result {
                ValidationResult::Works => (Tone::Ok, "it works"),
                ValidationResult::DoesNot => (Tone::Stop, "it does not work"),
            };
            let entry = Entry::new(
                tone,
                Rich::new()
                    .append(view.person(&validation.by))
                    .text(format!(" reported that {word}")),
            )
            .aside(view.ago(validation.at));
            entries.push(match &validation.text {
                Some(text) => entry.quote(text.as_str()).own(validation.by == view.me),
                None => entry,
            });
        }
        for review in &change.reviews {
            let yes = |is: Option<bool>| match is {
                Some(true) => "yes",
                Some(false) => "no",
                None => "not answered",
            };
            let kind = match review.addendum {
                true => "added to the review",
                false => "reviewed it",
            };
            let mut entry = Entry::new(
                if review.is_unanswered() { Tone::Wait } else { Tone::Ok },
                view.person(&review.by).text(format!(" {kind}")),
            )
            .why(format!(
                "Objectives met: {}. Assessment adequate: {}. Steps adequate: {}.",
                yes(review.objectives_met),
                yes(review.assessment_adequate),
                yes(review.steps_adequate)
            ))
            .quote(review.summary.as_str())
            .own(review.by == view.me)
            .aside(view.ago(review.at));
            if let Some(cause) = root_cause(view, review) {
                entry = entry.aside(cause);
            }
            if !review.incidents.is_empty() {
                entry = entry.aside(Rich::from("It addresses ").said(review.incidents.join(", ")));
            }
            if let Some(text) = cause_text(change, review) {
                entry = entry.aside(text);
            }
            for line in &review.improvements {
                entry = entry.aside(Rich::from("Improvement: ").said(line.as_str()));
            }
            entries.push(entry);
        }
        entries.extend(change.finding.as_ref().map(|it| found(view, it)));
        entries.extend(self.review_draft.as_ref().map(what_differs));
        // During the review, the reader's possible validation and review are shown at the top.
        let mut acts = Vec::new();
        if change.state == State::Closed {
            acts.extend(self.act(Verb::Review, Act::Review).into_iter().map(addendum));
        }
        Work::new("", entries).acts(acts)
    }

    /// The watch after the work, and the incidents that began meanwhile.
    pub fn watch(&self, view: &View<'_, '_, '_>) -> Work {
        let change = &self.file.change;
        let mut entries: Vec<Entry> = course::watch(view, change).into_iter().collect();
        entries.extend(watch_entries(view, change));
        Work::new("", entries)
    }

    /// Links to other records, with the recorded outcomes of the changes among them.
    pub fn links(&self, view: &View<'_, '_, '_>, told: &BTreeMap<String, Outcome>) -> Work {
        let entries = self.file.links.iter().map(|link| {
            let to = match &link.to_change {
                Some(_) => Rich::new().link(link.to.as_str(), view.change_url(&link.to)),
                None => Rich::new().said(link.to.as_str()),
            };
            let entry = Entry::new(
                Tone::Plain,
                Rich::new().text(format!("{} ", capital(link.kind.as_str()))).append(to),
            );
            match told.get(&link.to) {
                Some(outcome) => entry.icon("list").why(plain(outcome.as_str())),
                None => entry.icon("list"),
            }
        });
        let reached = affected::line(view, &self.file.change);
        let waves = waves::line(view, &self.file.change);
        let mut acts = self.act(Verb::Link, Act::Link);
        if !self.open.has(Verb::Edit) && !self.open.has(Verb::Label) {
            acts.iter_mut().for_each(leave_holding_out);
        }
        Work::new("", waves.into_iter().chain(reached).chain(entries).collect()).acts(acts)
    }

    /// Comments, oldest first, with the form that adds one.
    pub fn comments(&self, view: &View<'_, '_, '_>) -> Work {
        let entries = self.comments.iter().map(|comment| {
            Entry::new(Tone::Plain, view.person(&comment.by))
                .icon("comment")
                .quote(comment.text.as_str())
                .own(comment.by == view.me)
                .aside(view.moment(comment.at))
        });
        Work::new("", entries.collect()).acts(self.act(Verb::Comment, Act::Comment))
    }

    /// The events, newest first, with log indexes.
    pub fn timeline(&self, view: &View<'_, '_, '_>) -> Vec<Moment> {
        self.told
            .iter()
            .take(MOMENTS)
            .map(|told| {
                let said = timeline::entry_of(told).and_then(|id| self.entries.iter().find(|it| it.id.0 == id));
                timeline::moment_of(view, told, said.map(|it| timeline::noted(view, it)))
            })
            .collect()
    }

    /// The targets with their outcomes.
    pub fn targets(&self, view: &View<'_, '_, '_>) -> Vec<TargetRow> {
        let change = &self.file.change;
        let rows = self.listed.iter().map(|target| {
            let outcome = change.target_record(&target.id).and_then(|record| record.outcome);
            let mut acts = Vec::new();
            if outcome.is_some() && self.open.has(Verb::Complete) {
                acts.push(self.revise_outcome(target));
            }
            TargetRow {
                id: target.id.0.clone(),
                service: target.service.0.clone(),
                href: view.url(&format!("/services/{}", target.service)),
                environment: target.environment.0.clone(),
                build: target
                    .artifact
                    .as_deref()
                    .or(target.commit.as_deref())
                    .map(str::to_owned)
                    .unwrap_or_default(),
                rollback_to: target.rollback_to.clone().unwrap_or_default(),
                outcome: outcome.map(outcome_mark).unwrap_or_default(),
                acts,
            }
        });
        rows.collect()
    }

    fn revise_outcome(&self, target: &record::Target) -> ActForm {
        let id = target.id.as_str();
        let mut form = Act::Complete.form(self.context).tone(ActTone::Link);
        form.id = format!("complete-{id}");
        form.verb_label = "Another outcome".to_owned();
        form.fields.retain(|field| field.name != "target");
        form.field(Field::hidden("target", id))
    }

    /// The facts beside the page.
    pub fn facts(&self, view: &View<'_, '_, '_>) -> Vec<Fact> {
        let change = &self.file.change;
        let content = &change.content;
        let mut facts = vec![
            Fact::people("Change owner", vec![view.named(&content.owner)]),
            Fact::people("Requester", vec![view.named(&change.requester)]),
        ];
        if !content.implementers.is_empty() {
            facts.push(Fact::people("Implementers", view.all_named(&content.implementers)));
        }
        if let Some(tester) = &content.tester {
            facts.push(Fact::people("Tester", vec![view.named(tester)]));
        }
        facts.extend(unknown_items(content, &view.directory));
        for (label, value) in [("Team", &content.team), ("Business contact", &content.business_contact)] {
            if let Some(value) = value {
                facts.push(Fact::new(label, Rich::new().said(value.as_str())));
            }
        }
        if let Some(incident) = &content.incident {
            facts.push(Fact::new("Incident", incident_fact(view, incident)));
        }
        facts.extend(template_fact(view, content));
        facts.extend(custom_fields::facts(view, change));
        facts.push(risk_fact(self.file));
        let touches = effective(self.file, &view.directory, view.now()).touches;
        let each = touches.iter().map(|touch| Rich::from(capital(&plain(touch.as_str()))));
        if let Some(told) = each.reduce(|all, next| all.line().append(next)) {
            facts.push(Fact::new("Touches", told));
        }
        facts.push(Fact::new("Category", capital(content.category.as_str())).folded());
        if !change.labels.is_empty() {
            facts.push(Fact::new("Labels", Rich::new().said(change.labels.join(", "))));
        }
        let digests = Fact {
            is_folded: true,
            label: "Digests".to_owned(),
            values: vec![
                Rich::new().text("what ").digest(&change.digests.what),
                Rich::new().text("when ").digest(&change.digests.when),
            ],
            ..Fact::default()
        };
        facts.push(digests);
        if !change.watchers.is_empty() {
            facts.push(watching(view, change.watchers.iter(), std::iter::empty()));
        }
        facts.push(Fact::new("Updated", view.moment(change.updated_at)));
        facts
    }

    /// The lifecycle.
    pub fn stepper(&self, view: &View<'_, '_, '_>) -> Stepper {
        let change = &self.file.change;
        let day = |at: Option<jiff::Timestamp>| at.map(|at| view.reader.day(at));
        let notes = [
            (pages::State::Draft, day(Some(change.created_at))),
            (pages::State::Assessing, day(change.submitted_at)),
            (pages::State::Authorizing, day(change.assessed_at)),
            (pages::State::Implementing, day(change.actual_start)),
            (pages::State::Closed, day(change.closed_at)),
        ];
        let reached = match (change.assessed_at, change.submitted_at) {
            (Some(_), _) => pages::State::Authorizing,
            (None, Some(_)) => pages::State::Assessing,
            (None, None) => pages::State::Draft,
        };
        Stepper {
            current: state(change.state),
            reached: Some(reached),
            notes: notes
                .into_iter()
                .filter_map(|(state, note)| Some((state, note?)))
                .collect(),
        }
    }
}

/// The recorded effects of a change, and the incidents that began while it was watched.
fn watch_entries(view: &View<'_, '_, '_>, change: &Change) -> Vec<Entry> {
    let linked = |key: &str| match view.directory.incidents.get(key) {
        Some(incident) => Rich::new()
            .link(key, view.url(&format!("/incidents/{}", escaped(key))))
            .text(" ")
            .said(incident.title.as_str()),
        None => Rich::new().said(key),
    };
    let caused = change.caused_incidents.iter().map(|row| {
        let text = Rich::new()
            .append(view.person(&row.by))
            .text(" confirmed that it caused ")
            .append(linked(&row.incident));
        Entry::new(Tone::Stop, text).aside(view.ago(row.at))
    });
    let is_caused = |key: &str| change.caused_incidents.iter().any(|row| row.incident == key);
    let others = change.watch_incidents.iter().filter(|row| !is_caused(&row.incident));
    let seen = others.map(|row| {
        let is_open = view
            .directory
            .incidents
            .get(&row.incident)
            .is_some_and(|it| it.resolved_at.is_none());
        let tone = if is_open { Tone::Stop } else { Tone::Wait };
        let state = if is_open { "It is open." } else { "It is resolved." };
        let text = Rich::new()
            .text("Began in its watch window: ")
            .append(linked(&row.incident));
        Entry::new(tone, text).why(state).aside(view.ago(row.at))
    });
    caused.chain(seen).collect()
}

/// A review of a closed change: it adds to the record and changes nothing of it.
fn addendum(form: ActForm) -> ActForm {
    let mut form = form.submit("Add this to the review");
    form.verb_label = "Add to the review".to_owned();
    form
}

/// The config items that the directory does not hold: only the service's owners are responsible for them.
fn unknown_items(content: &Content, directory: &Directory) -> Option<Fact> {
    let items = content.targets.iter().flat_map(|target| &target.config_items);
    let unknown: BTreeSet<&str> = items
        .filter(|item| !directory.config_items.contains_key(*item))
        .map(String::as_str)
        .collect();
    let names: Vec<&str> = unknown.into_iter().collect();
    (!names.is_empty()).then(|| Fact::new("Unknown config items", Rich::new().said(names.join(", "))))
}

/// The incident behind a change: one of ours with a link, an external one as plain text, so that nobody looks for it here.
fn incident_fact(view: &View<'_, '_, '_>, named: &str) -> Rich {
    let key = named.to_uppercase();
    if view.directory.incidents.contains_key(&key) {
        let url = view.url(&format!("/incidents/{}", escaped(&key)));
        return Rich::new().said_link(named, url);
    }
    Rich::new().said(named).text(" (outside reference)")
}

/// The template that a standard change follows.
fn template_fact(view: &View<'_, '_, '_>, content: &Content) -> Option<Fact> {
    let pinned = content.template.as_ref().filter(|_| content.kind == Kind::Standard)?;
    let url = view.url(&format!("/templates/{}", escaped(&pinned.key)));
    let told = Rich::new().said_link(pinned.key.as_str(), url);
    Some(Fact::new(
        "Template",
        told.text(format!(", version {}", pinned.template_version)),
    ))
}

fn risk_fact(file: &ChangeFile) -> Fact {
    let risk = &file.change.risk;
    let mut values = vec![
        Rich::new()
            .strong(capital(risk.level.as_str()))
            .text(format!(" ({} of 12)", risk.score)),
    ];
    values.extend(risk.reasons.iter().map(|reason| Rich::from(reason.as_str())));
    let stated = file.change.content.risk_override.as_ref();
    values.extend(stated.map(|stated| Rich::new().quoted(stated.reason.as_str())));
    Fact {
        label: "Risk".to_owned(),
        values,
        ..Fact::default()
    }
}

/// Removes the option to hold the start from a link's form: only a person who may edit the change has it.
fn leave_holding_out(form: &mut ActForm) {
    for field in &mut form.fields {
        if let Input::Select(choices) = &mut field.input {
            choices.retain(|choice| choice.value != LinkKind::DependsOn.as_str());
        }
    }
}

/// The root cause that a review names, with its label.
fn root_cause(view: &View<'_, '_, '_>, review: &PostImplementationReview) -> Option<Rich> {
    let cause = review.cause.as_deref()?;
    let rich = Rich::from("Root cause: ").said_link(cause, view.url("/causes"));
    Some(match &review.cause_text {
        Some(words) => rich.text(". ").said(words.as_str()),
        None => rich,
    })
}

fn found(view: &View<'_, '_, '_>, finding: &Stated) -> Entry {
    let who = view.person(&finding.by);
    Entry::new(Tone::Wait, who.text(" found on the unauthorized work"))
        .quote(finding.reason.as_str())
        .own(finding.by == view.me)
}
