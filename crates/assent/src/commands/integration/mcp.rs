//! `assent mcp`: a server of the Model Context Protocol on standard input and output, for an agent that a model drives. Its
//! tools call the same routes as any client with the agent's own token, so that the server's rules hold and not a tool's claim.
//!
//! Messages are JSON-RPC 2.0, one a line (revision 2025-06-18, transports: stdio).

use std::io::{BufRead, Read, Write};

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::commands::integration::mcp_tools::{call, tools};
use crate::common::Common;
use crate::failure::{Failure, Result};

/// The supported revisions of the protocol, the newest first.
const REVISIONS: [&str; 3] = ["2025-06-18", "2025-03-26", "2024-11-05"];
/// The longest message, in bytes: the longest body of the API.
const MOST_BYTES: u64 = 1 << 20;
/// The introduction for a program that reads the tools.
const INSTRUCTIONS: &str = "Assent decides which changes may go to production. Draft changes and ask the gate here; people \
    approve. A refusal says who can help. For a tool call that needs an approval, draft a change with `tool_call`: the \
    approval then covers the digest of exactly these arguments, once: `check_gate` with other arguments, or a second time, is \
    refused. Record the outcome after the call.";

/// Codes of errors of JSON-RPC 2.0, section 5.1.
const PARSE_ERROR: i64 = -32_700;
const INVALID_REQUEST: i64 = -32_600;
const METHOD_NOT_FOUND: i64 = -32_601;
const INVALID_PARAMS: i64 = -32_602;

/// Serves tools of the Model Context Protocol.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: ASSENT_TOKEN=… assent mcp   (as the command of a server in the settings of an MCP client)"
)]
pub struct Mcp {}

/// Serves until standard input ends.
///
/// # Errors
/// When there is no credential, or standard output is closed.
pub fn run(_: &Mcp, common: &Common) -> Result<u8> {
    let client = Client::new(common)?;
    serve(&client, &mut std::io::stdin().lock(), &mut std::io::stdout().lock())?;
    Ok(0)
}

fn serve(client: &Client, input: &mut impl BufRead, output: &mut impl Write) -> Result<()> {
    let lost = |error: std::io::Error| Failure::could_not(format!("The MCP client cannot be reached: {error}."));
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut *input)
            .take(MOST_BYTES + 1)
            .read_until(b'\n', &mut line)
            .map_err(lost)?;
        if read == 0 {
            return Ok(());
        }
        let is_too_long = line.len() as u64 > MOST_BYTES;
        if is_too_long && line.last() != Some(&b'\n') {
            skip_line(input).map_err(lost)?;
        }
        let answer = match is_too_long {
            true => Some(error(&Value::Null, PARSE_ERROR, "A message has at most 1 MiB.")),
            false => respond(&line, |name, arguments| call(client, name, arguments)),
        };
        if let Some(answer) = answer {
            writeln!(output, "{answer}")
                .and_then(|()| output.flush())
                .map_err(lost)?;
        }
    }
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let held = input.fill_buf()?;
        let end = held.iter().position(|byte| *byte == b'\n');
        let (length, is_over) = (end.map_or(held.len(), |end| end + 1), end.is_some() || held.is_empty());
        input.consume(length);
        if is_over {
            return Ok(());
        }
    }
}

/// The response to one message; none to a notification.
fn respond(line: &[u8], call: impl Fn(&str, &Value) -> std::result::Result<Value, String>) -> Option<Value> {
    if line.trim_ascii().is_empty() {
        return None;
    }
    let Ok(message) = serde_json::from_slice::<Value>(line) else {
        return Some(error(&Value::Null, PARSE_ERROR, "The message is no JSON."));
    };
    let (id, method) = (&message["id"], message["method"].as_str());
    let Some(method) = method.filter(|_| message["jsonrpc"] == "2.0") else {
        return Some(error(id, INVALID_REQUEST, "The message is no request of JSON-RPC 2.0."));
    };
    if id.is_null() {
        return None;
    }
    let params = &message["params"];
    let result = match method {
        "initialize" => initialize(params),
        "ping" => json!({}),
        "tools/list" => json!({"tools": tools()}),
        "tools/call" => {
            let Some(name) = params["name"].as_str() else {
                return Some(error(id, INVALID_PARAMS, "Name the tool in `name`."));
            };
            if !tools().iter().any(|tool| tool["name"] == name) {
                return Some(error(id, INVALID_PARAMS, &format!("There is no tool `{name}`.")));
            }
            outcome(call(name, &params["arguments"]))
        }
        _ => return Some(error(id, METHOD_NOT_FOUND, &format!("`{method}` is not offered."))),
    };
    Some(json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

fn initialize(params: &Value) -> Value {
    let asked = params["protocolVersion"].as_str().unwrap_or_default();
    let spoken = REVISIONS
        .iter()
        .find(|revision| **revision == asked)
        .unwrap_or(&REVISIONS[0]);
    json!({
        "protocolVersion": spoken,
        "capabilities": {"tools": {"listChanged": false}},
        "serverInfo": {"name": "assent", "version": env!("CARGO_PKG_VERSION")},
        "instructions": INSTRUCTIONS,
    })
}

/// A tool's result, or the refusal as a text that a model can act on.
fn outcome(found: std::result::Result<Value, String>) -> Value {
    match found {
        Ok(value) => json!({
            "content": [{"type": "text", "text": value.to_string()}],
            "structuredContent": value,
            "isError": false,
        }),
        Err(text) => json!({"content": [{"type": "text", "text": text}], "isError": true}),
    }
}

fn error(id: &Value, code: i64, text: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn ask(message: &Value) -> Option<Value> {
        let call = |name: &str, arguments: &Value| match name {
            "ask" => Ok(json!({"seen": arguments})),
            _ => Err("No.".to_owned()),
        };
        respond(message.to_string().as_bytes(), call)
    }

    #[test]
    fn a_client_is_greeted_in_its_revision_or_in_the_newest() {
        let greet = |revision: &str| {
            let params =
                json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
            ask(&message).unwrap()["result"]["protocolVersion"].clone()
        };
        assert_eq!(greet("2024-11-05"), "2024-11-05");
        assert_eq!(greet("1999-01-01"), "2025-06-18");
        let begun = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert!(ask(&begun).is_none(), "a notification is not answered");
    }

    #[test]
    fn tools_answer_with_text_and_refusals_are_errors_of_the_tool() {
        let call = |name: &str| {
            let params = json!({"name": name, "arguments": {"key": "CHG-7"}});
            ask(&json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": params})).unwrap()
        };
        let found = call("ask");
        assert_eq!(found["result"]["structuredContent"]["seen"]["key"], "CHG-7", "{found}");
        assert_eq!(found["result"]["isError"], false);
        let refused = call("check_gate");
        assert_eq!(refused["result"]["isError"], true, "{refused}");
        assert_eq!(refused["result"]["content"][0]["text"], "No.");
        assert_eq!(call("approve")["error"]["code"], INVALID_PARAMS, "no tool decides");
    }

    #[test]
    fn what_is_no_message_is_told_so() {
        assert_eq!(
            respond(b"{", |_, _| Ok(json!({}))).unwrap()["error"]["code"],
            PARSE_ERROR
        );
        assert_eq!(
            ask(&json!({"id": 1, "method": "ping"})).unwrap()["error"]["code"],
            INVALID_REQUEST
        );
        let other = json!({"jsonrpc": "2.0", "id": 2, "method": "resources/list"});
        assert_eq!(ask(&other).unwrap()["error"]["code"], METHOD_NOT_FOUND);
        assert!(respond(b"\n", |_, _| Ok(json!({}))).is_none());
    }
}
