//! A forecast as text: the same on pages, in the API and on the command line.

use crate::risk::forecast::base::Group;
use crate::risk::forecast::features::FEATURES;
use crate::risk::forecast::fixed::ONE;
use crate::risk::forecast::kept_forecast::{Forecast, ForecastPart, MissingHistory};

/// Parts per million as a percentage without its sign: one decimal, two below a tenth of a percent.
#[must_use]
pub fn percent(ppm: i64) -> String {
    if ppm == 0 {
        return "0".to_owned();
    }
    let sign = if ppm < 0 { "−" } else { "" };
    let size = ppm.abs();
    if size < 1_000 {
        let hundredths = (size + 50) / 100;
        return format!("{sign}0.{:02}", hundredths.max(1));
    }
    let tenths = (size + 500) / 1_000;
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

/// Contributions in percentage points, in their order: the first without a sign, as it is where the others begin. They have the
/// decimals of their sum as [`percent`] writes it, and add up to that: each is the difference of two rounded running sums.
#[must_use]
pub fn contributions(parts: &[i64]) -> Vec<String> {
    let whole: i64 = parts.iter().sum();
    let (unit, digits): (i64, usize) = if whole < 1_000 { (100, 2) } else { (1_000, 1) };
    let per_point: u64 = if digits == 2 { 100 } else { 10 };
    let (mut sum, mut shown): (i64, i64) = (0, 0);
    let told = parts.iter().enumerate().map(|(place, part)| {
        sum += part;
        let rounded = (sum + unit / 2).div_euclid(unit);
        // A whole above zero is never written as zero.
        let is_hidden = place + 1 == parts.len() && whole > 0 && rounded == 0;
        let rounded = if is_hidden { 1 } else { rounded };
        let units = rounded - shown;
        shown = rounded;
        let sign = match units.signum() {
            -1 => "−",
            1 if place > 0 => "+",
            _ => "",
        };
        let size = units.unsigned_abs();
        format!("{sign}{}.{:0digits$}", size / per_point, size % per_point)
    });
    told.collect()
}

/// The number of failures among a hundred such changes, at least one where any fails.
#[must_use]
pub fn of_hundred(ppm: i64) -> i64 {
    ((ppm * 100 + ONE / 2) / ONE).max(i64::from(ppm > 0))
}

impl Forecast {
    /// The forecast in one sentence.
    #[must_use]
    pub fn told(&self) -> String {
        let (low, high) = (percent(self.low_ppm), percent(self.high_ppm));
        match (&self.probability_ppm, &self.missing) {
            (Some(ppm), _) => format!(
                "{} % of such changes fail, between {low} and {high} (90 %). Of 100 about {} failed.",
                percent(*ppm),
                of_hundred(*ppm)
            ),
            (None, Some(missing)) => missing.told(self.environment.as_str(), (&low, &high)),
            (None, None) => "No figure.".to_owned(),
        }
    }

    /// The groups without history of their own, a sentence each: a renamed, merged or dissolved service or team begins anew,
    /// and readers must not take that for a calm past. `team` is the change's team.
    #[must_use]
    pub fn begins_anew(&self, team: Option<&String>) -> Vec<String> {
        let of = |group: Group| {
            let row = self.groups.iter().find(|row| row.group == group);
            row.map(|row| row.outcomes)
        };
        let mut found = Vec::new();
        if of(Group::Environment).is_none_or(|outcomes| outcomes == 0) {
            return found;
        }
        let Self {
            service, environment, ..
        } = self;
        if of(Group::Service) == Some(0) {
            found.push(format!(
                "The model has no outcome of {service} in {environment} under this name, so broader histories are \
                 used. A renamed or merged service starts without history."
            ));
        }
        if of(Group::Team) == Some(0) {
            found.push(format!(
                "The model has no outcome of its team in {environment} under this name. A renamed or merged team \
                 starts without history."
            ));
        }
        if let Some(team) = team.filter(|_| !self.has_team) {
            found.push(format!("No service is run by {team}, so no team history is used."));
        }
        found
    }
}

impl MissingHistory {
    /// The missing history.
    fn told(&self, environment: &str, (low, high): (&str, &str)) -> String {
        let more = self.more;
        match self.code.as_str() {
            "too_few_outcomes" => {
                format!("No figure. Too few outcomes are known in {environment}. {more} more are needed.")
            }
            _ => format!(
                "No figure. The 90 % interval would reach from {low} to {high} %. About {more} more outcomes of this service and team \
                 would narrow it to 10 points."
            ),
        }
    }
}

/// The reason why a change has no forecast at all, as text.
#[must_use]
pub fn absent(closed: i64, needed: i64) -> String {
    if closed < needed {
        return format!("No figure. {closed} changes are closed, and a model needs {needed}.");
    }
    "No figure. No model was in force while this change was assessed.".to_owned()
}

/// The source of a part, as text.
#[must_use]
pub fn source(part: &ForecastPart, forecast: &Forecast) -> &'static str {
    let input = |name: &str| {
        let at = FEATURES.iter().position(|feature| feature.name == name);
        at.and_then(|at| forecast.inputs.get(at)).copied().unwrap_or_default()
    };
    let either = |name: &str, yes: &'static str, no: &'static str| if input(name) > 0 { yes } else { no };
    match part.source.as_str() {
        "environment" => "All changes in this environment",
        "type" => "Changes of this category",
        "service" => "Changes of this service",
        "team" => "Changes of this team",
        "pair" => "Changes of this team at this service",
        "base" => "How much these histories count",
        "targets" => "Number of targets",
        "services" => "Number of services",
        "complexity" => "Complexity",
        "impact" => "Highest impact",
        "touches" => "Sensitive things that it touches",
        "schema" => either("schema", "A schema changes", "No schema changes"),
        "emergency" => either("emergency", "Emergency", "No emergency"),
        "standard" => either("standard", "Standard change", "No standard change"),
        "expedited" => either("expedited", "Expedited", "Not expedited"),
        "no_rollback_plan" => either("no_rollback_plan", "No rollback plan", "A rollback plan"),
        "plan_steps" => "Length of the plan",
        "disruption" => either("disruption", "A disruption is expected", "No disruption is expected"),
        _ => "Another feature",
    }
}

/// The label of a history level.
#[must_use]
pub fn level(group: Group) -> &'static str {
    match group {
        Group::Environment => "This environment",
        Group::Type => "This category",
        Group::Service => "This service",
        Group::Team => "This team",
        Group::Pair => "This team at this service",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_short_and_never_zero_for_something() {
        let told = [31_950, 1_000, 40, 999, -8_600, 0, 1_000_000].map(percent);
        assert_eq!(told, ["3.2", "0.1", "0.01", "0.10", "−0.9", "0", "100.0"]);
        assert_eq!((of_hundred(32_000), of_hundred(100), of_hundred(0)), (3, 1, 0));
    }

    #[test]
    fn contributions_add_up_to_the_percentage_as_they_are_written() {
        assert_eq!(
            contributions(&[74_600, 900, 900, 1_400]),
            ["7.5", "+0.1", "0.0", "+0.2"]
        );
        assert_eq!(contributions(&[34_000, 9_000, -11_000]), ["3.4", "+0.9", "−1.1"]);
        assert_eq!(contributions(&[5_040, -5_000]), ["0.50", "−0.49"]);
        let units = |text: &str| -> i64 {
            text.replace('−', "-")
                .replace('.', "")
                .parse()
                .expect("digits with a sign")
        };
        for parts in [
            &[61_400, 640, 640, 15_000, -450, 449][..],
            &[50_449, 449, 449, 449, 449, 449, -30_449],
            &[900, 90, 8],
            &[20, 20],
        ] {
            let sum: i64 = contributions(parts).iter().map(|text| units(text)).sum();
            assert_eq!(sum, units(&percent(parts.iter().sum())), "{parts:?}");
        }
    }
}
