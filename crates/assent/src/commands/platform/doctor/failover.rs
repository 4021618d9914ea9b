//! The settings that a PostgreSQL database lacks for the loss of its primary. Nothing of it is bad: one node is a way to run,
//! as long as it is one by choice.

use super::Checks;
use crate::bridge::FailoverSetup;

const NAME: &str = "failover";

/// Levels of `synchronous_commit` at which a commit is acknowledged after the standby has it on its disk.
const KEPT: [&str; 2] = ["on", "remote_apply"];

/// Reports each missing part, with the setting that brings it.
pub(super) fn check(standing: &FailoverSetup, checks: &mut Checks) {
    let mut is_ready = true;
    for (text, help) in missing(standing) {
        checks.warn(NAME, text, help);
        is_ready = false;
    }
    if is_ready {
        let timeline = standing
            .timeline
            .map_or_else(String::new, |it| format!(", on timeline {it}"));
        checks.good(
            NAME,
            format!(
                "commits wait for a synchronous standby (`{}`), {} stream from the primary{timeline}",
                standing.synchronous_standby_names, standing.standbys
            ),
        );
    }
}

fn missing(standing: &FailoverSetup) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let commits = &standing.synchronous_commit;
    if !KEPT.contains(&commits.as_str()) {
        found.push((
            format!("`synchronous_commit` is `{commits}`: what was acknowledged may be lost with the node, or with its power"),
            "Set it to `on` for the database: `ALTER SYSTEM SET synchronous_commit = 'on'`, or in Patroni's configuration.",
        ));
    }
    if standing.synchronous_standby_names.is_empty() {
        found.push((
            "`synchronous_standby_names` is empty: no commit waits for a standby, so a failover loses what was acknowledged last"
                .to_owned(),
            "Under Patroni set `synchronous_mode: true` and `synchronous_mode_strict: true`. See docs/operations/failover.md.",
        ));
    }
    if standing.standbys == 0 {
        found.push((
            "no standby streams from the primary: there is nothing to fail over to".to_owned(),
            "Set standbys up, at least two, so that writes go on while one is away. See docs/operations/failover.md.",
        ));
    }
    // A loopback address that leads to another machine is a proxy.
    if standing.hosts < 2 && !standing.is_local && !standing.is_loopback {
        found.push((
            "the database's URL names one host: unless that is a proxy which finds the primary, the server cannot follow a failover"
                .to_owned(),
            "Name all nodes (`postgres://user@a,b,c/assent`), or put HAProxy before them on the server's own machine.",
        ));
    }
    if !standing.is_encrypted && !standing.is_local {
        found.push((
            "the session with PostgreSQL is not encrypted and comes from another machine".to_owned(),
            "Give the nodes certificates (`ssl = on`), and say `sslmode=require` in the URL: without it a loopback address of a \
             proxy is taken for the database's own machine.",
        ));
    }
    if standing.timeline.is_none() {
        found.push((
            "PostgreSQL does not tell its timeline, so the server cannot tell a former primary from the present one".to_owned(),
            "`GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC`. A service that has no such function must fence by itself.",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Checks, check};
    use crate::bridge::FailoverSetup;
    use crate::commands::platform::doctor::Weight;

    fn ready() -> FailoverSetup {
        FailoverSetup {
            hosts: 3,
            is_loopback: false,
            is_encrypted: true,
            is_local: false,
            synchronous_commit: "on".to_owned(),
            synchronous_standby_names: "n2".to_owned(),
            standbys: 2,
            timeline: Some(4),
        }
    }

    /// All warnings, in one text.
    fn told(standing: &FailoverSetup) -> String {
        let mut checks = Checks::default();
        check(standing, &mut checks);
        assert!(checks.worst() < Weight::Bad);
        let warned = checks.0.iter().filter(|it| it.weight == Weight::Warn);
        warned.map(|it| format!("{}\n", it.text)).collect()
    }

    #[test]
    fn a_cluster_that_is_ready_is_told_with_its_timeline() {
        let mut checks = Checks::default();
        check(&ready(), &mut checks);
        assert_eq!(checks.worst(), Weight::Good);
        assert!(checks.0[0].text.contains("timeline 4"), "{}", checks.0[0].text);
    }

    #[test]
    fn each_thing_that_is_missing_is_told_alone() {
        type Spoil = fn(&mut FailoverSetup);
        let cases: [(&str, Spoil); 6] = [
            ("`synchronous_commit` is `local`", |it| {
                it.synchronous_commit = "local".to_owned()
            }),
            ("`synchronous_standby_names` is empty", |it| {
                it.synchronous_standby_names.clear()
            }),
            ("no standby streams", |it| it.standbys = 0),
            ("names one host", |it| it.hosts = 1),
            ("not encrypted", |it| it.is_encrypted = false),
            ("does not tell its timeline", |it| it.timeline = None),
        ];
        for (words, spoil) in cases {
            let mut standing = ready();
            spoil(&mut standing);
            let told = told(&standing);
            assert!(told.contains(words) && told.lines().count() == 1, "{words}: {told}");
        }
    }

    #[test]
    fn a_proxy_on_the_servers_own_machine_is_host_enough_and_still_asks_for_encryption() {
        let mut standing = ready();
        (standing.hosts, standing.is_loopback) = (1, true);
        assert_eq!(told(&standing), "");
        standing.is_encrypted = false;
        assert!(told(&standing).contains("not encrypted"));
    }

    #[test]
    fn a_session_on_one_machine_needs_no_second_host_and_no_encryption() {
        let mut standing = ready();
        (standing.hosts, standing.is_encrypted, standing.is_local) = (1, false, true);
        assert_eq!(told(&standing), "");
    }
}
