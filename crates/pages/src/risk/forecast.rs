//! A forecast of failure, drawn: of a hundred such changes so many fail, and the parts that add up to that. Every drawing has
//! its description, and a table with the same values.

use askama::Template;

use crate::elements::filters;
use crate::{Cell, Column, Fold, Part, Rich, Table, render};

/// Parts per million of a whole.
const ONE: i64 = 1_000_000;
/// The squares of a row of the icon array, and of a column.
const SIDE: i64 = 10;
/// From one square to the next, in pixels.
const PITCH: i64 = 17;
/// The height of a bar with its label, in pixels.
const BAR: i64 = 36;

/// A part of a forecast.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForecastBar {
    /// The source.
    pub label: String,
    /// Its percentage, written with its sign: “+0.9”.
    pub value: String,
    /// Parts per million.
    pub ppm: i64,
}

/// A probability with its 90 % interval, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Probability {
    /// The probability.
    pub ppm: i64,
    /// The lower end.
    pub low_ppm: i64,
    /// The upper end.
    pub high_ppm: i64,
}

/// How many letters of a label the picture has room for on a narrow screen.
const FITS: usize = 32;

/// A forecast of failure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForecastPicture {
    /// The probability; `None` where the forecast abstains.
    pub probability: Option<Probability>,
    /// The probability as it is written: “3.2 %”, or “No figure”.
    pub value: String,
    /// The forecast in a sentence.
    pub told: Rich,
    /// The parts that add up to the probability, the history first.
    pub bars: Vec<ForecastBar>,
    /// The history: level, outcomes, failures and interval, as they are written.
    pub history: Vec<[String; 4]>,
}

/// A square of the icon array.
struct Square {
    x: i64,
    y: i64,
    class: &'static str,
}

/// A bar in its place, in hundredths of a percent of the width.
struct Placed<'a> {
    bar: &'a ForecastBar,
    top: i64,
    from: i64,
    width: i64,
    class: &'static str,
}

fn of_hundred(ppm: i64) -> i64 {
    ((ppm * 100 + ONE / 2) / ONE).max(i64::from(ppm > 0))
}

#[derive(Template)]
#[template(path = "parts/forecast.html")]
pub(crate) struct Drawn<'a> {
    pub(crate) picture: &'a ForecastPicture,
}

impl Part for Drawn<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

impl Drawn<'_> {
    /// Whether a label is too long for the picture.
    fn is_cut(label: &str) -> bool {
        label.chars().count() > FITS
    }

    /// The label of a bar as far as it fits; the table has the whole of it, in the reader's language too.
    fn short(label: &str) -> String {
        if !Self::is_cut(label) {
            return label.to_owned();
        }
        let cut: String = label.chars().take(FITS - 1).collect();
        format!("{cut}…")
    }

    /// Hundredths of a percent as a length in SVG.
    fn length(hundredths: &i64) -> String {
        format!("{}.{:02}%", hundredths / 100, hundredths % 100)
    }

    /// The hundred squares: first those that fail, then those that may within the interval.
    fn squares(&self) -> Vec<Square> {
        let Some(probability) = self.picture.probability else {
            return Vec::new();
        };
        let (hits, most) = (of_hundred(probability.ppm), of_hundred(probability.high_ppm));
        let class = |number: i64| match number {
            _ if number < hits => "unit hit",
            _ if number < most => "unit maybe",
            _ => "unit",
        };
        let square = |number: i64| Square {
            x: number % SIDE * PITCH + 1,
            y: number / SIDE * PITCH + 1,
            class: class(number),
        };
        (0..SIDE * SIDE).map(square).collect()
    }

    /// The description of the squares, for readers that cannot see them.
    fn squares_told(&self) -> String {
        let probability = self.picture.probability.unwrap_or_default();
        let [about, low, high] = [probability.ppm, probability.low_ppm, probability.high_ppm].map(of_hundred);
        format!("Of 100 such changes about {about} fail; between {low} and {high} with 90 % certainty")
    }

    /// The widest sum on the way, in parts per million.
    fn widest(&self) -> i64 {
        let sums = self.picture.bars.iter().scan(0, |sum, bar| {
            *sum += bar.ppm;
            Some(*sum)
        });
        sums.max().unwrap_or(0).max(1)
    }

    fn placed(&self) -> Vec<Placed<'_>> {
        let widest = self.widest();
        let across = |ppm: i64| ppm.clamp(0, widest) * 10_000 / widest;
        let mut sum = 0;
        let mut found = Vec::new();
        for (bar, row) in self.picture.bars.iter().zip(0_i64..) {
            let after = sum + bar.ppm;
            let (from, to) = (across(sum.min(after)), across(sum.max(after)));
            found.push(Placed {
                bar,
                top: row * BAR,
                from,
                width: to - from,
                class: if bar.ppm < 0 { "less-risk" } else { "more-risk" },
            });
            sum = after;
        }
        found
    }

    /// The whole, behind the parts: where it begins and how wide it is.
    fn whole(&self) -> (i64, i64) {
        let sum: i64 = self.picture.bars.iter().map(|bar| bar.ppm).sum();
        let rows = i64::try_from(self.picture.bars.len()).unwrap_or(0);
        (rows * BAR, sum.max(0) * 10_000 / self.widest())
    }

    fn height(&self) -> i64 {
        self.whole().0 + BAR
    }

    fn table(&self) -> Table {
        let row = |bar: &ForecastBar| vec![Cell::Name(bar.label.clone()), Cell::Short(bar.value.clone())];
        Table {
            caption: "Contributions, in percentage points".to_owned(),
            columns: vec![
                Column::new("Contribution", Fold::Never),
                Column::new("Points", Fold::Never),
            ],
            rows: self.picture.bars.iter().map(row).collect(),
            ..Table::default()
        }
    }

    fn history(&self) -> Table {
        let row = |[level, outcomes, failures, interval]: &[String; 4]| {
            vec![
                Cell::Name(level.clone()),
                Cell::Short(outcomes.clone()),
                Cell::Short(failures.clone()),
                Cell::Short(interval.clone()),
            ]
        };
        Table {
            caption: "The history behind it, the widest group first".to_owned(),
            columns: vec![
                Column::new("Group", Fold::Never),
                Column::new("Outcomes", Fold::Under).named(),
                Column::new("Failed", Fold::Under).named(),
                Column::new("90 % interval", Fold::Under).named(),
            ],
            rows: self.picture.history.iter().map(row).collect(),
            ..Table::default()
        }
    }
}

/// A believable forecast, one that abstains, and one full of odd texts.
pub(crate) fn samples() -> Vec<ForecastPicture> {
    let bar = |label: &str, value: &str, ppm: i64| ForecastBar {
        label: label.to_owned(),
        value: value.to_owned(),
        ppm,
    };
    let history = ["This environment", "214", "7", "1.9 to 5.1 %"].map(str::to_owned);
    vec![
        ForecastPicture {
            probability: Some(Probability {
                ppm: 32_000,
                low_ppm: 19_000,
                high_ppm: 51_000,
            }),
            value: "3.2 %".to_owned(),
            told: Rich::from("3.2 % of such changes fail, between 1.9 and 5.1 (90 %). Of 100 about 3 failed."),
            bars: vec![
                bar("All changes in this environment", "3.4", 34_000),
                bar("A schema changes", "+0.9", 9_000),
                bar("Changes of this team", "−1.1", -11_000),
            ],
            history: vec![history],
        },
        ForecastPicture {
            value: "No figure".to_owned(),
            told: Rich::from("No figure. Too few outcomes are known in production. 16 more are needed."),
            ..ForecastPicture::default()
        },
        ForecastPicture {
            probability: Some(Probability {
                ppm: ONE - 1,
                low_ppm: 0,
                high_ppm: ONE,
            }),
            value: crate::elements::sample::BIDI.to_owned(),
            told: Rich::from(crate::elements::sample::MARKUP),
            bars: vec![
                bar(crate::elements::sample::MARKUP, "−1", -1),
                bar(&crate::elements::sample::LONG_WORD.repeat(3), "", i64::from(i32::MAX)),
            ],
            history: vec![[crate::elements::sample::MARKUP; 4].map(str::to_owned)],
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hundred_squares_as_many_are_crossed_as_fail_and_as_many_dashed_as_may() {
        let all = samples();
        let squares = Drawn { picture: &all[0] }.squares();
        let count = |class: &str| squares.iter().filter(|square| square.class == class).count();
        assert_eq!((count("unit hit"), count("unit maybe"), count("unit")), (3, 2, 95));
        assert!(Drawn { picture: &all[1] }.squares().is_empty());
    }

    #[test]
    fn bars_follow_each_other_and_end_at_the_whole() {
        let all = samples();
        let drawn = Drawn { picture: &all[0] };
        let placed: Vec<(i64, i64)> = drawn.placed().iter().map(|it| (it.from, it.width)).collect();
        assert_eq!(placed, [(0, 7906), (7906, 2094), (7441, 2559)]);
        assert_eq!(drawn.whole(), (108, 7441));
    }
}
