//! Argo CD notifications whose template sends the application itself, `{"app": {{toJson .app}}}`, on the triggers for being out of
//! sync and for being synced (the shape is that of the Application resource, `argoproj.io/v1alpha1`).
//!
//! An application that is out of sync because its repository moved on waits for its deployment, and nothing drifted. The
//! application drifted if the compared revision is the one that was synced last. The natural key of a difference is the
//! resource of the application. Argo CD reports which resources differ, but not the difference.

use jiff::Timestamp;
use model::incident::drift::{Difference, DriftReport, EXISTENCE};
use model::integration::signal::{self, SetAside, Signal};
use serde::Deserialize;

use crate::incident::form::{parse, report};

/// The attribute of a resource that differs in anything.
const SYNC: &str = "sync";

#[derive(Deserialize)]
struct Body {
    app: App,
}

#[derive(Deserialize)]
struct App {
    metadata: Metadata,
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    sync: Option<Sync>,
    reconciled_at: Option<String>,
    operation_state: Option<Operation>,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Sync {
    status: String,
    revision: Option<String>,
    #[serde(default)]
    revisions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    phase: String,
    sync_result: Option<SyncResult>,
}

#[derive(Deserialize)]
struct SyncResult {
    revision: Option<String>,
    #[serde(default)]
    revisions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(default)]
    group: String,
    kind: String,
    #[serde(default)]
    namespace: String,
    name: String,
    status: Option<String>,
    #[serde(default)]
    requires_pruning: bool,
}

/// Reads a notification.
///
/// # Errors
/// [`SetAside`] where a needed field is missing.
pub(super) fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let app = parse::<Body>(body)?.app;
    let name = signal::name("app.metadata.name", &app.metadata.name)?;
    let Some(sync) = &app.status.sync else {
        return Err(SetAside::because(
            "`app.status.sync` is missing: send the whole application",
        ));
    };
    let differences = match sync.status.as_str() {
        "Synced" => Vec::new(),
        "OutOfSync" if is_synced_revision(sync, app.status.operation_state.as_ref()) => app
            .status
            .resources
            .iter()
            .filter_map(|it| difference(&name, it))
            .collect(),
        "OutOfSync" => return Ok(noted("it waits for the sync of a newer revision")),
        other => return Ok(noted(other)),
    };
    let found = DriftReport {
        scope: name,
        taken_at: app
            .status
            .reconciled_at
            .and_then(|text| text.parse().ok())
            .unwrap_or(received_at),
        is_complete: true,
        is_log: false,
        clean: Vec::new(),
        count: 0,
        differences,
    };
    Ok(vec![report(found, body, received_at)?])
}

fn noted(action: &str) -> Vec<Signal> {
    vec![Signal::Unknown {
        event: "argocd_drift".to_owned(),
        action: Some(action.to_owned()),
    }]
}

/// Whether the last sync succeeded, and with the very revision that the application is compared with.
fn is_synced_revision(sync: &Sync, operation: Option<&Operation>) -> bool {
    let Some(result) = operation
        .filter(|it| it.phase == "Succeeded")
        .and_then(|it| it.sync_result.as_ref())
    else {
        return false;
    };
    let is_one = sync.revision.is_some() && sync.revision == result.revision;
    let are_several = !sync.revisions.is_empty() && sync.revisions == result.revisions;
    is_one && sync.revisions == result.revisions || are_several
}

fn difference(app: &str, resource: &Resource) -> Option<Difference> {
    if resource.status.as_deref() != Some("OutOfSync") {
        return None;
    }
    let kind = match resource.group.as_str() {
        "" => resource.kind.clone(),
        group => format!("{}.{group}", resource.kind),
    };
    let (attribute, found) = match resource.requires_pruning {
        true => (EXISTENCE, Some("present".to_owned())),
        false => (SYNC, None),
    };
    Some(Difference {
        address: format!("{app}/{}/{kind}/{}", resource.namespace, resource.name),
        attribute: attribute.to_owned(),
        found,
        digest: None,
        at: None,
        doer: None,
    })
}
