//! `assent person`: people, over the API.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::commands::approval::absences::{Delegate, away, delegate};
use crate::commands::cab::training::train;
use crate::commands::directory::create_person::{self, Create};
use crate::commands::directory::rows::{self, Export, ImportFile};
use crate::commands::identity::passwords;
use crate::commands::notify::preferences::{PreferencesCommand, show_or_set};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};
use crate::place::Place;

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
    Tell(PreferencesCommand),
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
        /// What shows it, such as the number of a certificate. One that began earlier is proposed and confirmed by two people.
        #[arg(long, value_name = "TEXT")]
        evidence: Option<String>,
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
    /// List what a compromised account gave others, and confirm or end it by its numbers.
    #[command(
        after_help = "Example: assent person suspended olga\n         assent person suspended olga --confirm 1 --confirm 3 --end \
        2\n\nNobody confirms what was given to themselves."
    )]
    Suspended {
        /// The login of the account.
        login: String,
        /// The number of a thing that holds again; may be given several times.
        #[arg(long, value_name = "NUMBER")]
        confirm: Vec<i64>,
        /// The number of a thing that is gone for good; may be given several times.
        #[arg(long, value_name = "NUMBER")]
        end: Vec<i64>,
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

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(person: &Person, common: &Common, output: &Output) -> Result<u8> {
    match person {
        Person::Create(wanted) => create_person::create(wanted, common, output),
        Person::List => list(&Client::new(common)?, output),
        Person::Account { login, add, remove } => account(&Client::new(common)?, login, (add, remove), output),
        Person::Manager { login, to, none } => manager(&Client::new(common)?, login, (to.as_deref(), *none), output),
        Person::Import(file) => rows::import(&Client::new(common)?, output, "people", file, false),
        Person::Export(wanted) => rows::export(&Client::new(common)?, output, "people", wanted),
        Person::Away { login, from, to } => away(&Client::new(common)?, login.as_ref(), (from, to), output),
        Person::Tell(wishes) => show_or_set(&Client::new(common)?, wishes, output),
        Person::Train {
            login,
            training,
            from,
            until,
            evidence,
        } => train(
            &Client::new(common)?,
            (login, training),
            (from, until, evidence.as_deref()),
            output,
        ),
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
        Person::Suspended { login, confirm, end } => suspended(&Client::new(common)?, login, (confirm, end), output),
        Person::Password {
            login,
            password_file,
            place,
            tenant,
        } => {
            let password = passwords::read_password(password_file)?;
            if place.is_named() || tenant.is_some() {
                return passwords::set_on_host(place, tenant.as_deref(), login, &password, output);
            }
            passwords::set_password(&Client::new(common)?, login, &password)?;
            output.data(&json!({"login": login}), |output| {
                output.line(&format!("{login} has a new password"))
            });
            Ok(0)
        }
    }
}

/// Shows the manager of a person, or that there is none.
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

/// Decides about the grants of a compromised account, and lists them.
fn suspended(client: &Client, login: &str, (confirm, end): (&[i64], &[i64]), output: &Output) -> Result<u8> {
    let path = format!("/people/{}", encode(login));
    let words = confirm.iter().map(|number| (number, true));
    for (number, confirmed) in words.chain(end.iter().map(|number| (number, false))) {
        let way = format!("{path}/suspensions/{number}");
        client.post(&way, &json!({"confirmed": confirmed}))?;
    }
    let list = client.get(&path)?.body["deactivation"].clone();
    let row = |item: &Value| {
        let state = match item["decided"]["confirmed"].as_bool() {
            Some(true) => "confirmed",
            Some(false) => "ended",
            None if item["holds"] == true => "holds",
            None => "suspended",
        };
        let heads = ["number", "kind", "person", "what"];
        let cells = heads.iter().map(|head| text_of(item, head));
        cells.chain([state.to_owned()]).collect()
    };
    let rows: Vec<Vec<String>> = array(&list, "suspended").iter().map(row).collect();
    let shown = json!({"items": array(&list, "suspended")});
    output.data(&shown, |output| {
        output.rows(&["number", "kind", "person", "what", "state"], &rows);
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

fn list(client: &Client, output: &Output) -> Result<u8> {
    let list = client.get("/people?limit=200")?.body;
    let heads = ["login", "name", "roles", "email", "active"];
    let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
    let rows: Vec<Vec<String>> = array(&list, "items").iter().map(row).collect();
    output.data(&list, |output| output.rows(&heads, &rows));
    Ok(0)
}
