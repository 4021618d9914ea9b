//! Proposes other values for the parameters of the policies in force: the same set with these values, which another person or an
//! approved change puts in force like any other.

use std::collections::BTreeSet;

use model::core::act::actions;
use model::core::body::Body;
use model::core::parse::{LINE, Reading, TEXT};
use model::policy::configuration::Configuration;
use policy::PolicySet;
use serde_json::{Value, json};
use store::record;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::policy::propose_configuration::propose_policies;

/// The most values that are proposed at once.
const MOST: usize = 50;

/// Proposes values (`POST /policy-parameters {values: {NAME: value}, reason}`), written as in a file of parameters, texts
/// without their quotes.
///
/// # Errors
/// 403, 422 for a name or value that the policies in force do not take, or the store's.
pub fn propose_parameters(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(actions::SET_POLICY)?;
    let policies = cx.policies()?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    let said = reading
        .value("values")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    if said.is_empty() || said.len() > MOST {
        let text = format!("`values` names one parameter with its value, and {MOST} at most.");
        reading.wrong("values", "missing", text);
    }
    let mut values = Vec::new();
    for (name, value) in &said {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        let is_plain =
            !text.is_empty() && text.len() <= LINE && !text.contains(['"', '\\']) && !text.contains(char::is_control);
        match policies.parameters().iter().any(|known| known.name == *name) {
            true if is_plain => values.push((name.clone(), text)),
            true => reading.wrong(
                &format!("values.{name}"),
                "not_a_value",
                "Write the value as the page of policies shows it.",
            ),
            false => {
                let text = format!("The policies in force have no parameter `{name}`.");
                reading.wrong(&format!("values.{name}"), "unknown", text);
            }
        }
    }
    reading.finish()?;
    let set = set_in_force(cx, &policies)?;
    propose_with(cx, set, &values, &reason)
}

/// Proposes a set of the policies in force, as a request names it, with these values.
///
/// # Errors
/// 422 as of any set, or the store's.
pub(crate) fn propose_with(
    cx: &mut Context<'_, '_>,
    mut body: Body,
    values: &[(String, String)],
    reason: &str,
) -> Result<Configuration> {
    let policies = cx.policies()?;
    let mut lines = body
        .get("parameters")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    for (name, value) in values {
        let known = policies.parameters().iter().find(|known| known.name == *name);
        let known = known.ok_or_else(|| Error::Fault(format!("the policies in force have no parameter {name}")))?;
        lines = format!("{}{}", without(&lines, name), known.line(value));
    }
    body.insert("parameters".to_owned(), lines.into());
    body.insert("reason".to_owned(), reason.into());
    propose_policies(cx, &body)
}

/// The set in force as a request names it.
///
/// # Errors
/// The store's.
pub(crate) fn set_in_force(cx: &mut Context<'_, '_>, policies: &PolicySet) -> Result<Body> {
    let directory = cx.directory()?;
    let in_force = directory.tenant.as_ref().and_then(|tenant| tenant.policies.as_ref());
    let wanted = match in_force {
        Some(in_force) => {
            let found = record::load::<Configuration>(cx.tx, in_force.id.as_str())?;
            let found = found.ok_or_else(|| Error::Fault(format!("the policies {} are not there", in_force.digest)))?;
            let set = found.record;
            json!({"files": set.files, "cases": set.cases, "parameters": set.parameters})
        }
        // A set that came with the program is named by its packs and by the values that are not the usual ones.
        None => {
            let packs = policies.sources().filter_map(|source| source.file.split('/').next());
            let packs: BTreeSet<&str> = packs.filter(|pack| *pack != "base").collect();
            let set = policies.parameters().iter().filter(|it| it.value != it.default);
            let values: String = set.map(|it| it.line(&it.value)).collect();
            json!({"packs": packs, "parameters": values})
        }
    };
    match wanted {
        Value::Object(body) => Ok(body),
        _ => Err(Error::Fault("a set of policies is an object".to_owned())),
    }
}

/// A file of values without the line of one parameter.
fn without(values: &str, name: &str) -> String {
    let is_other = |line: &&str| line.split('=').next().is_none_or(|key| key.trim() != name);
    let kept = values.lines().filter(is_other);
    kept.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn only_the_line_of_the_parameter_goes() {
        let values = "# a = 1\na = 1\nab = 2\n  a=3";
        assert_eq!(without(values, "a"), "# a = 1\nab = 2\n");
        assert_eq!(without("", "a"), "");
    }
}
