//! Bodies and heads that nobody should send: each gets its 4xx or is cut, honest people go on, and memory stays.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;
use tests::faults::{eventually, memory, raw, size};
use tests::{Place, Server};

/// How much more may be resident at any moment than before the bad input, in kibibytes.
const GROWTH: u64 = 16 * 1024;
/// How many send the same bad input at once.
const AT_ONCE: usize = 16;

/// A bad request, and the statuses that it may get; `None` means that the connection is cut.
struct Bad {
    what: &'static str,
    headers: Vec<(&'static str, String)>,
    pieces: Vec<Vec<u8>>,
    may_get: &'static [Option<u16>],
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn declared(what: &'static str, body: Vec<u8>, may_get: &'static [Option<u16>]) -> Bad {
    Bad {
        what,
        headers: vec![
            ("Content-Type", "application/json".into()),
            ("Content-Length", body.len().to_string()),
        ],
        pieces: vec![body],
        may_get,
    }
}

fn chunked(what: &'static str, pieces: Vec<Vec<u8>>, may_get: &'static [Option<u16>]) -> Bad {
    Bad {
        what,
        headers: vec![
            ("Content-Type", "application/json".into()),
            ("Transfer-Encoding", "chunked".into()),
        ],
        pieces,
        may_get,
    }
}

const MEBIBYTE: usize = 1 << 20;
const MALFORMED: &[Option<u16>] = &[Some(400)];
const TOO_LARGE: &[Option<u16>] = &[Some(413)];
/// A server that refuses before it has read everything may be gone before its response is read.
const TOO_LARGE_OR_CUT: &[Option<u16>] = &[Some(413), None];

/// An object whose one field holds the text `inner` as often as fits into a mebibyte.
fn filled(inner: &str) -> Vec<u8> {
    let count = (MEBIBYTE - 32) / (inner.len() + 1);
    format!("{{\"labels\":[{}]}}", vec![inner; count].join(",")).into_bytes()
}

/// An object whose one field holds so many values.
fn listed(value: &str, count: usize) -> Vec<u8> {
    format!("{{\"labels\":[{}]}}", vec![value; count].join(",")).into_bytes()
}

/// An object with so many fields that nobody knows.
fn fields(count: usize) -> Vec<u8> {
    let fields: Vec<String> = (0..count).map(|number| format!("\"field_{number}\":1")).collect();
    format!("{{{}}}", fields.join(",")).into_bytes()
}

fn oversized() -> Vec<Bad> {
    let mut unread = declared("a declared length beyond the limit", Vec::new(), TOO_LARGE);
    unread.headers[1].1 = (MEBIBYTE + 1).to_string();
    let mut vast = declared(
        "a declared length beyond all measure",
        Vec::new(),
        &[Some(400), Some(413), None],
    );
    vast.headers[1].1 = "99999999999999999999999".to_owned();
    let pieces = vec![chunk(&vec![b' '; 64 * 1024]); 1024];
    vec![
        unread,
        vast,
        declared("a body beyond the limit", vec![b' '; MEBIBYTE + 1], TOO_LARGE_OR_CUT),
        chunked("64 MiB in chunks", pieces, TOO_LARGE_OR_CUT),
    ]
}

fn broken() -> Vec<Bad> {
    let mut wrong_type = declared("another media type", b"title=x".to_vec(), &[Some(415)]);
    wrong_type.headers[0].1 = "application/x-www-form-urlencoded".into();
    let mut packed = declared("a packed body", vec![0x1f, 0x8b, 8, 0, 0, 0], &[Some(415)]);
    packed.headers.push(("Content-Encoding", "gzip".into()));
    vec![
        declared("text that breaks off", br#"{"title":"a"#.to_vec(), MALFORMED),
        declared(
            "bytes that are no UTF-8",
            b"{\"title\":\"\xff\xfe\"}".to_vec(),
            MALFORMED,
        ),
        declared(
            "UTF-16",
            "{\"title\":\"a\"}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
            MALFORMED,
        ),
        declared("half of a surrogate pair", br#"{"title":"\ud800"}"#.to_vec(), MALFORMED),
        declared(
            "a number without end",
            format!("{{\"title\":{}}}", "9".repeat(100_000)).into_bytes(),
            &[Some(400), Some(422)],
        ),
        chunked("chunks of no size", vec![b"zz\r\n{}\r\n".to_vec()], &[Some(400), None]),
        wrong_type,
        packed,
    ]
}

fn nested() -> Vec<Bad> {
    let deep = |open: &str, levels: usize| format!("{{\"labels\":{}", open.repeat(levels)).into_bytes();
    vec![
        declared("brackets without end", deep("[", MEBIBYTE - 64), MALFORMED),
        declared("objects without end", deep("{\"a\":", 200_000), MALFORMED),
        declared("half a million numbers", filled("0"), &[Some(400), Some(422)]),
        declared("a third of a million lists", filled("[]"), &[Some(400), Some(422)]),
        declared("a third of a million objects", filled("{}"), &[Some(400), Some(422)]),
        declared("many small objects", filled("{\"a\":0}"), &[Some(400), Some(422)]),
        declared("thirty thousand texts", listed("\"abc\"", 30_000), MALFORMED),
        declared("thirty thousand unknown fields", fields(30_000), MALFORMED),
    ]
}

/// Sends each bad request several times at once; the peak of memory is looked at for each.
fn all_are_turned_away(name: &str, kinds: fn() -> Vec<Bad>) {
    let place = Place::demo(name);
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let before = at_rest(&server, &token);
    let mut wrong = Vec::new();
    for bad in kinds() {
        memory::forget_peak(server.id());
        let headers: Vec<(&str, &str)> = bad
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let head = raw::head("POST", "/api/v1/changes", Some(&token), &headers);
        let pieces: Vec<&[u8]> = bad.pieces.iter().map(Vec::as_slice).collect();
        let statuses: Vec<Option<u16>> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..AT_ONCE)
                .map(|_| scope.spawn(|| raw::ask(&server.url, &head, &pieces)))
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let grown = memory::peak(server.id()).saturating_sub(before);
        println!("{}: {statuses:?}, {grown} KiB more", bad.what);
        if grown > GROWTH || !statuses.iter().all(|status| bad.may_get.contains(status)) {
            wrong.push(format!("{}: {statuses:?}, {grown} KiB more at its peak", bad.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        server.ask("POST", "/api/v1/changes", Some(&token), Some(&ordinary())).0,
        201
    );
}

fn ordinary() -> serde_json::Value {
    json!({"title": "An honest one", "targets": [{"service": "edge-dns", "environment": "production"}]})
}

/// The resident memory after the usual requests, so that memory which they keep anyway is not counted.
fn at_rest(server: &Server, token: &str) -> u64 {
    for _ in 0..20 {
        server.must("POST", "/api/v1/changes", token, Some(&ordinary()));
        server.must("GET", "/api/v1/changes?limit=200", token, None);
    }
    server.wait_for_log();
    memory::resident(server.id())
}

#[test]
fn bodies_beyond_the_limit_are_refused_and_take_no_memory() {
    all_are_turned_away("oversized", oversized);
}

#[test]
fn bodies_that_are_broken_or_wrongly_encoded_are_refused() {
    all_are_turned_away("broken", broken);
}

#[test]
fn bodies_that_are_nested_or_crowded_are_refused_and_take_no_memory() {
    all_are_turned_away("nested", nested);
}

#[test]
fn a_delivery_that_nobody_signed_takes_no_memory_and_leaves_no_trace_of_its_body() {
    let place = Place::demo("unsigned");
    let server = Server::start(&place, true);
    let before = at_rest(&server, &server.token("requester"));
    let path = crate::integration::deliveries::connect(&server).path;
    memory::forget_peak(server.id());
    let canary = "canary-in-a-body-that-nobody-signed";
    let mut body = json!({"text": canary}).to_string().into_bytes();
    body.resize(24 * MEBIBYTE, b' ');
    let length = body.len().to_string();
    let signature = format!("sha256={}", "0".repeat(64));
    let headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", &length),
        ("X-GitHub-Event", "push"),
    ];
    let headers = [
        &headers[..],
        &[("X-GitHub-Delivery", "d-1"), ("X-Hub-Signature-256", &signature)],
    ]
    .concat();
    let head = raw::head("POST", &path, None, &headers);
    for _ in 0..3 {
        assert_eq!(raw::ask(&server.url, &head, &[&body]), Some(401));
    }
    let grown = memory::peak(server.id()).saturating_sub(before);
    assert!(grown <= GROWTH, "{grown} KiB more at the peak");
    let figures = String::from_utf8(server.get("/metrics", None).1).unwrap();
    assert!(figures.contains("assent_hook_refused_total 3"), "{figures}");
    assert!(!server.log().contains(canary));
    assert_eq!(std::fs::read_dir(server.data.join("uploads")).unwrap().count(), 0);
    server.stop();
    assert!(crate::platform::canaries::held(&place, [canary]).is_empty());
}

/// A form with a file of so many bytes, as evidence.
fn form_with(bytes: usize) -> Vec<u8> {
    let part = |head: &str| format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    let mut form = part("name=\"kind\"").into_bytes();
    form.extend(b"file\r\n");
    form.extend(part("name=\"file\"; filename=\"heap.bin\"").into_bytes());
    form.resize(form.len() + bytes, b'.');
    form.extend(b"\r\n--x--\r\n");
    form
}

/// A slow reader keeps a few pieces in the server's memory, not the whole file.
#[test]
fn files_that_are_read_slowly_take_no_memory_and_come_whole() {
    const BYTES: usize = 32 * MEBIBYTE;
    let place = Place::demo("slowly-read");
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let made = server.must("POST", "/api/v1/changes", &token, Some(&ordinary()));
    let path = format!("/api/v1/changes/{}/evidence", made["key"].as_str().unwrap());
    let form = form_with(BYTES);
    let length = form.len().to_string();
    let headers = [
        ("Content-Type", "multipart/form-data; boundary=x"),
        ("Content-Length", &length),
    ];
    let head = raw::head("POST", &path, Some(&token), &headers);
    assert_eq!(raw::ask(&server.url, &head, &[&form]), Some(201));
    drop(form);
    let kept = server.must("GET", &path, &token, None);
    let file = format!("{path}/{}/file", kept["items"][0]["id"].as_str().unwrap());
    let before = at_rest(&server, &token);
    memory::forget_peak(server.id());
    let ask = raw::head("GET", &file, Some(&token), &[]);
    let mut readers: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut stream = raw::connect(&server.url);
            raw::send(&mut stream, &[ask.as_bytes(), b"\r\n"]);
            assert_eq!(raw::status(&mut stream), Some(200));
            stream
        })
        .collect();
    let grown = memory::peak(server.id()).saturating_sub(before);
    assert!(grown <= GROWTH, "{grown} KiB more at the peak");
    let mut rest = Vec::new();
    readers.pop().unwrap().read_to_end(&mut rest).unwrap();
    let body = rest.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(rest.len() - body, BYTES);
    assert!(rest[body..].iter().all(|byte| *byte == b'.'));
    let head = String::from_utf8_lossy(&rest[..body]).to_lowercase();
    assert!(head.contains("filename=\"file evidence\""), "{head}");
}

/// How a slow client is slow.
type Slowly = fn(&mut TcpStream, &str);

const SLOW: &[(&str, Slowly)] = &[
    ("a head that never ends", |stream, _| {
        raw::send(stream, &[b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
    }),
    ("a body that never comes", |stream, token| {
        let headers = [("Content-Type", "application/json"), ("Content-Length", "100")];
        raw::send(
            stream,
            &[
                raw::head("POST", "/api/v1/changes", Some(token), &headers).as_bytes(),
                b"\r\n{",
            ],
        );
    }),
    ("a form that never comes, of somebody unknown", |stream, _| {
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", "100"),
        ];
        raw::send(
            stream,
            &[
                raw::head("POST", "/t/halden/sign-in", None, &headers).as_bytes(),
                b"\r\n",
            ],
        );
    }),
    ("nothing at all", |_, _| {}),
    ("HTTP/2 that says nothing after its preface", |stream, _| {
        raw::send(stream, &[PREFACE])
    }),
    ("HTTP/2 with a head that never ends", |stream, _| {
        // HEADERS of one byte that do not end the head; the continuation never comes.
        raw::send(stream, &[PREFACE, &[0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82]]);
    }),
];

/// The first bytes of an HTTP/2 client: the preface, and SETTINGS without any.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

#[test]
fn slow_clients_are_cut_and_honest_ones_do_not_wait_for_them() {
    let place = Place::demo("slow");
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let before = at_rest(&server, &token);
    memory::forget_peak(server.id());
    let mut slow: Vec<TcpStream> = Vec::new();
    for n in 0..size("ASSENT_TEST_SLOW", 300) {
        let mut stream = raw::connect(&server.url);
        SLOW[n % SLOW.len()].1(&mut stream, &token);
        slow.push(stream);
    }
    // They are all there, and an honest person is served all the same.
    for _ in 0..20 {
        assert_eq!(
            server.ask("POST", "/api/v1/changes", Some(&token), Some(&ordinary())).0,
            201
        );
    }
    for (n, stream) in slow.iter_mut().enumerate() {
        let (what, _) = SLOW[n % SLOW.len()];
        if what.starts_with("HTTP/2") {
            // The server's own frames come first; then it hangs up.
            raw::until_the_end(stream);
            continue;
        }
        let status = raw::status(stream);
        assert!(matches!(status, None | Some(408)), "{what}: {status:?}");
    }
    let grown = memory::peak(server.id()).saturating_sub(before);
    println!("{} slow clients: {grown} KiB more at the peak", slow.len());
    assert!(grown <= GROWTH, "{grown} KiB more at the peak");
}

/// The beginning of a long body that then stalls: its sender, and its path.
fn begin_long(server: &Server, n: usize, token: &str) -> TcpStream {
    let origin = ("Origin", server.url.as_str());
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    let (path, kind, token) = match n % 3 {
        0 => ("/api/v1/changes", json, Some(token)),
        1 => ("/api/v1/session", json, None),
        _ => ("/t/halden/sign-in", form, None),
    };
    let headers = [origin, ("Content-Type", kind), ("Content-Length", "900000")];
    let mut stream = raw::connect(&server.url);
    let head = raw::head("POST", path, token, &headers);
    let text = [b"{\"title\":\"".as_slice(), &[b'x'; 60_000]].concat();
    raw::send(&mut stream, &[head.as_bytes(), b"\r\n", &text]);
    stream
}

/// Whether there is no response yet and the connection is still open.
fn is_waited_for(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0_u8; 1]);
    stream.set_nonblocking(false).unwrap();
    peeked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn long_bodies_that_stand_still_take_no_memory_and_nobodys_turn() {
    let place = Place::demo("long-and-slow");
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let mut long = ordinary();
    long["description"] = "A long word. ".repeat(1_500).into();
    assert_eq!(server.ask("POST", "/api/v1/changes", Some(&token), Some(&long)).0, 201);
    let before = at_rest(&server, &token);
    memory::forget_peak(server.id());
    let mut slow: Vec<TcpStream> = Vec::new();
    for n in 0..size("ASSENT_TEST_LONG", 150) {
        slow.push(begin_long(&server, n, &token));
        if n % 30 == 0 {
            let answer = server.ask("POST", "/api/v1/changes", Some(&token), Some(&long));
            assert_eq!(
                answer.0,
                201,
                "beside {n} long bodies: {}",
                String::from_utf8_lossy(&answer.1)
            );
            assert!(
                is_waited_for(&slow[n]),
                "an honest one does not wait until others are cut"
            );
        }
    }
    for (n, stream) in slow.iter_mut().enumerate() {
        assert_eq!(raw::status(stream), Some(408), "{n}");
    }
    let grown = memory::peak(server.id()).saturating_sub(before);
    println!("{} long bodies: {grown} KiB more at the peak", slow.len());
    assert!(grown <= GROWTH, "{grown} KiB more at the peak");
    assert_eq!(
        std::fs::read_dir(place.folder.path().join("uploads")).unwrap().count(),
        0
    );
}

/// Strangers request the longest responses that there are, many times each, and read nothing of them.
#[test]
fn who_takes_nothing_of_its_answers_is_cut_and_takes_no_memory() {
    let place = Place::demo("untaken");
    let server = Server::start(&place, true);
    let token = server.token("requester");
    // The document is built at its first request and then cached.
    server.must("GET", "/api/openapi.json", &token, None);
    let before = at_rest(&server, &token);
    memory::forget_peak(server.id());
    let asked = "GET /api/openapi.json HTTP/1.1\r\nHost: assent\r\n\r\n".repeat(60);
    let idle: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = raw::connect(&server.url);
            raw::send(&mut stream, &[asked.as_bytes()]);
            stream
        })
        .collect();
    eventually("they are all there", || taken(&server) >= idle.len());
    eventually("they are cut, though they never hung up", || {
        taken(&server) < idle.len() / 2
    });
    let grown = memory::peak(server.id()).saturating_sub(before);
    println!("{} idle readers: {grown} KiB more at the peak", idle.len());
    assert!(grown <= GROWTH, "{grown} KiB more at the peak");
}

/// The number of connections that the server keeps open, from `/proc/net/tcp` (01 is established).
fn taken(server: &Server) -> usize {
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let ours = format!(":{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let is_open = |row: &&str| {
        let mut words = row.split_whitespace().skip(1);
        words.next().is_some_and(|local| local.ends_with(&ours)) && words.nth(1) == Some("01")
    };
    table.lines().filter(is_open).count()
}

#[test]
fn floods_of_heads_and_of_resets_are_survived() {
    let place = Place::demo("floods");
    let server = Server::start(&place, true);
    let token = server.token("requester");
    let before = at_rest(&server, &token);
    memory::forget_peak(server.id());
    let long = format!(
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n",
        "a".repeat(4 * MEBIBYTE)
    );
    assert!(matches!(raw::ask(&server.url, &long, &[]), None | Some(400 | 431)));
    let many = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}", "X-Many: 1\r\n".repeat(50_000));
    assert!(matches!(raw::ask(&server.url, &many, &[]), None | Some(400 | 431)));
    let mut stream = raw::connect(&server.url);
    stream.write_all(PREFACE).unwrap();
    for n in 0..20_000_u32 {
        // HEADERS of three bytes (GET, http, /) that end both headers and stream, then RST_STREAM with CANCEL.
        let id = (2 * n + 1).to_be_bytes();
        let asked = [&[0, 0, 3, 1, 5][..], &id, &[0x82, 0x86, 0x84]].concat();
        let reset = [&[0, 0, 4, 3, 0][..], &id, &[0, 0, 0, 8]].concat();
        if stream.write_all(&[asked, reset].concat()).is_err() {
            break;
        }
    }
    let mut rest = Vec::new();
    // The server ends the connection of a client that resets without end, or the client closes first.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read_to_end(&mut rest);
    let grown = memory::peak(server.id()).saturating_sub(before);
    println!("floods: {grown} KiB more at the peak");
    assert!(grown <= GROWTH, "{grown} KiB more at the peak");
    eventually("honest people are served", || server.get("/healthz", None).0 == 200);
}
