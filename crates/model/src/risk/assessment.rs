//! Risk, first form: a table over the highest impact and the complexity.

use serde::{Deserialize, Serialize};

use crate::approval::obligation;
use crate::change::record::{Impact, Risk};
use crate::core::enums::{Criticality, Level};
use crate::directory::records::Service;

/// Rows by highest impact (none, low, medium, high), columns by complexity (low, medium, high).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RiskTable(pub [[Level; 3]; 4]);

impl Default for RiskTable {
    /// The first table of the outside contract.
    fn default() -> Self {
        use Level::{High, Low, Medium};
        Self([
            [Low, Low, Medium],
            [Low, Low, Medium],
            [Low, Medium, High],
            [Medium, High, High],
        ])
    }
}

impl RiskTable {
    /// The level in a cell. Unknown complexity counts as high, so that an unfinished draft never looks harmless.
    pub fn level(&self, impact: Level, complexity: Option<Level>) -> Level {
        let column = match complexity {
            Some(Level::None | Level::Low) => 0,
            Some(Level::Medium) => 1,
            Some(Level::High) | None => 2,
        };
        self.0[obligation::level_number(impact) as usize][column]
    }
}

/// The impact that a service's facts suggest, for the axes without a stated value.
pub fn derived_impact(service: Option<&Service>, is_production: bool) -> Impact {
    let Some(service) = service else {
        return Impact {
            data: Level::High,
            availability: Level::High,
            compliance: Level::High,
        };
    };
    let availability = match service.criticality {
        Criticality::Low => Level::Low,
        Criticality::Medium => Level::Medium,
        Criticality::High | Criticality::Critical => Level::High,
    };
    let data = match service.data_class.as_deref() {
        Some("restricted") => Level::High,
        Some("confidential") => Level::Medium,
        Some("internal") => Level::Low,
        _ => Level::None,
    };
    let compliance = if service.regimes.is_empty() {
        Level::None
    } else {
        Level::Medium
    };
    let impact = Impact {
        data,
        availability,
        compliance,
    };
    if is_production { impact } else { capped(impact) }
}

/// Outside production only the builders are affected: each axis is low at most.
pub(crate) fn capped(impact: Impact) -> Impact {
    Impact {
        data: impact.data.min(Level::Low),
        availability: impact.availability.min(Level::Low),
        compliance: impact.compliance.min(Level::Low),
    }
}

/// The higher of two impacts, axis by axis.
pub fn union(left: Impact, right: Impact) -> Impact {
    Impact {
        data: left.data.max(right.data),
        availability: left.availability.max(right.availability),
        compliance: left.compliance.max(right.compliance),
    }
}

/// Computes the risk. `by_table` is the level of the table; `stated` is a different level from the assessment, with a flag
/// whether it counts if it is lower.
pub fn assess(by_table: Level, impact: Impact, complexity: Option<Level>, stated: Option<(Level, bool)>) -> Risk {
    let mut reasons = vec![format!(
        "Impact is {} (data {}, availability {}, compliance {})",
        impact.highest(),
        impact.data,
        impact.availability,
        impact.compliance
    )];
    reasons.push(match complexity {
        Some(level) => format!("Complexity is {level}"),
        None => "Complexity is not stated and counts as high".to_owned(),
    });
    reasons.push(format!("The risk table gives {by_table}"));
    let level = match stated {
        Some((level, _)) if level > by_table => {
            reasons.push(format!("Raised to {level} by the assessment"));
            level
        }
        Some((level, true)) if level < by_table => {
            reasons.push(format!("Lowered to {level} by an approval"));
            level
        }
        Some((level, false)) if level < by_table => {
            reasons.push(format!(
                "{level} was proposed and applies once a change manager has approved it"
            ));
            by_table
        }
        _ => by_table,
    };
    let score = obligation::level_number(impact.highest()) * 3 + complexity.map_or(3, obligation::level_number);
    Risk {
        level,
        score,
        reasons,
        lowered: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_table_is_the_contract() {
        let table = RiskTable::default();
        let rows = [Level::None, Level::Low, Level::Medium, Level::High].map(|impact| {
            [Level::Low, Level::Medium, Level::High].map(|complexity| table.level(impact, Some(complexity)).as_str())
        });
        assert_eq!(
            rows,
            [
                ["low", "low", "medium"],
                ["low", "low", "medium"],
                ["low", "medium", "high"],
                ["medium", "high", "high"]
            ]
        );
    }

    #[test]
    fn a_lower_level_counts_only_after_an_approval() {
        let impact = Impact {
            data: Level::None,
            availability: Level::High,
            compliance: Level::None,
        };
        let table = RiskTable::default();
        let by_table = table.level(impact.highest(), Some(Level::High));
        let proposed = assess(by_table, impact, Some(Level::High), Some((Level::Low, false)));
        let approved = assess(by_table, impact, Some(Level::High), Some((Level::Low, true)));
        assert_eq!((proposed.level, approved.level), (Level::High, Level::Low));
    }

    #[test]
    fn an_unknown_service_counts_as_grave() {
        assert_eq!(derived_impact(None, true).highest(), Level::High);
    }
}
