//! The order within a batch, for histories from a seeded random generator.

use std::collections::{BTreeSet, HashMap};

use store::audit::event::{Event, RecordRef, Waiting};

use super::order_of;

/// Small pseudo-random numbers, reproducible from the seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).expect("31 bits fit") % sides
    }
}

fn event(id: String, act: &str) -> Event {
    Event {
        id,
        seq: None,
        act: act.to_owned(),
        kind: "record.updated".to_owned(),
        subject_table: "change".to_owned(),
        subject_id: String::new(),
        occurred_at: jiff::Timestamp::UNIX_EPOCH,
        recorded_at: jiff::Timestamp::UNIX_EPOCH,
        bytes: Vec::new(),
    }
}

/// A number of acts, one after the other, on three servers with different clocks. Each act reads a record, writes one, or both,
/// with one to three events. The result is in the order of the ids.
fn history(dice: &mut Dice, acts: usize) -> Vec<Waiting> {
    let mut versions = [1_i64; 4];
    let mut found = Vec::new();
    for at in 0..acts {
        let clock = 1_000 + at + [0, 7, 20][dice.roll(3)];
        let (mut made, mut read) = (Vec::new(), Vec::new());
        let record = |id: usize, version| RecordRef {
            table: "change".to_owned(),
            id: id.to_string(),
            version,
        };
        let (reads, writes) = (dice.roll(versions.len()), dice.roll(versions.len()));
        let does = dice.roll(3);
        if does != 0 {
            versions[writes] += 1;
            made.push(record(writes, versions[writes]));
        }
        if does != 1 && (does == 0 || reads != writes) {
            read.push(record(reads, versions[reads]));
        }
        for number in 0..=dice.roll(3) {
            found.push(Waiting {
                event: event(format!("{clock:05}-{at:04}-{number}"), &format!("{at:04}")),
                mac: None,
                made: std::mem::take(&mut made),
                read: std::mem::take(&mut read),
            });
        }
    }
    found.sort_by(|a, b| a.event.id.cmp(&b.event.id));
    found
}

/// Checks that each version was written after its predecessor, and read while it was the latest.
fn assert_holds(found: &[Waiting], order: &[usize]) {
    let mut versions: HashMap<&str, i64> = HashMap::new();
    for at in order {
        let waiting = &found[*at];
        for record in &waiting.read {
            assert_eq!(
                versions.get(record.id.as_str()).unwrap_or(&1),
                &record.version,
                "{record:?}"
            );
        }
        for record in &waiting.made {
            let before = versions.insert(&record.id, record.version).unwrap_or(1);
            assert_eq!(before + 1, record.version, "{record:?}");
        }
    }
}

#[test]
fn each_version_is_read_between_its_making_and_the_next_ones() {
    let mut dice = Dice(0xa55e);
    let mut moved = 0;
    for _ in 0..500 {
        let found = history(&mut dice, 60);
        let order = order_of(&found, &BTreeSet::new());
        assert_eq!(
            order.iter().collect::<BTreeSet<_>>().len(),
            found.len(),
            "some events are missing"
        );
        assert_holds(&found, &order);
        let acts: Vec<&str> = order.iter().map(|at| found[*at].event.act.as_str()).collect();
        let runs = acts.chunk_by(|a, b| a == b).count();
        assert_eq!(runs, 60, "the events of an act were separated");
        moved += usize::from(!order.is_sorted());
    }
    assert!(moved > 400, "{moved} of 500 orders were not that of ids");
}

#[test]
fn what_follows_from_a_blocked_act_is_left_out_and_nothing_else() {
    let mut dice = Dice(0xb10c);
    for _ in 0..200 {
        let found = history(&mut dice, 40);
        let blocked = format!("{:04}", dice.roll(40));
        let order = order_of(&found, &BTreeSet::from([blocked.clone()]));
        assert_holds(&found, &order);
        let is_placed = |act: &str| order.iter().any(|at| found[*at].event.act == act);
        assert!(!is_placed(&blocked));
        // Acts before the blocked one do not depend on it.
        for waiting in found.iter().filter(|it| it.event.act < blocked) {
            assert!(is_placed(&waiting.event.act), "{} was left out", waiting.event.act);
        }
    }
}
