//! Calls to GitHub: deployment protection rules (`POST …/deployment_protection_rule`), commit statuses and check runs. With an
//! App's key the token of its installation is requested first.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::socket::call::Call;

/// The version of GitHub's API that these calls are written for.
const VERSION: &str = "2022-11-28";
/// The longest description of a commit status, in characters.
const DESCRIPTION: usize = 140;
/// How we are called in the list of checks.
pub const CONTEXT: &str = "assent/change";

/// Asks for something.
#[must_use]
pub fn get(url: String, token: &str) -> Call {
    Call {
        body: Vec::new(),
        ..call("GET", url, token, &Value::Null)
    }
}

/// The decision to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckDecision {
    /// Not yet.
    Wait,
    /// Yes.
    Yes,
    /// No.
    No,
}

fn call(method: &'static str, url: String, token: &str, body: &Value) -> Call {
    Call {
        method,
        url,
        headers: vec![
            ("accept".to_owned(), "application/vnd.github+json".to_owned()),
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-github-api-version".to_owned(), VERSION.to_owned()),
        ],
        body: body.to_string().into_bytes(),
    }
}

/// Reports to a deployment protection rule. A report without a state leaves the run waiting and shows the text.
#[must_use]
pub fn protection_rule(callback: &str, token: &str, environment: &str, say: CheckDecision, text: &str) -> Call {
    let mut body = json!({"environment_name": environment, "comment": text});
    match say {
        CheckDecision::Yes => body["state"] = json!("approved"),
        CheckDecision::No => body["state"] = json!("rejected"),
        CheckDecision::Wait => {}
    }
    call("POST", callback.to_owned(), token, &body)
}

/// Sets a commit's status.
#[must_use]
pub fn commit_status(
    base: &str,
    token: &str,
    (repository, commit): (&str, &str),
    say: CheckDecision,
    (text, page): (&str, &str),
) -> Call {
    let state = match say {
        CheckDecision::Wait => "pending",
        CheckDecision::Yes => "success",
        CheckDecision::No => "failure",
    };
    let short: String = text.chars().take(DESCRIPTION).collect();
    let body = json!({"state": state, "description": short, "target_url": page, "context": CONTEXT});
    call(
        "POST",
        format!("{base}/repos/{repository}/statuses/{commit}"),
        token,
        &body,
    )
}

/// Makes a check run; the last one of a name counts.
#[must_use]
pub fn check_run(
    base: &str,
    token: &str,
    (repository, commit): (&str, &str),
    say: CheckDecision,
    (text, page): (&str, &str),
) -> Call {
    let mut body = json!({
        "name": CONTEXT, "head_sha": commit, "details_url": page, "status": "completed",
        "output": {"title": "Change enablement", "summary": text},
    });
    match say {
        CheckDecision::Wait => body["status"] = json!("in_progress"),
        CheckDecision::Yes => body["conclusion"] = json!("success"),
        CheckDecision::No => body["conclusion"] = json!("failure"),
    }
    call("POST", format!("{base}/repos/{repository}/check-runs"), token, &body)
}

/// Requests a token of an App's installation.
///
/// # Errors
/// A sentence when the key is no RSA key.
pub fn installation_token(
    base: &str,
    (app, installation): (i64, i64),
    key: &str,
    now: Timestamp,
) -> Result<Call, String> {
    let jwt = app_token(app, key, now)?;
    let url = format!("{base}/app/installations/{installation}/access_tokens");
    Ok(call("POST", url, &jwt, &json!({})))
}

/// The App's own token: a JWT under RS256 that lives nine minutes, from one minute ago for clocks that differ.
fn app_token(app: i64, key: &str, now: Timestamp) -> Result<String, String> {
    let wrong = || "the App's key is no RSA key in PEM".to_owned();
    let mut lines = key.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().ok_or_else(wrong)?;
    let text: String = lines.take_while(|line| !line.starts_with("-----END")).collect();
    let der = STANDARD.decode(text).map_err(|_| wrong())?;
    let pair = match first {
        "-----BEGIN RSA PRIVATE KEY-----" => RsaKeyPair::from_der(&der),
        "-----BEGIN PRIVATE KEY-----" => RsaKeyPair::from_pkcs8(&der),
        _ => return Err(wrong()),
    };
    let pair = pair.map_err(|_| wrong())?;
    let second = now.as_second();
    let head = URL_SAFE_NO_PAD.encode(json!({"alg": "RS256", "typ": "JWT"}).to_string());
    let claims = json!({"iat": second - 60, "exp": second + 540, "iss": app.to_string()}).to_string();
    let content = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        content.as_bytes(),
        &mut signature,
    )
    .map_err(|_| wrong())?;
    Ok(format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
