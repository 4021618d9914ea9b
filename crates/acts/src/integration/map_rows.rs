//! Rows of a connection's map that can never match are refused where they are set: nobody would notice later.

use std::collections::BTreeSet;

use model::core::parse::Reading;
use model::directory::snapshot::Mapping;

use crate::gate::run_tasks;

/// Kinds that report only deployments or canaries, each in an environment.
const WITH_PLACES: [&str; 5] = ["argocd", "jenkins", "plain", "flagger", "argo_rollouts"];

/// Kinds that report drift.
const OF_DRIFT: [&str; 4] = ["terraform", "argocd_drift", "aide", "kubernetes_audit"];

/// Notes each row that no delivery of this kind can ever match.
pub(crate) fn check(reading: &mut Reading<'_>, kind: &str, map: &[Mapping]) {
    let mut known: BTreeSet<(String, String)> = BTreeSet::new();
    for (place, row) in map.iter().enumerate() {
        let why = why_never(kind, row).or_else(|| {
            let mut names = row.environments.keys().map(|theirs| theirs.to_lowercase());
            let repository = row.repository.to_lowercase();
            names
                .find(|theirs| !known.insert((repository.clone(), theirs.clone())))
                .map(|theirs| format!("`{theirs}` of `{repository}` is mapped by an earlier row already"))
        });
        if let Some(why) = why {
            let text = format!("{why}, so this row would never match.");
            reading.wrong(&format!("map[{place}]"), "never_matches", text);
        }
    }
}

fn why_never(kind: &str, row: &Mapping) -> Option<String> {
    if row.repository.is_empty() || row.service.as_str().is_empty() {
        // Another error about it is reported already.
        return None;
    }
    let repository = &row.repository;
    let parts: Vec<&str> = repository.split('/').collect();
    let has_parts = !parts
        .iter()
        .any(|part| part.is_empty() || part.contains(char::is_whitespace));
    match kind {
        "github" if parts.len() != 2 || !has_parts => Some(format!(
            "GitHub calls a repository `owner/name`, and never `{repository}`"
        )),
        "gitlab" if parts.len() < 2 || !has_parts || repository.contains("://") => {
            Some(format!("GitLab calls a project `group/name`, and never `{repository}`"))
        }
        "mail" => Some("Mail names no repository".to_owned()),
        run_tasks::KIND => why_no_workspace(row, has_parts && parts.len() == 2),
        kind if OF_DRIFT.contains(&kind) => {
            Some("Drift rules map what this kind reports, and no repository".to_owned())
        }
        kind if WITH_PLACES.contains(&kind) && row.environments.is_empty() => {
            Some("A deployment is told with its environment, and `environments` names none".to_owned())
        }
        _ if row.environments.keys().any(|theirs| theirs.trim().is_empty()) => {
            Some("No environment is called by an empty name".to_owned())
        }
        _ => None,
    }
}

/// Why a row names no workspace of Terraform: a part of a workspace's name may be left open by `*`, and is the environment then.
fn why_no_workspace(row: &Mapping, has_two_parts: bool) -> Option<String> {
    let repository = &row.repository;
    let open = repository.matches('*').count();
    if !has_two_parts || open > 1 || repository.split('/').next().is_some_and(|it| it.contains('*')) {
        return Some(format!(
            "Terraform calls a workspace `organisation/workspace`, with one `*` in the workspace at most, and never `{repository}`"
        ));
    }
    if row.environments.is_empty() {
        return Some("A run asks about an environment, and `environments` names none".to_owned());
    }
    let (_, name) = repository.split_once('/')?;
    let is_named = |theirs: &String| theirs.eq_ignore_ascii_case(name);
    if open == 0 && !row.environments.keys().any(is_named) {
        return Some(format!(
            "A workspace that is named whole has its own name `{name}` in `environments`"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use model::core::refusal::Refusal;
    use serde_json::json;

    use super::*;

    fn codes(kind: &str, map: &serde_json::Value) -> Vec<String> {
        let rows: Vec<Mapping> = serde_json::from_value(map.clone()).expect("rows of a map");
        let nothing = serde_json::Map::new();
        let mut reading = Reading::new(&nothing, "");
        check(&mut reading, kind, &rows);
        match reading.finish() {
            Ok(()) => Vec::new(),
            Err(Refusal::Invalid(errors)) => errors.into_iter().map(|it| it.field).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_row_that_no_delivery_matches_is_refused_and_one_that_may_match_is_not() {
        let row = |repository: &str, environments: serde_json::Value| json!({"repository": repository, "service": "pay", "environments": environments});
        let prod = || json!({"prod": "production"});
        for (kind, map, wrong) in [
            ("github", json!([row("acme/shop", prod())]), vec![]),
            ("github", json!([row("acme/shop", json!({}))]), vec![]),
            ("github", json!([row("shop", prod())]), vec!["map[0]"]),
            (
                "github",
                json!([row("https://github.com/acme/shop", prod())]),
                vec!["map[0]"],
            ),
            ("gitlab", json!([row("acme/group/shop", prod())]), vec![]),
            ("plain", json!([row("shop", json!({}))]), vec!["map[0]"]),
            ("alertmanager", json!([row("shop", json!({}))]), vec![]),
            (
                "plain",
                json!([row("shop", prod()), row("shop", json!({"stage": "staging"}))]),
                vec![],
            ),
            (
                "plain",
                json!([row("shop", prod()), row("Shop", json!({"PROD": "staging"}))]),
                vec!["map[1]"],
            ),
            (
                "plain",
                json!([row("shop", json!({"Prod": "production", "prod": "staging"}))]),
                vec!["map[0]"],
            ),
            ("mail", json!([row("shop", json!({}))]), vec!["map[0]"]),
            ("terraform_task", json!([row("acme/shop-*", prod())]), vec![]),
            (
                "terraform_task",
                json!([row("acme/shop", json!({"Shop": "production"}))]),
                vec![],
            ),
            ("terraform_task", json!([row("acme/shop", prod())]), vec!["map[0]"]),
            ("terraform_task", json!([row("acme/*-shop-*", prod())]), vec!["map[0]"]),
            ("terraform_task", json!([row("*/shop", prod())]), vec!["map[0]"]),
            ("terraform_task", json!([row("shop-*", prod())]), vec!["map[0]"]),
            ("terraform_task", json!([row("acme/shop-*", json!({}))]), vec!["map[0]"]),
        ] {
            assert_eq!(codes(kind, &map), wrong, "{kind} {map}");
        }
    }
}
