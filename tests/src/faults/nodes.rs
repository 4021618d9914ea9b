//! Three PostgreSQL nodes under Patroni with strict synchronous replication, with an etcd member on each, as the operators' guide
//! (`docs/operations/failover.md`) sets them up, and HAProxy on each machine of a server; on the second one with PgBouncer before it.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::network::Network;
use super::{cluster, signals};

/// The machines of the database.
pub const NODES: [&str; 3] = ["n1", "n2", "n3"];
/// The machines of the servers.
pub const SERVERS: [&str; 2] = ["a1", "a2"];
/// The account that owns Assent's database.
const OWNER: &str = "assent_owner";
/// The password of every account: the network is one machine's own.
const PASSWORD: &str = "only-in-a-test";
/// Where PostgreSQL's programs are on Debian 12.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// Where HAProxy listens on the machine of a server.
const PROXY_PORT: u16 = 5000;
/// Where PgBouncer listens on the machine of the second server.
const POOLER_PORT: u16 = 6432;

/// The cluster. Dropping it ends everything in it and removes its data.
pub struct Nodes {
    /// The network that the machines are at.
    pub network: Network,
    folder: tempfile::TempDir,
    /// Kept so that they are waited for at the end.
    children: Vec<Child>,
}

/// Why no such cluster can be had here, if that is so.
pub fn why_left_out() -> Option<String> {
    let user = Command::new("id").arg("-u").output().ok()?;
    if String::from_utf8_lossy(&user.stdout).trim() != "0" {
        return Some("network namespaces take root".to_owned());
    }
    let programs = [
        ("/usr/bin/patroni", "patroni"),
        ("/usr/bin/etcd", "etcd-server"),
        ("/usr/sbin/haproxy", "haproxy"),
        ("/usr/sbin/pgbouncer", "pgbouncer"),
        ("/usr/lib/postgresql/15/bin/postgres", "postgresql-15"),
    ];
    let missing = programs.iter().find(|(path, _)| !Path::new(path).exists())?;
    Some(format!("there is no {}: apt-get install {}", missing.0, missing.1))
}

impl Nodes {
    /// Makes the network and the cluster, and waits until it has a primary with a synchronous standby.
    ///
    /// # Errors
    /// Why the network cannot be had.
    ///
    /// # Panics
    /// When the cluster does not come up.
    pub fn start() -> Result<Self, String> {
        let places: Vec<&str> = NODES.iter().chain(&SERVERS).copied().collect();
        let mut nodes = Self {
            network: Network::make(&places)?,
            folder: tempfile::tempdir().expect("a folder can be made"),
            children: Vec::new(),
        };
        cluster::give(nodes.folder.path());
        for node in NODES {
            let folder = nodes.folder_of(node);
            std::fs::create_dir(&folder).expect("a folder can be made");
            cluster::give(&folder);
            nodes.start_etcd(node);
        }
        for node in NODES {
            std::fs::write(nodes.folder_of(node).join("patroni.yml"), nodes.patroni(node)).expect("it can be written");
            nodes.start_patroni(node);
        }
        nodes.start_proxies();
        nodes.start_pooler();
        let came = crate::held::awaited(|| nodes.is_whole().then_some(()));
        assert!(came.is_some(), "the cluster never came up:\n{}", nodes.last_words());
        nodes.make_database();
        Ok(nodes)
    }

    fn folder_of(&self, node: &str) -> PathBuf {
        self.folder.path().join(node)
    }

    fn run(&mut self, place: &str, mut command: Command, log: &str) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join(format!("{place}.{log}.log")))
            .expect("its log can be written");
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a file handle can be shared"))
            .stdout(log)
            // A signal from the terminal ends the test, which ends these.
            .process_group(0);
        self.children.push(command.spawn().expect("the program starts"));
    }

    /// A program on a node, as the account that PostgreSQL runs as: it refuses root.
    fn as_account(&self, node: &str, program: &str) -> Command {
        let mut command = self.network.command(node, "setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]);
        command
    }

    fn start_etcd(&mut self, node: &str) {
        let at = |node: &str, port: u16| format!("http://{}:{port}", self.network.address(node));
        let members = NODES.map(|node| format!("{node}={}", at(node, 2380))).join(",");
        let mut etcd = self.as_account(node, "etcd");
        etcd.args(["--name", node, "--initial-cluster", &members, "--enable-v2=true"]);
        etcd.arg("--data-dir").arg(self.folder_of(node).join("etcd"));
        for flag in ["--listen-peer-urls", "--initial-advertise-peer-urls"] {
            etcd.args([flag, &at(node, 2380)]);
        }
        for flag in ["--listen-client-urls", "--advertise-client-urls"] {
            etcd.args([flag, &at(node, 2379)]);
        }
        self.run(node, etcd, "etcd");
    }

    fn start_patroni(&mut self, node: &str) {
        let mut patroni = self.as_account(node, "patroni");
        patroni.arg(self.folder_of(node).join("patroni.yml"));
        self.run(node, patroni, "patroni");
    }

    /// The settings of the guide, with the addresses of this network. They name etcd's API of version 2: Patroni 3.0.2 of
    /// Debian 12 renews the leader's key by version 3 without a check of its owner (`_update_leader` in `dcs/etcd3.py`), so
    /// that a primary that was paused takes the lock back from its successor and loses the writes that the successor
    /// acknowledged.
    fn patroni(&self, node: &str) -> String {
        let address = self.network.address(node);
        let members = NODES
            .map(|node| format!("'{}:2379'", self.network.address(node)))
            .join(", ");
        let folder = self.folder_of(node).display().to_string();
        format!(
            "scope: assent
name: {node}
restapi: {{listen: '{address}:8008', connect_address: '{address}:8008'}}
etcd: {{hosts: [{members}]}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    primary_start_timeout: 0
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      parameters: {{max_connections: 200, synchronous_commit: 'on', wal_keep_size: 256MB, max_pred_locks_per_transaction: 512}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
postgresql:
  listen: '{address}:5432'
  connect_address: '{address}:5432'
  data_dir: {folder}/data
  bin_dir: {PROGRAMS}
  pgpass: {folder}/pgpass
  authentication:
    superuser: {{username: postgres, password: {PASSWORD}}}
    replication: {{username: replicator, password: {PASSWORD}}}
    rewind: {{username: rewinder, password: {PASSWORD}}}
  parameters: {{unix_socket_directories: '{folder}'}}
  pg_hba:
    - local all all trust
    - host replication replicator samenet scram-sha-256
    - host all all samenet scram-sha-256
"
        )
    }

    fn start_proxies(&mut self) {
        let servers: String = NODES
            .iter()
            .map(|node| format!("  server {node} {}:5432 check port 8008\n", self.network.address(node)))
            .collect();
        let settings = format!(
            "global
  maxconn 1000
defaults
  mode tcp
  retries 1
  timeout connect 2s
  timeout client 30m
  timeout server 30m
  timeout check 2s
listen primary
  bind *:{PROXY_PORT}
  option httpchk GET /primary
  http-check expect status 200
  default-server inter 1s fastinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}"
        );
        let file = self.folder.path().join("haproxy.cfg");
        std::fs::write(&file, settings).expect("it can be written");
        for place in SERVERS {
            let mut haproxy = self.network.command(place, "/usr/sbin/haproxy");
            haproxy.arg("-db").arg("-f").arg(&file);
            self.run(place, haproxy, "haproxy");
        }
    }

    /// PgBouncer in session mode, as the guide has it, before the proxy of the second server.
    fn start_pooler(&mut self) {
        let place = SERVERS[1];
        let folder = self.folder_of(place);
        std::fs::create_dir(&folder).expect("a folder can be made");
        let settings = format!(
            "[databases]
assent = host=127.0.0.1 port={PROXY_PORT} dbname=assent
[pgbouncer]
listen_addr = {}
listen_port = {POOLER_PORT}
unix_socket_dir =
pool_mode = session
auth_type = scram-sha-256
auth_file = {}
server_reset_query = DISCARD ALL
server_login_retry = 1
server_connect_timeout = 3
default_pool_size = 40
",
            self.network.address(place),
            folder.join("users.txt").display()
        );
        std::fs::write(folder.join("users.txt"), format!("\"{OWNER}\" \"{PASSWORD}\"\n")).expect("it can be written");
        std::fs::write(folder.join("pgbouncer.ini"), settings).expect("it can be written");
        cluster::give(&folder);
        let mut pgbouncer = self.as_account(place, "pgbouncer");
        pgbouncer.arg(folder.join("pgbouncer.ini"));
        self.run(place, pgbouncer, "pgbouncer");
    }

    fn make_database(&self) {
        let primary = self.primary().expect("the cluster is whole");
        let url = format!(
            "postgres://postgres:{PASSWORD}@{}/postgres",
            self.network.address(&primary)
        );
        let role = format!("CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{PASSWORD}'");
        let database = format!("CREATE DATABASE assent OWNER {OWNER}");
        let made = Command::new("psql")
            .args([&url, "-v", "ON_ERROR_STOP=1", "-q", "-c", &role, "-c", &database])
            .output()
            .expect("psql is installed with PostgreSQL");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// The database as the server on a machine reaches it: by the proxy there, on the second one by the pooler before it.
    pub fn url(&self, place: &str) -> String {
        let address = self.network.address(place);
        let port = if place == SERVERS[1] { POOLER_PORT } else { PROXY_PORT };
        format!("postgres://{OWNER}:{PASSWORD}@{address}:{port}/assent?sslmode=disable")
    }

    /// Patroni's list of the members, from the first node that responds.
    fn members(&self) -> Vec<Value> {
        let agent = crate::caller::agent_for(std::time::Duration::from_secs(2));
        for node in NODES {
            let url = format!("http://{}:8008/cluster", self.network.address(node));
            let Ok(mut answer) = agent.get(url).call() else {
                continue;
            };
            let text = answer.body_mut().read_to_string().unwrap_or_default();
            let told: Value = serde_json::from_str(&text).unwrap_or_default();
            if let Some(members) = told["members"].as_array() {
                return members.clone();
            }
        }
        Vec::new()
    }

    /// The node that has the leader's lock.
    pub fn primary(&self) -> Option<String> {
        let members = self.members();
        let leader = members.iter().find(|it| it["role"] == "leader")?;
        leader["name"].as_str().map(str::to_owned)
    }

    /// Whether all three run on one timeline, and one of them is the synchronous standby.
    pub fn is_whole(&self) -> bool {
        let members = self.members();
        let of = |role: &str| members.iter().filter(|it| it["role"] == role).count();
        let run = members
            .iter()
            .all(|it| it["state"] == "running" || it["state"] == "streaming");
        let timeline = members.first().map(|it| &it["timeline"]);
        let is_one = members.iter().all(|it| Some(&it["timeline"]) == timeline);
        members.len() == NODES.len() && of("leader") == 1 && of("sync_standby") >= 1 && run && is_one
    }

    /// Ends PostgreSQL on a node as a crash does; Patroni there lives on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill_postgres(&self, node: &str) {
        let file = self.folder_of(node).join("data/postmaster.pid");
        let text = std::fs::read_to_string(file).expect("PostgreSQL runs");
        let id = text.lines().next().and_then(|line| line.trim().parse().ok());
        signals::send("KILL", id.expect("its first line is a number"));
    }

    /// Pauses everything on a node; its addresses are still up in the network, and no program responds there.
    pub fn pause(&self, node: &str) {
        self.send_all("STOP", node);
    }

    /// Lets it go on.
    pub fn go_on(&self, node: &str) {
        self.send_all("CONT", node);
    }

    fn send_all(&self, signal: &str, node: &str) {
        for id in self.network.processes(node) {
            // A process of PostgreSQL may have ended by itself meanwhile.
            let _ = Command::new("kill")
                .args([&format!("-{signal}"), &id.to_string()])
                .output();
        }
    }

    /// The last output of the machines' programs, for a test that fails.
    pub fn last_words(&self) -> String {
        let said = |node: &&str| {
            let file = self.folder.path().join(format!("{node}.patroni.log"));
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("{node}: {}\n", lines[lines.len().saturating_sub(5)..].join("\n"))
        };
        NODES.iter().map(said).collect()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for place in NODES.iter().chain(&SERVERS) {
            self.go_on(place);
            self.send_all("KILL", place);
        }
        for child in &mut self.children {
            // Most have ended by now.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
