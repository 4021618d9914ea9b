//! Charts, drawn as SVG with a name that describes them; a table with the same values follows each.

use askama::Template;

use crate::elements::filters;
use crate::{Part, render};

/// A point of a series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeriesPoint {
    /// The value, in thousandths.
    pub value: i64,
    /// The upper limit, in thousandths.
    pub limit: Option<i64>,
    /// Whether it is an outlier: it lies outside of the limits, or an alert was raised.
    pub is_out: bool,
}

/// A dot in a plane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dot {
    /// The label: a team.
    pub label: String,
    /// Its page; empty for none.
    pub href: String,
    /// Where it lies across, in any unit.
    pub x: i64,
    /// Where it lies upwards, in any unit.
    pub y: i64,
}

/// A bar with parts that add up to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StackedBar {
    /// The label: a rule, a cause.
    pub label: String,
    /// Whether a user wrote the label.
    pub is_said: bool,
    /// The value as text: “2 h”.
    pub value: String,
    /// The parts, in any unit.
    pub parts: Vec<i64>,
}

/// A step of a process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepMark {
    /// The label: “Submitted”.
    pub label: String,
    /// The number that took it, as text.
    pub value: String,
}

/// A move from one step of a process to another; places in the list of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MoveLine {
    /// The step before.
    pub from: usize,
    /// The step behind.
    pub to: usize,
    /// How often it was made.
    pub count: u64,
}

/// The content of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plot {
    /// Values in the order of time, with their limits; the texts label the beginning and the end.
    Series(Vec<SeriesPoint>, String, String),
    /// Dots in a plane; the texts label the two axes.
    Dots(Vec<Dot>, String, String),
    /// Bars, one under the other.
    Bars(Vec<StackedBar>),
    /// Steps, one under the other, and the moves between them: a solid line forwards, a dashed one back.
    Steps(Vec<StepMark>, Vec<MoveLine>),
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/chart.html")]
pub struct Chart {
    /// A description, for readers that cannot see the chart.
    pub told: String,
    /// What it draws.
    pub drawing: Plot,
}

/// The height of the field of a series or of dots, in pixels.
const FIELD: i64 = 140;
/// The height of a bar with its label, in pixels.
const BAR: usize = 37;
/// The height of a step of a process, in pixels.
const STEP: usize = 28;
/// Where the moves between steps begin, in pixels from the left.
const STEP_RIGHT: usize = 150;
/// How far a move reaches out for each step that it passes, up to so many, in pixels: a map fits into 280.
const BULGE: usize = 14;
const MOST_BULGE: usize = 10;
/// The classes of the parts of a bar.
const PART_CLASSES: [&str; 3] = ["bar", "bar part-2", "bar part-3"];

/// Hundredths of a percent as a percentage.
fn percent(hundredths: i64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

impl Chart {
    /// Whether there is nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.drawing {
            Plot::Series(points, _, _) => points.is_empty(),
            Plot::Dots(dots, _, _) => dots.is_empty(),
            Plot::Bars(bars) => bars.is_empty(),
            Plot::Steps(steps, _) => steps.is_empty(),
        }
    }

    /// The largest value or limit of a series, at least one whole.
    fn top(points: &[SeriesPoint]) -> i64 {
        let all = points.iter().flat_map(|it| [Some(it.value), it.limit]).flatten();
        all.max().unwrap_or(0).max(1_000)
    }

    /// Where a value lies, in pixels from above.
    fn down(value: i64, top: i64) -> i64 {
        let value = value.clamp(0, top);
        FIELD + 10 - value * FIELD / top.max(1)
    }

    /// Where the n-th of several points lies across.
    fn across(place: usize, count: usize) -> String {
        let steps = i64::try_from(count.saturating_sub(1)).unwrap_or(1).max(1);
        percent(100 + i64::try_from(place).unwrap_or(0) * 9_800 / steps)
    }

    /// The lines between neighbours: across and down of both ends.
    fn lines(points: &[SeriesPoint]) -> Vec<[String; 4]> {
        Self::between(points, |it| Some(it.value))
    }

    /// The lines of the limits.
    fn limits(points: &[SeriesPoint]) -> Vec<[String; 4]> {
        Self::between(points, |it| it.limit)
    }

    fn between(points: &[SeriesPoint], of: impl Fn(&SeriesPoint) -> Option<i64>) -> Vec<[String; 4]> {
        let (top, count) = (Self::top(points), points.len());
        let line = |(place, pair): (usize, &[SeriesPoint])| {
            let (one, other) = (of(&pair[0])?, of(&pair[1])?);
            Some([
                Self::across(place, count),
                Self::down(one, top).to_string(),
                Self::across(place + 1, count),
                Self::down(other, top).to_string(),
            ])
        };
        points.windows(2).enumerate().filter_map(line).collect()
    }

    /// The outliers: across and down.
    fn outs(points: &[SeriesPoint]) -> Vec<[String; 2]> {
        let top = Self::top(points);
        let outs = points.iter().enumerate().filter(|(_, it)| it.is_out);
        outs.map(|(place, it)| [Self::across(place, points.len()), Self::down(it.value, top).to_string()])
            .collect()
    }

    /// The number at the upper end of the field.
    fn top_label(points: &[SeriesPoint]) -> String {
        let top = Self::top(points);
        format!("{}", top.div_euclid(1_000))
    }

    /// Each dot with its place: across and down.
    fn places(dots: &[Dot]) -> Vec<(&Dot, String, i64)> {
        let most = |of: fn(&Dot) -> i64| dots.iter().map(of).max().unwrap_or(0).max(1);
        let (right, top) = (most(|it| it.x), most(|it| it.y));
        let place = |dot: &Dot| percent(300 + dot.x.clamp(0, right) * 8_500 / right);
        dots.iter()
            .map(|dot| (dot, place(dot), Self::down(dot.y, top)))
            .collect()
    }

    /// The height of a map of steps.
    fn steps_height(steps: &[StepMark]) -> usize {
        steps.len() * STEP + 4
    }

    /// Where a step lies from above.
    fn step_down(place: &usize) -> usize {
        place * STEP + STEP / 2
    }

    /// The curves of the moves: class, path and width. The more often a move was made, the wider is its line.
    fn curves(steps: &[StepMark], moves: &[MoveLine]) -> Vec<(&'static str, String, u64)> {
        let most = moves.iter().map(|it| it.count).max().unwrap_or(0).max(1);
        let is_drawn = |it: &&MoveLine| it.from < steps.len() && it.to < steps.len();
        let curve = |it: &MoveLine| {
            let (from, to) = (Self::step_down(&it.from), Self::step_down(&it.to));
            let out = STEP_RIGHT + BULGE * it.from.abs_diff(it.to).clamp(1, MOST_BULGE);
            let class = if it.from < it.to { "line" } else { "limit" };
            let path = format!("M{STEP_RIGHT} {from} C{out} {from} {out} {to} {STEP_RIGHT} {to}");
            (class, path, 1 + it.count.saturating_mul(5) / most)
        };
        moves.iter().filter(is_drawn).map(curve).collect()
    }

    fn field_height() -> i64 {
        FIELD + 30
    }

    fn bars_height(bars: &[StackedBar]) -> usize {
        bars.len() * BAR + 4
    }

    fn label_down(place: &usize) -> usize {
        place * BAR + 13
    }

    fn bar_down(place: &usize) -> usize {
        place * BAR + 19
    }

    /// The parts of a bar: class, across and width.
    fn parts_of(bars: &[StackedBar], bar: &StackedBar) -> Vec<(&'static str, String, String)> {
        let whole = |it: &StackedBar| it.parts.iter().map(|part| (*part).max(0)).sum::<i64>();
        let most = bars.iter().map(whole).max().unwrap_or(0).max(1);
        let (mut from, mut parts) = (0, Vec::new());
        for (place, part) in bar.parts.iter().enumerate() {
            let width = (*part).max(0).saturating_mul(10_000) / most;
            if width > 0 {
                let class = PART_CLASSES[place.min(PART_CLASSES.len() - 1)];
                parts.push((class, percent(from), percent(width)));
            }
            from += width;
        }
        parts
    }
}

impl Part for Chart {
    fn html(&self) -> String {
        render(self)
    }
}

/// Believable charts.
pub(crate) fn samples() -> Vec<Chart> {
    let point = |(place, value): (usize, &i64)| SeriesPoint {
        value: value * 1_000,
        limit: (place > 3).then_some(7_500),
        is_out: *value > 7,
    };
    let dot = |label: &str, x, y| Dot {
        label: label.to_owned(),
        href: "/t/halden/metrics".to_owned(),
        x,
        y,
    };
    let bar = |label: &str, value: &str, parts: &[i64]| StackedBar {
        label: label.to_owned(),
        is_said: true,
        value: value.to_owned(),
        parts: parts.to_vec(),
    };
    let series = [1, 0, 2, 1, 3, 2, 9, 6, 0].iter().enumerate().map(point).collect();
    vec![
        Chart {
            told: "Emergencies per week, the oldest first; one week lies above the limit".to_owned(),
            drawing: Plot::Series(series, "29 September".to_owned(), "24 November".to_owned()),
        },
        Chart {
            told: "Failure rate against frequency, one dot for each team".to_owned(),
            drawing: Plot::Dots(
                vec![
                    dot("Logistics", 218, 27_000),
                    dot(crate::elements::sample::MARKUP, 49, 102_000),
                    dot(crate::elements::sample::LONG_WORD, 0, 0),
                ],
                "deployments".to_owned(),
                "failed".to_owned(),
            ),
        },
        Chart {
            told: "Median time to approve by rule".to_owned(),
            drawing: Plot::Bars(vec![
                bar("owner-approves", "26 h", &[1_400, 120, 60]),
                bar(crate::elements::sample::MARKUP, "0 min", &[0, 0, 0]),
            ]),
        },
        Chart {
            told: "The paths of changes".to_owned(),
            drawing: Plot::Steps(
                ["Created", "Submitted", "Closed"]
                    .map(|label| StepMark {
                        label: label.to_owned(),
                        value: "12".to_owned(),
                    })
                    .to_vec(),
                [(0, 1, 12), (1, 0, 2), (1, 2, 10)]
                    .map(|(from, to, count)| MoveLine { from, to, count })
                    .to_vec(),
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_stays_in_its_field_whatever_the_values() {
        let wild = [i64::MIN / 4, 0, 5_000, i64::MAX / 1_000].map(|value| SeriesPoint {
            value,
            limit: Some(value),
            is_out: true,
        });
        for [_, down] in Chart::outs(&wild) {
            let down: i64 = down.parse().expect("a number");
            assert!((10..=FIELD + 10).contains(&down), "{down}");
        }
        assert_eq!(Chart::across(0, 1), "1.00%");
        assert_eq!(Chart::across(3, 4), "99.00%");
        assert!(Chart::lines(&wild[..1]).is_empty());
    }

    #[test]
    fn moves_are_drawn_between_steps_that_are_there_and_those_back_are_dashed() {
        let steps = vec![StepMark::default(); 12];
        let lines = [(0, 11, 10), (3, 2, 1), (2, 12, 4)].map(|(from, to, count)| MoveLine { from, to, count });
        let curves = Chart::curves(&steps, &lines);
        assert_eq!(curves.len(), 2, "a step that is not there has no move");
        assert_eq!(curves[0], ("line", "M150 14 C290 14 290 322 150 322".to_owned(), 6));
        assert_eq!((curves[1].0, curves[1].2), ("limit", 1));
    }

    #[test]
    fn the_parts_of_a_bar_add_up_to_its_share_of_the_longest() {
        let bar = |parts: &[i64]| StackedBar {
            parts: parts.to_vec(),
            ..StackedBar::default()
        };
        let bars = [bar(&[30, 10, 0]), bar(&[10, -5, 10])];
        let told = |at: usize| Chart::parts_of(&bars, &bars[at]);
        assert_eq!(
            told(0),
            [
                ("bar", "0.00%".to_owned(), "75.00%".to_owned()),
                ("bar part-2", "75.00%".to_owned(), "25.00%".to_owned())
            ]
        );
        assert_eq!(told(1)[1], ("bar part-3", "25.00%".to_owned(), "25.00%".to_owned()));
    }
}
