//! The thread that sends letters. It is separate from the workers, so that a slow or unreachable mail server delays no timer
//! and no delivery. No transaction is open while a letter is sent.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::core::write;
use acts::notify::{communicate, invite, reply_by_mail, send_deferred};
use acts::schedule::notice_by_mail;
use connect::notify::mail::{CalendarPart, Letter, Method, Party};
use jiff::SignedDuration;
use model::change::related_records::Message;
use model::integration::{signal, webhook};
use store::queue::job::{self, Job};
use store::{Mode, record};

use crate::background::queue_worker::{Failed, HANDS, Holder, go_round, side_by_side};
use crate::background::sequencer::times;
use crate::http::clock::tick;
use crate::http::settings::Smtp;
use crate::http::state::AppState;
use crate::web::notify::calendar_feed::invitation;
use crate::web::notify::letters;

/// After so many tries, a day after the first, a letter is given up. Its message stays on the reader's pages.
const TRIES: i64 = 300;

/// How long the mail server may take over one letter, all steps together.
const LETTER: Duration = Duration::from_secs(150);
/// The lease of a letter: it covers the sending, and the writing of the result.
const LEASE: SignedDuration = store::LONGEST_LEASE;

/// Starts the postman. It ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState, server: &str, smtp: Option<&Smtp>) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().wake_thread();
    let postman = Postman {
        holder: Holder {
            state: state.clone(),
            name: format!("{server}-postman"),
            lease: LEASE,
        },
        smtp: smtp.cloned(),
    };
    Builder::new()
        .name("postman".to_owned())
        .spawn(move || go_round(&bell, || postman.round()))
}

/// The calendar part of an invitation to a change, as the change is now; nothing for any other letter.
fn calendar_part(
    cx: &mut acts::Context<'_, '_>,
    message: &Message,
    (from, to): (&str, Option<&str>),
) -> acts::Result<Option<CalendarPart>> {
    let method = match message.topic.as_str() {
        invite::REQUEST => Method::Request,
        invite::CANCEL => Method::Cancel,
        _ => return Ok(None),
    };
    let (Some(key), Some(to)) = (&message.change_key, to) else {
        return Ok(None);
    };
    let change = cx.change(key)?;
    let base = format!("{}/t/{}", cx.services.tools().public_url, cx.tenant());
    Ok(invitation(&change, method, (from, to), (&base, cx.now)))
}

struct Postman {
    holder: Holder,
    smtp: Option<Smtp>,
}

/// A letter's text, with the mark above which a reader replies, where replies are accepted.
fn answerable(text: String, is_taken: bool) -> String {
    if !is_taken {
        return text;
    }
    format!(
        "{}\nYour answer becomes a comment on the change. Nothing is decided by mail.\n\n{text}",
        signal::REPLY_MARK
    )
}

/// The mail server's response.
enum Posted {
    /// The letter was accepted.
    Taken,
    /// The letter is refused for good.
    Refused,
    /// The letter may be accepted later; with the present reason.
    NotYet(String),
}

impl Postman {
    /// Takes due letters; returns whether the store was available.
    fn round(&self) -> bool {
        if self.holder.state.bells().is_stopping() {
            return true;
        }
        let now = self.holder.now();
        let look = |tx: &mut store::CrossTx<'_>| Ok(job::next_due(tx)?);
        let Some(due) = self.holder.across("which letters are due", Mode::Read, look) else {
            return false;
        };
        if due.is_some_and(|at| at <= now) {
            // No more letters than are sent at once: letters behind a silent mail server are not leased.
            let most = i64::try_from(HANDS).unwrap_or(1);
            let rows = self.holder.leased("due jobs", most, job::lease_across);
            side_by_side(&rows, |row| self.do_job(row));
        }
        true
    }

    fn do_job(&self, row: &Job) {
        let work = || match row.kind.as_str() {
            "mail" => self.mail(row),
            send_deferred::DIGEST => self.digest(row),
            communicate::LETTER => self.to_address(row),
            notice_by_mail::LETTER => self.to_desk(row),
            other => Err(acts::Error::Fault(format!("nobody does jobs of the kind `{other}`"))),
        };
        let name = || format!("letter {}", row.kind);
        let done = self.holder.state.in_span((name, row.trace.as_deref()), |_| work());
        if let Err(error) = done {
            let failed = Failed {
                tenant: &row.tenant,
                id: &row.id,
                tries: row.tries,
            };
            self.holder.again(failed, &error, (job::fail, Some(job::park)));
        }
    }

    /// Sends a message's mail; without a mail server it stays kept, and is read on the pages.
    fn mail(&self, row: &Job) -> acts::Result<()> {
        let Some(smtp) = &self.smtp else {
            return self.finish_job(row, None);
        };
        let (subject, from) = (row.subject.clone(), smtp.from.clone());
        let load = move |cx: &mut acts::Context<'_, '_>| {
            let Some(stored) = record::load::<Message>(cx.tx, &subject)? else {
                return Ok(None);
            };
            let directory = cx.directory()?;
            let Some(person) = directory.people.get(&stored.record.person).cloned() else {
                return Ok(None);
            };
            // The letter is written for its reader: in their time zone, with the records that they may see.
            cx.actor.person = person.id.clone();
            let letter = letters::letter(cx, &stored.record)?;
            let reply_to = reply_by_mail::reply_address(cx, &stored.record)?;
            let calendar = calendar_part(cx, &stored.record, (&from, person.email.as_deref()))?;
            Ok(Some((stored.record, person, letter, reply_to, calendar)))
        };
        let found = self.holder.look(&row.tenant, load)?;
        let Some((message, person, letter, reply_to, calendar)) = found else {
            return self.finish_job(row, None);
        };
        // A message about a change of address goes to the earlier address, which its job names.
        let named = Some(row.payload.clone()).filter(|address| !address.is_empty());
        let Some(address) = named.or(person.email.clone()).filter(|_| person.active) else {
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
            unsubscribe: None,
            message_id: self.message_id(message.id.as_str()),
            written_at: message.at,
        };
        match Self::post_with(row, smtp, &letter, calendar.as_ref()) {
            Posted::Taken => self.finish_job(row, Some("mailed")),
            Posted::Refused => self.finish_job(row, Some("failed")),
            Posted::NotYet(why) => self.try_later(row, why),
        }
    }

    /// Sends one letter about the messages that a job gathered. The letter's id is the job's, so that a retry has the same id.
    fn digest(&self, row: &Job) -> acts::Result<()> {
        let Some(smtp) = &self.smtp else {
            return self.finish_digest(row, None);
        };
        let (reader, payload) = (row.subject.clone(), row.payload.clone());
        let load = move |cx: &mut acts::Context<'_, '_>| {
            let messages = send_deferred::gathered(cx, &payload)?;
            let directory = cx.directory()?;
            let Some(person) = directory.people.get(&reader.as_str().into()).cloned() else {
                return Ok(None);
            };
            cx.actor.person = person.id.clone();
            let letter = letters::digest(cx, &messages)?;
            Ok(Some((person, letter)))
        };
        let found = self.holder.look(&row.tenant, load)?;
        let found = found.filter(|(person, _)| person.active);
        let Some((person, mail)) = found else {
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
            unsubscribe: None,
            subject: mail.subject,
            text: mail.body,
            message_id: self.message_id(&row.id),
            // A letter's date is the time of sending (RFC 5322 section 3.6.1), not the time of its oldest message.
            written_at: row.run_at,
        };
        match Self::post(row, smtp, &letter) {
            Posted::Taken => self.finish_digest(row, Some("mailed")),
            Posted::Refused => self.finish_digest(row, Some("failed")),
            Posted::NotYet(why) => self.try_later(row, why),
        }
    }

    /// Sends the letter of a communication to a mail address that is no person's.
    fn to_address(&self, row: &Job) -> acts::Result<()> {
        let Some(smtp) = &self.smtp else {
            return self.finish_address(row, None);
        };
        let subject = row.subject.clone();
        let load = move |cx: &mut acts::Context<'_, '_>| communicate::address_letter(cx, &subject);
        let Some(found) = self.holder.look(&row.tenant, load)? else {
            return self.finish_address(row, None);
        };
        let letter = Letter {
            from: self.sender(smtp),
            to: Party {
                name: String::new(),
                address: found.address,
            },
            reply_to: None,
            unsubscribe: found.unsubscribe,
            subject: found.subject,
            text: found.text,
            message_id: self.message_id(&row.subject),
            written_at: found.at,
        };
        match Self::post(row, smtp, &letter) {
            Posted::Taken => self.finish_address(row, Some("mailed")),
            Posted::Refused => self.finish_address(row, Some(communicate::REFUSED)),
            Posted::NotYet(why) => self.try_later(row, why),
        }
    }

    /// Sends a letter to the desk of a vendor, which its job holds whole.
    fn to_desk(&self, row: &Job) -> acts::Result<()> {
        let Some(smtp) = &self.smtp else {
            return self.finish_job(row, None);
        };
        let (id, payload) = (row.id.clone(), row.payload.clone());
        let read = move |cx: &mut acts::Context<'_, '_>| notice_by_mail::read_letter(cx, &id, &payload);
        let found = self.holder.look(&row.tenant, read)?;
        let address = found.address.clone();
        let letter = Letter {
            from: self.sender(smtp),
            to: Party {
                name: String::new(),
                address: found.address,
            },
            reply_to: None,
            unsubscribe: None,
            subject: found.subject,
            text: found.text,
            message_id: self.message_id(&row.id),
            written_at: found.at,
        };
        match Self::post(row, smtp, &letter) {
            Posted::Taken => self.finish_job(row, None),
            Posted::Refused => self.finish_refused(row, address),
            Posted::NotYet(why) => self.try_later(row, why),
        }
    }

    /// Ends the job of a letter to a vendor that the mail server refused, and notifies the people who can correct the address.
    fn finish_refused(&self, row: &Job, address: String) -> acts::Result<()> {
        let (id, vendor, holder) = (row.id.clone(), row.subject.clone(), self.holder.name.clone());
        self.holder
            .act(&row.tenant, move |cx| match job::finish(cx.tx, &id, &holder)? {
                true => notice_by_mail::notify_refused(cx, &id, &vendor, &address),
                false => Ok(()),
            })
    }

    fn finish_address(&self, row: &Job, delivery: Option<&'static str>) -> acts::Result<()> {
        let (id, subject, holder) = (row.id.clone(), row.subject.clone(), self.holder.name.clone());
        self.holder.act(&row.tenant, move |cx| {
            if !job::finish(cx.tx, &id, &holder)? {
                return Ok(());
            }
            match delivery {
                Some(delivery) => communicate::mark_letter(cx, &subject, delivery),
                None => Ok(()),
            }
        })
    }

    fn finish_digest(&self, row: &Job, delivery: Option<&'static str>) -> acts::Result<()> {
        let (id, payload, holder) = (row.id.clone(), row.payload.clone(), self.holder.name.clone());
        self.holder.act(&row.tenant, move |cx| {
            if !job::finish(cx.tx, &id, &holder)? {
                return Ok(());
            }
            match delivery {
                Some(delivery) => send_deferred::mark_gathered(cx, &payload, delivery),
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
            .holder
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

    /// Sends a letter to the mail server.
    fn post(row: &Job, smtp: &Smtp, letter: &Letter) -> Posted {
        Self::post_with(row, smtp, letter, None)
    }

    /// The same with a part for calendar programs.
    fn post_with(row: &Job, smtp: &Smtp, letter: &Letter, calendar: Option<&CalendarPart>) -> Posted {
        let built = connect::notify::mail::message_with(letter, calendar).map_err(|error| connect::socket::SendError {
            temporary: false,
            text: error.to_string(),
        });
        let until = tick() + LETTER;
        let left = || until.saturating_duration_since(tick());
        match built.and_then(|built| connect::socket::send_mail(&smtp.server, &built, &left)) {
            Ok(()) => Posted::Taken,
            Err(error) if error.temporary && row.tries < TRIES => Posted::NotYet(error.text),
            Err(error) => {
                tracing::warn!(error = %error.text, job = %row.id, "a letter was not taken");
                Posted::Refused
            }
        }
    }

    /// Keeps a letter until the mail server may take it.
    fn try_later(&self, row: &Job, why: String) -> acts::Result<()> {
        if let Some(times) = times(&format!("a letter waits {why}")) {
            tracing::warn!(error = %why, job = %row.id, tries = row.tries, times, "a letter waits for the mail server");
        }
        let (id, holder, pause) = (row.id.clone(), self.holder.name.clone(), webhook::pause(row.tries));
        self.holder.act(&row.tenant, move |cx| {
            let retry_at = cx.now + pause;
            job::fail(cx.tx, &id, &holder, retry_at, &why)
                .map(|_| ())
                .map_err(Into::into)
        })
    }

    /// Ends a job, and records the delivery of its message.
    fn finish_job(&self, row: &Job, delivery: Option<&'static str>) -> acts::Result<()> {
        let (id, subject, holder) = (row.id.clone(), row.subject.clone(), self.holder.name.clone());
        self.holder.act(&row.tenant, move |cx| {
            if !job::finish(cx.tx, &id, &holder)? {
                return Ok(());
            }
            let Some(delivery) = delivery else { return Ok(()) };
            let Some(stored) = record::load::<Message>(cx.tx, &subject)? else {
                return Ok(());
            };
            let mut written = write::Written::default();
            cx.put(
                &mut written,
                Message {
                    delivery: delivery.to_owned(),
                    ..stored.record
                },
            )?;
            cx.emit(Vec::new(), written)
        })
    }
}
