//! Stopping and starting again over the same data; other keys; TLS.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use server::{Settings, Tls, start};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::world::{World, eventually, fresh_folder};

fn settings(folder: &Path) -> Settings {
    let mut settings = Settings::new(folder);
    settings.listen.set_port(0);
    settings.public_url = Some("http://assent.example".to_owned());
    settings.stop_seconds = 1;
    settings
}

fn refusal(settings: &Settings) -> String {
    match start(settings, None) {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_data_and_its_key_are_kept() {
    let folder = fresh_folder();
    let mut world = World::over(settings(&folder));
    let key = world.draft();
    world.restart(settings(&folder));
    assert_eq!(
        world.get("rita", &format!("/changes/{key}")).expect(200)["state"],
        "draft"
    );
    world.schedule(&key);
    world.server.stop();
    let path = folder.join("master.key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let other = Settings {
        master_key: Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned()),
        ..settings(&folder)
    };
    assert!(refusal(&other).contains("is not the one"), "{}", refusal(&other));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refusal(&settings(&folder)).contains("readable by others"));
    std::fs::remove_file(&path).unwrap();
    assert!(refusal(&settings(&folder)).contains("is missing"));
}

#[test]
fn what_an_operator_got_wrong_is_told() {
    let folder = fresh_folder();
    let wrong = |change: &dyn Fn(&mut Settings)| {
        let mut settings = settings(&folder);
        change(&mut settings);
        refusal(&settings)
    };
    assert!(wrong(&|it| it.packs = vec!["none".to_owned()]).contains("no policy pack `none`"));
    assert!(wrong(&|it| it.trusted_proxies = vec!["here".to_owned()]).contains("`here`"));
    assert!(wrong(&|it| it.metrics_from = vec!["there".to_owned()]).contains("`there`"));
    let tls = Tls {
        certificate: PathBuf::from("/none.pem"),
        key: PathBuf::from("/none.key"),
    };
    assert!(wrong(&|it| it.tls = Some(tls.clone())).contains("/none.pem"));
    let _ = std::fs::remove_dir_all(&folder);
}

/// A certificate of its own for `localhost`, and its key.
fn new_pair() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap()
}

/// The response to a client that trusts this certificate alone; nothing when there is no handshake.
fn answer_under(made: &rcgen::CertifiedKey<rcgen::KeyPair>, at: std::net::SocketAddr, path: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(made.cert.der().to_vec())).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(at).unwrap());
    let asked = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    if stream.write_all(asked.as_bytes()).is_ok() {
        // The peer may end without a closing alert; the data read until then counts.
        let _ = stream.read_to_string(&mut answer);
    }
    answer
}

#[test]
fn tls_is_spoken_with_the_certificate_as_it_is_and_a_renewed_one_needs_no_restart() {
    let folder = fresh_folder();
    std::fs::create_dir_all(&folder).unwrap();
    let (first, second) = (new_pair(), new_pair());
    let tls = Tls {
        certificate: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    };
    std::fs::write(&tls.certificate, first.cert.pem()).unwrap();
    std::fs::write(&tls.key, first.signing_key.serialize_pem()).unwrap();
    let world = World::over(Settings {
        tls: Some(tls.clone()),
        ..settings(&folder)
    });
    let at = world.server.address();
    let answer = answer_under(&first, at, "/healthz");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let end = server::certificate_end(&tls).unwrap().unwrap().as_second();
    let told = |answer: &str| {
        let line = answer
            .lines()
            .find(|line| line.starts_with("assent_tls_certificate_end"));
        line.is_some_and(|line| line.ends_with(&format!(" {end}")))
    };
    eventually("its end is told", || told(&answer_under(&first, at, "/metrics")));
    // Half of a pair is no pair: the former one stays in use, and is looked at no more once the other half has come.
    std::fs::write(&tls.certificate, second.cert.pem()).unwrap();
    let why = server::certificate_end(&tls).unwrap_err();
    assert!(why.contains("is for another key"), "{why}");
    assert!(answer_under(&first, at, "/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(answer_under(&second, at, "/healthz"), "");
    std::fs::write(&tls.key, second.signing_key.serialize_pem()).unwrap();
    eventually("the renewed certificate is in use", || {
        answer_under(&second, at, "/healthz").starts_with("HTTP/1.1 200")
    });
    assert_eq!(answer_under(&first, at, "/healthz"), "");
}
