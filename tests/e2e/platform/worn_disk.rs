//! Disks that grow old: syncs that take seconds, and bits that change while nobody looks.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::dice::Dice;
use tests::faults::load::{Load, check_kept};
use tests::faults::tracer::Tracer;
use tests::faults::{memory, size};
use tests::journey::{artifact, gate_path, request, scheduled, waiting_for_approval};
use tests::{Place, Server, on_postgres};

use crate::audit::tamper::replay;
use crate::platform::broken::on_the_host;
use crate::platform::crash::{must_replay, must_verify};

/// How long each sync takes, for strace.
const SYNC: &str = "2s";
/// How many people write, and how many of their acts are waited for.
const WRITERS: usize = 2;
const ACTS: usize = 6;
/// The fewest gate reads beside these acts. If reads waited for syncs there would be about one for each act.
const READS: usize = 20;
/// How long a writer waits for a response before it retries; a response within it is promised.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that memory grows meanwhile, in kibibytes.
const MEMORY: u64 = 64 << 10;
/// The most bits that are changed at once, as a power of two.
const MOST_BITS: usize = 6;

#[test]
fn syncs_that_take_seconds_hold_up_no_gate_and_leave_no_writer_without_a_response() {
    if on_postgres() {
        println!("left out: slow syncs: PostgreSQL syncs in its own processes");
        return;
    }
    let place = Place::demo("slow_syncs");
    let server = Server::start(&place, true);
    let build = artifact(1);
    scheduled(&server, "Goes through the gate", &build);
    server.wait_for_log();
    let (path, pipeline) = (gate_path(&build), server.token("pipeline"));
    let requester = server.token("requester");
    memory::forget_peak(server.id());
    let before = memory::resident(server.id());
    let record = place.folder.path().join("strace");
    let inject = format!("inject=fsync,fdatasync:delay_enter={SYNC}");
    let tracer = Tracer::attach(server.id(), &["-e", "trace=fsync,fdatasync", "-e", &inject], &record);
    let load = Load::begin_with("Slow", &requester, WRITERS, PATIENCE);
    load.turn_to(Some(&server.url));
    let mut reads = 0;
    while load.acknowledged() < ACTS {
        assert_eq!(server.get(&path, Some(&pipeline)).0, 200, "after {reads} reads");
        reads += 1;
        assert!(reads < 1_000_000, "no act is acknowledged");
    }
    assert!(tracer.record().contains("(DELAYED)"), "{}", tracer.record());
    drop(tracer);
    assert!(reads >= READS, "{reads} gate reads beside {ACTS} acts");
    let grown = memory::peak(server.id()).saturating_sub(before);
    assert!(grown <= MEMORY, "memory grew by {grown} KiB");
    assert_eq!(load.answered(0), 0, "a writer had no response within {PATIENCE:?}");
    let kept = load.stop();
    check_kept(&server, &server.token("auditor"), &kept);
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

#[test]
fn changed_bits_open_no_gate_and_what_they_break_is_named() {
    if on_postgres() {
        println!("left out: changed bits: PostgreSQL looks after its own pages");
        return;
    }
    let place = Place::demo("changed_bits");
    let server = Server::start(&place, true);
    let (good, bad) = (artifact(1), artifact(2));
    scheduled(&server, "Goes through the gate", &good);
    waiting_for_approval(&server, &request("Waits", &bad, server.server_time()), &bad);
    server.wait_for_log();
    let pipeline = server.token("pipeline");
    let gate = |server: &Server, build: &str| server.get(&gate_path(build), Some(&pipeline)).0;
    assert_eq!((gate(&server, &good), gate(&server, &bad)), (200, 403));
    assert!(server.stop().success());
    let base = rusqlite::Connection::open(place.folder.path().join("assent.db")).unwrap();
    base.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(base);
    let mut dice = Dice::new(7);
    let mut broken = 0;
    for round in 0..size("ASSENT_TEST_BITS", 4) {
        let bits = 1 << (MOST_BITS - round % (MOST_BITS + 1));
        let copy = twin(&place);
        change_bits(&copy.folder.path().join("assent.db"), &mut dice, bits);
        let mut server = Server::spawn(&copy, true, &[]);
        let is_ready = server.comes_up();
        assert_ne!(gate(&server, &bad), 200, "round {round}, {bits} bits");
        let goes = is_ready && gate(&server, &good) == 200;
        server.kill();
        if goes {
            continue;
        }
        broken += 1;
        let (found, told) = [replay(&copy), on_the_host(&copy)]
            .into_iter()
            .unzip::<_, _, Vec<_>, Vec<_>>();
        assert!(
            found.iter().any(|code| *code != Some(0)),
            "round {round}, {bits} bits: nothing is named: {told:#?}"
        );
    }
    println!("{broken} rounds broke something, each was named");
}

/// A copy of a place that no server holds.
fn twin(place: &Place) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new("cp")
        .arg("-a")
        .arg(place.folder.path().join("."))
        .arg(folder.path())
        .status();
    assert!(done.unwrap().success());
    Place { folder, database: None }
}

fn change_bits(file: &Path, dice: &mut Dice, bits: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    for _ in 0..bits {
        let at = dice.roll(bytes.len());
        bytes[at] ^= 1 << dice.roll(8);
    }
    std::fs::write(file, bytes).unwrap();
}
