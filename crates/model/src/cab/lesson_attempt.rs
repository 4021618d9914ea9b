//! Tests of lessons: the questions drawn for a person, the person's choices, and the result.

use std::collections::BTreeMap;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cab::lesson::{DRAWN, Lesson, PASSES};
use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::ids::{PersonId, RecordId};
use crate::core::refusal::Refusal;
use crate::verbs;

/// The most tests of a lesson that a person begins within [`DAY_HOURS`].
pub const MOST_A_DAY: usize = 3;
/// The span in hours to which [`MOST_A_DAY`] applies.
pub const DAY_HOURS: i64 = 24;
/// The time limit of a test after its start, in minutes.
pub const ANSWER_MINUTES: i64 = 60;
/// The fewest people for whom scores are shown: fewer would disclose single people.
pub const LEAST_PEOPLE: usize = 5;

/// A test of a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct LessonAttempt {
    /// The record's id; the lots of the questions are drawn with it.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The lesson's name.
    #[card(column)]
    pub lesson: String,
    /// The version of the lesson that the questions are from.
    pub lesson_version: i64,
    /// Who takes it: a login.
    #[card(column)]
    pub person: PersonId,
    /// Whether it is taken before the lesson is read: it shows what is known already, and earns nothing.
    pub before: bool,
    /// The names of the questions.
    pub questions: Vec<String>,
    /// The letters of the answers, in the order of the questions; empty before it is answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<String>,
    /// How many answers are right.
    pub right: i64,
    /// Whether it is passed.
    pub passed: bool,
    /// When it began.
    #[card(column)]
    pub begun_at: Timestamp,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
}

/// A test of a lesson that the acting person begins.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct LessonAttemptInput {
    /// The lesson's name.
    #[card(positional, example = "risk_levels")]
    pub lesson: String,
    /// Whether it is taken before the lesson is read: it shows what is known already, and earns nothing.
    #[card(example = "false")]
    pub before: bool,
}

/// The card. Everybody sees their own tests alone.
pub const CARD: Card = Card {
    tag: "training",
    command: "lesson-attempt",
    columns: &["id", "lesson", "before", "right", "passed", "begun_at"],
    verbs: verbs! {
        List "list_lesson_attempts" at "/lesson-attempts" may READ => "List your own tests of lessons";
        Add "begin_lesson_attempt" at "/lesson-attempts" may READ => "Begin the test of a lesson; its questions are drawn", called "begin";
        Show "show_lesson_attempt" at "/lesson-attempts/{id}" may READ => "Show a test of your own";
    },
    events: &[
        Event::new("lesson_attempt.begun", "edit", "began the test of a lesson"),
        Event::new("lesson_attempt.passed", "check", "passed the test of a lesson"),
        Event::new("lesson_attempt.failed", "x", "did not pass the test of a lesson"),
        Event::new("lesson_attempt.scored", "eye", "answered questions before a lesson"),
    ],
    ..Card::of::<LessonAttempt, LessonAttemptInput>("lesson_attempt", "Tests of lessons")
};

impl LessonAttempt {
    /// Whether the test is still open.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.answered_at.is_none() && now < self.ends_at()
    }

    /// The end of the test's time limit.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        later(self.begun_at, SignedDuration::from_mins(ANSWER_MINUTES))
    }

    /// The event of the submitted test.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match (self.before, self.passed) {
            (true, _) => "lesson_attempt.scored",
            (false, true) => "lesson_attempt.passed",
            (false, false) => "lesson_attempt.failed",
        }
    }
}

fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// The test that somebody may begin now: the open one of the same kind, or `None` for a new one. `earlier` are their tests of
/// the lesson.
///
/// # Errors
/// 409 where questions before the lesson come too late, or where the tests of a day are used up.
pub fn may_begin<'a>(
    earlier: &'a [LessonAttempt],
    lesson: &Lesson,
    before: bool,
    now: Timestamp,
) -> Result<Option<&'a LessonAttempt>, Refusal> {
    let is_same = |it: &&LessonAttempt| it.before == before && it.lesson_version == lesson.version && it.is_open(now);
    if let Some(open) = earlier.iter().find(is_same) {
        return Ok(Some(open));
    }
    if before && !earlier.is_empty() {
        let text = "Questions before a lesson can be answered only once, before its first test.";
        return Err(Refusal::not_now(
            "too_late",
            text,
            "Begin the test of the lesson.",
            Vec::new(),
        ));
    }
    let since = now
        .checked_sub(SignedDuration::from_hours(DAY_HOURS))
        .unwrap_or(Timestamp::MIN);
    let mut of_day: Vec<Timestamp> = earlier
        .iter()
        .filter(|it| !it.before && it.begun_at > since)
        .map(|it| it.begun_at)
        .collect();
    of_day.sort_unstable();
    if before || of_day.len() < MOST_A_DAY {
        return Ok(None);
    }
    let next = later(of_day[of_day.len() - MOST_A_DAY], SignedDuration::from_hours(DAY_HOURS));
    let text = format!("{MOST_A_DAY} tests of this lesson began within {DAY_HOURS} hours, and more would be guessing.");
    let satisfy = format!("Read the lesson again; the next test can begin at {next}.");
    Err(Refusal::not_now("too_many", text, satisfy, Vec::new()))
}

/// Grades a test.
///
/// # Errors
/// 409 where the test was submitted before, is over, or the lesson has changed since; 422 for a wrong number of choices or an
/// unknown letter.
pub fn judge(
    attempt: LessonAttempt,
    lesson: &Lesson,
    answers: Vec<String>,
    now: Timestamp,
) -> Result<LessonAttempt, Refusal> {
    if attempt.answered_at.is_some() {
        return Err(Refusal::not_now(
            "answered",
            "This test has already been answered.",
            "Begin another test.",
            Vec::new(),
        ));
    }
    if !attempt.is_open(now) {
        let text = format!("The time limit of {ANSWER_MINUTES} minutes for this test is over.");
        return Err(Refusal::not_now("over", text, "Begin another test.", Vec::new()));
    }
    if attempt.lesson_version != lesson.version {
        let text = "The lesson has changed since this test began.";
        return Err(Refusal::not_now(
            "lesson_changed",
            text,
            "Read the lesson and begin another test.",
            Vec::new(),
        ));
    }
    if answers.len() != attempt.questions.len() {
        let text = format!("`answers` holds one letter for each of the {DRAWN} questions, in their order.");
        return Err(Refusal::field("answers", "wrong_number", text));
    }
    let mut right = 0;
    for (place, (name, answer)) in attempt.questions.iter().zip(&answers).enumerate() {
        let question = lesson.question(name);
        if !question.is_some_and(|it| it.options.iter().any(|option| option.id == *answer)) {
            let text = format!(
                "`{answer}` is not a valid answer to question {}; the answers are a, b and c.",
                place + 1
            );
            return Err(Refusal::field(&format!("answers[{place}]"), "unknown", text));
        }
        right += i64::from(question.is_some_and(|it| it.right == *answer));
    }
    Ok(LessonAttempt {
        passed: !attempt.before && right >= PASSES,
        right,
        answers,
        answered_at: Some(now),
        ..attempt
    })
}

/// The effect of a lesson, over people who took questions before it and a test after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LessonScore {
    /// The lesson's name.
    pub lesson: &'static str,
    /// The people who did both.
    pub people: usize,
    /// The right and all of their choices before it; `None` below [`LEAST_PEOPLE`].
    pub before: Option<(i64, i64)>,
    /// Those of each one's last test, and all of them.
    pub after: Option<(i64, i64)>,
    /// The tests that were taken after it.
    pub tests: usize,
    /// Those among them that were passed.
    pub passed: usize,
}

/// Counts what came of a lesson.
#[must_use]
pub fn score(lesson: &'static Lesson, attempts: &[LessonAttempt]) -> LessonScore {
    let mut before: BTreeMap<&PersonId, i64> = BTreeMap::new();
    let mut after: BTreeMap<&PersonId, (Timestamp, i64)> = BTreeMap::new();
    let (mut tests, mut passed) = (0, 0);
    for it in attempts.iter().filter(|it| it.lesson == lesson.id) {
        let Some(at) = it.answered_at else { continue };
        if it.before {
            before.insert(&it.person, it.right);
            continue;
        }
        tests += 1;
        passed += usize::from(it.passed);
        let last = after.entry(&it.person).or_insert((at, it.right));
        if at >= last.0 {
            *last = (at, it.right);
        }
    }
    let both: Vec<(i64, i64)> = before
        .iter()
        .filter_map(|(person, right)| Some((*right, after.get(person)?.1)))
        .collect();
    let all = i64::try_from(both.len() * DRAWN).unwrap_or(i64::MAX);
    let is_enough = both.len() >= LEAST_PEOPLE;
    LessonScore {
        lesson: &lesson.id,
        people: both.len(),
        before: is_enough.then(|| (both.iter().map(|it| it.0).sum(), all)),
        after: is_enough.then(|| (both.iter().map(|it| it.1).sum(), all)),
        tests,
        passed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::cab::lesson::find;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn attempt(person: &str, before: bool, begun_at: &str) -> LessonAttempt {
        let lesson = find("risk_levels").unwrap();
        LessonAttempt {
            id: RecordId::from("seed"),
            version: 1,
            lesson: lesson.id.clone(),
            lesson_version: lesson.version,
            person: PersonId::from(person),
            before,
            questions: lesson.draw("seed").into_iter().map(|it| it.id.clone()).collect(),
            answers: Vec::new(),
            right: 0,
            passed: false,
            begun_at: at(begun_at),
            answered_at: None,
        }
    }

    /// The right letters, of which the first `wrong` are others.
    fn letters(attempt: &LessonAttempt, wrong: usize) -> Vec<String> {
        let lesson = find(&attempt.lesson).unwrap();
        let rights = attempt
            .questions
            .iter()
            .map(|it| lesson.question(it).unwrap().right.as_str());
        let other = |right: &str| if right == "a" { "b" } else { "a" };
        rights
            .enumerate()
            .map(|(place, right)| if place < wrong { other(right) } else { right }.to_owned())
            .collect()
    }

    fn judged(attempt: LessonAttempt, wrong: usize, now: &str) -> Result<LessonAttempt, Refusal> {
        let (lesson, answers) = (find(&attempt.lesson).unwrap(), letters(&attempt, wrong));
        judge(attempt, lesson, answers, at(now))
    }

    #[test]
    fn a_test_is_passed_by_right_answers_alone_and_never_before_the_lesson() {
        let now = "2026-11-20T08:10:00Z";
        let begun = "2026-11-20T08:00:00Z";
        let done = judged(attempt("p", false, begun), 0, now).unwrap();
        assert_eq!(
            (done.right, done.passed, done.event()),
            (3, true, "lesson_attempt.passed")
        );
        let failed = judged(attempt("p", false, begun), 1, now).unwrap();
        assert_eq!((failed.right, failed.passed), (2, false));
        let before = judged(attempt("p", true, begun), 0, now).unwrap();
        assert_eq!(
            (before.right, before.passed, before.event()),
            (3, false, "lesson_attempt.scored")
        );
    }

    #[test]
    fn a_test_is_answered_once_in_time_and_with_letters_of_its_questions() {
        let begun = "2026-11-20T08:00:00Z";
        let code = |done: Result<LessonAttempt, Refusal>| match done.unwrap_err() {
            Refusal::Invalid(errors) => errors[0].code.clone(),
            other => other.code().to_owned(),
        };
        let done = judged(attempt("p", false, begun), 1, "2026-11-20T08:10:00Z").unwrap();
        assert_eq!(code(judged(done, 0, "2026-11-20T08:11:00Z")), "answered");
        assert_eq!(
            code(judged(attempt("p", false, begun), 0, "2026-11-20T09:00:00Z")),
            "over"
        );
        let lesson = find("risk_levels").unwrap();
        let now = at("2026-11-20T08:10:00Z");
        let two = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            code(judge(attempt("p", false, begun), lesson, two, now)),
            "wrong_number"
        );
        let odd = vec!["a".to_owned(), "b".to_owned(), "d".to_owned()];
        assert_eq!(code(judge(attempt("p", false, begun), lesson, odd, now)), "unknown");
        let old = LessonAttempt {
            lesson_version: 0,
            ..attempt("p", false, begun)
        };
        assert_eq!(code(judged(old, 0, "2026-11-20T08:10:00Z")), "lesson_changed");
    }

    #[test]
    fn three_tests_begin_a_day_and_an_open_one_is_answered_first() {
        let lesson = find("risk_levels").unwrap();
        let answered = |begun: &str| LessonAttempt {
            answered_at: Some(at(begun)),
            ..attempt("p", false, begun)
        };
        let mut all = vec![answered("2026-11-20T08:00:00Z"), answered("2026-11-20T09:00:00Z")];
        let now = at("2026-11-20T10:10:00Z");
        assert_eq!(may_begin(&all, lesson, false, now).unwrap(), None);
        assert_eq!(may_begin(&all, lesson, true, now).unwrap_err().code(), "too_late");
        all.push(attempt("p", false, "2026-11-20T10:00:00Z"));
        assert_eq!(
            may_begin(&all, lesson, false, now).unwrap(),
            all.last(),
            "no second draw"
        );
        let over = at("2026-11-20T11:00:00Z");
        assert_eq!(may_begin(&all, lesson, false, over).unwrap_err().code(), "too_many");
        let next_day = at("2026-11-21T08:00:00Z");
        assert_eq!(may_begin(&all, lesson, false, next_day).unwrap(), None);
    }

    #[test]
    fn scores_compare_the_same_people_and_tell_of_none_alone() {
        let lesson = find("risk_levels").unwrap();
        let mut all = Vec::new();
        for person in ["a", "b", "c", "d", "e"] {
            all.push(judged(attempt(person, true, "2026-11-20T08:00:00Z"), 2, "2026-11-20T08:10:00Z").unwrap());
            all.push(
                judged(
                    attempt(person, false, "2026-11-20T08:20:00Z"),
                    1,
                    "2026-11-20T08:30:00Z",
                )
                .unwrap(),
            );
            if person == "e" {
                assert_eq!(score(lesson, &all).people, 5);
                break;
            }
            let few = score(lesson, &all);
            assert_eq!((few.before, few.after), (None, None), "{} people", few.people);
        }
        all.push(judged(attempt("a", false, "2026-11-20T09:00:00Z"), 0, "2026-11-20T09:10:00Z").unwrap());
        all.push(judged(attempt("z", false, "2026-11-20T09:00:00Z"), 0, "2026-11-20T09:10:00Z").unwrap());
        let told = score(lesson, &all);
        assert_eq!(
            (told.before, told.after),
            (Some((5, 15)), Some((11, 15))),
            "z answered nothing before"
        );
        assert_eq!((told.tests, told.passed), (7, 2));
    }
}
