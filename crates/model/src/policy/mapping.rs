//! The mapping: a versioned list of rules from where and how something is deployed to the kind of change, its template and
//! hints for its risk. The first rule that fits decides.

use serde::{Deserialize, Serialize};

use crate::core::enums::{Criticality, Kind, Level};
use crate::core::ids::{EnvironmentKey, ServiceKey};

/// A rule. A condition that is absent fits everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingRule {
    /// Its name, such as `hotfix-to-production`; unique in the list.
    pub rule: String,
    /// The pipeline: a repository, job or application, with `*` for any part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// The stage as the engine calls it, with `*` for any part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Our environments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<EnvironmentKey>,
    /// Our services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceKey>,
    /// The criticality of the service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criticality: Vec<Criticality>,
    /// Patterns with `*`, one of which every touched file must fit. Where the files are not known, the rule does not fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The kind of change.
    pub kind: Kind,
    /// For a standard change: its template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// A hint for the risk: how hard it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Level>,
}

impl MappingRule {
    /// Its conditions as text.
    pub fn in_words(&self) -> String {
        let listed =
            |name: &str, items: Vec<&str>| (!items.is_empty()).then(|| format!("{name} {}", items.join(" or ")));
        let parts = [
            listed("pipeline", self.pipeline.iter().map(String::as_str).collect()),
            listed("stage", self.stage.iter().map(String::as_str).collect()),
            listed(
                "environment",
                self.environments.iter().map(|it| it.0.as_str()).collect(),
            ),
            listed("service", self.services.iter().map(|it| it.0.as_str()).collect()),
            listed("criticality", self.criticality.iter().map(|it| it.as_str()).collect()),
            listed("every file like", self.files.iter().map(String::as_str).collect()),
        ];
        let said: Vec<String> = parts.into_iter().flatten().collect();
        if said.is_empty() {
            "anything".to_owned()
        } else {
            said.join(", ")
        }
    }
}

/// The known facts of a deployment when it is mapped. What its sender calls things is committed to in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingFacts {
    /// The repository, job or application.
    #[serde(with = "crate::core::typed")]
    pub pipeline: String,
    /// The engine's name of the stage or environment.
    #[serde(with = "crate::core::typed")]
    pub stage: String,
    /// Our environment.
    pub environment: String,
    /// Our service.
    pub service: String,
    /// The criticality of the service, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    /// The files that differ from the last deployed version, if all pushes reported them.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::option_list"
    )]
    pub files: Option<Vec<String>>,
}

/// The mapping's result for a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapped {
    /// The rule that decided; absent when none fits, and the change is normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The kind of change.
    pub kind: Kind,
    /// For a standard change: its template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// A hint for the risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Level>,
}

/// Maps a deployment; without a fitting rule it is a normal change.
pub fn map(rules: &[MappingRule], facts: &MappingFacts) -> Mapped {
    let found = rules.iter().find(|rule| fits(rule, facts));
    found.map_or(
        Mapped {
            rule: None,
            kind: Kind::Normal,
            template: None,
            complexity: None,
        },
        |rule| Mapped {
            rule: Some(rule.rule.clone()),
            kind: rule.kind,
            template: rule.template.clone(),
            complexity: rule.complexity,
        },
    )
}

fn fits(rule: &MappingRule, facts: &MappingFacts) -> bool {
    let pattern = |pattern: &Option<String>, text: &str| pattern.as_deref().is_none_or(|it| is_like(it, text));
    let files = match (&rule.files[..], &facts.files) {
        ([], _) => true,
        (_, None) => false,
        (patterns, Some(files)) => {
            !files.is_empty() && files.iter().all(|file| patterns.iter().any(|it| is_like(it, file)))
        }
    };
    files
        && pattern(&rule.pipeline, &facts.pipeline)
        && pattern(&rule.stage, &facts.stage)
        && (rule.environments.is_empty() || rule.environments.iter().any(|it| it.0 == facts.environment))
        && (rule.services.is_empty() || rule.services.iter().any(|it| it.0 == facts.service))
        && (rule.criticality.is_empty() || facts.criticality.is_some_and(|it| rule.criticality.contains(&it)))
}

/// Whether a text fits a pattern in which `*` matches any part, in any case of letters.
pub fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        if let Some(earlier) = last.replace(part) {
            let Some(place) = rest.find(earlier) else { return false };
            rest = &rest[place + earlier.len()..];
        }
    }
    match last {
        Some(end) => rest.ends_with(end),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, kind: Kind) -> MappingRule {
        MappingRule {
            rule: name.to_owned(),
            pipeline: None,
            stage: None,
            environments: Vec::new(),
            services: Vec::new(),
            criticality: Vec::new(),
            files: Vec::new(),
            kind,
            template: None,
            complexity: None,
        }
    }

    fn facts() -> MappingFacts {
        MappingFacts {
            pipeline: "halden/edge-dns".to_owned(),
            stage: "prod-eu".to_owned(),
            environment: "production".to_owned(),
            service: "edge-dns".to_owned(),
            criticality: Some(Criticality::Low),
            files: Some(vec!["docs/a.md".to_owned(), "docs/b/c.md".to_owned()]),
        }
    }

    #[test]
    fn what_a_sender_calls_its_things_is_kept_apart_from_keys() {
        use serde_json::json;

        let kept = serde_json::to_value(facts()).unwrap_or_default();
        assert_eq!(kept["pipeline"], json!({"typed": "halden/edge-dns"}));
        assert_eq!(kept["stage"], json!("prod-eu"));
        assert_eq!(kept["files"], json!([{"typed": "docs/a.md"}, {"typed": "docs/b/c.md"}]));
        assert_eq!(serde_json::from_value::<MappingFacts>(kept.clone()).ok(), Some(facts()));
        // Facts of earlier versions stand in clear, or without files.
        let mut earlier = kept;
        earlier["pipeline"] = json!("halden/edge-dns");
        earlier["files"] = json!(["docs/a.md", "docs/b/c.md"]);
        assert_eq!(
            serde_json::from_value::<MappingFacts>(earlier.clone()).ok(),
            Some(facts())
        );
        if let Some(members) = earlier.as_object_mut() {
            members.remove("files");
        }
        let without = MappingFacts { files: None, ..facts() };
        assert_eq!(serde_json::from_value::<MappingFacts>(earlier).ok(), Some(without));
    }

    #[test]
    fn the_first_rule_that_fits_decides_and_without_one_it_is_normal() {
        let mut docs = rule("docs", Kind::Standard);
        docs.files = vec!["docs/*".to_owned()];
        docs.template = Some("docs".to_owned());
        let mut hot = rule("hotfix", Kind::Emergency);
        hot.stage = Some("prod-*".to_owned());
        let rules = [docs, hot];
        assert_eq!(map(&rules, &facts()).rule.as_deref(), Some("docs"));
        let other = MappingFacts {
            files: Some(vec!["docs/a.md".to_owned(), "src/main.rs".to_owned()]),
            ..facts()
        };
        assert_eq!(map(&rules, &other).rule.as_deref(), Some("hotfix"));
        let unknown = MappingFacts { files: None, ..facts() };
        assert_eq!(
            map(&rules, &unknown).kind,
            Kind::Emergency,
            "unknown files fit no pattern"
        );
        let elsewhere = MappingFacts {
            stage: "test".to_owned(),
            files: None,
            ..facts()
        };
        assert_eq!(
            (map(&rules, &elsewhere).rule, map(&rules, &elsewhere).kind),
            (None, Kind::Normal)
        );
    }

    #[test]
    fn a_star_stands_for_any_part() {
        for (pattern, text) in [
            ("*", ""),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c", "abc"),
            ("a*b*c", "axbyc"),
            ("Abc", "aBC"),
        ] {
            assert!(is_like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", "ab"),
            ("a*c", "ab"),
            ("a*b*b", "ab"),
            ("*.md", "a.mdx"),
        ] {
            assert!(!is_like(pattern, text), "{pattern} {text}");
        }
    }
}
