//! Live sessions of lessons: a lesson that somebody gives at a set time. Participants get the training of the lesson, as by its
//! test.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_FREEZE, SET_PERSON};
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::{Reading, later};
use crate::verbs;

/// The most sessions in use.
pub const MOST: usize = 500;
/// The most people who took part in one session.
pub const MOST_PEOPLE: usize = 500;
/// The longest session, in minutes.
pub const LONGEST_MINUTES: i64 = 480;
/// The default length of a session, in minutes.
pub const USUAL_MINUTES: i64 = 60;

/// A lesson that is given live at a set time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct LessonSession {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The lesson's name.
    #[card(column)]
    pub lesson: String,
    /// The start.
    pub starts_at: Timestamp,
    /// How long it lasts, in minutes.
    #[card(most = LONGEST_MINUTES)]
    pub minutes: i64,
    /// The place and the instructor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub text: Option<String>,
    /// The people who took part: logins. Each has the training of the lesson from when it was recorded.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub people: BTreeSet<PersonId>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A lesson that is given live at a set time.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct LessonSessionInput {
    /// The lesson's name.
    #[card(positional, example = "risk_levels")]
    pub lesson: String,
    /// The start.
    #[card(label = "Begins", option = "at", example = "2026-12-01T08:00:00Z")]
    pub starts_at: Timestamp,
    /// How long it lasts, in minutes; an hour unless set.
    #[card(most = LONGEST_MINUTES, example = "45")]
    pub minutes: Option<i64>,
    /// The place and the instructor.
    #[card(text, example = "Room 4, by Solveig")]
    pub text: Option<String>,
    /// The people who took part: logins. An administrator adds them once it has begun.
    #[card(option = "person", example = "adam")]
    pub people: BTreeSet<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "training",
    command: "lesson-session",
    patch: "LessonSessionPatch",
    columns: &["id", "lesson", "starts_at", "minutes", "people"],
    verbs: verbs! {
        List "list_lesson_sessions" at "/lesson-sessions" may READ => "List live sessions of lessons";
        Add "add_lesson_session" at "/lesson-sessions" may SET_FREEZE => "Plan a live session of a lesson";
        Show "show_lesson_session" at "/lesson-sessions/{id}" may READ => "Show a live session of a lesson";
        Edit "edit_lesson_session" at "/lesson-sessions/{id}" may SET_PERSON => "Correct a live session of a lesson, or add participants", token Admin;
        End "end_lesson_session" at "/lesson-sessions/{id}" may SET_FREEZE => "Retire a live session of a lesson";
    },
    events: &[
        Event::new("lesson_session.added", "calendar", "planned a live session of a lesson"),
        Event::new("lesson_session.edited", "edit", "changed a live session of a lesson"),
        Event::new(
            "lesson_session.attended",
            "person",
            "added participants of a live session of a lesson",
        ),
        Event::new("lesson_session.ended", "x", "retired a live session of a lesson"),
    ],
    page: Some(Page {
        path: "/lesson-sessions",
        byline: "Live lessons. Participants have the training of the lesson, as if they had passed its test.",
        empty: "There is no live session.",
        labels: ["Plan a live session", "Correct it, or add participants", "Retire it"],
    }),
    ..Card::of::<LessonSession, LessonSessionInput>("lesson_session", "Live sessions")
};

impl LessonSession {
    /// When it is over.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        later(self.starts_at, SignedDuration::from_mins(self.minutes))
    }

    /// The evidence of a training by this session.
    #[must_use]
    pub fn evidence(&self) -> String {
        format!("Live session {} of {}", self.id, self.starts_at)
    }
}

/// The rules of a session's fields that need no other record.
pub fn check(reading: &mut Reading<'_>, input: &LessonSessionInput) {
    if !input.lesson.is_empty() && crate::cab::lesson::find(&input.lesson).is_none() {
        reading.wrong("lesson", "unknown", crate::cab::lesson::why_unknown(&input.lesson));
    }
    if input.minutes.is_some_and(|minutes| minutes < 1) {
        reading.wrong("minutes", "not_positive", "`minutes` is at least 1.");
    }
    if input.people.len() > MOST_PEOPLE {
        let text = format!("A live session has at most {MOST_PEOPLE} people.");
        reading.wrong("people", "too_many", text);
    }
}
