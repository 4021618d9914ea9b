//! `assent audit accept-loss`, on the host: two people accept that the entries behind an older copy are lost, after a replay found
//! that the copy agrees with its own log. The data can be written again afterwards.

use serde_json::json;

use crate::bridge::Host;
use crate::commands::audit::renew_codes::RenewCodes;
use crate::commands::identity::passwords::read_password;
use crate::failure::{Failure, Result};
use crate::output::Output;

/// The log of the server itself; it is behind whenever a tenant's is.
const SYSTEM: &str = "system";

/// Reads the passwords of both people, writes the event and stores the log's current state as seen.
pub(crate) fn accept_loss(asked: &RenewCodes, output: &Output) -> Result<u8> {
    let settings = asked.place.settings_of_data()?;
    let passwords = [
        read_password(&asked.by_password_file)?,
        read_password(&asked.and_password_file)?,
    ];
    let tenant = asked.tenant.as_str();
    let host = Host::open(&settings)?;
    if !host.tenants()?.iter().any(|known| known == tenant) {
        return Err(Failure::could_not(format!("There is no tenant `{tenant}` here.")));
    }
    let behind = host.behind()?;
    let Some((_, why)) = behind.iter().find(|(name, _)| name == tenant) else {
        return Err(Failure::could_not(format!(
            "Nothing is lost: the log of {tenant} is as long as it was seen."
        )));
    };
    let logins = [asked.by.clone(), asked.and.clone()];
    let people = host.answerers(tenant, &logins, &passwords)?;
    let mut told = Vec::new();
    for name in [tenant, SYSTEM] {
        if !behind.iter().any(|(known, _)| known == name) {
            continue;
        }
        let (has, seen) = host.accept_loss(name, &people)?;
        told.push(
            json!({"tenant": name, "has": has, "seen": seen, "first_lost": has, "last_lost": seen.saturating_sub(1)}),
        );
    }
    for name in [tenant, SYSTEM] {
        host.give_up(&settings.data_dir, name)?;
    }
    host.close();
    let value = json!({"why": why, "by": logins, "logs": told});
    output.data(&value, |output| {
        for log in &told {
            output.line(&format!(
                "{}: entries {} to {} are lost, accepted by {} and {}; the log tells it as `log.loss_accepted`",
                log["tenant"].as_str().unwrap_or_default(),
                log["first_lost"],
                log["last_lost"],
                logins[0],
                logins[1]
            ));
        }
    });
    output.next(&format!("assent serve --data {}", settings.data_dir.display()));
    Ok(0)
}
