//! Time stamps of checkpoints (RFC 3161): `openssl ts` is the authority, and judges the server's stored stamps.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::Outside;
use tests::{Place, Server, binary};

use crate::audit::foreign::judge_bundle;
use crate::platform::crash::{must_replay, must_run, must_verify};

const ALLOW: &[&str] = &["--outgoing-allow", "127.0.0.1"];

/// An authority of `openssl ts` in a folder, with a certificate of its own issuer.
struct Authority(PathBuf);

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let authority = Self(folder);
        let usage = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n";
        authority.write("usage", usage.as_bytes());
        authority.write("serial", b"01\n");
        let config = "[tsa]\ndefault_tsa = it\n[it]\nserial = serial\nsigner_cert = signer.pem\ncerts = ca.pem\n\
                      signer_key = signer.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\n\
                      ess_cert_id_alg = sha256\n";
        authority.write("config", config.as_bytes());
        let subject = format!("/CN=Time {name}");
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650";
        authority.openssl(
            &format!("req -x509 {key} -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE -subj"),
            &[&subject],
        );
        authority.openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout signer.key -out signer.csr -subj",
            &[&format!("{subject} stamps")],
        );
        authority.openssl(
            "x509 -req -in signer.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile usage -out signer.pem",
            &[],
        );
        authority
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.join(name), bytes).unwrap();
    }

    fn openssl(&self, words: &str, more: &[&str]) {
        let mut command = Command::new("openssl");
        command.args(words.split_whitespace()).args(more).current_dir(&self.0);
        must_run(&mut command);
    }

    /// The response to a request.
    fn answer(&self, request: &[u8]) -> Vec<u8> {
        self.write("query", request);
        self.openssl("ts -reply -config config -queryfile query -out reply", &[]);
        std::fs::read(self.0.join("reply")).unwrap()
    }

    fn certificates(&self) -> String {
        std::fs::read_to_string(self.0.join("ca.pem")).unwrap()
    }

    /// `openssl ts` judges a token over a text.
    fn judge(&self, text: &str, token: &[u8]) {
        self.write("text", text.as_bytes());
        self.write("token", token);
        self.openssl("ts -verify -data text -in token -token_in -CAfile ca.pem", &[]);
    }
}

fn add(server: &Server, url: &str, certificates: &str) -> Value {
    let body = json!({"url": url, "certificates": certificates, "every_hours": 1});
    server.must("POST", "/api/v1/time-authorities", &server.token("admin"), Some(&body))
}

fn stamped(server: &Server, id: &Value) -> Value {
    let listed = server.must("GET", "/api/v1/time-authorities", &server.token("auditor"), None);
    let items = listed["items"].as_array().unwrap();
    items
        .iter()
        .find(|it| it["id"] == *id)
        .map_or(Value::Null, |it| it["stamped"].clone())
}

fn verify(server: &Server, what: &[&str], anchors: &Path) -> (Option<i32>, String) {
    let keys = server.data.join("keys");
    std::fs::write(&keys, server.get("/t/halden/log/key", None).1).unwrap();
    let mut command = Command::new(binary());
    command
        .args(["--json", "audit", "verify"])
        .args(what)
        .arg("--key")
        .arg(&keys);
    command.arg("--time-authority").arg(anchors);
    command
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", server.token("auditor"));
    let done = command.output().unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn checkpoints_are_stamped_and_openssl_agrees() {
    let place = Place::demo("stamped");
    let server = Server::start_with(&place, true, ALLOW);
    server.wait_for_log();
    let folder = server.data.join("authorities");
    let (good, stranger) = (Authority::new(&folder, "good"), Authority::new(&folder, "stranger"));
    let answering = Authority(good.0.clone());
    let outside = Outside::start_bytes(move |sent| (200, answering.answer(&sent.body)));
    // One takes the connection and stays silent, one stamps another text, and one has a certificate that is not trusted.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = Authority::new(&folder, "other");
    let other_certificates = other.certificates();
    let wrong = Outside::start_bytes(move |sent| {
        // The request of another log: the digest differs in its last byte.
        let mut request = sent.body.clone();
        let at = request.len() - 14;
        request[at] ^= 1;
        (200, other.answer(&request))
    });
    add(
        &server,
        &format!("http://{}", silent.local_addr().unwrap()),
        &good.certificates(),
    );
    let mistaken = add(&server, &wrong.url, &other_certificates);
    let unknown = add(&server, &format!("{}/elsewhere", outside.url), &stranger.certificates());
    let added = add(&server, &outside.url, &good.certificates());
    assert_eq!(added["signer"], "CN=Time good");
    eventually("the log is stamped, although an authority before hangs", || {
        !stamped(&server, &added["id"]).is_null()
    });
    eventually("the log says why others gave none", || {
        let log = server.log();
        log.contains("another imprint") && log.contains("its signer is unknown")
    });
    assert_eq!(
        (stamped(&server, &mistaken["id"]), stamped(&server, &unknown["id"])),
        (Value::Null, Value::Null)
    );

    is_judged(&server, &good);
    is_in_log(&server, (&good, &stranger));
    is_in_bundle(&server, (&good, &stranger));
    must_verify(&server);
    drop(silent);
    assert!(server.stop().success());
    must_replay(&place);
}

/// The files that the server serves beside its log, judged by openssl over the text that the tree of that size gives.
fn is_judged(server: &Server, good: &Authority) {
    let (status, file) = server.get("/t/halden/log/time-stamps", Some(&server.token("auditor")));
    assert_eq!(status, 200);
    let line: Value = serde_json::from_slice(file.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    let (_, note) = server.get("/t/halden/log/checkpoint", Some(&server.token("auditor")));
    let origin = String::from_utf8(note).unwrap().lines().next().unwrap().to_owned();
    let hex = line["root"].as_str().unwrap();
    let root: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let text = format!("{origin}\n{}\n{}\n", line["size"], STANDARD.encode(root));
    good.judge(&text, &STANDARD.decode(line["token"].as_str().unwrap()).unwrap());
}

/// The whole log verifies with its time stamps under the authority, and under no other.
fn is_in_log(server: &Server, (good, stranger): (&Authority, &Authority)) {
    let log = format!("{}/t/halden/log", server.url);
    let what = ["--max-age", "off", "--log", log.as_str()];
    let (code, said) = verify(server, &what, &good.0.join("ca.pem"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("time_stamped"), "{said}");
    let (code, said) = verify(server, &what, &stranger.0.join("ca.pem"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("time_stamp_unknown_signer"), "{said}");
}

/// A bundle whose checkpoint was stamped later holds the time stamp.
fn is_in_bundle(server: &Server, (good, stranger): (&Authority, &Authority)) {
    let auditor = server.token("auditor");
    let closed = server.must("GET", "/api/v1/changes?state=closed&limit=1", &auditor, None);
    let key = closed["items"][0]["key"].as_str().unwrap();
    let file = judge_bundle(server, &server.data.join("bundled"), key);
    let file = file.to_str().unwrap();
    let (code, said) = verify(server, &[file], &good.0.join("ca.pem"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("time_stamped"), "{said}");
    let (code, said) = verify(server, &[file], &stranger.0.join("ca.pem"));
    assert_eq!(code, Some(1), "{said}");
    let mut bytes = Vec::new();
    let mut archive = std::fs::File::open(file).unwrap();
    archive.read_to_end(&mut bytes).unwrap();
    let name = b"time_stamps.json";
    assert!(
        bytes.windows(name.len()).any(|at| at == name),
        "the bundle names the file"
    );
}
