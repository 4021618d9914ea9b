//! ArcSight's Common Event Format, version 0 (“Implementing ArcSight Common Event Format”): a head of seven fields and an
//! extension of `key=value`.

use model::integration::sink::Entry;

use super::{Source, facts, severity};

/// One line.
pub(super) fn line(source: &Source, entry: &Entry) -> String {
    // CEF counts to 10.
    let grave = match severity(entry) {
        4 => 8,
        3 => 5,
        _ => 2,
    };
    let name = entry.kind.replace(['.', '_'], " ");
    let head = [source.version.as_str(), &entry.kind, &name].map(head_text).join("|");
    let mut line = format!("CEF:0|Assent|Assent|{head}|{grave}|");
    let previous = entry.previous.map(|index| index.to_string());
    let rows = [
        ("rt", Some(entry.occurred_at.as_millisecond().to_string())),
        ("externalId", Some(entry.id.clone())),
        ("cn1Label", Some("index".to_owned())),
        ("cn1", Some(entry.index.to_string())),
        ("cn2Label", previous.as_ref().map(|_| "previous".to_owned())),
        ("cn2", previous),
        ("dvchost", Some(source.host.clone())),
        ("suser", Some(entry.actor.clone())),
        ("suid", Some(entry.actor_id.clone())),
        ("cs1Label", Some("tenant".to_owned())),
        ("cs1", Some(source.tenant.clone())),
        ("cs2Label", Some("table".to_owned())),
        ("cs2", Some(entry.table.clone())),
        ("cs3Label", Some("subject".to_owned())),
        ("cs3", Some(entry.subject.clone())),
        ("cs4Label", entry.key.as_ref().map(|_| "key".to_owned())),
        ("cs4", entry.key.clone()),
        ("cs5Label", Some("act".to_owned())),
        ("cs5", Some(entry.act.clone())),
        ("msg", Some(facts(entry))),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value_text(&value?))));
    line.push_str(&rows.collect::<Vec<_>>().join(" "));
    line
}

fn head_text(text: &str) -> String {
    let line = text.replace(['\r', '\n'], " ");
    line.replace('\\', "\\\\").replace('|', "\\|")
}

fn value_text(text: &str) -> String {
    let line = text.replace('\\', "\\\\").replace('=', "\\=");
    line.replace('\n', "\\n").replace('\r', "\\r")
}
