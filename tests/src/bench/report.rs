//! The output: one line for each measure, as a table that can be put into a document as it is.

/// One measure.
pub struct Line {
    /// What was measured.
    pub what: String,
    /// The product's figure.
    pub figure: String,
    /// The floor's figure of the same run.
    pub floor: String,
    /// Product by floor, where both are of one kind.
    pub ratio: Option<f64>,
    /// The target.
    pub wanted: String,
    /// Whether the target was met; nothing without a target.
    pub is_met: Option<bool>,
}

impl Line {
    /// A measure that is reported and neither compared nor judged.
    pub fn told(what: impl Into<String>, figure: String, floor: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            figure,
            floor: floor.into(),
            ratio: None,
            wanted: "recorded".to_owned(),
            is_met: None,
        }
    }

    /// A time in milliseconds that must stay under a limit.
    pub fn under(what: impl Into<String>, milliseconds: f64, floor: impl Into<String>, limit: f64) -> Self {
        Self {
            what: what.into(),
            figure: format!("{milliseconds:.1} ms"),
            floor: floor.into(),
            ratio: None,
            wanted: format!("under {limit:.0} ms"),
            is_met: Some(milliseconds < limit),
        }
    }

    /// A figure that must stay under a limit, in some unit.
    pub fn below(what: impl Into<String>, value: f64, figure: String, limit: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            figure,
            floor: "–".to_owned(),
            ratio: None,
            wanted: format!("under {limit:.0} {unit}"),
            is_met: Some(value < limit),
        }
    }

    /// A figure that must reach a limit, in some unit.
    pub fn least(what: impl Into<String>, value: f64, figure: String, limit: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            figure,
            floor: "–".to_owned(),
            ratio: None,
            wanted: format!("at least {limit:.0} {unit}"),
            is_met: Some(value >= limit),
        }
    }

    /// The same beside a floor that is given as text.
    pub fn beside(self, floor: impl Into<String>) -> Self {
        Self {
            floor: floor.into(),
            ..self
        }
    }

    /// Two rates, of which the product's must reach a share of the floor's.
    pub fn rates(what: impl Into<String>, figure: f64, floor: f64, unit: &str, wanted: f64) -> Self {
        let ratio = figure / floor;
        Self {
            what: what.into(),
            figure: format!("{figure:.0} {unit}"),
            floor: format!("{floor:.0} {unit}"),
            ratio: Some(ratio),
            wanted: format!("ratio at least {wanted}"),
            is_met: Some(ratio >= wanted),
        }
    }

    /// Two times, of which the product's must stay within so many times the floor's.
    pub fn times(what: impl Into<String>, figure: f64, floor: f64, unit: &str, limit: f64) -> Self {
        let ratio = figure / floor;
        Self {
            what: what.into(),
            figure: format!("{figure:.0} {unit}"),
            floor: format!("{floor:.0} {unit}"),
            ratio: Some(ratio),
            wanted: format!("ratio at most {limit}"),
            is_met: Some(ratio <= limit),
        }
    }

    fn row(&self) -> String {
        let ratio = self.ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let met = match self.is_met {
            Some(true) => "met",
            Some(false) => "not met",
            None => "–",
        };
        let Self {
            what,
            figure,
            floor,
            wanted,
            ..
        } = self;
        format!("| {what} | {figure} | {floor} | {ratio} | {wanted} | {met} |")
    }
}

/// Prints the table and how to read it. Timing never fails the program: the machine may be busy with other things.
pub fn print(lines: &[Line]) {
    println!("| Measure | Product | Floor | Ratio | Wanted | |\n|---|---|---|---|---|---|");
    for line in lines {
        println!("{}", line.row());
    }
    println!(
        "\nThe machine is shared, and load, product and floor run on the same cores: only ratios of one run can be \
         compared."
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_judged_and_told() {
        let row = Line::rates("Asking", 900.0, 1_000.0, "/s", 0.8).row();
        assert_eq!(row, "| Asking | 900 /s | 1000 /s | 0.90 | ratio at least 0.8 | met |");
        assert!(
            Line::rates("Asking", 700.0, 1_000.0, "/s", 0.8)
                .row()
                .ends_with("not met |")
        );
        let row = Line::times("Deciding", 900.0, 300.0, "µs", 3.0).row();
        assert_eq!(row, "| Deciding | 900 µs | 300 µs | 3.00 | ratio at most 3 | met |");
        assert!(
            Line::times("Deciding", 901.0, 300.0, "µs", 3.0)
                .row()
                .ends_with("not met |")
        );
        assert!(Line::under("Waiting", f64::NAN, "–", 50.0).row().ends_with("not met |"));
        let row = Line::least("Working", 999.0, "999 /s".to_owned(), 1_000.0, "/s").row();
        assert_eq!(row, "| Working | 999 /s | – | – | at least 1000 /s | not met |");
        assert!(
            Line::told("Size", "7 MB".to_owned(), "–")
                .row()
                .ends_with("recorded | – |")
        );
    }
}
