//! A store to test with: SQLite in a folder of its own, and PostgreSQL in a database of its own.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use serde_json::{Value, json};
use store::bucket::SharedBucket;
use store::{Config, CrossTx, Error, Lane, Mode, Store, Tx};

/// The environment variable with the URL of a role that may create databases and roles.
const POSTGRES: &str = "ASSENT_TEST_POSTGRES";
pub const ACME: &str = "acme";
pub const OTHER: &str = "other";

static NUMBER: AtomicU32 = AtomicU32::new(0);

fn unique() -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("assent_t_{}_{number}", std::process::id())
}

/// A folder that goes when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(unique());
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A PostgreSQL database that goes when it is dropped, with the role that was made for it.
pub struct Database {
    pub name: String,
    pub url: String,
}

/// The URL of the server to test with. Without one the PostgreSQL half is left out, unless the feature demands it.
pub fn postgres_url() -> Option<String> {
    let url = std::env::var(POSTGRES).ok();
    assert!(
        url.is_some() || !cfg!(feature = "postgres-tests"),
        "the feature `postgres-tests` needs {POSTGRES}, the URL of a role that may create databases and roles"
    );
    url
}

impl Database {
    pub fn new() -> Option<Self> {
        Self::like("template1")
    }

    /// One without rows, as opening a store there would make it: a copy of a database that is migrated once and stays as long as
    /// its server.
    pub fn migrated() -> Option<Self> {
        static EMPTY: OnceLock<Option<Database>> = OnceLock::new();
        let empty = EMPTY.get_or_init(|| {
            let database = Self::new()?;
            Store::open(small(Config::postgres(&database.url))).unwrap().close();
            Some(database)
        });
        Self::like(&empty.as_ref()?.name)
    }

    /// A copy of a database that nobody is connected to.
    fn like(template: &str) -> Option<Self> {
        let server = postgres_url()?;
        let name = unique();
        run_sql(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        let url = withdatabase(&server, &name);
        Some(Self { name, url })
    }

    pub fn client(&self) -> ::postgres::Client {
        ::postgres::Client::connect(&self.url, ::postgres::NoTls).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let server = postgres_url().unwrap();
        run_sql(&server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        run_sql(&server, &format!("DROP ROLE IF EXISTS assent_serve_{}", self.name));
    }
}

pub fn run_sql(url: &str, sql: &str) {
    let mut client = ::postgres::Client::connect(url, ::postgres::NoTls).unwrap();
    client.batch_execute(sql).unwrap();
}

/// `postgres://user@host:port/database` with another database; options after `?` stay.
fn withdatabase(url: &str, name: &str) -> String {
    let (base, options) = url
        .split_once('?')
        .map_or((url, String::new()), |(base, options)| (base, format!("?{options}")));
    let host_at = base.find("://").unwrap() + 3;
    let end = base[host_at..].find('/').map_or(base.len(), |at| host_at + at);
    format!("{}/{name}{options}", &base[..end])
}

/// An open store with its folder or database.
pub struct World {
    pub store: Store,
    pub engine: &'static str,
    _folder: Option<Folder>,
    database: Option<Database>,
}

/// A SQLite file without rows, migrated once for all worlds: the migrations took most of the time that making a world takes.
fn empty_file(path: &Path) {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    let empty = EMPTY.get_or_init(|| {
        let folder = Folder::new();
        let copy = folder.path().join("copy.db");
        let store = Store::open(Config::sqlite(folder.path().join("assent.db"))).unwrap();
        store.backup(&copy).unwrap();
        store.close();
        std::fs::read(copy).unwrap()
    });
    std::fs::write(path, empty).unwrap();
}

impl World {
    pub fn sqlite() -> Self {
        let folder = Folder::new();
        let path = folder.path().join("assent.db");
        empty_file(&path);
        let store = Store::open(Config::sqlite(path)).unwrap();
        Self {
            store,
            engine: "SQLite",
            _folder: Some(folder),
            database: None,
        }
    }

    pub fn postgres() -> Option<Self> {
        let database = Database::migrated()?;
        let store = Store::open(small(Config::postgres(&database.url))).unwrap();
        Some(Self {
            store,
            engine: "PostgreSQL",
            _folder: None,
            database: Some(database),
        })
    }

    /// The same engines with a bucket for the archive.
    pub fn with_bucket(bucket: &SharedBucket) -> Vec<Self> {
        let folder = Folder::new();
        let open = |mut config: Config| {
            config.archive_bucket = Some(bucket.clone());
            Store::open(small(config)).unwrap()
        };
        let path = folder.path().join("assent.db");
        empty_file(&path);
        let store = open(Config::sqlite(path));
        let mut worlds = vec![Self {
            store,
            engine: "SQLite",
            _folder: Some(folder),
            database: None,
        }];
        if let Some(database) = Database::migrated() {
            worlds.push(Self {
                store: open(Config::postgres(&database.url)),
                engine: "PostgreSQL",
                _folder: None,
                database: Some(database),
            });
        }
        worlds
    }

    /// A second server's store over the same PostgreSQL database.
    pub fn another(&self) -> Store {
        let database = self.database.as_ref().unwrap();
        Store::open(small(Config::postgres(&database.url))).unwrap()
    }

    /// Runs an act of the tenant `acme` that must go well.
    pub fn act<T: Send + 'static>(&self, act: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static) -> T {
        self.try_act(ACME, act).unwrap()
    }

    pub fn try_act<T: Send + 'static>(
        &self,
        tenant: &str,
        act: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.store.wait(Lane::Acts, tenant, Mode::Write, act)
    }

    /// Reads for the tenant `acme`.
    pub fn read<T: Send + 'static>(&self, act: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static) -> T {
        self.store.wait(Lane::Pages, ACME, Mode::Read, act).unwrap()
    }

    /// Works across tenants.
    pub fn across<T: Send + 'static>(&self, act: impl Fn(&mut CrossTx<'_>) -> Result<T, Error> + Send + 'static) -> T {
        self.store
            .wait_across(Lane::Worker, "a test", Mode::Write, act)
            .unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.store.close();
    }
}

/// Two threads a lane, as the test server has few connections and many tests.
pub fn small(mut config: Config) -> Config {
    for lane in &mut config.lanes {
        lane.threads = 2;
    }
    config
}

/// Runs a test on every engine there is.
pub fn check(test: impl Fn(&World)) {
    test(&World::sqlite());
    if let Some(world) = World::postgres() {
        test(&world);
    }
}

/// A point in time, so many seconds after an arbitrary one.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// A change's JSON with all that must be there.
pub fn change_json(id: &str, number: i64) -> Value {
    json!({
        "id": id, "version": 1, "key": format!("CHG-{number}"), "number": number, "state": "draft",
        "requester": "p-1", "created_at": at(number).to_string(), "updated_at": at(number).to_string(),
        "kind": "normal", "title": format!("Raise the limit {number}"), "category": "application",
        "targets": [
            {"id": "1", "service": "booking-api", "environment": "production", "artifact": format!("sha256:{number}")},
            {"id": "2", "service": "web", "environment": "staging", "commit": format!("c{number}")},
        ],
        "impact": {"data": "low", "availability": "low", "compliance": "low"},
        "owner": "p-2", "team": "payments",
        "risk": {"level": "low", "score": 1, "reasons": []},
        "digests": {"what": "", "when": "", "content": ""},
        "target_records": [], "authors": ["p-1"],
    })
}
