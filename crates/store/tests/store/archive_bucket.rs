//! The archive in a bucket: everything is read as before, no lane waits for the network, and an unreachable object is reported.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use model::change::record::Change;
use store::bucket::{Bucket, Put, SharedBucket};
use store::compliance::archive::{self, Gathered};
use store::copying;
use store::{Error, Lane, Mode, record, search};

use crate::archive::{announce, comment, fill, id, is_archived, look, move_in, reads, segments};
use crate::world::{ACME, World, at};

/// A bucket in memory that may be away, hang, or keep an object without an acknowledgement.
#[derive(Default)]
struct InMemory {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    is_away: AtomicBool,
    is_unanswered: AtomicBool,
    takes_twice: AtomicBool,
    hangs: Mutex<bool>,
    goes_on: Condvar,
    gets: AtomicUsize,
}

impl InMemory {
    fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    fn hang(&self, hangs: bool) {
        *self.hangs.lock().unwrap() = hangs;
        self.goes_on.notify_all();
    }

    fn reached(&self) -> Result<(), Error> {
        let hangs = self.hangs.lock().unwrap();
        drop(self.goes_on.wait_while(hangs, |hangs| *hangs).unwrap());
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(Error::BucketAway("it is away".to_owned())),
            false => Ok(()),
        }
    }
}

impl Bucket for InMemory {
    fn put(&self, key: &str, bytes: &[u8], when: Put) -> Result<bool, Error> {
        self.reached()?;
        let mut objects = self.objects.lock().unwrap();
        let is_refused = when == Put::IfAbsent && objects.contains_key(key);
        if is_refused && !self.takes_twice.load(Ordering::SeqCst) {
            return Ok(false);
        }
        objects.insert(key.to_owned(), bytes.to_vec());
        match self.is_unanswered.load(Ordering::SeqCst) {
            true => Err(Error::BucketAway("no answer".to_owned())),
            false => Ok(true),
        }
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.gets.fetch_add(1, Ordering::SeqCst);
        self.reached()?;
        Ok(self.objects.lock().unwrap().get(key).cloned())
    }

    fn list(&self, prefix: &str, after: &str) -> Result<Vec<String>, Error> {
        self.reached()?;
        let keys = self.keys().into_iter();
        Ok(keys
            .filter(|key| key.starts_with(prefix) && key.as_str() > after)
            .collect())
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.reached()?;
        self.objects.lock().unwrap().remove(key);
        Ok(())
    }
}

fn check(test: impl Fn(&World, &InMemory)) {
    for place in 0..2 {
        let bucket = Arc::new(InMemory::default());
        let worlds = World::with_bucket(&SharedBucket(bucket.clone()));
        if let Some(world) = worlds.get(place) {
            test(world, &bucket);
        }
    }
}

/// Reads the rows to be moved. Each segment is of another moment: opened ones stay in the memory that all tests share.
fn gather(world: &World, numbers: &[i64]) -> Gathered {
    static MOMENTS: AtomicI64 = AtomicI64::new(1_000);
    let ids: Vec<String> = numbers.iter().map(|number| id(*number)).collect();
    let moment = at(MOMENTS.fetch_add(1, Ordering::SeqCst));
    let found = look(world, ACME, move |tx| archive::gather(tx, &ids, moment));
    found.unwrap().unwrap()
}

/// Moves changes into a segment.
fn archived(world: &World, numbers: &[i64]) -> bool {
    let gathered = gather(world, numbers);
    announce(world, ACME, &gathered);
    gathered.write().unwrap();
    move_in(world, ACME, &gathered)
}

/// Removes files without a reference.
fn collect(world: &World) -> Result<u64, Error> {
    let garbage = world.read(|tx| archive::bucket_garbage(tx, at(50), 9));
    let Some(garbage) = garbage else { return Ok(0) };
    garbage.remove()?;
    world.try_act(ACME, move |tx| archive::forget_garbage(tx, &garbage, at(50)))
}

#[test]
fn what_lies_in_a_bucket_is_read_as_before_and_comes_back() {
    check(|world, bucket| {
        fill(world, ACME);
        let before = reads(world, ACME);
        assert!(archived(world, &[1, 2]) && archived(world, &[3, 4]));
        assert_eq!(bucket.keys().len(), 2);
        assert!(bucket.keys()[0].starts_with("archive/"), "{:?}", bucket.keys());
        assert_eq!(reads(world, ACME), before, "an act that needs two segments gets both");
        let held = world.read(|tx| archive::held(tx, "c2")).unwrap();
        assert!(held.in_bucket && !held.in_folder);
        let gets = bucket.gets.load(Ordering::SeqCst);
        assert_eq!(reads(world, ACME), before);
        assert_eq!(
            bucket.gets.load(Ordering::SeqCst),
            gets,
            "what was opened stays in memory"
        );
        world.act(|tx| record::update(tx, &comment(1, 2), "", 1));
        assert!(
            !is_archived(world, 1) && is_archived(world, 2),
            "a write brought it back"
        );
        assert_eq!(segments(world).len(), 2);
        assert_eq!(collect(world), Ok(0), "nobody noticed the former object yet");
        world.act(|tx| archive::notice_garbage(tx, at(40)));
        assert_eq!(collect(world), Ok(1));
        assert_eq!(bucket.keys().len(), 1, "its texts are in the bucket no more");
    });
}

#[test]
fn an_upload_whose_answer_is_lost_leaves_everything_and_its_object_goes() {
    check(|world, bucket| {
        fill(world, ACME);
        let before = reads(world, ACME);
        let gathered = gather(world, &[1, 2]);
        announce(world, ACME, &gathered);
        bucket.is_unanswered.store(true, Ordering::SeqCst);
        assert!(matches!(gathered.write(), Err(Error::BucketAway(_))));
        bucket.is_unanswered.store(false, Ordering::SeqCst);
        assert_eq!((reads(world, ACME), bucket.keys().len()), (before.clone(), 1));
        bucket.is_away.store(true, Ordering::SeqCst);
        assert!(collect(world).is_err(), "it is kept in mind while the bucket is away");
        bucket.is_away.store(false, Ordering::SeqCst);
        assert_eq!(collect(world), Ok(1));
        assert!(bucket.keys().is_empty());
        gathered.write().unwrap();
        assert!(!move_in(world, ACME, &gathered), "it is announced no more");
        assert_eq!(reads(world, ACME), before);
    });
}

#[test]
fn a_bucket_that_is_away_or_altered_is_told_of_its_changes_alone() {
    check(|world, bucket| {
        fill(world, ACME);
        assert!(archived(world, &[1, 2]));
        let load = |number: i64| look(world, ACME, move |tx| record::load::<Change>(tx, &id(number)));
        bucket.is_away.store(true, Ordering::SeqCst);
        assert!(matches!(load(1), Err(Error::BucketAway(_))));
        assert!(load(5).is_ok());
        let write = world.try_act(ACME, |tx| record::update(tx, &comment(1, 2), "", 1));
        assert!(matches!(write, Err(Error::BucketAway(_))), "{write:?}");
        assert!(is_archived(world, 1), "nothing of a refused write stays");
        let found = look(world, ACME, |tx| search::find(tx, "change", "limit 1", 9));
        assert!(found.is_ok());
        let listed = look(world, ACME, |tx| {
            let both = record::Filter::new().one_of("id", ["c1", "c5"]);
            let (found, away) = record::bodies_at_hand::<Change>(tx, &both)?;
            Ok((found.len(), away))
        });
        assert_eq!(
            listed,
            Ok((1, vec!["c1".to_owned()])),
            "a list names what it cannot read"
        );
        bucket.is_away.store(false, Ordering::SeqCst);
        for bytes in bucket.objects.lock().unwrap().values_mut() {
            bytes[9] ^= 1;
        }
        assert!(matches!(load(1), Err(Error::Corrupt(_))));
        bucket.objects.lock().unwrap().clear();
        assert!(matches!(load(1), Err(Error::Corrupt(_))), "it is gone");
    });
}

#[test]
fn a_bucket_that_hangs_holds_up_no_lane() {
    check(|world, bucket| {
        fill(world, ACME);
        assert!(archived(world, &[1, 2]));
        bucket.hang(true);
        // More than there are threads of the lane, and one that writes.
        let (send, answers) = std::sync::mpsc::channel();
        for _ in 0..9 {
            let send = send.clone();
            let read = |tx: &mut store::Tx<'_>| record::load::<Change>(tx, "c1");
            world.store.run(Lane::Pages, ACME, Mode::Read, read, move |answer| {
                let _ = send.send(answer.map(|_| ()));
            });
        }
        let sent = send.clone();
        let write = |tx: &mut store::Tx<'_>| record::update(tx, &comment(1, 2), "", 1);
        world.store.run(Lane::Acts, ACME, Mode::Write, write, move |answer| {
            let _ = sent.send(answer.map(|_| ()));
        });
        for _ in 0..20 {
            assert!(look(world, ACME, |tx| record::load::<Change>(tx, "c5")).is_ok());
            world.act(|tx| archive::notice_garbage(tx, at(40)));
        }
        assert!(answers.try_recv().is_err(), "they wait, and nobody with them");
        bucket.hang(false);
        for _ in 0..10 {
            assert_eq!(answers.recv().unwrap(), Ok::<(), Error>(()));
        }
        assert!(!is_archived(world, 1));
    });
}

#[test]
fn a_bucket_that_takes_a_fence_twice_holds_no_running_copy() {
    let bucket = Arc::new(InMemory::default());
    let place = SharedBucket(bucket.clone());
    assert_eq!(copying::claim(&place, ("one", "one-id"), at(1)).unwrap().epoch, 1);
    assert_eq!(copying::claim(&place, ("two", "two-id"), at(2)).unwrap().epoch, 2);
    bucket.takes_twice.store(true, Ordering::SeqCst);
    let why = copying::claim(&place, ("three", "three-id"), at(3))
        .unwrap_err()
        .to_string();
    assert!(why.contains("If-None-Match"), "{why}");
}

#[test]
fn an_act_that_says_so_reads_the_bucket_where_it_runs() {
    check(|world, bucket| {
        fill(world, ACME);
        for number in 1..=4 {
            assert!(archived(world, &[number]));
        }
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let opened = world.read(move |tx| {
            counted.fetch_add(1, Ordering::SeqCst);
            tx.read_archive_in_place();
            archive::segments(tx, "", 99)
        });
        assert_eq!((opened.len(), runs.load(Ordering::SeqCst)), (4, 1));
        assert!(opened.iter().all(|(_, changes)| changes.is_ok()));
        bucket.is_away.store(true, Ordering::SeqCst);
        let opened = world.read(|tx| {
            tx.read_archive_in_place();
            archive::segments(tx, "", 99)
        });
        let is_away = |it: &Result<Vec<String>, Error>| matches!(it, Err(Error::BucketAway(_)));
        assert!(opened.iter().all(|(_, changes)| is_away(changes)), "{opened:?}");
    });
}
