//! The credentials of a client: its secret is a token of Assent, and so is the access token that it gets.

use serde_json::{Value, json};

use crate::dialects::DialectResponse;

/// The lifetime of a client's access token, in seconds. A revoked token still ends at once.
const SECONDS: i64 = 900;
/// The scope of clients that report deployments and builds.
const SCOPE: &str = "manage:jira-data-provider";

/// The credentials that a client sends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::dialects) struct Credentials {
    pub secret: String,
    grant: String,
}

/// Reads credentials, as JSON or as a form.
pub(in crate::dialects) fn read(body: &[u8], is_form: bool) -> Credentials {
    let mut found = Credentials::default();
    let mut note = |name: &str, value: &str| match name {
        "client_secret" => value.clone_into(&mut found.secret),
        "grant_type" => value.clone_into(&mut found.grant),
        _ => {}
    };
    if is_form {
        for (name, value) in form_urlencoded::parse(body) {
            note(&name, &value);
        }
    } else if let Ok(Value::Object(fields)) = serde_json::from_slice(body) {
        for (name, value) in &fields {
            note(name, value.as_str().unwrap_or_default());
        }
    }
    found
}

/// The response to good credentials.
pub(in crate::dialects) fn granted(credentials: &Credentials) -> DialectResponse {
    if credentials.grant != "client_credentials" {
        let text = "`grant_type` is `client_credentials`: no other is answered here.";
        return DialectResponse::new(
            400,
            json!({"error": "unsupported_grant_type", "error_description": text}),
        );
    }
    let mut answered = DialectResponse::new(
        200,
        json!({"access_token": credentials.secret, "token_type": "Bearer", "expires_in": SECONDS, "scope": SCOPE}),
    );
    answered.headers.push(("cache-control", "no-store".to_owned()));
    answered
}

/// The response to bad credentials.
pub(in crate::dialects) fn denied() -> DialectResponse {
    let text = "`client_secret` is a token of Assent; this one is none.";
    DialectResponse::new(401, json!({"error": "access_denied", "error_description": text}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_come_as_json_and_as_a_form() {
        let json = br#"{"audience": "api.atlassian.com", "grant_type": "client_credentials", "client_id": "c", "client_secret": "ast_x"}"#;
        let form = b"audience=api.atlassian.com&client_id=c&client_secret=ast_x&grant_type=client_credentials";
        assert_eq!(read(json, false), read(form, true));
        assert_eq!(read(json, false).secret, "ast_x");
        assert_eq!(read(b"[]", false), Credentials::default());
    }

    #[test]
    fn no_other_grant_is_answered() {
        let mut credentials = Credentials {
            secret: "ast_x".to_owned(),
            grant: "client_credentials".to_owned(),
        };
        assert_eq!(granted(&credentials).status, 200);
        credentials.grant = "password".to_owned();
        assert_eq!(granted(&credentials).status, 400);
    }
}
