//! The one file that joins the command line to the server's inside: it starts the server, and opens the data on the host
//! the way the server does.

use std::path::Path;
use std::sync::Arc;

use acts::audit::replay_log::{Progress, ReplayReport, replay_log};
use acts::audit::{
    accept_loss, check_log, cosign_log, find_lost_secrets, find_lost_tenants, renew_codes, sequence_events,
    take_cosignature,
};
use acts::compliance::archive_changes::{self, ArchiveReport};
use acts::core::signing_keys;
use acts::directory::{create_tenant, set_person};
use acts::guard::last_administrator;
use acts::identity::audit_workload_trust;
use acts::integration::{feed_sinks, unmatched_deliveries};
use acts::policy::activate_configuration;
use model::change::change_file::Actor;
use model::core::ids::PersonId;
use serde_json::{Map, Value};
use server::identity::password;
use store::audit::event;
pub(crate) use store::damage::Damage;
pub(crate) use store::failover::FailoverSetup;
use store::queue::{job, timer};
use store::{Lane, Mode, SYSTEM_TENANT, Store};

use crate::failure::{Failure, Result};
use crate::mail_address::{MailAddress, Protection};

fn could_not(error: impl std::fmt::Display) -> Failure {
    Failure::could_not(format!("{error}."))
}

/// An act's refusal reads the same on the host as from the server.
fn refused(error: acts::Error) -> Failure {
    match &error {
        acts::Error::Refused(refusal) => {
            let problem = wire::problem::Problem::from(refusal);
            let status = problem.status;
            match serde_json::to_value(&problem) {
                Ok(problem) => Failure::Refused { status, problem },
                Err(fault) => could_not(fault),
            }
        }
        _ => could_not(error),
    }
}

/// The mail server as the server's settings take it.
pub(crate) fn smtp(address: &MailAddress, password: Option<&str>, from: &str) -> server::Smtp {
    use connect::socket::{SmtpConfig, TlsMode};
    let mode = match address.protection {
        Protection::Implicit => TlsMode::Implicit,
        Protection::StartTls => TlsMode::Starttls,
        Protection::Plain => TlsMode::None,
    };
    let mut config = SmtpConfig::new(address.host.clone(), address.port, mode);
    config.login.clone_from(&address.login);
    config.password = password.map(str::to_owned);
    server::Smtp {
        server: config,
        from: from.to_owned(),
    }
}

/// Whether a server could begin with these settings: all that they name is read, nothing is started or written.
pub(crate) fn check(settings: &server::Settings) -> Result<()> {
    server::check(settings).map_err(could_not)
}

/// Starts the server and runs until a signal stops it. With `demo_days` it fills an empty folder with a demo of so many days.
pub(crate) fn serve(settings: &server::Settings, demo_days: Option<i64>) -> Result<()> {
    let data_dir = settings.data_dir.clone();
    if demo_days.is_some() {
        server::demo::check_folder(&data_dir).map_err(could_not)?;
    }
    let prepare: Option<server::Prepare> = demo_days.map(|days| {
        let fill: server::Prepare = Box::new(move |executor: &acts::Executor, url: &str| {
            let look = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
            let tenants = executor.wait_across(Lane::Worker, "is there a demo", Mode::Read, look)?;
            if tenants.iter().all(|tenant| tenant == store::SYSTEM_TENANT) {
                println!(
                    "Filling the demo with {days} days of history. Fewer are there sooner: --demo-days says how many."
                );
            }
            let filled = server::demo::fill(executor, &tenants, (crate::clock::now(), days), url, &data_dir);
            filled.map_err(|error| server::ServeError::Refused(error.to_string()))?;
            println!(
                "The demo's people, with passwords and tokens, stand in {}.\n\
                 Sign in at {url}/t/{} as hanne (she owns the services) or marta (she runs the process).",
                data_dir.join(server::demo::CREDENTIALS).display(),
                server::demo::TENANT,
            );
            Ok(())
        });
        fill
    });
    server::serve(settings, prepare).map_err(could_not)
}

/// How the server would be reached with these settings: part of the name under which a log signs.
pub(crate) fn public_url(settings: &server::Settings) -> String {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    settings
        .public_url
        .clone()
        .unwrap_or_else(|| format!("{scheme}://{}", settings.listen))
}

/// How data is opened.
type Open =
    fn(&server::Settings, &str, Arc<dyn acts::Clock>) -> std::result::Result<server::Opened, server::ServeError>;

/// The data, opened on the host.
pub(crate) struct Host {
    executor: acts::Executor,
}

impl Host {
    /// Opens the data as the server does: migrates forwards, and refuses another master key than the data's. The data's logs
    /// are named by the address under which they were begun, even if the settings have changed since.
    pub(crate) fn open(settings: &server::Settings) -> Result<Self> {
        let said = public_url(settings);
        let host = Self::open_as(settings, &said)?;
        match host.begun_under()? {
            Some(place)
                if signing_keys::log_name(&said, SYSTEM_TENANT) != signing_keys::log_name(&place, SYSTEM_TENANT) =>
            {
                host.executor.tools().store.close();
                Self::open_as(settings, &place)
            }
            _ => Ok(host),
        }
    }

    /// The same under the address of the settings: a log that begins is named by it, and those that are there keep their names.
    pub(crate) fn open_as_said(settings: &server::Settings) -> Result<Self> {
        Self::open_as(settings, &public_url(settings))
    }

    /// The address by which new logs are named.
    pub(crate) fn public_url(&self) -> &str {
        &self.executor.tools().public_url
    }

    /// The migrations that opening would run; nothing is changed.
    pub(crate) fn waiting_migrations(settings: &server::Settings) -> Result<Vec<&'static str>> {
        server::waiting_migrations(settings).map_err(could_not)
    }

    /// Damage in the storage itself, which is reported before anything is opened: a damaged file may not open at all.
    pub(crate) fn find_damage(settings: &server::Settings) -> Result<Vec<Damage>> {
        server::find_damage(settings).map_err(could_not)
    }

    /// How a PostgreSQL database is set up for the loss of its primary; `None` for the embedded engine.
    pub(crate) fn failover_standing(settings: &server::Settings) -> Result<Option<FailoverSetup>> {
        server::failover_setup(settings).map_err(could_not)
    }

    /// Tenants whose logs were seen and whose rows are gone.
    pub(crate) fn lost_tenants(&self) -> Result<Vec<String>> {
        find_lost_tenants::find_lost_tenants(&self.executor).map_err(could_not)
    }

    /// Rows that belong to no tenant.
    pub(crate) fn strays(&self) -> Result<Vec<Damage>> {
        let look = |tx: &mut store::CrossTx<'_>| Ok(store::damage::strays(tx)?);
        self.executor
            .wait_across(Lane::Pages, "which rows belong to no tenant", Mode::Read, look)
            .map_err(could_not)
    }

    /// The same over rows with any codes. Only [`Self::renew_codes`] follows.
    pub(crate) fn open_uncoded(settings: &server::Settings) -> Result<Self> {
        let said = public_url(settings);
        let host = Self::open_by(settings, &said, server::open_uncoded)?;
        match host.begun_under()? {
            Some(place)
                if signing_keys::log_name(&said, SYSTEM_TENANT) != signing_keys::log_name(&place, SYSTEM_TENANT) =>
            {
                host.executor.tools().store.close();
                Self::open_by(settings, &place, server::open_uncoded)
            }
            _ => Ok(host),
        }
    }

    /// Whether this host remembers the log of a tenant, so that a replay finds one that was set back.
    pub(crate) fn remembers_log(&self, tenant: &str) -> bool {
        self.executor
            .tools()
            .seen_logs
            .tenants()
            .iter()
            .any(|known| known == tenant)
    }

    /// The ids of the two people who are responsible for new codes, after a check of their passwords.
    pub(crate) fn answerers(
        &self,
        tenant: &str,
        logins: &[String; 2],
        passwords: &[String; 2],
    ) -> Result<Vec<PersonId>> {
        check_tenant(tenant)?;
        let named = logins.clone();
        let find = move |cx: &mut acts::Context<'_, '_>| renew_codes::find_answerers(cx, &named);
        let found = self
            .executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, find)
            .map_err(refused)?;
        let mut people = Vec::new();
        for ((it, word), login) in found.into_iter().zip(passwords).zip(logins) {
            if !password::verify(word, &it.hash) {
                return Err(Failure::could_not(format!("The password of {login} is not right.")));
            }
            people.push(it.person);
        }
        Ok(people)
    }

    /// Writes the codes over the rows of a tenant and of the system anew, with an event that records it.
    pub(crate) fn renew_codes(&self, tenant: &str, by: &[PersonId], records: u64) -> Result<()> {
        self.executor.begin_codes();
        for tenant in [tenant, SYSTEM_TENANT] {
            let by = by.to_vec();
            let renew = move |cx: &mut acts::Context<'_, '_>| renew_codes::renew_codes(cx, &by, records);
            self.executor
                .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, renew)
                .map_err(refused)?;
        }
        Ok(())
    }

    /// The tenants whose logs are behind the state that was seen before, with the reason.
    pub(crate) fn behind(&self) -> Result<Vec<(String, String)>> {
        server::running_copy::behind(&self.executor).map_err(could_not)
    }

    /// Records in a log that entries beyond its end, which were seen before, are lost; returns its length and the length that
    /// was seen.
    pub(crate) fn accept_loss(&self, tenant: &str, by: &[PersonId]) -> Result<(u64, u64)> {
        let seen = self.executor.tools().seen_logs.seen(tenant);
        let present = check_log::present(&self.executor, tenant).map_err(refused)?;
        let (Some(seen), Some(present)) = (seen, present) else {
            return Err(Failure::could_not(format!("There is no log of {tenant} here.")));
        };
        let by = by.to_vec();
        let accept = move |cx: &mut acts::Context<'_, '_>| accept_loss::accept_loss(cx, &by, present.size, &seen);
        self.executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, accept)
            .map_err(refused)?;
        Ok((present.size, seen.size))
    }

    /// Remembers the log of a tenant as it is from now on.
    pub(crate) fn give_up(&self, data: &Path, tenant: &str) -> Result<()> {
        let present = check_log::present(&self.executor, tenant).map_err(refused)?;
        server::running_copy::give_up(data, tenant, present).map_err(could_not)
    }

    /// Takes the codes over the rows of a tenant away, so that nothing opens by them: on a host that was opened without codes.
    pub(crate) fn take_codes_away(&self, tenant: &str) -> Result<()> {
        self.executor
            .tools()
            .store
            .wait(Lane::Worker, tenant, Mode::Write, store::code_rows::code_all)
            .map_err(could_not)
    }

    /// Whether a tenant's rows match their codes, as far as its directory shows; else why not.
    pub(crate) fn code_trouble(&self, tenant: &str) -> Result<Option<String>> {
        let look = |cx: &mut acts::Context<'_, '_>| cx.directory().map(drop);
        let looked = self
            .executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look);
        match looked {
            Ok(()) => Ok(None),
            Err(acts::Error::Store(store::Error::Corrupt(why))) => Ok(Some(why)),
            Err(error) => Err(refused(error)),
        }
    }

    /// Closes the data.
    pub(crate) fn close(self) {
        self.executor.tools().store.close();
    }

    fn open_as(settings: &server::Settings, public_url: &str) -> Result<Self> {
        Self::open_by(settings, public_url, server::open)
    }

    fn open_by(settings: &server::Settings, public_url: &str, open: Open) -> Result<Self> {
        let clock = Arc::new(server::SystemClock);
        let opened = open(settings, public_url, clock).map_err(could_not)?;
        Ok(Self {
            executor: opened.executor,
        })
    }

    /// The address in the name of the system's log, once it has signed anything.
    fn begun_under(&self) -> Result<Option<String>> {
        let look = |cx: &mut acts::Context<'_, '_>| Ok(store::audit::log::state(cx.tx)?.map(|state| state.checkpoint));
        let note = self
            .executor
            .wait(Lane::Worker, SYSTEM_TENANT, Actor::system(), Mode::Read, look)
            .map_err(refused)?;
        Ok(note.as_deref().and_then(address_in))
    }

    /// Makes a person with a password, and the tenant when it is not there.
    pub(crate) fn create_person(
        &self,
        tenant: &str,
        name: &str,
        body: Map<String, Value>,
        password: &str,
    ) -> Result<()> {
        let login = body
            .get("login")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        let phc = password::hash(password).map_err(could_not)?;
        let name = name.to_owned();
        let act = move |cx: &mut acts::Context<'_, '_>| {
            create_tenant::create_tenant(cx, &name, false)?;
            set_person::create_person(cx, &body)?;
            set_person::set_password(cx, &login, &phc)
        };
        self.executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act)
            .map_err(refused)
    }

    /// Sets a password.
    pub(crate) fn set_password(&self, tenant: &str, login: &str, password: &str) -> Result<()> {
        check_tenant(tenant)?;
        let phc = password::hash(password).map_err(could_not)?;
        let login = login.to_lowercase();
        let act = move |cx: &mut acts::Context<'_, '_>| set_person::set_password(cx, &login, &phc);
        self.executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act)
            .map_err(refused)
    }

    /// The digest of the policies in force, or why they cannot be compiled.
    pub(crate) fn policies(&self, tenant: &str) -> Result<String> {
        let look = |cx: &mut acts::Context<'_, '_>| Ok(cx.policies()?.digest().to_owned());
        self.executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look)
            .map_err(refused)
    }

    /// The faults of a tenant's signing keys.
    pub(crate) fn key_trouble(&self, tenant: &str) -> Result<Vec<String>> {
        self.executor
            .wait(
                Lane::Worker,
                tenant,
                Actor::system(),
                Mode::Read,
                signing_keys::find_trouble,
            )
            .map_err(refused)
    }

    /// The faults of a tenant's secrets: of connections, webhooks and identity providers.
    pub(crate) fn secret_trouble(&self, tenant: &str) -> Result<Vec<String>> {
        let look = |cx: &mut acts::Context<'_, '_>| {
            let found = find_lost_secrets::find_trouble(cx)?;
            Ok(found.into_iter().map(|it| it.what).collect())
        };
        self.executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look)
            .map_err(refused)
    }

    /// Whether an active person of a tenant may set people up.
    pub(crate) fn has_administrator(&self, tenant: &str) -> Result<bool> {
        self.executor
            .wait(
                Lane::Worker,
                tenant,
                Actor::system(),
                Mode::Read,
                last_administrator::has_one,
            )
            .map_err(refused)
    }

    /// Whether a tenant requires two people and has no second administrator for the review.
    pub(crate) fn is_two_people_idle(&self, tenant: &str) -> Result<bool> {
        self.executor
            .wait(
                Lane::Worker,
                tenant,
                Actor::system(),
                Mode::Read,
                last_administrator::is_two_people_idle,
            )
            .map_err(refused)
    }

    /// The keys of a tenant's workloads that let in any job of a platform.
    pub(crate) fn open_workloads(&self, tenant: &str) -> Result<Vec<String>> {
        let look = |cx: &mut acts::Context<'_, '_>| {
            let found = audit_workload_trust::doubted(cx)?;
            Ok(found.into_iter().map(|it| it.key).collect())
        };
        self.executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look)
            .map_err(refused)
    }

    /// The connections of a tenant whose deliveries match nothing, as text.
    pub(crate) fn unmatched_connections(&self, tenant: &str) -> Result<Vec<String>> {
        let look = |cx: &mut acts::Context<'_, '_>| {
            let found = unmatched_deliveries::all(cx)?;
            let told = found.into_iter().map(|it| {
                format!(
                    "the last {} deliveries of the connection `{}` match nothing: {}",
                    it.count, it.name, it.text
                )
            });
            Ok(told.collect())
        };
        self.executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, look)
            .map_err(refused)
    }

    /// The sinks of a tenant that fail or are far behind, as text.
    pub(crate) fn sink_trouble(&self, tenant: &str) -> Result<Vec<String>> {
        self.executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Read, feed_sinks::trouble)
            .map_err(refused)
    }

    /// The faults of a tenant's archive, as text.
    pub(crate) fn archive_trouble(&self, tenant: &str) -> Result<Vec<String>> {
        self.executor
            .wait(
                Lane::Worker,
                tenant,
                Actor::system(),
                Mode::Read,
                archive_changes::trouble,
            )
            .map_err(refused)
    }

    /// The content of a tenant's archive and its backlog.
    pub(crate) fn archive(&self, tenant: &str) -> Result<ArchiveReport> {
        self.executor
            .wait(
                Lane::Worker,
                tenant,
                Actor::system(),
                Mode::Read,
                archive_changes::report,
            )
            .map_err(refused)
    }

    /// Brings back the policies before the present ones.
    pub(crate) fn recover_policies(&self, tenant: &str) -> Result<activate_configuration::Recovered> {
        check_tenant(tenant)?;
        let act = |cx: &mut acts::Context<'_, '_>| activate_configuration::recover_policies(cx);
        self.executor
            .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act)
            .map_err(refused)
    }

    /// Every tenant that has a log, the system's included.
    pub(crate) fn tenants(&self) -> Result<Vec<String>> {
        let look = |tx: &mut store::CrossTx<'_>| Ok(store::servers::tenants(tx)?);
        let mut tenants = self
            .executor
            .wait_across(Lane::Worker, "which tenants there are", Mode::Read, look)
            .map_err(could_not)?;
        if !tenants.iter().any(|tenant| tenant == SYSTEM_TENANT) {
            tenants.push(SYSTEM_TENANT.to_owned());
        }
        Ok(tenants)
    }

    /// Replays a tenant; where the storage is too damaged to be read to its end, why.
    pub(crate) fn replay(
        &self,
        tenant: &str,
        progress: &Progress,
    ) -> Result<std::result::Result<ReplayReport, String>> {
        match replay_log(&self.executor, tenant, progress) {
            Err(acts::Error::Store(store::Error::Corrupt(why))) => Ok(Err(why)),
            done => Ok(Ok(done.map_err(refused)?)),
        }
    }

    /// Letters that were set aside after too many tries, and timers that fail again and again.
    pub(crate) fn stuck(&self) -> Result<[i64; 2]> {
        let look = |tx: &mut store::CrossTx<'_>| Ok([job::depth(tx)?.parked, timer::failing(tx)?]);
        self.executor
            .wait_across(Lane::Worker, "what is stuck", Mode::Read, look)
            .map_err(could_not)
    }

    /// Queues the failed letters again; returns their number.
    pub(crate) fn send_again(&self) -> Result<u64> {
        let now = crate::clock::now();
        let unpark = move |tx: &mut store::CrossTx<'_>| Ok(job::unpark_across(tx, now)?);
        self.executor
            .wait_across(Lane::Worker, "letters are sent again", Mode::Write, unpark)
            .map_err(could_not)
    }
}

/// Where something is damaged, as far as it can be named.
pub(crate) fn place_of(damage: &Damage) -> String {
    let column = damage.column.as_deref().unwrap_or_default();
    format!("{} {} {column}", damage.table, damage.id)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Refuses a name that cannot be the key of a tenant with people, before anything is opened or made for it.
pub(crate) fn check_tenant_of_people(tenant: &str) -> Result<()> {
    create_tenant::check_key(tenant).map_err(|refusal| refused(refusal.into()))
}

fn check_tenant(tenant: &str) -> Result<()> {
    store::check_tenant(tenant).map_err(could_not)
}

/// Copies an embedded database, as of one moment, into a new file while its server works on.
pub(crate) fn copy_database(database: &Path, to: &Path) -> Result<()> {
    let store = Store::open(store::Config::sqlite(database)).map_err(could_not)?;
    let copied = store.backup(to).map_err(could_not);
    store.close();
    copied
}

/// The state of a tenant's log, for the doctor.
pub(crate) struct LogStanding {
    /// The tenant.
    pub tenant: String,
    /// When the last checkpoint was signed, or attested anew: while nothing happens, the same one is cosigned every minute.
    pub signed_at: Option<jiff::Timestamp>,
    /// Why the served checkpoint is not to be trusted, if it is not.
    pub distrusted: Option<String>,
    /// The latest cosignatures of witnesses: a note for each.
    pub cosigned: Vec<String>,
    /// Events without a place in the log, at most [`BACKLOG`].
    pub backlog: usize,
}

/// The most waiting events that are counted.
pub(crate) const BACKLOG: i64 = 1_000;

impl Host {
    /// The state of every log.
    pub(crate) fn logs(&self) -> Result<Vec<LogStanding>> {
        self.tenants()?.into_iter().map(|tenant| self.log(tenant)).collect()
    }

    fn log(&self, tenant: String) -> Result<LogStanding> {
        let look = |cx: &mut acts::Context<'_, '_>| {
            let last = store::audit::log::last_checkpoint(cx.tx)?;
            let backlog = event::unsequenced(cx.tx, BACKLOG)?.len();
            let cosigned = take_cosignature::last_cosigned(cx)?;
            let cosigned: Vec<String> = cosigned.into_iter().map(|(_, note)| note).collect();
            let (attested, distrusted) = attested(cx)?;
            Ok((last.map(|last| last.at).max(attested), distrusted, cosigned, backlog))
        };
        let found = self
            .executor
            .wait(Lane::Worker, &tenant, Actor::system(), Mode::Read, look)
            .map_err(refused)?;
        let (signed_at, distrusted, cosigned, backlog) = found;
        Ok(LogStanding {
            tenant,
            signed_at,
            distrusted,
            cosigned,
            backlog,
        })
    }
}

/// When the served checkpoint was attested last, or why nothing is signed on it.
fn attested(cx: &mut acts::Context<'_, '_>) -> acts::Result<(Option<jiff::Timestamp>, Option<String>)> {
    // A log that has not begun is reported as such.
    if store::audit::log::state(cx.tx)?.is_none() {
        return Ok((None, None));
    }
    let attested = cosign_log::attested_at(cx);
    let attested = attested.and_then(|at| sequence_events::check_placing(cx).map(|()| at));
    match attested {
        Err(acts::Error::Fault(why)) => Ok((None, Some(why))),
        Err(acts::Error::Proof(why)) => Ok((None, Some(why.to_string()))),
        attested => {
            let seconds = attested?.and_then(|it| i64::try_from(it).ok());
            Ok((seconds.and_then(|it| jiff::Timestamp::from_second(it).ok()), None))
        }
    }
}

/// The address in a checkpoint's origin: `HOST/t/TENANT/log` names `https://HOST`. The scheme is not part of the name.
fn address_in(note: &str) -> Option<String> {
    let note = proof::note::Note::parse(note).ok()?;
    let origin = proof::note::Checkpoint::parse(&note.text).ok()?.origin;
    let host = origin.strip_suffix(&format!("/t/{SYSTEM_TENANT}/log"))?;
    Some(format!("https://{host}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use proof::crypto::SigningKey;
    use proof::note::{Checkpoint, NoteSigner};

    #[test]
    fn the_address_stands_in_the_name_of_the_systems_log() {
        let named = |origin: &str| {
            let checkpoint = Checkpoint {
                origin: origin.to_owned(),
                size: 0,
                root: proof::merkle::empty_root(),
            };
            let signer = NoteSigner::new(origin, SigningKey::from_seed([1; 32]).unwrap()).unwrap();
            address_in(&checkpoint.sign(&signer).to_text())
        };
        assert_eq!(
            named("a.example:81/x/t/system/log").as_deref(),
            Some("https://a.example:81/x")
        );
        assert_eq!(named("a.example/t/acme/log"), None);
        assert_eq!(address_in(""), None);
    }

    #[test]
    fn a_tenants_log_is_named_by_the_address_that_is_said_for_it() {
        let folder = std::env::temp_dir().join(format!("assent-bridge-{}", std::process::id()));
        let under = |url: Option<&str>| server::Settings {
            public_url: url.map(str::to_owned),
            ..server::Settings::new(&folder)
        };
        let begin = |host: Host, tenant: &str| {
            let begun = |cx: &mut acts::Context<'_, '_>| {
                create_tenant::create_tenant(cx, "Some", false)?;
                signing_keys::log_origin(cx)
            };
            let actor = Actor::system();
            let name = host
                .executor
                .wait(Lane::Worker, tenant, actor, Mode::Write, begun)
                .unwrap();
            host.executor.tools().store.close();
            name
        };
        let said = |url: &str| Host::open_as_said(&under(Some(url))).unwrap();
        assert_eq!(begin(said("https://one.example"), "acme"), "one.example/t/acme/log");
        assert_eq!(begin(said("https://two.example"), "other"), "two.example/t/other/log");
        assert_eq!(begin(said("https://two.example"), "acme"), "one.example/t/acme/log");
        let usual = Host::open(&under(None)).unwrap();
        assert_eq!(begin(usual, "third"), "one.example/t/third/log");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
