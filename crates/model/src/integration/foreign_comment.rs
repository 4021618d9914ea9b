//! Comments of a change and of its copy in another system: which of them are copied, and in which direction. Each is copied once,
//! with its author as text, and a copy is never copied back.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::change::related_records::Comment;
use crate::compliance::erasure::ERASED;
use crate::core::ids::RecordId;
use crate::core::parse::TEXT;

/// The most comments of a change that are copied, in both directions together.
pub const MOST: usize = 200;
/// The longest name of an author, in characters.
const AUTHOR: usize = 100;
/// The longest text that is written there, in characters; a longer one is cut.
const WRITTEN: usize = 3_500;
/// The room for the author and the system before a text that is kept here, in characters.
const HEAD: usize = 400;
/// The part of a copy's first line before the id of its comment.
const MARK: &str = " in Assent (comment ";
/// The time after which the writing of a comment counts as lost with its server.
const CLAIM: SignedDuration = SignedDuration::from_mins(10);
/// The login of the author of what was copied here.
const SYSTEM: &str = "system";

/// A comment that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedComment {
    /// The id of the comment here.
    pub here: RecordId,
    /// The id of a comment that was written there; absent for one of Assent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<String>,
    /// When it was edited there, as it was read; for one of Assent, when it was written there.
    pub at: Timestamp,
    /// Whether a server is writing it there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_open: bool,
}

/// A public comment as another system sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedComment {
    /// Its id there.
    pub there: String,
    /// The name or login of its author, or of its last editor.
    pub author: String,
    /// Its text.
    pub text: String,
    /// When it was written or edited last.
    pub edited_at: Timestamp,
}

/// The comments that are to be copied now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Comments there that are new here, the oldest first.
    pub take: Vec<ReceivedComment>,
    /// The ids of comments here that are to be written there, the oldest first.
    pub write: Vec<RecordId>,
    /// The ids of comments here whose copies are there, although nothing recorded that.
    pub found: Vec<RecordId>,
    /// Whether another server is writing one.
    pub waits: bool,
    /// Whether comments are left out because as many were copied as may be.
    pub is_full: bool,
}

/// Decides what is to be copied. `ours` are the comments of the change, the oldest first. A comment here that was erased, or that
/// came from another system, is not written; an edit there is a new comment, unless the comment that it edits was erased here.
#[must_use]
pub fn step(known: &[CopiedComment], ours: &[Comment], told: &[ReceivedComment], now: Timestamp) -> Step {
    let mut step = Step::default();
    for comment in told {
        match copy_of(ours, comment) {
            Some(copied) if !step.found.contains(&copied.id) => step.found.push(copied.id.clone()),
            Some(_) => {}
            None if is_news(known, ours, comment) => step.take.push(comment.clone()),
            None => {}
        }
    }
    step.take
        .sort_by(|a, b| (a.edited_at, &a.there).cmp(&(b.edited_at, &b.there)));
    let own = |id: &RecordId| known.iter().find(|it| it.there.is_none() && it.here == *id);
    for comment in ours.iter().filter(|it| is_written(it) && !step.found.contains(&it.id)) {
        match own(&comment.id) {
            None => step.write.push(comment.id.clone()),
            Some(claim) if claim.is_open && now.duration_since(claim.at) < CLAIM => step.waits = true,
            Some(claim) if claim.is_open => step.write.push(comment.id.clone()),
            Some(_) => {}
        }
    }
    step.found.retain(|id| own(id).is_none_or(|it| it.is_open));
    let room = MOST.saturating_sub(known.len());
    step.is_full = step.take.len() + step.write.len() > room;
    step.take.truncate(room);
    step.write.truncate(room - step.take.len());
    step
}

/// Whether a comment here may be copied there.
fn is_written(comment: &Comment) -> bool {
    comment.by.as_str() != SYSTEM && comment.text != ERASED && !comment.text.trim().is_empty()
}

/// The comment here that a comment there is the unchanged copy of. The mark alone proves nothing: with another text it is a
/// comment of theirs.
fn copy_of<'a>(ours: &'a [Comment], told: &ReceivedComment) -> Option<&'a Comment> {
    let (head, text) = told.text.trim_start().split_once('\n')?;
    let (_, id) = head.rsplit_once(MARK)?;
    let id = id.trim_end().strip_suffix("):")?;
    let comment = ours.iter().find(|it| it.id.as_str() == id)?;
    let is_same = comment.text == ERASED || squeezed(text) == squeezed(&cut(&comment.text, WRITTEN));
    (comment.by.as_str() != SYSTEM && is_same).then_some(comment)
}

/// Whether a comment there is not here yet, or was edited since.
fn is_news(known: &[CopiedComment], ours: &[Comment], told: &ReceivedComment) -> bool {
    if told.text.trim().is_empty() {
        return false;
    }
    let of = || known.iter().filter(|it| it.there.as_ref() == Some(&told.there));
    let here = |copied: &CopiedComment| ours.iter().find(|it| it.id == copied.here);
    let is_over = |copied: &CopiedComment| {
        copied.at >= told.edited_at || here(copied).is_none_or(|comment| comment.text == ERASED)
    };
    if of().any(is_over) {
        return false;
    }
    let last = of().max_by_key(|it| it.at).and_then(here);
    last.is_none_or(|comment| squeezed(body(&comment.text)) != squeezed(&kept_body(&told.text)))
}

/// The text of a comment as it is written there. Its author is named, and its id is the mark by which the copy is recognised.
#[must_use]
pub fn written(author: &str, comment: &Comment) -> String {
    let author = cut(author, AUTHOR);
    format!("{author}{MARK}{}):\n\n{}", comment.id, cut(&comment.text, WRITTEN))
}

/// The text of a comment there as it is kept here. Its author and its system are named in it, as no person here wrote it.
#[must_use]
pub fn kept(told: &ReceivedComment, system: &str) -> String {
    let author = cut(&told.author, AUTHOR);
    format!("{author} ({}):\n\n{}", cut(system, AUTHOR), kept_body(&told.text))
}

/// A text as it is kept: line breaks and tabs are its only control characters.
fn kept_body(text: &str) -> String {
    let plain: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect();
    cut(plain.trim(), TEXT - HEAD)
}

/// The text of a comment that was kept, without its author.
fn body(text: &str) -> &str {
    text.split_once("\n\n").map_or(text, |(_, body)| body)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// A text without the differences that formats of documents make.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::{ChangeId, PersonId};

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn ours(id: &str, by: &str, text: &str) -> Comment {
        Comment {
            id: RecordId::from(id),
            version: 1,
            change: ChangeId::from("c-1"),
            text: text.to_owned(),
            by: PersonId::from(by),
            at: at(0),
        }
    }

    fn told(there: &str, text: &str, minute: i64) -> ReceivedComment {
        ReceivedComment {
            there: there.to_owned(),
            author: "Ada".to_owned(),
            text: text.to_owned(),
            edited_at: at(minute),
        }
    }

    fn theirs(here: &str, there: &str, minute: i64) -> CopiedComment {
        CopiedComment {
            here: RecordId::from(here),
            there: Some(there.to_owned()),
            at: at(minute),
            is_open: false,
        }
    }

    fn claim(here: &str, minute: i64, is_open: bool) -> CopiedComment {
        CopiedComment {
            here: RecordId::from(here),
            there: None,
            at: at(minute),
            is_open,
        }
    }

    fn ids(step: &Step) -> Vec<&str> {
        step.write.iter().map(RecordId::as_str).collect()
    }

    #[test]
    fn a_comment_goes_there_once_and_its_copy_does_not_come_back() {
        let comments = [
            ours("k1", "p-1", "Is the window\nlarge enough?"),
            ours("k2", "system", "Ada (SN):\n\nYes."),
        ];
        let first = step(&[], &comments, &[], at(1));
        assert_eq!(ids(&first), ["k1"], "what came from there does not go back");
        let copy = written("Ingrid Solheim", &comments[0]);
        assert!(copy.starts_with("Ingrid Solheim in Assent (comment k1):\n"), "{copy}");
        // The response to the writing was lost, and a document keeps no empty lines.
        let there = [told("j1", &copy.replace("\n\n", "\n"), 2)];
        let found = step(&[], &comments, &there, at(3));
        assert!(
            found.found.len() == 1 && found.write.is_empty() && found.take.is_empty(),
            "{found:?}"
        );
        assert_eq!(
            step(&[claim("k1", 2, false)], &comments, &there, at(3)),
            Step::default()
        );
        // A copy that was deleted there stays so.
        assert_eq!(step(&[claim("k1", 2, false)], &comments, &[], at(3)), Step::default());
    }

    #[test]
    fn an_edit_there_is_a_new_comment_and_an_erased_one_never_comes_again() {
        let comments = [ours("k1", "p-1", "Ours."), ours("k2", "system", "Ada (SN):\n\nTheirs.")];
        let known = [claim("k1", 1, false), theirs("k2", "j2", 2)];
        let edited = told("j1", "Ingrid in Assent (comment k1):\nOurs, but better.", 5);
        assert_eq!(
            step(&known, &comments, std::slice::from_ref(&edited), at(6)).take,
            [edited]
        );
        for (text, minute, count) in [
            ("Theirs.", 2, 0),
            ("Theirs.", 9, 0),
            ("Theirs, edited.", 9, 1),
            (" ", 9, 0),
        ] {
            let found = step(&known, &comments, &[told("j2", text, minute)], at(10));
            assert_eq!(found.take.len(), count, "{text} {minute}");
        }
        let erased = [ours("k1", "p-1", ERASED), ours("k2", "system", ERASED)];
        let there = [
            told("j1", &written("Ingrid", &comments[0]), 2),
            told("j2", "Theirs, edited.", 9),
        ];
        assert_eq!(step(&known, &erased, &there, at(10)), Step::default());
        assert_eq!(ids(&step(&[], &erased, &[], at(10))), Vec::<&str>::new());
    }

    #[test]
    fn two_servers_write_a_comment_once_and_one_that_was_killed_is_followed_by_another() {
        let comments = [ours("k1", "p-1", "Ours.")];
        let busy = step(&[claim("k1", 0, true)], &comments, &[], at(9));
        assert!(busy.waits && busy.write.is_empty());
        assert_eq!(ids(&step(&[claim("k1", 0, true)], &comments, &[], at(10))), ["k1"]);
    }

    #[test]
    fn long_texts_are_cut_and_so_is_the_number_of_comments() {
        let long = ours("k1", "p-1", &"ä ".repeat(TEXT / 2));
        let copy = written("Ingrid", &long);
        assert!(copy.chars().count() < 4_000);
        assert_eq!(
            step(&[], std::slice::from_ref(&long), &[told("j1", &copy, 1)], at(2)).write,
            []
        );
        assert!(kept(&told("j1", &"x\u{7}".repeat(TEXT), 1), "SN").chars().count() <= TEXT);
        let many: Vec<ReceivedComment> = (0..201)
            .map(|number| told(&format!("j{number}"), "Again.", 1))
            .collect();
        let full = step(&[], &[long], &many, at(2));
        assert!(full.is_full && full.take.len() == MOST && full.write.is_empty());
    }
}
