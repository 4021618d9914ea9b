//! `assent workload`: jobs of a pipeline's platform, which show the platform's token instead of a stored secret.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, array, text_of};

/// Jobs of a pipeline's platform that are let in with the platform's own token.
#[derive(Debug, Subcommand)]
pub enum Workload {
    /// List workloads.
    List,
    /// Show a workload.
    Show {
        /// The workload's key.
        key: String,
    },
    /// Set a workload up or change it.
    Set(Box<Set>),
    /// Let no job of a workload in any more; those inside are out at once.
    End {
        /// The workload's key.
        key: String,
    },
    /// Inside a job: exchange the platform's token for one of this server, and print it.
    Enter(Enter),
}

/// What a workload is to be.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: assent workload set github-releases --issuer https://token.actions.githubusercontent.com \
                        --person pipeline --claim repository=acme/booking-api --claim environment=production"
)]
pub struct Set {
    /// The workload's key: lower-case letters, digits and `-`.
    key: String,
    /// A name for people.
    #[arg(long)]
    name: Option<String>,
    /// The platform's issuer, as its tokens name it.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The issuer gives tokens to the organisation's own jobs alone.
    #[arg(long)]
    own_issuer: bool,
    /// For whom the platform's tokens must be meant.
    #[arg(long, value_name = "AUDIENCE", default_value = "assent")]
    meant_for: String,
    /// For whom its jobs speak.
    #[arg(long, value_name = "LOGIN")]
    person: String,
    /// What a claim must say, `*` for anything; may be given several times, also for one claim.
    #[arg(long, value_name = "CLAIM=PATTERN", required = true)]
    claim: Vec<String>,
    /// What its jobs may do; may be given several times, `gate` unless said.
    #[arg(long, value_name = "SCOPE", value_parser = ["read", "write", "gate", "audit"])]
    scope: Vec<String>,
    /// Which of the person's roles they carry; may be given several times, all of them unless said.
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
    /// For how many minutes one is let in, 60 at most.
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<i64>,
}

/// Where a job's token comes from.
#[derive(Debug, Args)]
#[command(after_help = "Example: export ASSENT_TOKEN=$(assent workload enter --tenant acme)\n\
                        On GitHub the job needs `permissions: {id-token: write}`; on GitLab `id_tokens: {ASSENT_JOB_TOKEN: {aud: assent}}`.")]
pub struct Enter {
    /// The tenant to enter.
    #[arg(long, env = "ASSENT_TENANT")]
    tenant: String,
    /// For whom GitHub is asked to mean its token.
    #[arg(long, value_name = "AUDIENCE", default_value = "assent")]
    meant_for: String,
    /// The platform's token. Others on this machine see it here: prefer ASSENT_JOB_TOKEN or --job-token-file.
    #[arg(long, env = "ASSENT_JOB_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    job_token: Option<String>,
    /// A file that holds the platform's token.
    #[arg(long, value_name = "FILE")]
    job_token_file: Option<String>,
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(workload: &Workload, common: &Common, output: &Output) -> Result<u8> {
    let path = |key: &str| format!("/workloads/{}", encode(key));
    match workload {
        Workload::List => {
            let list = Client::new(common)?.get("/workloads?limit=200")?.body;
            output.data(&list, |output| print_list(output, &list));
        }
        Workload::Show { key } => {
            let found = Client::new(common)?.get(&path(key))?.body;
            output.data(&found, |output| print_one(output, &found));
        }
        Workload::Set(set) => {
            let set_up = put(&Client::new(common)?, &path(&set.key), &body(set)?)?;
            output.data(&set_up, |output| print_one(output, &set_up));
        }
        Workload::End { key } => {
            let ended = Client::new(common)?.delete(&path(key))?.body;
            output.data(&ended, |output| output.line(&format!("ended {key}")));
        }
        Workload::Enter(enter) => {
            let entry = exchange(enter, common)?;
            output.data(&entry, |output| output.line(&text_of(&entry, "access_token")));
        }
    }
    Ok(0)
}

/// Sets it up, or changes the version that was read.
fn put(client: &Client, path: &str, body: &Value) -> Result<Value> {
    let known = match client.get(path) {
        Ok(answer) => answer.etag,
        Err(Failure::Refused { status: 404, .. }) => None,
        Err(failure) => return Err(failure),
    };
    let answer = match known {
        Some(etag) => client.conditional("PUT", path, body, &etag)?,
        None => client.send("PUT", path, Some(body), &[])?,
    };
    Ok(answer.body)
}

fn body(set: &Set) -> Result<Value> {
    let mut body = json!({
        "issuer": set.issuer, "meant_for": set.meant_for, "person": set.person, "claims": claims(&set.claim)?,
    });
    if set.own_issuer {
        body["own_issuer"] = json!(true);
    }
    if let Some(name) = &set.name {
        body["name"] = json!(name);
    }
    if !set.scope.is_empty() {
        body["scopes"] = json!(set.scope);
    }
    if !set.role.is_empty() {
        body["roles"] = json!(set.role);
    }
    if let Some(minutes) = set.minutes {
        body["minutes"] = json!(minutes);
    }
    Ok(body)
}

/// The patterns of each claim: `repository=acme/a` and `repository=acme/b` are two of one.
fn claims(words: &[String]) -> Result<Map<String, Value>> {
    let mut claims: Map<String, Value> = Map::new();
    for word in words {
        let Some((name, pattern)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            let text = format!("`{word}` is no claim; write one as repository=acme/booking-api.");
            return Err(Failure::could_not(text));
        };
        let patterns = claims.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(patterns) = patterns {
            patterns.push(json!(pattern));
        }
    }
    Ok(claims)
}

/// The token of this server for the job's own. No credential goes along: the job's token is one.
fn exchange(enter: &Enter, common: &Common) -> Result<Value> {
    let token = job_token(enter, common)?;
    Client::new(&bare(common))?.exchange(&enter.tenant, &token)
}

/// The common options, without a credential.
fn bare(common: &Common) -> Common {
    Common {
        token: None,
        token_file: None,
        as_person: None,
        ..common.clone()
    }
}

/// The platform's token: as given, or fetched from GitHub by the job.
fn job_token(enter: &Enter, common: &Common) -> Result<String> {
    let given = match (&enter.job_token, &enter.job_token_file) {
        // Many platforms set an empty variable where there is none.
        (Some(token), _) if !token.trim().is_empty() => token.clone(),
        (_, Some(path)) => read_text(path)?,
        (_, None) => request_github_token(&enter.meant_for, common)?,
    };
    let given = given.trim();
    if given.is_empty() {
        return Err(Failure::could_not("The platform's token is empty."));
    }
    Ok(given.to_owned())
}

/// Requests the job's token from GitHub at the address that it gave the job.
fn request_github_token(meant_for: &str, common: &Common) -> Result<String> {
    let named = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (Some(address), Some(bearer)) = (
        named("ACTIONS_ID_TOKEN_REQUEST_URL"),
        named("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    ) else {
        return Err(Failure::could_not(
            "There is no token of a platform. On GitHub give the job `permissions: {id-token: write}`; elsewhere put the \
             token into ASSENT_JOB_TOKEN or name its file with --job-token-file.",
        ));
    };
    // The authorities that `--ca-cert` names are those of our server, not GitHub's.
    let github = Common {
        server: address.clone(),
        token: Some(bearer),
        ca_cert: None,
        ..bare(common)
    };
    let sign = if address.contains('?') { '&' } else { '?' };
    let answer = Client::new(&github)?.bytes(&format!("{sign}audience={}", encode(meant_for)))?;
    let told: Option<Value> = answer.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let token = told.map(|told| text_of(&told, "value")).unwrap_or_default();
    if token.is_empty() {
        return Err(Failure::could_not("GitHub gave the job no token."));
    }
    Ok(token)
}

fn claims_text(workload: &Value) -> String {
    let claims = workload.get("claims").and_then(Value::as_object);
    let told = claims.into_iter().flatten().map(|(name, patterns)| {
        let patterns: Vec<&str> = patterns
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        format!("{name}={}", patterns.join("|"))
    });
    told.collect::<Vec<_>>().join(" ")
}

fn state_text(workload: &Value) -> String {
    let is_active = workload.get("active").and_then(Value::as_bool) == Some(true);
    if is_active { "lets in" } else { "ended" }.to_owned()
}

fn print_list(output: &Output, list: &Value) {
    let row = |item: &Value| {
        let mut row: Vec<String> = ["key", "issuer", "person", "scopes", "minutes"]
            .iter()
            .map(|name| text_of(item, name))
            .collect();
        row.insert(2, claims_text(item));
        row.push(state_text(item));
        row
    };
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.rows(
        &["key", "issuer", "claims", "person", "scopes", "minutes", "state"],
        &rows,
    );
}

fn print_one(output: &Output, workload: &Value) {
    let text = |name: &str| text_of(workload, name);
    output.pairs(&[
        ("workload", text("key")),
        ("name", text("name")),
        ("issuer", text("issuer")),
        ("meant for", text("meant_for")),
        ("claims", claims_text(workload)),
        ("speaks for", text("person")),
        ("owner", text("owner")),
        ("may", text("scopes")),
        ("as", text("roles")),
        ("minutes", text("minutes")),
        ("state", state_text(workload)),
        ("exchanged at", text("token_url")),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_may_have_several_patterns() {
        let words = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let told = claims(&words(&["repository=acme/a", "ref=refs/tags/v=*", "repository=acme/b"])).ok();
        let wanted = json!({"repository": ["acme/a", "acme/b"], "ref": ["refs/tags/v=*"]});
        assert_eq!(told.map(Value::Object), Some(wanted));
        for wrong in ["repository", "=acme/a"] {
            assert!(claims(&words(&[wrong])).is_err(), "{wrong}");
        }
    }
}
