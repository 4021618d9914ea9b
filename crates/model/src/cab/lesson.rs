//! Lessons on reading the risk of a change, as files: one TOML file per lesson in `crates/model/lessons`, compiled in. Each has
//! its text and its questions in English and German. The text shows figures of a tenant as counts, without names or titles.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::audit::draw::lot;
use crate::core::enums::{Kind, Level};
use crate::core::parse::nearest;
use crate::report::statistics::{self, PPM};

macro_rules! files {
    ($($id:literal),+ $(,)?) => {
        &[$(include_str!(concat!("../../lessons/", $id, ".toml"))),+]
    };
}

/// The files, in the order in which they are shown.
const FILES: &[&str] = files![
    "risk_levels",
    "probability",
    "intervals",
    "approval",
    "emergency",
    "outcomes",
];

/// How many questions a test has, drawn from those of the lesson.
pub const DRAWN: usize = 3;
/// How many of them are right in a test that is passed: all, for one who guesses among three options passes 1 in 27 so.
pub const PASSES: i64 = 3;
/// The longest lesson, in minutes of reading.
pub const LONGEST_MINUTES: i64 = 5;
/// The fewest changes with an outcome for which a tenant's own figures are shown: fewer would disclose single changes.
pub const LEAST_CHANGES: u64 = 20;

/// A text in each language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BilingualText {
    /// In English.
    pub en: String,
    /// In German.
    pub de: String,
}

impl BilingualText {
    /// The text in the language of this tag; English for a language that it is not written in.
    #[must_use]
    pub fn in_language(&self, tag: &str) -> &str {
        match tag {
            "de" => &self.de,
            _ => &self.en,
        }
    }
}

/// A part of a lesson: a heading with text in Markdown, and perhaps the icon array of the tenant's figures.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LessonPart {
    /// The heading.
    pub title: BilingualText,
    /// The text. `{changes}`, `{failed}`, `{low}`, `{high}`, `{emergencies}` and `{created}` are figures.
    pub text: BilingualText,
    /// Whether the icon array follows.
    #[serde(default)]
    pub picture: bool,
}

/// One choice of a question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerOption {
    /// Its letter.
    pub id: String,
    /// In English.
    pub en: String,
    /// In German.
    pub de: String,
}

impl AnswerOption {
    /// The text in the language of this tag.
    #[must_use]
    pub fn in_language(&self, tag: &str) -> &str {
        match tag {
            "de" => &self.de,
            _ => &self.en,
        }
    }
}

/// A question with its choices.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LessonQuestion {
    /// Its name within the lesson.
    pub id: String,
    /// The letter of the right choice.
    pub right: String,
    /// The text of the question.
    pub text: BilingualText,
    /// Why the right choice is right.
    pub why: BilingualText,
    /// The choices.
    pub options: Vec<AnswerOption>,
}

impl LessonQuestion {
    /// The options in the order of a test; letters keep their meaning.
    #[must_use]
    pub fn shuffled(&self, seed: &str) -> Vec<&AnswerOption> {
        let mut options: Vec<&AnswerOption> = self.options.iter().collect();
        options.sort_by_key(|option| lot(seed, &format!("{}/{}", self.id, option.id)));
        options
    }
}

/// A lesson.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// Its name, also that of the training which its test earns.
    pub id: String,
    /// Grows with every change of its text or questions.
    pub version: i64,
    /// How long it takes to read.
    pub minutes: i64,
    /// For how many days a passed test is valid.
    pub days: i64,
    /// Its title.
    pub title: BilingualText,
    /// Its parts.
    pub parts: Vec<LessonPart>,
    /// The questions of its tests.
    pub questions: Vec<LessonQuestion>,
}

impl Lesson {
    /// Draws the questions of a test: those with the smallest lots under the seed.
    #[must_use]
    pub fn draw(&self, seed: &str) -> Vec<&LessonQuestion> {
        let mut questions: Vec<&LessonQuestion> = self.questions.iter().collect();
        questions.sort_by_key(|question| lot(seed, &question.id));
        questions.truncate(DRAWN);
        questions
    }

    /// The question with this name.
    #[must_use]
    pub fn question(&self, id: &str) -> Option<&LessonQuestion> {
        self.questions.iter().find(|question| question.id == id)
    }
}

/// Every lesson, in the order in which they are shown.
#[must_use]
pub fn all() -> &'static [Lesson] {
    static LESSONS: OnceLock<Vec<Lesson>> = OnceLock::new();
    LESSONS.get_or_init(|| {
        let read = |text: &&str| toml::from_str(text).unwrap_or_else(|error| panic!("a lesson of this build: {error}"));
        FILES.iter().map(read).collect()
    })
}

/// The lesson with this name.
#[must_use]
pub fn find(id: &str) -> Option<&'static Lesson> {
    all().iter().find(|lesson| lesson.id == id)
}

/// Why a name is none of a lesson, with the nearest one.
#[must_use]
pub fn why_unknown(id: &str) -> String {
    let known: Vec<&str> = all().iter().map(|lesson| lesson.id.as_str()).collect();
    match nearest(id, &known) {
        Some(near) => format!("There is no lesson `{id}`; did you mean `{near}`?"),
        None => format!("There is no lesson `{id}`; there are {}.", known.join(", ")),
    }
}

/// The fewest changes that are summed up in one example.
pub const LEAST_ALIKE: u64 = 5;
/// The most examples.
pub const MOST_EXAMPLES: usize = 6;
/// The bounds of the time that work took, in minutes; longer work is beyond the last.
const LENGTHS: [i64; 3] = [30, 120, 480];

/// A change that ended, with the facts that examples use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedChange {
    /// How it was governed.
    pub kind: Kind,
    /// Its risk.
    pub risk: Level,
    /// How many minutes its work took.
    pub work_minutes: Option<i64>,
    /// Whether it failed.
    pub has_failed: bool,
}

/// Changes of the tenant that are alike, without names, titles, services or days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LessonExample {
    /// How they were governed.
    pub kind: Kind,
    /// Their risk.
    pub risk: Level,
    /// Their work took at most so many minutes; absent where it took longer than eight hours, or nobody knows.
    pub up_to_minutes: Option<i64>,
    /// How many they are, at least [`LEAST_ALIKE`].
    pub changes: u64,
    /// How many of them failed.
    pub failed: u64,
}

/// The examples from the tenant's own changes, the most frequent first. An example covers at least [`LEAST_ALIKE`] similar
/// changes of at least [`LEAST_CHANGES`] ended ones, so that it does not disclose single changes.
#[must_use]
pub fn examples(ended: &[EndedChange]) -> Vec<LessonExample> {
    if (ended.len() as u64) < LEAST_CHANGES {
        return Vec::new();
    }
    let mut groups: BTreeMap<(Kind, Level, Option<i64>), (u64, u64)> = BTreeMap::new();
    for change in ended {
        let took = change.work_minutes;
        let bound = took.and_then(|took| LENGTHS.into_iter().find(|bound| took <= *bound));
        let (changes, failed) = groups.entry((change.kind, change.risk, bound)).or_default();
        *changes += 1;
        *failed += u64::from(change.has_failed);
    }
    let example = |((kind, risk, up_to_minutes), (changes, failed))| LessonExample {
        kind,
        risk,
        up_to_minutes,
        changes,
        failed,
    };
    let told = groups.into_iter().filter(|(_, (changes, _))| *changes >= LEAST_ALIKE);
    let mut found: Vec<LessonExample> = told.map(example).collect();
    found.sort_by_key(|it| Reverse(it.changes));
    found.truncate(MOST_EXAMPLES);
    found
}

/// The figures of a tenant in lessons: counts of the last 90 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LessonFigures {
    /// The changes with an outcome.
    pub changes: u64,
    /// Those that failed.
    pub failed: u64,
    /// Of as many changes, the lower end of the 95 % interval.
    pub low: u64,
    /// The upper end.
    pub high: u64,
    /// The changes that were created.
    pub created: u64,
    /// The emergencies among them.
    pub emergencies: u64,
    /// Whether they are the tenant's own; otherwise they are an example.
    pub is_own: bool,
}

impl LessonFigures {
    /// The figures of a tenant: hits and all of failures and of emergencies. With too few changes the figures are the example.
    #[must_use]
    pub fn of((failed, changes): (u64, u64), (emergencies, created): (u64, u64)) -> Self {
        if changes < LEAST_CHANGES {
            return Self::example();
        }
        let [low, high] = interval(failed, changes);
        Self {
            changes,
            failed,
            low,
            high,
            created,
            emergencies,
            is_own: true,
        }
    }

    /// Made-up figures: 3 of 24 changes failed, 1 of 30 was an emergency.
    #[must_use]
    pub fn example() -> Self {
        let [low, high] = interval(3, 24);
        Self {
            changes: 24,
            failed: 3,
            low,
            high,
            created: 30,
            emergencies: 1,
            is_own: false,
        }
    }

    /// A text with the figures in their places.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        let pairs = [
            ("{changes}", self.changes),
            ("{failed}", self.failed),
            ("{low}", self.low),
            ("{high}", self.high),
            ("{emergencies}", self.emergencies),
            ("{created}", self.created),
        ];
        pairs.into_iter().fold(text.to_owned(), |text, (name, count)| {
            text.replace(name, &count.to_string())
        })
    }
}

/// Wilson's 95 % interval of a share, as counts of as many cases.
fn interval(hits: u64, of: u64) -> [u64; 2] {
    let Some(estimate) = statistics::share(hits, of) else {
        return [0, 0];
    };
    let whole = u64::try_from(PPM).unwrap_or(1);
    [estimate.low, estimate.high].map(|ppm| (u64::try_from(ppm).unwrap_or(0) * of + whole / 2) / whole)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The reading speed of a slow reader, per minute.
    const PACE: usize = 180;

    fn words(lesson: &Lesson, tag: &str) -> usize {
        let texts = lesson
            .parts
            .iter()
            .flat_map(|part| [part.title.in_language(tag), part.text.in_language(tag)]);
        texts.map(|text| text.split_whitespace().count()).sum()
    }

    #[test]
    fn each_lesson_takes_less_than_five_minutes_in_both_languages() {
        assert!(all().len() >= 6);
        for lesson in all() {
            assert!(lesson.minutes < LONGEST_MINUTES, "{}", lesson.id);
            for tag in ["en", "de"] {
                let minutes = words(lesson, tag).div_ceil(PACE);
                assert!(
                    i64::try_from(minutes).is_ok_and(|it| it <= lesson.minutes),
                    "{} in {tag}",
                    lesson.id
                );
            }
        }
    }

    #[test]
    fn each_question_has_three_answers_of_which_one_is_right() {
        for lesson in all() {
            assert!(lesson.questions.len() >= 5, "{}", lesson.id);
            let names: BTreeSet<&str> = lesson.questions.iter().map(|it| it.id.as_str()).collect();
            assert_eq!(names.len(), lesson.questions.len(), "{}", lesson.id);
            for question in &lesson.questions {
                let letters: BTreeSet<&str> = question.options.iter().map(|it| it.id.as_str()).collect();
                assert_eq!(
                    letters,
                    BTreeSet::from(["a", "b", "c"]),
                    "{}/{}",
                    lesson.id,
                    question.id
                );
                assert!(
                    letters.contains(question.right.as_str()),
                    "{}/{}",
                    lesson.id,
                    question.id
                );
            }
        }
    }

    #[test]
    fn no_letter_is_right_in_more_than_half_of_the_questions() {
        let all: Vec<&LessonQuestion> = all().iter().flat_map(|lesson| &lesson.questions).collect();
        for letter in ["a", "b", "c"] {
            let right = all.iter().filter(|question| question.right == letter).count();
            assert!(
                right * 2 <= all.len() && right > 0,
                "{letter}: {right} of {}",
                all.len()
            );
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_test_and_seeds_draw_every_question() {
        for lesson in all() {
            assert_eq!(lesson.draw("one"), lesson.draw("one"));
            let drawn = |seed: usize| lesson.draw(&seed.to_string()).into_iter().map(|it| it.id.as_str());
            let seen: BTreeSet<&str> = (0..60).flat_map(drawn).collect();
            assert_eq!(seen.len(), lesson.questions.len(), "{}", lesson.id);
            for seed in 0..60 {
                let three: BTreeSet<&str> = drawn(seed).collect();
                assert_eq!(three.len(), DRAWN, "three different questions");
            }
        }
    }

    #[test]
    fn few_changes_are_told_as_the_example_and_many_as_counts() {
        assert_eq!(LessonFigures::of((1, 19), (0, 19)), LessonFigures::example());
        let own = LessonFigures::of((3, 24), (1, 30));
        assert!(own.is_own);
        assert_eq!((own.low, own.high), (1, 7), "1 to 7 of 24, as the risk page tells it");
        let told = own.fill("{failed} of {changes}, {low} to {high}; {emergencies} of {created}");
        assert_eq!(told, "3 of 24, 1 to 7; 1 of 30");
    }

    #[test]
    fn own_changes_are_told_in_groups_that_name_none_of_them() {
        let ended = |kind, minutes, has_failed| EndedChange {
            kind,
            risk: Level::High,
            work_minutes: minutes,
            has_failed,
        };
        let mut all: Vec<EndedChange> = (0..14).map(|at| ended(Kind::Normal, Some(20), at < 3)).collect();
        all.extend((0..4).map(|_| ended(Kind::Emergency, Some(20), true)));
        all.push(ended(Kind::Normal, Some(31), true));
        assert!(examples(&all).is_empty(), "19 changes are too few");
        all.extend((0..5).map(|_| ended(Kind::Normal, None, false)));
        let found = examples(&all);
        let told: Vec<_> = found
            .iter()
            .map(|it| (it.up_to_minutes, it.changes, it.failed))
            .collect();
        assert_eq!(
            told,
            [(Some(30), 14, 3), (None, 5, 0)],
            "four emergencies and one longer change are left out"
        );
    }

    #[test]
    fn a_text_has_no_figure_that_nobody_fills_in() {
        for lesson in all() {
            for part in &lesson.parts {
                for tag in ["en", "de"] {
                    let told = LessonFigures::example().fill(part.text.in_language(tag));
                    assert!(!told.contains('{'), "{}: {told}", lesson.id);
                }
            }
        }
    }

    #[test]
    fn an_unknown_lesson_is_answered_with_the_nearest() {
        assert!(why_unknown("risk_level").contains("did you mean `risk_levels`"));
        assert!(find("approval").is_some() && find("Approval").is_none());
    }
}
