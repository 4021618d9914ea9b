//! Measures a release build: `cargo build --release -p assent`, then `cargo xtask bench [--changes N] [--events N]
//! [--waiting N] [--seconds N] [--loads N] [--people N] [--leavers N] [--builds N] [--closed N] [--open N] [--queue N]
//! [--reported N] [--worked N]; a 0 leaves that part out. `--only NAME` runs one part alone: log, routing, reach, decision,
//! conflicts, waves, rates, pair, changes, waiting, pages, people, leavers, build, storage, settling, queue, worked, dashboards,
//! major or controls.
//!
//! `--scale DIR [--sizes N,N,N] [--rows N] [--engine sqlite|postgres]` measures instead how the product fares as it fills, in a folder
//! that stays: broken off, it goes on where it was.
//!
//! `--risk [DIR]` measures instead how well the model of failure forecasts on the public histories in a folder; `--causes [DIR]` how
//! well candidates of incidents are ranked there.
//!
//! Only this machine is used, and every measure is bounded in time and count. No figure of speed fails the program; a forecast
//! or a ranking that misses its bound does.

#[path = "../bench/mod.rs"]
mod bench;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use bench::load::Amount;
use bench::product::{Product, binary};
use bench::report::{Line, print};
use bench::{
    build, causes, conflicts, controls, dashboards, decision, doors, leaving, lists, log, major, people, queue, rates,
    risk, routing, scale, screens, settling, storage, waiting, waves,
};

/// Connections of the measures of rates.
const CONNECTIONS: usize = 16;
/// Requests of each mix of lists and searches.
const LOOKS: u64 = 2_000;
/// The shortest that each mix of lists and searches lasts, in seconds.
const LOOKING: f64 = 5.0;
/// The longest that filling in the changes may take, in seconds.
const FILLING: f64 = 3_600.0;

/// How much is measured.
struct Sizes {
    changes: u64,
    events: u64,
    waiting: usize,
    seconds: f64,
    loads: usize,
    people: usize,
    leavers: usize,
    builds: usize,
    closed: u64,
    open: u64,
    reported: u64,
    queue: usize,
    worked: u64,
    only: Option<String>,
}

/// The parts that can be run alone.
const PARTS: &[&str] = &[
    "log",
    "routing",
    "reach",
    "decision",
    "conflicts",
    "waves",
    "rates",
    "pair",
    "changes",
    "waiting",
    "pages",
    "people",
    "leavers",
    "build",
    "storage",
    "settling",
    "queue",
    "worked",
    "major",
    "controls",
    "dashboards",
];

impl Sizes {
    fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut sizes = Self {
            changes: 100_000,
            events: 1_000_000,
            waiting: 500,
            seconds: 10.0,
            loads: 20,
            people: 50_000,
            leavers: 1,
            builds: 1,
            closed: 600,
            open: 10_000,
            reported: 100_000,
            queue: 2_000,
            worked: 3_000,
            only: None,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let number = words.next().with_context(|| format!("{word} needs a value"))?;
            if word == "--only" {
                ensure!(
                    PARTS.contains(&number.as_str()),
                    "there is no part `{number}`; there are {PARTS:?}"
                );
                sizes.only = Some(number);
                continue;
            }
            let number: u32 = number.parse().with_context(|| format!("{word} {number}"))?;
            match word.as_str() {
                "--changes" => sizes.changes = number.into(),
                "--events" => sizes.events = number.into(),
                "--waiting" => sizes.waiting = usize::try_from(number)?,
                "--seconds" => sizes.seconds = number.into(),
                "--loads" => sizes.loads = usize::try_from(number)?,
                "--people" => sizes.people = usize::try_from(number)?,
                "--leavers" => sizes.leavers = usize::try_from(number)?,
                "--builds" => sizes.builds = usize::try_from(number)?,
                "--closed" => sizes.closed = number.into(),
                "--open" => sizes.open = number.into(),
                "--reported" => sizes.reported = number.into(),
                "--queue" => sizes.queue = usize::try_from(number)?,
                "--worked" => sizes.worked = number.into(),
                _ => bail!(
                    "there is no `{word}`; there are --changes, --events, --waiting, --seconds, --loads, --people, \
                     --leavers, --builds, --closed, --open, --reported, --queue, --worked and --only"
                ),
            }
        }
        Ok(sizes)
    }

    /// Whether a part is to be run.
    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, folder @ ..] = words.as_slice()
        && first == "--risk"
    {
        let folder = folder.first().map_or(risk::FOLDER, String::as_str);
        return ended(risk::measure(Path::new(folder)));
    }
    if let [first, folder @ ..] = words.as_slice()
        && first == "--causes"
    {
        let folder = folder.first().map_or(risk::FOLDER, String::as_str);
        return ended(causes::measure(Path::new(folder)));
    }
    if let [first, rest @ ..] = words.as_slice()
        && first == "--scale"
    {
        let mut lines = Vec::new();
        let done = scale::Wish::read(rest).and_then(|wish| scale::measure(&wish, &mut lines));
        print(&lines);
        return ended(done);
    }
    let mut lines = Vec::new();
    let done = Sizes::read(std::env::args().skip(1)).and_then(|sizes| measure(&sizes, &mut lines));
    // The results before a failure took minutes, and are reported.
    print(&lines);
    ended(done)
}

fn ended(done: Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The measures that start no product.
fn in_process(sizes: &Sizes, lines: &mut Vec<Line>) -> Result<()> {
    if sizes.events > 0 && sizes.wants("log") {
        eprintln!("bench: verifying a log of {} events", sizes.events);
        lines.push(log::measure(sizes.events)?);
    }
    if sizes.wants("routing") {
        eprintln!("bench: routing");
        lines.push(routing::measure()?);
    }
    if sizes.wants("reach") {
        eprintln!("bench: the reach of changes");
        lines.extend(routing::reach::measure()?);
    }
    if sizes.wants("decision") {
        eprintln!("bench: deciding");
        lines.push(decision::measure()?);
    }
    if sizes.wants("conflicts") {
        eprintln!("bench: conflicts of plans");
        lines.extend(conflicts::measure()?);
    }
    Ok(())
}

fn measure(sizes: &Sizes, lines: &mut Vec<Line>) -> Result<()> {
    in_process(sizes, lines)?;
    if sizes.wants("waves") {
        eprintln!("bench: a change over ten thousand members");
        lines.extend(waves::measure(&Product::start()?, &Product::start()?)?);
    }
    if ["rates", "changes", "dashboards", "waiting", "pages"]
        .into_iter()
        .any(|part| sizes.wants(part))
    {
        served(sizes, lines)?;
    }
    // These two leave their product with other people than before, so each has one of its own.
    if sizes.leavers > 0 && sizes.wants("leavers") {
        eprintln!("bench: somebody is deactivated as compromised");
        lines.push(leaving::measure(&Product::start()?)?);
    }
    if sizes.people > 0 && sizes.wants("people") {
        eprintln!("bench: importing {} people", sizes.people);
        lines.extend(people::measure(&Product::start()?, sizes.people)?);
    }
    if sizes.closed > 0 && sizes.wants("storage") {
        eprintln!("bench: {} changes are created, and as many closed", sizes.closed);
        lines.extend(storage::measure(&Product::start()?, sizes.closed)?);
    }
    if sizes.open > 0 && sizes.wants("settling") {
        eprintln!("bench: a freeze over {} open changes", sizes.open);
        lines.extend(settling::measure(&Product::start()?, sizes.open)?);
    }
    if sizes.reported > 0 && sizes.wants("controls") {
        eprintln!("bench: a control report over {} changes", sizes.reported);
        lines.extend(controls::measure(&Product::start()?, sizes.reported)?);
    }
    if sizes.open > 0 && sizes.waiting > 0 && sizes.wants("major") {
        eprintln!("bench: a major incident while {} gate checks wait", sizes.waiting);
        let product = Product::start()?;
        let other = product.beside()?;
        let servers: Vec<&Product> = std::iter::once(&product).chain(&other).collect();
        lines.extend(major::measure(&servers, sizes.open, sizes.waiting)?);
    }
    if sizes.seconds > 0.0 && sizes.wants("pair") {
        let product = Product::start()?;
        if let Some(other) = product.beside()? {
            eprintln!("bench: two servers over one database");
            lines.extend(rates::pair::measure([&product, &other], amount_of(sizes))?);
        } else {
            eprintln!("bench: SQLite has one server; two are left out");
        }
    }
    if sizes.worked > 0 && sizes.wants("worked") {
        eprintln!("bench: {} deliveries that each make a draft", sizes.worked);
        lines.push(doors::worked::measure(&Product::start()?, sizes.worked)?);
    }
    if sizes.queue > 0 && sizes.loads > 0 && sizes.wants("queue") {
        eprintln!("bench: {} changes wait for one reader", sizes.queue);
        lines.extend(queue::measure(&Product::start()?, sizes.queue, sizes.loads)?);
    }
    if sizes.builds > 0 && sizes.wants("build") {
        eprintln!("bench: building from nothing");
        lines.extend(build::measure()?);
    }
    let bytes = std::fs::metadata(binary()?)?.len();
    let figure = format!("{:.1} MB", bytes as f64 / 1e6);
    lines.push(Line::told("Size of the binary", figure, "–"));
    Ok(())
}

/// The load of each measure of a rate.
fn amount_of(sizes: &Sizes) -> Amount {
    Amount {
        connections: CONNECTIONS,
        seconds: sizes.seconds,
        count: u64::from(u32::MAX),
    }
}

/// The measures of one product, one part after another.
fn served(sizes: &Sizes, lines: &mut Vec<Line>) -> Result<()> {
    let product = Product::start()?;
    let (empty, _) = product.memory()?;
    let amount = amount_of(sizes);
    if sizes.seconds > 0.0 && sizes.wants("rates") {
        eprintln!("bench: asking the gate, and the floors");
        lines.extend(rates::gate(&product, amount)?);
        eprintln!("bench: writing, and the floors");
        lines.extend(rates::writes(&product, amount)?);
        eprintln!("bench: the doors to delivery tools, and the floors");
        lines.extend(doors::measure(&product, amount)?);
    }
    let has_pages = sizes.loads > 0 && sizes.wants("pages");
    let has_dashboards = sizes.wants("dashboards");
    if sizes.changes > 0 && (sizes.wants("changes") || has_pages || has_dashboards) {
        // Pages over the demo alone would prove nothing, so their part makes the changes too.
        let made = fill(&product, sizes, lines)?;
        if has_dashboards {
            eprintln!("bench: dashboards");
            lines.extend(dashboards::measure(&product, made)?);
        }
        if sizes.wants("changes") {
            lines.extend(many(&product, sizes, made, empty)?);
        }
    }
    if sizes.waiting > 0 && sizes.wants("waiting") {
        eprintln!("bench: {} gate checks wait", sizes.waiting);
        lines.push(waiting::measure(&product, sizes.waiting)?);
    }
    if has_pages {
        eprintln!("bench: pages in a browser");
        lines.extend(screens::measure(&product, sizes.loads)?);
    }
    Ok(())
}

/// Makes many changes; how many it made in time.
fn fill(product: &Product, sizes: &Sizes, lines: &mut Vec<Line>) -> Result<u64> {
    eprintln!("bench: making {} changes", sizes.changes);
    let amount = Amount {
        connections: CONNECTIONS,
        seconds: FILLING,
        count: sizes.changes,
    };
    let filled = lists::fill(product, amount, 0)?;
    let made = filled.took.len() as u64;
    let figure = format!("{:.0} /s", filled.rate());
    let what = format!("Making {made} changes, {CONNECTIONS} connections");
    lines.push(Line::told(what, figure, "–"));
    Ok(made)
}

/// Lists and searches the changes that were made; `empty` is the memory before them, in MiB.
fn many(product: &Product, sizes: &Sizes, made: u64, empty: f64) -> Result<Vec<Line>> {
    eprintln!("bench: looking at them");
    let mut lines = lists::measure(product, made, sizes.seconds.max(LOOKING), LOOKS)?;
    let (now, most) = product.memory()?;
    let figure = format!("{now:.0} MiB resident, {most:.0} MiB at most");
    let what = format!("Memory with {made} changes ({empty:.0} MiB with the demo alone)");
    lines.push(Line::below(what, now, figure, 200.0, "MiB"));
    Ok(lines)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn sizes(text: &str) -> Result<Sizes> {
        Sizes::read(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn sizes_are_read_and_others_refused() {
        let read = sizes("--changes 20 --seconds 2").unwrap();
        assert_eq!((read.changes, read.seconds, read.events), (20, 2.0, 1_000_000));
        let alone = sizes("--only decision").unwrap();
        assert!(alone.wants("decision") && !alone.wants("people"));
        for wrong in ["--changes", "--changes many", "--change 2", "20", "--only all"] {
            assert!(sizes(wrong).is_err(), "{wrong}");
        }
    }
}
