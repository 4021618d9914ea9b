//! `assent permit`: verifies a permit offline, revokes one.

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use proof::jwks::Jwks;
use proof::permit::{Claims, Expected};
use proof::revocation::RevocationList;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::commands::gate::build::Build;
use crate::common::Common;
use crate::failure::{Result, read_file, read_text};
use crate::output::{Output, Tone, text_of};

/// Permits.
#[derive(Debug, Subcommand)]
pub enum Permit {
    /// Verify a permit without asking anybody; exit 0 good, 1 bad, 2 cannot tell.
    #[command(
        after_help = "Example: assent permit verify permit.jwt --service booking-api --environment production \\\n           \
        --artifact sha256:… --keys jwks.json --revocations revocations.jwt"
    )]
    Verify(Verify),
    /// Use a permit up at the server's gate: the first who asks has it; exit 0 yes, 1 no.
    #[command(
        after_help = "Example: assent permit consume permit.jwt --service booking-api --environment production --artifact sha256:…"
    )]
    Consume(Consume),
    /// Revoke a permit.
    #[command(after_help = "Example: assent permit revoke 0193… --reason 'wrong build'")]
    Revoke {
        /// The permit's id (`jti`).
        jti: String,
        /// Why.
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
            let jti = server::gateway::permit_id(read_text(&wanted.file)?.trim());
            let path = format!("/permits/{}/consumption", encode(&jti));
            let body = Value::Object(wanted.build.body());
            let answer = Client::new(common)?.post(&path, &body)?.body;
            output.data(&answer, |output| {
                output.line(&format!("used up {}", text_of(&answer, "id")))
            });
            Ok(0)
        }
        Permit::Revoke { jti, reason } => {
            let path = format!("/permits/{}/revocation", encode(jti));
            let answer = Client::new(common)?.post(&path, &json!({"reason": reason}))?.body;
            output.data(&answer, |output| {
                output.line(&format!("revoked {}", text_of(&answer, "id")))
            });
            Ok(0)
        }
    }
}

/// Verifies a permit; answers the exit code.
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
            return Ok(told(
                output,
                2,
                "keys_unreadable",
                &format!("The key set cannot be used: {error}."),
                None,
            ));
        }
    };
    let (list, list_trouble) = match verify.revocations.as_deref() {
        None => (None, None),
        Some(path) => match RevocationList::open(&read_text(path)?, &keys) {
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
        max_list_age_seconds: verify.max_list_age.map(i64::unsigned_abs),
    };
    match proof::permit::verify(&permit, &keys, list.as_ref(), &expected) {
        Ok(claims) => Ok(told(output, 0, "good", &sentence(&claims), Some(&claims))),
        Err(refused) => {
            // An untrusted list counts as none; why it is untrusted tells more than that there is none.
            let refused = match list_trouble {
                Some(trouble) if refused.code == "no_list" => trouble,
                _ => refused,
            };
            Ok(told(
                output,
                refused.outcome.exit_code(),
                refused.code,
                &refused.text,
                None,
            ))
        }
    }
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

fn told(output: &Output, code: u8, reason: &str, text: &str, claims: Option<&Claims>) -> u8 {
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
