//! Routes and shapes of lessons; their tests and assignments are on cards.

use model::core::enums::{Kind, Level};
use model::core::parse::{LINE, TEXT};

use crate::openapi::Param;
use crate::openapi::rows::{Row, get, list, post};
use crate::openapi::shapes::{Shape, all, boolean, integer, object, objects, shape, text, texts, time, word};

const LANGUAGE: &[Param] = &[Param::new(
    "language",
    "`en` or `de`; the language of the account unless said, English where it has none.",
)];

/// The routes.
pub(crate) const ROUTES: &[Row] = &[
    Row {
        may: "read",
        params: LANGUAGE,
        ..list(
            "training",
            "list_lessons",
            "/lessons",
            "List lessons, each with your training",
            "LessonSummary",
        )
    },
    Row {
        may: "read",
        params: LANGUAGE,
        ..get(
            "training",
            "show_lesson",
            "/lessons/{id}",
            "Show a lesson with your figures",
            "Lesson",
        )
    },
    Row {
        may: "read",
        params: LANGUAGE,
        ..list(
            "training",
            "list_lesson_questions",
            "/lesson-attempts/{id}/questions",
            "List the questions of a test of your own; once it is answered, with what is right and why",
            "LessonQuestion",
        )
    },
    post(
        "training",
        "answer_lesson_attempt",
        "/lesson-attempts/{id}/answers",
        "Answer the test of a lesson; a passed one is a training of yours",
        "LessonAnswers",
        "LessonAttempt",
    )
    .may("read"),
    list(
        "training",
        "list_lesson_scores",
        "/lesson-scores",
        "List what came of each lesson, before and after it, as counts",
        "LessonScore",
    )
    .may("set_freeze"),
];

/// The shapes.
pub(crate) const SHAPES: &[Shape] = &[
    shape(
        "LessonAnswers",
        "The answers to a test.",
        &[texts("answers", LINE, "A letter for each question, in their order.").needed()],
    ),
    shape(
        "LessonSummary",
        "A lesson, with your training.",
        &[
            text("id", LINE, "Its name, also that of the training that its test earns.").needed(),
            text("title", LINE, "Its title.").needed(),
            integer("minutes", 0, i64::MAX, "How long it takes to read.").needed(),
            integer("days", 0, i64::MAX, "For how many days a passed test is valid.").needed(),
            boolean("is_valid", "Whether your training is valid now.").needed(),
            boolean("is_expired", "Whether your training has ended.").needed(),
            time("valid_until", "Until when your training is valid."),
            time("due_at", "Until when you are asked to pass it."),
        ],
    ),
    shape(
        "Lesson",
        "A lesson.",
        &[
            text("id", LINE, "Its name.").needed(),
            integer("lesson_version", 0, i64::MAX, "Grows with every change of the lesson.").needed(),
            text("title", LINE, "Its title.").needed(),
            integer("minutes", 0, i64::MAX, "How long it takes to read.").needed(),
            objects("parts", "LessonPart", "Its parts.").needed(),
            object("figures", "LessonFigures", "The figures that it tells.").needed(),
            objects(
                "examples",
                "LessonExample",
                "Your own changes of the last 90 days in groups of at least five that are alike; none where fewer than 20 ended.",
            )
            .needed(),
        ],
    ),
    shape(
        "LessonExample",
        "Changes that are alike, without names, titles, services or days.",
        &[
            word("kind", all!(Kind), "How they were governed.").needed(),
            word("risk", all!(Level), "Their risk.").needed(),
            integer(
                "up_to_minutes",
                0,
                i64::MAX,
                "Their work took at most so long; absent where it took longer than eight hours, or nobody knows.",
            ),
            integer("changes", 0, i64::MAX, "How many they are.").needed(),
            integer("failed", 0, i64::MAX, "How many of them failed.").needed(),
        ],
    ),
    shape(
        "LessonPart",
        "A part of a lesson.",
        &[
            text("title", LINE, "Its heading.").needed(),
            text("text", TEXT, "Its text, in Markdown.").needed(),
            boolean("picture", "Whether the icon array of the figures follows.").needed(),
        ],
    ),
    shape(
        "LessonFigures",
        "Counts of changes of the last 90 days.",
        &[
            integer("changes", 0, i64::MAX, "The changes with an outcome.").needed(),
            integer("failed", 0, i64::MAX, "Those that failed.").needed(),
            integer(
                "low",
                0,
                i64::MAX,
                "Of as many changes, the lower end of the 95 % interval.",
            )
            .needed(),
            integer("high", 0, i64::MAX, "The upper end.").needed(),
            integer("created", 0, i64::MAX, "The changes that were created.").needed(),
            integer("emergencies", 0, i64::MAX, "The emergencies among them.").needed(),
            boolean(
                "is_own",
                "Whether they are your own; otherwise there are too few, and they are an example.",
            )
            .needed(),
        ],
    ),
    shape(
        "LessonQuestion",
        "A question of a test.",
        &[
            text("id", LINE, "Its name.").needed(),
            text("text", TEXT, "What is asked.").needed(),
            objects("options", "LessonOption", "What may be answered.").needed(),
            text("answer", LINE, "The letter that you answered."),
            boolean("is_right", "Whether it is right."),
            text("right", LINE, "The letter of the right answer."),
            text("why", TEXT, "Why that is right."),
        ],
    ),
    shape(
        "LessonOption",
        "An answer that may be chosen.",
        &[
            text("id", LINE, "Its letter.").needed(),
            text("text", TEXT, "The answer.").needed(),
        ],
    ),
    shape(
        "LessonScore",
        "What came of a lesson. Below five people the counts of answers are absent.",
        &[
            text("lesson", LINE, "The lesson's name.").needed(),
            integer("people", 0, i64::MAX, "Those who answered before it and after it.").needed(),
            integer("right_before", 0, i64::MAX, "Their right answers before it."),
            integer("right_after", 0, i64::MAX, "Their right answers in their last test."),
            integer("answers", 0, i64::MAX, "All their answers, before it as after it."),
            integer("tests", 0, i64::MAX, "The tests that were answered.").needed(),
            integer("passed", 0, i64::MAX, "Those that were passed.").needed(),
        ],
    ),
];
