//! Live sessions of lessons: change managers plan them, and an administrator adds the participants. Each participant
//! has the training of the lesson from then on, under the same rules as a training that is recorded by itself.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::cab::lesson;
use model::cab::lesson_session::{LessonSession, LessonSessionInput, MOST, USUAL_MINUTES, check};
use model::cab::training::Training;
use model::change::read_content::refuse_departed;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{Reading, later};
use model::core::refusal::Refusal;
use model::directory::unknown_name;
use serde_json::json;

use crate::cab::training::keep_training;
use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::{self, PlainNoun};
use crate::guard::{self_grant, two_people};

impl PlainNoun for LessonSession {
    type Input = LessonSessionInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let mut found = noun::in_use::<Self>(cx)?;
        found.sort_by_key(|it| it.starts_at);
        Ok(found)
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn is_in_use(&self) -> bool {
        self.active
    }

    fn add(cx: &mut Context<'_, '_>, input: LessonSessionInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input);
        if !input.people.is_empty() {
            let text = "Participants can only be added once the session exists and has started.";
            reading.wrong("people", "not_begun", text);
        }
        reading.finish()?;
        if noun::in_use::<Self>(cx)?.len() >= MOST {
            let text = format!("{MOST} live sessions are in use.");
            return Err(Refusal::not_now("too_many", text, "Take one out of use.", Vec::new()).into());
        }
        let session = Self {
            id: RecordId(cx.new_id()?),
            version: 0,
            lesson: input.lesson,
            starts_at: input.starts_at,
            minutes: input.minutes.unwrap_or(USUAL_MINUTES),
            text: input.text,
            people: BTreeSet::new(),
            active: true,
        };
        cx.put_estate("lesson_session.added", session, json!({}))
    }

    fn edit(self, cx: &mut Context<'_, '_>, input: LessonSessionInput, mut reading: Reading<'_>) -> Result<Self> {
        check(&mut reading, &input);
        let is_other = input.lesson != self.lesson || input.starts_at != self.starts_at;
        if is_other && !self.people.is_empty() {
            let text = "Training records rely on this session, so its lesson and start cannot change.";
            reading.wrong("lesson", "not_allowed", text);
        }
        let attended = match reading.says("people") {
            true => people(cx, (&self, &input), &mut reading)?,
            false => self.people.clone(),
        };
        reading.finish()?;
        let new: Vec<PersonId> = attended.difference(&self.people).cloned().collect();
        two_people::check(cx, !new.is_empty(), two_people::TRAININGS)?;
        let kind = match new.is_empty() {
            true => "lesson_session.edited",
            false => "lesson_session.attended",
        };
        let edited = Self {
            lesson: input.lesson,
            starts_at: input.starts_at,
            minutes: input.minutes.unwrap_or(USUAL_MINUTES),
            text: input.text,
            people: attended,
            ..self
        };
        let edited = cx.put_estate(kind, edited, json!({"people": new.len()}))?;
        train(cx, &edited, new)?;
        Ok(edited)
    }

    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self { active: false, ..self };
        cx.put_estate("lesson_session.ended", ended, json!({}))
    }
}

/// The people behind the participants' logins; errors are noted.
fn people(
    cx: &mut Context<'_, '_>,
    (session, input): (&LessonSession, &LessonSessionInput),
    reading: &mut Reading<'_>,
) -> Result<BTreeSet<PersonId>> {
    let directory = cx.directory()?;
    if cx.now < input.starts_at && !input.people.is_empty() {
        let text = "Participants can only be added once the session exists and has started.";
        reading.wrong("people", "not_begun", text);
    }
    let mut found = BTreeSet::new();
    for login in &input.people {
        let Some(person) = directory.by_login(login).map(|person| person.id.clone()) else {
            reading.wrong("people", "unknown", unknown_name::person(&directory, login));
            continue;
        };
        if !session.people.contains(&person) {
            refuse_departed(reading, "people", &person, &directory);
            if self_grant::is_own(&cx.actor, &person) {
                let text = "You cannot record your own training; another administrator must do it.";
                reading.wrong("people", "own_request", text);
            }
        }
        found.insert(person);
    }
    for person in session.people.difference(&found) {
        let login = directory.login(person);
        let text = format!("{login} was trained in this session; end the training instead.");
        reading.wrong("people", "not_allowed", text);
    }
    Ok(found)
}

/// Gives each of some people the training of a session's lesson.
fn train(cx: &mut Context<'_, '_>, session: &LessonSession, new: Vec<PersonId>) -> Result<()> {
    let Some(lesson) = lesson::find(&session.lesson).filter(|_| !new.is_empty()) else {
        return Ok(());
    };
    for person in new {
        let row = Training {
            id: RecordId(cx.new_id()?),
            version: 0,
            person,
            training: lesson.id.clone(),
            starts_at: cx.now,
            ends_at: later(cx.now, SignedDuration::from_hours(24 * lesson.days)),
            recorded_at: Some(cx.now),
            evidence_note: Some(session.evidence()),
        };
        keep_training(cx, row)?;
    }
    settle_with_approvers(cx)
}
