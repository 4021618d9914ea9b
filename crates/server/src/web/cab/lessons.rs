//! Lessons: the list with the reader's own trainings, a lesson with its icon array, its test, and for change managers the
//! assignments and results.

use acts::Context;
use acts::cab::lessons::{
    OwnLesson, answer_attempt, find_lesson, lesson_examples, lesson_figures, lesson_scores, own_lessons, questions_of,
};
use acts::core::noun;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use model::cab::lesson::{self, Lesson, LessonExample, LessonFigures};
use model::cab::lesson_assignment::LessonAssignment;
use model::cab::lesson_attempt::{LessonAttempt, LessonScore, MOST_A_DAY};
use model::core::body::Body;
use pages::language::ENGLISH;
use pages::{
    ActForm, ActTone, Cell, Choice, Column, Entry, Fact, Field, Fold, IconArray, Input, Place, RecordPage, Rich,
    Section, SectionBody, Table, Tone, count, minutes,
};
use serde_json::json;

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::fields::{pick_field, time_field};
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::languages::of_file;
use crate::web::shared::view::{View, Visitor, language_of, show};
use crate::web::shared::words;

/// The language settings of a request: a lesson is in the same language as its page.
struct Wish {
    uri: Uri,
    headers: HeaderMap,
}

impl Wish {
    fn tag(&self, view: &View<'_, '_, '_>) -> &'static str {
        let chosen = language_of(&view.directory, &view.me);
        of_file(&self.uri, &self.headers, &chosen).map_or(ENGLISH, |language| language.tag())
    }
}

/// Every lesson.
pub(crate) async fn show_lessons(
    State(state): State<AppState>,
    visitor: Visitor,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let wish = Wish { uri, headers };
    show(&state, &visitor, Place::Home, move |view| list_page(view, &wish, None)).await
}

/// One lesson.
pub(crate) async fn show_lesson(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let wish = Wish { uri, headers };
    show(&state, &visitor, Place::Home, move |view| page(view, &id, &wish, None)).await
}

/// Begins a test.
pub(crate) async fn begin(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let (wish, before) = (Wish { uri, headers }, form.first("before") == "true");
    let here = format!("/lessons/{}", escaped(&id));
    let (sent, lesson) = (sent(form, format!("{here}/attempts"), here, Place::Home), id.clone());
    let run = move |cx: &mut Context<'_, '_>, _: &Body| {
        let mut body = Body::new();
        body.insert("lesson".to_owned(), json!(lesson));
        body.insert("before".to_owned(), json!(before));
        noun::add::<LessonAttempt>(cx, &body).map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| {
        page(view, &id, &wish, back)
    })
    .await
}

/// Answers a test.
pub(crate) async fn answer(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id, attempt)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let wish = Wish { uri, headers };
    let given = (1..=lesson::DRAWN).map(|number| form.first(&format!("q{number}")).to_owned());
    let answers: Vec<String> = given.filter(|letter| !letter.is_empty()).collect();
    let here = format!("/lessons/{}", escaped(&id));
    let sent = sent(
        form,
        format!("{here}/attempts/{}", escaped(&attempt)),
        here,
        Place::Home,
    );
    let run = move |cx: &mut Context<'_, '_>, _: &Body| {
        let mut body = Body::new();
        body.insert("answers".to_owned(), json!(answers));
        answer_attempt(cx, &attempt, &body).map(drop)
    };
    send(&state, &visitor, sent, run, move |view, back| {
        page(view, &id, &wish, back)
    })
    .await
}

/// Assigns a lesson.
pub(crate) async fn assign(
    State(state): State<AppState>,
    visitor: Visitor,
    uri: Uri,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let wish = Wish { uri, headers };
    let sent = sent(
        form,
        "/lesson-assignments".to_owned(),
        "/lessons".to_owned(),
        Place::Home,
    );
    let run = |cx: &mut Context<'_, '_>, body: &Body| noun::add::<LessonAssignment>(cx, body).map(drop);
    send(&state, &visitor, sent, run, move |view, back| {
        list_page(view, &wish, back)
    })
    .await
}

/// Takes an assignment back.
pub(crate) async fn unassign(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let wish = Wish { uri, headers };
    let path = format!("/lesson-assignments/{}/end", escaped(&id));
    let sent = sent(form, path, "/lessons".to_owned(), Place::Home);
    let run = move |cx: &mut Context<'_, '_>, _: &Body| noun::end::<LessonAssignment>(cx, &id).map(drop);
    send(&state, &visitor, sent, run, move |view, back| {
        list_page(view, &wish, back)
    })
    .await
}

fn list_page(view: &mut View<'_, '_, '_>, wish: &Wish, back: Option<&Back>) -> acts::Result<String> {
    let language = wish.tag(view);
    let own = own_lessons(view.cx)?;
    let mut page = RecordPage {
        frame: view.frame.clone(),
        title: "Lessons".to_owned(),
        byline: Rich::from(
            "How to read the risk of a change. Each lesson takes less than five minutes and has a short test.",
        ),
        sections: own.iter().map(|it| own_section(view, it, language)).collect(),
        ..RecordPage::default()
    };
    let live = ActForm::link("Live sessions", view.url("/lesson-sessions"));
    page.acts.push(live.tone(ActTone::Quiet));
    if view.may("set_freeze") {
        page.acts.push(assign_form(view, language));
        let assigned = noun::list::<LessonAssignment>(view.cx)?;
        page.sections
            .extend(assigned.iter().map(|it| assignment(view, it, language)));
        let scores = lesson_scores(view.cx)?;
        page.sections.push(score_section(&scores, language));
    }
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn title_of<'l>(id: &'l str, language: &str) -> &'l str {
    lesson::find(id).map_or(id, |it| it.title.in_language(language))
}

fn own_section(view: &View<'_, '_, '_>, own: &OwnLesson, language: &str) -> Section {
    let state = match (own.valid_until, own.is_expired) {
        (Some(_), _) => "Passed",
        (None, true) => "Ended; the test restores it",
        (None, false) => "Not passed yet",
    };
    let mut facts = vec![
        Fact::new(
            "Reading time",
            minutes(u64::try_from(own.lesson.minutes).unwrap_or_default()),
        ),
        Fact::new("Your training", Rich::from(state)),
    ];
    if let Some(until) = own.valid_until {
        facts.push(Fact::new("Valid until", view.reader.moment(until)));
    }
    if let Some(due) = own.due_at {
        facts.push(Fact::new("Pass it by", view.reader.moment(due)));
    }
    let title = own.lesson.title.in_language(language);
    let open = ActForm::link("Open the lesson", view.url(&format!("/lessons/{}", own.lesson.id)));
    Section::new(format!("lesson-{}", own.lesson.id), title, SectionBody::Facts(facts))
        .said()
        .acts(vec![open])
}

fn assign_form(view: &View<'_, '_, '_>, language: &str) -> ActForm {
    let lessons = lesson::all().iter();
    let lessons = lessons.map(|it| Choice::said(it.id.as_str(), it.title.in_language(language)));
    ActForm::new("assign", "Assign a lesson", view.url("/lesson-assignments"))
        .field(idempotent_form::field(view))
        .field(Field::new("lesson", "Lesson", Input::Select(lessons.collect())).required())
        .field(pick_field(view, "people", "person", "Person").hint("A login; or choose a group or a business unit."))
        .field(pick_field(view, "groups", "group", "Members of the group"))
        .field(pick_field(
            view,
            "business-units",
            "business_unit",
            "Contacts of the business unit",
        ))
        .field(time_field(view, "due_at", "Until").required())
        .submit("Assign it")
}

fn assignment(view: &View<'_, '_, '_>, it: &LessonAssignment, language: &str) -> Section {
    let who = match (&it.person, &it.business_unit, &it.group) {
        (Some(person), ..) => Fact::new("Person", view.person(person)),
        (None, Some(unit), _) => Fact::new("Contacts of the business unit", Rich::new().said(unit.as_str())),
        (None, None, group) => {
            let name = group.as_ref().map(|group| view.directory.group_name(group));
            Fact::new("Members of the group", Rich::new().said(name.unwrap_or_default()))
        }
    };
    let now = view.now();
    let is_trained = |person: &&model::core::ids::PersonId| view.directory.is_trained(person, &it.lesson, now);
    let passed = it.people.iter().filter(is_trained).count();
    let told = format!("{} of {} people", count(passed as u64), count(it.people.len() as u64));
    let facts = vec![
        who,
        Fact::new("Until", view.reader.moment(it.due_at)),
        Fact::new("Passed", Rich::from(told)),
        Fact::new("Assigned by", view.person(&it.by)),
    ];
    let url = view.url(&format!("/lesson-assignments/{}/end", it.id));
    let end = ActForm::new(format!("end-{}", it.id), "Withdraw the assignment", url).tone(ActTone::Stop);
    Section::new(
        format!("assignment-{}", it.id),
        title_of(&it.lesson, language),
        SectionBody::Facts(facts),
    )
    .said()
    .lede("An assignment of this lesson.")
    .acts(vec![end])
}

fn score_section(scores: &[LessonScore], language: &str) -> Section {
    let told = |pair: Option<(i64, i64)>| match pair {
        Some((right, all)) => format!("{right} of {all}"),
        None => "fewer than 5 people".to_owned(),
    };
    let row = |it: &LessonScore| {
        vec![
            Cell::Text(Rich::new().said(title_of(it.lesson, language))),
            Cell::Short(count(it.people as u64)),
            Cell::Short(told(it.before)),
            Cell::Short(told(it.after)),
            Cell::Short(format!("{} of {}", count(it.passed as u64), count(it.tests as u64))),
        ]
    };
    let table = Table {
        caption: "Right answers of the same people before and after each lesson".to_owned(),
        columns: vec![
            Column::new("Lesson", Fold::Never),
            Column::new("People", Fold::Under).named(),
            Column::new("Right before", Fold::Under).named(),
            Column::new("Right after", Fold::Under).named(),
            Column::new("Tests passed", Fold::Under).named(),
        ],
        rows: scores.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("scores", "Do lessons work?", SectionBody::Table(table))
        .lede("Counts of people who answered three questions before a lesson and a test after it.")
}

fn page(view: &mut View<'_, '_, '_>, id: &str, wish: &Wish, back: Option<&Back>) -> acts::Result<String> {
    let language = wish.tag(view);
    let lesson = find_lesson(id)?;
    let attempts: Vec<LessonAttempt> = noun::list::<LessonAttempt>(view.cx)?
        .into_iter()
        .filter(|it| it.lesson == lesson.id)
        .collect();
    let now = view.now();
    let open = attempts
        .iter()
        .find(|it| it.is_open(now) && it.lesson_version == lesson.version);
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Lessons".to_owned(), view.url("/lessons"))],
        title: lesson.title.in_language(language).to_owned(),
        is_said: true,
        byline: Rich::from(
            "For people who decide about changes. Figures are counts of your own changes, without names.",
        ),
        ..RecordPage::default()
    };
    // Questions before a lesson are answered before its text is shown.
    if !open.is_some_and(|it| it.before) {
        let figures = lesson_figures(view.cx)?;
        page.sections.extend(text_sections(lesson, &figures, language));
        page.sections.push(example_section(&lesson_examples(view.cx)?));
    }
    match open {
        Some(attempt) => page.sections.push(question_section(view, attempt, language)?),
        None => {
            if let Some(last) = attempts.iter().find(|it| it.answered_at.is_some()) {
                page.sections.push(result_section(view, last, language)?);
            }
            page.acts = begin_forms(view, lesson, attempts.is_empty());
        }
    }
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn begin_forms(view: &View<'_, '_, '_>, lesson: &Lesson, is_first: bool) -> Vec<ActForm> {
    let url = view.url(&format!("/lessons/{}/attempts", lesson.id));
    let form = |id: &str, label: &str, before: &str| {
        ActForm::new(id, label, url.as_str())
            .field(idempotent_form::field(view))
            .field(Field::hidden("before", before))
    };
    let mut forms = vec![form("test", "Take the test", "false").tone(ActTone::Go)];
    if is_first {
        forms.push(form("before", "Answer three questions before reading", "true"));
    }
    forms
}

fn text_sections(lesson: &Lesson, figures: &LessonFigures, language: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    for (part, number) in lesson.parts.iter().zip(1..) {
        let text = figures.fill(part.text.in_language(language));
        let title = part.title.in_language(language);
        sections.push(Section::new(format!("part-{number}"), title, SectionBody::Prose(text)).said());
        if !part.picture {
            continue;
        }
        let array = IconArray {
            of: figures.changes,
            hits: figures.failed,
            low: figures.low,
            high: figures.high,
        };
        let lede = if figures.is_own {
            "Your own changes of the last 90 days."
        } else {
            "An example with made-up figures: fewer than 20 of your changes had an outcome in the last 90 days."
        };
        sections.push(
            Section::new(
                format!("picture-{number}"),
                "Changes as squares",
                SectionBody::Icons(array),
            )
            .lede(lede),
        );
    }
    sections
}

/// The tenant's own changes in anonymous groups.
fn example_section(examples: &[LessonExample]) -> Section {
    let row = |it: &LessonExample| {
        let took = match it.up_to_minutes {
            Some(most) => format!("at most {}", minutes(u64::try_from(most).unwrap_or_default())),
            None => "longer, or not known".to_owned(),
        };
        vec![
            Cell::Short(words::capital(it.kind.as_str())),
            Cell::Short(words::capital(it.risk.as_str())),
            Cell::Short(took),
            Cell::Short(format!("{} of {}", count(it.failed), count(it.changes))),
        ]
    };
    let table = Table {
        caption: "Your own changes, without names".to_owned(),
        columns: vec![
            Column::new("Kind", Fold::Never),
            Column::new("Risk", Fold::Never),
            Column::new("The work took", Fold::Under).named(),
            Column::new("Failed", Fold::Never),
        ],
        rows: examples.iter().map(row).collect(),
        ..Table::default()
    };
    Section::new("examples", "Your own changes, without names", SectionBody::Table(table))
        .lede("Changes of the last 90 days in groups of at least five that are alike.")
        .unsaid("Too few changes have ended in the last 90 days to show groups without revealing single changes.")
}

fn question_section(view: &mut View<'_, '_, '_>, attempt: &LessonAttempt, language: &str) -> acts::Result<Section> {
    let (_, lesson, questions) = questions_of(view.cx, attempt.id.as_str())?;
    let url = view.url(&format!("/lessons/{}/attempts/{}", lesson.id, attempt.id));
    let mut form = ActForm::new("answers", "Answer the questions", url)
        .field(idempotent_form::field(view))
        .submit("Check the answers");
    for (question, number) in questions.iter().zip(1..) {
        let options = question.shuffled(attempt.id.as_str()).into_iter();
        let options = options.map(|it| Choice::said(it.id.as_str(), it.in_language(language)));
        let label = format!("{number}. {}", question.text.in_language(language));
        form = form.field(Field {
            is_said: true,
            required: true,
            ..Field::new(format!("q{number}"), label, Input::Radio(options.collect()))
        });
    }
    form.is_open = true;
    let lede = if attempt.before {
        "These questions show what you already know and do not count. The lesson follows."
    } else {
        "A test is passed when all three answers are right."
    };
    let until = Rich::from(format!("Answer them until {}.", view.reader.moment(attempt.ends_at())));
    Ok(Section::new("questions", "Three questions", SectionBody::Words(until))
        .lede(lede)
        .acts(vec![form]))
}

/// The result of the last test. For questions before a lesson only a count is shown, as the questions may come again.
fn result_section(view: &mut View<'_, '_, '_>, attempt: &LessonAttempt, language: &str) -> acts::Result<Section> {
    let (_, _, questions) = questions_of(view.cx, attempt.id.as_str())?;
    let told = format!("{} of {} answers were right.", attempt.right, attempt.questions.len());
    if attempt.before {
        let body = SectionBody::Words(Rich::from(told));
        return Ok(Section::new("result", "Your answers before the lesson", body));
    }
    let entry = |question: &&model::cab::lesson::LessonQuestion| {
        let place = attempt.questions.iter().position(|name| *name == question.id);
        let answer = place.and_then(|place| attempt.answers.get(place));
        let (tone, word) = match answer == Some(&question.right) {
            true => (Tone::Ok, "Right: "),
            false => (Tone::Wait, "Not quite: "),
        };
        let text = Rich::from(word).said(question.text.in_language(language));
        Entry {
            sub: Rich::new().said(question.why.in_language(language)),
            ..Entry::new(tone, text)
        }
    };
    let title = if attempt.passed {
        "You passed the test"
    } else {
        "You did not pass the test"
    };
    let mut section = Section::new(
        "result",
        title,
        SectionBody::Entries(questions.iter().map(entry).collect()),
    )
    .lede(told);
    if !attempt.passed {
        let most = format!("At most {MOST_A_DAY} tests of a lesson begin within 24 hours; each has other questions.");
        section = section.note(Rich::from(most));
    }
    Ok(section)
}
