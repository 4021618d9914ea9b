//! The threads that make outgoing calls. They are separate from the workers, so that a slow receiver delays no timer and no
//! letter. No transaction is open during a call. A taken row is begun at once and finished long before its lease ends, so that
//! no other thread takes it meanwhile.

use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use acts::gate::run_tasks;
use acts::integration::send_webhooks::{self, Parcel, Round};
use acts::integration::{external_checks, poll_deployments};
use acts::risk::ask_probes;
use acts::schedule::push_freezes;
use connect::integration::cloudevents::{MEDIA_TYPE, Outgoing, structured};
use connect::integration::deployments::{self, KnownDeployments, PollResult};
use connect::integration::gitlab::freezes::{self, Whom};
use connect::integration::traces::Begun;
use connect::integration::{github, probe, reply, standard_webhooks};
use connect::notify::chat;
use connect::socket::call::{Call, Caller};
use jiff::{SignedDuration, Timestamp};
use model::change::around::checklist::ProbeResult;
use model::change::change_file::Actor;
use model::directory::snapshot;
use model::integration::signal::DecisionKind;
use store::integration::call;
use store::integration::webhook::{Delivery, Leased, Tried};
use store::queue::job;
use store::{Lane, Mode};
use wire::views;

use crate::background::queue_worker::{HANDS, go_round, side_by_side};
use crate::background::sequencer::{log_fault, times};
use crate::http::clock::tick;
use crate::http::state::AppState;
use crate::web::notify::letters;

/// The lease of a row: a round, its last call, and as much again to write the result.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// After so long a round begins no further call.
const ROUND: Duration = Duration::from_secs(60);
/// After so many tries, a day after the first, a call is set aside for a person.
const TRIES: i64 = 300;
/// How many characters of a probe's response are kept.
const TOLD_OF_ANSWER: usize = 500;
/// How many webhooks it looks after in a round. Each is taken when its turn comes.
const WEBHOOKS: i64 = 4;

/// Starts the couriers. They end when the notifier dismisses them.
pub(crate) fn start(
    state: &AppState,
    server: &str,
    caller: &Caller,
    count: usize,
) -> std::io::Result<Vec<JoinHandle<()>>> {
    (0..count.max(1))
        .map(|number| {
            let bell = state.bells().wake_thread();
            let courier = Courier {
                state: state.clone(),
                caller: caller.clone(),
                holder: format!("{server}-courier-{number}"),
            };
            Builder::new()
                .name(format!("courier-{number}"))
                .spawn(move || go_round(&bell, || courier.round()))
        })
        .collect()
}

pub(super) struct Courier {
    state: AppState,
    pub(super) caller: Caller,
    holder: String,
}

impl Courier {
    pub(super) fn now(&self) -> Timestamp {
        self.state.executor().tools().clock.now()
    }

    /// The same courier, with its calls in the trace of a span.
    fn tracing(&self, begun: Option<&Begun>) -> Self {
        Self {
            state: self.state.clone(),
            caller: self.caller.tracing(begun.map(Begun::traceparent)),
            holder: self.holder.clone(),
        }
    }

    /// Whether work that began at this time may begin another call.
    pub(super) fn may_go_on(&self, began: Instant) -> bool {
        !self.state.bells().is_stopping() && tick().saturating_duration_since(began) <= ROUND
    }

    /// Takes due calls; returns whether the store was available.
    fn round(&self) -> bool {
        if self.state.bells().is_stopping() {
            return true;
        }
        let now = self.now();
        let look = move |tx: &mut store::CrossTx<'_>| {
            let is_due = call::next_due(tx)?.is_some_and(|at| at <= now);
            Ok((store::integration::webhook::due(tx, now, WEBHOOKS)?, is_due))
        };
        let executor = self.state.executor();
        let found = executor.wait_across(Lane::Worker, "which calls are due", Mode::Read, look);
        let Some((due, is_due)) = log_fault(found, "looking for due calls") else {
            return false;
        };
        if is_due {
            self.make_calls();
        }
        for one in due {
            if self.state.bells().is_stopping() {
                break;
            }
            self.serve_webhook(&one);
        }
        true
    }

    fn make_calls(&self) {
        let (now, holder) = (self.now(), self.holder.clone());
        // No more calls than are made at once: waiting calls are not leased.
        let most = i64::try_from(HANDS).unwrap_or(1);
        let take = move |tx: &mut store::CrossTx<'_>| {
            let by = store::Lease {
                now,
                until: now + LEASE,
                holder: &holder,
                most,
            };
            Ok(call::lease_across(tx, &by)?)
        };
        let taken = self
            .state
            .executor()
            .wait_across(Lane::Worker, "taking calls", Mode::Write, take);
        let calls = log_fault(taken, "taking calls").unwrap_or_default();
        side_by_side(&calls, |call| self.do_call(call));
    }

    fn do_call(&self, call: &job::Job) {
        let name = || format!("call {}", call.kind);
        let work = |begun: Option<&Begun>| self.tracing(begun).make_call(call);
        let made = self.state.in_span((name, call.trace.as_deref()), work);
        let (id, holder, tries) = (call.id.clone(), self.holder.clone(), call.tries);
        let noted = self.act(&call.tenant, move |cx| {
            let now = cx.now;
            Ok(match &made {
                Ok(()) => call::finish(cx.tx, &id, &holder)?,
                Err((why, true)) if tries < TRIES => {
                    let again = now + model::integration::webhook::pause(tries);
                    call::fail(cx.tx, &id, &holder, again, why)?
                }
                Err((why, _)) => call::park(cx.tx, &id, &holder, why)?,
            })
        });
        log_fault(noted, "noting a call");
    }

    /// Delivers a decision to the system that requested it; loads the current state first.
    fn make_call(&self, call: &job::Job) -> Result<(), (String, bool)> {
        if push_freezes::is_call(&call.kind) {
            return self.bring_freezes(call);
        }
        if poll_deployments::is_call(&call.kind) {
            return self.ask_for_deployments(call);
        }
        if ask_probes::is_call(&call.kind) {
            return self.ask_probe(call);
        }
        if let Some(made) = self.make_watch_call(call).or_else(|| self.make_foreign_call(call)) {
            return made;
        }
        let subject = call.subject.clone();
        let load = move |cx: &mut acts::Context<'_, '_>| external_checks::errand(cx, &subject);
        let found = self
            .state
            .executor()
            .wait(Lane::Worker, &call.tenant, Actor::system(), Mode::Read, load)
            .map_err(|error| (error.to_string(), true))?;
        let Some(errand) = found else { return Ok(()) };
        let words = (errand.credential.as_str(), errand.page.as_str());
        reply::carry(&self.caller, &errand.connection, &errand.check, words, self.now())?;
        if errand.check.ask == DecisionKind::RunTask && errand.check.is_over {
            let check = errand.check.id.0.clone();
            let forgotten = self.act(&call.tenant, move |cx| run_tasks::forget_token(cx, &check));
            log_fault(forgotten, "forgetting the token of a run");
        }
        Ok(())
    }

    /// Queries the probe of a checklist. Any result is kept with the change, so the query is not retried by itself.
    fn ask_probe(&self, call: &job::Job) -> Result<(), (String, bool)> {
        let subject = call.subject.clone();
        let load = move |cx: &mut acts::Context<'_, '_>| ask_probes::errand(cx, &subject);
        let found = self
            .state
            .executor()
            .wait(Lane::Worker, &call.tenant, Actor::system(), Mode::Read, load)
            .map_err(|error| (error.to_string(), true))?;
        let Some(errand) = found else { return Ok(()) };
        let answer = self.answer_of(&errand);
        let taken = self.act(&call.tenant, move |cx| {
            ask_probes::take(cx, &errand.change, answer.clone())
        });
        taken.map_err(|error| (error.to_string(), true))
    }

    /// The response of a probe, or the reason why it has no usable response.
    fn answer_of(&self, errand: &ask_probes::Errand) -> ProbeResult {
        let mut answered = ProbeResult {
            probe: errand.key.clone(),
            place: errand.place.clone(),
            found: Err(format!("No probe `{}` is in use.", errand.key)),
            body: String::new(),
            digest: proof::crypto::digest_text(b""),
            size: 0,
            media_type: String::new(),
        };
        let Some((known, url)) = &errand.probe else {
            return answered;
        };
        let call = Call {
            method: "GET",
            url: url.clone(),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: Vec::new(),
        };
        match self.caller.call(&call) {
            Err(why) => answered.found = Err(format!("There was no answer: {why}.")),
            Ok(answer) => {
                answered.found = probe::read(&answer, &known.pointer, known.reads, self.now());
                answered.body = String::from_utf8_lossy(&answer.body)
                    .chars()
                    .take(TOLD_OF_ANSWER)
                    .collect();
                answered.digest = proof::crypto::digest_text(&answer.body);
                answered.size = i64::try_from(answer.body.len()).unwrap_or(i64::MAX);
                answered.media_type = answer.media_type;
            }
        }
        answered
    }

    /// Fetches deployments that no delivery reported, and records them.
    fn ask_for_deployments(&self, call: &job::Job) -> Result<(), (String, bool)> {
        let began = tick();
        let (subject, left) = (call.subject.clone(), call.payload.clone());
        let load = move |cx: &mut acts::Context<'_, '_>| poll_deployments::errand(cx, &subject, &left);
        let found = self
            .state
            .executor()
            .wait(Lane::Worker, &call.tenant, Actor::system(), Mode::Read, load)
            .map_err(|error| (error.to_string(), true))?;
        let Some(errand) = found else { return Ok(()) };
        let known = KnownDeployments {
            since: errand.since,
            ended: errand.ended,
        };
        let (connection, credential) = (&errand.connection, errand.credential.as_str());
        let may_go_on = || self.may_go_on(began);
        let round = (self.now(), &may_go_on as &dyn Fn() -> bool);
        // After many tries a query is replaced by a new one, so that polling never ends by itself.
        let is_tried = call.tries >= TRIES / 2;
        let told = match deployments::carry(&self.caller, connection, credential, &known, round) {
            Ok(told) => told,
            Err(_) if is_tried => PollResult::default(),
            Err((why, _)) => return Err((why, true)),
        };
        self.take_deployments(call, told, is_tried)
    }

    /// Records the fetched deployments. If a repository failed, the same query is retried.
    fn take_deployments(&self, call: &job::Job, told: PollResult, is_tried: bool) -> Result<(), (String, bool)> {
        let failed = told.failed.clone().filter(|_| !is_tried);
        let (subject, id, holder) = (call.subject.clone(), call.id.clone(), self.holder.clone());
        let is_done = failed.is_none();
        let taken = self.act(&call.tenant, move |cx| {
            poll_deployments::take(cx, &subject, &told.signals)?;
            if is_done {
                return poll_deployments::queue_next_poll(cx, &subject, &told.left);
            }
            // A thread that lost its lease meanwhile leaves this to the next holder.
            call::note_left(cx.tx, &id, &holder, &told.left.join("\n"))?;
            Ok(())
        });
        taken.map_err(|error| (error.to_string(), true))?;
        failed.map_or(Ok(()), |why| Err((why, true)))
    }

    /// Writes a connection's freezes to its projects, and records the projects' own. A project that refuses delays no other.
    fn bring_freezes(&self, call: &job::Job) -> Result<(), (String, bool)> {
        let began = tick();
        let (subject, left) = (call.subject.clone(), call.payload.clone());
        let load = move |cx: &mut acts::Context<'_, '_>| push_freezes::errand(cx, &subject, &left);
        let found = self
            .state
            .executor()
            .wait(Lane::Worker, &call.tenant, Actor::system(), Mode::Read, load)
            .map_err(|error| (error.to_string(), true))?;
        let Some(errand) = found else { return Ok(()) };
        let brought = self.bring_to_projects(&errand, began);
        let (id, holder) = (call.id.clone(), self.holder.clone());
        let left = brought.left.join("\n");
        let noted = self.act(&call.tenant, move |cx| {
            call::note_left(cx.tx, &id, &holder, &left)?;
            push_freezes::note(cx, &errand.connection, &brought.theirs)
        });
        noted.map_err(|error| (error.to_string(), true))?;
        brought.refused.map_or(Ok(()), Err)
    }

    /// Goes from project to project. Projects without a turn come first in the next round, before those that refused: a few
    /// silent projects must not use up every round.
    fn bring_to_projects(&self, errand: &push_freezes::Errand, began: Instant) -> Brought {
        let mut brought = Brought::default();
        let Some(api) = &errand.connection.api else {
            return brought;
        };
        let (base, token) = (api.base.trim_end_matches('/'), errand.credential.as_str());
        let (mut again, may_go_on) = (Vec::new(), || self.may_go_on(began));
        for of in &errand.projects {
            if !may_go_on() {
                brought.left.push(of.repository.clone());
                brought.refused = Some((freezes::LATE.to_owned(), true));
                continue;
            }
            let project = of.repository.as_str();
            let whom = Whom { base, token, project };
            match freezes::carry(&self.caller, whom, &of.wanted, &of.unwanted, &may_go_on) {
                Ok(found) => {
                    let found = found.into_iter().map(|period| (of.repository.clone(), period));
                    brought.theirs.extend(found);
                }
                Err((why, may_help)) => {
                    again.push(of.repository.clone());
                    let may_help = may_help || brought.refused.is_some_and(|(_, may_help)| may_help);
                    brought.refused = Some((format!("{project}: {why}"), may_help));
                }
            }
        }
        brought.left.append(&mut again);
        brought
    }

    pub(super) fn act<T: Send + 'static>(
        &self,
        tenant: &str,
        act: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> acts::Result<T> {
        self.state
            .executor()
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act)
    }

    pub(super) fn look<T: Send + 'static>(
        &self,
        tenant: &str,
        act: impl Fn(&mut acts::Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> acts::Result<T> {
        self.state
            .executor()
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, act)
    }

    fn serve_webhook(&self, one: &Leased) {
        let (id, holder, until) = (one.id.clone(), self.holder.clone(), self.now() + LEASE);
        let gathered = self.act(&one.tenant, move |cx| {
            let round = send_webhooks::gather(cx, &id, &holder, until)?;
            let Some(round) = round else { return Ok(None) };
            let directory = cx.directory()?;
            Ok(Some((round, directory)))
        });
        let gathered = match gathered {
            Ok(gathered) => gathered,
            Err(error) => return self.leave_alone(one, &error),
        };
        let Some((mut round, directory)) = gathered else { return };
        if let Err(error) = self.word_cards(&one.tenant, &mut round) {
            return self.leave_alone(one, &error);
        }
        let source = format!("{}/t/{}", self.state.public_url(), one.tenant);
        let sent = self.send(&round, &source, &directory);
        let (webhook, holder) = (round.webhook, self.holder.clone());
        let noted = self.act(&one.tenant, move |cx| {
            send_webhooks::settle(cx, &webhook, &holder, &sent.tried, &sent.rest)
        });
        log_fault(noted, "noting a webhook's deliveries");
    }

    /// Adds the facts of the decision card to a chat message. Everything here is only read, and blocks no writer.
    fn word_cards(&self, tenant: &str, round: &mut Round) -> acts::Result<()> {
        let asked = |parcel: &Parcel| {
            let card = parcel.card.as_ref().filter(|card| card.answers.is_empty());
            card.map(|_| parcel.subject.clone())
        };
        let keys: Vec<String> = round.parcels.iter().filter_map(asked).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let told = self.look(tenant, move |cx| letters::card_facts(cx, &keys))?;
        let cards = round.parcels.iter_mut().filter_map(|parcel| parcel.card.as_mut());
        for (card, answers) in cards.filter(|card| card.answers.is_empty()).zip(told) {
            card.answers = answers;
        }
        Ok(())
    }

    /// Skips a webhook for a while when its events could not be gathered. Otherwise the failing webhook would be taken first
    /// each time, and the others would get no turn.
    fn leave_alone(&self, one: &Leased, error: &acts::Error) {
        let (tenant, webhook) = (&one.tenant, &one.id);
        if let Some(times) = times(&format!("{tenant} {webhook} {error}")) {
            tracing::error!(%error, tenant, webhook, times, "a webhook's events could not be gathered");
        }
        if matches!(error, acts::Error::Store(fault) if fault.is_passing()) {
            return;
        }
        let (id, holder, until) = (one.id.clone(), self.holder.clone(), self.now() + LEASE);
        let rested = self.act(tenant, move |cx| send_webhooks::leave_alone(cx, &id, &holder, until));
        log_fault(rested, "leaving a webhook alone");
    }

    /// Sends a round's messages one after the other; stops when the receiver is unavailable or the server stops.
    fn send(&self, round: &Round, source: &str, directory: &snapshot::Directory) -> Sent {
        let keys: Vec<_> = round
            .secrets
            .iter()
            .filter_map(|bytes| standard_webhooks::key(&standard_webhooks::secret_text(bytes)))
            .collect();
        let began = tick();
        let mut tried: Vec<Tried> = Vec::new();
        let (mut is_away, mut wait) = (false, None);
        let mut stuck: Vec<&str> = Vec::new();
        for parcel in &round.parcels {
            let delivery = &parcel.delivery;
            if is_away || !self.may_go_on(began) {
                break;
            }
            if stuck.contains(&delivery.subject.as_str()) {
                continue;
            }
            let call = match parcel
                .card
                .as_ref()
                .and_then(|card| chat::body(round.webhook.format, card))
            {
                Some(body) => Call {
                    method: "POST",
                    url: round.address.clone(),
                    headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                    body,
                },
                None => self.signed(round, parcel, (source, directory), &keys),
            };
            let one = self.try_one(&call, delivery);
            (is_away, wait) = (one.is_away, one.wait);
            if one.tried.state != "delivered" {
                stuck.push(&delivery.subject);
            }
            tried.push(one.tried);
        }
        let rest = send_webhooks::rest(&round.before, self.now(), tried.last(), is_away, wait);
        Sent { tried, rest }
    }

    /// A signed event.
    fn signed(
        &self,
        round: &Round,
        parcel: &Parcel,
        (source, directory): (&str, &snapshot::Directory),
        keys: &[standard_webhooks::Key],
    ) -> Call {
        let event = &parcel.event;
        let data = views::event(&event.bytes, event.seq, directory);
        let body = structured(&Outgoing {
            id: &event.id,
            source,
            kind: &event.kind,
            subject: &parcel.subject,
            time: &event.occurred_at.to_string(),
            index: event.seq.unwrap_or_default(),
            data,
        });
        let mut headers = standard_webhooks::headers(keys, &event.id, self.now(), &body);
        headers.push(("content-type".to_owned(), MEDIA_TYPE.to_owned()));
        // Many receivers know GitHub's form alone: HMAC over the body, keyed with the secret's text.
        let text = round.secrets.first().map(|bytes| standard_webhooks::secret_text(bytes));
        if let Some(secret) = text.and_then(|text| github::Secret::new(text.as_bytes())) {
            headers.push(("x-hub-signature-256".to_owned(), secret.sign(&body)));
        }
        Call {
            method: "POST",
            url: round.address.clone(),
            headers,
            body,
        }
    }

    fn try_one(&self, call: &Call, delivery: &Delivery) -> One {
        let work = |begun: Option<&Begun>| self.tracing(begun).caller.call(call);
        let answer = self
            .state
            .in_span((|| "webhook".to_owned(), delivery.trace.as_deref()), work);
        let now = self.now();
        let again = now + model::integration::webhook::pause(delivery.tries + 1);
        let (state, run_at, status, error, is_away, wait) = match answer {
            Ok(answer) if answer.is_taken() => ("delivered", now, Some(answer.status), None, false, None),
            Ok(answer) => {
                let text = format!("the receiver answered {}", answer.status);
                let wait = answer.retry_after_seconds;
                // A refusal of one message holds back this subject alone; a server that accepts nothing holds back all.
                (
                    "waiting",
                    again,
                    Some(answer.status),
                    Some(text),
                    answer.is_busy(),
                    wait,
                )
            }
            Err(why) => ("waiting", now, None, Some(why), true, None),
        };
        One {
            tried: Tried {
                seq: delivery.seq,
                state,
                run_at,
                status: status.map(i64::from),
                error,
            },
            is_away,
            wait,
        }
    }
}

/// One try.
struct One {
    tried: Tried,
    is_away: bool,
    wait: Option<i64>,
}

/// The result of a round of freezes.
#[derive(Default)]
struct Brought {
    /// Periods that another party set there, each with its repository.
    theirs: Vec<(String, String)>,
    /// Projects that are still to be gone to.
    left: Vec<String>,
    /// The last error, and whether a retry may help.
    refused: Option<(String, bool)>,
}

/// The messages that a round sent.
struct Sent {
    tried: Vec<Tried>,
    rest: store::integration::webhook::Rest,
}
