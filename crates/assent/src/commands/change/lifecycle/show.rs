//! The form of a change in a terminal.

use serde_json::{Value, json};

use super::card::is_true;
use super::{List, card, path};
use crate::client::{Client, query};
use crate::clock;
use crate::failure::{Failure, Result};
use crate::output::{Output, Tone, array, text_of, unmet_lines};

/// The most items of one page.
const PAGE: u32 = 200;

/// The one-line result of an act, and a useful next step.
pub(super) fn print_done(output: &Output, change: &Value, done: &str) {
    let (key, state) = (text_of(change, "key"), text_of(change, "state"));
    output.data(change, |output| {
        let hold = if is_true(change, "on_hold") { ", on hold" } else { "" };
        output.line(&format!("{key} {done}, {}{hold}", output.tone(Tone::Strong, &state)));
    });
    suggest(output, &key, &state, is_true(change, "on_hold"));
}

/// The result of break-glass: whether it opened anything, and the person or role that it still waits for.
pub(super) fn print_break_glass(client: &Client, change: &Value, output: &Output) -> Result<()> {
    if !waits_for_cosignature(change) {
        print_done(output, change, "used break-glass");
        return Ok(());
    }
    let (key, state) = (text_of(change, "key"), text_of(change, "state"));
    let rows = match output.is_json() {
        true => Vec::new(),
        false => awaited(client, &key)?,
    };
    output.data(change, |output| {
        let state = output.tone(Tone::Strong, &state);
        output.line(&format!("{key} used break-glass, {state}: nothing opened yet"));
        unmet_lines(&rows).iter().for_each(|line| output.line(line));
    });
    output.next(&format!("assent change requirements {key}"));
    Ok(())
}

/// The co-signature that a change's break-glass waits for, as the rules require it.
fn awaited(client: &Client, key: &str) -> Result<Vec<Value>> {
    let list = client.get(&path(key, "/requirements"))?.body;
    let is_awaited = |row: &&Value| text_of(row, "code") == "cosignature_missing";
    Ok(array(&list, "items").iter().filter(is_awaited).cloned().collect())
}

fn waits_for_cosignature(change: &Value) -> bool {
    let glass = &change["break_glass"];
    is_true(glass, "needs_cosignature") && glass.get("cosigned").is_none() && !is_true(glass, "ended")
}

/// Reports that a change no longer follows its template, where an edit made it a normal one.
pub(super) fn print_turned_normal(output: &Output, change: &Value) {
    if !array(change, "turned_normal").is_empty() && !output.is_json() {
        output.line(&format!("  It is a normal change now: {}", card::turned(change)));
    }
}

/// Names the command that leads on from a state.
pub(super) fn suggest(output: &Output, key: &str, state: &str, is_on_hold: bool) {
    let key = if key.is_empty() { "KEY" } else { key };
    if is_on_hold {
        return output.next(&format!("assent change resume {key}"));
    }
    let next = match state {
        "draft" => format!("assent change submit {key}"),
        "assessing" => format!("assent change assess {key}"),
        "authorizing" => format!("assent change requirements {key}, or assent change approve {key}"),
        "approved" => format!("assent change requirements {key}, or assent change schedule {key} --from … --to …"),
        "scheduled" => format!("assent gate check …, or assent change start {key}"),
        "implementing" => format!("assent change complete {key} --outcome succeeded"),
        "reviewing" => format!("assent change requirements {key}, assent change validate {key} --works"),
        "closed" => format!("assent change bundle {key} -o {key}.zip"),
        "rejected" => format!("assent change edit {key} …, which makes it a draft again"),
        _ => return,
    };
    output.next(&next);
}

/// Shows a change.
pub(super) fn show(client: &Client, key: &str, output: &Output) -> Result<()> {
    let change = client.get(&path(key, ""))?.body;
    output.data(&change, |output| card::card(output, &change));
    suggest(
        output,
        &text_of(&change, "key"),
        &text_of(&change, "state"),
        is_true(&change, "on_hold"),
    );
    Ok(())
}

/// Shows the drafted review.
pub(super) fn review_draft(client: &Client, key: &str, output: &Output) -> Result<()> {
    let draft = client.get(&path(key, "/review-draft"))?.body;
    output.data(&draft, |output| {
        for line in text_of(&draft, "summary").lines() {
            output.line(line);
        }
        let is = |name: &str| if is_true(&draft, name) { "yes" } else { "no" }.to_owned();
        output.pairs(&[
            ("objectives met", is("objectives_met")),
            ("assessment adequate", is("assessment_adequate")),
            ("steps adequate", is("steps_adequate")),
        ]);
    });
    output.next(&format!("assent change review {key} --draft"));
    Ok(())
}

/// Lists changes, page by page until the limit.
pub(super) fn list(client: &Client, list: &List, output: &Output) -> Result<()> {
    let now = clock::now();
    let moment = |text: &Option<String>| {
        let at = text.as_deref().map(|text| clock::moment(text, now)).transpose()?;
        Ok::<_, Failure>(at.map(|at| at.to_string()))
    };
    let (from, to) = (moment(&list.planned_from)?, moment(&list.planned_to)?);
    let (ended_from, ended_to) = (moment(&list.ended_from)?, moment(&list.ended_to)?);
    let fields = [
        ("state", list.state.as_deref()),
        ("kind", list.kind.as_deref()),
        ("service", list.service.as_deref()),
        ("environment", list.environment.as_deref()),
        ("artifact", list.artifact.as_deref()),
        ("commit", list.commit.as_deref()),
        ("outcome", list.outcome.as_deref()),
        ("risk", list.risk.as_deref()),
        ("owner", list.owner.as_deref()),
        ("team", list.team.as_deref()),
        ("requester", list.requester.as_deref()),
        ("q", list.q.as_deref()),
        ("planned_from", from.as_deref()),
        ("planned_to", to.as_deref()),
        ("ended_from", ended_from.as_deref()),
        ("ended_to", ended_to.as_deref()),
        ("sort", list.sort.as_deref()),
    ];
    let (items, next) = pages(client, "/changes", &fields, list.limit)?;
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    output.data(&json!({"items": items, "next": next}), |output| {
        output.rows(&["key", "state", "risk", "planned start", "requester", "title"], &rows);
    });
    if next.is_string() {
        output.talk("There are more; --limit shows them.");
    }
    Ok(())
}

fn row(change: &Value) -> Vec<String> {
    // A list may have the level alone where the change has level and reasons.
    let risk = match change.get("risk") {
        Some(risk @ Value::Object(_)) => text_of(risk, "level"),
        _ => text_of(change, "risk"),
    };
    let mut row: Vec<String> = ["key", "state"].iter().map(|it| text_of(change, it)).collect();
    if is_true(change, "on_hold") {
        row[1].push_str(", on hold");
    }
    if let Some(outcome) = change.get("outcome").and_then(Value::as_str) {
        row[1].push_str(&format!(", {}", outcome.replace('_', " ")));
    }
    row.push(risk);
    row.extend(
        ["planned_start", "requester", "title"]
            .iter()
            .map(|it| text_of(change, it)),
    );
    row
}

/// Items of a list, at most so many, and the cursor of the rest.
pub(super) fn pages(
    client: &Client,
    at: &str,
    fields: &[(&str, Option<&str>)],
    limit: u32,
) -> Result<(Vec<Value>, Value)> {
    let mut items: Vec<Value> = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let left = (limit as usize).saturating_sub(items.len());
        let size = left.min(PAGE as usize).to_string();
        let mut all = fields.to_vec();
        all.extend([("limit", Some(size.as_str())), ("after", next.as_deref())]);
        let page = client.get(&format!("{at}{}", query(&all)))?.body;
        let found = array(&page, "items");
        items.extend(found.iter().take(left).cloned());
        next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() || found.is_empty() || items.len() >= limit as usize {
            return Ok((items, json!(next)));
        }
    }
}

/// Shows unmet requirements, by step.
pub(super) fn requirements(client: &Client, key: &str, output: &Output) -> Result<()> {
    let list = client.get(&path(key, "/requirements"))?.body;
    output.data(&list, |output| {
        let mut last = String::new();
        for row in array(&list, "items") {
            let step = text_of(row, "step");
            if step != last {
                output.line(&output.tone(Tone::Strong, &format!("before {step}")));
                last = step;
            }
            unmet_lines(std::slice::from_ref(row))
                .iter()
                .for_each(|line| output.line(line));
        }
        if array(&list, "items").is_empty() {
            output.line("Nothing is missing.");
        }
    });
    Ok(())
}

/// Shows the timeline.
pub(super) fn events(client: &Client, key: &str, output: &Output) -> Result<()> {
    let names = ["index", "occurred_at", "kind", "actor", "id"];
    under(client, &path(key, "/events"), &names, output)
}

/// Shows the log of actions.
pub(super) fn entries(client: &Client, key: &str, output: &Output) -> Result<()> {
    let names = [
        "id",
        "occurred_at",
        "by",
        "kind",
        "step",
        "skipped",
        "target",
        "withdraws",
        "text",
    ];
    under(client, &path(key, "/implementation/entries"), &names, output)
}

/// Shows the decisions.
pub(super) fn approvals(client: &Client, key: &str, output: &Output) -> Result<()> {
    let names = ["id", "person", "decision", "state", "at", "comment"];
    under(client, &path(key, "/approvals"), &names, output)
}

/// Shows all of a list that belongs to a change.
fn under(client: &Client, at: &str, names: &[&str], output: &Output) -> Result<()> {
    let (items, next) = pages(client, at, &[], 10_000)?;
    let row = |item: &Value| names.iter().map(|name| text_of(item, name)).collect();
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    output.data(&json!({"items": items, "next": next}), |output| {
        output.rows(names, &rows)
    });
    Ok(())
}

/// Writes the bundle of a change into a file.
pub(super) fn bundle(client: &Client, key: &str, file: &str, output: &Output) -> Result<()> {
    let bytes = client.bytes(&format!("/api/v1{}", path(key, "/bundle")))?;
    let bytes = bytes.ok_or_else(|| Failure::Refused {
        status: 404,
        problem: json!({"code": "not_found", "detail": format!("There is no change {key} here.")}),
    })?;
    if file == "-" {
        output.bytes(&bytes);
        return Ok(());
    }
    std::fs::write(file, &bytes)
        .map_err(|error| Failure::could_not(format!("`{file}` cannot be written: {error}.")))?;
    let value = json!({"file": file, "bytes": bytes.len()});
    output.data(&value, |output| output.line(&format!("{file}  {} bytes", bytes.len())));
    output.next(&format!("assent audit verify {file}"));
    Ok(())
}
