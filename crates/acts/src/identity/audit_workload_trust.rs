//! Finds workloads that were set before it was refused to trust any repository or job. Such workloads keep working until they
//! are set again. The owner of each workload is notified once.

use jiff::Timestamp;
use model::core::enums::Role;
use model::core::ids::PersonId;
use model::directory::snapshot::Directory;
use model::integration::workload::Workload;
use serde_json::json;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::identity::set_workload::workloads;

/// The table whose rows are examined.
pub const TABLE: &str = "workload";

/// The workloads that accept jobs of any repository, in the order of their keys.
///
/// # Errors
/// The store's.
pub fn doubted(cx: &mut Context<'_, '_>) -> Result<Vec<Workload>> {
    let mut found = workloads(cx)?;
    found.retain(Workload::trusts_anybody);
    Ok(found)
}

/// Such workloads whose owner was not notified yet.
pub(crate) fn unreported(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let found = doubted(cx)?.into_iter().filter(|it| it.doubted_at.is_none());
    Ok(found.map(|it| it.id.0).collect())
}

/// Notifies the owner of a workload, and administrators when that owner reads no letters any more.
pub(crate) fn run(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(stored) = record::load::<Workload>(cx.tx, id)? else {
        return Ok(());
    };
    let found = stored.record;
    if !found.trusts_anybody() || found.doubted_at.is_some() {
        return Ok(());
    }
    let doubted_at: Option<Timestamp> = Some(cx.now);
    let told = cx.put_estate("workload.doubted", Workload { doubted_at, ..found }, json!({}))?;
    let mut written = Written::default();
    let readers = readers(&*cx.directory()?, &told);
    for person in &readers {
        notify_owner(cx, &mut written, &told, person)?;
    }
    if written.is_empty() {
        return Ok(());
    }
    let event = draft("workload.told", (TABLE, told.id.0.clone()), cx.now, json!({}));
    cx.emit(vec![event], written)
}

fn readers(directory: &Directory, workload: &Workload) -> Vec<PersonId> {
    let owner = directory.people.get(&workload.owner);
    match owner.filter(|it| it.active && !it.is_barred_from_deciding()) {
        Some(owner) => vec![owner.id.clone()],
        None => directory.with_role(Role::Admin).into_iter().collect(),
    }
}

fn notify_owner(cx: &mut Context<'_, '_>, written: &mut Written, workload: &Workload, person: &PersonId) -> Result<()> {
    let url = format!(
        "{}/t/{}/workloads/{}",
        cx.services.tools().public_url,
        cx.tenant(),
        workload.key
    );
    let text = format!(
        "The workload {} accepts jobs of anyone with an account at {}: none of its claims restricts the owner of the job. The \
         workload stays active until it is changed. Name its repositories with their full owner, such as `repository=acme/*` \
         on GitHub or `project_path=acme/*` on GitLab; state that the issuer serves only your organisation, if it does; or end \
         the workload.\n{url}\n",
        workload.name, workload.issuer
    );
    let dedup = format!("workload_doubted/{}/{}/{person}", workload.id, workload.version);
    let letter = (
        "way_in",
        "A workload accepts jobs of anyone",
        text.as_str(),
        dedup.as_str(),
    );
    save_message(cx, written, person, None, letter)
}
