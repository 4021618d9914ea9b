//! CycloneDX JSON (ECMA-424), a bill of materials: how many components it lists, and of what. A
//! bill does not judge, so it neither passes nor fails. The listed vulnerabilities are its findings, except those that its
//! analysis marks as resolved or of no effect.

use model::integration::signal;
use serde::Deserialize;

use crate::change::evidence::{self, Kind, Reading, Unreadable};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    bom_format: String,
    spec_version: String,
    metadata: Option<Metadata>,
    components: Option<Vec<Component>>,
    vulnerabilities: Option<Vec<Vulnerability>>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(rename = "bom-ref")]
    reference: Option<String>,
    id: Option<String>,
    analysis: Option<Analysis>,
}

#[derive(Deserialize)]
struct Analysis {
    state: Option<String>,
}

impl Vulnerability {
    /// Whether its analysis leaves something to worry about (`analysis.state`).
    fn is_open(&self) -> bool {
        let state = self.analysis.as_ref().and_then(|it| it.state.as_deref());
        !matches!(
            state,
            Some("resolved" | "resolved_with_pedigree" | "false_positive" | "not_affected")
        )
    }

    /// Its id, by which another bill names it too.
    fn named(&self) -> String {
        let name = self.id.as_deref().or(self.reference.as_deref());
        evidence::label(name.unwrap_or("an unnamed vulnerability"))
    }
}

#[derive(Deserialize)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    name: Option<String>,
    version: Option<String>,
    hashes: Option<Vec<Hash>>,
    components: Option<Vec<Component>>,
}

#[derive(Deserialize)]
struct Hash {
    alg: String,
    content: String,
}

/// Reads a bill. Its subjects are the SHA-256 digests of the component that it describes; tools
/// that describe a container image write the image's digest as its version.
///
/// # Errors
/// [`Unreadable`] as in [`crate::change::evidence_formats::read`], or where it is not a CycloneDX bill.
pub fn read(document: &[u8]) -> Result<Reading, Unreadable> {
    let bill: Bill = evidence::json(document)?;
    if bill.bom_format != "CycloneDX" {
        return Err(Unreadable::because("the document is not a CycloneDX bill of materials"));
    }
    let about = bill.metadata.and_then(|metadata| metadata.component);
    let name = about.as_ref().and_then(|it| it.name.as_deref());
    let components = components_within(bill.components.as_deref());
    let mut summary = format!(
        "CycloneDX {} of {}: {}.",
        evidence::label(&bill.spec_version),
        evidence::label(name.unwrap_or("an unnamed subject")),
        evidence::count(components, "component"),
    );
    if let Some(listed) = &bill.vulnerabilities {
        let number = listed.len() as u64;
        let noun = if number == 1 {
            "vulnerability"
        } else {
            "vulnerabilities"
        };
        summary.push_str(&format!(" {number} {noun} listed."));
    }
    let open = bill.vulnerabilities.iter().flatten().filter(|it| it.is_open());
    Ok(Reading {
        kind: Kind::Cyclonedx,
        summary,
        passed: None,
        is_undecided: false,
        subjects: evidence::subjects(about.iter().flat_map(digests)),
        findings: evidence::findings(open.map(Vulnerability::named)),
        suites: Vec::new(),
    })
}

/// Counts nested components too; serde_json has bounded how deep they nest.
fn components_within(components: Option<&[Component]>) -> u64 {
    components
        .unwrap_or_default()
        .iter()
        .map(|it| 1 + components_within(it.components.as_deref()))
        .sum()
}

fn digests(component: &Component) -> impl Iterator<Item = String> {
    let hashes = component.hashes.iter().flatten();
    let hashed = hashes
        .filter(|hash| hash.alg == "SHA-256")
        .filter_map(|hash| signal::digest(&format!("sha256:{}", hash.content)));
    let version = component.version.as_deref().and_then(signal::digest);
    hashed.chain(version)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn components_are_counted_at_every_level() {
        let hex = "ab".repeat(32);
        let text = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"x","metadata":{{
                "timestamp":"2026-01-01T00:00:00Z","component":{{"name":"shop","version":"sha256:{hex}",
                "hashes":[{{"alg":"SHA-1","content":"00"}},{{"alg":"SHA-256","content":"{hex}"}}]}}}},
                "components":[{{"name":"a","components":[{{"name":"b"}}]}},{{"name":"c"}}],
                "vulnerabilities":[{{"id":"CVE-2"}},{{"id":"CVE-1"}},{{"bom-ref":"v3","analysis":{{"state":"in_triage"}}}},
                {{"id":"CVE-4","analysis":{{"state":"not_affected"}}}}]}}"#
        );
        let reading = read(text.as_bytes()).unwrap();
        assert_eq!(
            reading.summary,
            "CycloneDX 1.6 of shop: 3 components. 4 vulnerabilities listed."
        );
        assert_eq!(reading.passed, None);
        assert_eq!(reading.findings, ["CVE-1", "CVE-2", "v3"]);
        assert_eq!(reading.subjects, [format!("sha256:{hex}")]);
    }

    #[test]
    fn an_empty_bill_is_a_bill_and_another_format_is_not() {
        let empty = read(br#"{"bomFormat":"CycloneDX","specVersion":"1.4"}"#).unwrap();
        assert_eq!(empty.summary, "CycloneDX 1.4 of an unnamed subject: 0 components.");
        assert!(read(br#"{"bomFormat":"Other","specVersion":"1"}"#).is_err());
        assert!(read(br#"{"spdxVersion":"SPDX-2.3"}"#).is_err());
    }
}
