//! Configurations: their ids, the digests of their content, the one in force of each kind, and the people to notify.

use model::approval::sla::{self, ROWS, SlaTable};
use model::compliance::erasure::Retention;
use model::core::enums::{ConfigurationKind, ConfigurationState, Role};
use model::core::ids::{PersonId, RecordId};
use model::core::refusal::Refusal;
use model::directory::snapshot::Tenant;
use model::incident::watch_table::WatchTable;
use model::policy::configuration::Configuration;
use model::policy::mapping::MappingRule;
use model::risk::assessment::RiskTable;
use model::risk::terms::RiskTerms;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::Written;

/// A configuration by its id.
///
/// # Errors
/// 404, or the store's.
pub fn configuration(cx: &mut Context<'_, '_>, id: &str) -> Result<Configuration> {
    let found = record::load::<Configuration>(cx.tx, id)?.map(|stored| stored.record);
    found.ok_or_else(|| Refusal::not_found("configuration").into())
}

/// Takes a proposal back.
pub(crate) fn take_back(cx: &mut Context<'_, '_>, proposal: Configuration) -> Result<Configuration> {
    let data = json!({"digest": proposal.digest});
    let withdrawn = Configuration {
        state: ConfigurationState::Withdrawn,
        ..proposal
    };
    cx.put_estate("configuration.withdrawn", withdrawn, data)
}

/// Withdraws the waiting proposals of compromised accounts, and those made with a credential that such an account issued: an
/// attacker may have written them, and then only one person would have checked them.
pub(crate) fn withdraw_of(cx: &mut Context<'_, '_>, accounts: &[PersonId]) -> Result<()> {
    let waiting = Filter::new()
        .equals("state", ConfigurationState::Proposed.as_str())
        .order_by("id");
    for stored in record::find::<Configuration>(cx.tx, &waiting)? {
        let proposal = stored.record;
        let mut proposers = std::iter::once(&proposal.proposer).chain(&proposal.handed_by);
        if proposers.any(|it| accounts.contains(it)) {
            take_back(cx, proposal)?;
        }
    }
    Ok(())
}

/// The digest of the configuration of a kind in force; empty for a kind whose configurations do not replace each other.
///
/// # Errors
/// The store's.
pub fn in_force(cx: &mut Context<'_, '_>, kind: ConfigurationKind) -> Result<String> {
    Ok(present(cx, kind)?.1.1)
}

/// The tenant with its configuration of this kind: the id, unless it came with the program, and the digest.
pub(crate) fn present(
    cx: &mut Context<'_, '_>,
    kind: ConfigurationKind,
) -> Result<(Tenant, (Option<RecordId>, String))> {
    let directory = cx.directory()?;
    let tenant = directory.tenant.clone().ok_or_else(|| Refusal::not_found("tenant"))?;
    let in_force = match kind {
        ConfigurationKind::Policies => &tenant.policies,
        ConfigurationKind::RiskTable => &tenant.risk_table_from,
        ConfigurationKind::Mapping => &tenant.mapping_from,
        ConfigurationKind::SlaTable => &tenant.sla_table_from,
        ConfigurationKind::WatchTable => &tenant.watch_table_from,
        ConfigurationKind::MajorSeverity => &tenant.major_severity_from,
        ConfigurationKind::Retention => &tenant.retention_from,
        // Ownership rows exist beside each other: none replaces another.
        ConfigurationKind::Ownership => &None,
    };
    let before = match (in_force, kind) {
        (Some(in_force), _) => (Some(in_force.id.clone()), in_force.digest.clone()),
        (None, ConfigurationKind::Policies) => (None, cx.services.tools().shipped(Some(&tenant)).digest().to_owned()),
        (None, ConfigurationKind::RiskTable) => (None, of_risk_table(&tenant.risk_table, &tenant.risk_terms)?),
        (None, ConfigurationKind::Mapping) => (None, of_mapping(&tenant.mapping)?),
        (None, ConfigurationKind::SlaTable) => (None, of_sla_table(&tenant.sla_table)?),
        (None, ConfigurationKind::WatchTable) => (None, of_watch_table(&tenant.watch_table)?),
        (None, ConfigurationKind::MajorSeverity) => (None, of_major_severity(tenant.major_severity)?),
        (None, ConfigurationKind::Retention) => (None, of_retention(&tenant.retention)?),
        (None, ConfigurationKind::Ownership) => (None, String::new()),
    };
    Ok((tenant, before))
}

/// The digest of a risk table with its terms: over their canonical JSON. Usual terms are no part of it.
///
/// # Errors
/// A fault when there is no canonical form.
pub fn of_risk_table(table: &RiskTable, terms: &RiskTerms) -> Result<String> {
    let table = serde_json::to_value(table)?;
    let whole = match terms.is_usual() {
        true => table,
        false => json!({"table": table, "terms": terms}),
    };
    Ok(proof::canonical::digest(&whole)?)
}

/// The digest of a mapping: over its canonical JSON.
///
/// # Errors
/// A fault when there is no canonical form.
pub fn of_mapping(rules: &[MappingRule]) -> Result<String> {
    Ok(proof::canonical::digest(&serde_json::to_value(rules)?)?)
}

/// The digest of a table: over its canonical JSON.
///
/// # Errors
/// A fault when there is no canonical form.
pub fn of_sla_table(table: &SlaTable) -> Result<String> {
    Ok(proof::canonical::digest(&sla_view(table))?)
}

/// The digest of a table of watch windows: over its canonical JSON.
///
/// # Errors
/// A fault when there is no canonical form.
pub fn of_watch_table(table: &WatchTable) -> Result<String> {
    Ok(proof::canonical::digest(&serde_json::to_value(table)?)?)
}

/// The digest of the bound of major incidents: over its canonical JSON.
///
/// # Errors
/// A fault when there is no canonical form.
pub fn of_major_severity(bound: i64) -> Result<String> {
    Ok(proof::canonical::digest(&json!({"major_severity": bound}))?)
}

/// The digest of a retention: over its canonical JSON.
///
/// # Errors
/// A fault when there is no canonical form.
pub fn of_retention(retention: &Retention) -> Result<String> {
    Ok(proof::canonical::digest(&serde_json::to_value(retention)?)?)
}

/// The table as the API shows it: `{"emergency": {"acknowledge": "15m", "decide": "1h"}, …}`.
pub fn sla_view(table: &SlaTable) -> Value {
    let mut rows = serde_json::Map::new();
    for name in ROWS {
        if let Some(row) = table.named(name) {
            let word = sla::span_text;
            let cells = json!({"acknowledge": word(row.acknowledge), "decide": word(row.decide)});
            rows.insert(name.to_owned(), cells);
        }
    }
    Value::Object(rows)
}

/// How something came in force.
pub(crate) enum How {
    /// Activated; with the digest on which the proposal was based, if another one was in force by then.
    Activated {
        /// The digest.
        proposed_over: Option<String>,
    },
    /// Restored on the host.
    Recovered,
}

/// Notifies administrators and change managers that the requirements for their work have changed.
///
/// # Errors
/// The store's.
pub(crate) fn notify_people(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    active: &Configuration,
    how: &How,
) -> Result<()> {
    let directory = cx.directory()?;
    let what = match active.kind {
        ConfigurationKind::Policies => "The policies",
        ConfigurationKind::RiskTable => "The risk table",
        ConfigurationKind::Mapping => "The mapping",
        ConfigurationKind::Ownership => "Rows of the ownership matrix",
        ConfigurationKind::SlaTable => "The times to acknowledge and to decide",
        ConfigurationKind::WatchTable => "The watch windows",
        ConfigurationKind::MajorSeverity => "The severity of major incidents",
        ConfigurationKind::Retention => "The times for which texts, files and raw deliveries are kept",
    };
    let by = directory.name(&cx.actor.person);
    let (subject, text) = match how {
        How::Activated { proposed_over } => {
            let moved = proposed_over.as_ref().map_or_else(String::new, |over| {
                format!("\nIt was proposed over {over}: what went in force since then is taken back by it.")
            });
            let by = format!("{what} were put in force by {by}: {}.{moved}", active.reason);
            (format!("{what} have changed"), by)
        }
        How::Recovered => {
            let text = "The set of policies before the last one was brought back on the server itself.".to_owned();
            (format!("{what} were recovered on the host"), text)
        }
    };
    let text = format!(
        "{text}\nBefore: {}\nNow: {}\nEvery open change was judged again.\n",
        active.before.as_deref().unwrap_or_default(),
        active.digest
    );
    let mut people = directory.with_role(Role::Admin);
    people.extend(directory.with_role(Role::ChangeManager));
    people.sort();
    people.dedup();
    for person in people {
        let dedup = format!("configuration:{}:{}:{}", active.id, active.version, person);
        let message = ("configuration_changed", subject.as_str(), text.as_str(), dedup.as_str());
        save_message(cx, written, &person, None, message)?;
    }
    Ok(())
}
