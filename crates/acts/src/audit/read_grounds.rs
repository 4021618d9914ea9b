//! Follows a tenant's log during operation and finds the events that lack their reasons: the nightly replay does this
//! for all that is stored, and this for each new event. A finding closes the gate for the change and is reported to
//! people.

use model::change::change_file::Actor;
use model::change::record::Change;
use model::change::settle::revoke_permits;
use model::core::enums::Role;
use model::gate::reopening::REOPENED;
use proof::diff::RecordDelta;
use proof::event::{Event, payload_path};
use proof::grounds::{Judge, Lack, Scope};
use proof::tile::{self, TileReader, WIDTH};
use serde_json::json;
use store::audit::{event, log};
use store::{Lane, Mode};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::log_tiles::StoredTiles;
use crate::core::messages::save_message;
use crate::core::transactions::Transactions;
use crate::core::write::{Written, draft};

/// The event of such a finding.
const UNGROUNDED: &str = "change.ungrounded";
/// The subject under which such events are found again, by the change's id.
const SUBJECT: &str = "ungrounded";
/// How many findings about one change are read.
const MOST_NOTED: i64 = 50;

/// A reader's position in a tenant's log.
pub struct GroundsReader {
    judge: Judge,
    next: u64,
}

impl Default for GroundsReader {
    fn default() -> Self {
        Self {
            judge: Judge::new(Scope::Log),
            next: 0,
        }
    }
}

/// The log's facts about the gate of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// An event lacks its reasons.
    Lack(Lack),
    /// Two people opened the gate of a change again, by its id; the event has its reasons.
    Reopened(String),
}

impl GroundsReader {
    /// The place in the log up to which it was read.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Reads on to the log's end, or until `goes_on` returns false, and returns the events that lack their reasons.
    ///
    /// # Errors
    /// The store's; a fault if an entry cannot be read, which the verification of the log reports.
    pub fn read_on(
        &mut self,
        executor: &impl Transactions,
        tenant: &str,
        goes_on: impl Fn() -> bool,
    ) -> Result<Vec<Lack>> {
        let news = self.read_news(executor, tenant, goes_on)?.into_iter();
        let lacks = news.filter_map(|it| match it {
            News::Lack(lack) => Some(lack),
            News::Reopened(_) => None,
        });
        Ok(lacks.collect())
    }

    /// The same with the gates that were reopened, in the order of the log. The server takes in which ways in each event ended.
    ///
    /// # Errors
    /// As [`Self::read_on`].
    pub fn read_news(
        &mut self,
        executor: &impl Transactions,
        tenant: &str,
        goes_on: impl Fn() -> bool,
    ) -> Result<Vec<News>> {
        let mut news = Vec::new();
        while goes_on() {
            let from = self.next;
            let page = executor.wait(Lane::Pages, tenant, Actor::system(), Mode::Read, move |cx| {
                page(cx, from)
            })?;
            if page.is_empty() {
                executor.services().ended().note_current(tenant);
                break;
            }
            for (event, deltas) in page {
                executor.services().ended().note(tenant, self.next, &event, &deltas);
                let lack = self.judge.note(self.next, &event, &deltas);
                let is_reopened = lack.is_none() && event.kind == REOPENED;
                news.extend(lack.map(News::Lack));
                if is_reopened {
                    // Earlier findings for the change were explained with the reopening.
                    let change = event.subject.id;
                    news.retain(|it| !matches!(it, News::Lack(lack) if lack.change.as_ref() == Some(&change)));
                    news.push(News::Reopened(change));
                }
                self.next += 1;
            }
        }
        Ok(news)
    }
}

/// The entries from a position to the end of their bundle, with the deltas of each.
fn page(cx: &mut Context<'_, '_>, from: u64) -> Result<Vec<(Event, Vec<RecordDelta>)>> {
    let Some(state) = log::state(cx.tx)? else {
        return Ok(Vec::new());
    };
    let size = u64::try_from(state.size).unwrap_or_default();
    if from >= size {
        return Ok(Vec::new());
    }
    let bundle = from / WIDTH;
    let bytes = {
        let source = StoredTiles::new(cx.tx, state);
        let read = TileReader::new(&source, size).bundle(bundle);
        source.settle(read)?.into_owned()
    };
    let skipped = usize::try_from(from - bundle * WIDTH).unwrap_or_default();
    let mut page = Vec::new();
    for leaf in tile::read_entries(&bytes)?.into_iter().skip(skipped) {
        let event = Event::from_bytes(leaf)?;
        page.push(opened(cx, event)?);
    }
    page.truncate(usize::try_from(size - from).unwrap_or_default());
    Ok(page)
}

fn opened(cx: &mut Context<'_, '_>, mut event: Event) -> Result<(Event, Vec<RecordDelta>)> {
    if let Some(digest) = event.records_digest.clone() {
        let path = payload_path(&digest).unwrap_or_default();
        let payload = log::tile(cx.tx, &path)?;
        let payload = payload.ok_or_else(|| Error::Fault(format!("what stands beside event {} is gone", event.id)))?;
        event = event.with_payload(&payload)?;
    }
    let deltas = std::mem::take(&mut event.records);
    Ok((event, deltas))
}

/// The changes with an event that lacks its reasons, by the log, each with the fault.
///
/// # Errors
/// The store's.
pub fn known_lacks(cx: &mut Context<'_, '_>) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for subject in event::subjects(cx.tx, SUBJECT)? {
        if is_reopened(cx, &subject)? {
            continue;
        }
        let told = event::latest_of_subject(cx.tx, (SUBJECT, &subject), 1)?;
        let Some(told) = told.first().and_then(|it| Event::from_bytes(&it.bytes).ok()) else {
            // An unreadable event closes the gate as well: its subject is the change.
            found.push((subject, String::new()));
            continue;
        };
        let text = |name: &str| Some(told.data.get(name)?.as_str()?.to_owned());
        // A sign-in without its reasons belongs to no change.
        found.extend(text("change").map(|change| (change, text("what").unwrap_or_default())));
    }
    Ok(found)
}

/// The ids of the events that lack their reasons, of a change by its id, the newest finding first.
fn noted(cx: &mut Context<'_, '_>, subject: &str) -> Result<Vec<String>> {
    let told = event::latest_of_subject(cx.tx, (SUBJECT, subject), MOST_NOTED)?;
    let events = told.iter().filter_map(|it| Event::from_bytes(&it.bytes).ok());
    let named = events.filter_map(|it| Some(it.data.get("event")?.as_str()?.to_owned()));
    Ok(named.collect())
}

/// Whether two people reopened the gate of a change after its last noted finding.
fn is_reopened(cx: &mut Context<'_, '_>, change: &str) -> Result<bool> {
    let Some(last) = noted(cx, change)?.into_iter().next() else {
        return Ok(false);
    };
    Ok(cx
        .load_change(change)?
        .is_some_and(|change| change.is_gate_reopened(&last)))
}

/// The event for which a finding closes the gate of a change: the last noted one, unless the gate was reopened.
///
/// # Errors
/// The store's.
pub fn noted_lack(cx: &mut Context<'_, '_>, change: &Change) -> Result<Option<String>> {
    let last = noted(cx, change.id.as_str())?.into_iter().next();
    Ok(last.filter(|event| !change.is_gate_reopened(event)))
}

/// Writes `change.ungrounded` (`{event, index, kind, change, what}`) once for the first event of a change that lacks
/// its reasons, and once for the first one after the gate was opened again; revokes the permits of its change and
/// notifies administrators and auditors. A finding without a change is only reported.
///
/// # Errors
/// The store's.
pub fn note_lack(cx: &mut Context<'_, '_>, lack: &Lack) -> Result<bool> {
    let subject = lack.change.clone().unwrap_or_else(|| lack.event.clone());
    let known = noted(cx, &subject)?;
    if known.contains(&lack.event) || (!known.is_empty() && !is_reopened(cx, &subject)?) {
        return Ok(false);
    }
    let data = json!({
        "event": lack.event, "index": lack.index, "kind": lack.kind, "change": lack.change, "what": lack.what,
    });
    let mut written = Written::default();
    notify_people(cx, &mut written, lack)?;
    cx.emit(vec![draft(UNGROUNDED, (SUBJECT, subject), cx.now, data)], written)?;
    Ok(true)
}

/// Revokes the permits of a change with an event that lacks its reasons.
///
/// # Errors
/// The store's; a fault if its file cannot be read, possibly because of damage.
pub fn revoke_ungrounded(cx: &mut Context<'_, '_>, change: &str) -> Result<()> {
    cx.on_change(change, |case| {
        revoke_permits(case, "the log does not give what it was let through for", |_| true);
        Ok(())
    })
}

fn notify_people(cx: &mut Context<'_, '_>, written: &mut Written, lack: &Lack) -> Result<()> {
    let directory = cx.directory()?;
    let mut people = directory.with_role(Role::Admin);
    people.extend(directory.with_role(Role::Auditor));
    people.sort();
    people.dedup();
    let subject = "An event rested on what the log does not give";
    let text = format!(
        "The event `{}` at index {} of the log lacks its reasons: {}\nSomebody may have written into the database past the \
         server. {}On the host, `assent audit replay` says more.\n",
        lack.kind,
        lack.index,
        lack.what,
        lack.change
            .as_ref()
            .map_or("", |_| "The gate is closed for its change. "),
    );
    for person in people {
        let dedup = format!("{UNGROUNDED}:{}:{person}", lack.event);
        save_message(cx, written, &person, None, ("ungrounded", subject, &text, &dedup))?;
    }
    Ok(())
}
