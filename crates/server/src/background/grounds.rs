//! The thread that checks each new event of the logs against the grounds that the event records. After a start the thread reads
//! each log from its beginning, and then remembers its position. A finding closes the gate for the change.

use std::collections::HashMap;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::audit::read_grounds::{GroundsReader, News, known_lacks, note_lack, revoke_ungrounded};
use model::change::change_file::Actor;
use proof::grounds::Lack;
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{REST, log_fault, pause};
use crate::http::clock::tick;
use crate::http::state::AppState;

/// How often it looks for new events.
const LOOK: Duration = Duration::from_secs(5);

/// Closes the gate for findings that the logs already hold, and starts the thread. It ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let mut grounds = Grounds {
        state: state.clone(),
        readers: HashMap::new(),
    };
    Builder::new().name("grounds".to_owned()).spawn(move || {
        let mut longest = Duration::ZERO;
        while pause(&bell, longest) {
            longest = if grounds.round() { LOOK } else { REST.max(LOOK) };
        }
    })
}

struct Grounds {
    state: AppState,
    readers: HashMap<String, GroundsReader>,
}

impl Grounds {
    /// Reads on in every log; returns whether the store was available.
    fn round(&mut self) -> bool {
        let find = |tx: &mut CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let executor = self.state.executor();
        let tenants = executor.wait_across(Lane::Worker, "whose events are to be judged", Mode::Read, find);
        let Some(tenants) = log_fault(tenants, "looking for logs to judge") else {
            return false;
        };
        self.readers.retain(|tenant, _| tenants.contains(tenant));
        for tenant in &tenants {
            if !self.readers.contains_key(tenant) {
                self.close_known(tenant);
            }
            self.judge(tenant);
        }
        true
    }

    /// Closes the gate for findings from before this server started.
    fn close_known(&mut self, tenant: &str) {
        let executor = self.state.executor();
        let known = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, known_lacks);
        let Some(known) = log_fault(known, "reading which changes lack their reasons") else {
            return;
        };
        for (change, what) in known {
            executor.services().closed().close_change(tenant, &change, &what);
        }
        self.readers.insert(tenant.to_owned(), GroundsReader::default());
    }

    fn judge(&mut self, tenant: &str) {
        let Some(reader) = self.readers.get_mut(tenant) else {
            return;
        };
        let bells = self.state.bells().clone();
        let before = reader.next();
        let news = match reader.read_news(self.state.executor(), tenant, || !bells.is_stopping()) {
            Ok(news) => news,
            Err(error) => {
                self.tell(tenant, &error.to_string());
                return;
            }
        };
        if before == 0 {
            tracing::debug!(
                tenant,
                events = reader.next(),
                "the grounds of a log's events were judged"
            );
        }
        for it in news {
            match it {
                News::Lack(lack) => self.close(tenant, &lack),
                News::Reopened(change) => {
                    self.state.executor().services().closed().open_change(tenant, &change);
                    self.state.bells().ring(tenant);
                }
            }
        }
    }

    /// The same fault is reported once a minute, with its count.
    fn tell(&self, tenant: &str, error: &str) {
        if let Some(times) = self.state.noted().count(&format!("grounds {tenant} {error}"), tick()) {
            tracing::error!(tenant, error, times, "the grounds of events could not be judged");
        }
    }

    fn close(&self, tenant: &str, lack: &Lack) {
        let executor = self.state.executor();
        tracing::error!(
            tenant,
            kind = lack.kind,
            index = lack.index,
            "an event rested on what the log does not give"
        );
        if let Some(change) = &lack.change {
            executor.services().closed().close_change(tenant, change, &lack.what);
        }
        let about = lack.clone();
        let note = move |cx: &mut acts::Context<'_, '_>| note_lack(cx, &about);
        let noted = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, note);
        let is_news = log_fault(noted, "noting an event that lacks its reasons").unwrap_or_default();
        if let Some(change) = lack.change.clone().filter(|_| is_news) {
            let revoke = move |cx: &mut acts::Context<'_, '_>| revoke_ungrounded(cx, &change);
            let revoked = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, revoke);
            log_fault(revoked, "revoking the permits of a change that lacks its reasons");
        }
        self.state.bells().ring(tenant);
    }
}
