//! The threads that do what waits in rows: mail, timers, deliveries. Each may run twice without harm.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use connect::mail::{Letter, Party};
use jiff::{SignedDuration, Timestamp};
use model::file::Actor;
use model::records::Message;
use store::inbox::Delivery;
use store::job::Job;
use store::timer::Timer;
use store::{Lane, Lease, Mode, inbox, job, record, timer};

use crate::clock::tick;
use crate::sequencer::{BREATH, REST, hold_back, pause, told};
use crate::settings::Smtp;
use crate::state::AppState;

/// How often a worker looks by itself: the clock makes timers due, other servers write rows.
const LOOK: Duration = Duration::from_millis(250);
/// How long a lease lasts.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How many rows a round takes.
const MOST: i64 = 20;
/// After so many tries a row is set aside for a person.
const TRIES: i64 = 5;
/// How often a server tells that it is up and old rows are removed.
const TEND: Duration = Duration::from_secs(30);
/// How often deployments are matched with changes, by the business clock.
const MATCH: SignedDuration = SignedDuration::from_mins(10);
/// How often evidence files that nothing names are looked for.
const SWEEP: Duration = Duration::from_secs(6 * 60 * 60);
/// After so many hours a silent server is forgotten, and answers kept for idempotency keys are removed.
const SERVER_HOURS: i64 = 24;
const KEPT_HOURS: i64 = 24 * 7;

/// Starts the workers. They end when the bells dismiss them.
pub(crate) fn start(
    state: &AppState,
    server: &str,
    smtp: Option<&Smtp>,
    count: usize,
) -> std::io::Result<Vec<JoinHandle<()>>> {
    (0..count.max(1))
        .map(|number| start_one(state, &format!("{server}-{number}"), number == 0, smtp))
        .collect()
}

fn start_one(state: &AppState, holder: &str, tends: bool, smtp: Option<&Smtp>) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().wake_thread();
    let worker = Worker {
        state: state.clone(),
        holder: holder.to_owned(),
        smtp: smtp.cloned(),
        tends,
        marks: Mutex::default(),
    };
    Builder::new().name(format!("worker-{holder}")).spawn(move || {
        let mut tended_at = None;
        let mut matched_at = None;
        let mut swept_at = None;
        let began_at = worker.state.desk().tools().recorder.now();
        let mut longest = LOOK;
        let mut last = tick();
        while pause(&bell, longest) {
            hold_back(last + BREATH);
            last = tick();
            longest = if worker.round() { LOOK } else { REST };
            worker.tend(&mut tended_at, began_at);
            worker.match_deployments(&mut matched_at);
            worker.sweep_evidence(&mut swept_at);
        }
    })
}

struct Worker {
    state: AppState,
    holder: String,
    smtp: Option<Smtp>,
    tends: bool,
    /// Per tenant, how far the scan for lost timers has come.
    marks: Mutex<HashMap<String, String>>,
}

/// What became of a row.
enum Done {
    /// It is finished, in its own transaction.
    Finished,
    /// Somebody else holds it now.
    Lost,
}

/// A letter's text with the line above which its reader answers, where answers are taken.
fn answerable(text: String, is_taken: bool) -> String {
    if !is_taken {
        return text;
    }
    format!(
        "{}\nYour answer becomes a comment on the change. Nothing is decided by mail.\n\n{text}",
        model::signal::REPLY_MARK
    )
}

/// What the mail server said.
enum Posted {
    /// It took the letter.
    Taken,
    /// It never will.
    Refused,
}

impl Worker {
    /// Takes what is due; answers whether the store was there.
    fn round(&self) -> bool {
        let now = self.now();
        let look = |tx: &mut store::CrossTx<'_>| Ok([timer::next_due(tx)?, inbox::next_due(tx)?, job::next_due(tx)?]);
        // A look is cheap; a lease writes.
        let found = self
            .state
            .desk()
            .wait_across(Lane::Worker, "what is due", Mode::Read, look);
        let Some(due) = told(found, "looking for what is due") else {
            return false;
        };
        if self.tends {
            self.write_tally();
        }
        let [timers, deliveries, jobs] = due.map(|at| at.is_some_and(|at| at <= now));
        if timers {
            for timer in self.leased("due timers", timer::lease_across) {
                self.run_timer(&timer);
            }
        }
        if deliveries {
            for delivery in self.leased("due deliveries", inbox::lease_across) {
                self.take_delivery(&delivery);
            }
        }
        if jobs {
            for job in self.leased("due jobs", job::lease_across) {
                self.do_job(&job);
            }
        }
        true
    }

    /// Writes how often gates were asked. What cannot be written now is lost, and only the counts suffer.
    fn write_tally(&self) {
        for (tenant, rows) in self.state.tally().take() {
            let written = self.state.desk().wait(
                Lane::Worker,
                &tenant,
                Actor::system(),
                Mode::Write,
                move |room: &mut acts::Room<'_, '_>| Ok(store::gate_use::add(room.tx, &rows)?),
            );
            told(written, "counting questions to the gate");
        }
    }

    fn now(&self) -> Timestamp {
        self.state.desk().tools().clock.now()
    }

    fn leased<T: Send + 'static>(
        &self,
        reason: &'static str,
        lease: fn(&mut store::CrossTx<'_>, &Lease<'_>) -> store::Result<Vec<T>>,
    ) -> Vec<T> {
        let (now, holder) = (self.now(), self.holder.clone());
        let take = move |tx: &mut store::CrossTx<'_>| {
            Ok(lease(
                tx,
                &Lease {
                    now,
                    until: now + LEASE,
                    holder: &holder,
                    most: MOST,
                },
            )?)
        };
        told(
            self.state.desk().wait_across(Lane::Worker, reason, Mode::Write, take),
            reason,
        )
        .unwrap_or_default()
    }

    /// Does an act in a tenant as the system, and rings its bell.
    fn act<T: Send + 'static>(
        &self,
        tenant: &str,
        act: impl Fn(&mut acts::Room<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> acts::Result<T> {
        let done = self
            .state
            .desk()
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act);
        if done.is_ok() {
            self.state.bells().ring(tenant);
        }
        done
    }

    fn run_timer(&self, row: &Timer) {
        let (row_in, holder) = (row.clone(), self.holder.clone());
        let done = self.act(&row.tenant, move |room| {
            if !timer::holds(room.tx, &row_in.id, &holder)? {
                return Ok(Done::Lost);
            }
            acts::run_timer::run_timer(room, &row_in.subject_table, &row_in.subject_id)?;
            // The work may have set the timer anew, which ends the lease as well: either way it is done.
            timer::finish(room.tx, &row_in.id, &holder)?;
            Ok(Done::Finished)
        });
        if let Err(error) = done {
            self.again(&row.tenant, &row.id, row.tries, &error, (timer::fail, timer::park));
        }
    }

    fn take_delivery(&self, row: &Delivery) {
        let connection = row.connection.clone();
        let kind = self
            .state
            .desk()
            .wait(Lane::Worker, &row.tenant, Actor::system(), Mode::Read, move |room| {
                Ok(acts::set_connection::connection(room, &connection)?.kind)
            });
        let Some(kind) = told(kind, "finding a delivery's connection") else {
            return;
        };
        let signals = match connect::door::read(&kind, &row.event, &row.body, row.received_at) {
            Ok(signals) => signals,
            Err(aside) => return self.set_aside(row, aside.reason),
        };
        let (row_in, holder) = (row.clone(), self.holder.clone());
        let done = self.act(&row.tenant, move |room| {
            if !inbox::holds(room.tx, &row_in.id, &holder)? {
                return Ok(Done::Lost);
            }
            acts::take_delivery::take_delivery(room, &row_in.id, &holder, &row_in.connection, &signals)?;
            Ok(Done::Finished)
        });
        if let Err(error) = done {
            self.again(&row.tenant, &row.id, row.tries, &error, (inbox::fail, inbox::park));
        }
    }

    /// A delivery that cannot be read will not get better: it is kept, with the reason, and shown to an administrator.
    fn set_aside(&self, row: &Delivery, reason: String) {
        let (id, holder) = (row.id.clone(), self.holder.clone());
        told(
            self.act(&row.tenant, move |room| {
                Ok(inbox::park(room.tx, &id, &holder, &reason)?)
            }),
            "setting a delivery aside",
        );
    }

    /// Gives a row back for a later try, or sets it aside after too many.
    fn again(&self, tenant: &str, id: &str, tries: i64, error: &acts::Error, verbs: (Fail, Park)) {
        tracing::error!(%error, tenant, id, tries, "a row could not be worked");
        let passing = matches!(error, acts::Error::Store(fault) if fault.is_passing());
        let (id, holder, why) = (id.to_owned(), self.holder.clone(), error.to_string());
        let seconds = 1_i64 << tries.clamp(0, 9);
        let (fail, park) = verbs;
        let noted = self.act(tenant, move |room| {
            let done = if tries >= TRIES && !passing {
                park(room.tx, &id, &holder, &why)?
            } else {
                let retry_at = room.now + SignedDuration::from_secs(seconds);
                fail(room.tx, &id, &holder, retry_at, &why)?
            };
            Ok(done)
        });
        told(noted, "giving a row back");
    }

    fn do_job(&self, row: &Job) {
        let done = match row.kind.as_str() {
            "mail" => self.mail(row),
            acts::tell_held::DIGEST => self.digest(row),
            other => Err(acts::Error::Fault(format!("nobody does jobs of the kind `{other}`"))),
        };
        if let Err(error) = done {
            self.again(&row.tenant, &row.id, row.tries, &error, (job::fail, job::park));
        }
    }

    /// Sends a message's mail; without a mail server it stays kept, and is read on the pages.
    fn mail(&self, row: &Job) -> acts::Result<()> {
        let Some(smtp) = &self.smtp else {
            return self.finish_job(row, None);
        };
        let subject = row.subject.clone();
        let load = move |room: &mut acts::Room<'_, '_>| {
            let Some(stored) = record::load::<Message>(room.tx, &subject)? else {
                return Ok(None);
            };
            let directory = room.directory()?;
            let Some(person) = directory.people.get(&stored.record.person).cloned() else {
                return Ok(None);
            };
            // The letter is written for its reader: their zone, what they may see.
            room.actor.person = person.id.clone();
            let letter = crate::web::letter(room, &stored.record)?;
            let reply_to = acts::reply_by_mail::reply_address(room, &stored.record)?;
            Ok(Some((stored.record, person, letter, reply_to)))
        };
        let found = self
            .state
            .desk()
            .wait(Lane::Worker, &row.tenant, Actor::system(), Mode::Read, load)?;
        let Some((message, person, letter, reply_to)) = found else {
            return self.finish_job(row, None);
        };
        let Some(address) = person.email.clone().filter(|_| person.active) else {
            return self.finish_job(row, None);
        };
        let letter = Letter {
            from: self.sender(smtp),
            to: Party {
                name: person.name,
                address,
            },
            subject: letter
                .as_ref()
                .map_or_else(|| message.subject.clone(), |mail| mail.subject.clone()),
            text: answerable(
                letter.map_or_else(|| message.text.clone(), |mail| mail.body),
                reply_to.is_some(),
            ),
            reply_to,
            message_id: self.message_id(message.id.as_str()),
            written_at: message.at,
        };
        match self.post(row, smtp, &letter)? {
            Posted::Taken => self.finish_job(row, Some("mailed")),
            Posted::Refused => self.finish_job(row, Some("failed")),
        }
    }

    /// Sends one letter about the messages that a job gathered. Its id is the job's, so that a second try carries the same.
    fn digest(&self, row: &Job) -> acts::Result<()> {
        let Some(smtp) = &self.smtp else {
            return self.finish_digest(row, None);
        };
        let (reader, payload) = (row.subject.clone(), row.payload.clone());
        let load = move |room: &mut acts::Room<'_, '_>| {
            let messages = acts::tell_held::gathered(room, &payload)?;
            let directory = room.directory()?;
            let Some(person) = directory.people.get(&reader.as_str().into()).cloned() else {
                return Ok(None);
            };
            room.actor.person = person.id.clone();
            let letter = crate::web::digest(room, &messages)?;
            Ok(Some((person, letter, messages.iter().map(|it| it.at).max())))
        };
        let found = self
            .state
            .desk()
            .wait(Lane::Worker, &row.tenant, Actor::system(), Mode::Read, load)?;
        let found = found.filter(|(person, ..)| person.active);
        let Some((person, mail, written_at)) = found else {
            return self.finish_digest(row, None);
        };
        let Some(address) = person.email else {
            return self.finish_digest(row, None);
        };
        let letter = Letter {
            from: self.sender(smtp),
            to: Party {
                name: person.name,
                address,
            },
            reply_to: None,
            subject: mail.subject,
            text: mail.body,
            message_id: self.message_id(&row.id),
            written_at: written_at.unwrap_or(row.run_at),
        };
        match self.post(row, smtp, &letter)? {
            Posted::Taken => self.finish_digest(row, Some("mailed")),
            Posted::Refused => self.finish_digest(row, Some("failed")),
        }
    }

    fn finish_digest(&self, row: &Job, delivery: Option<&'static str>) -> acts::Result<()> {
        let (id, payload, holder) = (row.id.clone(), row.payload.clone(), self.holder.clone());
        self.act(&row.tenant, move |room| {
            if !job::finish(room.tx, &id, &holder)? {
                return Ok(());
            }
            match delivery {
                Some(delivery) => acts::tell_held::mark_gathered(room, &payload, delivery),
                None => Ok(()),
            }
        })
    }

    fn sender(&self, smtp: &Smtp) -> Party {
        Party {
            name: "Assent".to_owned(),
            address: smtp.from.clone(),
        }
    }

    fn message_id(&self, id: &str) -> String {
        let host = self
            .state
            .public_url()
            .split_once("://")
            .map_or("assent", |(_, rest)| rest);
        let host: String = host
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
            .collect();
        format!("{id}@{host}")
    }

    /// Hands a letter to the mail server; a fault means that it is worth another try.
    fn post(&self, row: &Job, smtp: &Smtp, letter: &Letter) -> acts::Result<Posted> {
        let built = connect::mail::message(letter).map_err(|error| connect::socket::SendError {
            temporary: false,
            text: error.to_string(),
        });
        match built.and_then(|built| connect::socket::send_mail(&smtp.server, &built)) {
            Ok(()) => Ok(Posted::Taken),
            Err(error) if error.temporary && row.tries < TRIES => Err(acts::Error::Fault(error.text)),
            Err(error) => {
                tracing::warn!(error = %error.text, job = %row.id, "a letter was not taken");
                Ok(Posted::Refused)
            }
        }
    }

    /// Ends a job, and notes what became of its message.
    fn finish_job(&self, row: &Job, delivery: Option<&'static str>) -> acts::Result<()> {
        let (id, subject, holder) = (row.id.clone(), row.subject.clone(), self.holder.clone());
        self.act(&row.tenant, move |room| {
            if !job::finish(room.tx, &id, &holder)? {
                return Ok(());
            }
            let Some(delivery) = delivery else { return Ok(()) };
            let Some(stored) = record::load::<Message>(room.tx, &subject)? else {
                return Ok(());
            };
            let mut written = acts::save::Written::default();
            room.put(
                &mut written,
                Message {
                    delivery: delivery.to_owned(),
                    ..stored.record
                },
            )?;
            room.tell(Vec::new(), written)
        })
    }

    /// Looks once in a while for deployments and changes without a partner, and tells of them.
    fn match_deployments(&self, matched_at: &mut Option<Timestamp>) {
        let now = self.now();
        if !self.tends || matched_at.is_some_and(|at| at + MATCH > now && at <= now) {
            return;
        }
        *matched_at = Some(now);
        let find = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let desk = self.state.desk();
        let tenants = told(
            desk.wait_across(Lane::Worker, "whose deployments", Mode::Read, find),
            "listing tenants",
        );
        for tenant in tenants.unwrap_or_default() {
            // A look that finds nothing new must not hold the writer.
            let look = desk.wait(
                Lane::Worker,
                &tenant,
                Actor::system(),
                Mode::Read,
                acts::coverage::alarming,
            );
            let found = told(look, "matching deployments").unwrap_or_default();
            if !found.is_empty() {
                let tell = move |room: &mut acts::Room<'_, '_>| acts::coverage::raise_alarm(room, &found);
                told(self.act(&tenant, tell), "telling of unmatched deployments");
            }
            self.make_up_calls(&tenant);
        }
    }

    /// Has those asked whom nobody asks, such as connections that were made before there was asking.
    fn make_up_calls(&self, tenant: &str) {
        let find = acts::find_lost_calls::find_lost_calls;
        let desk = self.state.desk();
        let looked = desk.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, find);
        for connection in told(looked, "looking for lost calls").unwrap_or_default() {
            let id = connection.id.0.clone();
            tracing::info!(tenant, id, "nothing was asked of this connection; it is from now on");
            let make_up = move |room: &mut acts::Room<'_, '_>| acts::find_lost_calls::make_up(room, &connection);
            told(self.act(tenant, make_up), "making up for a lost call");
        }
    }

    /// Tells that this server is up, and removes what is over.
    fn tend(&self, tended_at: &mut Option<Instant>, began_at: Timestamp) {
        let now = tick();
        let is_due = tended_at.is_none_or(|at| now.saturating_duration_since(at) >= TEND);
        if !self.tends || !is_due {
            return;
        }
        *tended_at = Some(now);
        let (business, true_time) = (self.now(), self.state.desk().tools().recorder.now());
        let server = store::servers::Server {
            id: self.holder.clone(),
            started_at: began_at,
            beat_at: true_time,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let sweep = move |tx: &mut store::CrossTx<'_>| {
            store::servers::beat(tx, &server)?;
            store::servers::prune(tx, true_time - SignedDuration::from_hours(SERVER_HOURS))?;
            store::session::prune(tx, business)?;
            store::second_factor::prune(tx, business)?;
            store::workload::prune(tx, business)?;
            store::webhook::prune(
                tx,
                business - SignedDuration::from_hours(24 * model::webhook::KEPT_DAYS),
            )?;
            store::idempotency::prune(tx, true_time - SignedDuration::from_hours(KEPT_HOURS))?;
            Ok(())
        };
        told(
            self.state
                .desk()
                .wait_across(Lane::Worker, "sweeping", Mode::Write, sweep),
            "sweeping",
        );
        self.scan();
        let depths = |tx: &mut store::CrossTx<'_>| Ok([job::depth(tx)?, timer::depth(tx)?, inbox::depth(tx)?]);
        let found = self
            .state
            .desk()
            .wait_across(Lane::Worker, "depths of queues", Mode::Read, depths);
        if let Some(depths) = told(found, "measuring queues") {
            self.state.metrics().note_depths(depths);
        }
    }
}

impl Worker {
    /// Looks once in a while, first right after the start, for evidence files that nothing names.
    fn sweep_evidence(&self, swept_at: &mut Option<Instant>) {
        let now = tick();
        let is_due = swept_at.is_none_or(|at| now.saturating_duration_since(at) >= SWEEP);
        if !self.tends || !is_due {
            return;
        }
        let names = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let desk = self.state.desk();
        let found = desk.wait_across(Lane::Worker, "whose evidence is swept", Mode::Read, names);
        if let Some(tenants) = told(found, "looking for tenants") {
            *swept_at = Some(now);
            crate::sweep::sweep_evidence(&self.state, &tenants);
        }
    }

    /// Looks for lost timers, a few changes of each tenant a round, so that the whole store is passed slowly.
    fn scan(&self) {
        let names = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let found = self
            .state
            .desk()
            .wait_across(Lane::Worker, "whose timers may be lost", Mode::Read, names);
        for tenant in told(found, "looking for tenants").unwrap_or_default() {
            let after = self
                .marks
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&tenant)
                .cloned();
            let look = move |room: &mut acts::Room<'_, '_>| {
                acts::find_lost_timers::find_lost_timers(room, after.as_deref().unwrap_or_default())
            };
            let desk = self.state.desk();
            let looked = desk.wait(Lane::Worker, &tenant, Actor::system(), Mode::Read, look);
            let lost = told(looked, "looking for lost timers").unwrap_or_default();
            for (table, id) in lost.subjects {
                if table == acts::review_by_clock::LOST {
                    // A tenant of an older version never had one.
                    tracing::info!(tenant, "the timer of the review of access is set");
                } else {
                    tracing::warn!(tenant, table, id, "a timer was lost; it is made up for now");
                }
                let run = self.act(&tenant, move |room| acts::run_timer::run_timer(room, table, &id));
                told(run, "making up for a lost timer");
            }
            let mark = lost.mark;
            let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
            match mark {
                Some(mark) => marks.insert(tenant, mark),
                None => marks.remove(&tenant),
            };
        }
    }
}

/// Gives a row back: id, holder, when, why.
type Fail = fn(&mut store::Tx<'_>, &str, &str, Timestamp, &str) -> store::Result<bool>;
/// Sets a row aside: id, holder, why.
type Park = fn(&mut store::Tx<'_>, &str, &str, &str) -> store::Result<bool>;
