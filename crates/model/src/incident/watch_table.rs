//! The length of watch windows by the criticality of services and the risk of changes: a table of the tenant's.

use serde::{Deserialize, Serialize};

use crate::core::enums::Level;

/// The longest watch window, in minutes: 14 days.
pub const LONGEST_WATCH_MINUTES: i64 = 14 * 24 * 60;

/// Minutes by the change's risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRow {
    /// Low risk.
    pub low: i64,
    /// Medium risk.
    pub medium: i64,
    /// High risk.
    pub high: i64,
}

/// The watch time of changes after their work: rows by the highest criticality among their services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchTable {
    /// Low criticality.
    pub low: WatchRow,
    /// Medium criticality.
    pub medium: WatchRow,
    /// High criticality.
    pub high: WatchRow,
    /// Critical.
    pub critical: WatchRow,
}

impl Default for WatchTable {
    fn default() -> Self {
        let row = |low, medium, high| WatchRow { low, medium, high };
        Self {
            low: row(60, 120, 240),
            medium: row(60, 240, 480),
            high: row(120, 480, 1_440),
            critical: row(240, 1_440, 2_880),
        }
    }
}

/// The names of the rows, in order.
pub const ROWS: [&str; 4] = ["low", "medium", "high", "critical"];

impl WatchRow {
    /// The minutes for a risk.
    #[must_use]
    pub fn minutes(&self, risk: Level) -> i64 {
        match risk {
            Level::None | Level::Low => self.low,
            Level::Medium => self.medium,
            Level::High => self.high,
        }
    }

    /// The places of the cells, by the names of the risks.
    pub fn cells_mut(&mut self) -> [(&'static str, &mut i64); 3] {
        [
            ("low", &mut self.low),
            ("medium", &mut self.medium),
            ("high", &mut self.high),
        ]
    }
}

impl WatchTable {
    /// Whether it equals the default values.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// A row by its name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<WatchRow> {
        Some(match name {
            "low" => self.low,
            "medium" => self.medium,
            "high" => self.high,
            "critical" => self.critical,
            _ => return None,
        })
    }

    /// The place of a row, to set it.
    pub fn named_mut(&mut self, name: &str) -> Option<&mut WatchRow> {
        Some(match name {
            "low" => &mut self.low,
            "medium" => &mut self.medium,
            "high" => &mut self.high,
            "critical" => &mut self.critical,
            _ => return None,
        })
    }

    /// The longest time in it.
    #[must_use]
    pub fn longest(&self) -> i64 {
        let rows = [self.low, self.medium, self.high, self.critical];
        rows.iter()
            .flat_map(|row| [row.low, row.medium, row.high])
            .max()
            .unwrap_or_default()
    }
}
