//! rsyslog and syslog-ng receive the messages of sinks over TCP and TLS (RFC 5424, framed by octet counting as in RFC 6587 and
//! RFC 5425), and write them down field by field. Both are killed and started again.
//!
//! They run as the tests' own processes from the folder `ASSENT_TEST_SYSLOG`, into which their packages are unpacked.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::{Place, Server, binary, free_port};

/// The receivers' reading of a title with every sign that syslog or JSON escapes.
const TITLE: &str = "Größe \"3\" ] of C:\\tmp = 'x'";
const EDITS: usize = 5;

const RSYSLOG: &str = r#"
module(load="imtcp")
global(workDirectory="FOLDER" maxMessageSize="64k" net.enableDNS="off" defaultNetstreamDriverCAFile="FOLDER/cert.pem"
  defaultNetstreamDriverCertFile="FOLDER/cert.pem" defaultNetstreamDriverKeyFile="FOLDER/key.pem")
template(name="fields" type="list" option.jsonf="on") {
  property(outname="pri" name="pri" format="jsonf")
  property(outname="at" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="kind" name="msgid" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
}
ruleset(name="tls") { action(type="omfile" file="FOLDER/tls.out" template="fields") }
ruleset(name="tcp") { action(type="omfile" file="FOLDER/tcp.out" template="fields") }
input(type="imtcp" port="TLS_PORT" address="127.0.0.1" ruleset="tls" StreamDriver.Name="gtls" StreamDriver.Mode="1"
  StreamDriver.AuthMode="anon")
input(type="imtcp" port="TCP_PORT" address="127.0.0.1" ruleset="tcp" StreamDriver.Name="ptcp" StreamDriver.Mode="0")
"#;

const SYSLOG_NG: &str = r#"@version: 3.38
@module afsocket
@module affile
@module syslogformat
@module json-plugin
options { keep-hostname(yes); use-dns(no); dns-cache(no); stats-freq(0); frac-digits(6); };
source s_tls { syslog(ip("127.0.0.1") port(TLS_PORT) transport("tls") log-msg-size(65536)
  tls(key-file("FOLDER/key.pem") cert-file("FOLDER/cert.pem") peer-verify(optional-untrusted))); };
source s_tcp { syslog(ip("127.0.0.1") port(TCP_PORT) transport("tcp") log-msg-size(65536)); };
template fields { template("$(format-json pri=$PRI at=$ISODATE app=$PROGRAM kind=$MSGID data=$SDATA text=$MSG)\n"); };
log { source(s_tls); destination { file("FOLDER/tls.out" template(fields)); }; };
log { source(s_tcp); destination { file("FOLDER/tcp.out" template(fields)); }; };
"#;

/// A syslog server with its folder; it ends with the test.
struct Receiver {
    name: &'static str,
    tools: PathBuf,
    folder: PathBuf,
    ports: [u16; 2],
    child: Option<Child>,
}

impl Receiver {
    fn new(name: &'static str, configuration: &str, (place, certificate, key): (&Path, &str, &str)) -> Self {
        let tools = std::env::var_os("ASSENT_TEST_SYSLOG").expect("run by cargo xtask test, which unpacks the servers");
        let folder = place.join(name);
        std::fs::create_dir(&folder).unwrap();
        let ports = [free_port(), free_port()];
        let configuration = configuration
            .replace("FOLDER", folder.to_str().unwrap())
            .replace("TLS_PORT", &ports[0].to_string())
            .replace("TCP_PORT", &ports[1].to_string());
        for (file, text) in [
            ("conf", configuration.as_str()),
            ("cert.pem", certificate),
            ("key.pem", key),
        ] {
            std::fs::write(folder.join(file), text).unwrap();
        }
        let mut receiver = Self {
            name,
            tools: tools.into(),
            folder,
            ports,
            child: None,
        };
        receiver.start();
        receiver
    }

    /// The folder of libraries for this machine, such as `usr/lib/x86_64-linux-gnu`.
    fn libraries(&self) -> PathBuf {
        let folders = std::fs::read_dir(self.tools.join("usr/lib")).unwrap().flatten();
        let mut folders = folders.map(|entry| entry.path());
        let found = folders.find(|path| path.join("rsyslog").is_dir());
        found.expect("rsyslog is unpacked there")
    }

    fn start(&mut self) {
        let at = |name: &str| self.folder.join(name).into_os_string();
        let libraries = self.libraries();
        let triple = libraries.file_name().unwrap().to_owned();
        let own = self.tools.join("usr/lib/syslog-ng");
        let searched = [libraries.clone(), self.tools.join("lib").join(triple), own.clone()];
        let mut command = Command::new(self.tools.join("usr/sbin").join(self.name));
        if self.name == "rsyslogd" {
            command.arg("-n").arg("-f").arg(at("conf")).arg("-i").arg(at("pid"));
            command.arg("-M").arg(libraries.join("rsyslog"));
        } else {
            command.arg("-F").arg("--no-caps").arg("-f").arg(at("conf"));
            command
                .arg("-R")
                .arg(at("persist"))
                .arg("-p")
                .arg(at("pid"))
                .arg("-c")
                .arg(at("ctl"));
            command.arg("--module-path").arg(own.join("3.38"));
        }
        command
            .env("LD_LIBRARY_PATH", std::env::join_paths(searched).unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        // The remains of a killed one name a process that is gone.
        let _ = std::fs::remove_file(self.folder.join("pid"));
        self.child = Some(command.spawn().unwrap());
        eventually("the receiver listens", || {
            self.ports
                .iter()
                .all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The received entries of a way, by index; a repeated entry must be the same.
    fn rows(&self, way: &str) -> BTreeMap<i64, Value> {
        let text = std::fs::read_to_string(self.folder.join(format!("{way}.out"))).unwrap_or_default();
        let mut found = BTreeMap::new();
        let whole = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for row in whole {
            let index = parameter(&row, "index").unwrap().parse().unwrap();
            if let Some(before) = found.insert(index, row.clone()) {
                // The link to the entry before may differ where a parcel was cut otherwise.
                assert_eq!(
                    (&before["text"], &before["kind"]),
                    (&row["text"], &row["kind"]),
                    "entry {index}"
                );
            }
        }
        found
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A parameter of the structured data that a receiver read.
fn parameter(row: &Value, name: &str) -> Option<String> {
    let data = row["data"].as_str().unwrap();
    let (_, rest) = data.split_once(&format!(" {name}=\""))?;
    rest.split('"').next().map(str::to_owned)
}

/// A change with edits; returns its key.
fn edited(server: &Server) -> String {
    let requester = server.token("requester");
    let body = json!({"title": TITLE, "services": ["edge-dns"], "environment": "production"});
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&body));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    for number in 0..EDITS {
        let body = json!({"title": format!("{TITLE} {number}")});
        let (status, answer) = server.ask_with("PATCH", &path, Some(&requester), Some(&body), &[("If-Match", "*")]);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }
    made["key"].as_str().unwrap().to_owned()
}

/// The rows of a change, without a gap among all rows.
fn of_change(receiver: &Receiver, way: &str, key: &str) -> Vec<Value> {
    let rows = receiver.rows(way);
    let is_of = |row: &&Value| parameter(row, "key").as_deref() == Some(key);
    rows.values().filter(is_of).cloned().collect()
}

fn must_have_no_gap(receiver: &Receiver, way: &str) {
    let rows = receiver.rows(way);
    let indexes: Vec<i64> = rows.keys().copied().collect();
    for pair in indexes.windows(2) {
        let previous = parameter(&rows[&pair[1]], "previous").and_then(|text| text.parse().ok());
        assert_eq!(
            previous,
            Some(pair[0]),
            "{} {way}: before entry {}",
            receiver.name,
            pair[1]
        );
    }
}

/// Compares every field of a receiver's rows with the acts.
fn must_have_read(receiver: &Receiver, way: &str, (key, login): (&str, &str)) {
    let rows = of_change(receiver, way, key);
    for (place, row) in rows.iter().enumerate() {
        let (kind, title) = match place {
            0 => ("change.created", TITLE.to_owned()),
            place => ("change.edited", format!("{TITLE} {}", place - 1)),
        };
        let whose = format!("{} {way} {place}: {row:#}", receiver.name);
        assert_eq!((&row["kind"], &row["app"]), (&json!(kind), &json!("assent")), "{whose}");
        // Facility 13 (log audit), severity 5 (notice).
        assert_eq!(row["pri"].to_string().trim_matches('"'), "109", "{whose}");
        assert!(row["at"].as_str().unwrap().starts_with("2026-11-20T1"), "{whose}");
        for (name, wanted) in [("tenant", "halden"), ("table", "change"), ("actor", login)] {
            assert_eq!(parameter(row, name).as_deref(), Some(wanted), "{whose}");
        }
        let index: i64 = parameter(row, "index").unwrap().parse().unwrap();
        assert_eq!(parameter(row, "sequenceId"), Some((index + 1).to_string()), "{whose}");
        let facts: Value = serde_json::from_str(row["text"].as_str().unwrap().trim_start()).expect(&whose);
        assert_eq!(facts["texts"]["change.title"], title.as_str(), "{whose}");
    }
}

#[test]
fn rsyslog_and_syslog_ng_read_every_field_over_tcp_and_tls_and_lose_nothing_when_killed() {
    let place = Place::demo("syslog_servers");
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, secret) = (made.cert.pem(), made.signing_key.serialize_pem());
    let files = (folder.path(), certificate.as_str(), secret.as_str());
    let mut receivers = [
        Receiver::new("rsyslogd", RSYSLOG, files),
        Receiver::new("syslog-ng", SYSLOG_NG, files),
    ];
    let mut program = Command::new(binary());
    program
        .env("ASSENT_OUTGOING_CA", folder.path().join("rsyslogd/cert.pem"))
        .env("ASSENT_OUTGOING_ALLOW", "127.0.0.1");
    let mut server = Server::start_on(program, "127.0.0.1", &place, true);
    server.hold_clock("2026-11-20T10:00:00Z".parse().unwrap());
    let admin = server.token("admin");
    let mut sinks = Vec::new();
    for receiver in &receivers {
        for (way, host, port) in [
            ("tls", "localhost", receiver.ports[0]),
            ("tcp", "127.0.0.1", receiver.ports[1]),
        ] {
            let body = json!({"name": format!("{}-{way}", receiver.name), "url": format!("{way}://{host}:{port}"),
                "format": "rfc5424", "kinds": ["change.*"], "with_texts": true});
            let made = server.must("POST", "/api/v1/sinks", &admin, Some(&body));
            sinks.push(format!("/api/v1/sinks/{}", made["id"].as_str().unwrap()));
        }
    }
    let login = server.person("requester")["login"].as_str().unwrap().to_owned();
    let have = |receivers: &[Receiver; 2], key: &str| {
        let ways = receivers.iter().flat_map(|it| ["tls", "tcp"].map(|way| (it, way)));
        ways.map(|(it, way)| of_change(it, way, key).len())
            .all(|count| count == EDITS + 1)
    };
    let first = edited(&server);
    eventually("all four have the first change", || have(&receivers, &first));
    receivers.iter_mut().for_each(Receiver::kill);
    let second = edited(&server);
    for sink in &sinks {
        eventually("it is known to fail", || {
            server.must("GET", sink, &admin, None)["state"]["failing_since"].is_string()
        });
    }
    receivers.iter_mut().for_each(Receiver::start);
    server.advance(301);
    eventually("all four have the second change", || have(&receivers, &second));
    for receiver in &receivers {
        for way in ["tls", "tcp"] {
            must_have_no_gap(receiver, way);
            must_have_read(receiver, way, (&first, &login));
            must_have_read(receiver, way, (&second, &login));
        }
    }
    assert!(server.stop().success());
}
