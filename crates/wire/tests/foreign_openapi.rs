//! A foreign program, openapi-spec-validator under Python, judges the document of the API.
//!
//! Run with `--features foreign` and `ASSENT_TEST_PYTHON` naming a Python interpreter that has it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::io::Write;
use std::process::{Command, Stdio};

const JUDGE: &str = "import json, sys
from openapi_spec_validator import OpenAPIV31SpecValidator as Validator
errors = [e.message[:300] for e in Validator(json.load(sys.stdin)).iter_errors()]
print(json.dumps(errors))";

fn judged(document: &serde_json::Value) -> Vec<String> {
    let python = std::env::var_os("ASSENT_TEST_PYTHON")
        .expect("ASSENT_TEST_PYTHON must name a Python with openapi-spec-validator");
    let mut child = Command::new(python)
        .args(["-c", JUDGE])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(document.to_string().as_bytes())
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "the judge broke off");
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn the_document_is_valid_openapi_3_1() {
    let document = wire::openapi::document("https://assent.example");
    assert_eq!(judged(&document), Vec::<String>::new());
}

#[test]
fn the_judge_finds_what_is_wrong() {
    let mut document = wire::openapi::document("https://assent.example");
    document["paths"]["/api/v1/changes"]["get"]["parameters"][0]["in"] = serde_json::json!("nowhere");
    assert!(!judged(&document).is_empty());
}
