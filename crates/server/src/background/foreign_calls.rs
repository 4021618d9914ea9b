//! Outgoing calls that read the changes of other change systems page by page, and that write copies of changes there. No
//! transaction is open during a call; each page is kept at once.

use std::time::Instant;

use acts::integration::beside::copy_comments::{self, Sent};
use acts::integration::beside::{mirror_changes, read_foreign};
use connect::integration::incumbent::{self, PAGE, Position, SMALL_PAGE, Unread, comments, mirror};
use jiff::Timestamp;
use model::integration::foreign_system::LEFT_OUT;
use store::queue::job;

use crate::background::outbound_calls::Courier;
use crate::http::clock::tick;

/// The most pages of a round; the rest is read in the next round, which begins at once.
const MOST_PAGES: usize = 100;
/// How many seconds a system rests between two rounds that follow each other at once.
const REST_SECONDS: i64 = 1;
/// The reason for a response that is too long to read.
const TOO_LONG: &str = "Its answer is longer than is read, or broke off.";
/// After so many tries a failure to copy comments is reported to people.
const COMMENT_TRIES: i64 = 5;

/// The result of a call: the reason of a failure, and whether a retry may help.
type Made = Result<(), (String, bool)>;

/// How a round ended.
enum Ended {
    /// Everything was read.
    Whole,
    /// Continues at this position after so many seconds.
    After(i64, Position),
    /// Failed, with the reason.
    Failed(String),
    /// The system is read no more.
    Gone,
}

impl Courier {
    /// Makes a call to another change system, if the job is such a call.
    pub(super) fn make_foreign_call(&self, call: &job::Job) -> Option<Made> {
        if mirror_changes::is_call(&call.kind) {
            return Some(self.write_copy(call));
        }
        if copy_comments::is_call(&call.kind) {
            return Some(self.copy_comments(call));
        }
        read_foreign::is_call(&call.kind).then(|| self.read_foreign(call))
    }

    /// Writes the copy of a change into a system beside this one.
    fn write_copy(&self, call: &job::Job) -> Made {
        let subject = call.subject.clone();
        let found = self.look(&call.tenant, move |cx| mirror_changes::errand(cx, &subject));
        let Some(errand) = found.map_err(again)? else {
            return Ok(());
        };
        let copy = incumbent::Copied {
            change: &errand.change,
            fields: &errand.fields,
            phase: errand.phase,
        };
        let what = (errand.known.as_deref(), &copy);
        let done = match mirror::write(&self.caller, &errand.system, errand.credential.as_deref(), what) {
            Ok(written) => Ok(mirror_changes::Copied {
                natural_key: written.natural_key,
                foreign_key: written.key,
                edited_at: written.edited_at,
                problem: written.problem,
            }),
            Err(Unread::Wait(seconds)) => {
                return Err((format!("It requested a pause of {seconds} seconds."), true));
            }
            Err(Unread::TooLong) => Err(TOO_LONG.to_owned()),
            Err(Unread::Failed(why)) => Err(why),
        };
        let subject = call.subject.clone();
        let noted = self.act(&call.tenant, move |cx| mirror_changes::note(cx, &subject, &done));
        noted.map_err(again)
    }

    /// Copies comments between a change and its copy: first those there, then those here.
    fn copy_comments(&self, call: &job::Job) -> Made {
        let began = tick();
        let subject = call.subject.clone();
        let found = self.look(&call.tenant, move |cx| copy_comments::errand(cx, &subject));
        let Some(errand) = found.map_err(again)? else {
            return Ok(());
        };
        let (system, credential) = (&errand.system, errand.credential.as_deref());
        let told = match comments::read(&self.caller, system, credential, &errand.copy) {
            Ok(told) => told,
            Err(unread) => return self.end_comments(call, Sent::default(), Some(unread)),
        };
        let subject = call.subject.clone();
        let taken = self.act(&call.tenant, move |cx| copy_comments::take(cx, &subject, &told));
        let todo = taken.map_err(again)?;
        let (mut sent, mut failed) = (Sent::default(), None);
        for (id, text) in todo.write {
            if failed.is_some() || !self.may_go_on(began) {
                sent.left.push(id);
                continue;
            }
            match comments::write(&self.caller, system, credential, (&errand.copy, &text)) {
                Ok(()) => sent.written.push(id),
                Err(unread) => {
                    sent.left.push(id);
                    failed = Some(unread);
                }
            }
        }
        let is_cut = todo.waits || (failed.is_none() && !sent.left.is_empty());
        self.end_comments(call, sent, failed)?;
        match is_cut {
            true => Err(("Comments are retried at the next attempt.".to_owned(), true)),
            false => Ok(()),
        }
    }

    /// Records what was written. A failure is tried again, and reported to people if it lasts.
    fn end_comments(&self, call: &job::Job, mut sent: Sent, failed: Option<Unread>) -> Made {
        let (why, waits) = match failed {
            None => (None, false),
            Some(Unread::Wait(seconds)) => (Some(format!("It requested a pause of {seconds} seconds.")), true),
            Some(Unread::TooLong) => (Some(TOO_LONG.to_owned()), false),
            Some(Unread::Failed(why)) => (Some(why), false),
        };
        let is_given_up = !waits && call.tries >= COMMENT_TRIES;
        if is_given_up {
            sent.problem.clone_from(&why);
        }
        let is_failure = why.is_some();
        let subject = call.subject.clone();
        if !is_failure || is_given_up || !sent.left.is_empty() || !sent.written.is_empty() {
            let noted = self.act(&call.tenant, move |cx| copy_comments::note(cx, &subject, &sent));
            noted.map_err(again)?;
        }
        match why {
            Some(why) if !is_given_up => Err((why, true)),
            _ => Ok(()),
        }
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
            Ended::Whole => {
                read_foreign::note_whole(cx, &id)?;
                read_foreign::queue_next_reading(cx, &id)
            }
            Ended::After(seconds, position) => read_foreign::go_on(cx, &id, (*seconds, &written(position))),
            Ended::Failed(why) => {
                read_foreign::fail(cx, (&id, &url), why)?;
                read_foreign::queue_next_reading(cx, &id)
            }
            // The edit that moved the position has already queued a new round.
            Ended::Gone => Ok(()),
        });
        noted.map_err(again)
    }

    /// Reads page after page. Pages that were read are kept even if the next one fails.
    fn read_pages(
        &self,
        call: &job::Job,
        errand: &read_foreign::Errand,
        began: Instant,
    ) -> Result<Ended, (String, bool)> {
        let (system, credential) = (&errand.system, errand.credential.as_deref());
        // After an edit of its terms everything is read again, and the position of an earlier round is ignored.
        let left = read_position(&call.payload).filter(|_| system.read_until.is_some());
        let mut position = left.unwrap_or_else(|| Position::since(system.begins_at()));
        let mut size = PAGE;
        let mut problem: Option<String> = None;
        let mut furthest = position.at;
        if errand.is_full {
            return Ok(Ended::Failed(read_foreign::FULL.to_owned()));
        }
        for _ in 0..MOST_PAGES {
            if !self.may_go_on(began) {
                return Ok(Ended::After(REST_SECONDS, position));
            }
            let page = match incumbent::read(&self.caller, system, credential, (&position, size)) {
                Ok(page) => page,
                Err(Unread::Wait(seconds)) => return Ok(Ended::After(seconds, position)),
                Err(Unread::TooLong) if size > SMALL_PAGE => {
                    size = SMALL_PAGE;
                    continue;
                }
                Err(Unread::TooLong) => {
                    return Ok(Ended::Failed(TOO_LONG.to_owned()));
                }
                Err(Unread::Failed(why)) => return Ok(Ended::Failed(why)),
            };
            if let Some((count, first)) = &page.left_out {
                problem = Some(format!("{LEFT_OUT}: {count} of a page; {first}."));
            }
            furthest = page.rows.iter().map(|row| row.edited_at).fold(furthest, Timestamp::max);
            let (id, terms, rows) = (call.subject.clone(), system.terms_digest(), page.rows);
            // The previous round's problem stays recorded until this round is complete: no gate opens in between.
            let told = problem.clone().or_else(|| system.read_problem.clone());
            let kept = self.act(&call.tenant, move |cx| {
                read_foreign::take_page(cx, (&id, &terms), &rows, told.as_deref())
            });
            if !kept.map_err(again)? {
                return Ok(Ended::Gone);
            }
            match page.next {
                Some(next) => position = next,
                None => return self.look_again(call, errand, (began, position, problem.as_deref())),
            }
        }
        // A system whose rows never end, or lie ahead of now, is read again at the usual time and no sooner.
        let goes_on = furthest > system.read_until.unwrap_or(system.read_since) && furthest <= self.now();
        Ok(if goes_on {
            Ended::After(REST_SECONDS, position)
        } else {
            Ended::Failed("Its pages do not end.".to_owned())
        })
    }

    /// Reads again, by id, the changes on which a gate could open: a change that the system no longer shows no longer counts.
    fn look_again(
        &self,
        call: &job::Job,
        errand: &read_foreign::Errand,
        (began, position, problem): (Instant, Position, Option<&str>),
    ) -> Result<Ended, (String, bool)> {
        let system = &errand.system;
        let id = call.subject.clone();
        let open = self.look(&call.tenant, move |cx| read_foreign::open_rows(cx, &id));
        let open = open.map_err(again)?;
        let (mut rest, mut size) = (open.as_slice(), PAGE);
        while !rest.is_empty() {
            if !self.may_go_on(began) {
                return Ok(Ended::After(REST_SECONDS, position));
            }
            let (keys, more) = rest.split_at(size.min(rest.len()));
            let rows = match incumbent::read_these(&self.caller, system, errand.credential.as_deref(), keys) {
                Ok(rows) => rows,
                Err(Unread::Wait(seconds)) => return Ok(Ended::After(seconds, position)),
                Err(Unread::TooLong) if size > SMALL_PAGE => {
                    size = SMALL_PAGE;
                    continue;
                }
                Err(Unread::TooLong) => return Ok(Ended::Failed(TOO_LONG.to_owned())),
                Err(Unread::Failed(why)) => return Ok(Ended::Failed(why)),
            };
            let is_gone = |key: &&String| !rows.iter().any(|row| row.natural_key == **key);
            let gone: Vec<String> = keys.iter().filter(is_gone).cloned().collect();
            let (id, terms, told) = (call.subject.clone(), system.terms_digest(), problem.map(str::to_owned));
            let told = told.or_else(|| system.read_problem.clone());
            let kept = self.act(&call.tenant, move |cx| {
                let is_kept = read_foreign::take_page(cx, (&id, &terms), &rows, told.as_deref())?;
                read_foreign::note_gone(cx, (&id, &terms), &gone)?;
                Ok(is_kept)
            });
            if !kept.map_err(again)? {
                return Ok(Ended::Gone);
            }
            rest = more;
        }
        if problem == system.read_problem.as_deref() {
            return Ok(Ended::Whole);
        }
        let (id, terms, told) = (call.subject.clone(), system.terms_digest(), problem.map(str::to_owned));
        let kept = self.act(&call.tenant, move |cx| {
            read_foreign::take_page(cx, (&id, &terms), &[], told.as_deref())
        });
        Ok(if kept.map_err(again)? {
            Ended::Whole
        } else {
            Ended::Gone
        })
    }
}

/// A position as a call carries it: the moment in microseconds, the id, and the token where there is one.
fn written(position: &Position) -> String {
    let token = position.token.as_deref().unwrap_or_default();
    format!("{} {} {token}", position.at.as_microsecond(), position.id)
}

/// The position that a call carries; `None` for a round that begins.
fn read_position(text: &str) -> Option<Position> {
    let mut parts = text.splitn(3, ' ');
    let at = Timestamp::from_microsecond(parts.next()?.parse().ok()?).ok()?;
    let id = parts.next()?.to_owned();
    let token = parts.next().filter(|token| !token.is_empty()).map(str::to_owned);
    Some(Position { at, id, token })
}

fn again(error: acts::Error) -> (String, bool) {
    (error.to_string(), true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_round_goes_on_where_it_was() {
        let at: Timestamp = "2026-11-28T10:00:00.123Z".parse().unwrap();
        for (id, token) in [("", None), ("a1", None), ("", Some("a b"))] {
            let position = Position {
                at,
                id: id.to_owned(),
                token: token.map(str::to_owned),
            };
            assert_eq!(read_position(&written(&position)), Some(position));
        }
        assert_eq!(read_position(""), None);
    }
}
