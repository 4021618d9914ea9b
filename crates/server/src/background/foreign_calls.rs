//! Calls of the couriers that read the changes of systems beside this one, page by page. No transaction is open while a page is asked;
//! each page is kept at once.

use std::time::Instant;

use acts::integration::beside::read_foreign;
use connect::integration::incumbent::{self, PAGE, Position, SMALL_PAGE, Unread};
use jiff::Timestamp;
use store::queue::job;

use crate::background::outbound_calls::Courier;
use crate::http::clock::tick;

/// The most pages of a round; what is left is read in the next one, which begins at once.
const MOST_PAGES: usize = 100;
/// How many seconds a system rests between two rounds that follow each other at once.
const REST_SECONDS: i64 = 1;

/// What came of a call: why it failed, and whether trying again later may help.
type Made = Result<(), (String, bool)>;

/// How a round ended.
enum Ended {
    /// Everything was read.
    Whole,
    /// It goes on after so many seconds.
    After(i64),
    /// It failed for this reason.
    Failed(String),
    /// The system is read no more.
    Gone,
}

impl Courier {
    /// Reads a system beside this one, if the call is one of these.
    pub(super) fn make_foreign_call(&self, call: &job::Job) -> Option<Made> {
        read_foreign::is_call(&call.kind).then(|| self.read_foreign(call))
    }

    fn read_foreign(&self, call: &job::Job) -> Made {
        let subject = call.subject.clone();
        let found = self.look(&call.tenant, move |cx| read_foreign::errand(cx, &subject));
        let Some(errand) = found.map_err(again)? else {
            return Ok(());
        };
        let url = errand.system.url.clone();
        let ended = self.read_pages(call, &errand, tick())?;
        let id = call.subject.clone();
        let noted = self.act(&call.tenant, move |cx| match &ended {
            Ended::Whole => read_foreign::ask_again(cx, &id, None),
            Ended::After(seconds) => read_foreign::ask_again(cx, &id, Some(*seconds)),
            Ended::Failed(why) => {
                read_foreign::fail(cx, (&id, &url), why)?;
                read_foreign::ask_again(cx, &id, None)
            }
            // Whoever moved it has asked for it anew.
            Ended::Gone => Ok(()),
        });
        noted.map_err(again)
    }

    /// Reads page after page; what was read is kept whatever becomes of the next one.
    fn read_pages(&self, call: &job::Job, errand: &read_foreign::Errand, began: Instant) -> Result<Ended, (String, bool)> {
        let (system, credential) = (&errand.system, errand.credential.as_deref());
        let mut position = Position::since(system.begins_at());
        let mut size = PAGE;
        let mut problem: Option<String> = None;
        let mut furthest = position.at;
        if errand.is_full {
            return Ok(Ended::Failed(read_foreign::FULL.to_owned()));
        }
        for _ in 0..MOST_PAGES {
            if !self.may_go_on(began) {
                return Ok(Ended::After(REST_SECONDS));
            }
            let page = match incumbent::read(&self.caller, system, credential, (&position, size)) {
                Ok(page) => page,
                Err(Unread::Wait(seconds)) => return Ok(Ended::After(seconds)),
                Err(Unread::TooLong) if size > SMALL_PAGE => {
                    size = SMALL_PAGE;
                    continue;
                }
                Err(Unread::TooLong) => {
                    return Ok(Ended::Failed("Its answer is longer than is read, or broke off.".to_owned()));
                }
                Err(Unread::Failed(why)) => return Ok(Ended::Failed(why)),
            };
            if let Some((count, first)) = &page.left_out {
                problem = Some(format!("Rows that could not be read: {count} of a page; {first}."));
            }
            furthest = page.rows.iter().map(|row| row.edited_at).fold(furthest, Timestamp::max);
            let (id, url, rows, told) = (call.subject.clone(), system.url.clone(), page.rows, problem.clone());
            let is_last = page.next.is_none();
            // A page in the middle leaves what the last round told of it.
            let told = if is_last || told.is_some() { told } else { system.read_problem.clone() };
            let kept = self.act(&call.tenant, move |cx| {
                read_foreign::take_page(cx, (&id, &url), &rows, told.as_deref())
            });
            if !kept.map_err(again)? {
                return Ok(Ended::Gone);
            }
            match page.next {
                Some(next) => position = next,
                None => return Ok(Ended::Whole),
            }
        }
        // Whoever invents rows without end, at one moment or ahead of now, is asked at the usual times and no sooner.
        let goes_on = furthest > system.read_until.unwrap_or(system.read_since) && furthest <= self.now();
        Ok(if goes_on {
            Ended::After(REST_SECONDS)
        } else {
            Ended::Failed("Its pages do not end.".to_owned())
        })
    }
}

fn again(error: acts::Error) -> (String, bool) {
    (error.to_string(), true)
}
