//! A control report as assessment results of OSCAL 1.2.1 (<https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/>), in JSON.

use model::compliance::control_report::{ControlReport, ControlResult, Result as Tested, TestResult};
use proof::crypto;
use serde_json::{Value, json};

/// The version of the format.
const VERSION: &str = "1.2.1";
/// The namespace of properties that OSCAL does not define.
const NAMESPACE: &str = "urn:assent:oscal";

/// The document.
pub(super) fn assessment_results(report: &ControlReport) -> Value {
    let seed = seed(report);
    let plan = id(&seed, "plan");
    let tested = || report.controls.iter().filter(|it| it.result != Tested::NotTested);
    let mut result = json!({
        "uuid": id(&seed, "result"),
        "title": report.title,
        "description": format!("Tests of the controls over changes whose work began from {} to {}.", report.from, report.to),
        "start": report.from,
        "end": report.to,
        "props": report.figures().iter().map(|(label, count)| property(&token(label), &count.to_string())).collect::<Vec<_>>(),
        "reviewed-controls": {"control-selections": [{
            "description": format!("The controls of {} that concern changes.", report.source),
            "include-controls": report.controls.iter().map(|it| json!({"control-id": token(&it.id)})).collect::<Vec<_>>(),
        }]},
    });
    let observations: Vec<Value> = tested()
        .flat_map(|control| {
            control
                .tests
                .iter()
                .map(|test| observation(report, &seed, control, test))
        })
        .collect();
    let findings: Vec<Value> = tested().map(|control| finding(&seed, control)).collect();
    // OSCAL has no empty lists.
    if !observations.is_empty() {
        result["observations"] = json!(observations);
    }
    if !findings.is_empty() {
        result["findings"] = json!(findings);
    }
    json!({"assessment-results": {
        "uuid": id(&seed, "document"),
        "metadata": {
            "title": format!("Control report: {}", report.title),
            "last-modified": report.to,
            "version": report.log.size.to_string(),
            "oscal-version": VERSION,
            "props": [
                property("log-size", &report.log.size.to_string()),
                property("log-root", if report.log.root.is_empty() { "none" } else { &report.log.root }),
                property("definition", &report.definition),
            ],
        },
        "import-ap": {"href": format!("#{plan}")},
        "results": [result],
        "back-matter": {"resources": [{
            "uuid": plan,
            "title": "Definition of the tests",
            "description": format!("The controls of {} and their tests, with the digest {}.", report.source, report.definition),
        }]},
    }})
}

fn observation(report: &ControlReport, seed: &str, control: &ControlResult, test: &TestResult) -> Value {
    let mut value = json!({
        "uuid": id(seed, &observed(control, test)),
        "title": test.title,
        "description": format!("{} Exceptions: {}.", test.test, test.found_line()),
        "props": [
            property("rule", &test.rule),
            property("severity", test.severity.as_str()),
            property("tested", &test.tested.to_string()),
            property("found", &test.found.to_string()),
        ],
        "methods": ["TEST"],
        "types": ["control-objective"],
        "collected": report.to,
    });
    if !test.exceptions.is_empty() {
        let evidence = test.exceptions.iter().map(|it| {
            let dismissed = it.dismissed.iter();
            let dismissed = dismissed.map(|found| property("dismissed", &found.item));
            let props = std::iter::once(property("change", &it.change)).chain(dismissed);
            json!({"description": it.text, "props": props.collect::<Vec<_>>()})
        });
        value["relevant-evidence"] = json!(evidence.collect::<Vec<_>>());
    }
    value
}

fn finding(seed: &str, control: &ControlResult) -> Value {
    let state = match control.result {
        Tested::Exceptions | Tested::NotEnforced => "not-satisfied",
        Tested::NoExceptions | Tested::NotTested => "satisfied",
    };
    let related = control
        .tests
        .iter()
        .map(|test| json!({"observation-uuid": id(seed, &observed(control, test))}));
    let related: Vec<Value> = related.collect();
    let mut value = json!({
        "uuid": id(seed, &format!("finding {}", control.id)),
        "title": control.clause,
        "description": format!("{} {}", control.objective, control.enforcement),
        "target": {"type": "objective-id", "target-id": token(&control.id), "status": {"state": state}},
    });
    if let Some(reason) = &control.reason {
        value["target"]["status"]["remarks"] = json!(reason);
    }
    if !control.policies.is_empty() {
        let policies = control.policies.iter().map(|it| property("policy", it));
        let missing = control.not_in_force.iter();
        let missing = missing.map(|it| property("policy-not-in-force", it));
        value["props"] = json!(policies.chain(missing).collect::<Vec<_>>());
    }
    if !related.is_empty() {
        value["related-observations"] = json!(related);
    }
    value
}

fn observed(control: &ControlResult, test: &TestResult) -> String {
    format!("observation {} {}", control.id, test.rule)
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": name, "ns": NAMESPACE, "value": value.trim()})
}

/// All inputs of the report: a report with other inputs gets other ids.
fn seed(report: &ControlReport) -> String {
    let inputs = report
        .inputs()
        .into_iter()
        .map(|(label, value)| format!("{label}={value}"));
    inputs.collect::<Vec<_>>().join("\n")
}

/// An id of the form that OSCAL takes, out of the inputs and a name. Its bits are of a digest by SHA-256, marked as version 5.
fn id(seed: &str, name: &str) -> String {
    let digest = crypto::sha256_parts(&[seed.as_bytes(), b"\n", name.as_bytes()]);
    let mut bytes: [u8; 16] = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x50;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex::encode(bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// A text as a token of OSCAL: it begins with a letter, and holds letters, digits, dots, dashes and underscores.
fn token(text: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
        true => c.to_ascii_lowercase(),
        false => '-',
    };
    let kept: String = text.chars().map(plain).collect();
    match kept.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => kept,
        false => format!("c-{kept}"),
    }
}

#[cfg(test)]
mod tests {
    use model::compliance::change_trail::Dismissed;

    use super::*;
    use crate::compliance::tests::sample;

    #[test]
    fn a_control_with_exceptions_is_not_satisfied_and_one_that_was_not_tested_has_no_finding() {
        let document = assessment_results(&sample(2));
        let result = &document["assessment-results"]["results"][0];
        let findings = result["findings"].as_array().map_or(0, Vec::len);
        assert_eq!(findings, 1, "the other controls had nothing to test");
        assert_eq!(result["findings"][0]["target"]["status"]["state"], "not-satisfied");
        let evidence = &result["observations"][0]["relevant-evidence"];
        assert_eq!(evidence[1]["props"][0]["value"], "CHG-1");
        let empty = assessment_results(&sample(2)).to_string();
        assert!(!empty.contains("[]"), "OSCAL refuses empty lists");
    }

    #[test]
    fn what_was_dismissed_is_named_as_such() {
        let mut report = sample(1);
        let test = &mut report.controls[0].tests[0];
        (test.found, test.dismissed) = (0, 1);
        test.exceptions[0].dismissed = Some(Dismissed {
            at: report.to,
            item: "ACT-101".to_owned(),
            reason: None,
        });
        let document = assessment_results(&report);
        let observation = &document["assessment-results"]["results"][0]["observations"][0];
        let props = &observation["relevant-evidence"][0]["props"];
        assert_eq!(
            (&props[1]["name"], &props[1]["value"]),
            (&json!("dismissed"), &json!("ACT-101"))
        );
        let told = observation["description"].as_str();
        assert!(
            told.is_some_and(|told| told.ends_with("0 of 1, 1 dismissed.")),
            "{told:?}"
        );
    }

    #[test]
    fn a_control_that_no_policy_enforces_is_not_satisfied_and_says_why() {
        let mut report = sample(0);
        let control = &mut report.controls[0];
        control.result = Tested::NotEnforced;
        control.not_in_force.clone_from(&control.policies);
        control.reason = Some("None is in force.".to_owned());
        let document = assessment_results(&report);
        let status = &document["assessment-results"]["results"][0]["findings"][0]["target"]["status"];
        assert_eq!(status["state"], "not-satisfied");
        assert_eq!(status["remarks"], "None is in force.");
    }

    #[test]
    fn tokens_and_ids_have_the_form_that_oscal_takes() {
        assert_eq!(
            (token("CM-3(2)").as_str(), token("6.5.1").as_str()),
            ("cm-3-2-", "c-6.5.1")
        );
        let made = id("a", "b");
        assert_eq!((made.len(), made.as_bytes()[14]), (36, b'5'));
        assert_ne!(made, id("a", "c"));
    }
}
