//! A calibration plot: for changes of like probability, how many were predicted to fail and how many failed. On the diagonal both
//! are the same.

use askama::Template;

use crate::elements::filters;
use crate::{Cell, Column, Fold, Part, Table, render};

/// The height of the plot, in pixels.
const HEIGHT: i64 = 200;

/// Changes of like probability.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CalibrationPoint {
    /// The prediction, in parts per million.
    pub predicted_ppm: i64,
    /// The observed rate, in parts per million.
    pub observed_ppm: i64,
    /// The two as they are written, without a sign: “3.2”.
    pub written: [String; 2],
    /// How many changes, and how many of them failed.
    pub counts: [i64; 2],
}

/// A calibration plot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CalibrationPlot {
    /// The points, the lowest probability first.
    pub points: Vec<CalibrationPoint>,
}

#[derive(Template)]
#[template(path = "parts/calibration.html")]
pub(crate) struct Drawn<'a> {
    pub(crate) plot: &'a CalibrationPlot,
}

impl Part for Drawn<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

impl Drawn<'_> {
    /// The highest value of both axes.
    fn most(&self) -> i64 {
        let values = self
            .plot
            .points
            .iter()
            .flat_map(|it| [it.predicted_ppm, it.observed_ppm]);
        values.max().unwrap_or(0).max(1)
    }

    /// The places of the points: hundredths of a percent across, pixels down.
    fn dots(&self) -> Vec<(String, i64)> {
        let most = self.most();
        let place = |it: &CalibrationPoint| {
            let across = it.predicted_ppm.clamp(0, most) * 10_000 / most;
            let down = HEIGHT - it.observed_ppm.clamp(0, most) * HEIGHT / most;
            (format!("{}.{:02}%", across / 100, across % 100), down)
        };
        self.plot.points.iter().map(place).collect()
    }

    fn told(&self) -> String {
        let all: i64 = self.plot.points.iter().map(|it| it.counts[0]).sum();
        let failed: i64 = self.plot.points.iter().map(|it| it.counts[1]).sum();
        format!(
            "Predicted and observed failures of {all} changes, of which {failed} failed; the table below says the same"
        )
    }

    fn table(&self) -> Table {
        let row = |it: &CalibrationPoint| {
            vec![
                Cell::Name(format!("{} %", it.written[0])),
                Cell::Short(format!("{} %", it.written[1])),
                Cell::Short(it.counts[0].to_string()),
                Cell::Short(it.counts[1].to_string()),
            ]
        };
        Table {
            caption: "Predicted and observed failures, the lowest probability first".to_owned(),
            columns: vec![
                Column::new("Predicted", Fold::Never),
                Column::new("Observed", Fold::Never),
                Column::new("Changes", Fold::Under).named(),
                Column::new("Failed", Fold::Under).named(),
            ],
            rows: self.plot.points.iter().map(row).collect(),
            ..Table::default()
        }
    }
}

/// A believable plot.
pub(crate) fn sample() -> CalibrationPlot {
    let point = |predicted_ppm: i64, observed_ppm: i64, written: [&str; 2], counts: [i64; 2]| CalibrationPoint {
        predicted_ppm,
        observed_ppm,
        written: written.map(str::to_owned),
        counts,
    };
    CalibrationPlot {
        points: vec![
            point(10_000, 8_000, ["1.0", "0.8"], [250, 2]),
            point(50_000, 60_000, ["5.0", "6.0"], [250, 15]),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_keep_inside_of_the_plot() {
        let plot = sample();
        let dots = Drawn { plot: &plot }.dots();
        assert_eq!(dots, [("16.66%".to_owned(), 174), ("83.33%".to_owned(), 0)]);
        let empty = CalibrationPlot::default();
        assert!(Drawn { plot: &empty }.dots().is_empty());
    }
}
