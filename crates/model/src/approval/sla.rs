//! The tenant's table of times to acknowledge and to decide, by kind and risk, for rules that set no times themselves.

use serde::{Deserialize, Serialize};

use crate::core::enums::{Kind, Level};
use crate::schedule::calendar::Span;

/// The two times that a rule grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sla {
    /// The time to acknowledge.
    pub acknowledge: Span,
    /// To decide.
    pub decide: Span,
}

/// The table: one row for each kind of hurry, and for the risks of all other changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlaTable {
    /// Emergency changes, whatever their risk.
    pub emergency: Sla,
    /// Changes that are expedited.
    pub expedited: Sla,
    /// Others of high risk.
    pub high: Sla,
    /// Of medium risk.
    pub medium: Sla,
    /// Of low risk.
    pub low: Sla,
}

/// The names of the rows, in order.
pub const ROWS: [&str; 5] = ["emergency", "expedited", "high", "medium", "low"];

impl Default for SlaTable {
    /// The first table. Only an emergency's clock runs at night.
    fn default() -> Self {
        let row = |acknowledge, decide| Sla { acknowledge, decide };
        Self {
            emergency: row(Span::Minutes(15), Span::Minutes(60)),
            expedited: row(Span::WorkMinutes(120), Span::WorkMinutes(480)),
            high: row(Span::WorkMinutes(240), Span::WorkDays(2)),
            medium: row(Span::WorkDays(1), Span::WorkDays(3)),
            low: row(Span::WorkDays(1), Span::WorkDays(5)),
        }
    }
}

impl SlaTable {
    /// Whether the table is the default.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The times for a kind and a risk.
    pub fn row(&self, kind: Kind, expedited: bool, risk: Level) -> Sla {
        match (kind, risk) {
            (Kind::Emergency, _) => self.emergency,
            _ if expedited => self.expedited,
            (_, Level::High) => self.high,
            (_, Level::Medium) => self.medium,
            (_, Level::Low | Level::None) => self.low,
        }
    }

    /// A row by its name.
    pub fn named(&self, name: &str) -> Option<Sla> {
        Some(match name {
            "emergency" => self.emergency,
            "expedited" => self.expedited,
            "high" => self.high,
            "medium" => self.medium,
            "low" => self.low,
            _ => return None,
        })
    }

    /// The place of a row, to set it.
    pub fn named_mut(&mut self, name: &str) -> Option<&mut Sla> {
        Some(match name {
            "emergency" => &mut self.emergency,
            "expedited" => &mut self.expedited,
            "high" => &mut self.high,
            "medium" => &mut self.medium,
            "low" => &mut self.low,
            _ => return None,
        })
    }
}

/// The longest time: 90 days, or as many working days.
const MOST_DAYS: i64 = 90;

/// Reads `15m`, `4h`, `2d`, `4bh` or `2bd`: minutes, hours and days on the wall, hours and days of working time.
pub fn read_span(text: &str) -> Option<Span> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: i64 = number.parse().ok().filter(|it| (1..=100_000).contains(it))?;
    let (span, days) = match unit {
        "m" => (Span::Minutes(number), number / 1_440),
        "h" => (Span::Minutes(number * 60), number / 24),
        "d" => (Span::Minutes(number * 1_440), number),
        "bh" => (Span::WorkMinutes(number * 60), number / 8),
        "bd" => (Span::WorkDays(number), number),
        _ => return None,
    };
    (days <= MOST_DAYS).then_some(span)
}

/// The text of a span, in the form that [`read_span`] reads. Minutes of working time that are no whole hours have none.
pub fn span_text(span: Span) -> String {
    match span {
        Span::Minutes(minutes) if minutes % 60 == 0 => format!("{}h", minutes / 60),
        Span::Minutes(minutes) => format!("{minutes}m"),
        Span::WorkMinutes(minutes) => format!("{}bh", (minutes / 60).max(1)),
        Span::WorkDays(days) => format!("{days}bd"),
    }
}

/// The approximate length of a span in minutes of work: enough to detect a time to decide that is shorter than the time to
/// acknowledge.
pub fn about_minutes(span: Span) -> i64 {
    match span {
        Span::Minutes(minutes) | Span::WorkMinutes(minutes) => minutes,
        Span::WorkDays(days) => days * 8 * 60,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_as_it_is_read() {
        for text in ["15m", "1h", "48h", "4bh", "2bd", "90bd"] {
            assert_eq!(read_span(text).map(span_text).as_deref(), Some(text));
        }
        assert_eq!(read_span("2d").map(span_text).as_deref(), Some("48h"));
        for text in [
            "",
            "m",
            "0h",
            "-1h",
            "1.5h",
            "4 bh",
            "91bd",
            "3000h",
            "1w",
            "99999999999999h",
        ] {
            assert_eq!(read_span(text), None, "{text}");
        }
    }

    #[test]
    fn every_row_of_the_first_table_is_told_in_words() {
        let table = SlaTable::default();
        for name in ROWS {
            let Some(row) = table.named(name) else {
                panic!("{name} is a row");
            };
            for span in [row.acknowledge, row.decide] {
                assert_eq!(read_span(&span_text(span)), Some(span), "{name}");
            }
            assert!(about_minutes(row.acknowledge) <= about_minutes(row.decide));
        }
    }
}
