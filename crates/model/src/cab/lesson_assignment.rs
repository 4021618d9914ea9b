//! Lessons that people must pass until a time. Each of them gets an action item, which a passed test settles.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::SET_FREEZE;
use crate::core::card::{Card, Event};
use crate::core::enums::{AboutKind, ActionKind};
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::core::parse::Reading;
use crate::notify::action_item::About;
use crate::verbs;

/// The most assignments in use.
pub const MOST: usize = 200;
/// The most people of one assignment.
pub const MOST_PEOPLE: usize = 500;
/// The kind of action item for a lesson.
pub const KIND: ActionKind = ActionKind::Other;

/// A lesson that a person, each member of a group, or each contact of a business unit passes until a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct LessonAssignment {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The lesson's name.
    #[card(column)]
    pub lesson: String,
    /// Who passes it: a login. Absent where a group or a business unit does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The group whose members pass it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(refers = "group")]
    pub group: Option<GroupKey>,
    /// The key of the business unit whose contacts pass it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_unit: Option<String>,
    /// The people who were asked: logins.
    pub people: Vec<PersonId>,
    /// Until when it is to be passed.
    pub due_at: Timestamp,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
    /// Who assigned it: a login.
    #[card(optional)]
    pub by: PersonId,
}

/// A lesson that a person, each present member of a group, or each present contact of a business unit is asked to pass. The same one
/// again asks those who came later.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct LessonAssignmentInput {
    /// The lesson's name.
    #[card(example = "risk_levels")]
    pub lesson: String,
    /// Who passes it: a login.
    pub person: Option<String>,
    /// Or the group whose members pass it.
    #[card(refers = "group", example = "change-managers")]
    pub group: Option<GroupKey>,
    /// Or the business unit whose contacts pass it: its key.
    #[card(example = "dispatch-oslo")]
    pub business_unit: Option<String>,
    /// Until when it is to be passed.
    #[card(label = "Until", option = "due", example = "2026-12-01T08:00:00Z")]
    pub due_at: Timestamp,
}

/// The card.
pub const CARD: Card = Card {
    tag: "training",
    command: "lesson-assignment",
    columns: &["id", "lesson", "person", "group", "business_unit", "due_at"],
    verbs: verbs! {
        List "list_lesson_assignments" at "/lesson-assignments" may SET_FREEZE => "List assignments of lessons in use";
        Add "assign_lesson" at "/lesson-assignments" may SET_FREEZE => "Assign a lesson to a person, the members of a group or the contacts of a business unit";
        Show "show_lesson_assignment" at "/lesson-assignments/{id}" may SET_FREEZE => "Show an assignment of a lesson";
        End "end_lesson_assignment" at "/lesson-assignments/{id}" may SET_FREEZE => "Withdraw an assignment of a lesson";
    },
    events: &[
        Event::new("lesson_assignment.added", "person", "assigned a lesson"),
        Event::new("lesson_assignment.renewed", "person", "assigned a lesson again"),
        Event::new("lesson_assignment.ended", "x", "withdrew an assignment of a lesson"),
    ],
    ..Card::of::<LessonAssignment, LessonAssignmentInput>("lesson_assignment", "Assignments of lessons")
};

/// The subject of a lesson's action item.
#[must_use]
pub fn about(lesson: &str) -> About {
    About::new(AboutKind::Other, format!("lesson/{lesson}"))
}

impl LessonAssignment {
    /// The part that distinguishes one person's action item from the others'.
    #[must_use]
    pub fn part(&self, person: &PersonId) -> String {
        format!("{}/{person}", self.id)
    }
}

/// The rules on an assignment: a lesson that there is, one of person and group, a time ahead.
pub fn check_input(reading: &mut Reading<'_>, input: &LessonAssignmentInput, now: Timestamp) {
    if !input.lesson.is_empty() && crate::cab::lesson::find(&input.lesson).is_none() {
        reading.wrong("lesson", "unknown", crate::cab::lesson::why_unknown(&input.lesson));
    }
    let named = [
        input.person.is_some(),
        input.group.is_some(),
        input.business_unit.is_some(),
    ];
    match named.iter().filter(|is_named| **is_named).count() {
        0 => {
            let text = "Enter a `person`, a `group` or a `business_unit`.";
            reading.wrong("person", "missing", text);
        }
        1 => {}
        _ => {
            let field = if input.group.is_some() {
                "group"
            } else {
                "business_unit"
            };
            let text = "Enter only one of `person`, `group` and `business_unit`.";
            reading.wrong(field, "both", text);
        }
    }
    let is_read = !reading.errors.iter().any(|error| error.field == "due_at");
    if is_read && input.due_at <= now {
        reading.wrong("due_at", "in_the_past", "`due_at` must be in the future.");
    }
}
