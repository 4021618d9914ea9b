//! A client of a Kubernetes cluster's API server: visits the objects of one kind and writes their status. Two requests of a
//! documented protocol need no library of their own.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;

use crate::client::{agent, check_address, encode};
use crate::failure::{Failure, Result, read_text};

/// Where Kubernetes puts the credential of a pod's service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// How many objects a page has.
const PAGE: usize = 500;
/// How often a round begins its list again after the cluster dropped the snapshot behind it.
const MOST_RESTARTS: usize = 3;
/// The longest response that is read, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// An API server and the account for it.
pub struct Cluster {
    base: String,
    /// The token is read for each request: Kubernetes replaces it while the pod runs.
    token_file: Option<String>,
    agent: Agent,
}

/// The address of the API server, and its credential.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its address; that of the cluster in which this program runs by default.
    pub url: Option<&'a str>,
    /// The file of the token.
    pub token_file: Option<&'a str>,
    /// The file of its authority (PEM).
    pub authority: Option<&'a str>,
}

impl Cluster {
    /// The cluster at a place. Without an address it is the one in which this program runs, with the account of the pod.
    ///
    /// # Errors
    /// When there is no address, it would carry the token in plain sight, or the authority cannot be read.
    pub fn new(place: Place<'_>, is_insecure_fine: bool, patience: Duration) -> Result<Self> {
        let own = |name: &str| Some(format!("{ACCOUNT}/{name}"));
        let (base, token_file, authority) = match place.url {
            Some(url) => (url.trim_end_matches('/').to_owned(), None, None),
            None => (inside()?, own("token"), own("ca.crt")),
        };
        check_address(&base, is_insecure_fine)?;
        let authority = place.authority.map(str::to_owned).or(authority);
        Ok(Self {
            base,
            token_file: place.token_file.map(str::to_owned).or(token_file),
            agent: agent(authority.as_deref(), patience)?,
        })
    }

    /// Visits the objects of a kind in all namespaces, however many there are: a page is dropped before the next one is read. The
    /// kind is given by its group with version, such as `example.dev/v1`, and its plural.
    ///
    /// The API server keeps the snapshot behind a list for some minutes and then refuses its token (410). The list goes on with
    /// the token of that refusal, else it begins again, so an object may be visited twice.
    ///
    /// # Errors
    /// Why they could not be listed.
    pub fn visit(&self, (group, plural): (&str, &str), visit: &mut dyn FnMut(&Value)) -> Result<()> {
        let (mut next, mut restarts, mut was_refused) = (String::new(), 0, false);
        loop {
            let mut path = format!("/apis/{group}/{plural}?limit={PAGE}");
            if !next.is_empty() {
                path.push_str(&format!("&continue={}", encode(&next)));
            }
            let answer = match self.ask("GET", &path, None) {
                Ok(answer) => answer,
                Err(Failure::Refused { status: 410, problem }) if !next.is_empty() && restarts < MOST_RESTARTS => {
                    let fresh = token(&problem);
                    // A token that is refused at once as well leads nowhere.
                    next = if was_refused { String::new() } else { fresh };
                    restarts += usize::from(next.is_empty());
                    was_refused = true;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            was_refused = false;
            let Some(items) = answer["items"].as_array() else {
                return Err(Failure::could_not("The answer of Kubernetes has no `items`."));
            };
            items.iter().for_each(&mut *visit);
            let following = token(&answer["metadata"]);
            if following.is_empty() {
                return Ok(());
            }
            if following == next {
                return Err(Failure::could_not(
                    "The pages of Kubernetes do not go on: a token came again.",
                ));
            }
            next = following;
        }
    }

    /// Writes the status of an object, unless it was edited since it was read; `false` where it was, or is gone.
    ///
    /// # Errors
    /// Why it could not be written.
    pub fn write_status(&self, (group, plural): (&str, &str), object: &Value, status: &Value) -> Result<bool> {
        let meta = &object["metadata"];
        let of = |name: &str| encode(meta[name].as_str().unwrap_or_default());
        let path = format!(
            "/apis/{group}/namespaces/{}/{plural}/{}/status",
            of("namespace"),
            of("name")
        );
        let patch = json!({"metadata": {"resourceVersion": meta["resourceVersion"]}, "status": status});
        match self.ask("PATCH", &path, Some(&patch)) {
            Ok(_) => Ok(true),
            Err(Failure::Refused { status: 404 | 409, .. }) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    fn ask(&self, method: &str, path: &str, patch: Option<&Value>) -> Result<Value> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header("Accept", "application/json");
        if let Some(file) = &self.token_file {
            request = request.header("Authorization", format!("Bearer {}", read_text(file)?.trim()));
        }
        let wrong = |error: ureq::http::Error| Failure::could_not(format!("The request cannot be made: {error}."));
        let answer = match patch {
            Some(patch) => {
                let request = request.header("Content-Type", "application/merge-patch+json");
                self.agent
                    .run(request.body(patch.to_string().into_bytes()).map_err(wrong)?)
            }
            None => self.agent.run(request.body(()).map_err(wrong)?),
        };
        let mut response =
            answer.map_err(|error| Failure::could_not(format!("{} cannot be asked: {error}.", self.base)))?;
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(MOST_BYTES).read_to_string();
        let text = text.map_err(|error| Failure::could_not(format!("The answer of Kubernetes broke off: {error}.")))?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if !(200..300).contains(&status) {
            let why = body["message"].as_str().unwrap_or("it does not say why");
            let detail = format!("Kubernetes answered {status}: {why}");
            return Err(Failure::Refused {
                status,
                problem: json!({"detail": detail, "continue": body["metadata"]["continue"]}),
            });
        }
        Ok(body)
    }
}

/// The token with which a list goes on; empty behind its last page.
fn token(of: &Value) -> String {
    of["continue"].as_str().unwrap_or_default().to_owned()
}

/// The address of the cluster in which this program runs.
fn inside() -> Result<String> {
    let named = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (Some(host), Some(port)) = (
        named("KUBERNETES_SERVICE_HOST"),
        named("KUBERNETES_SERVICE_PORT_HTTPS").or_else(|| named("KUBERNETES_SERVICE_PORT")),
    ) else {
        return Err(Failure::could_not(
            "This program runs in no cluster; name the API server with --kube-api.",
        ));
    };
    // An address of IPv6 is in brackets.
    match host.contains(':') {
        true => Ok(format!("https://[{host}]:{port}")),
        false => Ok(format!("https://{host}:{port}")),
    }
}
