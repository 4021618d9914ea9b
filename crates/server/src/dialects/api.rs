//! Requests to the API of this server as the bearer of a token.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::http::address::BASE;
use crate::http::percent::escaped;

/// The longest answer that is read, in bytes.
const ANSWER_MAX_BYTES: usize = 32 * 1024 * 1024;
/// How many items of a list are asked for at once.
const PAGE: usize = 200;

/// The API for one client.
pub(super) struct Api {
    router: Router,
    credential: String,
}

/// Why a request was not done.
#[derive(Debug)]
pub(super) struct Refused {
    pub status: u16,
    pub code: String,
    /// What people read: what failed, why and what to do.
    pub text: String,
    /// After how many seconds asking again may help.
    pub retry_after: Option<String>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &str, text: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            text: text.into(),
            retry_after: None,
        }
    }

    /// Something in the request that cannot be taken.
    pub(super) fn field(text: impl Into<String>) -> Self {
        Self::new(400, "invalid", text)
    }

    /// What a problem of the API says, in one text.
    fn by_problem(status: u16, problem: &Value, retry_after: Option<String>) -> Self {
        let mut parts = vec![text_of(&problem["detail"]).to_owned()];
        for error in items_of(&problem["errors"]) {
            parts.push(format!("{}: {}", text_of(&error["field"]), text_of(&error["text"])));
        }
        for unmet in items_of(&problem["unmet"]) {
            parts.push(format!("{} {}", text_of(&unmet["text"]), text_of(&unmet["satisfy"])));
        }
        let mut seen: Vec<String> = Vec::new();
        for part in parts {
            if !part.trim().is_empty() && !seen.contains(&part) {
                seen.push(part);
            }
        }
        Self {
            // These protocols know no 422: what cannot be taken is a bad request there.
            status: if status == 422 { 400 } else { status },
            code: text_of(&problem["code"]).to_owned(),
            text: seen.join(" "),
            retry_after,
        }
    }
}

/// A text of an answer; empty where there is none.
pub(super) fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The entries of a list of an answer.
pub(super) fn items_of(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

impl Api {
    pub(super) fn new(router: Router, token: &str) -> Self {
        Self {
            router,
            credential: format!("Bearer {token}"),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Refused> {
        self.ask("GET", path, None, None).await
    }

    /// A record that may be absent.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Value>, Refused> {
        match self.get(path).await {
            Ok(value) => Ok(Some(value)),
            Err(why) if why.status == 404 => Ok(None),
            Err(why) => Err(why),
        }
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        self.ask("POST", path, Some(body), None).await
    }

    /// Changes or sets what has this version; a newer one refuses.
    pub(super) async fn edit(&self, method: &str, path: &str, body: &Value, version: &Value) -> Result<Value, Refused> {
        self.ask(method, path, Some(body), Some(format!("\"{version}\""))).await
    }

    /// All items of a list. A list of more than so many is refused rather than cut off.
    pub(super) async fn all(&self, path: &str, most: usize) -> Result<Vec<Value>, Refused> {
        let mut found: Vec<Value> = Vec::new();
        let mut after = String::new();
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{joint}limit={PAGE}{after}")).await?;
            found.extend_from_slice(items_of(&page["items"]));
            if found.len() > most {
                let text =
                    format!("More than {most} records would have to be read. Narrow the query, by number or by state.");
                return Err(Refused::new(400, "too_many", text));
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={}", escaped(next)),
                None => return Ok(found),
            }
        }
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        if_match: Option<String>,
    ) -> Result<Value, Refused> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{BASE}{path}"))
            .header(header::AUTHORIZATION, &self.credential);
        if let Some(tag) = if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let unreadable = || Refused::field("The request holds something that no address can hold.");
        let request = request.body(body).map_err(|_| unreadable())?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let fault = |_| Refused::new(500, "fault", "The answer could not be read.");
        let bytes = to_bytes(response.into_body(), ANSWER_MAX_BYTES).await.map_err(fault)?;
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({}));
        // The gate answers stop with 403 and no problem.
        if status < 300 || value.get("decision").is_some() {
            return Ok(value);
        }
        Err(Refused::by_problem(status, &value, retry_after))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Refused;

    #[test]
    fn a_refusal_says_what_failed_why_and_what_to_do() {
        let problem = json!({"code": "evidence_missing", "detail": "Evidence is missing.",
            "unmet": [{"text": "Evidence is missing.", "satisfy": "Add evidence."}],
            "errors": [{"field": "title", "text": "Say it."}]});
        let refused = Refused::by_problem(409, &problem, None);
        assert_eq!(refused.code, "evidence_missing");
        assert_eq!(refused.status, 409);
        assert_eq!(Refused::by_problem(422, &problem, None).status, 400);
        assert_eq!(
            refused.text,
            "Evidence is missing. title: Say it. Evidence is missing. Add evidence."
        );
    }
}
