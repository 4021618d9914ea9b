//! Outgoing calls that read external calendars, notify monitoring systems of raised or lowered monitors, and query the values
//! of objectives.

use acts::incident::{measure_objectives, raise_monitors};
use acts::schedule::read_calendars;
use connect::integration::prometheus;
use connect::schedule::calendar_call;
use connect::socket::call::Call;
use store::queue::job;

use crate::background::outbound_calls::Courier;

/// The result of a call: the reason of a failure, and whether a retry may help.
type Made = Result<(), (String, bool)>;

impl Courier {
    /// Makes a call of one of these kinds; `None` for any other.
    pub(super) fn make_watch_call(&self, call: &job::Job) -> Option<Made> {
        if read_calendars::is_call(&call.kind) {
            return Some(self.read_calendar(call));
        }
        if raise_monitors::is_call(&call.kind) {
            return Some(self.tell_monitor(call));
        }
        if measure_objectives::is_call(&call.kind) {
            return Some(self.measure_objective(call));
        }
        None
    }

    /// Reads an external calendar. Any result is kept with the calendar, which is read again at its time.
    fn read_calendar(&self, call: &job::Job) -> Made {
        let subject = call.subject.clone();
        let found = self.look(&call.tenant, move |cx| read_calendars::errand(cx, &subject));
        let Some(errand) = found.map_err(again)? else {
            return Ok(());
        };
        let (calendar, credential) = (&errand.calendar, errand.credential.as_deref());
        let read = calendar_call::read(&self.caller, calendar, credential, self.now());
        let told = read.map(|read| match read {
            calendar_call::Read::Unchanged => None,
            calendar_call::Read::Events { events, entity_tag } => Some((events, entity_tag)),
        });
        let (subject, url) = (call.subject.clone(), calendar.url.clone());
        let taken = self.act(&call.tenant, move |cx| {
            read_calendars::take(cx, &subject, url.as_deref(), &told)
        });
        taken.map_err(again)
    }

    /// Notifies an address that a monitor is raised or lowered, until the address accepts it.
    fn tell_monitor(&self, call: &job::Job) -> Made {
        let subject = call.subject.clone();
        let found = self.look(&call.tenant, move |cx| raise_monitors::errand(cx, &subject));
        let Some((url, body)) = found.map_err(again)? else {
            return Ok(());
        };
        let call = Call {
            method: "POST",
            url,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        };
        match self.caller.call(&call) {
            Ok(answer) if answer.is_taken() => Ok(()),
            Ok(answer) => Err((format!("the address answered {}", answer.status), true)),
            Err(why) => Err((why, true)),
        }
    }

    /// Queries the value of an objective. Any result is kept on the change, so the query is not retried by itself.
    fn measure_objective(&self, call: &job::Job) -> Made {
        let subject = call.subject.clone();
        let found = self.look(&call.tenant, move |cx| measure_objectives::errand(cx, &subject));
        let Some(errand) = found.map_err(again)? else {
            return Ok(());
        };
        let told = prometheus::query(&self.caller, &errand.base, &errand.expression);
        let subject = call.subject.clone();
        let taken = self.act(&call.tenant, move |cx| measure_objectives::take(cx, &subject, &told));
        taken.map_err(again)
    }
}

fn again(error: acts::Error) -> (String, bool) {
    (error.to_string(), true)
}
