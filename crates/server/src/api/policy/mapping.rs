//! The mapping: the version in force, proposing, explaining, trying.

use acts::integration::mapping_facts;
use acts::policy::set_mapping;
use model::core::{act, typed};
use serde_json::{Value, json};

use crate::http::caller::Scope;
use crate::http::route::{Reply, Route};

/// The mapping from deployments to kinds of change.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_mapping", |cx, _| {
        cx.allow(act::actions::READ)?;
        let rules = mapping_facts::in_force(cx)?;
        let from = cx.directory()?.tenant.as_ref().and_then(|it| it.mapping_from.clone());
        Ok(Reply::ok(json!({"rules": rules, "configuration": from})))
    }),
    Route::writes("propose_mapping", |cx, ask| {
        let made = set_mapping::propose_mapping(cx, &ask.body)?;
        let directory = cx.directory()?;
        Ok(Reply::created(wire::views::shown(&made, &directory)).tagged(made.version))
    })
    .scope(Scope::Admin),
    Route::asks("explain_mapping", |cx, ask| {
        let (facts, mapped) = set_mapping::explain_mapping(cx, &ask.body)?;
        Ok(Reply::ok(plain(json!({"facts": facts, "mapped": mapped}))))
    }),
    Route::asks("try_mapping", |cx, ask| {
        let tried = set_mapping::try_mapping(cx, &ask.body)?;
        let differ = tried.iter().filter(|it| it.differs).count();
        Ok(Reply::ok(plain(json!({"deployments": tried, "differ": differ}))))
    })
    .scope(Scope::Admin),
];

/// Facts with their texts as readers know them, without the form in which records keep them.
fn plain(mut body: Value) -> Value {
    typed::flatten(&mut body);
    body
}
