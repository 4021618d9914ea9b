//! The uneven spread of changes over services in a public history: rows of lists follow its shares.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, ensure};

use super::risk;

/// The history of deployments to 78 services; its folder is [`risk::FOLDER`].
const HISTORY: &str = "govuk_deployments_2022_2024.csv.gz";
/// Shares are parts of so many rows.
pub const PARTS: u64 = 10_000;

/// The shares of services, the largest first, each as the part of [`PARTS`] below which a row is of it or of one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares(Vec<u64>);

impl Shares {
    /// The shares in the history. Where its folder is missing, all rows are of one service, and the output notes it.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = folder.join(HISTORY);
        if !file.exists() {
            eprintln!("bench: {} is not there; all rows are of one service", file.display());
            return Ok(Self(vec![PARTS]));
        }
        let mut counts: HashMap<String, u64> = HashMap::new();
        for row in risk::read(&file)? {
            let text = |name: &str| row.get(name).cloned().unwrap_or_default();
            if text("environment") == "production" {
                *counts.entry(text("service")).or_default() += 1;
            }
        }
        ensure!(!counts.is_empty(), "{} tells of no production", file.display());
        Ok(Self::of(counts.into_values().collect()))
    }

    fn of(mut counts: Vec<u64>) -> Self {
        counts.sort_unstable_by(|one, other| other.cmp(one));
        let all: u64 = counts.iter().sum();
        let mut below = 0;
        let end = |count: u64| {
            below += count;
            below * PARTS / all.max(1)
        };
        Self(counts.into_iter().map(end).collect())
    }

    /// SQL for the service of the row `n`: the pattern's own for the largest share, and another name for each share after it.
    /// Neighbouring rows are of services far apart.
    pub fn service(&self) -> String {
        let place = format!("((n % {PARTS}) * 7919) % {PARTS}");
        let name = |number: usize| match number {
            0 => "t.\"service\"".to_owned(),
            _ => format!("'row-service-{number}'"),
        };
        let when = |(number, end): (usize, &u64)| format!(" WHEN {place} < {end} THEN {}", name(number));
        let cases: String = self.0.iter().enumerate().map(when).collect();
        format!("CASE{cases} ELSE {} END", name(0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn shares_grow_to_the_whole_and_the_largest_comes_first() {
        assert_eq!(Shares::of(vec![1, 6, 3]), Shares(vec![6_000, 9_000, 10_000]));
        assert_eq!(Shares::of(vec![7]), Shares(vec![PARTS]));
    }

    #[test]
    fn rows_fall_on_services_by_their_shares() {
        let base = rusqlite::Connection::open_in_memory().unwrap();
        let sql = format!(
            "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 9999), t(service) AS (SELECT 'own')
             SELECT {} AS it, count(*) FROM c, t GROUP BY it ORDER BY count(*) DESC",
            Shares::of(vec![1, 6, 3]).service()
        );
        let mut found = base.prepare(&sql).unwrap();
        let rows = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let rows: Vec<(String, i64)> = rows.map(Result::unwrap).collect();
        let wanted = [("own", 6_000), ("row-service-1", 3_000), ("row-service-2", 1_000)];
        assert_eq!(rows, wanted.map(|(name, count)| (name.to_owned(), count)));
    }
}
