//! The tools of `assent mcp`: search, draft, what changed, and the gate. None of them decides.

use proof::canonical;
use serde_json::{Value, json};

use crate::client::{Client, encode, query};
use crate::clock;
use crate::failure::{Failure, Result};

/// The most changes that a search returns.
const FOUND: &str = "20";

/// The tools, as `tools/list` returns them.
pub(super) fn tools() -> Vec<Value> {
    let text = |doc: &str| json!({"type": "string", "description": doc});
    let call = json!({
        "type": "object",
        "description": "The tool call that needs an approval: its name and its exact arguments.",
        "properties": {"name": {"type": "string"}, "arguments": {"type": "object"}},
        "required": ["name", "arguments"],
    });
    vec![
        tool(
            ("ask", "Show a change by its key, or find changes by words.", true),
            &json!({"key": text("The key of a change, such as CHG-1042."), "words": text("Words that a change has.")}),
            &[],
        ),
        tool(
            (
                "draft_change",
                "Write the draft of a change. People assess and approve it; nothing is done yet.",
                false,
            ),
            &json!({
                "change": {"type": "object", "description": "The fields of `ChangeInput` in the OpenAPI document; `owner` names a person."},
                "tool_call": call,
            }),
            &["change"],
        ),
        tool(
            (
                "what_changed",
                "List what changed on a service, and on what it depends on, before a time.",
                true,
            ),
            &json!({
                "service": text("The key of the service."),
                "before": text("A time in RFC 3339; now unless said."),
                "hours": {"type": "integer", "minimum": 1, "description": "How many hours back; 24 unless said."},
            }),
            &["service"],
        ),
        tool(
            (
                "check_gate",
                "Ask the gate whether something may go now. Only `go` is a yes. With `tool_call` the check is recorded, and a go \
                 starts the change and uses its permit up: make the call then, once, and tell its outcome.",
                false,
            ),
            &json!({
                "service": text("The key of the service."),
                "environment": text("The environment."),
                "artifact": text("The digest of what would be deployed, sha256:…"),
                "tool_call": call,
            }),
            &["service", "environment"],
        ),
    ]
}

fn tool((name, doc, is_reading): (&str, &str, bool), properties: &Value, needed: &[&str]) -> Value {
    json!({
        "name": name,
        "description": doc,
        "inputSchema": {
            "type": "object", "properties": properties, "required": needed, "additionalProperties": false,
        },
        "annotations": {"readOnlyHint": is_reading, "destructiveHint": false},
    })
}

/// Calls a tool.
///
/// # Errors
/// The refusal, or the errors of the arguments, in one text.
pub(super) fn call(client: &Client, name: &str, arguments: &Value) -> std::result::Result<Value, String> {
    check(name, arguments).map_err(|failure| failure_text(&failure))?;
    let found = match name {
        "ask" => query_gate(client, arguments),
        "draft_change" => draft(client, arguments),
        "what_changed" => what_changed(client, arguments),
        "check_gate" => check_gate(client, arguments),
        other => Err(Failure::could_not(format!("There is no tool `{other}`."))),
    };
    found.map_err(|failure| failure_text(&failure))
}

/// Refuses arguments that a tool does not have, or has in another form: an ignored argument would be taken for heeded.
fn check(name: &str, arguments: &Value) -> Result<()> {
    match tools().iter().find(|tool| tool["name"] == name) {
        Some(tool) if arguments.is_object() => check_object("", arguments, &tool["inputSchema"]),
        Some(_) if arguments.is_null() => Ok(()),
        Some(_) => Err(Failure::could_not("The arguments of a tool are an object.")),
        None => Err(Failure::could_not(format!("There is no tool `{name}`."))),
    }
}

fn check_object(within: &str, said: &Value, schema: &Value) -> Result<()> {
    for (name, value) in said.as_object().into_iter().flatten() {
        let wanted = &schema["properties"][name.as_str()];
        let least = wanted["minimum"].as_i64().unwrap_or(i64::MIN);
        let (fits, form) = match wanted["type"].as_str() {
            Some("string") => (value.is_string(), "a text".to_owned()),
            Some("integer") => (
                value.as_i64().is_some_and(|number| number >= least),
                format!("a whole number of at least {least}"),
            ),
            Some(_) => (value.is_object(), "an object".to_owned()),
            None => {
                let known: Vec<&String> = schema["properties"]
                    .as_object()
                    .into_iter()
                    .flat_map(|it| it.keys())
                    .collect();
                let text = format!("There is no argument `{within}{name}`. There are: {known:?}.");
                return Err(Failure::could_not(text));
            }
        };
        if !fits {
            return Err(Failure::could_not(format!("`{within}{name}` is {form}.")));
        }
        if wanted["properties"].is_object() {
            check_object(&format!("{name}."), value, wanted)?;
        }
    }
    Ok(())
}

/// A refusal as a whole, with its code and the people who can help.
fn failure_text(failure: &Failure) -> String {
    match failure {
        Failure::Refused { problem, .. } if problem.is_object() => format!("{} {problem}", failure.text()),
        _ => failure.text(),
    }
}

fn needed<'a>(arguments: &'a Value, name: &str) -> Result<&'a str> {
    let said = arguments[name].as_str().filter(|text| !text.is_empty());
    said.ok_or_else(|| Failure::could_not(format!("Say `{name}`.")))
}

fn query_gate(client: &Client, arguments: &Value) -> Result<Value> {
    if let Some(key) = arguments["key"].as_str() {
        return Ok(client.get(&format!("/changes/{}", encode(key)))?.body);
    }
    let words = needed(arguments, "words").map_err(|_| Failure::could_not("Say `key` or `words`."))?;
    let path = format!("/changes{}", query(&[("q", Some(words)), ("limit", Some(FOUND))]));
    Ok(client.get(&path)?.body)
}

fn draft(client: &Client, arguments: &Value) -> Result<Value> {
    let mut change = arguments["change"].clone();
    if !change.is_object() {
        return Err(Failure::could_not("Say `change`, an object."));
    }
    if let Some(digest) = digest_of(arguments)? {
        bind(&mut change, &digest)?;
    }
    Ok(client.post("/changes", &change)?.body)
}

/// Binds a change to a tool call: its digest is the artifact of each target, which approvals cover.
fn bind(change: &mut Value, digest: &str) -> Result<()> {
    let targets = change["targets"].as_array_mut().filter(|targets| !targets.is_empty());
    let Some(targets) = targets else {
        return Err(Failure::could_not("Name in `targets` where the tool call works."));
    };
    for target in targets {
        if !target.is_object() || target.get("artifact").is_some_and(|said| said != digest) {
            let text =
                "A change for a tool call has targets whose artifact is the digest of the call; leave `artifact` out.";
            return Err(Failure::could_not(text));
        }
        target["artifact"] = json!(digest);
    }
    Ok(())
}

/// The digest of a tool call by its name and its exact arguments, canonical (RFC 8785): another argument is another digest.
fn digest_of(arguments: &Value) -> Result<Option<String>> {
    let call = &arguments["tool_call"];
    if call.is_null() {
        return Ok(None);
    }
    let (Some(name), true) = (call["name"].as_str(), call["arguments"].is_object()) else {
        return Err(Failure::could_not(
            "A `tool_call` has a `name` and an object `arguments`.",
        ));
    };
    let exact = json!({"name": name, "arguments": call["arguments"]});
    let wrong = |error: proof::Error| Failure::could_not(format!("The arguments have no canonical form: {error}."));
    canonical::digest(&exact).map(Some).map_err(wrong)
}

fn what_changed(client: &Client, arguments: &Value) -> Result<Value> {
    let service = needed(arguments, "service")?;
    let before = arguments["before"].as_str().unwrap_or("now");
    let before = clock::moment(before, clock::now())?.to_string();
    let hours = arguments["hours"].as_i64().unwrap_or(24).to_string();
    let asked = query(&[
        ("service", Some(service)),
        ("before", Some(&before)),
        ("hours", Some(&hours)),
    ]);
    Ok(client.get(&format!("/what-changed{asked}"))?.body)
}

fn check_gate(client: &Client, arguments: &Value) -> Result<Value> {
    let (service, environment) = (needed(arguments, "service")?, needed(arguments, "environment")?);
    let digest = digest_of(arguments)?;
    let said = arguments["artifact"].as_str();
    if digest.is_some() && said.is_some_and(|said| Some(said) != digest.as_deref()) {
        return Err(Failure::could_not(
            "`artifact` is not the digest of `tool_call`; say one of them.",
        ));
    }
    let Some(artifact) = digest.as_deref().or(said) else {
        return Err(Failure::could_not(
            "Say `artifact`, or the `tool_call` that is to be done.",
        ));
    };
    if digest.is_some() {
        // A go that leaves no trace could be used again and again, and nobody would know that the call was made.
        let question = json!({"service": service, "environment": environment, "artifact": artifact});
        let checked = client.post("/gate-checks", &question)?.body;
        return use_up(client, checked, &question);
    }
    let asked = query(&[
        ("service", Some(service)),
        ("environment", Some(environment)),
        ("artifact", Some(artifact)),
    ]);
    match client.get(&format!("/gate{asked}")) {
        Ok(answer) => Ok(with_query_limits(answer.body)),
        // The gate's stop comes as 403 and is a result, with the acts that would open it.
        Err(Failure::Refused { problem, .. }) if problem["decision"] == "stop" => Ok(problem),
        Err(failure) => Err(failure),
    }
}

/// A go to a plain query, with its limits: nothing was recorded, no permit was given, and the query may be repeated.
fn with_query_limits(mut answer: Value) -> Value {
    if answer["decision"] == "go" {
        answer["note"] =
            json!("This answers a question and permits no tool call; `check_gate` with `tool_call` does, once.");
    }
    answer
}

/// Uses the permit of a go up before the call is made, so that only one of two callers has it. The token itself is not passed
/// on: it is on the revocation list from now on.
fn use_up(client: &Client, mut checked: Value, question: &Value) -> Result<Value> {
    let Some(token) = checked["permit"].as_str().filter(|_| checked["decision"] == "go") else {
        return Ok(checked);
    };
    let jti = proof::permit::id_as_written(token);
    let path = format!("/permits/{}/consumption", encode(&jti));
    let used = client.post(&path, question)?.body;
    checked["permit"] = json!(jti);
    checked["permit_used_at"] = used["used_at"].clone();
    Ok(checked)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn digest(name: &str, arguments: Value) -> String {
        let asked = json!({"tool_call": {"name": name, "arguments": arguments}});
        digest_of(&asked).unwrap().unwrap()
    }

    #[test]
    fn the_digest_is_of_the_exact_arguments_in_any_order_of_fields() {
        let one = digest("scale", json!({"replicas": 3, "app": "web"}));
        assert_eq!(one, digest("scale", json!({"app": "web", "replicas": 3})));
        for other in [
            digest("scale", json!({"replicas": 30, "app": "web"})),
            digest("scale", json!({"replicas": 3, "app": "web", "force": true})),
            digest("scale", json!({"replicas": "3", "app": "web"})),
            digest("delete", json!({"replicas": 3, "app": "web"})),
        ] {
            assert_ne!(one, other);
        }
        assert!(one.starts_with("sha256:") && one.len() == 71, "{one}");
    }

    #[test]
    fn a_go_to_a_plain_question_says_that_it_permits_no_tool_call() {
        let go = with_query_limits(json!({"decision": "go"}));
        assert!(go["note"].as_str().unwrap().contains("permits no tool call"), "{go}");
        let stop = json!({"decision": "stop"});
        assert_eq!(with_query_limits(stop.clone()), stop);
    }

    #[test]
    fn a_change_for_a_tool_call_has_its_digest_in_every_target() {
        let mut change =
            json!({"targets": [{"service": "web", "environment": "lab"}, {"service": "db", "environment": "lab"}]});
        bind(&mut change, "sha256:aa").unwrap();
        assert_eq!(change["targets"][1]["artifact"], "sha256:aa");
        assert!(bind(&mut change, "sha256:bb").is_err(), "bound to another call already");
        assert!(bind(&mut json!({"targets": []}), "sha256:aa").is_err());
    }

    #[test]
    fn arguments_that_a_tool_does_not_have_are_refused() {
        for (tool, arguments) in [
            ("ask", json!({"key": "CHG-1"})),
            ("ask", Value::Null),
            ("what_changed", json!({"service": "pay", "hours": 3})),
            (
                "draft_change",
                json!({"change": {"title": "Anything that the server judges"}}),
            ),
            (
                "check_gate",
                json!({"service": "pay", "tool_call": {"name": "scale", "arguments": {"replicas": 3}}}),
            ),
        ] {
            assert!(check(tool, &arguments).is_ok(), "{arguments}");
        }
        for (tool, arguments, named) in [
            ("what_changed", json!({"service": "pay", "hour": 3}), "`hour`"),
            ("what_changed", json!({"service": "pay", "hours": "3"}), "`hours`"),
            ("what_changed", json!({"service": "pay", "hours": 0}), "`hours`"),
            ("what_changed", json!({"service": 7}), "`service`"),
            ("check_gate", json!({"service": "pay", "artifact": 7}), "`artifact`"),
            (
                "check_gate",
                json!({"tool_call": {"name": "scale", "arguments": {}, "force": true}}),
                "`tool_call.force`",
            ),
            ("draft_change", json!({"change": "a title"}), "`change`"),
            ("ask", json!(["CHG-1"]), "object"),
            ("delete", json!({}), "`delete`"),
        ] {
            let refused = check(tool, &arguments).unwrap_err().text();
            assert!(refused.contains(named), "{arguments}: {refused}");
        }
    }

    #[test]
    fn every_tool_names_its_input_and_none_decides() {
        let names: Vec<String> = tools()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["ask", "draft_change", "what_changed", "check_gate"]);
        for tool in tools() {
            assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        }
    }
}
