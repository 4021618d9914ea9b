//! Full bundles of the log hold the bytes of their events, and the rows of these hold none.

use store::audit::bundle::{self, WIDTH};
use store::audit::event::{self, NewEvent, RecordRef};
use store::audit::log;
use store::queue::trace;
use store::{Error, Tx};

use crate::world::{ACME, World, at, check};

fn id(seq: i64) -> String {
    format!("e{seq:04}")
}

fn leaf(seq: i64) -> Vec<u8> {
    format!("{{\"id\":\"{}\",\"kind\":\"change.created\"}}", id(seq)).into_bytes()
}

/// The events of these indexes, placed.
fn place(world: &World, seqs: std::ops::Range<i64>) {
    world.act(move |tx| {
        for seq in seqs.clone() {
            let (id, bytes) = (id(seq), leaf(seq));
            let record = RecordRef {
                table: "change".to_owned(),
                id: "c1".to_owned(),
                version: seq + 1,
            };
            let new = NewEvent {
                id: &id,
                act: &id,
                kind: "change.created",
                subject_table: "change",
                subject_id: "c1",
                occurred_at: at(seq),
                recorded_at: at(seq),
                bytes: &bytes,
                records: &[record],
                mac: b"a code",
            };
            event::append(tx, &new)?;
            assert!(event::sequence(tx, &id, seq)?);
        }
        Ok(())
    });
}

/// A bundle as the log serves it.
fn served(seqs: std::ops::Range<i64>) -> Vec<u8> {
    let entry = |seq| {
        let leaf = leaf(seq);
        let length = u16::try_from(leaf.len()).unwrap();
        [length.to_be_bytes().to_vec(), leaf].concat()
    };
    seqs.flat_map(entry).collect()
}

fn kept_bytes(tx: &mut Tx<'_>) -> Result<Vec<usize>, Error> {
    Ok(event::leaves(tx, 0, 2 * WIDTH)?
        .into_iter()
        .map(|(_, bytes)| bytes.len())
        .collect())
}

#[test]
fn a_full_bundle_holds_the_bytes_of_its_events() {
    check(|world| {
        place(world, 0..WIDTH + 3);
        let before = world.read(|tx| event::of_subject(tx, "change", "c1"));
        assert_eq!(world.read(|tx| bundle::load(tx, 0)), None);
        assert_eq!(world.read(|tx| bundle::assemble(tx, 0, 5)), Some(served(0..5)));
        assert_eq!(
            world.read(|tx| bundle::assemble(tx, 1, 3)),
            Some(served(WIDTH..WIDTH + 3))
        );
        assert_eq!(world.read(|tx| bundle::assemble(tx, 1, 4)), None, "there are three");
        world.act(|tx| bundle::save(tx, 0, served(0..WIDTH)));
        let kept = world.read(kept_bytes);
        assert!(kept[..256].iter().all(|bytes| *bytes == 0) && kept[256..].iter().all(|bytes| *bytes > 0));
        assert_eq!(world.read(|tx| bundle::load(tx, 0)), Some(served(0..WIDTH)));
        assert_eq!(
            world.read(|tx| bundle::assemble(tx, 0, 5)),
            None,
            "their rows hold no bytes"
        );
        // Every reading gives the same as before.
        assert_eq!(world.read(|tx| event::of_subject(tx, "change", "c1")), before);
        assert_eq!(world.read(|tx| event::of_record(tx, "change", "c1")), before);
        assert_eq!(world.read(|tx| event::page(tx, 250, 9)), before[250..]);
        assert_eq!(world.read(|tx| event::load(tx, &id(7))).as_ref(), before.get(7));
        assert!(world.read(|tx| event::rows(tx, 7, 1))[0].bytes.is_empty());
        assert!(world.read(|tx| event::row_at(tx, 7)).unwrap().bytes.is_empty());
        assert_eq!(world.read(|tx| event::row_at(tx, 9_999)), None);
        let again = world.try_act(ACME, |tx| bundle::save(tx, 0, served(0..WIDTH)));
        assert!(matches!(again, Err(Error::Conflict { .. })), "{again:?}");
    });
}

#[test]
fn an_event_in_a_full_bundle_keeps_its_trace() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    check(|world| {
        trace::within(Some(TRACE.to_owned()), || place(world, 0..WIDTH));
        world.act(|tx| bundle::save(tx, 0, served(0..WIDTH)));
        let kept = world.read(|tx| {
            let sql = "SELECT count(*) AS it FROM event WHERE tenant = $tenant AND trace = $trace";
            tx.query(sql, &[("trace", TRACE.into())])?[0].int("it")
        });
        assert_eq!(kept, WIDTH);
    });
}

#[test]
fn a_row_with_other_bytes_than_its_entry_keeps_them() {
    check(|world| {
        place(world, 0..WIDTH);
        let other = "UPDATE event SET bytes = $bytes WHERE tenant = $tenant AND seq = 9";
        world.act(move |tx| tx.execute(other, &[("bytes", b"other".as_slice().into())]));
        world.act(|tx| bundle::save(tx, 0, served(0..WIDTH)));
        let kept = world.read(kept_bytes);
        assert_eq!((kept.len(), kept[8], kept[9], kept[10]), (256, 0, 5, 0));
    });
}

#[test]
fn an_event_whose_bundle_is_gone_or_damaged_is_damage() {
    check(|world| {
        place(world, 0..WIDTH);
        world.act(|tx| bundle::save(tx, 0, served(0..WIDTH)));
        let read = || world.try_act(ACME, |tx| event::page(tx, 3, 1));
        assert_eq!(read().unwrap()[0].bytes, leaf(3));
        let write = |bytes: Vec<u8>| {
            let sql = "UPDATE log_bundle SET bytes = $bytes WHERE tenant = $tenant AND number = 0";
            world.act(move |tx| tx.execute(sql, &[("bytes", bytes.clone().into())]));
        };
        write(b"nothing".to_vec());
        // It was opened before, and its bytes are not cached.
        assert!(matches!(read(), Err(Error::Corrupt(_))));
        world.act(|tx| tx.execute("DELETE FROM log_bundle WHERE tenant = $tenant", &[]));
        assert!(matches!(read(), Err(Error::Corrupt(_))));
    });
}

#[test]
fn bundles_of_a_version_before_are_packed() {
    check(|world| {
        place(world, 0..WIDTH + 3);
        world.act(|tx| log::save_tile(tx, "tile/entries/000", &served(0..WIDTH)));
        world.act(|tx| log::save_tile(tx, "tile/entries/001.p/3", &served(WIDTH..WIDTH + 3)));
        world.act(|tx| log::save_tile(tx, "tile/0/000", b"hashes"));
        assert_eq!(world.act(|tx| bundle::pack_former(tx, 9)), 2);
        assert_eq!(world.act(|tx| bundle::pack_former(tx, 9)), 0);
        assert_eq!(world.read(|tx| bundle::load(tx, 0)), Some(served(0..WIDTH)));
        assert_eq!(world.read(|tx| bundle::load(tx, 1)), None);
        assert_eq!(world.read(|tx| event::page(tx, 255, 2))[0].bytes, leaf(255));
        assert_eq!(world.read(|tx| event::page(tx, 255, 2))[1].bytes, leaf(256));
        assert!(world.read(|tx| log::tile(tx, "tile/0/000")).is_some());
        assert_eq!(world.read(|tx| log::tile(tx, "tile/entries/000")), None);
    });
}
