//! A small tenant on a real store: people, a service, changes, and a clock that the test sets.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use acts::audit::replay_log::{Finding, ReplayReport, replay_log};
use acts::audit::sequence_events::{Sequenced, sequence_events};
use acts::audit::{open_log, prove_event};
use acts::change::{add_evidence, create_change};
use acts::core::{gate_question, log_high_water, signing_keys, write};
use acts::directory::{create_tenant, set_person, set_service};
use acts::gate::answer;
use acts::report::project_outcomes::project_outcomes;
use acts::{Clock, Context, Executor, Result, Tools};
use jiff::{SignedDuration, Timestamp};
use model::change::around;
use model::change::change_file::Actor;
use model::change::work;
use model::core::body::Body;
use model::core::enums::Outcome;
use model::core::ids::PersonId;
use proof::crypto::{MasterKey, SeededEntropy};
use proof::log_check::{LogCheck, LogReport, verify_log};
use proof::note::{Checkpoint, Note, VerifierKeys};
use proof::tile::TileSource;
use serde_json::{Value, json};
use store::change::blob;
use store::{Config, Lane, Mode, SYSTEM_TENANT, Store};

use crate::once;

pub const TENANT: &str = "halden";
pub const ARTIFACT: &str = "git:aaaae5e";
/// How large a chunk of evidence is, in bytes.
const CHUNK: usize = 16;
/// The file of evidence of each closed change: two whole chunks and a half.
pub const FILE: &[u8] = b"<testsuite tests=\"3\" failures=\"0\"/>";

pub struct ManualClock(pub Mutex<Timestamp>);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub struct World {
    pub executor: Executor,
    pub clock: Arc<ManualClock>,
    pub folder: tempfile::TempDir,
}

/// The content of a platform's verified token; `once` is its id.
pub fn shown(claims: Value, once: &str) -> acts::identity::set_workload::Shown {
    acts::identity::set_workload::Shown {
        claims: claims.as_object().cloned().unwrap_or_default(),
        once: once.to_owned(),
        expires_at: "2100-01-01T00:00:00Z".parse().unwrap(),
    }
}

pub fn body(value: Value) -> Body {
    value.as_object().unwrap().clone()
}

fn digest(bytes: &[u8]) -> String {
    proof::crypto::digest_text(bytes)
}

/// A database without rows in a folder.
fn empty(folder: &tempfile::TempDir) -> Config {
    let path = folder.path().join("assent.db");
    once::empty_database(&path);
    Config::sqlite(path)
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = empty(&folder);
        let evidence = folder.path().join("evidence");
        std::fs::create_dir(&evidence).unwrap();
        Self::on(config, folder, Some(evidence), &[])
    }

    /// The same world under the policies of a pack too.
    pub fn with_pack(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = empty(&folder);
        Self::on(config, folder, None, &policy::pack(name).unwrap().files)
    }

    /// The same world under a policy of its own too.
    pub fn with_policy(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = empty(&folder);
        let file = policy::SourceFile {
            name: "house/house.cedar".to_owned(),
            text: text.to_owned(),
        };
        Self::on(config, folder, None, &[file])
    }

    /// The same world with evidence in chunks, as servers on PostgreSQL keep it.
    pub fn with_chunks() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::on(empty(&folder), folder, None, &[])
    }

    /// The same world on a database of the PostgreSQL server named by `ASSENT_TEST_POSTGRES`; `None` without one.
    pub fn on_postgres() -> Option<(Self, Database)> {
        let server = std::env::var("ASSENT_TEST_POSTGRES").ok()?;
        let database = Database::migrated(server);
        Some((
            Self::on(Config::postgres(&database.url), tempfile::tempdir().unwrap(), None, &[]),
            database,
        ))
    }

    fn on(
        config: Config,
        folder: tempfile::TempDir,
        evidence_folder: Option<PathBuf>,
        packs: &[policy::SourceFile],
    ) -> Self {
        let store = Store::open(config).unwrap();
        let clock = Arc::new(ManualClock(Mutex::new("2026-11-20T08:00:00.5Z".parse().unwrap())));
        let files = [&policy::base().files[..], packs].concat();
        let policies = once::policies(&files);
        let executor = Executor::new(Tools {
            store,
            clock: clock.clone(),
            recorder: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
            master: Arc::new(MasterKey::new([3; 32])),
            seen_logs: Arc::new(log_high_water::SeenInMemory::default()),
            demo_policies: policies.clone(),
            policies,
            public_url: "https://assent.example".to_owned(),
            reaches: Arc::new(|_| true),
            evidence_folder,
        });
        let world = Self {
            executor,
            clock,
            folder,
        };
        let system = world.executor.wait(
            Lane::Acts,
            SYSTEM_TENANT,
            Actor::system(),
            Mode::Write,
            open_log::open_log,
        );
        system.unwrap();
        world.system(|cx| create_tenant::create_tenant(cx, "Halden Freight", false));
        world.system(|cx| {
            let people = [
                ("rita", "requester"),
                ("olga", "owner"),
                ("sam", "security"),
                ("mona", "change_manager"),
            ];
            for (login, role) in people.into_iter().chain([("ivo", "implementer"), ("pipe", "pipeline")]) {
                set_person::create_person(cx, &body(json!({"login": login, "roles": [role]})))?;
            }
            set_service::set_service(cx, &body(json!({"key": "pay", "criticality": "low"})))?;
            set_service::set_ownership(cx, &body(json!({"role": "owner", "person": "olga"})))
        });
        world
    }

    /// A second server on the same store, whose clock goes wrong by `minutes`.
    pub fn other_desk(&self, minutes: i64) -> Executor {
        self.desk_beside(minutes, Arc::new(log_high_water::SeenInMemory::default()))
    }

    /// A second server on the same store, which remembers the logs so.
    pub fn desk_that_saw(&self, seen_logs: Arc<dyn log_high_water::SeenLogs>) -> Executor {
        self.desk_beside(0, seen_logs)
    }

    fn desk_beside(&self, minutes: i64, seen_logs: Arc<dyn log_high_water::SeenLogs>) -> Executor {
        let now = self.clock.now() + SignedDuration::from_mins(minutes);
        let tools = self.executor.tools();
        let clock = Arc::new(ManualClock(Mutex::new(now)));
        // Two servers that make the same ids at the same held time would write the same event.
        static SEEDS: AtomicU64 = AtomicU64::new(8);
        let seed = SEEDS.fetch_add(1, Ordering::Relaxed);
        Executor::new(Tools {
            store: tools.store.clone(),
            clock: clock.clone(),
            recorder: clock,
            entropy: Arc::new(SeededEntropy::new(seed)),
            master: tools.master.clone(),
            seen_logs,
            policies: tools.policies.clone(),
            demo_policies: tools.demo_policies.clone(),
            public_url: tools.public_url.clone(),
            reaches: Arc::new(|_| true),
            evidence_folder: tools.evidence_folder.clone(),
        })
    }

    pub fn system<T: Send + 'static>(&self, act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static) -> T {
        self.executor
            .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, act)
            .unwrap()
    }

    pub fn look<T: Send + 'static>(
        &self,
        act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.executor
            .wait(Lane::Pages, TENANT, Actor::system(), Mode::Read, act)
    }

    pub fn by<T: Send + 'static>(
        &self,
        login: &'static str,
        act: impl Fn(&mut Context<'_, '_>) -> Result<T> + Send + 'static,
    ) -> T {
        let actor = self.actor(login);
        self.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act).unwrap()
    }

    pub fn actor(&self, login: &'static str) -> Actor {
        let person: PersonId = self.system(move |cx| Ok(cx.directory()?.by_login(login).unwrap().id.clone()));
        Actor {
            person,
            by_token: false,
            stepped_up_at: None,
            factor: None,
            is_system: false,
            method: "password".to_owned(),
            lent: None,
            via: None,
        }
    }

    pub fn pass_seconds(&self, seconds: i64) {
        *self.clock.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    pub fn sequence(&self) -> Sequenced {
        let placed = sequence_events(&self.executor, TENANT, "server-1").unwrap();
        project_outcomes(&self.executor, TENANT).unwrap();
        placed
    }

    /// `count` events about nothing in particular, in one act.
    pub fn noise(&self, count: usize) {
        self.system(move |cx| {
            let event = |_| {
                write::draft(
                    "tenant.looked_at",
                    ("tenant_info", TENANT.to_owned()),
                    cx.now,
                    json!({}),
                )
            };
            let drafts = (0..count).map(event).collect();
            cx.emit(drafts, write::Written::default())
        });
    }

    /// A change as a draft; returns its key.
    pub fn draft(&self, title: &str) -> String {
        self.draft_of(title, ARTIFACT)
    }

    pub fn draft_of(&self, title: &str, artifact: &str) -> String {
        self.draft_at(title, artifact, ["2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z"])
    }

    pub fn draft_at(&self, title: &str, artifact: &str, [start, end]: [&str; 2]) -> String {
        let request = json!({
            "title": title, "description": "Adds a column.", "justification": "Customs asks for it.", "category": "facility",
            "complexity": "low", "targets": [{"service": "pay", "environment": "production", "artifact": artifact}],
            "planned_start": start, "planned_end": end,
            "plan": [{"title": "Deploy", "minutes": 10}],
            "rollback_plan": [{"title": "Deploy the old one", "minutes": 5}],
            "implementers": ["ivo"], "tester": "olga",
        });
        let request = body(request);
        self.by("rita", move |cx| create_change::create_change(cx, &request, &[]))
    }

    /// A change that three people approved.
    pub fn scheduled(&self, title: &str) -> String {
        self.approved(self.draft(title))
    }

    /// The same of a draft that is there.
    pub fn approved(&self, key: String) -> String {
        let k = key.clone();
        self.by("rita", move |cx| acts::change::verbs::submit_change(cx, &k));
        let k = key.clone();
        let request = body(json!({"dependencies_reviewed": true}));
        self.by("rita", move |cx| acts::change::verbs::assess_change(cx, &k, &request));
        for login in ["olga", "sam", "mona"] {
            let k = key.clone();
            self.by(login, move |cx| {
                let digest = cx.change(&k)?.digests.content;
                let request = body(json!({"decision": "approve", "content_digest": digest, "comment": "Fine by me"}));
                acts::approval::verbs::approve_change(cx, &k, &request)
            });
        }
        key
    }

    /// A change that went all the way, with a note and a file as evidence.
    pub fn closed(&self, title: &str) -> String {
        self.closed_of(self.scheduled(title))
    }

    /// The same of a change that is scheduled, and whose window is open in two and a half hours.
    pub fn closed_of(&self, key: String) -> String {
        self.evidence(&key, "note", b"works");
        self.evidence(&key, "file", FILE);
        self.pass_seconds(150 * 60);
        let question = gate_question::Question {
            service: "pay".into(),
            environment: "production".into(),
            artifact: Some(ARTIFACT.into()),
            commit: None,
            change: None,
            purpose: None,
            member: None,
        };
        let checked = self.by("pipe", move |cx| answer::check(cx, &question, None));
        assert!(checked.permit.is_some(), "{:?}", checked.check.reasons);
        let k = key.clone();
        let request = body(json!({"outcome": "succeeded"}));
        self.by("ivo", move |cx| acts::change::verbs::complete_change(cx, &k, &request));
        // A connected system reports the same: only that moves the running version.
        let k = key.clone();
        self.system(move |cx| {
            cx.on_change(&k, |case| {
                let target = case.change().content.targets[0].id.clone();
                work::observe(case, &target, Outcome::Succeeded);
                Ok(())
            })
        });
        let k = key.clone();
        let request = body(json!({"result": "works"}));
        self.by("olga", move |cx| acts::change::verbs::validate_change(cx, &k, &request));
        let k = key.clone();
        let review = body(json!({
            "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Fine.",
        }));
        self.by("rita", move |cx| acts::change::verbs::review_change(cx, &k, &review));
        let k = key.clone();
        self.by("rita", move |cx| acts::change::verbs::close_change(cx, &k));
        key
    }

    /// Keeps a file as the server does, in the folder or in chunks, which are smaller here.
    fn keep(&self, digest: &str, bytes: &'static [u8]) {
        let hex = digest.trim_start_matches("sha256:").to_owned();
        if let Some(folder) = &self.executor.tools().evidence_folder {
            return std::fs::write(folder.join(hex), bytes).unwrap();
        }
        self.system(move |cx| {
            for (part, chunk) in (0..).zip(bytes.chunks(CHUNK)) {
                blob::save_chunk(cx.tx, &hex, part, chunk, cx.now)?;
            }
            Ok(blob::finish(cx.tx, &hex, bytes.len() as i64, cx.now)?)
        });
    }

    pub fn evidence(&self, key: &str, kind: &'static str, bytes: &'static [u8]) {
        let digest = proof::crypto::digest_text(bytes);
        if kind != "note" {
            self.keep(&digest, bytes);
        }
        let key = key.to_owned();
        self.by("rita", move |cx| {
            let file = around::StoredFile {
                digest: digest.clone(),
                size: bytes.len() as i64,
                media_type: "text/plain".into(),
                reading: None,
            };
            let request = body(json!({
                "kind": kind, "aspect": "functional", "result": "passed", "environment": "staging",
                "artifact": ARTIFACT, "text": if kind == "note" { "works" } else { "all passed" },
            }));
            add_evidence::add_evidence(cx, &key, &request, &file)
        });
    }

    /// A note that a build works, seen in staging.
    pub fn note_about(&self, key: &str, artifact: &str) {
        let (key, artifact) = (key.to_owned(), artifact.to_owned());
        self.by("rita", move |cx| {
            let file = around::StoredFile {
                digest: digest(b"works"),
                size: 5,
                media_type: "text/plain".into(),
                reading: None,
            };
            let note = json!({"kind": "note", "aspect": "functional", "result": "passed", "environment": "staging",
                "artifact": artifact, "text": "works"});
            add_evidence::add_evidence(cx, &key, &body(note), &file)
        });
    }

    /// The log of a tenant, file by file, as the server serves it.
    pub fn log(&self, tenant: &'static str) -> Served<'_> {
        Served { world: self, tenant }
    }

    pub fn keys(&self, tenant: &str) -> VerifierKeys {
        self.executor
            .wait(
                Lane::Pages,
                tenant,
                Actor::system(),
                Mode::Read,
                signing_keys::verifier_keys,
            )
            .unwrap()
    }

    pub fn checkpoint(&self) -> Checkpoint {
        let note = self.look(prove_event::checkpoint).unwrap();
        Checkpoint::parse(&Note::parse(&note).unwrap().text).unwrap()
    }

    /// Verifies the tenant's log from outside, also that it grew out of `older`.
    pub fn verify(&self, older: Option<&Checkpoint>) -> LogReport {
        let check = LogCheck {
            origin: Some("assent.example/t/halden/log"),
            older,
            progress: None,
        };
        verify_log(&self.log(TENANT), &self.keys(TENANT), &check)
    }

    /// Asserts that every row equals the sum of the log.
    pub fn assert_replays(&self) {
        let findings = self.replay().findings;
        assert!(findings.is_empty(), "{findings:?}");
    }

    pub fn replay(&self) -> ReplayReport {
        self.replay_of(TENANT)
    }

    pub fn replay_of(&self, tenant: &str) -> ReplayReport {
        let progress: acts::audit::replay_log::Progress = Arc::new(|_, _| true);
        replay_log(&self.executor, tenant, &progress).unwrap()
    }

    /// The findings of a replay after somebody wrote into the database past the server.
    pub fn tampered(&self, sql: &str) -> Vec<Finding> {
        let connection = rusqlite::Connection::open(self.folder.path().join("assent.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection.execute_batch(sql).unwrap();
        assert!(connection.changes() > 0, "changed nothing: {sql}");
        self.replay().findings
    }
}

/// A database that goes when it is dropped, with the role that the store made for it.
pub struct Database {
    server: String,
    name: String,
    pub url: String,
}

impl Database {
    /// One without rows: a copy of a database that is migrated once and stays as long as its server.
    fn migrated(server: String) -> Self {
        static EMPTY: OnceLock<Database> = OnceLock::new();
        let empty = EMPTY.get_or_init(|| {
            let database = Self::like(server.clone(), "template1");
            Store::open(Config::postgres(&database.url)).unwrap().close();
            database
        });
        Self::like(server, &empty.name)
    }

    /// A copy of a database that nobody is connected to.
    fn like(server: String, template: &str) -> Self {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("acts_log_{}_{number}", std::process::id());
        let database = Self {
            url: with_database(&server, &name),
            server,
            name,
        };
        let made = format!("CREATE DATABASE {} TEMPLATE {template}", database.name);
        run(&database.server, &made);
        database
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        run(
            &self.server,
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
        run(&self.server, &format!("DROP ROLE IF EXISTS assent_serve_{}", self.name));
    }
}

/// Writes into a PostgreSQL database past the server.
pub fn run(url: &str, sql: &str) {
    postgres::Client::connect(url, postgres::NoTls)
        .unwrap()
        .batch_execute(sql)
        .unwrap();
}

/// `postgres://user@host:port/database` with another database; options after `?` stay.
fn with_database(url: &str, name: &str) -> String {
    let (base, options) = url
        .split_once('?')
        .map_or((url, String::new()), |(base, rest)| (base, format!("?{rest}")));
    let host_at = base.find("://").unwrap() + 3;
    let end = base[host_at..].find('/').map_or(base.len(), |at| host_at + at);
    format!("{}/{name}{options}", &base[..end])
}

/// A log's files, each read by an act of its own.
pub struct Served<'w> {
    world: &'w World,
    tenant: &'static str,
}

impl TileSource for Served<'_> {
    fn get(&self, path: &str) -> proof::Result<Option<Cow<'_, [u8]>>> {
        let path = path.to_owned();
        let look = move |cx: &mut Context<'_, '_>| prove_event::tile(cx, &path);
        Ok(self
            .world
            .executor
            .wait(Lane::Pages, self.tenant, Actor::system(), Mode::Read, look)
            .unwrap()
            .map(Cow::Owned))
    }
}
