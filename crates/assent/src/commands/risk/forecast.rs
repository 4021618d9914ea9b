//! `assent risk forecast`, `assent risk models` and `assent risk matrix`: how likely a change fails, the models of the
//! forecast, and the change's cell in the matrix.

use serde_json::Value;

use crate::client::Client;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Parts per million as a percentage with two places.
fn percent(value: &Value, name: &str) -> String {
    let ppm = value[name].as_i64().unwrap_or_default();
    let sign = if ppm < 0 { "-" } else { "" };
    let hundredths = (ppm.abs() + 50) / 100;
    format!("{sign}{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// Contributions in percentage points with one place, as the sentence above them has it. Running sums are rounded, so that the
/// shown contributions add up to the shown probability.
fn points(parts: &[Value]) -> Vec<String> {
    let (mut sum, mut shown): (i64, i64) = (0, 0);
    let told = parts.iter().map(|part| {
        sum += part["ppm"].as_i64().unwrap_or_default();
        let rounded = (sum + 500).div_euclid(1_000);
        let tenths = rounded - shown;
        shown = rounded;
        let sign = if tenths < 0 { "-" } else { "" };
        format!("{sign}{}.{}", tenths.abs() / 10, tenths.abs() % 10)
    });
    told.collect()
}

/// Shows the forecast of a change.
pub(super) fn show(client: &Client, key: &str, output: &Output) -> Result<u8> {
    let found = client
        .get(&format!("/changes/{}/forecast", crate::client::encode(key)))?
        .body;
    output.data(&found, |output| {
        output.line(&text_of(&found, "text"));
        for anew in array(&found, "begins_anew").iter().filter_map(Value::as_str) {
            output.line(anew);
        }
        for moved in array(&found, "moves").iter().filter_map(Value::as_str) {
            output.line(&format!("It {moved}."));
        }
        let parts = array(&found, "parts");
        let part = |(it, points): (&Value, String)| vec![text_of(it, "text"), points];
        let parts: Vec<Vec<String>> = parts.iter().zip(points(parts)).map(part).collect();
        if !parts.is_empty() {
            output.rows(&["contribution", "points"], &parts);
        }
        let group = |it: &Value| {
            vec![
                text_of(it, "text"),
                text_of(it, "outcomes"),
                text_of(it, "failures"),
                format!("{} to {}", percent(it, "low_ppm"), percent(it, "high_ppm")),
            ]
        };
        let history: Vec<Vec<String>> = array(&found, "history").iter().map(group).collect();
        if !history.is_empty() {
            output.rows(&["history", "outcomes", "failed", "90 % interval"], &history);
        }
        let model = text_of(&found, "model_key");
        if !model.is_empty() {
            output.pairs(&[("model", model), ("digest", text_of(&found, "model"))]);
        }
    });
    Ok(0)
}

/// Lists the models.
pub(super) fn models(client: &Client, output: &Output) -> Result<u8> {
    let found = client.get("/failure-models")?.body;
    output.data(&found, |output| {
        let row = |it: &Value| {
            vec![
                text_of(it, "key"),
                text_of(it, "fitted_at"),
                text_of(it, "outcomes"),
                text_of(it, "failures"),
                text_of(it, "model"),
            ]
        };
        let rows: Vec<Vec<String>> = array(&found, "items").iter().map(row).collect();
        output.rows(&["model", "fitted", "outcomes", "failed", "digest"], &rows);
    });
    Ok(0)
}

/// Shows where a change is in the matrix.
pub(super) fn matrix(client: &Client, key: &str, output: &Output) -> Result<u8> {
    let found = client
        .get(&format!("/changes/{}/risk", crate::client::encode(key)))?
        .body;
    output.data(&found, |output| {
        output.pairs(&[("risk", text_of(&found, "level"))]);
        let input = |it: &Value| {
            let names = ["fact", "stated", "derived", "counts", "from"];
            names.map(|name| text_of(it, name)).into()
        };
        let inputs: Vec<Vec<String>> = array(&found, "inputs").iter().map(input).collect();
        output.rows(&["input", "stated", "derived", "counts", "from"], &inputs);
        let facts = array(&found, "inputs").iter().flat_map(|it| array(it, "facts"));
        let facts: Vec<Vec<String>> = facts.filter_map(|it| Some(vec![it.as_str()?.to_owned()])).collect();
        if !facts.is_empty() {
            output.rows(&["facts about the complexity"], &facts);
        }
        let way = |it: &Value| vec![text_of(it, "text"), text_of(it, "level")];
        let ways: Vec<Vec<String>> = array(&found, "ways").iter().map(way).collect();
        if !ways.is_empty() {
            output.rows(&["what would change it", "risk"], &ways);
        }
    });
    Ok(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shown_contributions_add_up_to_the_shown_probability() {
        let parts = [74_600, 900, 900, 1_400, -10_000].map(|ppm| json!({"ppm": ppm}));
        assert_eq!(points(&parts), ["7.5", "0.1", "0.0", "0.2", "-1.0"]);
    }
}
