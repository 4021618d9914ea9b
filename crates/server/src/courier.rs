//! The threads that call other people's servers. They are apart from the workers, so that a receiver that answers slowly
//! holds up no timer and no letter. No transaction is open while a call is made.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::send_webhooks::{self, Parcel, Round};
use acts::{poll_deployments, push_freezes};
use connect::chat;
use connect::cloudevents::{MEDIA_TYPE, Outgoing, structured};
use connect::deployments::{self, Known};
use connect::gitlab::freezes::{self, Whom};
use connect::socket::call::{Call, Caller};
use connect::standard_webhooks;
use jiff::{SignedDuration, Timestamp};
use model::file::Actor;
use store::webhook::{Delivery, Leased, Tried};
use store::{Lane, Mode};
use wire::views;

use crate::clock::tick;
use crate::holder::go_round;
use crate::sequencer::told;
use crate::state::AppState;

/// How long it keeps what it took.
const LEASE: SignedDuration = store::LONGEST_LEASE;
/// After so long a round begins no further call.
const ROUND: Duration = Duration::from_secs(60);
/// After so many tries, a day after the first, a call is set aside for a person.
const TRIES: i64 = 300;
/// How much it takes at once.
const MOST: i64 = 4;

/// Starts the couriers. They end when the bells dismiss them.
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

struct Courier {
    state: AppState,
    caller: Caller,
    holder: String,
}

impl Courier {
    fn now(&self) -> Timestamp {
        self.state.desk().tools().clock.now()
    }

    /// Takes what is due; answers whether the store was there.
    fn round(&self) -> bool {
        let now = self.now();
        let look = move |tx: &mut store::CrossTx<'_>| {
            let is_due = store::call::next_due(tx)?.is_some_and(|at| at <= now);
            Ok((store::webhook::due(tx, now, MOST)?, is_due))
        };
        let desk = self.state.desk();
        let found = desk.wait_across(Lane::Worker, "which calls are due", Mode::Read, look);
        let Some((due, is_due)) = told(found, "looking for due calls") else {
            return false;
        };
        if is_due {
            self.make_calls();
        }
        for one in due {
            self.serve_webhook(&one);
        }
        true
    }

    fn make_calls(&self) {
        let (now, holder) = (self.now(), self.holder.clone());
        let take = move |tx: &mut store::CrossTx<'_>| {
            let by = store::Lease {
                now,
                until: now + LEASE,
                holder: &holder,
                most: MOST,
            };
            Ok(store::call::lease_across(tx, &by)?)
        };
        let taken = self
            .state
            .desk()
            .wait_across(Lane::Worker, "taking calls", Mode::Write, take);
        for call in told(taken, "taking calls").unwrap_or_default() {
            let made = self.make_call(&call);
            let (id, holder, tries) = (call.id.clone(), self.holder.clone(), call.tries);
            let noted = self.act(&call.tenant, move |room| {
                let now = room.now;
                Ok(match &made {
                    Ok(()) => store::call::finish(room.tx, &id, &holder)?,
                    Err((why, true)) if tries < TRIES => {
                        let again = now + model::webhook::pause(tries);
                        store::call::fail(room.tx, &id, &holder, again, why)?
                    }
                    Err((why, _)) => store::call::park(room.tx, &id, &holder, why)?,
                })
            });
            told(noted, "noting a call");
        }
    }

    /// Carries an answer to whoever asked; loads the truth first.
    fn make_call(&self, call: &store::job::Job) -> Result<(), (String, bool)> {
        if push_freezes::is_call(&call.kind) {
            return self.bring_freezes(call);
        }
        if poll_deployments::is_call(&call.kind) {
            return self.ask_for_deployments(call);
        }
        let subject = call.subject.clone();
        let load = move |room: &mut acts::Room<'_, '_>| acts::answer_outside::errand(room, &subject);
        let found = self
            .state
            .desk()
            .wait(Lane::Worker, &call.tenant, Actor::system(), Mode::Read, load)
            .map_err(|error| (error.to_string(), true))?;
        let Some(errand) = found else { return Ok(()) };
        let words = (errand.credential.as_str(), errand.page.as_str());
        connect::reply::carry(&self.caller, &errand.connection, &errand.check, words, self.now())
    }

    /// Asks for deployments that no delivery told of, and takes them.
    fn ask_for_deployments(&self, call: &store::job::Job) -> Result<(), (String, bool)> {
        let subject = call.subject.clone();
        let load = move |room: &mut acts::Room<'_, '_>| poll_deployments::errand(room, &subject);
        let found = self
            .state
            .desk()
            .wait(Lane::Worker, &call.tenant, Actor::system(), Mode::Read, load)
            .map_err(|error| (error.to_string(), true))?;
        let Some(errand) = found else { return Ok(()) };
        let known = Known {
            since: errand.since,
            ended: errand.ended,
        };
        let told = deployments::carry(&self.caller, &errand.connection, &errand.credential, &known, self.now());
        // A question that is tried for long makes room for a new one, so that asking never ends by itself.
        let signals = match told {
            Ok(signals) => signals,
            Err(_) if call.tries >= TRIES / 2 => Vec::new(),
            Err((why, _)) => return Err((why, true)),
        };
        let subject = call.subject.clone();
        let taken = self.act(&call.tenant, move |room| {
            poll_deployments::take(room, &subject, &signals)
        });
        taken.map_err(|error| (error.to_string(), true))
    }

    /// Brings a connection's freezes to its projects, and notes theirs. What one project refuses holds back no other.
    fn bring_freezes(&self, call: &store::job::Job) -> Result<(), (String, bool)> {
        let subject = call.subject.clone();
        let load = move |room: &mut acts::Room<'_, '_>| push_freezes::errand(room, &subject);
        let found = self
            .state
            .desk()
            .wait(Lane::Worker, &call.tenant, Actor::system(), Mode::Read, load)
            .map_err(|error| (error.to_string(), true))?;
        let Some(errand) = found else { return Ok(()) };
        let Some(api) = &errand.connection.api else {
            return Ok(());
        };
        let (base, token) = (api.base.trim_end_matches('/'), errand.credential.as_str());
        let (mut theirs, mut refused, began) = (Vec::new(), None, tick());
        for of in &errand.projects {
            if tick().saturating_duration_since(began) > ROUND {
                refused = Some(("not every project could be reached in time".to_owned(), true));
                break;
            }
            let project = of.repository.as_str();
            let told = freezes::carry(&self.caller, Whom { base, token, project }, &of.wanted, &of.unwanted);
            match told {
                Ok(found) => theirs.extend(found.into_iter().map(|period| (of.repository.clone(), period))),
                Err((why, may_help)) => refused = Some((format!("{project}: {why}"), may_help)),
            }
        }
        let connection = errand.connection;
        let noted = self.act(&call.tenant, move |room| push_freezes::note(room, &connection, &theirs));
        noted.map_err(|error| (error.to_string(), true))?;
        refused.map_or(Ok(()), Err)
    }

    fn act<T: Send + 'static>(
        &self,
        tenant: &str,
        act: impl Fn(&mut acts::Room<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> acts::Result<T> {
        self.state
            .desk()
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act)
    }

    fn serve_webhook(&self, one: &Leased) {
        let (id, holder, until) = (one.id.clone(), self.holder.clone(), self.now() + LEASE);
        let gathered = self.act(&one.tenant, move |room| {
            let round = send_webhooks::gather(room, &id, &holder, until)?;
            let Some(round) = round else { return Ok(None) };
            let directory = room.directory()?;
            Ok(Some((round, directory)))
        });
        let gathered = match gathered {
            Ok(gathered) => gathered,
            Err(error) => return self.leave_alone(one, &error),
        };
        let Some((round, directory)) = gathered else { return };
        let source = format!("{}/t/{}", self.state.public_url(), one.tenant);
        let sent = self.send(&round, &source, &directory);
        let (webhook, holder) = (round.webhook, self.holder.clone());
        let noted = self.act(&one.tenant, move |room| {
            send_webhooks::settle(room, &webhook, &holder, &sent.tried, &sent.rest)
        });
        told(noted, "noting a webhook's deliveries");
    }

    /// Leaves a webhook alone for a while whose events could not be gathered: those that were due first would be taken first
    /// each time, and nobody else's turn would come.
    fn leave_alone(&self, one: &Leased, error: &acts::Error) {
        let (tenant, webhook) = (&one.tenant, &one.id);
        tracing::error!(%error, tenant, webhook, "a webhook's events could not be gathered");
        if matches!(error, acts::Error::Store(fault) if fault.is_passing()) {
            return;
        }
        let (id, holder, until) = (one.id.clone(), self.holder.clone(), self.now() + LEASE);
        let rested = self.act(tenant, move |room| {
            send_webhooks::leave_alone(room, &id, &holder, until)
        });
        told(rested, "leaving a webhook alone");
    }

    /// Sends a round's parcels one after the other; stops when nobody is there to take them.
    fn send(&self, round: &Round, source: &str, directory: &model::directory::Directory) -> Sent {
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
            if is_away || tick().saturating_duration_since(began) > ROUND {
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
        (source, directory): (&str, &model::directory::Directory),
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
        if let Some(secret) = text.and_then(|text| connect::github::Secret::new(text.as_bytes())) {
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
        let answer = self.caller.call(call);
        let now = self.now();
        let again = now + model::webhook::pause(delivery.tries + 1);
        let (state, run_at, status, error, is_away, wait) = match answer {
            Ok(answer) if answer.is_taken() => ("delivered", now, Some(answer.status), None, false, None),
            Ok(answer) => {
                let text = format!("the receiver answered {}", answer.status);
                let wait = answer.retry_after_seconds;
                // Its own refusal holds back this subject alone; a server that cannot take anything holds back all.
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

/// What a round sent.
struct Sent {
    tried: Vec<Tried>,
    rest: store::webhook::Rest,
}
