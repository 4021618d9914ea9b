//! `assent audit renew-codes`, on the host: gives the rows of a tenant new codes after a full replay found no difference, by two
//! people, with an event in the log. It is for data that came back without its codes.

use std::sync::Arc;

use acts::audit::replay_log::{Progress, ReplayReport};
use clap::Args;
use serde_json::json;

use crate::bridge::Host;
use crate::commands::identity::passwords::read_password;
use crate::failure::{Failure, Result};
use crate::output::{Output, clean};
use crate::place::Place;
use crate::progress;

/// Two people and where their data is.
#[derive(Debug, Args)]
pub struct RenewCodes {
    /// Where the data is.
    #[command(flatten)]
    pub place: Place,
    /// The tenant.
    #[arg(long)]
    pub tenant: String,
    /// The login of the one who answers for it.
    #[arg(long, value_name = "LOGIN")]
    pub by: String,
    /// Where their password is, `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub by_password_file: String,
    /// The login of the other one: one of the two is an administrator, both are administrators, auditors or security people.
    #[arg(long, value_name = "LOGIN")]
    pub and: String,
    /// Where the other's password is, `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub and_password_file: String,
}

/// Replays, reads both people's passwords, writes the codes and replays once more by them.
pub(crate) fn renew_codes(asked: &RenewCodes, output: &Output) -> Result<u8> {
    let settings = asked.place.settings_of_data()?;
    let passwords = [
        read_password(&asked.by_password_file)?,
        read_password(&asked.and_password_file)?,
    ];
    let tenant = asked.tenant.as_str();
    let host = Host::open_uncoded(&settings)?;
    if !host.tenants()?.iter().any(|known| known == tenant) {
        return Err(Failure::could_not(format!("There is no tenant `{tenant}` here.")));
    }
    if !host.remembers_log(tenant) {
        let text = format!(
            "Nothing here remembers the log of {tenant}, so a log that was set back would not be found. Copy `seen-logs.json` of the \
             server that served it last into the folder of the data."
        );
        return Err(Failure::could_not(text));
    }
    let before = replayed(&host, tenant, output)?;
    let logins = [asked.by.clone(), asked.and.clone()];
    let people = host.answerers(tenant, &logins, &passwords)?;
    host.renew_codes(tenant, &people, before.records)?;
    // Rows written into the database between the replay and the codes would have codes now.
    let again = replayed(&host, tenant, output);
    host.close();
    if let Err(failure) = again {
        let host = Host::open_uncoded(&settings)?;
        host.take_codes_away(tenant)?;
        host.close();
        return Err(failure);
    }
    let told = json!({"tenant": tenant, "by": logins, "records": before.records});
    output.data(&told, |output| {
        output.line(&format!(
            "{} rows of {tenant} have new codes, by {} and {}; all sessions ended. The log tells it as `log.codes_renewed`",
            before.records, logins[0], logins[1]
        ));
    });
    Ok(0)
}

/// The report of a replay without any difference.
fn replayed(host: &Host, tenant: &str, output: &Output) -> Result<ReplayReport> {
    let bar = progress::bar(output);
    let moving = bar.clone();
    let tell: Progress = Arc::new(move |what, done| {
        moving.set_message(what.to_owned());
        moving.set_position(done);
        true
    });
    let report = host.replay(tenant, &tell)?;
    bar.finish_and_clear();
    let report = report.map_err(|why| Failure::could_not(format!("The storage cannot be read: {why}.")))?;
    let of_log = report.log.as_ref().map_or(2, |log| log.outcome.exit_code());
    if report.findings.is_empty() && of_log == 0 {
        return Ok(report);
    }
    let first = report.findings.first();
    let first = first.map_or_else(
        || "its log does not verify".to_owned(),
        |found| clean(&format!("{}: {}", found.place(), found.what)),
    );
    Err(Failure::could_not(format!(
        "The rows of {tenant} differ from its log ({} findings; the first: {first}), so they get no codes. `assent audit replay` \
         names them all; bring a backup back that is equal to the log.",
        report.findings.len()
    )))
}
