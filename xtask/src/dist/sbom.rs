//! The bill of materials: CycloneDX 1.6 from cargo's own resolution, with the checksums of Cargo.lock.
//!
//! It lists the crates of the program `assent` with all its features, build scripts and macros included, tests not.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::Release;
use super::build::write;
use super::pack::sha256;
use crate::shell;

/// Writes the bill.
pub fn make(release: &Release) -> Result<()> {
    let told = shell::quiet(
        Command::new(shell::cargo())
            .args(["metadata", "--locked", "--format-version", "1"])
            .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
            .current_dir(&release.root),
    )?;
    let metadata: Value = serde_json::from_str(&told).context("cargo metadata is no JSON")?;
    let lock: toml::Table = std::fs::read_to_string(release.root.join("Cargo.lock"))?.parse()?;
    let bill = bill(&metadata, &checksums(&lock), release.epoch)?;
    let text = format!("{}\n", serde_json::to_string_pretty(&bill)?);
    write(&release.named("sbom.cdx.json"), text.as_bytes())
}

/// The checksum of each package from the registry, by `name@version`.
fn checksums(lock: &toml::Table) -> BTreeMap<String, String> {
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let row = |package: &toml::Value| {
        let text = |name: &str| package.get(name)?.as_str();
        Some((
            format!("{}@{}", text("name")?, text("version")?),
            text("checksum")?.to_owned(),
        ))
    };
    packages.into_iter().flatten().filter_map(row).collect()
}

/// The whole document.
fn bill(metadata: &Value, checksums: &BTreeMap<String, String>, epoch: u64) -> Result<Value> {
    let packages: BTreeMap<&str, &Value> = items(&metadata["packages"])
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let nodes: BTreeMap<&str, &Value> = items(&metadata["resolve"]["nodes"])
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let main = packages
        .iter()
        .find(|(_, package)| package["name"] == "assent")
        .map(|(id, _)| *id)
        .context("cargo metadata names no package `assent`")?;
    let (mut seen, mut left) = (BTreeSet::from([main]), vec![main]);
    let mut dependencies = Vec::new();
    while let Some(id) = left.pop() {
        let below = nodes.get(id).map(|node| shipped(node)).unwrap_or_default();
        let reference = |id: &&str| packages.get(id).map(|package| purl(package));
        dependencies.push(json!({
            "ref": packages.get(id).map(|package| purl(package)),
            "dependsOn": below.iter().filter_map(reference).collect::<BTreeSet<_>>(),
        }));
        left.extend(below.into_iter().filter(|id| seen.insert(*id)));
    }
    dependencies.sort_by_key(|row| row["ref"].to_string());
    let mut components: Vec<Value> = seen
        .iter()
        .filter(|id| **id != main)
        .filter_map(|id| packages.get(id))
        .map(|package| component(package, checksums, "library"))
        .collect();
    components.sort_by_key(|row| row["bom-ref"].to_string());
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": super::image::rfc3339(epoch),
            "component": component(packages[main], checksums, "application"),
        },
        "components": components,
        "dependencies": dependencies,
    });
    // The number follows from the content, so that the same tree makes the same document (UUID version 8, RFC 9562).
    let digest = sha256(&serde_json::to_vec(&document)?);
    document["serialNumber"] = json!(format!(
        "urn:uuid:{}-{}-8{}-8{}-{}",
        &digest[..8],
        &digest[8..12],
        &digest[13..16],
        &digest[17..20],
        &digest[20..32]
    ));
    Ok(document)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The crates that a package is built from or runs with; those that only its tests need are left out.
fn shipped(node: &Value) -> Vec<&str> {
    let is_shipped = |dependency: &&Value| items(&dependency["dep_kinds"]).any(|kind| kind["kind"] != "dev");
    items(&node["deps"])
        .filter(is_shipped)
        .filter_map(|dependency| dependency["pkg"].as_str())
        .collect()
}

fn purl(package: &Value) -> String {
    let text = |name: &str| package[name].as_str().unwrap_or_default().to_owned();
    // A plus in a version is build metadata, and a plus in a purl has to be encoded.
    format!("pkg:cargo/{}@{}", text("name"), text("version").replace('+', "%2B"))
}

fn component(package: &Value, checksums: &BTreeMap<String, String>, kind: &str) -> Value {
    let text = |name: &str| package[name].as_str().unwrap_or_default();
    let mut row = Map::new();
    row.insert("type".to_owned(), json!(kind));
    row.insert("bom-ref".to_owned(), json!(purl(package)));
    row.insert("name".to_owned(), json!(text("name")));
    row.insert("version".to_owned(), json!(text("version")));
    if !text("description").is_empty() {
        row.insert("description".to_owned(), json!(text("description").trim()));
    }
    if !text("license").is_empty() {
        // Some old manifests write a slash for OR, which SPDX does not know.
        let expression = text("license").replace(" / ", "/").replace('/', " OR ");
        row.insert("licenses".to_owned(), json!([{"expression": expression}]));
    }
    if let Some(sum) = checksums.get(&format!("{}@{}", text("name"), text("version"))) {
        row.insert("hashes".to_owned(), json!([{"alg": "SHA-256", "content": sum}]));
    }
    row.insert("purl".to_owned(), json!(purl(package)));
    if !text("repository").is_empty() {
        row.insert(
            "externalReferences".to_owned(),
            json!([{"type": "vcs", "url": text("repository")}]),
        );
    }
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn package(name: &str, license: &str) -> Value {
        json!({"id": name, "name": name, "version": "1.0.0+x", "license": license})
    }

    #[test]
    fn the_bill_lists_what_is_shipped_with_licence_and_checksum_and_not_what_only_tests_need() {
        let dep = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [
                package("assent", "Apache-2.0"), package("serde", "MIT/Apache-2.0"), package("cc", "MIT"),
                package("proptest", "MIT"),
            ],
            "resolve": {"nodes": [
                {"id": "assent", "deps": [dep("serde", Value::Null), dep("cc", json!("build")), dep("proptest", json!("dev"))]},
                {"id": "serde", "deps": []}, {"id": "cc", "deps": []}, {"id": "proptest", "deps": []},
            ]},
        });
        let lock: toml::Table = "[[package]]\nname = \"serde\"\nversion = \"1.0.0+x\"\nchecksum = \"ab\"\n"
            .parse()
            .unwrap();
        let made = bill(&metadata, &checksums(&lock), 0).unwrap();
        let names: Vec<&str> = items(&made["components"])
            .map(|row| row["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["cc", "serde"]);
        let serde = &made["components"][1];
        assert_eq!(serde["purl"], "pkg:cargo/serde@1.0.0%2Bx");
        assert_eq!(serde["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(serde["hashes"][0]["content"], "ab");
        assert_eq!(made["metadata"]["component"]["name"], "assent");
        let row = items(&made["dependencies"])
            .find(|row| row["ref"] == "pkg:cargo/assent@1.0.0%2Bx")
            .unwrap();
        assert_eq!(
            row["dependsOn"],
            json!(["pkg:cargo/cc@1.0.0%2Bx", "pkg:cargo/serde@1.0.0%2Bx"])
        );
        let serial = made["serialNumber"].as_str().unwrap();
        assert_eq!(serial.len(), "urn:uuid:".len() + 36, "{serial}");
        assert_eq!(made, bill(&metadata, &checksums(&lock), 0).unwrap());
    }
}
