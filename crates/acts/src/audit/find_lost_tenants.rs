//! Finds tenants whose rows were all removed: their own logs are gone with them, so records elsewhere must name them.

use std::collections::BTreeSet;

use model::change::change_file::Actor;
use store::audit::event;
use store::{Lane, Mode, SYSTEM_TENANT, servers};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::transactions::Transactions;

/// The tenants without a row that the system's log or the memory of this server (`seen-logs.json`) names.
///
/// # Errors
/// The store's.
pub fn find_lost_tenants(executor: &impl Transactions) -> Result<Vec<String>> {
    let there = executor.wait_across(Lane::Worker, "which tenants there are", Mode::Read, |tx| {
        Ok(servers::tenants(tx)?)
    })?;
    let noted = executor.wait(Lane::Worker, SYSTEM_TENANT, Actor::system(), Mode::Read, noted_tenants)?;
    let seen = executor.tools().seen_logs.tenants();
    let known: BTreeSet<String> = noted.into_iter().chain(seen).collect();
    let is_lost = |tenant: &String| tenant != SYSTEM_TENANT && !there.contains(tenant);
    Ok(known.into_iter().filter(is_lost).collect())
}

/// The tenants whose logs are named in the system's log; call it as the system.
///
/// # Errors
/// The store's.
pub fn noted_tenants(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    Ok(event::subjects(cx.tx, "log")?)
}
