//! Installs the tools of the tests: on Debian as root by itself, elsewhere it prints the command.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Error, Result, bail};

use crate::{foreign, node, postgres, shell};

/// Something outside of the repository that a part of the suite cannot do without.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Need {
    /// GNU make, with which jemalloc is built.
    Make,
    /// The PostgreSQL 15 server programs.
    Postgres,
    /// Python with the pinned verifiers, in `.tools/venv`.
    Python,
    /// MkDocs, pinned, in `.tools/site`.
    Site,
    /// Node with the pinned packages, in `.tools/node`; a pinned Node itself, in `.tools/nodejs`, where the machine's is too old.
    Node,
    /// A browser and its driver.
    Browser,
    /// The command line of OpenSSL, as a judge of signatures; nothing of it is linked.
    OpenSsl,
    /// The system call tracer that the kill tests use.
    Tracer,
    /// The clients of the guide's walks: curl and jq.
    Shell,
    /// Real gateways: nginx, Caddy, HAProxy, and Apache with its Lua's HTTP client. Each runs as the tests' own process.
    Gateways,
    /// Clients that others publish for Rust, in `.tools/clients`.
    Clients,
    /// Prometheus Alertmanager, which sends alerts.
    Alerts,
    /// AIDE, which reports files that changed.
    Integrity,
    /// The tools that pack, judge and sign a release: `dpkg-deb`, `systemd-analyze`, `ssh-keygen`.
    Packaging,
    /// LemonLDAP::NG, an identity provider, with the libraries of its portal and its OpenID Connect. It runs as the tests' own
    /// process.
    Identity,
    /// PostgreSQL that fails over: Patroni, etcd, HAProxy, PgBouncer and the network namespaces that they run in. Only root
    /// makes those, so for other users the tests of it are left out with a note.
    Failover,
    /// rsyslog and syslog-ng, unpacked in `.tools/syslog`: installed they would replace each other and the machine's own.
    Syslog,
    /// The tools that make a bare Debian and unpack a container image.
    Bare,
}

impl Need {
    /// Every need of the end-to-end tests; `Bare` is that of one part alone.
    pub const ALL: &'static [Need] = &[
        Need::Make,
        Need::Postgres,
        Need::Python,
        Need::Site,
        Need::Node,
        Need::Browser,
        Need::OpenSsl,
        Need::Tracer,
        Need::Shell,
        Need::Gateways,
        Need::Clients,
        Need::Alerts,
        Need::Integrity,
        Need::Packaging,
        Need::Identity,
        Need::Failover,
        Need::Syslog,
    ];

    /// The Debian packages that fill the need, or none when it is filled already.
    fn missing_packages(self) -> &'static [&'static str] {
        let (packages, present): (&[&str], bool) = match self {
            Need::Make => (&["make"], shell::find("make").is_some()),
            Need::Postgres => (&["postgresql"], postgres::programs().is_some()),
            Need::Python | Need::Site => (&["python3", "python3-venv"], foreign::base_python().is_some()),
            // Debian 12's version is too old; the pinned one comes with Python.
            Need::Node if node::is_there() => (&[], true),
            Need::Node => return Need::Python.missing_packages(),
            Need::Browser => {
                let present = are_found(&["chromium", "chromedriver"]);
                (&["chromium", "chromium-driver"], present)
            }
            Need::OpenSsl => (&["openssl"], shell::find("openssl").is_some()),
            Need::Tracer => (&["strace"], shell::find("strace").is_some()),
            Need::Shell => (&["curl", "jq"], are_found(&["curl", "jq"])),
            Need::Gateways => {
                let programs = [
                    "/usr/sbin/nginx",
                    "/usr/sbin/haproxy",
                    "/usr/sbin/apache2",
                    "/usr/share/lua/5.3/socket.lua",
                ];
                let present = shell::find("caddy").is_some() && are_there(&programs);
                (&["nginx", "caddy", "haproxy", "apache2-bin", "lua-socket"], present)
            }
            Need::Clients | Need::Syslog => (&[], true),
            Need::Alerts => (
                &["prometheus-alertmanager", "prometheus"],
                are_there(&["/usr/bin/prometheus-alertmanager", "/usr/bin/prometheus"]),
            ),
            Need::Packaging => {
                let programs = ["dpkg-deb", "systemd-analyze", "ssh-keygen"];
                (&["dpkg", "systemd", "openssh-client"], are_found(&programs))
            }
            Need::Bare => (&["debootstrap", "umoci"], are_found(&["debootstrap", "umoci"])),
            Need::Integrity => (&["aide"], Path::new("/usr/bin/aide").exists()),
            Need::Failover => {
                let programs = [
                    "/usr/bin/patroni",
                    "/usr/bin/etcd",
                    "/usr/sbin/haproxy",
                    "/usr/sbin/pgbouncer",
                ];
                let is_there = are_there(&programs) && shell::find("ip").is_some();
                (
                    &["patroni", "etcd-server", "haproxy", "pgbouncer", "iproute2"],
                    is_there || !shell::is_root(),
                )
            }
            Need::Identity => {
                let modules = [
                    "Lemonldap/NG/Portal/Main.pm",
                    "Plack/Runner.pm",
                    "String/Random.pm",
                    "IO/String.pm",
                ];
                let present = modules.iter().all(|it| Path::new("/usr/share/perl5").join(it).exists());
                (
                    &[
                        "liblemonldap-ng-portal-perl",
                        "libplack-perl",
                        "libstring-random-perl",
                        "libio-string-perl",
                    ],
                    present,
                )
            }
        };
        if present { &[] } else { packages }
    }
}

/// Whether all of these programs are in the path.
fn are_found(programs: &[&str]) -> bool {
    programs.iter().all(|program| shell::find(program).is_some())
}

/// Whether all of these files are there.
fn are_there(paths: &[&str]) -> bool {
    paths.iter().all(|path| Path::new(path).exists())
}

/// The browser's driver program, when it is installed.
pub fn chromedriver() -> Option<PathBuf> {
    shell::find("chromedriver")
}

/// Installs the missing ones of `needs`, the system's packages first, then the pinned ones.
///
/// Everything is tried, so that one missing package does not hide another. Returns the missing needs, each with the command
/// that would help.
pub fn install(root: &Path, needs: &[Need]) -> Vec<Error> {
    let packages: BTreeSet<&str> = needs.iter().flat_map(|need| need.missing_packages()).copied().collect();
    let mut tried = vec![install_packages(&packages)];
    if needs.contains(&Need::Browser) {
        prefer_headless_shell();
    }
    if needs.contains(&Need::Python) {
        tried.push(foreign::install_python(root));
    }
    if needs.contains(&Need::Site) {
        tried.push(foreign::install_site(root));
    }
    if needs.contains(&Need::Node) {
        tried.push(foreign::install_node(root));
    }
    if needs.contains(&Need::Clients) {
        tried.push(foreign::build_clients(root));
    }
    if needs.contains(&Need::Syslog) {
        tried.push(foreign::install_syslog(root));
    }
    tried.into_iter().filter_map(Result::err).collect()
}

/// Installs Chromium's headless shell, which costs a third less than Chromium; without it the tests take Chromium itself.
fn prefer_headless_shell() {
    let wanted = BTreeSet::from(["chromium-headless-shell"]);
    let can_install = shell::is_root() && shell::find("apt-get").is_some();
    if shell::find("chromium-headless-shell").is_none() && can_install {
        let _ = install_packages(&wanted);
    }
}

/// Installs Debian packages, or prints how.
fn install_packages(packages: &BTreeSet<&str>) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.iter().copied().collect::<Vec<_>>().join(" ");
    if shell::find("apt-get").is_none() {
        bail!("install what these Debian packages hold, then try again: {list}");
    }
    if !shell::is_root() {
        bail!(
            "run this, then try again:\n  \
             sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}"
        );
    }
    println!("installing {list}");
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        shell::quiet(&mut command)
    };
    apt(&["update"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages.iter().copied());
    apt(&arguments)?;
    Ok(())
}
