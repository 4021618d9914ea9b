//! The program over TLS, as an operator starts it: browsers, pipelines and the command line reach it, and plain HTTP does not.

use std::process::Command;

use tests::faults::eventually;
use tests::{Place, Server, binary};

use crate::platform::served_log::serve;

/// The result of curl for an address: its exit code, and the body with the status behind it.
fn curl(words: &[&str]) -> (Option<i32>, String) {
    let done = Command::new("curl")
        .args(["-sS", "-w", "\n%{http_code}", "--max-time", "30"])
        .args(words)
        .output();
    let done = done.unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn a_server_with_a_certificate_is_reached_by_https_alone() {
    let place = Place::demo("tls");
    let server = Server::start(&place, true);
    let token = server.token("requester");
    server.stop();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key, log] = ["cert.pem", "key.pem", "log"].map(|name| folder.path().join(name));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let [certificate, key] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let served = serve(&place, &log, &["--tls-cert", certificate, "--tls-key", key]);
    let base = format!("https://localhost:{}", served.port);
    let [healthz, readyz] = ["healthz", "readyz"].map(|name| format!("{base}/{name}"));
    eventually("it is ready over TLS", || {
        curl(&["--cacert", certificate, &readyz]).1.ends_with("\n200")
    });
    let bearer = format!("Authorization: Bearer {token}");
    assert!(curl(&["--cacert", certificate, &healthz]).1.ends_with("\n200"));
    let (code, me) = curl(&[
        "--cacert",
        certificate,
        "-i",
        "-H",
        &bearer,
        &format!("{base}/api/v1/me"),
    ]);
    assert!(code == Some(0) && me.ends_with("\n200"), "{me}");
    assert!(me.to_lowercase().contains("strict-transport-security:"), "{me}");
    // The command line trusts the same file.
    let told = Command::new(binary())
        .args(["--server", &base, "--ca-cert", certificate, "change", "list"])
        .env("ASSENT_TOKEN", &token)
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    // Nobody who does not know the certificate, and nobody in plain sight.
    assert_eq!(curl(&[&healthz]).0, Some(60), "a stranger's certificate");
    let (code, plain) = curl(&["-H", &bearer, &format!("http://localhost:{}/api/v1/me", served.port)]);
    assert!(code != Some(0) && !plain.contains("200"), "{code:?} {plain}");
}
