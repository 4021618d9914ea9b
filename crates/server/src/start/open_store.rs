//! Opens the data folder, store, master key, policies and executor. The command line opens it the same way for its acts
//! on the host.

use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use acts::audit::open_log;
use acts::core::log_high_water::{SeenInMemory, SeenLogs};
use acts::core::policies::in_a_demo;
use acts::{Clock, Executor, Tools};
use connect::socket::egress::Egress;
use model::change::change_file::Actor;
use policy::{PolicySet, SourceFile};
use proof::crypto::{Entropy, SystemEntropy};
use store::bucket::SharedBucket;
use store::{Config, Lane, Mode, SYSTEM_TENANT, Store};

use crate::http::failed_sync::end_after_failed_sync;
use crate::http::settings::Settings;
use crate::start::seen_logs::SeenLogsFile;
use crate::start::serve_error::ServeError;
use crate::start::{bucket, master_key};

/// An opened store with its executor.
pub struct Opened {
    /// Where acts are done.
    pub executor: Executor,
    /// The folder for files on their way in.
    pub uploads: PathBuf,
}

/// Every group, person, service and environment a policy names is taken to exist until tenants bring policies of their own.
struct AnyName;

impl policy::Directory for AnyName {
    fn group_exists(&self, _: &str) -> bool {
        true
    }

    fn person_exists(&self, _: &str) -> bool {
        true
    }

    fn service_exists(&self, _: &str) -> bool {
        true
    }

    fn environment_exists(&self, _: &str) -> bool {
        true
    }
}

/// Opens or makes everything that `settings` name. `public_url` becomes part of permits and of the log's name.
///
/// # Errors
/// [`ServeError`] with a sentence for the operator.
pub fn open(settings: &Settings, public_url: &str, clock: Arc<dyn Clock>) -> Result<Opened, ServeError> {
    open_with(settings, public_url, clock, Executor::new)
}

/// The same without checking row codes, so that a host may replay the rows and write the codes anew. A server never serves such
/// data.
///
/// # Errors
/// As [`open`].
pub fn open_uncoded(settings: &Settings, public_url: &str, clock: Arc<dyn Clock>) -> Result<Opened, ServeError> {
    open_with(settings, public_url, clock, Executor::uncoded)
}

fn open_with(
    settings: &Settings,
    public_url: &str,
    clock: Arc<dyn Clock>,
    executor: fn(Tools) -> Executor,
) -> Result<Opened, ServeError> {
    let folder = |name: &str| make_folder(&settings.data_dir.join(name));
    folder("")?;
    let uploads = folder("uploads")?;
    let lacking_codes = lacking_codes(settings);
    let lacks_bundles = has_to_run(settings, "0025_bundles");
    let mut config = config(settings);
    config.archive_bucket = archive_bucket(settings, &clock)?;
    let store = Store::open(config)?;
    let evidence_folder = if store.is_postgres() {
        None
    } else {
        Some(folder("evidence")?)
    };
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let master = Arc::new(master_key::key(settings, &store, entropy.as_ref())?);
    let seen_logs: Arc<dyn SeenLogs> = match settings.remembers_logs {
        true => Arc::new(SeenLogsFile::open(&settings.data_dir)?),
        false => Arc::new(SeenInMemory::default()),
    };
    let demo_policies = Arc::new(policies(settings, &in_a_demo(&settings.policy_parameters))?);
    let policies = Arc::new(policies(settings, &settings.policy_parameters)?);
    let recorder = clock.clone();
    let egress = Egress::parse(&settings.outgoing_allow);
    let egress = egress.map_err(|why| ServeError::Refused(format!("`outgoing_allow`: {why}")))?;
    let public_url = public_url.trim_end_matches('/').to_owned();
    let executor = executor(Tools {
        store,
        clock,
        recorder,
        entropy,
        master,
        seen_logs,
        policies,
        demo_policies,
        public_url,
        reaches: Arc::new(move |address| egress.allows(address)),
        evidence_folder,
    });
    // Without a check of the codes, this writes none.
    if let Some(code) = lacking_codes {
        code_rows(&executor.tools().store, code)?;
    }
    if lacks_bundles {
        pack_bundles(&executor.tools().store)?;
    }
    executor.wait(
        Lane::Worker,
        SYSTEM_TENANT,
        Actor::system(),
        Mode::Write,
        open_log::open_log,
    )?;
    Ok(Opened { executor, uploads })
}

/// The bucket of the archive, where the settings name one.
fn archive_bucket(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Option<SharedBucket>, ServeError> {
    let Some(named) = &settings.archive_bucket else {
        return Ok(None);
    };
    let authority = bucket::authority_of(settings.outgoing_ca.as_deref())?;
    let patience = bucket::ARCHIVE_PATIENCE;
    bucket::client(named, authority.as_deref(), (Arc::clone(clock), patience)).map(Some)
}

/// Whether the data is of a version before this migration. Of row codes: once theirs was run, a row without a code is forged.
fn has_to_run(settings: &Settings, migration: &str) -> bool {
    // A database that cannot be read here is refused, with the reason, when it is opened.
    let waiting = Store::waiting_migrations(&config(settings)).unwrap_or_default();
    waiting.contains(&migration) && !waiting.contains(&"0001_core")
}

fn tenants(store: &Store, what: &'static str) -> Result<Vec<String>, ServeError> {
    let mut tenants = store.wait_across(Lane::Worker, what, Mode::Read, store::servers::tenants)?;
    tenants.push(SYSTEM_TENANT.to_owned());
    Ok(tenants)
}

/// Writes codes over rows of a tenant.
type Code = fn(&mut store::Tx<'_>) -> store::Result<()>;

/// Writes the codes that the version of the data did not have; `None` where it had all of them.
fn lacking_codes(settings: &Settings) -> Option<Code> {
    if has_to_run(settings, "0019_row_codes") {
        return Some(store::code_rows::code_all);
    }
    let of_timers: Code = store::code_rows::code_timers;
    has_to_run(settings, "0063_timer_codes").then_some(of_timers)
}

/// Gives the rows of every tenant their codes.
fn code_rows(store: &Store, code: Code) -> Result<(), ServeError> {
    for tenant in tenants(store, "codes for rows of a version without")? {
        tracing::info!(tenant, "giving every row its code");
        store.wait(Lane::Worker, &tenant, Mode::Write, code)?;
    }
    Ok(())
}

/// How many bundles of a log are packed in one transaction.
const PACKED_AT_ONCE: i64 = 16;

/// Packs the full bundles of every log that a version before kept as they are served. A log that is left half packed by a crash
/// is read all the same.
fn pack_bundles(store: &Store) -> Result<(), ServeError> {
    for tenant in tenants(store, "bundles of a version that kept none packed")? {
        tracing::info!(tenant, "packing the bundles of the log");
        let pack = |tx: &mut store::Tx<'_>| store::audit::bundle::pack_former(tx, PACKED_AT_ONCE);
        while store.wait(Lane::Worker, &tenant, Mode::Write, pack)? > 0 {}
    }
    Ok(())
}

/// The names of the migrations that `open` would run, in order; nothing is changed.
///
/// # Errors
/// The store's, where the database cannot be read.
pub fn waiting_migrations(settings: &Settings) -> Result<Vec<&'static str>, ServeError> {
    Ok(Store::waiting_migrations(&config(settings))?)
}

/// Damage in a SQLite file itself, found by reading all of it; nothing is changed.
///
/// # Errors
/// The store's, where it cannot be opened.
pub fn find_damage(settings: &Settings) -> Result<Vec<store::damage::Damage>, ServeError> {
    Ok(Store::find_damage(&config(settings))?)
}

/// How a PostgreSQL database is set up for the loss of its primary; `None` for the embedded engine. Nothing is changed.
///
/// # Errors
/// The store's, where no primary can be reached.
pub fn failover_setup(settings: &Settings) -> Result<Option<store::failover::FailoverSetup>, ServeError> {
    Ok(Store::failover_standing(&config(settings))?)
}

/// Makes a folder that no other user of the machine can read; an existing folder stays as it is.
pub(crate) fn make_folder(path: &std::path::Path) -> Result<PathBuf, ServeError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| ServeError::Folder(path.to_owned(), error))
        .map(|()| path.to_owned())
}

fn config(settings: &Settings) -> Config {
    let mut config = match &settings.database_url {
        Some(url) => Config::postgres(url),
        None => Config::sqlite(settings.data_dir.join("assent.db")),
    };
    config.on_fatal = Arc::new(|error| end_after_failed_sync(error));
    config
}

/// Removes the files of broken-off uploads, at a server's start, before it accepts requests.
pub(crate) fn forget_leftovers(uploads: &std::path::Path) {
    for entry in std::fs::read_dir(uploads).into_iter().flatten().flatten() {
        let _ = std::fs::remove_file(entry.path());
    }
}

/// Whether the packs and parameters of settings can be used; without either the base alone is in force, which can.
///
/// # Errors
/// [`ServeError::Refused`] with the error.
pub(crate) fn check_policies(settings: &Settings) -> Result<(), ServeError> {
    if settings.packs.is_empty() && settings.policy_parameters.is_empty() {
        return Ok(());
    }
    policies(settings, &settings.policy_parameters).map(drop)
}

fn policies(settings: &Settings, parameters: &str) -> Result<PolicySet, ServeError> {
    let mut files: Vec<SourceFile> = policy::base().files;
    for name in &settings.packs {
        let pack =
            policy::pack(name).ok_or_else(|| ServeError::Refused(format!("there is no policy pack `{name}`")))?;
        files.extend(pack.files);
    }
    let compiled = PolicySet::compile(&files, parameters, policy::SCHEMA, &AnyName, proof::crypto::digest_text);
    compiled.map_err(|findings| {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        ServeError::Refused(format!("the policies cannot be used:\n{}", lines.join("\n")))
    })
}
