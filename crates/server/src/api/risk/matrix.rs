//! The risk matrix of a change.

use acts::Context;
use model::core::act::actions;
use model::core::enums::{Level, NodeKind};
use model::risk::matrix::{MatrixCell, MatrixInput, Way, matrix};
use model::risk::source::Source;
use serde_json::{Value, json};

use crate::http::route::{Ask, Reply, Route};

/// The matrix.
pub(crate) const ROUTES: &[Route] = &[Route::reads("show_risk_matrix", show_matrix)];

fn show_matrix(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let key = cx.change(ask.place(0))?.key;
    let file = cx.file(&key)?;
    // A way through the graph names services outside of any scope.
    let is_scoped = cx.scope()?.is_some();
    let found = matrix(&file, &*cx.directory()?, cx.now);
    Ok(Reply::ok(json!({
        "level": file.change.risk.level,
        "reasons": file.change.risk.reasons,
        "inputs": found.inputs.iter().map(|it| input(it, is_scoped)).collect::<Vec<_>>(),
        "cells": found.cells.iter().map(cell).collect::<Vec<_>>(),
        "ways": found.ways.iter().map(way).collect::<Vec<_>>(),
    })))
}

fn input(input: &MatrixInput, is_scoped: bool) -> Value {
    let mut view = json!({"fact": input.fact.as_str(), "counts": input.counts});
    let told: [(&str, Option<Level>); 2] = [("stated", input.stated), ("derived", input.derived)];
    for (name, level) in told {
        if let Some(level) = level {
            view[name] = json!(level);
        }
    }
    if !input.facts.is_empty() {
        view["facts"] = json!(input.facts);
    }
    let is_shown = |source: &&Source| !is_scoped || source.path.len() < 2;
    if let Some(source) = input.source.as_ref().filter(is_shown) {
        view["from"] = json!(source.told());
        let step = |(kind, key): &(NodeKind, String)| json!({"kind": kind, "key": key});
        view["path"] = json!(source.path.iter().map(step).collect::<Vec<_>>());
    }
    view
}

fn cell(cell: &MatrixCell) -> Value {
    let mut view = json!({
        "impact": cell.impact, "complexity": cell.complexity, "level": cell.level, "is_here": cell.is_here,
    });
    if let Some(way) = &cell.way {
        view["way"] = json!(way);
    }
    view
}

fn way(way: &Way) -> Value {
    json!({"text": way.text, "impact": way.impact, "complexity": way.complexity, "level": way.level})
}
