//! The service behind deploys exactly the request that a gateway judged: hostile requests through Debian's nginx, Caddy,
//! HAProxy and Apache, each with the configuration of its guide.

use std::io::{Read, Write};
use std::net::TcpStream;

use tests::Place;

use crate::gate::gateways::{Scene, digest};

/// Sends a request byte by byte as a hostile client would; the status, if there is a response.
fn send_raw(url: &str, headers: &[Vec<u8>]) -> Option<u16> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let mut request = b"GET /deploy HTTP/1.1\r\nHost: deployments.example\r\nConnection: close\r\n".to_vec();
    for header in headers {
        request.extend_from_slice(header);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).unwrap();
    let mut answer = Vec::new();
    // A gateway may cut off a request that it does not take.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

/// The headers that a service may read as Assent's, however it treats names: canonical names, and the values.
fn ours(head: &[u8]) -> Vec<(String, Vec<u8>)> {
    let lines = head.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8_lossy(&line[..colon]).to_lowercase();
        let same = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = name.chars().map(same).collect();
        Some((name, line[colon + 1..].trim_ascii().to_vec()))
    });
    let mut found: Vec<_> = lines.filter(|(name, _)| name.starts_with("assent")).collect();
    found.sort();
    found
}

/// The attacks: headers beside or in place of an approved artifact.
fn hostile_headers(good: &str, bad: &str) -> Vec<Vec<Vec<u8>>> {
    let line = |name: &str, value: &[u8]| [name.as_bytes(), b": ", value].concat();
    let artifact = |value: &str| line("Assent-Artifact", value.as_bytes());
    let mut found = Vec::new();
    for name in [
        "Assent-Artifact",
        "ASSENT-ARTIFACT",
        "assent-artifact",
        "Assent_Artifact",
        "assent_artifact",
        "Assent.Artifact",
        "Assent-Commit",
        "Assent_Commit",
        "Assent_Change",
        "Assent-Change",
    ] {
        for value in [bad.as_bytes(), b"", b"\xa0", b"\x85", format!("{bad}\u{a0}").as_bytes()] {
            found.push(vec![artifact(good), line(name, value)]);
            found.push(vec![line(name, value), artifact(good)]);
        }
    }
    for value in [
        format!("{good},{bad}"),
        format!("{good}, {bad}"),
        format!("{good} {bad}"),
        format!("{good};{bad}"),
    ] {
        found.push(vec![artifact(&value)]);
    }
    for tail in [&b"\xa0"[..], b"\x85", b"\xc2\xa0", b"\x0b", b"\x0c"] {
        found.push(vec![line("Assent-Artifact", &[good.as_bytes(), tail].concat())]);
    }
    found
}

#[test]
fn what_was_judged_is_what_reaches_the_service_through_every_proxy() {
    let place = Place::demo("judged");
    let scene = Scene::new(&place, &["nginx", "caddy", "haproxy", "apache"]);
    let (good, bad) = (digest('a'), digest('b'));
    let key = scene.propose(&good, &digest('c'));
    for role in ["owner", "security", "change_manager"] {
        scene.approve(&key, role);
    }
    let told = |pairs: &[(&str, &str)]| -> Vec<(String, Vec<u8>)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect()
    };
    let (plain, with_purpose) = (
        [("assent-artifact", good.as_str()), ("assent-change", key.as_str())],
        "assent-purpose",
    );
    for gateway in &scene.gateways {
        let name = gateway.name;
        let whole = [
            format!("Assent-Artifact: {good}").into_bytes(),
            b"assent-purpose: deploy".to_vec(),
            b"Assent-Gateway: me".to_vec(),
            format!("ASSENT-CHANGE: {key}").into_bytes(),
        ];
        assert_eq!(send_raw(&gateway.url, &whole), Some(200), "{name}");
        let head = scene.reached.lock().unwrap().pop().unwrap();
        let mut wanted = told(&plain);
        wanted.push((with_purpose.to_owned(), b"deploy".to_vec()));
        assert_eq!(ours(&head), wanted, "{name}: {}", String::from_utf8_lossy(&head));
        for headers in hostile_headers(&good, &bad) {
            let shown: Vec<_> = headers
                .iter()
                .map(|it| String::from_utf8_lossy(it).into_owned())
                .collect();
            let status = send_raw(&gateway.url, &headers);
            let reached: Vec<Vec<u8>> = std::mem::take(&mut *scene.reached.lock().unwrap());
            // A gateway may drop a name that it takes for none, for the companion and the service alike.
            assert_eq!(status == Some(200), !reached.is_empty(), "{name} {shown:?}: {status:?}");
            for head in reached {
                assert_eq!(
                    ours(&head),
                    told(&plain),
                    "{name} {shown:?}: {}",
                    String::from_utf8_lossy(&head)
                );
            }
        }
    }
}
