//! The gates of real delivery tools: nginx with the gate beside nginx with a bare route, the gate under a load that does not
//! wait for responses, and deliveries accepted beside bare commits.

pub mod worked;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::client::{Connection, request};
use super::floor::{Floor, told};
use super::load::{Amount, Load, seconds_since};
use super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact};
use super::rates::{Side, take_turns, weigh_status};
use super::report::Line;

/// Artifacts and deliveries of these measures are numbered from here.
const FIRST: u64 = 1 << 42;
/// Questions a second of the load that does not wait.
const RATE: f64 = 2_000.0;
/// The number of connections of that load: it waits for none of them while fewer are busy.
const AT_HAND: usize = 64;
/// The program in front of the gate.
const NGINX: &str = "/usr/sbin/nginx";

/// All measures of the gates.
pub fn measure(product: &Product, amount: Amount) -> Result<Vec<Line>> {
    let passing = artifact(FIRST);
    let mut caller = Caller::new(product)?;
    let change = caller.nearly_approved(&passing, assent::clock::now())?;
    caller.ask("change_manager", "POST", &change.path, Some(&change.approval))?;
    Ok(vec![
        nginx(product, amount, &passing)?,
        open_loop(product, amount, &passing)?,
        deliveries(product, amount)?,
    ])
}

/// nginx queries the gate for each request, beside nginx that queries a route which does nothing.
fn nginx(product: &Product, amount: Amount, passing: &str) -> Result<Line> {
    let floor = Floor::start(&[])?;
    let front = Nginx::start(product, &floor)?;
    let gated = |_: u64| deploy("/gated/ok", passing);
    let bare = |_: u64| deploy("/bare/ok", passing);
    let side = |make| Side {
        address: front.address,
        wanted: 200,
        make,
    };
    let sides = [side(&gated as &(dyn Fn(u64) -> Vec<u8> + Sync)), side(&bare)];
    let loads = take_turns(amount, &sides)?;
    ensure!(loads.len() == 2, "a side is missing");
    let what = format!(
        "nginx with the gate, {} connections, beside auth_request on a bare route",
        amount.connections
    );
    Ok(Line::rates(what, loads[0].rate(), loads[1].rate(), "/s", 0.5))
}

fn deploy(path: &str, artifact: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAssent-Artifact: {artifact}\r\n\r\n").into_bytes()
}

/// The gate at a fixed rate: a request is due whether or not those before it are finished, and its time counts from then.
fn open_loop(product: &Product, amount: Amount, passing: &str) -> Result<Line> {
    let path = format!("/api/v1/gate?service={SERVICE}&environment={ENVIRONMENT}&artifact={passing}");
    let question = request("GET", &path, Some(product.token("pipeline")), None);
    let began = assent::clock::now();
    let work = |lane: usize| -> Result<Vec<f64>> {
        let mut connection = Connection::open(product.address)?;
        let mut took = Vec::new();
        for number in (lane..).step_by(AT_HAND) {
            let due = number as f64 / RATE;
            if due >= amount.seconds {
                break;
            }
            let mut ahead = due - seconds_since(began);
            while ahead > 0.0 {
                std::thread::park_timeout(Duration::from_secs_f64(ahead));
                ahead = due - seconds_since(began);
            }
            let answer = connection.ask(&question)?;
            ensure!(answer.status == 200, "the gate answered {}", answer.status);
            took.push((seconds_since(began) - due) * 1_000.0);
        }
        Ok(took)
    };
    let parts: Vec<Result<Vec<f64>>> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..AT_HAND).map(|lane| scope.spawn(move || work(lane))).collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().unwrap_or_else(|_| bail!("a lane panicked")))
            .collect()
    });
    let mut load = Load {
        seconds: seconds_since(began),
        took: Vec::new(),
    };
    for part in parts {
        load.took.extend(part?);
    }
    let what = format!("GET /gate at {RATE:.0} a second, open loop, p99");
    let reached = format!("{:.0} /s were answered", load.rate());
    Ok(Line::under(what, load.share(0.99), reached, 10.0))
}

/// Deliveries accepted durably, beside a route that only commits as many rows of the same sizes.
fn deliveries(product: &Product, amount: Amount) -> Result<Line> {
    let connection = json!({"kind": "plain", "name": "Bench", "map": []});
    let ask = request(
        "POST",
        "/api/v1/connections",
        Some(product.token("admin")),
        Some(&connection),
    );
    let answer = Connection::open(product.address)?.ask(&ask)?;
    ensure!(
        answer.status == 201,
        "no connection: {}",
        String::from_utf8_lossy(&answer.body)
    );
    let made: serde_json::Value = serde_json::from_slice(&answer.body)?;
    let field = |name: &str| {
        made[name]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("no {name}"))
    };
    let (path, secret) = (field("hook_path")?, field("secret")?);
    let delivering = |number: u64| {
        let body = json!({
            "id": format!("run-{number}"), "service": "bench", "environment": "production", "status": "success",
            "artifact": artifact(number), "at": "2026-01-01T00:00:00Z",
        });
        request("POST", &path, Some(&secret), Some(&body))
    };
    let rows = weigh_status(product, &delivering, 202, FIRST)?;
    let floor = Floor::start(&rows)?;
    let committing = |_: u64| request("POST", "/commit", None, Some(&json!({})));
    let sides = [
        Side {
            address: product.address,
            wanted: 202,
            make: &delivering as &(dyn Fn(u64) -> Vec<u8> + Sync),
        },
        Side {
            address: floor.address,
            wanted: 201,
            make: &committing,
        },
    ];
    let loads = take_turns(amount, &sides)?;
    ensure!(loads.len() == 2, "a side is missing");
    let what = format!(
        "Deliveries accepted durably, {} connections, {}",
        amount.connections,
        told(&rows)?
    );
    Ok(Line::rates(what, loads[0].rate(), loads[1].rate(), "/s", 0.3))
}

/// nginx with two places: one queries the gate, the other a bare route; both then serve one small file.
struct Nginx {
    child: Child,
    _folder: tempfile::TempDir,
    address: SocketAddr,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its master ends its workers; whether it is gone already does not matter here.
        let _ = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

impl Nginx {
    fn start(product: &Product, floor: &Floor) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        for place in ["gated", "bare", "temp"] {
            std::fs::create_dir(folder.path().join(place))?;
        }
        for place in ["gated", "bare"] {
            std::fs::write(folder.path().join(place).join("ok"), "deployed")?;
        }
        let text = configuration(folder.path(), address, product, floor);
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, text)?;
        let child = Command::new(NGINX)
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("`{NGINX}` cannot be started; run cargo xtask setup"))?;
        let own = Self {
            child,
            _folder: folder,
            address,
        };
        for _ in 0..200 {
            if Connection::open(address).is_ok() {
                return Ok(own);
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        bail!("nginx does not listen")
    }
}

fn configuration(folder: &Path, address: SocketAddr, product: &Product, floor: &Floor) -> String {
    let folder = folder.display();
    let token = product.token("pipeline");
    let (gate, bare) = (product.address, floor.address);
    // Both send over kept connections; the subrequest carries no body.
    let ask = "proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass_request_body off; \
        proxy_set_header Content-Length \"\";";
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/temp/{name};"))
        .join(" ");
    format!(
        "daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; {temporary} root {folder};\n\
         upstream gate {{ server {gate}; keepalive 64; }}\n\
         upstream nothing {{ server {bare}; keepalive 64; }}\n\
         server {{ listen {address}; keepalive_requests 1000000;\n\
         location /gated/ {{ auth_request /ask/gate; }}\n\
         location /bare/ {{ auth_request /ask/bare; }}\n\
         location = /ask/gate {{ internal; {ask} proxy_set_header Authorization \"Bearer {token}\"; \
         proxy_pass http://gate/gateway/http/{SERVICE}/{ENVIRONMENT}; }}\n\
         location = /ask/bare {{ internal; {ask} proxy_pass http://nothing/bare; }}\n\
         }} }}\n"
    )
}
