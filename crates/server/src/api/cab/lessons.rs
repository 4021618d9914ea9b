//! Lessons: their text, the questions and the answers of tests, and the results. Tests begin by the route of their card.

use acts::Context;
use acts::cab::lessons::{self, OwnLesson};
use model::cab::lesson::{Lesson, LessonExample, LessonFigures, LessonQuestion};
use model::cab::lesson_attempt::{LessonAttempt, LessonScore};
use model::core::refusal::Refusal;
use serde_json::{Value, json};
use wire::views;

use crate::api::shared::records::keyed;
use crate::http::route::{Ask, Reply, Route};

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_lessons", |cx, ask| {
        let language = language(cx, ask)?;
        let own = lessons::own_lessons(cx)?;
        keyed(ask, own.iter().map(|it| (it.lesson.id.clone(), summary(it, &language))))
    }),
    Route::reads("show_lesson", |cx, ask| {
        let language = language(cx, ask)?;
        let lesson = lessons::find_lesson(ask.place(0))?;
        let figures = lessons::lesson_figures(cx)?;
        let mut value = whole(lesson, &figures, &language);
        value["examples"] = lessons::lesson_examples(cx)?.iter().map(example).collect();
        Ok(Reply::ok(value))
    }),
    Route::reads("list_lesson_questions", |cx, ask| {
        let language = language(cx, ask)?;
        let (attempt, _, questions) = lessons::questions_of(cx, ask.place(0))?;
        // The list has the order of the test, so a position is the question's key.
        let rows = questions.into_iter().enumerate();
        keyed(
            ask,
            rows.map(|(place, it)| (place.to_string(), question(&attempt, it, &language))),
        )
    }),
    Route::writes("answer_lesson_attempt", |cx, ask| {
        let answered = lessons::answer_attempt(cx, ask.place(0), &ask.body)?;
        Ok(Reply::created(views::shown(&answered, &*cx.directory()?)))
    }),
    Route::reads("list_lesson_scores", |cx, ask| {
        let scores = lessons::lesson_scores(cx)?;
        keyed(ask, scores.iter().map(|it| (it.lesson.to_owned(), score(it))))
    }),
];

/// The language that a request names, else that of the account.
fn language(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<String> {
    match ask.query("language") {
        Some(tag @ ("en" | "de")) => Ok(tag.to_owned()),
        Some(_) => Err(Refusal::field("language", "unknown_word", "`language` is `en` or `de`.").into()),
        None => {
            let directory = cx.directory()?;
            let telling = directory
                .people
                .get(&cx.actor.person)
                .and_then(|it| it.telling.as_ref());
            Ok(telling.and_then(|it| it.language.clone()).unwrap_or_default())
        }
    }
}

fn summary(own: &OwnLesson, language: &str) -> Value {
    let mut value = json!({
        "id": own.lesson.id, "title": own.lesson.title.in_language(language), "minutes": own.lesson.minutes,
        "days": own.lesson.days, "is_valid": own.valid_until.is_some(), "is_expired": own.is_expired,
    });
    for (name, at) in [("valid_until", own.valid_until), ("due_at", own.due_at)] {
        if let Some(at) = at {
            value[name] = json!(at);
        }
    }
    value
}

fn whole(lesson: &Lesson, figures: &LessonFigures, language: &str) -> Value {
    let parts = lesson.parts.iter().map(|part| {
        json!({
            "title": part.title.in_language(language), "text": figures.fill(part.text.in_language(language)).trim(),
            "picture": part.picture,
        })
    });
    json!({
        "id": lesson.id, "lesson_version": lesson.version, "title": lesson.title.in_language(language),
        "minutes": lesson.minutes, "parts": parts.collect::<Vec<Value>>(),
        "figures": {
            "changes": figures.changes, "failed": figures.failed, "low": figures.low, "high": figures.high,
            "created": figures.created, "emergencies": figures.emergencies, "is_own": figures.is_own,
        },
    })
}

fn example(it: &LessonExample) -> Value {
    let mut value = json!({"kind": it.kind, "risk": it.risk, "changes": it.changes, "failed": it.failed});
    if let Some(minutes) = it.up_to_minutes {
        value["up_to_minutes"] = json!(minutes);
    }
    value
}

fn question(attempt: &LessonAttempt, question: &LessonQuestion, language: &str) -> Value {
    let options = question.shuffled(attempt.id.as_str());
    let options = options
        .into_iter()
        .map(|option| json!({"id": option.id, "text": option.in_language(language)}));
    let mut value = json!({
        "id": question.id, "text": question.text.in_language(language), "options": options.collect::<Vec<Value>>(),
    });
    // The result of a test that was taken before the lesson is read is not shown.
    let place = attempt.questions.iter().position(|name| *name == question.id);
    let answer = place.and_then(|place| attempt.answers.get(place));
    if let Some(answer) = answer.filter(|_| !attempt.before) {
        value["answer"] = json!(answer);
        value["is_right"] = json!(*answer == question.right);
        value["right"] = json!(question.right);
        value["why"] = json!(question.why.in_language(language));
    }
    value
}

fn score(score: &LessonScore) -> Value {
    let mut value =
        json!({"lesson": score.lesson, "people": score.people, "tests": score.tests, "passed": score.passed});
    if let (Some((before, all)), Some((after, _))) = (score.before, score.after) {
        value["right_before"] = json!(before);
        value["right_after"] = json!(after);
        value["answers"] = json!(all);
    }
    value
}
