//! The machine's clock leaps, forwards and back: no window opens early, and no checkpoint is dated back.

use jiff::{SignedDuration, Timestamp};
use proof::note::{Note, NoteSignature};
use tests::faults::{eventually, size};
use tests::journey::{approve, artifact, gate_path, request, waiting_for_approval};
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

/// Leaps, in seconds: to and fro, so that the clock stays near the years of the demo.
const LEAPS: [i64; 12] = [
    1,
    -1,
    60,
    -60,
    3_600,
    -3_600,
    86_400,
    -86_400,
    30 * 86_400,
    -30 * 86_400,
    3_650 * 86_400,
    -3_650 * 86_400,
];

/// The latest time that a cosigner of the present checkpoint states, in seconds; its size.
fn stated(server: &Server, token: &str) -> (u64, u64) {
    let (status, bytes) = server.get("/t/halden/log/checkpoint", Some(token));
    assert_eq!(status, 200, "{}", server.last_words());
    let note = Note::parse(&String::from_utf8(bytes).unwrap()).unwrap();
    let size = note.text.lines().nth(1).unwrap().parse().unwrap();
    let times = note.signatures.iter().filter_map(cosigned_at);
    (size, times.max().unwrap())
}

/// A cosignature begins with its time, eight bytes, before the 64 of the signature (C2SP tlog-cosignature).
fn cosigned_at(signature: &NoteSignature) -> Option<u64> {
    let (time, rest) = signature.bytes.split_first_chunk::<8>()?;
    (rest.len() == 64).then(|| u64::from_be_bytes(*time))
}

/// The gate's result at a moment.
fn decision(server: &mut Server, at: Timestamp, artifact: &str) -> u16 {
    server.hold_clock(at);
    let (status, body) = server.get(&gate_path(artifact), Some(&server.token("pipeline")));
    assert!(
        status == 200 || status == 403,
        "{status} {}",
        String::from_utf8_lossy(&body)
    );
    status
}

#[test]
fn a_clock_that_leaps_opens_no_window_early_and_dates_nothing_back() {
    let place = Place::demo("leaps");
    let mut server = Server::start(&place, true);
    let auditor = server.token("auditor");
    let mut now = server.server_time();
    server.hold_clock(now);
    let mut last = stated(&server, &auditor);
    let mut latest = now;
    for point in 0..size("ASSENT_TEST_LEAPS", LEAPS.len()) {
        now += SignedDuration::from_secs(LEAPS[point % LEAPS.len()]);
        server.hold_clock(now);
        let artifact = artifact(500 + point as u64);
        let mut body = request(&format!("Leap {point}"), &artifact, now);
        let (start, end) = (now + SignedDuration::from_hours(1), now + SignedDuration::from_hours(2));
        latest = latest.max(end);
        body["planned_start"] = start.to_string().into();
        body["planned_end"] = end.to_string().into();
        let path = waiting_for_approval(&server, &body, &artifact);
        for role in ["owner", "security", "change_manager"] {
            approve(&server, &path, role);
        }
        let second = SignedDuration::from_secs(1);
        let said = [now, start - second, start, end - second, start - second, end]
            .map(|at| decision(&mut server, at, &artifact));
        assert_eq!(said, [403, 403, 200, 200, 403, 403], "point {point}, at {now}");
        server.hold_clock(now);
        let size_before = last.0;
        eventually(&format!("the log grows, point {point}"), || {
            let found = stated(&server, &auditor);
            // A checkpoint bears the time of the clock as it goes, also behind a leap ahead; none is dated beyond all of its times.
            let latest = u64::try_from(latest.as_second()).unwrap();
            assert!(
                found.0 >= last.0 && found.1 <= latest,
                "{found:?} after {last:?}, point {point}"
            );
            last = found;
            found.0 > size_before
        });
    }
    must_verify(&server);
    server.stop();
    must_replay(&place);
}
