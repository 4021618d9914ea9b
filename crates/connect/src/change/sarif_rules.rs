//! The rules of a SARIF run, and the level that a result takes from its own. A result may name its rule in several ways; where
//! they disagree, or several invocations may be meant, the worst level counts.

use std::collections::HashMap;

use crate::change::sarif_log::{Component, ComponentReference, Outcome, Override, Rule, RuleReference, Run};

/// How grave a result is, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    None,
    Note,
    Warning,
    /// Its rule is named and cannot be found, or a person has to judge.
    Undecided,
    Error,
}

impl Level {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "error" => Self::Error,
            "note" => Self::Note,
            "none" => Self::None,
            // The standard's default, also for an unknown value.
            _ => Self::Warning,
        }
    }
}

/// The rule for one way of naming it, if found.
type Found<'a> = Option<&'a Rule>;

/// The rules of a run.
pub(super) struct Rules<'a> {
    run: &'a Run,
    by_id: HashMap<&'a str, &'a Rule>,
}

impl<'a> Rules<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        let mut by_id: HashMap<&str, &Rule> = HashMap::new();
        for rule in components(run).flat_map(rules_of) {
            if let Some(id) = rule.id.as_deref() {
                // Ids need not be unique over the components; for a bare id the graver rule counts.
                let known = by_id.entry(id).or_insert(rule);
                if default_level(rule) > default_level(known) {
                    *known = rule;
                }
            }
        }
        Self { run, by_id }
    }

    /// The level of a result without a level of its own.
    pub(super) fn level(&self, result: &Outcome) -> Level {
        let ways = self.ways(result);
        let levels = ways.into_iter().map(|found| match found {
            Some(rule) => self.configured(rule, result),
            None => Level::Undecided,
        });
        levels.max().unwrap_or(Level::Warning)
    }

    /// The id of a result's rule.
    pub(super) fn id_of<'b>(&'b self, result: &'b Outcome) -> Option<&'b str> {
        let said = result.rule_id.as_deref();
        let said = said.or_else(|| result.rule.as_ref().and_then(|it| it.id.as_deref()));
        said.or_else(|| {
            self.ways(result)
                .into_iter()
                .flatten()
                .find_map(|rule| rule.id.as_deref())
        })
    }

    /// Every way in which a result names its rule. An id without a rule has no effect: rules need not be listed.
    fn ways(&self, result: &Outcome) -> Vec<Found<'a>> {
        let mut ways = Vec::new();
        let reference = result.rule.as_ref();
        let ids = [result.rule_id.as_deref(), reference.and_then(|it| it.id.as_deref())];
        let by_id = ids.into_iter().flatten().filter_map(|id| self.by_hierarchy(id));
        ways.extend(by_id.map(Some));
        let component = reference.and_then(|it| it.tool_component.as_ref());
        let indexes = [result.rule_index, reference.and_then(|it| it.index)];
        for index in indexes.into_iter().flatten().filter(|index| *index >= 0) {
            ways.push(self.by_index(index, component));
        }
        if let Some(guid) = reference.and_then(|it| it.guid.as_deref()) {
            ways.push(self.by_guid(guid));
        }
        ways
    }

    /// An id may name a part of a rule after a slash, with the rule's own id before it (section 3.27.5).
    fn by_hierarchy(&self, id: &str) -> Option<&'a Rule> {
        let mut id = id;
        loop {
            if let Some(rule) = self.by_id.get(id) {
                return Some(rule);
            }
            id = id.rsplit_once('/')?.0;
        }
    }

    fn by_index(&self, index: i64, component: Option<&ComponentReference>) -> Found<'a> {
        let rules = rules_of(self.component(component)?);
        rules.get(usize::try_from(index).ok()?)
    }

    fn by_guid(&self, guid: &str) -> Found<'a> {
        components(self.run)
            .flat_map(rules_of)
            .find(|rule| rule.guid.as_deref() == Some(guid))
    }

    /// The component of a reference; without one the driver (section 3.54).
    fn component(&self, reference: Option<&ComponentReference>) -> Option<&'a Component> {
        let Some(reference) = reference else {
            return Some(&self.run.tool.driver);
        };
        if let Some(index) = reference.index.filter(|index| *index >= 0) {
            let extensions = self.run.tool.extensions.as_deref().unwrap_or_default();
            return extensions.get(usize::try_from(index).ok()?);
        }
        if reference.guid.is_none() && reference.name.is_none() {
            return Some(&self.run.tool.driver);
        }
        components(self.run).find(|it| match (&reference.guid, &reference.name) {
            (Some(guid), _) => it.guid.as_ref() == Some(guid),
            (None, name) => it.name.as_ref() == name.as_ref(),
        })
    }

    /// The level that the result's invocation sets for its rule, else the rule's own. Without a named invocation each of the
    /// run's may have made it.
    fn configured(&self, rule: &'a Rule, result: &Outcome) -> Level {
        let invocations = self.run.invocations.as_deref().unwrap_or_default();
        let named = result.provenance.as_ref().and_then(|it| it.invocation_index);
        let named = named
            .and_then(|index| usize::try_from(index).ok())
            .and_then(|index| invocations.get(index));
        let meant = match named {
            Some(one) => std::slice::from_ref(one),
            None => invocations,
        };
        let levels = meant.iter().map(|it| {
            let overrides = it.rule_configuration_overrides.as_deref().unwrap_or_default();
            let own = overrides.iter().rfind(|it| self.is_about(it, rule));
            own.and_then(|it| it.configuration.level.as_deref())
                .map_or_else(|| default_level(rule), Level::of)
        });
        levels.max().unwrap_or_else(|| default_level(rule))
    }

    fn is_about(&self, it: &Override, rule: &Rule) -> bool {
        let RuleReference { id, guid, index, .. } = &it.descriptor;
        let component = it.descriptor.tool_component.as_ref();
        if let Some(index) = index.filter(|index| *index >= 0) {
            return self
                .by_index(index, component)
                .is_some_and(|found| std::ptr::eq(found, rule));
        }
        if let Some(guid) = guid {
            return rule.guid.as_ref() == Some(guid);
        }
        id.is_some() && *id == rule.id
    }
}

fn components(run: &Run) -> impl Iterator<Item = &Component> {
    std::iter::once(&run.tool.driver).chain(run.tool.extensions.iter().flatten())
}

fn rules_of(component: &Component) -> &[Rule] {
    component.rules.as_deref().unwrap_or_default()
}

fn default_level(rule: &Rule) -> Level {
    let configuration = rule.default_configuration.as_ref();
    configuration
        .and_then(|it| it.level.as_deref())
        .map_or(Level::Warning, Level::of)
}
