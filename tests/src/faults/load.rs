//! People who write all the time, remember the acknowledged writes, and retry unacknowledged ones with the same key.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use super::eventually;
use crate::Server;

/// How long a writer waits for a response, by default.
const PATIENCE: Duration = Duration::from_secs(60);

/// An act that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The change's key.
    pub key: String,
    /// Its title, which no other act of the load has.
    pub title: String,
}

#[derive(Default)]
struct Shared {
    /// The server's present address; `None` while there is none.
    address: RwLock<Option<String>>,
    over: AtomicBool,
    kept: Mutex<Vec<Kept>>,
    statuses: Mutex<HashMap<u16, usize>>,
    unanswered: AtomicUsize,
}

/// A load of writers. Stop it with [`Load::stop`].
pub struct Load {
    shared: Arc<Shared>,
    writers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts so many writers, with the requester's token and without a server at first. `name` distinguishes loads.
    pub fn begin(name: &str, token: &str, writers: usize) -> Self {
        Self::begin_with(name, token, writers, PATIENCE)
    }

    /// The same with writers who wait this long for a response before they retry: a machine that was cut off never responds.
    pub fn begin_with(name: &str, token: &str, writers: usize, patience: Duration) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let writers = (0..writers)
            .map(|writer| {
                let (shared, token) = (shared.clone(), token.to_owned());
                let writer = format!("{name}{writer}");
                std::thread::spawn(move || write(&shared, &token, &writer, patience))
            })
            .collect();
        Self { shared, writers }
    }

    /// Sets the server's address from now on.
    ///
    /// # Panics
    /// When a writer has panicked.
    pub fn turn_to(&self, url: Option<&str>) {
        *self.shared.address.write().expect("no writer panics") = url.map(str::to_owned);
    }

    /// How many acts were acknowledged so far.
    ///
    /// # Panics
    /// When a writer has panicked.
    pub fn acknowledged(&self) -> usize {
        self.shared.kept.lock().expect("no writer panics").len()
    }

    /// How often a status was returned so far; 0 means no response.
    ///
    /// # Panics
    /// When a writer has panicked.
    pub fn answered(&self, status: u16) -> usize {
        let statuses = self.shared.statuses.lock().expect("no writer panics");
        statuses.get(&status).copied().unwrap_or_default()
    }

    /// Waits until so many more acts were acknowledged.
    pub fn wait_for(&self, more: usize) {
        let wanted = self.acknowledged() + more;
        eventually("the server acknowledges", || self.acknowledged() >= wanted);
    }

    /// Lets every writer have its last response, and returns the acknowledged writes.
    ///
    /// # Panics
    /// When a writer has panicked, or got a response that no client should get.
    pub fn stop(self) -> Vec<Kept> {
        self.shared.over.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.join().expect("no writer panics");
        }
        assert_eq!(
            self.shared.unanswered.load(Ordering::Relaxed),
            0,
            "acts without an answer"
        );
        let statuses = self.shared.statuses.lock().expect("no writer panics").clone();
        let strange: Vec<_> = statuses
            .iter()
            .filter(|(status, _)| ![0, 201, 503].contains(*status))
            .collect();
        assert!(strange.is_empty(), "answers that nobody should get: {strange:?}");
        self.shared.kept.lock().expect("no writer panics").clone()
    }
}

fn write(shared: &Shared, token: &str, writer: &str, patience: Duration) {
    let agent = crate::caller::agent_for(patience);
    for n in 0.. {
        if shared.over.load(Ordering::Relaxed) {
            return;
        }
        let title = format!("Change {n} of writer {writer}");
        shared.unanswered.fetch_add(1, Ordering::Relaxed);
        if !write_one(shared, &agent, token, &title) {
            return;
        }
        shared.unanswered.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Retries for one change until it is acknowledged; `false` when that never came.
fn write_one(shared: &Shared, agent: &ureq::Agent, token: &str, title: &str) -> bool {
    let body = json!({
        "title": title, "description": "Written under load.", "justification": "To be interrupted.",
        "complexity": "low", "targets": [{"service": "edge-dns", "environment": "production"}],
    });
    // A minute and a half of tries, so that an act left open at the end still gets its response.
    for _ in 0..9_000 {
        let address = shared.address.read().expect("nobody panics with it").clone();
        let Some(address) = address else {
            std::thread::park_timeout(Duration::from_millis(10));
            continue;
        };
        let asked = agent
            .post(format!("{address}/api/v1/changes"))
            .header("Authorization", format!("Bearer {token}"))
            .header("Idempotency-Key", title)
            .header("Content-Type", "application/json")
            .send(body.to_string());
        let (status, answer) = match asked {
            Ok(mut answer) => (answer.status().as_u16(), answer.body_mut().read_to_string().ok()),
            Err(_) => (0, None),
        };
        // A response that broke off in its middle does not count.
        let status = if answer.is_none() { 0 } else { status };
        *shared
            .statuses
            .lock()
            .expect("no writer panics")
            .entry(status)
            .or_default() += 1;
        let made: Option<Value> = answer.and_then(|text| serde_json::from_str(&text).ok());
        if let (201, Some(made)) = (status, made) {
            let key = made["key"].as_str().unwrap_or_default().to_owned();
            let title = title.to_owned();
            shared.kept.lock().expect("no writer panics").push(Kept { key, title });
            return true;
        }
        if status != 503 && status != 0 {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    false
}

/// Everything that was acknowledged is there under its key and title, and no act has happened twice.
///
/// # Panics
/// When something is missing, other than it was, or there twice.
pub fn check_kept(server: &Server, token: &str, kept: &[Kept]) {
    let mut titles: HashMap<String, Vec<String>> = HashMap::new();
    let mut after = String::new();
    loop {
        let page = server.must("GET", &format!("/api/v1/changes?limit=200{after}"), token, None);
        for change in page["items"].as_array().expect("a list has items") {
            let text = |field: &str| change[field].as_str().unwrap_or_default().to_owned();
            titles.entry(text("title")).or_default().push(text("key"));
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    for act in kept {
        let found = titles.get(&act.title).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(found, std::slice::from_ref(&act.key), "{act:?} was acknowledged");
    }
    let written = titles.keys().filter(|title| title.contains(" of writer ")).count();
    assert_eq!(written, kept.len(), "acts that nobody was told of");
}
