//! Assigns lessons to people, to the members of groups and to the contacts of business units. Each person without the
//! training gets an action item.

use jiff::Timestamp;
use model::cab::lesson;
use model::cab::lesson_assignment::{
    KIND, LessonAssignment, LessonAssignmentInput, MOST, MOST_PEOPLE, about, check_input,
};
use model::change::read_content::refuse_departed;
use model::core::enums::Closing;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use model::notify::action_item::{Due, NewItem, Owner};
use model::notify::business_unit::BusinessUnit;
use serde_json::json;

use crate::cab::lessons::settle_item;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{self, PlainNoun};
use crate::notify::action_items;

impl PlainNoun for LessonAssignment {
    type Input = LessonAssignmentInput;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: LessonAssignmentInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        check_input(&mut reading, &input, cx.now);
        let people = match &input.business_unit {
            Some(key) => contacts_of(cx, &mut reading, key)?,
            None => people_of(&mut reading, &input, &directory),
        };
        reading.finish()?;
        let in_use = noun::in_use::<Self>(cx)?;
        let person = input.person.as_ref().and_then(|_| people.first().cloned());
        let is_same = |it: &&Self| {
            let whose = (&it.person, &it.group, &it.business_unit);
            it.lesson == input.lesson && whose == (&person, &input.group, &input.business_unit)
        };
        let known = in_use.iter().find(is_same).cloned();
        if known.is_none() && in_use.len() >= MOST {
            let text = format!("{MOST} assignments of lessons are in use.");
            return Err(Refusal::not_now("too_many", text, "Take one back.", Vec::new()).into());
        }
        let kind = match &known {
            Some(_) => "lesson_assignment.renewed",
            None => "lesson_assignment.added",
        };
        let assignment = Self {
            id: match &known {
                Some(known) => known.id.clone(),
                None => RecordId(cx.new_id()?),
            },
            version: known.map_or(0, |known| known.version),
            lesson: input.lesson,
            person,
            group: input.group,
            business_unit: input.business_unit,
            people,
            due_at: input.due_at,
            active: true,
            by: cx.actor.person.clone(),
        };
        let count = assignment.people.len();
        let assignment = cx.put_estate(kind, assignment, json!({"people": count}))?;
        open_items(cx, &assignment, &directory)?;
        Ok(assignment)
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = cx.put_estate("lesson_assignment.ended", Self { active: false, ..self }, json!({}))?;
        for person in &ended.people {
            settle_item(cx, &ended, person, "The assignment was withdrawn.")?;
        }
        Ok(ended)
    }
}

/// The active contacts of a business unit; errors are noted.
fn contacts_of(cx: &mut Context<'_, '_>, reading: &mut Reading<'_>, key: &str) -> Result<Vec<PersonId>> {
    let directory = cx.directory()?;
    let Some(unit) = BusinessUnit::listed(cx)?.into_iter().find(|unit| unit.key == key) else {
        let text = format!("There is no business unit `{key}`. `assent business-unit list` names them.");
        reading.wrong("business_unit", "unknown", text);
        return Ok(Vec::new());
    };
    let contacts = unit.contacts.into_iter();
    let people: Vec<PersonId> = contacts.filter(|person| directory.is_active(person)).collect();
    if people.is_empty() {
        let text = "This business unit has no active contact; choose another one.";
        reading.wrong("business_unit", "empty", text);
    }
    Ok(people)
}

/// The people whom an input names; errors are noted.
fn people_of(reading: &mut Reading<'_>, input: &LessonAssignmentInput, directory: &Directory) -> Vec<PersonId> {
    if let Some(login) = &input.person {
        let Some(person) = directory.by_login(login).map(|person| person.id.clone()) else {
            reading.wrong("person", "unknown", unknown_name::person(directory, login));
            return Vec::new();
        };
        refuse_departed(reading, "person", &person, directory);
        return vec![person];
    }
    let people = input
        .group
        .as_ref()
        .map(|group| directory.members(group))
        .unwrap_or_default();
    let is_known = input
        .group
        .as_ref()
        .is_some_and(|group| directory.groups.contains_key(group));
    if is_known && people.is_empty() {
        reading.wrong("group", "empty", "This group has no active member; choose another one.");
    }
    if people.len() > MOST_PEOPLE {
        let text = format!("This group has more than {MOST_PEOPLE} members; assign the lesson to smaller groups.");
        reading.wrong("group", "too_many", text);
    }
    people
}

/// Opens an action item for each person whose training ends before the assignment is due.
fn open_items(cx: &mut Context<'_, '_>, assignment: &LessonAssignment, directory: &Directory) -> Result<()> {
    let title = lesson::find(&assignment.lesson).map_or(assignment.lesson.as_str(), |it| it.title.en.as_str());
    let base = format!("{}/t/{}", cx.services.tools().public_url, cx.tenant());
    for person in &assignment.people {
        if is_trained_at(directory, person, assignment, cx.now) {
            continue;
        }
        let item = NewItem {
            part: assignment.part(person),
            owner: Owner::Person(person.clone()),
            due: Due::At(assignment.due_at),
            // The learner passes the test; another person dismisses the item, for example for somebody who has left.
            closing: Closing::ConditionOrDismissal,
            involved: [person.clone()].into(),
            links: vec![format!("{base}/lessons/{}", assignment.lesson)],
            ..NewItem::new(KIND, about(&assignment.lesson), format!("Pass the lesson “{title}”"))
        };
        action_items::open(cx, item)?;
    }
    Ok(())
}

fn is_trained_at(directory: &Directory, person: &PersonId, assignment: &LessonAssignment, now: Timestamp) -> bool {
    let is_it = |row: &&model::cab::training::Training| row.person == *person && row.training == assignment.lesson;
    let mut rows = directory.trainings.iter().filter(is_it);
    rows.any(|row| row.is_on(now) && row.ends_at > assignment.due_at)
}
