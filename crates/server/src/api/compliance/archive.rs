//! The archive: its contents, and whether it holds a given change.

use acts::Context;
use acts::compliance::archive_changes::{self, COUNTED};
use model::core::act::actions;
use serde_json::{Value, json};

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The archive and the segment of a change.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_archive", show).scope(Scope::Audit),
    Route::reads("show_archived_change", show_change).scope(Scope::Audit),
];

fn show(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::AUDIT)?;
    let report = archive_changes::report(cx)?;
    Ok(Reply::ok(json!({
        "after_days": report.after_days,
        "changes": report.state.changes,
        "segments": report.state.segments,
        "bytes": report.state.size,
        "bytes_opened": report.state.plain,
        "moved_at": report.state.moved_at.map(|at| at.to_string()),
        "waiting": report.waiting,
        "is_more_waiting": report.waiting >= COUNTED,
    })))
}

fn show_change(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::AUDIT)?;
    let (key, held) = archive_changes::segment_of(cx, ask.place(0))?;
    let held = held.map_or(Value::Null, |held| {
        json!({
            "segment": format!("sha256:{}", held.segment),
            "bytes": held.size,
            "bytes_opened": held.plain,
            "is_in_file": held.in_folder,
            "is_in_bucket": held.in_bucket,
            "archived_at": held.at.to_string(),
            "changes": held.changes,
            "records": held.rows,
            "texts": held.texts,
        })
    });
    Ok(Reply::ok(json!({"key": key, "held": held})))
}
