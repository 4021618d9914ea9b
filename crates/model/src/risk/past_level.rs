//! The levels of risk that a change had before it was lowered. While a major incident holds, a change counts by the highest level
//! that it had since then: what is relabelled in the night passes no freeze.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::enums::Level;

/// A level that a change had until it was lowered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastLevel {
    /// The level.
    pub level: Level,
    /// The end of its time at this level.
    pub until: Timestamp,
}

/// Records a former level of a change. An earlier and equal or lower level is redundant then.
pub fn note(rows: &mut Vec<PastLevel>, level: Level, until: Timestamp) {
    rows.retain(|row| row.level > level);
    rows.push(PastLevel { level, until });
}

/// The highest level that a change had since an instant.
#[must_use]
pub fn highest(rows: &[PastLevel], present: Level, since: Timestamp) -> Level {
    let later = rows.iter().filter(|row| row.until > since);
    later.map(|row| row.level).fold(present, Level::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).expect("a time")
    }

    #[test]
    fn the_highest_level_since_an_instant_counts() {
        let mut rows = Vec::new();
        note(&mut rows, Level::High, at(10));
        note(&mut rows, Level::Low, at(20));
        note(&mut rows, Level::Medium, at(30));
        assert_eq!(rows.len(), 2, "what was no higher says nothing: {rows:?}");
        let since = |minute| highest(&rows, Level::Low, at(minute));
        assert_eq!(
            [since(5), since(10), since(25), since(30)],
            [Level::High, Level::Medium, Level::Medium, Level::Low]
        );
        assert_eq!(highest(&rows, Level::High, at(40)), Level::High);
    }
}
