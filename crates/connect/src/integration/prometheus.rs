//! Queries Prometheus for one value by an instant query (`GET /api/v1/query`), and reads its response: a scalar, or a vector of
//! one sample.

use model::core::percent::encoded;
use serde_json::Value;

use crate::socket::call::{Answer, Call, Caller};

/// Queries the value of an expression.
///
/// # Errors
/// A sentence on why there is no value.
pub fn query(caller: &Caller, base: &str, expression: &str) -> Result<String, String> {
    let answer = caller.call(&call(base, expression));
    read(&answer.map_err(|why| format!("There was no answer: {why}."))?)
}

fn call(base: &str, expression: &str) -> Call {
    Call {
        method: "POST",
        url: format!("{base}/api/v1/query"),
        headers: vec![
            ("accept".to_owned(), "application/json".to_owned()),
            (
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ],
        body: format!("query={}", encoded(expression)).into_bytes(),
    }
}

fn read(answer: &Answer) -> Result<String, String> {
    let document: Value = serde_json::from_slice(&answer.body)
        .map_err(|_| format!("Prometheus answered {} and no JSON document.", answer.status))?;
    if document["status"] != "success" {
        let why = document["error"].as_str().unwrap_or("no reason");
        let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(format!("Prometheus answered {}: {why}.", answer.status));
    }
    let data = &document["data"];
    let sample = match data["resultType"].as_str() {
        Some("scalar") => &data["result"],
        Some("vector") => match data["result"].as_array().map(Vec::as_slice) {
            Some([one]) => &one["value"],
            Some([]) => return Err("The query has no sample.".to_owned()),
            Some(many) => {
                let text = format!(
                    "The query has {} series; write one that has a single value.",
                    many.len()
                );
                return Err(text);
            }
            None => return Err("The answer holds no samples.".to_owned()),
        },
        _ => return Err("The query has neither a scalar nor a vector.".to_owned()),
    };
    let value = sample[1].as_str().unwrap_or_default();
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() && value.len() <= 32 => Ok(value.to_owned()),
        _ => Err(format!(
            "The value `{}` is no finite number.",
            value.chars().take(32).collect::<String>()
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn told(status: u16, body: &str) -> Result<String, String> {
        read(&Answer {
            status,
            retry_after_seconds: None,
            media_type: "application/json".to_owned(),
            entity_tag: String::new(),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn one_sample_is_a_value_and_anything_else_says_why_it_is_none() {
        let vector = |samples: &str| {
            format!("{{\"status\": \"success\", \"data\": {{\"resultType\": \"vector\", \"result\": [{samples}]}}}}")
        };
        let sample = "{\"metric\": {}, \"value\": [1764000000.1, \"0.25\"]}";
        assert_eq!(told(200, &vector(sample)).as_deref(), Ok("0.25"));
        let scalar = "{\"status\": \"success\", \"data\": {\"resultType\": \"scalar\", \"result\": [1, \"14\"]}}";
        assert_eq!(told(200, scalar).as_deref(), Ok("14"));
        for (status, body, why) in [
            (200, vector(""), "no sample"),
            (200, vector(&format!("{sample}, {sample}")), "2 series"),
            (200, vector("{\"value\": [1, \"NaN\"]}"), "NaN"),
            (200, vector("{\"value\": [1, \"+Inf\"]}"), "Inf"),
            (
                400,
                "{\"status\": \"error\", \"error\": \"parse error\"}".to_owned(),
                "parse error",
            ),
            (502, "<html>".to_owned(), "502"),
            (
                200,
                "{\"status\": \"success\", \"data\": {\"resultType\": \"matrix\"}}".to_owned(),
                "neither",
            ),
        ] {
            let text = told(status, &body).unwrap_err();
            assert!(text.contains(why), "{why} is not in {text}");
        }
    }

    #[test]
    fn a_query_goes_as_a_form() {
        let call = call("https://p.example", "up{a=\"b c\"} > 1");
        assert_eq!(call.url, "https://p.example/api/v1/query");
        assert_eq!(call.body, b"query=up%7Ba%3D%22b%20c%22%7D%20%3E%201");
    }
}
