//! Information for a decision: the versions of a change side by side, and its warnings.

use acts::change::compare_versions::compare_versions;
use acts::change::find_warnings::find_warnings;
use serde_json::{Value, json};
use wire::views;

use crate::http::route::{Reply, Route};

/// Versions and warnings.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("compare_versions", |cx, ask| {
        let asked = (ask.query("from"), ask.query("to"));
        let found = compare_versions(cx, ask.place(0), asked)?;
        let mut shown = views::shown(&found, &*cx.visible()?);
        // The digest of a version is what a decision names.
        for (place, version) in found.versions.iter().enumerate() {
            shown["versions"][place]["digest"] = version.digest.clone().into();
        }
        Ok(Reply::ok(shown))
    }),
    Route::reads("show_warnings", |cx, ask| {
        let found = find_warnings(cx, ask.place(0))?;
        let directory = cx.visible()?;
        let values = found.iter().map(|it| {
            let mut value = views::shown(it, &directory);
            value["is_open"] = it.is_open().into();
            value
        });
        let values: Vec<Value> = values.collect();
        Ok(Reply::ok(json!({"warnings": values})))
    }),
];
