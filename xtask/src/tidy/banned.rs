//! No crate of `Cargo.lock` is one that `deny.toml` bans. cargo-deny reads the same list and checks
//! more; this rule needs nothing installed.

use super::Finding;
use super::tree::Tree;

/// Compares the lock file with the list.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(banned) = tree.text("deny.toml").and_then(banned_crates) else {
        return vec![Finding::new(
            "deny.toml",
            0,
            "there is no readable list `bans.deny` here",
        )];
    };
    let Some(lock) = tree.text("Cargo.lock") else {
        return vec![Finding::new("Cargo.lock", 0, "the lock file is missing")];
    };
    let mut findings = Vec::new();
    for (number, line) in lock.lines().enumerate() {
        let name = line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"'));
        if let Some(name) = name.filter(|name| banned.iter().any(|banned| banned == name)) {
            let text = format!("`{name}` is banned; `cargo tree -i {name}` tells who asks for it");
            findings.push(Finding::new("Cargo.lock", number + 1, text));
        }
    }
    findings
}

fn banned_crates(text: &str) -> Option<Vec<String>> {
    let table: toml::Table = text.parse().ok()?;
    let list = table.get("bans")?.get("deny")?.as_array()?;
    let names: Option<Vec<String>> = list
        .iter()
        .map(|entry| Some(entry.get("crate")?.as_str()?.to_owned()))
        .collect();
    names.filter(|names| !names.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[bans]\ndeny = [{ crate = \"openssl\", reason = \"one crypto\" }]\n";

    #[test]
    fn a_banned_crate_is_found() {
        let lock = "[[package]]\nname = \"openssl\"\nversion = \"1\"\n";
        let findings = check(&Tree::of(&[("deny.toml", DENY), ("Cargo.lock", lock)]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
    }

    #[test]
    fn a_crate_whose_name_only_begins_alike_passes() {
        let lock = "[[package]]\nname = \"openssl-probe\"\nversion = \"1\"\n";
        assert_eq!(check(&Tree::of(&[("deny.toml", DENY), ("Cargo.lock", lock)])), []);
    }

    #[test]
    fn a_missing_list_is_found() {
        let findings = check(&Tree::of(&[("deny.toml", "[bans]\ndeny = []\n"), ("Cargo.lock", "")]));
        assert_eq!(findings.len(), 1);
    }
}
