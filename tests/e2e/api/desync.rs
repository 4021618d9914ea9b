//! Requests that a proxy and the server behind it might read differently: duplicate lengths, misspelt chunks, heads with stray
//! bytes. Behind each hides a second request that the proxy forbids. A hidden request must never reach an act, and all other
//! clients on the proxy's connections must get their own responses.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tests::faults::{raw, size};
use tests::{Place, Server, free_port};

use crate::gate::gateways::Own;

/// The record that every hidden request would write.
const CANARY: &str = "Smuggled";
/// How long an attacker listens before closing: the response to an understood request is there by then.
const LISTENS: Duration = Duration::from_millis(250);
/// How many attack through one proxy at once.
const AT_ONCE: usize = 3;

/// One request on the wire.
struct Case {
    what: String,
    bytes: Vec<u8>,
}

/// The request that hides: it would make a change, and the proxy forbids its path.
fn hidden(token: &str, number: usize) -> String {
    let body = json!({
        "title": format!("{CANARY} {number}"), "targets": [{"service": "edge-dns", "environment": "production"}],
    });
    let body = body.to_string();
    format!(
        "POST /api/v1/changes HTTP/1.1\r\nHost: assent\r\nX-Request-Id: smuggled-{number}\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Beginnings of the request around it: one whose body is wanted, one whose body is not, one of an old version.
fn lines(token: &str) -> [String; 3] {
    let usual = format!("Host: assent\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    [
        format!("POST /api/v1/gate-checks HTTP/1.1\r\n{usual}"),
        format!("GET /outer HTTP/1.1\r\n{usual}"),
        format!("POST /outer HTTP/1.0\r\nConnection: keep-alive\r\n{usual}"),
    ]
}

/// Ways to announce a body in chunks, most of which no server may accept.
const CODINGS: &[&str] = &[
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding\t: chunked\r\n",
    "Transfer-Encoding:\tchunked\r\n",
    "Transfer-Encoding: \u{b}chunked\r\n",
    "Transfer-Encoding: chunked\u{c}\r\n",
    "Transfer-Encoding: chunked\0\r\n",
    "Transfer-Encoding:\r\n chunked\r\n",
    "Transfer-Encoding\r\n: chunked\r\n",
    " Transfer-Encoding: chunked\r\n",
    "X: y\nTransfer-Encoding: chunked\r\n",
    "X: y\rTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: CHUNKED\r\n",
    "Transfer-Encoding: \"chunked\"\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: chunked;q=0\r\n",
    "Transfer-Encoding: identity, chunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding: chunked, chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: ,chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n",
    "Transfer_Encoding: chunked\r\n",
    "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
    "Connection: Content-Length\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunk\u{e9}d\r\n",
    "TRANSFER-ENCODING: chunked\r\nExpect: 100-continue\r\n",
];

/// Ways to give two lengths: `{0}` is none, `{n}` the hidden request's.
const LENGTHS: &[&str] = &[
    "Content-Length: {0}\r\nContent-Length: {n}\r\n",
    "Content-Length: {n}\r\nContent-Length: {0}\r\n",
    "Content-Length: {0}, {n}\r\n",
    "Content-Length: {n}, {0}\r\n",
    "Content-Length: +{n}\r\n",
    "Content-Length: -{n}\r\n",
    "Content-Length: {0}x{n}\r\n",
    "Content-Length: {0}\r\n {n}\r\n",
    "Content-Length : {n}\r\n",
    "Content-Length\t: {n}\r\n",
    " Content-Length: {n}\r\n",
    "Content_Length: {n}\r\n",
    "Content-Length: \u{b}{n}\r\n",
    "Content-Length: {n}\0\r\n",
    "Content-Length: {n} {0}\r\n",
    "Content-Length: {n};{0}\r\n",
    "Content-Length: {n}.0\r\n",
    "Content-Length: 1844674407370955{n}\r\n",
    "X: y\nContent-Length: {n}\r\n",
    "X: y\rContent-Length: {n}\r\n",
    "Connection: Content-Length\r\nContent-Length: {n}\r\n",
    "Content-Length:\r\n",
    "Expect: 100-continue\r\nContent-Length: {0}\r\n",
];

/// Ends of a body in chunks, behind which the hidden request begins if somebody takes them for an end.
const ENDS: &[&str] = &[
    "0\r\n\r\n",
    "0\n\r\n",
    "0\r\n\n",
    "0\n\n",
    "0\r\r\n\r\n",
    "0 \r\n\r\n",
    "0\t\r\n\r\n",
    " 0\r\n\r\n",
    "0x0\r\n\r\n",
    "+0\r\n\r\n",
    "-0\r\n\r\n",
    "00000000000000000000\r\n\r\n",
    "10000000000000000\r\n\r\n",
    "0;a=b\r\n\r\n",
    "0;a=\"\r\n\r\n\"\r\n\r\n",
    "0;\n\r\n",
    "0\r\nX: y\n\n",
    "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "0\r\nX\r\n\r\n",
    "0\r\n",
    "1\r\nZ0\r\n\r\n",
    "5\r\n{}   \r0\r\n\r\n",
    "2\r\n{}\n0\r\n\r\n",
    "2\n{}\r\n0\r\n\r\n",
    "ffffffffffffffff\r\n0\r\n\r\n",
];

/// Heads that end where nobody should think so, and first lines of more than one meaning.
const HEADS: &[&str] = &[
    "GET /outer HTTP/1.1\r\nHost: assent\r\nX: y\n\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\nX: y\r\r\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\nX: y\r\n\n",
    "GET /outer HTTP/1.1\nHost: assent\n\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\nX: \0\r\n\r\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\nX\0: y\r\n\r\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\n: y\r\n\r\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\nX y\r\n\r\n",
    "GET  /outer  HTTP/1.1\r\nHost: assent\r\n\r\n",
    "GET\t/outer\tHTTP/1.1\r\nHost: assent\r\n\r\n",
    "GET /outer HTTP/1.1 HTTP/1.1\r\nHost: assent\r\n\r\n",
    "GET /outer HTTP/9.9\r\nHost: assent\r\n\r\n",
    "GET /outer HTTP/1.10\r\nHost: assent\r\n\r\n",
    "GET /outer\r\n\r\n",
    "GET /outer\r\nHost: assent\r\n\r\n",
    "GET http://other/outer HTTP/1.1\r\nHost: assent\r\n\r\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\nHost: other\r\n\r\n",
    "GET /outer HTTP/1.1\r\n\r\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 1\r\n\r\n",
    "CONNECT assent:80 HTTP/1.1\r\nHost: assent\r\n\r\n",
    "HEAD /outer HTTP/1.1\r\nHost: assent\r\nContent-Length: 0\r\n\r\n",
    "TRACE /outer HTTP/1.1\r\nHost: assent\r\nMax-Forwards: 0\r\n\r\n",
    "\r\n\r\nGET /outer HTTP/1.1\r\nHost: assent\r\n\r\n",
    "G\u{c9}T /outer HTTP/1.1\r\nHost: assent\r\n\r\n",
    "GET /outer%0d%0a%0d%0a HTTP/1.1\r\nHost: assent\r\n\r\n",
    "GET /outer HTTP/1.1\r\nHost: assent\r\nX: y%0d%0a%0d%0a\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/// One byte for each letter, so that bytes beyond ASCII go out alone.
fn latin(text: &str) -> Vec<u8> {
    text.chars()
        .map(|letter| u8::try_from(u32::from(letter)).unwrap())
        .collect()
}

/// Every case, numbered from `first`.
fn cases(token: &str, first: usize) -> Vec<Case> {
    let mut found = Vec::new();
    let mut add = |what: &str, of: &dyn Fn(&str) -> String| {
        let number = first + found.len();
        let text = of(&hidden(token, number));
        found.push(Case {
            what: format!("{number}: {what:?}"),
            bytes: latin(&text),
        });
    };
    for line in lines(token) {
        for coding in CODINGS {
            // The length covers the hidden request, the chunks end before it.
            add(coding, &|hidden| {
                let body = format!("0\r\n\r\n{hidden}");
                format!("{line}{coding}Content-Length: {}\r\n\r\n{body}", body.len())
            });
            // The chunks cover it, the length ends before it.
            add(coding, &|hidden| {
                let size = format!("{:x}\r\n", hidden.len());
                format!(
                    "{line}Content-Length: {}\r\n{coding}\r\n{size}{hidden}\r\n0\r\n\r\n",
                    size.len()
                )
            });
        }
        for lengths in LENGTHS {
            add(lengths, &|hidden| {
                let told = lengths.replace("{0}", "0").replace("{n}", &hidden.len().to_string());
                format!("{line}{told}\r\n{hidden}")
            });
        }
    }
    let [line, _, _] = lines(token);
    for end in ENDS {
        add(end, &|hidden| {
            format!("{line}Transfer-Encoding: chunked\r\n\r\n{end}{hidden}")
        });
    }
    for head in HEADS {
        add(head, &|hidden| format!("{head}{hidden}"));
    }
    found
}

/// A proxy that passes everything on but the path of changes.
struct Front {
    name: &'static str,
    port: u16,
    _process: Own,
}

const FRONTS: [&str; 4] = ["haproxy", "nginx", "caddy", "apache"];

/// The file and the command that start a proxy; it keeps its connections to the server and shares them.
fn settings(name: &str, port: u16, server: u16, folder: &Path) -> (&'static str, String, Command) {
    let command = |program: &str, words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).current_dir(folder);
        command
    };
    match name {
        "haproxy" => (
            "haproxy.cfg",
            format!(
                "defaults\n mode http\n timeout connect 1s\n timeout client 10s\n timeout server 10s\n http-reuse always\n\
                 frontend front\n bind 127.0.0.1:{port}\n \
                 http-request deny deny_status 403 if {{ path_beg /api/v1/changes }}\n default_backend assent\n\
                 backend assent\n server assent 127.0.0.1:{server} pool-max-conn 2\n"
            ),
            command("/usr/sbin/haproxy", &["-db", "-f", "haproxy.cfg"]),
        ),
        "nginx" => (
            "nginx.conf",
            format!(
                "pid nginx.pid;\nerror_log error.log;\nevents {{}}\nhttp {{\n access_log off;\n \
                 upstream assent {{ server 127.0.0.1:{server}; keepalive 2; }}\n server {{\n \
                 listen 127.0.0.1:{port};\n location /api/v1/changes {{ return 403; }}\n location / {{\n \
                 proxy_pass http://assent;\n proxy_http_version 1.1;\n proxy_set_header Connection \"\";\n \
                 proxy_request_buffering off;\n }} }} }}\n"
            ),
            command(
                "/usr/sbin/nginx",
                &["-p", ".", "-c", "nginx.conf", "-e", "error.log", "-g", "daemon off;"],
            ),
        ),
        "caddy" => (
            "Caddyfile",
            format!(
                "{{\n admin off\n auto_https off\n}}\nhttp://:{port} {{\n bind 127.0.0.1\n \
                 @shut path /api/v1/changes*\n respond @shut 403\n reverse_proxy 127.0.0.1:{server} {{\n \
                 transport http {{\n keepalive_idle_conns_per_host 2\n }}\n }}\n}}\n"
            ),
            {
                let mut caddy = command("caddy", &["run", "--adapter", "caddyfile", "--config", "Caddyfile"]);
                caddy.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
                caddy
            },
        ),
        _ => (
            "apache.conf",
            format!(
                "ServerName front\nServerRoot {folder}\nListen 127.0.0.1:{port}\nPidFile apache.pid\nErrorLog error.log\n\
                 LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n\
                 LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n\
                 LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so\n\
                 LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so\n\
                 <Location \"/api/v1/changes\">\n Require all denied\n</Location>\n\
                 ProxyPass \"/\" \"http://127.0.0.1:{server}/\" keepalive=On max=2\n",
                folder = folder.display()
            ),
            command("/usr/sbin/apache2", &["-f", "apache.conf", "-DFOREGROUND"]),
        ),
    }
}

fn start(name: &'static str, server: u16, base: &Path) -> Front {
    let folder = base.join(format!("front-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    let port = free_port();
    let (file, text, mut command) = settings(name, port, server, &folder);
    std::fs::write(folder.join(file), text).unwrap();
    if name == "apache" {
        command.arg("-d").arg(&folder);
    }
    let log = folder.join("out.log");
    let process = Own::start(&mut command, log.clone());
    let listens = tests::held::awaited(|| TcpStream::connect(("127.0.0.1", port)).ok());
    assert!(
        listens.is_some(),
        "{name} does not listen: {}",
        std::fs::read_to_string(log).unwrap_or_default()
    );
    Front {
        name,
        port,
        _process: process,
    }
}

/// Sends a good request to a port and reads until its response has begun.
fn ask(port: u16, bytes: &[u8]) -> String {
    let mut stream = raw::connect(&format!("http://127.0.0.1:{port}"));
    stream.write_all(bytes).unwrap();
    let mut piece = [0; 4096];
    let count = raw::read(&mut stream, &mut piece).unwrap();
    String::from_utf8_lossy(&piece[..count]).into_owned()
}

/// Sends bytes to a port and reads the response within a time, or until the other side hangs up.
fn talk(port: u16, bytes: &[u8], longest: Duration) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(longest)).unwrap();
    // The server may have closed the connection of a refused request already.
    let _ = stream.write_all(bytes);
    let mut told = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        told.extend_from_slice(&piece[..count]);
    }
    String::from_utf8_lossy(&told).into_owned()
}

impl Front {
    /// Another client sends through the same proxy; the response must belong to it. A proxy whose connection broke may report
    /// that.
    fn asks_undisturbed(&self, who: &str, after: &str) {
        let question =
            format!("GET /healthz HTTP/1.1\r\nHost: assent\r\nX-Request-Id: {who}\r\nConnection: close\r\n\r\n");
        let own = format!("x-request-id: {who}");
        for _ in 0..20 {
            let told = talk(self.port, question.as_bytes(), Duration::from_secs(60));
            let status = told.get(9..12).unwrap_or_default();
            if matches!(status, "502" | "503" | "504") && !told.to_lowercase().contains("x-request-id") {
                continue;
            }
            let found = format!("{} after {after}: {told}", self.name);
            assert_eq!(status, "200", "{found}");
            assert!(told.to_lowercase().contains(&own), "somebody else's answer: {found}");
            return;
        }
        panic!("{} answers nobody after {after}", self.name);
    }
}

/// The titles of changes that a hidden request made.
fn smuggled(server: &Server) -> Vec<String> {
    let path = format!("/api/v1/changes?q={CANARY}&limit=200");
    let found = server.must("GET", &path, &server.token("requester"), None);
    let title = |row: &Value| row["title"].as_str().unwrap().to_owned();
    found["items"].as_array().unwrap().iter().map(title).collect()
}

#[test]
fn no_request_hides_behind_another_through_any_proxy() {
    let place = Place::demo("desync");
    let server = Server::start(&place, true);
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let token = server.token("requester");
    let fronts: Vec<Front> = FRONTS.iter().map(|name| start(name, port, &server.data)).collect();
    // The hidden request is a good one, and only the proxy is in its way.
    let control = hidden(&token, 0).into_bytes();
    assert!(ask(port, &control).starts_with("HTTP/1.1 201"));
    let before = smuggled(&server);
    assert_eq!(before, [format!("{CANARY} 0")]);
    for front in &fronts {
        let told = ask(front.port, &control);
        assert!(told.starts_with("HTTP/1.1 403"), "{}: {told}", front.name);
    }
    let wanted = size("ASSENT_TEST_DESYNC", 80);
    std::thread::scope(|scope| {
        for (place, front) in fronts.iter().enumerate() {
            let all = cases(&token, 10_000 * (place + 1));
            assert!(all.len() >= 200, "{} cases", all.len());
            // A smaller size takes cases from everywhere, others at each proxy.
            let step = all.len().div_ceil(wanted.min(all.len()));
            let chosen: Vec<Case> = all.into_iter().skip(place % step).step_by(step).collect();
            println!("{} cases through {}", chosen.len(), front.name);
            let chosen = std::sync::Arc::new(chosen);
            for lane in 0..AT_ONCE {
                let chosen = chosen.clone();
                scope.spawn(move || {
                    for (number, case) in chosen.iter().enumerate().skip(lane).step_by(AT_ONCE) {
                        talk(front.port, &case.bytes, LISTENS);
                        front.asks_undisturbed(&format!("{}-{number}", front.name), &case.what);
                    }
                });
            }
        }
    });
    assert_eq!(smuggled(&server), before, "hidden requests had an effect");
}
