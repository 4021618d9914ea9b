//! Policy parameters that set the value from which a rule requires something, such as “peer review from a forecast of 2 %”.

use serde::{Deserialize, Serialize};

use crate::approval::obligation::level_number;
use crate::core::enums::Level;
use crate::policy::facts::ChangeFacts;

/// The number past the highest level: with this bound, a rule never applies.
pub const NEVER: i64 = 4;

/// The measure of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Its level of risk.
    Risk,
    /// Its highest impact.
    Impact,
    /// The forecast of its failure that counts now, in parts per million.
    Probability,
}

impl Measure {
    /// The change's value; without a forecast there is no probability.
    pub fn of(self, change: &ChangeFacts) -> Option<i64> {
        match self {
            Self::Risk => Some(level_number(change.risk)),
            Self::Impact => {
                let data = change.impact_data.max(change.impact_availability);
                Some(level_number(data.max(change.impact_compliance)))
            }
            Self::Probability => change.forecast.as_ref()?.counting_ppm(),
        }
    }

    /// A value as a file of parameters writes it: `2.5%`, `medium`, `never`.
    pub fn written(self, value: i64) -> String {
        match self {
            Self::Probability => percent(value),
            Self::Risk | Self::Impact => {
                let levels = [Level::None, Level::Low, Level::Medium, Level::High];
                let level = levels.iter().find(|level| level_number(**level) == value);
                level.map_or("never", |level| level.as_str()).to_owned()
            }
        }
    }
}

/// Parts per million as a percentage without needless zeros.
pub fn percent(ppm: i64) -> String {
    let (whole, part) = (ppm / 10_000, ppm % 10_000);
    let part = format!("{part:04}");
    match part.trim_end_matches('0') {
        "" => format!("{whole}%"),
        part => format!("{whole}.{part}%"),
    }
}

/// A parameter with the value from which rules apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// The parameter.
    pub parameter: String,
    /// The measure of its rules.
    pub measure: Measure,
    /// The number from which they apply.
    pub from: i64,
    /// The least that a tenant may set.
    pub floor: i64,
    /// The rules, by their ids.
    pub rules: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_a_file_of_parameters_has_it() {
        for (ppm, text) in [(20_000, "2%"), (25_000, "2.5%"), (5_000, "0.5%"), (1_000_000, "100%")] {
            assert_eq!(Measure::Probability.written(ppm), text);
        }
        assert_eq!(Measure::Risk.written(2), "medium");
        assert_eq!(Measure::Impact.written(NEVER), "never");
    }
}
