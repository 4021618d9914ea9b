//! The companion beside a gateway: queries the server, and while that is away decides by permits that it verifies itself.
//! Without a decision and without a good permit it stays closed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::Builder;
use std::time::Duration;

use jiff::Timestamp;
use model::core::enums::{GateDecision, Purpose};
use model::core::unmet;
use proof::jwks::Jwks;
use proof::permit::{self, Expected};
use proof::remembered::Remembered;
use proof::revocation::RevocationList;
use serde_json::{Value, json};
use server::gateway::{Basis, Bindings, Decide, Decided, GatewayQuestion, Place};

use crate::client::{Client, query};
use crate::clock;
use crate::common::Common;
use crate::failure::{Failure, Result};

/// The pause after a server without response, in milliseconds: without it each request would wait.
const REST_MS: i64 = 1_000;

/// How a companion is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The tenant whose permits are verified.
    pub tenant: String,
    /// The folder for the data that an outage needs.
    pub state: PathBuf,
    /// How long the server may take.
    pub patience_ms: u64,
    /// How often the data for an outage is fetched.
    pub refresh_seconds: i64,
    /// How old the list of running versions may be.
    pub running_age_seconds: i64,
    /// The oldest revocation list that is taken, however old a permit lets it be.
    pub max_list_age_seconds: Option<u64>,
    /// The workloads in the cluster's configuration.
    pub bindings: Option<Bindings>,
}

/// The file of all revocations ever seen.
const REMEMBERED: &str = "revoked.json";

/// The data for decisions without the server.
#[derive(Default)]
struct OfflineData {
    keys: Option<Jwks>,
    /// The list that was verified last, with all that earlier ones revoked.
    list: Option<RevocationList>,
    remembered: Remembered,
    /// Why the list that the server gave last was not taken.
    refused: Option<String>,
    running: Vec<Value>,
    running_at: Option<Timestamp>,
}

struct Inner {
    client: Client,
    setup: Setup,
    known: RwLock<OfflineData>,
    away_until: Mutex<Option<Timestamp>>,
    /// The tenant of the token, once the server has named it.
    own_tenant: OnceLock<String>,
}

/// A companion. Clones share its state.
#[derive(Clone)]
pub struct Companion(Arc<Inner>);

impl Companion {
    /// A companion of a server, with the data stored from earlier.
    ///
    /// # Errors
    /// When the server's address or the credential cannot be used, or the folder cannot be made.
    pub fn new(common: &Common, setup: Setup) -> Result<Self> {
        let client = Client::with_patience(common, Duration::from_millis(setup.patience_ms))?;
        let wrong =
            |error: std::io::Error| Failure::could_not(format!("{} cannot be used: {error}.", setup.state.display()));
        std::fs::create_dir_all(&setup.state).map_err(wrong)?;
        let companion = Self(Arc::new(Inner {
            client,
            setup,
            known: RwLock::default(),
            away_until: Mutex::default(),
            own_tenant: OnceLock::new(),
        }));
        companion.remember()?;
        companion.check_tenant()?;
        Ok(companion)
    }

    /// The companion's state, without a credential: ages, no content.
    pub fn health(&self) -> Value {
        let now = clock::now();
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        let away = *self.0.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "server_is_away": away.is_some(),
            "has_keys": known.keys.is_some(),
            "list_refused": known.refused,
            "list_epoch": known.list.as_ref().map(|list| list.epoch),
            "list_age_seconds": known.list.as_ref().map(|list| now.as_second() - list.issued_at),
            "running_age_seconds": known.running_at.map(|at| now.duration_since(at).as_secs()),
        })
    }

    /// Starts the thread that fetches the data for an outage.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn keep_fresh(&self) -> Result<()> {
        let own = self.clone();
        let pause = Duration::from_secs(u64::try_from(own.0.setup.refresh_seconds).unwrap_or(15));
        let work = move || {
            loop {
                if let Err(failure) = own.fetch() {
                    eprintln!("What an outage needs could not be fetched: {}", failure.text());
                }
                std::thread::sleep(pause);
            }
        };
        let started = Builder::new().name("companion-fetch".to_owned()).spawn(work);
        started
            .map(|_| ())
            .map_err(|error| Failure::could_not(format!("No thread can be started: {error}.")))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.setup.state.join(name)
    }

    /// Refuses a token of another tenant than the one whose permits are verified: the server would decide for that other
    /// tenant. While the server is away the tenant is unknown; the check runs again before the server's first response counts.
    fn check_tenant(&self) -> Result<()> {
        let tenant = &self.0.setup.tenant;
        let own = match self.0.own_tenant.get() {
            Some(own) => own.clone(),
            // A server without response now counts as away, so that no request waits for it twice.
            None => match self.ask_unless_away(|client| client.get("/running")) {
                Some(Ok(answer)) => match answer.tenant {
                    Some(own) => self.0.own_tenant.get_or_init(|| own).clone(),
                    None => return Ok(()),
                },
                _ => return Ok(()),
            },
        };
        if own == *tenant {
            return Ok(());
        }
        let text = format!("The token belongs to the tenant `{own}`, and `--tenant` says `{tenant}`.");
        Err(Failure::could_not(text))
    }

    /// Loads the data that an earlier run stored. Unreadable keys, lists and running versions are as good as absent;
    /// revocations must not be forgotten.
    fn remember(&self) -> Result<()> {
        let tenant = &self.0.setup.tenant;
        let path = self.file(REMEMBERED);
        let remembered = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice::<Remembered>(&bytes).map_err(|error| error.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Remembered::new(tenant)),
            Err(error) => Err(error.to_string()),
        };
        let remembered = remembered.and_then(|it| match it.tenant == *tenant {
            true => Ok(it),
            false => Err(format!("it is of the tenant `{}`", it.tenant)),
        });
        let wrong = |why: String| {
            Failure::could_not(format!(
                "{} cannot be used: {why}. It says which permits were revoked; use another folder with `--state`.",
                path.display()
            ))
        };
        self.0.known.write().unwrap_or_else(PoisonError::into_inner).remembered = remembered.map_err(wrong)?;
        let read = |name: &str| std::fs::read(self.file(name)).ok();
        let text = |name: &str| read(name).and_then(|bytes| String::from_utf8(bytes).ok());
        let running = read("running.json").and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        if let (Some(keys), Some(list)) = (read("jwks.json"), text("revocations.jwt")) {
            let _ = self.learn(&keys, &list, running);
        }
        Ok(())
    }

    /// Fetches keys, list and running versions, and stores them for the next start.
    fn fetch(&self) -> Result<()> {
        let tenant = &self.0.setup.tenant;
        let get = |name: &str| {
            let path = format!("/t/{tenant}/.well-known/{name}");
            let found = self.0.client.bytes(&path)?;
            found.ok_or_else(|| Failure::could_not(format!("The server has no tenant `{tenant}`.")))
        };
        // The list first: keys that are fetched after it include its signer's, also when a key was rotated in between.
        let list = get("assent-revocations")?;
        let keys = get("jwks.json")?;
        let list = String::from_utf8(list).map_err(|_| Failure::could_not("The revocation list is no text."))?;
        let answer = self.0.client.get("/running")?;
        if let Some(own) = answer.tenant {
            self.0.own_tenant.get_or_init(|| own);
        }
        let rows = answer.body;
        let running = json!({"at": clock::now(), "items": rows["items"]});
        self.check_tenant()?;
        let learned = self.learn(&keys, &list, Some(running.clone()));
        let refused = learned.as_ref().err().cloned();
        self.0.known.write().unwrap_or_else(PoisonError::into_inner).refused = refused;
        let is_newer = learned.map_err(Failure::could_not)?;
        if is_newer {
            let remembered = self
                .0
                .known
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .remembered
                .clone();
            self.keep(REMEMBERED, json!(remembered).to_string().as_bytes())?;
            self.keep("jwks.json", &keys)?;
            self.keep("revocations.jwt", list.as_bytes())?;
        }
        self.keep("running.json", running.to_string().as_bytes())
    }

    /// Written beside and renamed, so that a crash leaves the old one whole.
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let (path, beside) = (self.file(name), self.file(&format!("{name}.new")));
        let written = std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, &path));
        written.map_err(|error| Failure::could_not(format!("{} cannot be written: {error}.", path.display())))
    }

    /// Takes keys and list, both or neither, if they can be read. A permit that any list revoked stays revoked, and a list of a
    /// lower epoch than was seen is refused as a rollback. Servers' clocks differ, so of two lists of one epoch the later one
    /// is as good as the earlier. Returns whether they were accepted.
    ///
    /// # Errors
    /// The reason for a refusal, as text.
    fn learn(&self, keys: &[u8], list: &str, running: Option<Value>) -> std::result::Result<bool, String> {
        let keys = Jwks::parse(keys).map_err(|error| format!("The keys cannot be read: {error}."))?;
        if keys.tenant != self.0.setup.tenant {
            return Err(format!("The keys are of the tenant `{}`.", keys.tenant));
        }
        let list = RevocationList::open(list.trim(), &keys).map_err(|refused| refused.text)?;
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        known.remembered.take(&list).map_err(|refused| refused.text)?;
        let at_hand = known.list.as_ref();
        let is_older = at_hand.is_some_and(|at_hand| at_hand.issued_at > list.issued_at && at_hand.epoch >= list.epoch);
        let newest = if is_older {
            known.list.take().unwrap_or(list)
        } else {
            list
        };
        known.list = Some(known.remembered.united(&newest));
        if !is_older {
            known.keys = Some(keys);
        }
        if let Some(running) = running {
            known.running = running["items"].as_array().cloned().unwrap_or_default();
            known.running_at = running["at"].as_str().and_then(|at| at.parse().ok());
        }
        Ok(!is_older)
    }

    fn decide_now(&self, asked: &GatewayQuestion) -> Decided {
        let place = match &asked.about {
            Ok(place) => place,
            Err(unclear) => {
                let told =
                    json!({"door": asked.door, "code": unclear.code, "subject": unclear.subject, "text": unclear.text});
                // Counting is a service to the administrator; the result is the same without it.
                let _ = self.ask_unless_away(|client| client.post("/gate-refusals", &told));
                return Decided::stop(unclear.code, unclear.text.clone(), unclear.satisfy, Basis::Gate);
            }
        };
        if let Err(failure) = self.check_tenant() {
            return undecided(&failure);
        }
        let path = question(place, asked.permit.as_deref());
        match self.ask_unless_away(|client| client.decision(&path, &asked.door)) {
            Some(Ok(answer)) => decided(&answer),
            Some(Err(failure)) if !failure.is_away() => undecided(&failure),
            Some(Err(_)) | None => self.decide_alone(place, asked.permit.as_deref(), clock::now()),
        }
    }

    /// Queries the server, unless the last request just failed.
    fn ask_unless_away<T>(&self, ask: impl FnOnce(&Client) -> Result<T>) -> Option<Result<T>> {
        let away_until = *self.0.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        if away_until.is_some_and(|until| clock::now() < until) {
            return None;
        }
        let answer = ask(&self.0.client);
        let is_away = answer.as_ref().is_err_and(Failure::is_away);
        let rest = jiff::SignedDuration::from_millis(REST_MS);
        *self.0.away_until.lock().unwrap_or_else(PoisonError::into_inner) = is_away.then(|| clock::now() + rest);
        Some(answer)
    }

    /// While the server is away: a good permit opens, admission also takes recorded running versions.
    fn decide_alone(&self, place: &Place, permit: Option<&str>, now: Timestamp) -> Decided {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        let wrong = match permit.map(|permit| verified(&known, place, permit, (now, self.0.setup.max_list_age_seconds)))
        {
            Some(Ok(change)) => return go(change, Basis::Permit),
            Some(Err(why)) => Some(why),
            None => None,
        };
        if place.admits_running
            && let Some(change) = self.runs(&known, place, now)
        {
            return go(change, Basis::Running);
        }
        let mut stop = Decided::stop(
            "server_away",
            "The Assent server cannot be asked, so this stays closed.",
            "Send a permit in `Assent-Permit` that was fetched ahead, or ask again when the server is back.",
            Basis::Nothing,
        );
        if let Some((code, text)) = wrong {
            let help = "Fetch another permit when the server is back.";
            stop.reasons.push(unmet::unmet(&code, text, help, Vec::new()));
        }
        stop
    }

    fn runs(&self, known: &OfflineData, place: &Place, now: Timestamp) -> Option<String> {
        let age = now.duration_since(known.running_at?).as_secs();
        if age > self.0.setup.running_age_seconds {
            return None;
        }
        if place.commit.is_some() {
            // A running workload is recorded by its artifact alone, so it proves nothing of a commit that is named as well.
            return None;
        }
        let is_it = |row: &&Value| {
            row["service"] == place.service.as_str()
                && row["environment"] == place.environment.as_str()
                && row["artifact"].as_str() == place.artifact.as_deref()
        };
        let found = known.running.iter().find(is_it)?;
        Some(found["change_key"].as_str().unwrap_or_default().to_owned())
    }
}

impl Decide for Companion {
    async fn decide(&self, asked: GatewayQuestion) -> std::result::Result<Decided, server::Failure> {
        let own = self.clone();
        // Requests and verification block, so they have threads of their own.
        let decided = tokio::task::spawn_blocking(move || own.decide_now(&asked)).await;
        decided.map_err(|_| server::Failure::fault(&"a question to the server panicked"))
    }

    fn bindings(&self) -> Option<&Bindings> {
        self.0.setup.bindings.as_ref()
    }
}

fn question(place: &Place, permit: Option<&str>) -> String {
    let shown = permit.map(proof::permit::id_as_written);
    let path = if place.admits_running { "/admission" } else { "/gate" };
    let fields = query(&[
        ("service", Some(place.service.as_str())),
        ("environment", Some(place.environment.as_str())),
        ("artifact", place.artifact.as_deref()),
        ("commit", place.commit.as_deref()),
        ("change", place.change.as_deref()),
        ("permit", shown.as_deref()),
        ("purpose", place.purpose.map(|purpose| purpose.as_str())),
    ]);
    format!("{path}{fields}")
}

fn decided(answer: &Value) -> Decided {
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    Decided {
        decision: serde_json::from_value(answer["decision"].clone()).unwrap_or(GateDecision::Stop),
        change: text("change"),
        reasons: serde_json::from_value(answer["reasons"].clone()).unwrap_or_default(),
        next_transition_at: text("next_transition_at"),
        basis: if answer["basis"] == "running" {
            Basis::Running
        } else {
            Basis::Gate
        },
    }
}

/// The server responded and decided nothing: its refusal is passed on, and no permit overrides it. That holds for trouble of
/// its own too, so that an overload of the server does not open the gate to a permit that it would refuse.
fn undecided(failure: &Failure) -> Decided {
    let text = format!(
        "The Assent server did not take the companion's question: {}",
        failure.text()
    );
    let help = match failure {
        Failure::Refused {
            status: 429 | 500.., ..
        } => "Ask again; a permit counts only while the server cannot be reached at all.",
        _ => "Mend the companion's token or settings.",
    };
    Decided::stop("not_answered", text, help, Basis::Nothing)
}

fn go(change: String, basis: Basis) -> Decided {
    Decided {
        decision: GateDecision::Go,
        change: Some(change),
        reasons: Vec::new(),
        next_transition_at: None,
        basis,
    }
}

/// The change behind a good permit, else code and sentence of its fault.
fn verified(
    known: &OfflineData,
    place: &Place,
    token: &str,
    (now, max_list_age_seconds): (Timestamp, Option<u64>),
) -> std::result::Result<String, (String, String)> {
    let Some(keys) = &known.keys else {
        return Err((
            "no_keys".to_owned(),
            "The companion has no keys to verify a permit with.".to_owned(),
        ));
    };
    let expected = Expected {
        service: &place.service,
        environment: &place.environment,
        artifact: place.artifact.as_deref(),
        commit: place.commit.as_deref(),
        content_digest: None,
        now: now.as_second(),
        purpose: place.purpose.map(|purpose| match purpose {
            Purpose::Deploy => permit::Purpose::Deploy,
            Purpose::Rollback => permit::Purpose::Rollback,
        }),
        max_list_age_seconds,
    };
    // Gateways know of no members, so that a permit for one of them passes by the server alone.
    let verified = permit::verify(token, keys, known.list.as_ref(), &expected);
    let verified = verified.and_then(|claims| permit::check_member(&claims, None).map(|()| claims));
    verified
        .map(|claims| claims.sub)
        .map_err(|refused| (refused.code.to_owned(), refused.text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::io::{Read, Write};
    use std::net::TcpListener;

    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        common: Common,
    }

    /// A server with the same response to every request.
    fn answering(answer: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut byte = [0];
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                // The companion may have given up.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        format!("http://{address}")
    }

    fn code(server: &str) -> String {
        let name = server.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let folder = std::env::temp_dir().join(format!("assent-companion-{}-{name}", std::process::id()));
        let common = Line::parse_from(["x", "--server", server, "--token", "t"]).common;
        let setup = Setup {
            tenant: "acme".to_owned(),
            state: folder.clone(),
            patience_ms: 2_000,
            refresh_seconds: 15,
            running_age_seconds: 60,
            max_list_age_seconds: None,
            bindings: None,
        };
        let companion = Companion::new(&common, setup).unwrap();
        let place = Place {
            service: "shop".to_owned(),
            environment: "production".to_owned(),
            artifact: Some("sha256:x".to_owned()),
            ..Place::default()
        };
        let asked = GatewayQuestion {
            door: "http".to_owned(),
            about: Ok(place),
            permit: Some("a.b.c".to_owned()),
            headers: Default::default(),
        };
        let code = companion.decide_now(&asked).reasons[0].code.clone();
        std::fs::remove_dir_all(folder).unwrap();
        code
    }

    /// An overload of the server, or another program in its place, does not open the gate to a permit.
    #[test]
    fn a_server_that_answers_is_not_away_whatever_it_answers() {
        for status in [400, 401, 404, 429, 500, 502, 503, 504] {
            let answer = format!("HTTP/1.1 {status} Some\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            assert_eq!(code(&answering(answer)), "not_answered", "{status}");
        }
        let no_json = "HTTP/1.1 200 OK\r\nassent-decision: go\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
        assert_eq!(code(&answering(no_json.to_owned())), "not_answered");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(code(&nobody), "server_away");
    }
}
