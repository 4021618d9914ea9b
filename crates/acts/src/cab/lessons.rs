//! Lessons: a person's progress, the figures in a lesson, tests, and results.

use jiff::{SignedDuration, Timestamp};
use model::cab::lesson::{self, EndedChange, Lesson, LessonExample, LessonFigures, LessonQuestion, examples};
use model::cab::lesson_assignment::{KIND, LessonAssignment, about};
use model::cab::lesson_attempt::{LessonAttempt, LessonAttemptInput, LessonScore, judge, may_begin, score};
use model::cab::training::Training;
use model::core::act::actions;
use model::core::body::Body;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::report::evaluate::Window;
use serde_json::json;
use store::record::{self, Filter, Record};

use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::grounds::named;
use crate::core::noun::{self, PlainNoun};
use crate::core::write::{Written, draft};
use crate::guard::impersonation;
use crate::notify::action_items;
use crate::report::find_ended::{Ended, find_ended};
use crate::report::find_figures::find_figure;
use crate::report::metric_query::read_query;

/// The days that figures in lessons are about.
const FIGURE_DAYS: i64 = 90;
/// The most tests of one person that are listed, the latest first.
const MOST_LISTED: i64 = 500;
/// The most tests of a lesson that scores are counted from.
const MOST_SCORED: i64 = 20_000;

/// The acting person's progress in a lesson.
#[derive(Debug, Clone)]
pub struct OwnLesson {
    /// The lesson.
    pub lesson: &'static Lesson,
    /// Until when their training is valid; `None` if it is not valid.
    pub valid_until: Option<Timestamp>,
    /// Whether they had a training that has ended.
    pub is_expired: bool,
    /// When the lesson must be passed.
    pub due_at: Option<Timestamp>,
}

/// The lesson with this name.
///
/// # Errors
/// 404 with the nearest name.
pub fn find_lesson(id: &str) -> Result<&'static Lesson> {
    let absent = || Refusal::not_found(format!("lesson `{id}`. {}", lesson::why_unknown(id)));
    Ok(lesson::find(id).ok_or_else(absent)?)
}

/// Every lesson, with the acting person's progress.
///
/// # Errors
/// 403, or the store's.
pub fn own_lessons(cx: &mut Context<'_, '_>) -> Result<Vec<OwnLesson>> {
    cx.allow(actions::READ)?;
    let directory = cx.directory()?;
    let (me, now) = (cx.actor.person.clone(), cx.now);
    let assigned = noun::in_use::<LessonAssignment>(cx)?;
    let own = |lesson: &'static Lesson| {
        let mine = |row: &&Training| row.person == me && row.training == lesson.id;
        let valid = directory.trainings.iter().filter(mine).filter(|row| row.is_on(now));
        let valid_until = valid.map(|row| row.ends_at).max();
        let asked = assigned
            .iter()
            .filter(|it| it.lesson == lesson.id && it.people.contains(&me));
        let due = asked.map(|it| it.due_at).min();
        OwnLesson {
            lesson,
            valid_until,
            is_expired: valid_until.is_none() && directory.trainings.iter().any(|row| mine(&row) && row.ends_at <= now),
            due_at: due.filter(|due| valid_until.is_none_or(|until| until <= *due)),
        }
    };
    Ok(lesson::all().iter().map(own).collect())
}

/// The figures in lessons: of the services that the acting person sees. If they cannot be counted, the example.
///
/// # Errors
/// 403, or the store's.
pub fn lesson_figures(cx: &mut Context<'_, '_>) -> Result<LessonFigures> {
    cx.allow(actions::READ)?;
    let failures = share(cx, "change_failure_rate")?;
    let emergencies = share(cx, "emergency_share")?;
    Ok(match (failures, emergencies) {
        (Some(failures), Some(emergencies)) => LessonFigures::of(failures, emergencies),
        _ => LessonFigures::example(),
    })
}

/// The examples in lessons: from changes of the services that the acting person sees, without names. `None` if there
/// are too many or too few.
///
/// # Errors
/// 403, or the store's.
pub fn lesson_examples(cx: &mut Context<'_, '_>) -> Result<Vec<LessonExample>> {
    cx.allow(actions::READ)?;
    let since = cx.now.checked_sub(SignedDuration::from_hours(24 * FIGURE_DAYS));
    let window = Window {
        from: since.unwrap_or(Timestamp::MIN),
        to: cx.now,
    };
    let ended = match find_ended(cx, window) {
        Ok(ended) => ended,
        Err(Error::Refused(Refusal::Invalid(_))) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let one = |it: &Ended| EndedChange {
        kind: it.kind,
        risk: it.risk,
        work_minutes: it.work_minutes,
        has_failed: !it.has_succeeded,
    };
    Ok(examples(&ended.iter().map(one).collect::<Vec<EndedChange>>()))
}

/// Hits and total of a metric; `None` if its window has more rows than the limit for figures.
fn share(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<(u64, u64)>> {
    let since = cx.now.checked_sub(SignedDuration::from_hours(24 * FIGURE_DAYS));
    let from = since.unwrap_or(Timestamp::MIN).to_string();
    let query = read_query(id, cx.now, |name| (name == "from").then_some(from.as_str()))?;
    match find_figure(cx, &query) {
        Ok(found) => Ok(Some((found.whole.hits, found.whole.of))),
        Err(Error::Refused(Refusal::Invalid(_))) => Ok(None),
        Err(error) => Err(error),
    }
}

impl PlainNoun for LessonAttempt {
    type Input = LessonAttemptInput;

    /// Those of the acting person.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        let filter = Filter::new().equals("person", cx.actor.person.as_str());
        let filter = filter.descending_by("begun_at").descending_by("id").limit(MOST_LISTED);
        Ok(record::bodies::<Self>(cx.tx, &filter)?)
    }

    /// A test of the acting person; others' tests are absent.
    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        let found = record::load::<Self>(cx.tx, key)?.map(|stored| stored.record);
        Ok(found.filter(|it| it.person == cx.actor.person))
    }

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn add(cx: &mut Context<'_, '_>, input: LessonAttemptInput, mut reading: Reading<'_>) -> Result<Self> {
        let found = lesson::find(&input.lesson);
        if found.is_none() && !input.lesson.is_empty() {
            reading.wrong("lesson", "unknown", lesson::why_unknown(&input.lesson));
        }
        reading.finish()?;
        check_themself(cx)?;
        let lesson = find_lesson(&input.lesson)?;
        let filter = Filter::new()
            .equals("person", cx.actor.person.as_str())
            .equals("lesson", lesson.id.as_str())
            .descending_by("begun_at")
            .limit(MOST_LISTED);
        let earlier = record::bodies::<Self>(cx.tx, &filter)?;
        if let Some(open) = may_begin(&earlier, lesson, input.before, cx.now)? {
            return Ok(open.clone());
        }
        let id = cx.new_id()?;
        let attempt = Self {
            questions: lesson.draw(&id).into_iter().map(|it| it.id.clone()).collect(),
            id: RecordId(id),
            version: 0,
            lesson: lesson.id.clone(),
            lesson_version: lesson.version,
            person: cx.actor.person.clone(),
            before: input.before,
            answers: Vec::new(),
            right: 0,
            passed: false,
            begun_at: cx.now,
            answered_at: None,
        };
        keep_attempt(cx, "lesson_attempt.begun", attempt)
    }
}

/// Refuses an actor who may not be the learner: the system, and a token or a password that another person set up.
fn check_themself(cx: &mut Context<'_, '_>) -> Result<()> {
    if cx.actor.is_system {
        return Err(Refusal::not_allowed("not_a_person", "Only a person can pass a lesson.").into());
    }
    if cx.actor.by_token && cx.actor.hand().is_some() {
        let text = "Another person created your token, and a lesson must be passed in person: take the test in a session of \
                    your own.";
        return Err(Refusal::not_allowed("lent_voice", text).into());
    }
    impersonation::check_voice(cx)
}

/// Saves a test with its event; a test is no part of the estate, which stays cached.
fn keep_attempt(cx: &mut Context<'_, '_>, kind: &'static str, attempt: LessonAttempt) -> Result<LessonAttempt> {
    let mut written = Written::default();
    let kept = cx.put(&mut written, attempt)?;
    let data = json!({"lesson": kept.lesson, "right": kept.right});
    let event = draft(kind, (LessonAttempt::TABLE, kept.id.to_string()), cx.now, data);
    cx.emit(vec![event], written)?;
    Ok(kept)
}

/// The questions of a test of the acting person, with its lesson.
///
/// # Errors
/// 403, 404, or the store's.
pub fn questions_of(
    cx: &mut Context<'_, '_>,
    id: &str,
) -> Result<(LessonAttempt, &'static Lesson, Vec<&'static LessonQuestion>)> {
    let attempt = noun::show::<LessonAttempt>(cx, id)?;
    let lesson = find_lesson(&attempt.lesson)?;
    let questions = attempt
        .questions
        .iter()
        .filter_map(|name| lesson.question(name))
        .collect();
    Ok((attempt, lesson, questions))
}

/// Submits a test (`POST /lesson-attempts/{id}/answers {answers}`). A passed test is a training of the acting person,
/// which settles the action items for it.
///
/// # Errors
/// 403 for a sign-in that another person set up, 404, 409 if the test was submitted or is over, 422, or the store's.
pub fn answer_attempt(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<LessonAttempt> {
    cx.allow(actions::READ)?;
    let attempt = noun::show::<LessonAttempt>(cx, id)?;
    let lesson = find_lesson(&attempt.lesson)?;
    let mut reading = Reading::new(body, "");
    let answers = reading.texts("answers", LINE);
    if answers.is_none() && !reading.says("answers") {
        reading.wrong(
            "answers",
            "missing",
            "`answers` is missing: a letter for each question.",
        );
    }
    reading.finish()?;
    check_themself(cx)?;
    let judged = judge(attempt, lesson, answers.unwrap_or_default(), cx.now)?;
    let kind = judged.event();
    let kept = keep_attempt(cx, kind, judged)?;
    if kept.passed {
        earn(cx, lesson, &kept)?;
    }
    Ok(kept)
}

/// Writes the training for a passed test; open changes are evaluated again.
fn earn(cx: &mut Context<'_, '_>, lesson: &Lesson, attempt: &LessonAttempt) -> Result<()> {
    let valid = SignedDuration::from_hours(24 * lesson.days);
    let training = Training {
        id: RecordId(cx.new_id()?),
        version: 0,
        person: attempt.person.clone(),
        training: lesson.id.clone(),
        starts_at: cx.now,
        ends_at: cx.now.checked_add(valid).unwrap_or(Timestamp::MAX),
        recorded_at: Some(cx.now),
        evidence_note: None,
    };
    let data = json!({"lesson": lesson.id, "lesson_version": lesson.version, "attempt": named(attempt)});
    let training = cx.put_estate("training.earned", training, data)?;
    settle_trained(cx, &training)?;
    settle_with_approvers(cx)
}

/// Settles a person's action items for a lesson once their training for it is valid: by its test or by a live session.
///
/// # Errors
/// The store's.
pub(crate) fn settle_trained(cx: &mut Context<'_, '_>, training: &Training) -> Result<()> {
    if lesson::find(&training.training).is_none() || !training.is_on(cx.now) {
        return Ok(());
    }
    let asked = noun::in_use::<LessonAssignment>(cx)?;
    let same = asked.iter().filter(|it| it.lesson == training.training);
    for assignment in same.filter(|it| it.people.contains(&training.person)) {
        settle_item(cx, assignment, &training.person, "The training is valid.")?;
    }
    Ok(())
}

/// Settles the action item of a person for an assignment, if it is open.
pub(crate) fn settle_item(
    cx: &mut Context<'_, '_>,
    assignment: &LessonAssignment,
    person: &PersonId,
    reason: &str,
) -> Result<()> {
    let (about, part) = (about(&assignment.lesson), assignment.part(person));
    action_items::settle_by_rule(cx, KIND, &about, &part, reason)?;
    Ok(())
}

/// The results of each lesson, as counts.
///
/// # Errors
/// 403 for a person who assigns no lessons, or the store's.
pub fn lesson_scores(cx: &mut Context<'_, '_>) -> Result<Vec<LessonScore>> {
    cx.allow(actions::SET_FREEZE)?;
    let mut scores = Vec::new();
    for lesson in lesson::all() {
        let filter = Filter::new().equals("lesson", lesson.id.as_str());
        let attempts = record::bodies::<LessonAttempt>(cx.tx, &filter.descending_by("id").limit(MOST_SCORED))?;
        scores.push(score(lesson, &attempts));
    }
    Ok(scores)
}
