//! `assent audit replay`, on the host: rebuilds the records from the events and compares.

use std::sync::Arc;

use acts::audit::replay_log;
use serde_json::{Value, json};

use crate::bridge::{self, Damage};
use crate::failure::{Failure, Result};
use crate::output::{Output, Tone, clean};
use crate::place::Place;

/// Replays one tenant or all, after a look at the storage itself.
pub(crate) fn replay(place: &Place, tenant: Option<&str>, output: &Output) -> Result<u8> {
    let settings = place.settings_of_data()?;
    let mut damage = bridge::Host::find_damage(&settings)?;
    let (host, strays, mut tenants) = match opened(&settings) {
        Ok(opened) => opened,
        // Why it does not open was found already, and it is bad, not merely unknown.
        Err(failure) if !damage.is_empty() => {
            let what = format!("Nothing else was compared: {}", failure.text());
            damage.push(Damage::of_database(what));
            return Ok(print_replays(output, &damage, &[], 1));
        }
        Err(failure) => return Err(failure),
    };
    damage.extend(strays);
    if let Some(tenant) = tenant {
        tenants.retain(|known| known == tenant);
        if tenants.is_empty() {
            return Err(Failure::could_not(format!("There is no tenant `{tenant}` here.")));
        }
    }
    let bar = crate::progress::bar(output);
    let moving = bar.clone();
    let progress: replay_log::Progress = Arc::new(move |what, done| {
        moving.set_message(what.to_owned());
        moving.set_position(done);
        true
    });
    let mut code = u8::from(!damage.is_empty());
    let mut reports = Vec::new();
    for tenant in &tenants {
        let report = match host.replay(tenant, &progress)? {
            Ok(report) => report,
            Err(why) => {
                let what =
                    format!("The storage cannot be read any further: {why}. The comparison of {tenant} ended there.");
                damage.push(Damage::of_database(what));
                code = 1;
                continue;
            }
        };
        let is_equal = report.findings.is_empty();
        let of_log = report.log.as_ref().map_or(2, |log| log.outcome.exit_code());
        // A proven fault outweighs an unknown result.
        code = match (is_equal && of_log != 1, of_log) {
            (false, _) => 1,
            (true, 2) if code == 0 => 2,
            _ => code,
        };
        reports.push(json!({"tenant": tenant, "is_equal": is_equal, "report": report}));
    }
    bar.finish_and_clear();
    Ok(print_replays(output, &damage, &reports, code))
}

/// The data, opened without changing it, the rows of no tenant in it, and its tenants.
fn opened(settings: &server::Settings) -> Result<(bridge::Host, Vec<Damage>, Vec<String>)> {
    if let Some(first) = bridge::Host::waiting_migrations(settings)?.first() {
        let text = format!(
            "The migration {first} was not run on this database, or nothing tells of it. A comparison changes nothing: \
             replay with the version that serves it, or start the server of this version once."
        );
        return Err(Failure::could_not(text));
    }
    let host = bridge::Host::open(settings)?;
    let (strays, tenants) = (host.strays()?, host.tenants()?);
    Ok((host, strays, tenants))
}

fn print_replays(output: &Output, damage: &[Damage], reports: &[Value], code: u8) -> u8 {
    let findings: Vec<Value> = damage
        .iter()
        .map(|it| json!({"table": it.table, "id": it.id, "field": it.column, "what": it.what}))
        .collect();
    let storage = json!({"is_sound": damage.is_empty(), "findings": findings});
    output.data(&json!({"tenants": reports, "storage": storage}), |output| {
        if !damage.is_empty() {
            output.line(&format!("storage: {}", output.tone(Tone::Bad, "damaged")));
        }
        for found in damage {
            output.line(&clean(&format!("  - {}: {}", bridge::place_of(found), found.what)));
        }
        reports.iter().for_each(|report| print_replay(output, report));
    });
    code
}

fn print_replay(output: &Output, replay: &Value) {
    let report = &replay["report"];
    let (word, tone) = if replay["is_equal"] == true {
        ("equal", Tone::Good)
    } else {
        ("differs", Tone::Bad)
    };
    let text = |name: &str| crate::output::text_of(report, name);
    output.line(&format!(
        "{}: {}, {} records and {} events compared, {} files of evidence hashed, log {}",
        crate::output::text_of(replay, "tenant"),
        output.tone(tone, word),
        text("records"),
        text("events"),
        text("files"),
        crate::output::text_of(&report["log"], "outcome")
    ));
    for finding in crate::output::array(report, "findings") {
        let field = crate::output::text_of(finding, "field");
        let place = format!(
            "{} {} {field}",
            crate::output::text_of(finding, "table"),
            crate::output::text_of(finding, "id")
        );
        output.line(&clean(&format!(
            "  - {}: {}",
            place.trim_end(),
            crate::output::text_of(finding, "what")
        )));
    }
    for finding in crate::output::array(&report["log"], "findings") {
        output.line(&format!("  - log: {}", crate::output::text_of(finding, "text")));
    }
}
