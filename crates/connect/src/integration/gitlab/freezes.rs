//! Synchronises the freezes of a GitLab project: missing periods are made, our own that are no longer wanted are moved or
//! removed, and those of others are reported.

use jiff::Timestamp;
use model::integration::signal;
use serde_json::Value;

use super::{FreezePeriod, api, freeze_period};
use crate::integration::reply::send;
use crate::socket::call::{Call, Caller};

/// Why a project has its turn in another round.
pub const LATE: &str = "the round was over before all was done";

/// A span of a freeze.
pub type Span = (Timestamp, Timestamp);

/// The project to call, and the credential.
#[derive(Clone, Copy)]
pub struct Whom<'a> {
    /// The address of the API.
    pub base: &'a str,
    /// The token.
    pub token: &'a str,
    /// `owner/name`.
    pub project: &'a str,
}

/// Synchronises one project's freezes for as long as it may go on; returns the periods that are neither wanted nor ours, as
/// text. Doing it again changes nothing more.
///
/// # Errors
/// A sentence, and whether trying again later may help.
pub fn carry(
    caller: &Caller,
    whom: Whom<'_>,
    wanted: &[Span],
    unwanted: &[Span],
    may_go_on: &dyn Fn() -> bool,
) -> Result<Vec<String>, (String, bool)> {
    let found = read(caller, whom)?;
    let periods = |spans: &[Span]| -> Vec<Value> { spans.iter().map(|(from, to)| freeze_period(*from, *to)).collect() };
    let (wanted, unwanted) = (periods(wanted), periods(unwanted));
    let is_of = |it: &FreezePeriod, periods: &[Value]| periods.iter().any(|period| is_same(it, period));
    let (mut spare, theirs): (Vec<&FreezePeriod>, Vec<&FreezePeriod>) = found
        .iter()
        .filter(|it| !is_of(it, &wanted))
        .partition(|it| is_of(it, &unwanted));
    for period in wanted
        .iter()
        .filter(|period| !found.iter().any(|it| is_same(it, period)))
    {
        // A past period of ours becomes the missing one, so that there is no moment without either.
        let call = match spare.pop() {
            Some(it) => api::move_freeze(whom, it.id, period),
            None => api::push_freeze(whom, period),
        };
        send_in_time(caller, &call, may_go_on)?;
    }
    for it in spare {
        send_in_time(caller, &api::end_freeze(whom, it.id), may_go_on)?;
    }
    Ok(theirs.into_iter().map(describe).collect())
}

fn send_in_time(caller: &Caller, call: &Call, may_go_on: &dyn Fn() -> bool) -> Result<(), (String, bool)> {
    if !may_go_on() {
        return Err((LATE.to_owned(), true));
    }
    send(caller, call).map(drop)
}

fn read(caller: &Caller, whom: Whom<'_>) -> Result<Vec<FreezePeriod>, (String, bool)> {
    let body = send(caller, &api::list_freezes(whom))?;
    serde_json::from_slice(&body).map_err(|error| {
        let why = format!("the freeze periods cannot be read: {error}");
        (signal::SetAside::because(why).reason, true)
    })
}

fn zone(it: &FreezePeriod) -> &str {
    it.cron_timezone.as_deref().unwrap_or("UTC")
}

fn is_same(it: &FreezePeriod, period: &Value) -> bool {
    zone(it) == "UTC"
        && period["freeze_start"] == it.freeze_start.as_str()
        && period["freeze_end"] == it.freeze_end.as_str()
}

fn describe(it: &FreezePeriod) -> String {
    format!("from `{}` to `{}` ({})", it.freeze_start, it.freeze_end, zone(it))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    use super::*;
    use crate::socket::egress::Egress;

    /// A GitLab with one list of periods, which accepts everything else; returns its address and the requests to it.
    fn gitlab(periods: &'static str) -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (told, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut first, mut length) = (String::new(), 0);
                reader.read_line(&mut first).unwrap();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if let Some(count) = line.to_lowercase().strip_prefix("content-length:") {
                        length = count.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let words: Vec<&str> = first.split_whitespace().take(2).collect();
                let _ = told.send(format!("{} {}", words.join(" "), String::from_utf8_lossy(&body)));
                let text = if first.starts_with("GET") { periods } else { "{}" };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    text.len()
                );
                (&stream).write_all(format!("{head}{text}").as_bytes()).unwrap();
            }
        });
        (base, asked)
    }

    fn span(from: &str, to: &str) -> Span {
        (from.parse().unwrap(), to.parse().unwrap())
    }

    #[test]
    fn what_is_missing_is_made_of_what_is_over_and_theirs_stands() {
        const PERIODS: &str = r#"[
            {"id": 1, "freeze_start": "0 23 * * 5", "freeze_end": "0 8 * * 1", "cron_timezone": "Europe/Berlin"},
            {"id": 2, "freeze_start": "0 18 23 12 *", "freeze_end": "0 6 2 1 *", "cron_timezone": "UTC"},
            {"id": 3, "freeze_start": "0 9 20 11 *", "freeze_end": "0 10 20 11 *", "cron_timezone": "UTC"},
            {"id": 4, "freeze_start": "0 9 21 11 *", "freeze_end": "0 10 21 11 *", "cron_timezone": "UTC"}
        ]"#;
        let (base, asked) = gitlab(PERIODS);
        let caller = Caller::new(Egress::parse(&["127.0.0.1".to_owned()]).unwrap(), None).unwrap();
        let whom = Whom {
            base: &base,
            token: "glpat",
            project: "halden/edge-dns",
        };
        let stands = span("2026-12-23T18:00:00Z", "2027-01-02T06:00:00Z");
        let missing = span("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z");
        let over = [
            span("2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"),
            span("2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z"),
        ];
        let theirs = carry(&caller, whom, &[missing, stands], &over, &|| true).unwrap();
        assert_eq!(theirs, ["from `0 23 * * 5` to `0 8 * * 1` (Europe/Berlin)"]);
        let asked: Vec<String> = asked.try_iter().collect();
        let path = "/api/v4/projects/halden%2Fedge-dns/freeze_periods";
        assert_eq!(asked.len(), 3, "{asked:#?}");
        assert_eq!(asked[0].trim(), format!("GET {path}?per_page=100"));
        assert!(asked[1].starts_with(&format!("PUT {path}/4 ")), "{asked:#?}");
        assert!(asked[1].contains(r#""freeze_start":"0 0 1 12 *""#), "{asked:#?}");
        assert_eq!(asked[2].trim(), format!("DELETE {path}/3"));
    }
}
