//! Requests to the API of this server as the bearer of a token.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, header};
use proof::crypto::digest_text;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::http::address::BASE;
use crate::http::percent::escaped;

/// The longest response that is read, in bytes.
const ANSWER_MAX_BYTES: usize = 32 * 1024 * 1024;
/// How many items of a list are requested at once.
const PAGE: usize = 200;

/// The API for one client.
pub(super) struct Api {
    router: Router,
    credential: String,
}

/// A response of the API.
struct Sent {
    status: u16,
    bytes: Bytes,
    retry_after: Option<String>,
    disposition: String,
}

/// The precondition of a request.
enum Ahead<'a> {
    Nothing,
    /// The record has this version.
    Version(&'a Value),
    /// Nothing else was done under this key.
    Once(&'a str),
}

/// Why a request was not done.
#[derive(Debug)]
pub(super) struct Refused {
    pub status: u16,
    pub code: String,
    /// The text for people: what failed, why and what to do.
    pub text: String,
    /// The seconds after which a retry may help.
    pub retry_after: Option<String>,
    /// The fields that the text names, as the API names them.
    pub fields: Vec<String>,
    /// Whether the text names fields as the API does; a dialect's own texts name them as its clients do.
    pub has_api_names: bool,
}

/// A file on its way to the API, with the fields beside it.
pub(super) struct Upload<'a> {
    pub fields: &'a [(&'a str, &'a str)],
    pub media_type: &'a str,
    pub bytes: &'a [u8],
}

impl Refused {
    pub(super) fn new(status: u16, code: &str, text: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            text: text.into(),
            retry_after: None,
            fields: Vec::new(),
            has_api_names: false,
        }
    }

    /// The same for a text that holds sentences of the API.
    pub(super) fn with_api_names(mut self) -> Self {
        self.has_api_names = true;
        self
    }

    /// The same with another name for a field, also at the beginning of a path to a nested field.
    pub(super) fn renamed(mut self, ours: &str, theirs: &str) -> Self {
        self.text = self.text.replace(&format!("`{ours}`"), &format!("`{theirs}`"));
        for field in &mut self.fields {
            let rest = field
                .strip_prefix(ours)
                .filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
            let Some(rest) = rest else { continue };
            let name = format!("{theirs}{rest}");
            self.text = self.text.replace(&format!("`{field}`"), &format!("`{name}`"));
            self.text = replaced_label(&self.text, field, &name);
            *field = name;
        }
        self
    }

    /// Something in the request that cannot be taken.
    pub(super) fn field(text: impl Into<String>) -> Self {
        Self::new(400, "invalid", text)
    }

    /// The content of a problem of the API, in one text.
    pub(super) fn by_problem(status: u16, problem: &Value, retry_after: Option<String>) -> Self {
        let mut parts = vec![text_of(&problem["detail"]).to_owned()];
        let errors = items_of(&problem["errors"]).iter();
        let mut fields: Vec<String> = errors.map(|error| text_of(&error["field"]).to_owned()).collect();
        fields.retain(|field| !field.is_empty());
        fields.dedup();
        for error in items_of(&problem["errors"]) {
            parts.push(format!("{}: {}", text_of(&error["field"]), text_of(&error["text"])));
        }
        for unmet in items_of(&problem["unmet"]) {
            parts.extend(["text", "satisfy"].map(|field| text_of(&unmet[field]).to_owned()));
        }
        let mut seen: Vec<String> = Vec::new();
        for part in parts {
            if !part.trim().is_empty() && !seen.contains(&part) {
                seen.push(part);
            }
        }
        Self {
            // These protocols have no 422: unacceptable input is a bad request there.
            status: if status == 422 { 400 } else { status },
            code: text_of(&problem["code"]).to_owned(),
            text: seen.join(" "),
            retry_after,
            fields,
            has_api_names: true,
        }
    }
}

/// Replaces a name in front of a colon, where no other name ends in it.
fn replaced_label(text: &str, from: &str, to: &str) -> String {
    let replaced = text.replace(&format!(" {from}: "), &format!(" {to}: "));
    match replaced.strip_prefix(&format!("{from}: ")) {
        Some(rest) => format!("{to}: {rest}"),
        None => replaced,
    }
}

fn header_text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    value.to_str().ok().map(str::to_owned)
}

fn unreadable() -> Refused {
    Refused::field("The request holds something that no address can hold.")
}

/// A text of a response; empty where there is none.
pub(super) fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The entries of a list of a response.
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
        self.ask("GET", path, None, Ahead::Nothing).await
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
        self.ask("POST", path, Some(body), Ahead::Nothing).await
    }

    /// Creates a record once: a repetition returns the created record, and another body under the same key is refused.
    pub(super) async fn post_once(&self, path: &str, body: &Value, key: &str) -> Result<Value, Refused> {
        self.ask("POST", path, Some(body), Ahead::Once(key)).await
    }

    /// Edits or sets a record of this version; a newer version is refused.
    pub(super) async fn edit(&self, method: &str, path: &str, body: &Value, version: &Value) -> Result<Value, Refused> {
        self.ask(method, path, Some(body), Ahead::Version(version)).await
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

    /// Sends a file as a form (RFC 7578).
    pub(super) async fn upload(&self, path: &str, file: &Upload<'_>) -> Result<Value, Refused> {
        // A digest of the content does not occur in the content, so it can be the boundary.
        let digest = digest_text(file.bytes);
        let boundary = digest.rsplit(':').next().unwrap_or_default();
        let mut body = Vec::new();
        for (name, text) in file.fields {
            let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(text.as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\nContent-Type: {}\r\n\r\n",
            file.media_type
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file.bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let request = Request::builder()
            .method("POST")
            .uri(format!("{BASE}{path}"))
            .header(header::AUTHORIZATION, &self.credential)
            .header(
                header::CONTENT_TYPE,
                format!("multipart/form-data; boundary={boundary}"),
            );
        let request = request.body(Body::from(body)).map_err(|_| unreadable())?;
        let answer = self.send(request).await?;
        let value: Value = serde_json::from_slice(&answer.bytes).unwrap_or_else(|_| json!({}));
        match answer.status < 300 {
            true => Ok(value),
            false => Err(Refused::by_problem(answer.status, &value, answer.retry_after)),
        }
    }

    /// The bytes of a file, and how it is called as an attachment.
    pub(super) async fn download(&self, path: &str) -> Result<(Vec<u8>, String), Refused> {
        let request = Request::builder()
            .method("GET")
            .uri(format!("{BASE}{path}"))
            .header(header::AUTHORIZATION, &self.credential);
        let request = request.body(Body::empty()).map_err(|_| unreadable())?;
        let answer = self.send(request).await?;
        if answer.status < 300 {
            return Ok((answer.bytes.to_vec(), answer.disposition));
        }
        let value: Value = serde_json::from_slice(&answer.bytes).unwrap_or_else(|_| json!({}));
        Err(Refused::by_problem(answer.status, &value, answer.retry_after))
    }

    async fn send(&self, request: Request<Body>) -> Result<Sent, Refused> {
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let headers = response.headers();
        let retry_after = header_text(headers, &header::RETRY_AFTER);
        let disposition = header_text(headers, &header::CONTENT_DISPOSITION);
        let fault = |_| Refused::new(500, "fault", "The answer could not be read.");
        let bytes = to_bytes(response.into_body(), ANSWER_MAX_BYTES).await.map_err(fault)?;
        Ok(Sent {
            status,
            bytes,
            retry_after,
            disposition: disposition.unwrap_or_else(|| "attachment".to_owned()),
        })
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>, ahead: Ahead<'_>) -> Result<Value, Refused> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{BASE}{path}"))
            .header(header::AUTHORIZATION, &self.credential);
        request = match ahead {
            Ahead::Nothing => request,
            Ahead::Version(version) => request.header(header::IF_MATCH, format!("\"{version}\"")),
            Ahead::Once(key) => request.header("idempotency-key", key),
        };
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let request = request.body(body).map_err(|_| unreadable())?;
        let answer = self.send(request).await?;
        let value: Value = serde_json::from_slice(&answer.bytes).unwrap_or_else(|_| json!({}));
        // The gate's stop comes with 403 and without a problem.
        if answer.status < 300 || value.get("decision").is_some() {
            return Ok(value);
        }
        Err(Refused::by_problem(answer.status, &value, answer.retry_after))
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
        assert_eq!(refused.text, "Evidence is missing. title: Say it. Add evidence.");
    }
}
