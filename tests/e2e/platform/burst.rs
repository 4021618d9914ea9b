//! Ten times as many people as usual: lists and reports are put off, the gate is not, and all is as before once they are gone.

use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tests::caller::agent;
use tests::faults::load::Load;
use tests::faults::{memory, raw, signals, size};
use tests::journey::{artifact, gate_path, scheduled};
use tests::{Place, Server};

/// Usually so many look at lists and reports without a pause; in the burst ten times as many.
const USUAL: usize = 4;
/// Gate checks per second, beside all other load.
const RATE: i64 = 100;
/// The number of clients in turn, so that a slow response delays no other request.
const ASKING: i64 = 20;
/// The most that may be resident, in kibibytes.
const MOST_MEMORY: u64 = 512 * 1024;
/// No question to the gate takes longer, on any machine: so long a pipeline waits before it gives up.
const HARD_STOP: SignedDuration = SignedDuration::from_secs(10);
/// The length at which p99 is held to its figure, in seconds, and that figure.
const WHOLE: i64 = 600;
const WANTED: SignedDuration = SignedDuration::from_millis(50);
/// The time until lists respond again.
const BACK: SignedDuration = SignedDuration::from_secs(5);

/// The status, and the seconds of `Retry-After`.
fn look(agent: &ureq::Agent, url: &str, token: &str) -> (u16, Option<String>) {
    let asked = agent.get(url).header("Authorization", format!("Bearer {token}")).call();
    let mut answer = asked.unwrap_or_else(|error| panic!("{url}: nobody answered: {error}"));
    let status = answer.status().as_u16();
    let later = answer.headers().get("retry-after");
    let later = later.map(|value| value.to_str().unwrap().to_owned());
    answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
    (status, later)
}

/// The pages that people look at: lists, searches, reports.
const PAGES: &[&str] = &[
    "/api/v1/changes?limit=200",
    "/api/v1/changes?q=deploy&limit=200",
    "/api/v1/coverage",
    "/api/v1/changes?state=closed&limit=200",
    "/api/v1/services?limit=200",
    "/api/v1/completeness",
];

/// The responses to the burst: the number of served ones, and of those put off.
#[derive(Default)]
struct BurstCounts {
    answered: usize,
    put_off: usize,
}

fn crowd(server: &Server, token: &str, seed: usize, over: &AtomicBool) -> BurstCounts {
    let (agent, mut told) = (agent(), BurstCounts::default());
    for turn in seed.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let page = PAGES[turn % PAGES.len()];
        match look(&agent, &format!("{}{page}", server.url), token) {
            (200, _) => told.answered += 1,
            (503, Some(_)) => {
                told.put_off += 1;
                // A client that is put off and retries at once is rude; these are, a little.
                std::thread::park_timeout(Duration::from_millis(20));
            }
            (status, later) => panic!("{page}: {status}, Retry-After {later:?}"),
        }
    }
    told
}

/// Ends the burst when it is dropped: the crowd goes home when the gate's questions fail, too.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Queries the gate at a fixed rate; the time of each response from when its request was due.
fn ask_the_gate(server: &Server, artifact: &str, seconds: i64) -> Vec<SignedDuration> {
    let took = Mutex::new(Vec::new());
    let began = assent::clock::now();
    let token = server.token("pipeline");
    let url = format!("{}{}", server.url, gate_path(artifact));
    std::thread::scope(|scope| {
        for lane in 0..ASKING {
            let (took, token, url) = (&took, &token, &url);
            scope.spawn(move || {
                let agent = agent();
                for number in (lane..RATE * seconds).step_by(usize::try_from(ASKING).unwrap()) {
                    let due = began + SignedDuration::from_millis(number * 1_000 / RATE);
                    wait_for(due);
                    let (status, _) = look(&agent, url, token);
                    assert_eq!(status, 200, "the gate in a burst");
                    took.lock().unwrap().push(assent::clock::now().duration_since(due));
                }
            });
        }
    });
    let mut took = took.into_inner().unwrap();
    took.sort_unstable();
    took
}

fn wait_for(due: Timestamp) {
    loop {
        let ahead = due.duration_since(assent::clock::now());
        match Duration::try_from(ahead) {
            Ok(ahead) if !ahead.is_zero() => std::thread::park_timeout(ahead),
            _ => return,
        }
    }
}

#[test]
fn a_burst_puts_off_lists_and_never_the_gate() {
    let seconds = i64::try_from(size("ASSENT_TEST_BURST", 6)).unwrap();
    let place = Place::demo("burst");
    let server = Server::start(&place, true);
    let artifact = artifact(17);
    scheduled(&server, "Goes out in a burst", &artifact);
    let (token, over) = (server.token("requester"), AtomicBool::new(false));
    let writers = Load::begin("burst", &token, 4);
    writers.turn_to(Some(&server.url));
    memory::forget_peak(server.id());
    let (took, told) = std::thread::scope(|scope| {
        let people: Vec<_> = (0..USUAL * 10)
            .map(|seed| {
                let (server, token, over) = (&server, &token, &over);
                scope.spawn(move || crowd(server, token, seed, over))
            })
            .collect();
        let end = End(&over);
        let took = ask_the_gate(&server, &artifact, seconds);
        drop(end);
        let told: Vec<BurstCounts> = people.into_iter().map(|one| one.join().unwrap()).collect();
        (took, told)
    });
    writers.stop();
    let (answered, put_off) = told.iter().fold((0, 0), |(answered, put_off), one| {
        (answered + one.answered, put_off + one.put_off)
    });
    let p99 = took[(took.len() * 99).div_ceil(100) - 1];
    let peak = memory::peak(server.id());
    println!(
        "{seconds} s: {} questions to the gate, p99 {} ms, longest {} ms; {answered} lists answered, {put_off} put off; \
         {} MiB at most",
        took.len(),
        p99.as_millis(),
        took[took.len() - 1].as_millis(),
        peak / 1024
    );
    assert!(took[took.len() - 1] <= HARD_STOP, "the gate kept somebody waiting");
    // The row's promise holds for its own length, on a machine that does nothing else.
    assert!(
        seconds < WHOLE || p99 <= WANTED,
        "p99 of the gate is {} ms",
        p99.as_millis()
    );
    assert!(answered > 0, "somebody was answered");
    assert!(peak <= MOST_MEMORY, "{peak} KiB were resident");
    // As before: every page is served, and none is put off.
    let (gone, agent) = (assent::clock::now(), agent());
    while !PAGES
        .iter()
        .all(|page| look(&agent, &format!("{}{page}", server.url), &token).0 == 200)
    {
        let since = assent::clock::now().duration_since(gone);
        assert!(since <= BACK, "lists are put off {} s after the burst", since.as_secs());
    }
}

/// So many come at the same moment; there are turns for 1,024 of them.
const CROWD: usize = 2_000;

/// The whole response to a request that went out; of a list only its beginning, because there are many.
fn heard(stream: &mut TcpStream) -> (u16, String) {
    let mut said = Vec::new();
    let mut piece = [0_u8; 4_096];
    while said.len() < 4_096 {
        match raw::read(stream, &mut piece) {
            Ok(0) => break,
            Ok(length) => said.extend_from_slice(&piece[..length]),
            Err(error) => panic!("the server neither answers nor hangs up: {error}"),
        }
    }
    let text = String::from_utf8_lossy(&said).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    (status.unwrap_or_else(|| panic!("no status: {text}")), text)
}

#[test]
fn more_people_than_there_are_turns_are_told_to_come_again_and_the_gate_is_not() {
    let place = Place::demo("crowd");
    let server = Server::start(&place, true);
    let artifact = artifact(18);
    scheduled(&server, "Goes out in a crowd", &artifact);
    let (reader, pipeline) = (server.token("requester"), server.token("pipeline"));
    memory::forget_peak(server.id());
    let request = format!(
        "{}\r\n",
        raw::head("GET", "/api/v1/changes?q=deploy&limit=50", Some(&reader), &[])
    );
    // They are there already and only have to send.
    let mut people: Vec<TcpStream> = Vec::new();
    while people.len() < CROWD {
        people.extend((0..200).map(|_| raw::connect(&server.url)));
        // Connections are accepted in order: after the response to this one, those before it are in.
        assert_eq!(server.get("/healthz", None).0, 200);
    }
    let gate = format!("{}{}", server.url, gate_path(&artifact));
    let (told, slowest, crowd) = std::thread::scope(|scope| {
        // The server is paused until all have sent, so that they come at one moment however fast it is.
        signals::send("STOP", server.id());
        for stream in &mut people {
            raw::send(stream, &[request.as_bytes()]);
        }
        signals::send("CONT", server.id());
        let come = assent::clock::now();
        let asking = scope.spawn(|| {
            let agent = agent();
            let ask = |_| {
                let asked = assent::clock::now();
                assert_eq!(look(&agent, &gate, &pipeline).0, 200, "the gate in a crowd");
                assent::clock::now().duration_since(asked)
            };
            (0..50).map(ask).max().unwrap()
        });
        let told: Vec<(u16, String)> = people.iter_mut().map(heard).collect();
        let crowd = assent::clock::now().duration_since(come);
        (told, asking.join().unwrap(), crowd)
    });
    let answered = told.iter().filter(|(status, _)| *status == 200).count();
    let put_off: Vec<&(u16, String)> = told.iter().filter(|(status, _)| *status == 503).collect();
    let peak = memory::peak(server.id());
    println!(
        "{answered} of {CROWD} answered, {} told to come again; the gate took {} ms at most, the crowd {} ms; {} MiB",
        put_off.len(),
        slowest.as_millis(),
        crowd.as_millis(),
        peak / 1024
    );
    assert_eq!(answered + put_off.len(), CROWD, "nobody is left without one of both");
    assert!(answered > 0 && !put_off.is_empty());
    assert!(
        put_off
            .iter()
            .all(|(_, text)| text.to_lowercase().contains("\r\nretry-after: ")),
        "{}",
        put_off[0].1
    );
    // The time depends more on the machine than on the server; the promise is that the gate responded each time.
    assert!(peak <= MOST_MEMORY, "{peak} KiB were resident");
    assert_eq!(
        look(&agent(), &format!("{}{}", server.url, PAGES[0]), &reader).0,
        200,
        "as before"
    );
}

/// People whom the demo gives a password.
const WITH_PASSWORDS: [&str; 8] = [
    "requester",
    "owner",
    "security",
    "change_manager",
    "implementer",
    "auditor",
    "commander",
    "executive",
];
/// How much more may be resident after a crowd has signed in, in kibibytes: the memory of two passwords at once, and room for
/// the sessions.
const CROWD_MEMORY: u64 = (2 * 19 + 48) * 1024;

#[test]
fn a_crowd_that_signs_in_leaves_its_memory_behind_once() {
    let place = Place::demo("crowd");
    let server = Server::start(&place, true);
    let people = WITH_PASSWORDS.map(|role| server.person(role));
    let sign_in = |person: &serde_json::Value| {
        let body = serde_json::json!({
            "tenant": person["tenant"], "login": person["login"], "password": person["password"],
        });
        assert_eq!(
            server.ask("POST", "/api/v1/session", None, Some(&body)).0,
            201,
            "{body}"
        );
    };
    let before = memory::resident(server.id());
    std::thread::scope(|scope| {
        for person in &people {
            scope.spawn(move || (0..6).for_each(|_| sign_in(person)));
        }
    });
    let more = memory::resident(server.id()).saturating_sub(before);
    assert!(more <= CROWD_MEMORY, "{more} KiB more are resident");
    println!("{more} KiB more after 48 sign-ins");
    server.stop();
}
