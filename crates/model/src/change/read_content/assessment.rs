//! The content of an assessment.

use serde_json::{Map, Value};

use super::{level_of, read_level};
use crate::change::affected::{affected, is_reached};
use crate::change::record::{Exclusion, RiskOverride, Target};
use crate::core::enums::Level;
use crate::core::parse::{LINE, Reading, TEXT};
use crate::core::refusal::{FieldError, Refusal};
use crate::directory::snapshot::Directory;
use crate::risk::security_questions::{self, SecurityAnswer};

/// The assessment's own fields, read from the body of `/assessment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The three axes, where given.
    pub impact: [Option<Level>; 3],
    /// Complexity, where given.
    pub complexity: Option<Level>,
    /// Security responses as text.
    pub security: Option<String>,
    /// Responses to the typed security questions.
    pub security_answers: Option<Vec<SecurityAnswer>>,
    /// Whether dependencies were looked at.
    pub dependencies_reviewed: Option<bool>,
    /// The excluded things.
    pub excluded: Option<Vec<Exclusion>>,
    /// A level against the table.
    pub risk_override: Option<RiskOverride>,
}

impl Assessment {
    /// An excluded thing must be one that the change affects: a key, or `service:KEY` and `item:KEY` where both exist.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with each item that is not reached.
    pub(crate) fn check_excluded(&self, directory: &Directory, targets: &[Target]) -> Result<(), Refusal> {
        let excluded = self.excluded.as_deref().unwrap_or_default();
        if excluded.is_empty() {
            return Ok(());
        }
        let found = affected(directory, targets);
        let wrong = excluded
            .iter()
            .enumerate()
            .filter(|(_, row)| !is_reached(&found, &row.item));
        let error = |(place, row): (usize, &Exclusion)| {
            let text = format!(
                "`{}` is not affected by this change, so it cannot be excluded.",
                row.item
            );
            FieldError::new(format!("excluded[{place}].item"), "not_reached", text)
        };
        let errors: Vec<FieldError> = wrong.map(error).collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(Refusal::Invalid(errors))
    }
}

/// Reads an assessment.
///
/// # Errors
/// [`Refusal::Invalid`] with every wrong field.
pub fn read_assessment(body: &Map<String, Value>) -> Result<Assessment, Refusal> {
    let mut reading = Reading::new(body, "");
    let impact = reading
        .object("impact", |inner| {
            let all = Level::ALL;
            [
                read_level(inner, "data", all),
                read_level(inner, "availability", all),
                read_level(inner, "compliance", all),
            ]
        })
        .unwrap_or([None; 3]);
    let assessment = Assessment {
        impact,
        complexity: read_level(&mut reading, "complexity", &[Level::Low, Level::Medium, Level::High]),
        security: read_security(&mut reading),
        security_answers: security_questions::read(&mut reading),
        dependencies_reviewed: reading.boolean("dependencies_reviewed"),
        excluded: reading.objects("excluded", |inner| Exclusion {
            item: inner.needed("item", LINE),
            reason: inner.needed("reason", TEXT),
        }),
        risk_override: reading.object("risk_override", |inner| RiskOverride {
            level: needed_level(inner, "level", &[Level::Low, Level::Medium, Level::High]),
            reason: inner.needed("reason", TEXT),
        }),
    };
    reading.finish()?;
    Ok(assessment)
}

/// Security responses come as a text, or as an object by question, which is kept as lines of text.
fn read_security(reading: &mut Reading<'_>) -> Option<String> {
    match reading.value("security") {
        Some(Value::Object(answers)) => {
            let lines: Vec<String> = answers
                .iter()
                .map(|(question, answer)| {
                    let answer = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
                    format!("{question}: {answer}")
                })
                .collect();
            reading.clean("security", &lines.join("\n"), TEXT)
        }
        Some(Value::String(_)) => reading.text("security", TEXT),
        Some(_) => {
            reading.wrong(
                "security",
                "not_text",
                "`security` must be a text or an object of questions and answers.",
            );
            None
        }
        None => None,
    }
}

/// A required level. The placeholder for a missing level is never kept, because reading then ends in a refusal.
fn needed_level(reading: &mut Reading<'_>, field: &'static str, allowed: &[Level]) -> Level {
    let text = reading.needed(field, LINE);
    let level = (!text.is_empty()).then(|| level_of(reading, field, &text, allowed));
    level.flatten().unwrap_or(Level::High)
}
