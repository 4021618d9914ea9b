//! The bounds of a standard change in the fields that its template leaves free: the template's approvers saw these bounds.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::change::read_content;
use crate::change::record::{Change, Content, DisruptionPlan, Impact, Target};
use crate::core::enums::{Category, Disruption, Kind, Level, Touch};
use crate::core::ids::{EnvironmentKey, ServiceKey, TargetId};
use crate::core::parse::Reading;
use crate::directory::records::StandardTemplate;
use crate::directory::snapshot::Directory;
pub use crate::directory::template_bounds::{DisruptionBound, TemplateBounds};
use crate::risk::assessment::{RiskTable, union};
use crate::risk::derived;
use crate::risk::forecast::fixed::ONE;

impl TemplateBounds {
    /// The proposed bounds, completed from the template's locked fields and permitted targets.
    pub fn read(reading: &mut Reading<'_>, template: &StandardTemplate, directory: &Directory) -> Self {
        let usual = Self::usual(template, directory);
        let said = reading.object("bounds", read_stated).unwrap_or_default();
        let [data, availability, compliance] = said.impact;
        let impact = Impact {
            data: data.unwrap_or(usual.impact.data),
            availability: availability.unwrap_or(usual.impact.availability),
            compliance: compliance.unwrap_or(usual.impact.compliance),
        };
        let complexity = said.complexity.unwrap_or(usual.complexity);
        let by_table = table_of(directory).level(impact.highest(), Some(complexity));
        Self {
            highest_risk: said.highest_risk.unwrap_or(by_table),
            impact,
            complexity,
            touches: said.touches.unwrap_or(usual.touches),
            disruption: said.disruption.or(usual.disruption),
            highest_probability: said.highest_probability,
        }
    }

    /// The default bounds of a version: the locked values, on each axis of impact at least the value derived from the permitted
    /// targets, else only low.
    pub fn usual(template: &StandardTemplate, directory: &Directory) -> Self {
        let locked = &template.locked;
        let targets = permitted_targets(template, directory);
        let (derived, _) = read_content::with_derived_impact([None; 3], directory, &targets, Kind::Standard);
        let axis = |name: &str| {
            let impact = locked.get("impact").and_then(Value::as_object);
            impact.and_then(|impact| level_of(impact, name)).unwrap_or(Level::None)
        };
        let locked_impact = Impact {
            data: axis("data"),
            availability: axis("availability"),
            compliance: axis("compliance"),
        };
        let impact = union(derived, locked_impact);
        let mut touches = locked.get("touches").map(touches_of).unwrap_or_default();
        touches.extend(derived::held(directory, &targets));
        let category = locked.get("category").and_then(Value::as_str);
        let category = category.and_then(|it| it.parse().ok()).unwrap_or(Category::Other);
        let least = directory.risk_terms().complexity_of(&touches, category);
        let least = least.unwrap_or(Level::Low);
        let complexity = level_of(locked, "complexity").unwrap_or(Level::Low).max(least);
        Self {
            highest_risk: table_of(directory).level(impact.highest(), Some(complexity)),
            impact,
            complexity,
            touches,
            disruption: locked
                .get("disruption")
                .and_then(|it| serde_json::from_value(it.clone()).ok()),
            highest_probability: None,
        }
    }

    /// The fields of a change that go further.
    pub fn exceeded(&self, change: &Change) -> Vec<&'static str> {
        let content = &change.content;
        let (impact, most) = (&content.impact, &self.impact);
        let is_graver =
            impact.data > most.data || impact.availability > most.availability || impact.compliance > most.compliance;
        let complexity = content.complexity;
        // The missing fields of an unfinished draft are judged at its submission.
        let is_riskier = complexity.is_some() && change.risk.level > self.highest_risk;
        let found = [
            ("touches", !content.touches.is_subset(&self.touches)),
            ("impact", is_graver),
            ("complexity", complexity.is_some_and(|level| level > self.complexity)),
            ("disruption", self.is_disrupted_by(content)),
            ("risk", is_riskier),
            ("forecast", complexity.is_some() && self.is_exceeded_by(change)),
        ];
        let found = found.into_iter().filter(|(_, is_outside)| *is_outside);
        found.map(|(field, _)| field).collect()
    }

    /// Whether it fails more likely. As rules count it, an unknown forecast counts as the upper end of its interval.
    fn is_exceeded_by(&self, change: &Change) -> bool {
        let forecast = change.forecast.as_ref();
        let likely = forecast.map(|it| it.probability_ppm.unwrap_or(it.high_ppm));
        likely
            .zip(self.highest_probability)
            .is_some_and(|(likely, most)| likely > most)
    }

    fn is_disrupted_by(&self, content: &Content) -> bool {
        let Some(DisruptionPlan { kind, minutes, .. }) = &content.disruption else {
            return false;
        };
        if *kind == Disruption::None {
            return false;
        }
        let Some(most) = &self.disruption else { return true };
        let is_longer = most
            .minutes
            .is_some_and(|most| minutes.is_none_or(|minutes| minutes > most));
        *kind > most.kind || is_longer
    }
}

/// The bounds in a proposal.
#[derive(Default)]
struct StatedBounds {
    highest_risk: Option<Level>,
    impact: [Option<Level>; 3],
    complexity: Option<Level>,
    touches: Option<BTreeSet<Touch>>,
    disruption: Option<DisruptionBound>,
    highest_probability: Option<i64>,
}

fn read_stated(reading: &mut Reading<'_>) -> StatedBounds {
    const RATED: &[Level] = &[Level::Low, Level::Medium, Level::High];
    let axis = |inner: &mut Reading<'_>, name: &'static str| read_content::read_level(inner, name, Level::ALL);
    StatedBounds {
        highest_risk: read_content::read_level(reading, "highest_risk", RATED),
        impact: reading
            .object("impact", |inner| {
                ["data", "availability", "compliance"].map(|name| axis(inner, name))
            })
            .unwrap_or_default(),
        complexity: read_content::read_level(reading, "complexity", RATED),
        touches: reading.words("touches").map(|words| words.into_iter().collect()),
        disruption: reading.object("disruption", |inner| DisruptionBound {
            kind: inner.needed_word("kind", Disruption::None),
            minutes: inner.integer("minutes", 0..=100_000),
        }),
        highest_probability: reading.integer("highest_probability", 1..=ONE),
    }
}

fn level_of(map: &Map<String, Value>, field: &str) -> Option<Level> {
    map.get(field)
        .and_then(|value| serde_json::from_value(value.clone()).ok())
}

fn touches_of(value: &Value) -> BTreeSet<Touch> {
    let words = value.as_array().into_iter().flatten();
    words
        .filter_map(|word| serde_json::from_value(word.clone()).ok())
        .collect()
}

fn table_of(directory: &Directory) -> RiskTable {
    let tenant = directory.tenant.as_ref();
    tenant.map(|tenant| tenant.risk_table.clone()).unwrap_or_default()
}

/// Each place that a version permits.
fn permitted_targets(template: &StandardTemplate, directory: &Directory) -> Vec<Target> {
    let services: Vec<&ServiceKey> = match template.services.is_empty() {
        true => directory.services.keys().collect(),
        false => template.services.iter().collect(),
    };
    let places: Vec<&EnvironmentKey> = match template.environments.is_empty() {
        true => directory.environments.keys().collect(),
        false => template.environments.iter().collect(),
    };
    let pairs = services
        .into_iter()
        .flat_map(|service| places.iter().map(move |place| (service, *place)));
    let target = |(number, (service, place)): (usize, (&ServiceKey, &EnvironmentKey))| Target {
        id: TargetId((number + 1).to_string()),
        service: service.clone(),
        environment: place.clone(),
        config_items: Vec::new(),
        artifact: None,
        commit: None,
        rollback_to: None,
        members: None,
    };
    pairs.enumerate().map(target).collect()
}
