//! Debian's nginx, Caddy, HAProxy and Apache before the server, each with the configuration of its page: streams of events pass at
//! once, and the figures do not pass.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tests::session::Session;
use tests::{Place, Server, free_port, root};

use crate::gate::gateways::Own;

/// A check that waits, and the path of its stream.
fn waiting_check(server: &Server) -> String {
    let question = json!({"service": "edge-dns", "environment": "production",
        "artifact": format!("sha256:{}", "f".repeat(64)), "wait_seconds": 60});
    let check = server.must(
        "POST",
        "/api/v1/gate-checks",
        &server.token("pipeline"),
        Some(&question),
    );
    format!("/api/v1/gate-checks/{}/stream", check["id"].as_str().unwrap())
}

/// The header with the token of a role.
fn bearer(server: &Server, role: &str) -> String {
    format!("Authorization: Bearer {}", server.token(role))
}

/// Follows a stream for two seconds: its head in small letters, and the part of its body by then.
fn follow(url: &str, credential: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let head = folder.path().join("head");
    // The stream stays open, so curl is cut off.
    let done = Command::new("curl")
        .args(["-sS", "-N", "--max-time", "2", "-D"])
        .arg(&head)
        .args(["-H", credential, url])
        .output()
        .unwrap();
    let head = std::fs::read_to_string(head).unwrap_or_default().to_lowercase();
    (head, String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The beginning of a whole configuration, before the page's block.
fn before(name: &str, port: u16) -> String {
    match name {
        "nginx" => "pid nginx.pid;\nerror_log error.log;\nevents {}\nhttp {\naccess_log off;\n".to_owned(),
        "caddy" => "{\n  admin off\n  auto_https off\n}\n".to_owned(),
        "haproxy" => {
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 50s\n  timeout server 50s\n".to_owned()
        }
        _ => {
            let modules = ["mpm_event", "authz_core", "headers", "proxy", "proxy_http"];
            let load = |it: &str| format!("LoadModule {it}_module /usr/lib/apache2/modules/mod_{it}.so\n");
            let loaded: String = modules.iter().map(|it| load(it)).collect();
            format!(
                "ServerName assent.example\nListen 127.0.0.1:{port}\nPidFile apache.pid\nErrorLog error.log\n{loaded}"
            )
        }
    }
}

/// The page's block for a proxy with this test's ports and without TLS, as a whole configuration.
fn configuration(name: &str, server: &str, port: u16) -> String {
    let page = std::fs::read_to_string(root().join("docs/operations/setup/reverse-proxy.md")).unwrap();
    let (_, rest) = page
        .split_once(&format!("```{name}\n"))
        .expect("the page holds a block for it");
    let (block, _) = rest.split_once("```").expect("the block ends");
    let kept: String = block
        .lines()
        .filter(|line| !line.contains("ssl_certificate") && !line.trim().starts_with("SSL"))
        .map(|line| format!("{line}\n"))
        .collect();
    let block = kept
        .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port};"))
        .replace(
            "bind :443 ssl crt /etc/ssl/assent.pem alpn h2,http/1.1",
            &format!("bind 127.0.0.1:{port}"),
        )
        .replace("*:443", &format!("127.0.0.1:{port}"))
        .replace("assent.example {", &format!("http://127.0.0.1:{port} {{"))
        .replace("127.0.0.1:8080", server.strip_prefix("http://").unwrap());
    assert!(block.contains(&port.to_string()) && !block.contains("ssl"), "{block}");
    let end = if name == "nginx" { "}\n" } else { "" };
    format!("{}{block}{end}", before(name, port))
}

/// Starts a proxy with its page's configuration; returns its address.
fn start_proxy(name: &str, folder: &Path, server: &str) -> (Own, String) {
    let port = free_port();
    std::fs::write(folder.join("proxy.conf"), configuration(name, server, port)).unwrap();
    let mut command = Command::new(match name {
        "nginx" => "/usr/sbin/nginx",
        "haproxy" => "/usr/sbin/haproxy",
        "apache" => "/usr/sbin/apache2",
        other => other,
    });
    match name {
        "nginx" => command
            .arg("-p")
            .arg(folder)
            .args(["-c", "proxy.conf", "-e", "error.log", "-g", "daemon off;"]),
        "caddy" => command
            .args(["run", "--adapter", "caddyfile", "--config", "proxy.conf"])
            .env("XDG_DATA_HOME", folder)
            .env("XDG_CONFIG_HOME", folder),
        "haproxy" => command.args(["-db", "-f", "proxy.conf"]),
        _ => command.arg("-d").arg(folder).args(["-f", "proxy.conf", "-DFOREGROUND"]),
    };
    let process = Own::start(command.current_dir(folder), folder.join("out.log"));
    let url = format!("http://127.0.0.1:{port}");
    let reached = Command::new("curl")
        .args(["-sSf", "--retry", "40", "--retry-delay", "1", "--retry-connrefused"])
        .args(["-o", "/dev/null"])
        .arg(format!("{url}/readyz"))
        .output()
        .unwrap();
    let log = std::fs::read_to_string(folder.join("out.log")).unwrap_or_default();
    assert!(
        reached.status.success(),
        "{name}: {}\n{log}",
        String::from_utf8_lossy(&reached.stderr)
    );
    (process, url)
}

#[test]
fn every_stream_of_events_tells_proxies_not_to_collect_it() {
    let place = Place::demo("streams");
    let server = Server::start(&place, true);
    let check = waiting_check(&server);
    let page = format!("Cookie: {}", Session::begin(&server, "auditor").cookie);
    for (path, credential) in [
        ("/api/v1/stream", bearer(&server, "auditor")),
        (check.as_str(), bearer(&server, "pipeline")),
        ("/t/halden/live", page),
    ] {
        let (head, _) = follow(&format!("{}{path}", server.url), &credential);
        assert!(head.contains("content-type: text/event-stream"), "{path}: {head}");
        assert!(head.contains("x-accel-buffering: no"), "{path}: {head}");
    }
}

/// The status and body of a page without a credential.
fn fetched(url: &str) -> (String, String) {
    let done = Command::new("curl")
        .args(["-sS", "-w", "\n%{http_code}", url])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

/// Figures and the reasons of readiness are for the host alone: neither nginx nor the server behind it gives them away.
fn must_keep_inner_routes(server: &Server, url: &str) {
    for path in ["/metrics", "//metrics", "/%6detrics"] {
        assert_ne!(fetched(&format!("{url}{path}")).0, "200", "{path}");
    }
    assert_eq!(
        fetched(&format!("{url}/readyz")),
        ("200".to_owned(), "{\"is_ready\":true}".to_owned())
    );
    assert_eq!(
        fetched(&format!("{}/metrics", server.url)).0,
        "200",
        "the host itself reads them"
    );
    let forwarded = Command::new("curl")
        .args([
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-H",
            "X-Forwarded-For: 127.0.0.1",
        ])
        .arg(format!("{}/metrics", server.url))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&forwarded.stdout),
        "401",
        "a proxy without the block opens nothing"
    );
}

#[test]
fn a_stream_comes_through_each_proxy_as_its_page_sets_it_up_and_the_figures_do_not() {
    let place = Place::demo("behind_proxies");
    let server = Server::start(&place, true);
    for name in ["nginx", "caddy", "haproxy", "apache"] {
        let folder = tempfile::tempdir().unwrap();
        let (_proxy, url) = start_proxy(name, folder.path(), &server.url);
        must_keep_inner_routes(&server, &url);
        let (head, body) = follow(
            &format!("{url}{}", waiting_check(&server)),
            &bearer(&server, "pipeline"),
        );
        assert!(
            name != "nginx" || head.contains("server: nginx"),
            "it was nginx that answered: {head}"
        );
        assert!(head.contains("content-type: text/event-stream"), "{name}: {head}");
        let data = body.lines().find_map(|line| line.strip_prefix("data: "));
        let data = data.unwrap_or_else(|| panic!("{name}: nothing came: {body}"));
        let told: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(told["decision"], "stop", "{name}");
    }
}
