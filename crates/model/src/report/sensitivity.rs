//! The sensitivity of a figure to its definition: the length of the window, the days in which a return fails a deployment, and
//! the severity from which an incident makes a failure. Each is varied alone; the others stay as defined.

use jiff::{SignedDuration, Timestamp};

use crate::report::change_outcome::ChangeOutcome;
use crate::report::definition::{Definition, Formula, Measure, Population};
use crate::report::deployments::FAILURE_DAYS;
use crate::report::evaluate::{Base, Counted, FailureTerms, Question, Window};
use crate::report::figure::{Figure, figure};
use crate::report::population::Facts;

/// The compared numbers of days in which a return fails a deployment, besides the defined number.
const RETURN_DAYS: [i64; 3] = [1, 3, 14];
/// The compared lowest severities of incidents, besides all of them; 1 is the gravest.
const SEVERITIES: [i64; 3] = [1, 2, 3];

/// The varied parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Varied {
    /// The length of the window, in days.
    WindowDays(i64),
    /// The days in which a return fails the deployment before it.
    ReturnDays(i64),
    /// Only incidents up to this severity make a failure; 1 is the gravest.
    UpToSeverity(i64),
}

impl Varied {
    /// The name in responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WindowDays(_) => "window_days",
            Self::ReturnDays(_) => "return_days",
            Self::UpToSeverity(_) => "up_to_severity",
        }
    }

    /// The value that it has.
    #[must_use]
    pub fn value(self) -> i64 {
        match self {
            Self::WindowDays(it) | Self::ReturnDays(it) | Self::UpToSeverity(it) => it,
        }
    }
}

/// A figure under another line than the defined one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The varied parameter.
    pub varied: Varied,
    /// Whether it is the value of the definition and the question.
    pub is_defined: bool,
    /// The figure.
    pub figure: Figure,
}

/// The window that ends where `window` ends and is twice as long: rows of it are needed to vary the window.
#[must_use]
pub fn doubled(window: Window) -> Window {
    stretched(window, window.days().saturating_mul(2))
}

fn stretched(window: Window, days: i64) -> Window {
    let length = SignedDuration::from_hours(days.saturating_mul(24));
    Window {
        from: window.to.checked_sub(length).unwrap_or(window.from),
        to: window.to,
    }
}

/// Whether failures are part of what a definition counts.
fn has_failures(definition: &Definition) -> bool {
    let is_of_work = matches!(definition.population, Population::Deployments | Population::Changes);
    is_of_work
        && matches!(
            definition.measure,
            Measure::Failed | Measure::Succeeded | Measure::Recovery | Measure::Lead
        )
}

/// The question over another window. As for the figure itself, a volume has no weeks before the one in which the `first` change of all
/// was created.
fn over<'q>(question: &Question<'q>, window: Window, first: Option<Timestamp>) -> Question<'q> {
    let is_volume = question.definition.formula == Formula::PerWeek;
    let first = first.filter(|_| is_volume);
    Question {
        window: first.map_or(window, |first| window.since(first)),
        by: None,
        ..question.clone()
    }
}

/// The figure of a question under other lines. `rows` reach back for [`doubled`]; without failures only the window is varied.
/// `first` is when the first change of all was created.
#[must_use]
pub fn variants(
    question: &Question<'_>,
    (rows, facts): (&[ChangeOutcome], &Facts),
    first: Option<Timestamp>,
) -> Vec<Variant> {
    let (window, days) = (question.window, question.window.days());
    // The rows are put in order once for each window, whatever is varied in it.
    let asked = over(question, window, first);
    let base = Base::of(&asked, rows);
    let one = |asked: &Question<'_>, base: &Base<'_>, varied: Varied, terms: FailureTerms| {
        let counted = base.evaluate(asked, facts, terms);
        let all: Vec<&Counted<'_>> = counted.iter().collect();
        Variant {
            varied,
            is_defined: false,
            figure: figure(asked.definition, &all, asked.window),
        }
    };
    let stretched_to = |days: i64| {
        let asked = over(question, stretched(window, days), first);
        let base = Base::of(&asked, rows);
        one(&asked, &base, Varied::WindowDays(days), FailureTerms::DEFINED)
    };
    let defined = Variant {
        is_defined: true,
        ..one(&asked, &base, Varied::WindowDays(days), FailureTerms::DEFINED)
    };
    let mut found = vec![
        stretched_to((days / 2).max(1)),
        defined.clone(),
        stretched_to(days.saturating_mul(2)),
    ];
    if !has_failures(question.definition) {
        return found;
    }
    let mut returns = [RETURN_DAYS.as_slice(), &[FAILURE_DAYS]].concat();
    returns.sort_unstable();
    for return_days in returns {
        let varied = Varied::ReturnDays(return_days);
        let terms = FailureTerms {
            return_days,
            ..FailureTerms::DEFINED
        };
        found.push(match return_days == FAILURE_DAYS {
            true => Variant {
                varied,
                ..defined.clone()
            },
            false => one(&asked, &base, varied, terms),
        });
    }
    for up_to_severity in SEVERITIES {
        let terms = FailureTerms {
            up_to_severity,
            ..FailureTerms::DEFINED
        };
        found.push(one(&asked, &base, Varied::UpToSeverity(up_to_severity), terms));
    }
    found
}
