//! `assent permit`: verifies a permit offline, revokes one.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use proof::jwks::Jwks;
use proof::jws::Refused;
use proof::permit::{Claims, Expected, Purpose};
use proof::remembered::Remembered;
use proof::revocation::RevocationList;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::commands::gate::build::Build;
use crate::common::Common;
use crate::failure::{Failure, Result, read_file, read_text};
use crate::output::{Output, Tone, text_of};

/// Permits.
#[derive(Debug, Subcommand)]
pub enum Permit {
    /// Verify a permit without asking anybody; exit 0 good, 1 bad, 2 cannot tell.
    #[command(
        after_help = "Example: assent permit verify permit.jwt --service booking-api --environment production \\\n           \
        --artifact sha256:… --keys jwks.json --revocations revocations.jwt"
    )]
    Verify(Box<Verify>),
    /// Use a permit up at the server's gate: the first who asks has it; exit 0 yes, 1 no.
    #[command(
        after_help = "Example: assent permit consume permit.jwt --service booking-api --environment production --artifact sha256:…"
    )]
    Consume(Consume),
    /// Revoke a permit; its target stays closed until the revocation is lifted.
    #[command(after_help = "Example: assent permit revoke 0193… --reason 'wrong build'")]
    Revoke {
        /// The permit's id (`jti`).
        jti: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Lift a permit's revocation; its target opens again.
    #[command(after_help = "Example: assent permit lift 0193… --reason 'the build is right after all'")]
    Lift {
        /// The revoked permit's id (`jti`).
        jti: String,
        /// Why it may go on.
        #[arg(long)]
        reason: String,
    },
}

/// What is about to be deployed under the permit.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("using").required(true).multiple(true).args(["artifact", "commit"]))]
pub struct Consume {
    /// The permit's file, `-` for standard input.
    pub file: String,
    /// What goes where.
    #[command(flatten)]
    pub build: Build,
}

/// What to hold the permit to.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("build").required(true).multiple(true).args(["artifact", "commit"]))]
pub struct Verify {
    /// The permit's file, `-` for standard input.
    pub file: String,
    /// What goes where.
    #[command(flatten)]
    pub build: Build,
    /// The tenant's published keys, as served at /t/TENANT/.well-known/jwks.json.
    #[arg(long, value_name = "JWKS")]
    pub keys: String,
    /// The revocation list, as served at /t/TENANT/.well-known/assent-revocations. Without it, it cannot be told.
    #[arg(long, value_name = "FILE")]
    pub revocations: Option<String>,
    /// The oldest revocation list to take, however old the permit lets it be.
    #[arg(long, value_name = "SPAN", value_parser = clock::seconds)]
    pub max_list_age: Option<i64>,
    /// What is about to be done: a permit to deploy is none to go back. Without it either passes.
    #[arg(long, value_name = "PURPOSE", value_parser = ["deploy", "rollback"])]
    pub purpose: Option<String>,
    /// The tenant that keys and permit must be of.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Where to remember what lists have revoked: what one did stays revoked, and a list of a lower epoch is refused.
    #[arg(long, value_name = "FILE")]
    pub remember: Option<PathBuf>,
    /// The member that is about to be changed, where the change goes to many in waves.
    #[arg(long, value_name = "NAME")]
    pub member: Option<String>,
    /// The change's content digest to insist on.
    #[arg(long, value_name = "DIGEST")]
    pub content_digest: Option<String>,
    /// Judge at this time instead of now.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: Option<String>,
}

/// Runs a command of the group.
///
/// # Errors
/// When a file cannot be read (exit code 2), or the server's refusal.
pub fn run(permit: &Permit, common: &Common, output: &Output) -> Result<u8> {
    match permit {
        Permit::Verify(wanted) => verify(wanted, output),
        Permit::Consume(wanted) => {
            let jti = proof::permit::id_as_written(read_text(&wanted.file)?.trim());
            let path = format!("/permits/{}/consumption", encode(&jti));
            let body = Value::Object(wanted.build.body());
            let answer = Client::new(common)?.post(&path, &body)?.body;
            output.data(&answer, |output| {
                output.line(&format!("used up {}", text_of(&answer, "id")))
            });
            Ok(0)
        }
        Permit::Revoke { jti, reason } => stop_or_go(common, output, ("revocation", "revoked"), (jti, reason)),
        Permit::Lift { jti, reason } => stop_or_go(common, output, ("revocation/lifting", "lifted"), (jti, reason)),
    }
}

fn stop_or_go(common: &Common, output: &Output, (act, done): (&str, &str), (jti, reason): (&str, &str)) -> Result<u8> {
    let path = format!("/permits/{}/{act}", encode(jti));
    let answer = Client::new(common)?.post(&path, &json!({"reason": reason}))?.body;
    output.data(&answer, |output| {
        output.line(&format!("{done} {}", text_of(&answer, "id")))
    });
    Ok(0)
}

/// Verifies a permit; returns the exit code.
///
/// # Errors
/// When a file cannot be read.
pub fn verify(verify: &Verify, output: &Output) -> Result<u8> {
    let now = match &verify.at {
        Some(text) => clock::moment(text, clock::now())?,
        None => clock::now(),
    };
    let permit = read_text(&verify.file)?;
    let keys = match Jwks::parse(&read_file(&verify.keys)?) {
        Ok(keys) => keys,
        Err(error) => {
            return Ok(describe(
                output,
                2,
                "keys_unreadable",
                &format!("The key set cannot be used: {error}."),
                None,
            ));
        }
    };
    if let Some(tenant) = verify.tenant.as_ref().filter(|tenant| **tenant != keys.tenant) {
        let text = format!("The keys are of the tenant `{}`, not of `{tenant}`.", keys.tenant);
        return Ok(describe(output, 1, "wrong_tenant", &text, None));
    }
    let (list, list_trouble) = match verify.revocations.as_deref() {
        None => (None, None),
        Some(path) => match open_list(&read_text(path)?, &keys, verify.remember.as_deref())? {
            Ok(list) => (Some(list), None),
            Err(refused) => (None, Some(refused)),
        },
    };
    let expected = Expected {
        service: &verify.build.service,
        environment: &verify.build.environment,
        artifact: verify.build.artifact.as_deref(),
        commit: verify.build.commit.as_deref(),
        content_digest: verify.content_digest.as_deref(),
        now: now.as_second(),
        purpose: verify.purpose.as_deref().map(|word| match word {
            "rollback" => Purpose::Rollback,
            _ => Purpose::Deploy,
        }),
        max_list_age_seconds: verify.max_list_age.map(i64::unsigned_abs),
    };
    let verified = proof::permit::verify(&permit, &keys, list.as_ref(), &expected);
    let of_member = |claims| proof::permit::check_member(&claims, verify.member.as_deref()).map(|()| claims);
    match verified.and_then(of_member) {
        Ok(claims) => Ok(describe(output, 0, "good", &sentence(&claims), Some(&claims))),
        Err(refused) => {
            // An untrusted list counts as none; the cause of the distrust is more useful than a note that the list is missing.
            let refused = match list_trouble {
                Some(trouble) if refused.code == "no_list" => trouble,
                _ => refused,
            };
            Ok(describe(
                output,
                refused.outcome.exit_code(),
                refused.code,
                &refused.text,
                None,
            ))
        }
    }
}

/// Opens a list, and unites it with the revocations of earlier ones where they are remembered.
fn open_list(text: &str, keys: &Jwks, remember: Option<&Path>) -> Result<std::result::Result<RevocationList, Refused>> {
    let list = match RevocationList::open(text, keys) {
        Ok(list) => list,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(path) = remember else { return Ok(Ok(list)) };
    let wrong = |why: String| Failure::could_not(format!("{} cannot be used: {why}.", path.display()));
    let mut remembered = match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice::<Remembered>(&bytes).map_err(|error| wrong(error.to_string()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Remembered::new(&keys.tenant),
        Err(error) => return Err(wrong(error.to_string())),
    };
    if remembered.tenant != keys.tenant {
        return Err(wrong(format!("it is of the tenant `{}`", remembered.tenant)));
    }
    if let Err(refused) = remembered.take(&list) {
        return Ok(Err(refused));
    }
    // Written beside and renamed, so that a crash leaves the old one whole.
    let beside = path.with_extension("new");
    let written = std::fs::write(&beside, json!(remembered).to_string()).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| wrong(error.to_string()))?;
    Ok(Ok(remembered.united(&list)))
}

fn sentence(claims: &Claims) -> String {
    let until = Timestamp::from_second(claims.exp)
        .map(|at| at.to_string())
        .unwrap_or_default();
    let how = if claims.break_glass {
        ", given under break-glass"
    } else {
        ""
    };
    format!("{} may go to {} until {until}{how}.", claims.sub, claims.aud)
}

fn describe(output: &Output, code: u8, reason: &str, text: &str, claims: Option<&Claims>) -> u8 {
    let (outcome, tone) = match code {
        0 => ("good", Tone::Good),
        1 => ("bad", Tone::Bad),
        _ => ("cannot tell", Tone::Warn),
    };
    let mut value = json!({"outcome": outcome.replace(' ', "_"), "code": reason, "text": text});
    if let Some(claims) = claims {
        value["claims"] = json!(claims);
    }
    output.data(&value, |output| {
        output.line(&format!("{}: {text} ({reason})", output.tone(tone, outcome)))
    });
    code
}
