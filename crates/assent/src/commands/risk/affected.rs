//! `assent risk affected`: the reach of a change.

use serde_json::Value;

use crate::client::{Client, encode};
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Shows the reach of a change, with the way to each thing.
pub(super) fn show(client: &Client, key: &str, output: &Output) -> Result<u8> {
    let found = client.get(&format!("/changes/{}/affected", encode(key)))?.body;
    output.data(&found, |output| print_affected(output, &found));
    Ok(0)
}

fn print_affected(output: &Output, found: &Value) {
    for (list, header) in [("outage", "fails with it"), ("data", "its data is at risk")] {
        let row = |it: &Value| {
            let way: Vec<&str> = array(it, "path").iter().filter_map(Value::as_str).collect();
            vec![
                text_of(it, "key"),
                text_of(it, "distance"),
                text_of(it, "by"),
                way.join(" > "),
            ]
        };
        let rows: Vec<Vec<String>> = array(&found[list], "items").iter().map(row).collect();
        if !rows.is_empty() {
            output.rows(&[header, "arrows", "by", "way"], &rows);
        }
        if found[list]["more"] == true {
            output.talk("There is more than is shown; the API lists all (GET …/affected?from=500).");
        }
    }
    let left_out = |it: &Value| vec![text_of(it, "item"), text_of(it, "reason"), text_of(it, "by")];
    let excluded: Vec<Vec<String>> = array(found, "excluded").iter().map(left_out).collect();
    if !excluded.is_empty() {
        output.rows(&["left out", "why", "by"], &excluded);
    }
    if let Some(grown) = found.get("grown") {
        let things: Vec<&str> = array(grown, "things").iter().filter_map(Value::as_str).collect();
        output.talk(&format!(
            "New since the assessment, which is due again: {} ({}).",
            text_of(grown, "count"),
            things.join(", ")
        ));
    }
    let cut = &found["cut_off"];
    output.pairs(&[
        ("counted by itself up to", format!("{} arrows", text_of(cut, "arrows"))),
        ("further away", text_of(cut, "beyond")),
    ]);
}
