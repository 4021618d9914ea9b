//! `assent person`: people, over the API; and on the host the first administrator, when nobody can sign in yet.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::directory::{self, Export, ImportFile};
use super::host::{self, Place};
use crate::common::Common;
use crate::client::{Client, encode};
use crate::clock;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, array, text_of};

/// People.
#[derive(Debug, Subcommand)]
pub enum Person {
    /// Make a person. With --tenant, on the host and in that tenant, which is made when it is not there.
    #[command(
        after_help = "Example: assent person create olga --name 'Olga Berg' --role owner --password-file -\n         \
        assent person create --admin --login root --tenant acme --data /var/lib/assent"
    )]
    Create(Create),
    /// List people.
    List,
    /// Say by which accounts elsewhere a person is known: their commits and deployments are theirs then.
    #[command(
        after_help = "Example: assent person account olga --add github:olga-b --add mail:olga@home.example\n         \
        assent person account olga --remove github:olga-b\n\nWithout --add and --remove it lists them."
    )]
    Account {
        /// The person's login.
        login: String,
        /// An account with its engine in front, or `mail:` and another address; may be given several times.
        #[arg(long, value_name = "ACCOUNT")]
        add: Vec<String>,
        /// An account that is theirs no more.
        #[arg(long, value_name = "ACCOUNT")]
        remove: Vec<String>,
    },
    /// Say who answers for a person and looks at what they may do, in place of whom a directory tells.
    #[command(
        after_help = "Example: assent person manager olga --to mona\n         assent person manager olga --none\n\nWithout --to and \
        --none it shows who it is."
    )]
    Manager {
        /// The person's login.
        login: String,
        /// The manager's login.
        #[arg(long, value_name = "LOGIN", conflicts_with = "none")]
        to: Option<String>,
        /// Nobody is named here any more.
        #[arg(long)]
        none: bool,
    },
    /// Import people.
    #[command(after_help = "Example: assent person import people.csv --dry-run")]
    Import(ImportFile),
    /// Export people.
    Export(Export),
    /// Say that a person is away: they are not reminded, and their deputies are asked.
    #[command(after_help = "Example: assent person away olga --from now --to +14d")]
    Away {
        /// The person's login; oneself unless said.
        login: Option<String>,
        /// Its start.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
        from: String,
        /// Its end.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        to: String,
    },
    /// Show or set how a person is told: each matter at once or one letter a day, and when not at all.
    #[command(
        after_help = "Example: assent person tell olga --digest 08:00 --quiet 22:00-07:00\n         \
        assent person tell olga --at-once\n\nDecisions, escalations, break-glass and security come at once, whatever is set."
    )]
    Tell(Tell),
    /// Say what a person has learned, and until when that is valid.
    #[command(after_help = "Example: assent person train olga pci_dss --until 2027-06-01T00:00:00Z")]
    Train {
        /// The person's login.
        login: String,
        /// Which training.
        training: String,
        /// From when.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
        from: String,
        /// Until when.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        until: String,
    },
    /// Let another speak for a person, for a time.
    #[command(after_help = "Example: assent person delegate --to tom --until +14d --part owner")]
    Delegate(Delegate),
    /// Deactivate a person: sessions, tokens, open requests and delegations end.
    Deactivate {
        /// The person's login.
        login: String,
        /// Somebody else may have used the account: its decisions are void, permits that rest on it die.
        #[arg(long)]
        compromised: bool,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Set a password, read from a file or standard input.
    #[command(after_help = "Example: assent person password olga --password-file - < new-password")]
    Password {
        /// The person's login.
        login: String,
        /// Where the password stands, `-` for standard input.
        #[arg(long, value_name = "FILE", default_value = "-")]
        password_file: String,
        /// On the host: where the data is.
        #[command(flatten)]
        place: Place,
        /// On the host: the tenant.
        #[arg(long)]
        tenant: Option<String>,
    },
}

/// How a person is told.
#[derive(Debug, Args)]
pub struct Tell {
    /// The person's login.
    pub login: String,
    /// Each matter at once.
    #[arg(long, conflicts_with = "digest")]
    pub at_once: bool,
    /// One letter a day, at this time in the person's zone.
    #[arg(long, value_name = "HH:MM")]
    pub digest: Option<String>,
    /// No letter between these times; without it there are no quiet hours.
    #[arg(long, value_name = "HH:MM-HH:MM")]
    pub quiet: Option<String>,
    /// The language of pages and letters, `en` or `de`; without it, what the browser asks for.
    #[arg(long, value_name = "TAG")]
    pub language: Option<String>,
}

/// A delegation to make.
#[derive(Debug, Args)]
pub struct Delegate {
    /// Who speaks: a login.
    #[arg(long)]
    pub to: String,
    /// Whose right it is: a login; one's own unless said.
    #[arg(long)]
    pub of: Option<String>,
    /// Its start.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "now")]
    pub from: String,
    /// Its end.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: String,
    /// A part that is passed on, such as owner or group:ecab; all unless said.
    #[arg(long)]
    pub part: Vec<String>,
    /// Only while the other is away, or late with an answer.
    #[arg(long)]
    pub deputy: bool,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
}

/// A person to make.
#[derive(Debug, Args)]
pub struct Create {
    /// What they sign in with.
    #[arg(value_name = "LOGIN", required_unless_present = "login", conflicts_with = "login")]
    pub named: Option<String>,
    /// The same as a flag.
    #[arg(long)]
    pub login: Option<String>,
    /// The right to set up people, connections and tokens; short for --role admin.
    #[arg(long)]
    pub admin: bool,
    /// The name that others read.
    #[arg(long)]
    pub name: Option<String>,
    /// Where mail goes.
    #[arg(long)]
    pub email: Option<String>,
    /// A right in the tenant; may be given several times.
    #[arg(long, value_parser = ["requester", "owner", "security", "change_manager", "implementer", "auditor", "commander", "executive", "admin", "pipeline", "vendor"])]
    pub role: Vec<String>,
    /// IANA zone, such as Europe/Zurich.
    #[arg(long)]
    pub zone: Option<String>,
    /// A login in a connected system, such as github:octocat; may be given several times.
    #[arg(long)]
    pub account: Vec<String>,
    /// The login of who answers for them.
    #[arg(long, value_name = "LOGIN")]
    pub manager: Option<String>,
    /// Where the first password stands, `-` for standard input. On the host, one is made and printed when this is not given.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
    /// On the host: where the data is.
    #[command(flatten)]
    pub place: Place,
    /// On the host: the tenant.
    #[arg(long)]
    pub tenant: Option<String>,
    /// On the host: how the server is reached, when its settings do not say; it names the new tenant's log for good.
    #[arg(long, value_name = "URL", env = "ASSENT_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// On the host: the tenant's name for people, when it is made.
    #[arg(long)]
    pub tenant_name: Option<String>,
}

impl Create {
    /// The login, however it was given.
    #[must_use]
    pub fn login(&self) -> &str {
        self.named.as_deref().or(self.login.as_deref()).unwrap_or_default()
    }

    /// The body that says this, as the API reads it.
    #[must_use]
    pub fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("login".to_owned(), json!(self.login()));
        body.insert("name".to_owned(), json!(self.name.as_deref().unwrap_or(self.login())));
        for (name, value) in [("email", &self.email), ("zone", &self.zone), ("manager", &self.manager)] {
            if let Some(value) = value {
                body.insert(name.to_owned(), json!(value));
            }
        }
        let mut roles = self.role.clone();
        if self.admin && !roles.iter().any(|role| role == "admin") {
            roles.push("admin".to_owned());
        }
        for (name, values) in [("roles", &roles), ("accounts", &self.account)] {
            if !values.is_empty() {
                body.insert(name.to_owned(), json!(values));
            }
        }
        body
    }
}

/// A password from a file: its first line.
///
/// # Errors
/// When the file cannot be read or is empty.
pub fn read_password(file: &str) -> Result<String> {
    let text = read_text(file)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::could_not(format!("`{file}` holds no password.")));
    }
    Ok(line.to_owned())
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn run(person: &Person, common: &Common, output: &Output) -> Result<u8> {
    match person {
        Person::Create(create) if create.place.is_named() || create.tenant.is_some() => {
            host::create_person(create, output)
        }
        Person::Create(create) => {
            let client = Client::new(common)?;
            let password = create.password_file.as_deref().map(read_password).transpose()?;
            let made = client.post("/people", &Value::Object(create.body()))?.body;
            if let Some(password) = password {
                set_password(&client, create.login(), &password)?;
            }
            output.data(&made, |output| output.line(&format!("made {}", create.login())));
            if create.password_file.is_none() {
                output.next(&format!("assent person password {}", create.login()));
            }
            Ok(0)
        }
        Person::List => list(&Client::new(common)?, output),
        Person::Account { login, add, remove } => account(&Client::new(common)?, login, (add, remove), output),
        Person::Manager { login, to, none } => manager(&Client::new(common)?, login, (to.as_deref(), *none), output),
        Person::Import(rows) => directory::import(&Client::new(common)?, output, "people", rows, false),
        Person::Export(rows) => directory::export(&Client::new(common)?, output, "people", rows),
        Person::Away { login, from, to } => away(&Client::new(common)?, login.as_ref(), (from, to), output),
        Person::Tell(wishes) => tell(&Client::new(common)?, wishes, output),
        Person::Train {
            login,
            training,
            from,
            until,
        } => train(&Client::new(common)?, (login, training), (from, until), output),
        Person::Delegate(row) => delegate(&Client::new(common)?, row, output),
        Person::Deactivate {
            login,
            compromised,
            reason,
        } => {
            let client = Client::new(common)?;
            let mut body = json!({"compromised": compromised});
            if let Some(reason) = reason {
                body["reason"] = json!(reason);
            }
            let path = format!("/people/{}/deactivation", encode(login));
            let gone = client.post(&path, &body)?.body;
            output.data(&gone, |output| output.line(&format!("deactivated {login}")));
            Ok(0)
        }
        Person::Password {
            login,
            password_file,
            place,
            tenant,
        } => {
            let password = read_password(password_file)?;
            if place.is_named() || tenant.is_some() {
                return host::set_password(place, tenant.as_deref(), login, &password, output);
            }
            set_password(&Client::new(common)?, login, &password)?;
            output.data(&json!({"login": login}), |output| {
                output.line(&format!("{login} has a new password"))
            });
            Ok(0)
        }
    }
}

/// Shows who answers for a person, or says so.
fn manager(client: &Client, login: &str, (to, none): (Option<&str>, bool), output: &Output) -> Result<u8> {
    let path = format!("/people/{}", encode(login));
    let found = client.get(&path)?;
    let shown = if to.is_none() && !none {
        found.body
    } else {
        let etag = found.etag.unwrap_or_else(|| "*".to_owned());
        client.conditional("PATCH", &path, &json!({"manager": to}), &etag)?.body
    };
    output.data(&shown, |output| match text_of(&shown, "manager").as_str() {
        "" => output.line(&format!("nobody is named here for {login}")),
        manager => output.line(&format!("{login} answers to {manager}")),
    });
    Ok(0)
}

/// Adds and removes accounts of a person, on the condition that nobody else did meanwhile.
fn account(client: &Client, login: &str, (add, remove): (&[String], &[String]), output: &Output) -> Result<u8> {
    let path = format!("/people/{}", encode(login));
    let found = client.get(&path)?;
    let mut accounts: Vec<String> = array(&found.body, "accounts")
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    accounts.retain(|known| !remove.iter().any(|gone| gone.eq_ignore_ascii_case(known)));
    for one in add {
        if !accounts.iter().any(|known| known.eq_ignore_ascii_case(one)) {
            accounts.push(one.clone());
        }
    }
    let shown = if add.is_empty() && remove.is_empty() {
        found.body
    } else {
        let etag = found.etag.unwrap_or_else(|| "*".to_owned());
        client
            .conditional("PATCH", &path, &json!({"accounts": accounts}), &etag)?
            .body
    };
    output.data(&shown, |output| {
        for one in &accounts {
            output.line(one);
        }
    });
    Ok(0)
}

fn away(client: &Client, login: Option<&String>, (from, to): (&str, &str), output: &Output) -> Result<u8> {
    let now = clock::now();
    let mut body = json!({
        "starts_at": clock::moment(from, now)?.to_string(), "ends_at": clock::moment(to, now)?.to_string(),
    });
    if let Some(login) = login {
        body["person"] = json!(login);
    }
    let made = client.post("/absences", &body)?.body;
    output.data(&made, |output| {
        output.line(&format!("{} is away", text_of(&made, "person")));
    });
    Ok(0)
}

/// Shows a person's wishes, or sets them when some are named.
fn tell(client: &Client, wishes: &Tell, output: &Output) -> Result<u8> {
    let path = format!("/people/{}/telling", encode(&wishes.login));
    let mut body = json!({"how": if wishes.digest.is_some() { "digest" } else { "at_once" }});
    if let Some(at) = &wishes.digest {
        body["digest_at"] = json!(at);
    }
    if let Some(quiet) = &wishes.quiet {
        let Some((from, until)) = quiet.split_once('-') else {
            return Err(Failure::could_not(format!(
                "`{quiet}` is no span of the day, such as 22:00-07:00."
            )));
        };
        body["quiet_from"] = json!(from);
        body["quiet_until"] = json!(until);
    }
    if let Some(language) = &wishes.language {
        body["language"] = json!(language);
    }
    let is_set = wishes.at_once || wishes.digest.is_some() || wishes.quiet.is_some() || wishes.language.is_some();
    let told = if is_set {
        let etag = client.get(&path)?.etag.unwrap_or_default();
        client.conditional("PUT", &path, &body, &etag)?.body
    } else {
        client.get(&path)?.body
    };
    let heads = [
        "person",
        "how",
        "digest_at",
        "quiet_from",
        "quiet_until",
        "language",
        "zone",
    ];
    let pairs: Vec<(&str, String)> = heads
        .iter()
        .filter(|head| told.get(**head).is_some())
        .map(|head| (*head, text_of(&told, head)))
        .collect();
    output.data(&told, |output| output.pairs(&pairs));
    Ok(0)
}

fn train(client: &Client, (login, training): (&str, &str), (from, until): (&str, &str), output: &Output) -> Result<u8> {
    let now = clock::now();
    let body = json!({
        "person": login, "training": training, "starts_at": clock::moment(from, now)?.to_string(),
        "ends_at": clock::moment(until, now)?.to_string(),
    });
    let made = client.post("/trainings", &body)?.body;
    output.data(&made, |output| {
        output.line(&format!("{login} is trained until {}", text_of(&made, "ends_at")));
    });
    Ok(0)
}

fn delegate(client: &Client, row: &Delegate, output: &Output) -> Result<u8> {
    let now = clock::now();
    let mut body = json!({
        "delegate": row.to, "parts": row.part, "deputy": row.deputy,
        "starts_at": clock::moment(&row.from, now)?.to_string(),
        "ends_at": clock::moment(&row.until, now)?.to_string(),
    });
    for (field, value) in [("delegator", &row.of), ("reason", &row.reason)] {
        if let Some(value) = value {
            body[field] = json!(value);
        }
    }
    let made = client.post("/delegations", &body)?.body;
    output.data(&made, |output| {
        output.line(&format!(
            "{} speaks for {}",
            text_of(&made, "delegate"),
            text_of(&made, "delegator")
        ))
    });
    Ok(0)
}

fn set_password(client: &Client, login: &str, password: &str) -> Result<()> {
    let path = format!("/people/{}/password", encode(login));
    client.send("PUT", &path, Some(&json!({"password": password})), &[("If-Match", "*")])?;
    Ok(())
}

fn list(client: &Client, output: &Output) -> Result<u8> {
    let list = client.get("/people?limit=200")?.body;
    let heads = ["login", "name", "roles", "email", "active"];
    let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
    let rows: Vec<Vec<String>> = array(&list, "items").iter().map(row).collect();
    output.data(&list, |output| output.rows(&heads, &rows));
    Ok(0)
}
