//! The long tests: `cargo xtask soak [--percent N] [NAME…]`, or `cargo xtask with cargo xtask soak` for PostgreSQL as well.
//!
//! Each is a usual test, and only its size differs. The sizes below are those of one hundred percent; a name runs only the
//! runs whose test it is a part of. `ASSENT_TEST_BINARY` names another build of the program than the debug build.
//!
//! The failovers of PostgreSQL note each finished round in `target/failover-rounds.jsonl` and go on behind it when they are run
//! again: `cargo xtask soak a_failover_loses_nothing`. So does the public history of deployments, which needs the shared data:
//! `cargo xtask soak a_public_history`, noted in `target/govuk-quarters.jsonl`.
//!
//! `cargo xtask soak mutants` alters the code that holds the rules, of which at most 3 in 100 alterations may stay unnoticed.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

use tests::mutants;

/// A usual test, the variable that holds its size, and its whole size here.
struct Long {
    /// The test binary, or `lib`.
    target: &'static str,
    test: &'static str,
    variable: &'static str,
    size: usize,
    what: &'static str,
}

const fn long(test: &'static str, variable: &'static str, size: usize, what: &'static str) -> Long {
    Long {
        target: "e2e",
        test,
        variable,
        size,
        what,
    }
}

/// Run on each engine.
const LONG: &[Long] = &[
    long(
        "what_was_acknowledged_survives_being_killed",
        "ASSENT_TEST_KILLS",
        200,
        "kills",
    ),
    long(
        "a_kill_before_any_call",
        "ASSENT_TEST_CALLS",
        2_000,
        "kills before a call that lasts",
    ),
    long(
        "this_version_and_the_one_before",
        "ASSENT_TEST_TURNS",
        20,
        "upgrades and ways back, where ASSENT_TEST_BEFORE names the program of the version before",
    ),
    long(
        "what_is_delivered_ten_times",
        "ASSENT_TEST_REPLAYED",
        10_000,
        "deployments, each delivered ten times over 32 connections",
    ),
    long(
        "every_gate_that_waits_refuses",
        "ASSENT_TEST_GATES",
        500,
        "gates that wait while a major incident opens",
    ),
    long(
        "no_request_hides",
        "ASSENT_TEST_DESYNC",
        1_000,
        "requests that hide another at most, through each of four proxies",
    ),
    long(
        "a_burst_puts_off",
        "ASSENT_TEST_BURST",
        600,
        "seconds of ten times the usual load",
    ),
    long(
        "a_fifth_of_the_deliveries",
        "ASSENT_TEST_LOST",
        100,
        "deployments, a fifth of whose deliveries is lost",
    ),
    long(
        "a_receiver_that_is_away_for_a_week",
        "ASSENT_TEST_EVENTS",
        1_000_000,
        "events for a receiver that is away for a week",
    ),
    long(
        "each_format_loses_nothing",
        "ASSENT_TEST_SUNK",
        100_000,
        "events while the receivers of nine sinks are away for ten minutes",
    ),
    long(
        "one_poisonous_delivery",
        "ASSENT_TEST_DELIVERIES",
        100_000,
        "deliveries, one in a hundred poisonous",
    ),
    long(
        "a_full_disk_refuses",
        "ASSENT_TEST_POSITIONS",
        1_000,
        "positions of a full disk",
    ),
    long("a_failed_sync_ends", "ASSENT_TEST_SYNCS", 50, "rounds of failed syncs"),
    long(
        "a_lost_database_denies",
        "ASSENT_TEST_OUTAGES",
        200,
        "outages of the database",
    ),
    long(
        "a_server_that_was_paused",
        "ASSENT_TEST_PAUSES",
        200,
        "pauses of a server",
    ),
    long("slow_clients_are_cut", "ASSENT_TEST_SLOW", 4_000, "slow connections"),
    long(
        "no_client_is_told_go",
        "ASSENT_TEST_PARTITIONED",
        10_000,
        "asks over each broken line",
    ),
    long(
        "nothing_hostile_passes",
        "ASSENT_TEST_DRILL",
        20_000,
        "deployments in an outage, most of them hostile",
    ),
    long("a_clock_that_leaps", "ASSENT_TEST_LEAPS", 1_000, "leaps of the clock"),
    long(
        "one_person_who_approves",
        "ASSENT_TEST_VOICES",
        10_000,
        "rounds of 64 approvals at once",
    ),
    long("no_digest_of_a_token", "ASSENT_TEST_DIGESTS", 1_000, "stored digests"),
    long("a_backup_under_load", "ASSENT_TEST_BACKUPS", 20, "backups"),
    long(
        "no_byte_of_another_tenant",
        "ASSENT_TEST_FUZZ",
        1_000_000,
        "requests across tenants",
    ),
    long(
        "a_foreign_id_at_any_place",
        "ASSENT_TEST_FOREIGN",
        100,
        "percent of the other tenant's ids, at every place of every door",
    ),
    long(
        "no_text_of_a_filter_stands",
        "ASSENT_TEST_CANARIES",
        100_000,
        "filters whose texts are looked for in the statements",
    ),
    long(
        "every_text_that_deceives",
        "ASSENT_TEST_TRICKS",
        504,
        "texts that deceive",
    ),
    long(
        "however_often_the_server_is_killed",
        "ASSENT_TEST_LETTER_KILLS",
        200,
        "kills while 2,000 customers are told",
    ),
    long(
        "a_scanner_that_fetches_every_link",
        "ASSENT_TEST_MAILS",
        1_000,
        "letters whose every link is fetched",
    ),
    long(
        "provisioning",
        "ASSENT_TEST_PEOPLE",
        50_000,
        "people imported by SCIM, and a group for every 25",
    ),
];

/// Run once: no engine is a part of it, or the test has its own.
const ONCE: &[Long] = &[
    Long {
        target: "e2e",
        test: "a_failover_loses_nothing",
        variable: "ASSENT_TEST_FAILOVERS",
        size: 50,
        what: "losses of a PostgreSQL primary or of a server, each with two servers under load",
    },
    Long {
        target: "e2e",
        test: "changed_bits_open_no_gate",
        variable: "ASSENT_TEST_BITS",
        size: 1_000,
        what: "databases in which up to 64 bits were changed",
    },
    Long {
        target: "store",
        test: "a_kill_at_any_statement",
        variable: "ASSENT_TEST_STATEMENTS",
        size: 1_000,
        what: "statements of migrations at most, each with a kill behind it",
    },
    Long {
        target: "it",
        test: "properties",
        variable: "ASSENT_TEST_SIZE",
        size: 25_000,
        what: "times forty random histories",
    },
    Long {
        target: "shipped",
        test: "properties",
        variable: "ASSENT_TEST_SIZE",
        size: 2_500,
        what: "times forty random histories under the shipped policies",
    },
    Long {
        target: "log",
        test: "every_recorded_and_derived_column",
        variable: "ASSENT_TEST_MUTATIONS",
        size: 100,
        what: "changes of each recorded or derived column",
    },
    Long {
        target: "store",
        test: "writers_that_stall",
        variable: "ASSENT_TEST_STALLS",
        size: 10_000,
        what: "steps of writers that stall",
    },
    Long {
        target: "deliveries",
        test: "deliveries_in_any_order",
        variable: "ASSENT_TEST_ORDERS",
        size: 10_000,
        what: "orders of deliveries",
    },
    Long {
        target: "deliveries",
        test: "a_public_history_of_deliveries",
        variable: "ASSENT_TEST_QUARTERS",
        size: 11,
        what: "quarters of a public history of deployments, counted in Python as well",
    },
    Long {
        target: "lib",
        test: "no_signed_delivery_passes",
        variable: "ASSENT_TEST_FORGED",
        size: 1_000_000,
        what: "signed deliveries of which something was changed",
    },
    Long {
        target: "scim_filters",
        test: "random_filters",
        variable: "ASSENT_TEST_FILTERS",
        size: 1_000_000,
        what: "random filters of SCIM",
    },
    Long {
        target: "doors",
        test: "a_group_of_a_whole_company",
        variable: "ASSENT_TEST_CROWD",
        size: 50_000,
        what: "people in one group, told in one body",
    },
    Long {
        target: "browser",
        test: "a_browser_that_clicks_everything",
        variable: "ASSENT_TEST_CLICKED",
        size: 1_000,
        what: "letters in which a browser clicks everything",
    },
    Long {
        target: "browser",
        test: "every_page_is",
        variable: "ASSENT_TEST_PAGES",
        size: 1_000,
        what: "pages of parts that were looked at on others, looked at all the same",
    },
    Long {
        target: "browser",
        test: "a_meeting_is_decided_by_keyboard",
        variable: "ASSENT_TEST_AGENDA",
        size: 20,
        what: "changes that a meeting decides by keyboard",
    },
    Long {
        target: "doors",
        test: "copies_of_a_cookie",
        variable: "ASSENT_TEST_COPIES",
        size: 1_000,
        what: "copies of a cookie without the factor",
    },
    Long {
        target: "doors",
        test: "a_refusal_takes_as_long",
        variable: "ASSENT_TEST_TIMINGS",
        size: 1_000,
        what: "refused sign-ins of each kind, timed",
    },
    Long {
        target: "log",
        test: "no_permit_outlives",
        variable: "ASSENT_TEST_INTERLEAVINGS",
        size: 100_000,
        what: "orders of giving, ending and showing permits",
    },
    Long {
        target: "log",
        test: "reconciling",
        variable: "ASSENT_TEST_PERMITS",
        size: 16_419,
        what: "deployments of a public history with a permit each, of which 200 are deleted, 200 forged and 200 backdated",
    },
    Long {
        target: "log",
        test: "estates",
        variable: "ASSENT_TEST_ESTATES",
        size: 20_000,
        what: "random steps of two servers that keep up with each other",
    },
    Long {
        target: "it",
        test: "every_broken_glass",
        variable: "ASSENT_TEST_GLASSES",
        size: 1_000_000,
        what: "broken glasses",
    },
    Long {
        target: "lib",
        test: "many_guesses_from_many_addresses",
        variable: "ASSENT_TEST_GUESSES",
        size: 1_000_000,
        what: "guesses of one account's password, in simulated time",
    },
];

/// One run of a usual test.
struct Run {
    long: &'static Long,
    engine: Option<&'static str>,
    size: usize,
}

impl Run {
    fn name(&self) -> String {
        let engine = self.engine.unwrap_or("no engine");
        format!("{} {}, {engine}", self.size, self.long.what)
    }
}

/// The options of the command line.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    percent: usize,
    names: Vec<String>,
}

fn wish(words: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut words = words;
    let mut wish = Wish {
        percent: 100,
        names: Vec::new(),
    };
    while let Some(word) = words.next() {
        if word != "--percent" {
            wish.names.push(word);
            continue;
        }
        let number = words.next().and_then(|word| word.parse().ok());
        wish.percent = number
            .filter(|it| *it > 0)
            .ok_or("say --percent with a number above 0")?;
    }
    Ok(wish)
}

fn runs(wish: &Wish, has_postgres: bool) -> Vec<Run> {
    let engines = if has_postgres {
        &["sqlite", "postgres"][..]
    } else {
        &["sqlite"]
    };
    let on_engines = LONG
        .iter()
        .flat_map(|long| engines.iter().map(move |engine| (long, Some(*engine))));
    let all = on_engines.chain(ONCE.iter().map(|long| (long, None)));
    let chosen =
        all.filter(|(long, _)| wish.names.is_empty() || wish.names.iter().any(|name| long.test.contains(name)));
    chosen
        .map(|(long, engine)| Run {
            long,
            engine,
            size: (long.size * wish.percent).div_ceil(100),
        })
        .collect()
}

/// Runs a test and returns whether it passed. A run in which no test matched has shown nothing and did not pass.
fn passes(run: &Run) -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    let target: &[&str] = match run.long.target {
        "lib" => &["--lib"],
        name => &["--test", name],
    };
    // The same selection as the suite's, so that nothing is compiled anew for it.
    command
        .args(["test", "--workspace", "--all-features"])
        .args(target)
        .arg(run.long.test)
        .args(["--", "--nocapture"])
        .current_dir(tests::root())
        .env(run.long.variable, run.size.to_string());
    if let Some(engine) = run.engine {
        command.env("ASSENT_TEST_ENGINE", engine);
    }
    match follow(command.stdout(Stdio::piped())) {
        Ok((succeeded, ran)) => succeeded && ran,
        Err(error) => {
            eprintln!("soak: cannot run cargo: {error}");
            false
        }
    }
}

/// Shows a command's output; returns whether it succeeded and whether a test ran in it.
fn follow(command: &mut Command) -> std::io::Result<(bool, bool)> {
    let mut child = command.spawn()?;
    let mut ran = false;
    if let Some(said) = child.stdout.take() {
        for line in BufReader::new(said).lines() {
            let line = line?;
            println!("{line}");
            ran |= line.starts_with("test result: ok.") && !line.contains(" 0 passed");
        }
    }
    Ok((child.wait()?.success(), ran))
}

fn main() -> ExitCode {
    let wish = match wish(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(why) => {
            eprintln!("soak: {why}");
            return ExitCode::FAILURE;
        }
    };
    let has_postgres = std::env::var_os("ASSENT_TEST_POSTGRES").is_some();
    if !has_postgres {
        println!("soak: no PostgreSQL here; `cargo xtask with cargo xtask soak` brings one");
    }
    let path = tests::binary();
    if !path.is_file() {
        eprintln!(
            "soak: {} is not there; build it first: cargo build -p assent --features test-clock",
            path.display()
        );
        return ExitCode::FAILURE;
    }
    let mut outcomes = Vec::new();
    for run in runs(&wish, has_postgres) {
        println!("soak: {}", run.name());
        let began = assent::clock::now();
        let passed = passes(&run);
        let seconds = assent::clock::now().duration_since(began).as_secs();
        outcomes.push((passed, format!("{} ({seconds} s)", run.name())));
    }
    if wish.names.is_empty() || wish.names.iter().any(|name| mutants::NAME.contains(name.as_str())) {
        outcomes.extend(mutants::run(wish.percent));
    }
    for (passed, what) in &outcomes {
        println!("soak: {what}: {}", if *passed { "passed" } else { "FAILED" });
    }
    if !outcomes.is_empty() && outcomes.iter().all(|(passed, _)| *passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests_of_soak {
    use super::*;

    fn words(text: &str) -> Result<Wish, String> {
        wish(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn each_engine_that_is_there_gets_every_long_test() {
        let all = words("").unwrap_or(Wish {
            percent: 0,
            names: Vec::new(),
        });
        assert_eq!(runs(&all, false).len(), LONG.len() + ONCE.len());
        assert_eq!(runs(&all, true).len(), 2 * LONG.len() + ONCE.len());
    }

    #[test]
    fn names_choose_and_a_percentage_makes_smaller() {
        let chosen = words("--percent 5 killed")
            .map(|wish| runs(&wish, true))
            .unwrap_or_default();
        let sizes: Vec<usize> = chosen.iter().map(|run| run.size).collect();
        assert_eq!(sizes, [10, 10, 10, 10]);
        assert!(words("--percent none").is_err());
    }
}
