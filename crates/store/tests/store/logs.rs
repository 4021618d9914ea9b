//! Events, the log, texts and keys.

use std::collections::HashMap;

use store::Error;
use store::audit::act_order::{self, UsedVersion};
use store::audit::cosignature;
use store::audit::event::{self, NewEvent, RecordRef};
use store::audit::keys::{self, SigningKey};
use store::audit::log::{self, Advance, Checkpoint};
use store::audit::salts::{self, SaltedText};
use store::audit::time_stamp::{self, TimeStamp};
use store::audit::watched_checkpoint::{self, WatchedCheckpoint};
use store::gate::revocation::{self, NotBefore, Revoked};
use store::report::projection;

use crate::world::{ACME, OTHER, World, at, check};

fn record(id: &str, version: i64) -> RecordRef {
    RecordRef {
        table: "change".to_owned(),
        id: id.to_owned(),
        version,
    }
}

fn append(world: &World, tenant: &str, id: &'static str, records: Vec<RecordRef>) -> Result<(), Error> {
    world.try_act(tenant, move |tx| {
        event::append(
            tx,
            &NewEvent {
                id,
                act: "a1",
                kind: "change.created",
                subject_table: "change",
                subject_id: "c1",
                occurred_at: at(1),
                recorded_at: at(2),
                bytes: id.as_bytes(),
                records: &records,
                mac: b"a code",
            },
        )
    })
}

#[test]
fn an_event_is_found_by_the_time_in_its_id() {
    check(|world| {
        let written = at(1_000);
        let id: &'static str = format!("{}-7000-8000-000000000000", event::first_id(written)).leak();
        append(world, ACME, id, vec![]).unwrap();
        let has = |from, end| world.read(move |tx| event::has_between(tx, from, end));
        assert!(has(at(999), at(1_001)) && has(written, at(1_001)));
        assert!(!has(at(999), written), "the end is outside");
        assert!(!has(at(1_001), at(2_000)));
    });
}

#[test]
fn events_get_their_places() {
    check(|world| {
        append(world, ACME, "e1", vec![record("c1", 2)]).unwrap();
        append(world, ACME, "e2", vec![record("c1", 1), record("c2", 1)]).unwrap();
        append(world, OTHER, "e3", vec![]).unwrap();
        assert_eq!(world.across(event::tenants_unsequenced), [ACME, OTHER]);
        assert_eq!(world.read(event::count_unsequenced), 2);
        let waiting = world.read(|tx| event::unsequenced(tx, 10));
        assert_eq!(waiting.len(), 2);
        assert_eq!(waiting[1].made, [record("c1", 1), record("c2", 1)]);
        let acts = |after, limit| world.read(move |tx| event::acts_unsequenced(tx, after, limit));
        assert_eq!(acts("e1", 1).into_iter().collect::<Vec<_>>(), ["a1"]);
        assert!(acts("e2", 10).is_empty());
        let earlier = world.read(|tx| event::earlier_unsequenced(tx, &record("c1", 2)));
        assert_eq!(earlier, ["e2"]);
        assert!(world.act(|tx| event::sequence(tx, "e2", 0)));
        assert!(world.act(|tx| event::sequence(tx, "e1", 1)));
        assert!(!world.act(|tx| event::sequence(tx, "e1", 2)));
        let page = world.read(|tx| event::page(tx, 1, 10));
        assert_eq!((page.len(), page[0].id.as_str(), page[0].seq), (1, "e1", Some(1)));
        assert_eq!(
            (page[0].bytes.as_slice(), page[0].occurred_at),
            (b"e1".as_slice(), at(1))
        );
        assert_eq!(world.read(|tx| event::of_subject(tx, "change", "c1")).len(), 2);
        let history = world.read(|tx| event::of_record(tx, "change", "c1"));
        assert_eq!(
            history.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(),
            ["e2", "e1"]
        );
        assert_eq!(world.read(|tx| event::load(tx, "e2")).unwrap().recorded_at, at(2));
        assert_eq!(world.read(|tx| event::records_of(tx, "e1")), [record("c1", 2)]);
        let made = world.read(|tx| event::records_between(tx, 0, 2));
        assert_eq!(
            (made.len(), &made["e1"]),
            (2, &vec![record("c1", 2)]),
            "{}",
            world.engine
        );
        let made = world.read(|tx| event::records_between(tx, 0, 1));
        assert_eq!(made.into_keys().collect::<Vec<_>>(), ["e2"]);
    });
}

#[test]
fn what_acts_read_is_known_until_they_have_their_places() {
    check(|world| {
        let standing = |version, made| UsedVersion {
            record: RecordRef {
                table: act_order::ESTATE.to_owned(),
                id: String::new(),
                version,
            },
            made,
        };
        append(world, ACME, "e1", vec![]).unwrap();
        append(world, ACME, "e2", vec![record("c1", 1)]).unwrap();
        append(world, ACME, "e3", vec![]).unwrap();
        world.act(move |tx| act_order::insert(tx, "e1", &standing(3, false)));
        world.act(move |tx| act_order::insert(tx, "e2", &standing(4, true)));
        let waiting = world.read(|tx| event::unsequenced(tx, 2));
        assert_eq!((waiting.len(), &waiting[0].read), (2, &vec![standing(3, false).record]));
        assert_eq!(waiting[1].made, [record("c1", 1), standing(4, true).record]);
        assert_eq!(waiting[1].read, []);
        let is_beyond =
            |after, version, made| world.read(move |tx| act_order::is_beyond(tx, after, &standing(version, made)));
        assert!(is_beyond("e0", 4, false));
        assert!(!is_beyond("e0", 3, false), "version 3 is not before itself");
        assert!(!is_beyond("e1", 4, false), "e1 does not follow itself");
        assert!(is_beyond("e1", 5, true));
        assert!(!is_beyond("e1", 5, false), "e2 made its version");
        assert!(world.act(|tx| event::sequence(tx, "e2", 0)));
        assert!(!is_beyond("e1", 5, true), "e2 has its place");
        assert!(
            !world
                .try_act(OTHER, move |tx| act_order::is_beyond(tx, "e0", &standing(4, false)))
                .unwrap()
        );
        world.act(|tx| act_order::forget_before(tx, "e2"));
        let left = world.read(|tx| act_order::between(tx, "e1", "e3"));
        assert_eq!(left, [("e2".to_owned(), standing(4, true))]);
        let twice = world.try_act(ACME, move |tx| act_order::insert(tx, "e2", &standing(5, true)));
        assert!(matches!(twice, Err(Error::Conflict { table }) if table == "act_order"));
    });
}

#[test]
fn the_changes_that_events_are_about_are_named_once() {
    check(|world| {
        append(world, ACME, "e1", vec![record("c1", 1)]).unwrap();
        append(world, ACME, "e2", vec![record("c1", 2), record("c2", 1)]).unwrap();
        assert_eq!(world.read(projection::changes_unplaced), ["c1", "c2"]);
        assert!(world.act(|tx| event::sequence(tx, "e1", 0)) && world.act(|tx| event::sequence(tx, "e2", 1)));
        assert_eq!(world.read(|tx| projection::changes_between(tx, 0, 1)), ["c1"]);
        assert_eq!(world.read(|tx| projection::changes_between(tx, 0, 2)), ["c1", "c2"]);
        assert_eq!(
            world.read(|tx| projection::changes_between(tx, 2, 9)),
            Vec::<String>::new()
        );
        assert_eq!(world.read(projection::changes_unplaced), Vec::<String>::new());
        let moments = |kinds: &'static [&'static str]| {
            world.read(move |tx| event::moments_of_subject(tx, ("change", "c1"), kinds))
        };
        assert_eq!(moments(&[]).len(), 2);
        assert_eq!(moments(&["change.none"]), []);
    });
}

#[test]
fn a_place_and_a_version_are_given_once() {
    check(|world| {
        append(world, ACME, "e1", vec![record("c1", 1)]).unwrap();
        append(world, ACME, "e2", vec![]).unwrap();
        let twice = append(world, ACME, "e3", vec![record("c1", 1)]);
        assert!(matches!(twice, Err(Error::Conflict { table }) if table == "event_record"));
        world.act(|tx| event::sequence(tx, "e1", 0));
        let taken = world.try_act(ACME, |tx| event::sequence(tx, "e2", 0));
        assert!(matches!(taken, Err(Error::Conflict { table }) if table == "event"));
    });
}

#[test]
fn payloads_are_kept_by_digest() {
    check(|world| {
        world.act(|tx| event::save_payload(tx, "e1", "sha256:1", b"long"));
        world.act(|tx| event::save_payload(tx, "e1", "sha256:1", b"long"));
        let payloads = world.read(|tx| event::payloads(tx, "e1"));
        assert_eq!(payloads, [("sha256:1".to_owned(), b"long".to_vec())]);
    });
}

/// The same numbers on every run.
fn next(dice: &mut u64, below: u64) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    *dice % below
}

/// Three writers take the pen, pause for any time, and go on with their old state: an overtaken writer places nothing, and no
/// size ever gets two roots.
#[test]
fn writers_that_stall_in_any_order_make_one_history() {
    let steps = std::env::var("ASSENT_TEST_STALLS").map_or(300, |it| it.parse::<u64>().unwrap());
    check(move |world| {
        world.act(|tx| log::create(tx, "r0", "n0"));
        let (mut dice, mut now) = (0x5eed_1234_u64, 0_i64);
        let mut known: [Option<(i64, i64)>; 3] = [None; 3];
        let mut roots = std::collections::BTreeMap::from([(0_i64, "r0".to_owned())]);
        let (mut placed, mut fenced) = (0, 0);
        for step in 0..steps {
            let writer = usize::try_from(next(&mut dice, 3)).unwrap();
            if next(&mut dice, 2) == 0 {
                // A lease lasts ten seconds; some steps pass it by, others do not.
                now += i64::try_from(next(&mut dice, 8)).unwrap();
                let name = ["s1", "s2", "s3"][writer];
                let taken = world.act(move |tx| log::take(tx, at(now), at(now + 10), name));
                if let Some(state) = taken {
                    known[writer] = Some((state.epoch, state.size));
                }
                continue;
            }
            let Some((epoch, size)) = known[writer] else { continue };
            let truth = world.read(log::state).unwrap();
            let (root, grown) = (format!("r{step}"), size + 1);
            let told = root.clone();
            let done = world.act(move |tx| {
                let to = Advance {
                    size: grown,
                    root: &told,
                    checkpoint: "n",
                };
                log::advance(tx, epoch, size, &to)
            });
            assert_eq!(done, (epoch, size) == (truth.epoch, truth.size), "step {step}");
            if done {
                placed += 1;
                known[writer] = Some((epoch, grown));
                assert!(roots.insert(grown, root).is_none(), "two roots for the size {grown}");
            } else {
                fenced += 1;
            }
        }
        assert!(
            placed > steps / 20 && fenced > steps / 20,
            "{placed} placed, {fenced} fenced out"
        );
        println!("{steps} steps: {placed} placed, {fenced} fenced out");
    });
}

#[test]
fn one_holder_writes_the_log_and_a_former_one_is_fenced_out() {
    check(|world| {
        assert_eq!(world.read(log::state), None);
        assert_eq!(world.act(|tx| log::take(tx, at(0), at(10), "s1")), None);
        world.act(|tx| log::create(tx, "r0", "n0"));
        world.act(|tx| log::create(tx, "other", "other"));
        let first = world.act(|tx| log::take(tx, at(0), at(10), "s1")).unwrap();
        assert_eq!((first.epoch, first.size, first.root.as_str()), (1, 0, "r0"));
        assert_eq!(world.act(|tx| log::take(tx, at(5), at(15), "s2")), None);
        let kept = world.act(|tx| log::take(tx, at(5), at(15), "s1")).unwrap();
        assert_eq!(kept.epoch, 1);
        let to = Advance {
            size: 2,
            root: "r2",
            checkpoint: "n2",
        };
        assert!(world.act(move |tx| log::advance(tx, 1, 0, &to)));
        assert!(!world.act(move |tx| log::advance(tx, 1, 0, &to)), "the size has moved");
        let second = world.act(|tx| log::take(tx, at(15), at(25), "s2")).unwrap();
        assert_eq!((second.epoch, second.size), (2, 2));
        assert!(!world.act(move |tx| log::advance(tx, 1, 2, &to)), "the epoch has moved");
        let state = world.read(log::state).unwrap();
        assert_eq!((state.checkpoint.as_str(), state.holder.as_str()), ("n2", "s2"));
        assert_eq!(world.across(log::sizes), [(ACME.to_owned(), 2)]);
    });
}

#[test]
fn a_holder_that_slept_through_its_lease_gets_a_new_epoch() {
    check(|world| {
        world.act(|tx| log::create(tx, "r0", "n0"));
        world.act(|tx| log::take(tx, at(0), at(10), "s1"));
        let late = world.act(|tx| log::take(tx, at(20), at(30), "s1")).unwrap();
        assert_eq!(late.epoch, 2);
    });
}

/// A server whose clock ran ahead by a day takes the pen, and is killed.
#[test]
fn a_pen_that_is_held_until_a_time_beyond_belief_is_taken_over_in_a_new_epoch() {
    check(|world| {
        let ahead = 86_400;
        world.act(|tx| log::create(tx, "r0", "n0"));
        world.act(move |tx| log::take(tx, at(ahead), at(ahead + 5), "killed"));
        let take = |now| world.act(move |tx| log::take(tx, at(now), at(now + 5), "next"));
        assert_eq!(take(ahead + 5 - 7 * 60), None, "clocks may lie so far apart");
        let taken = take(10).unwrap();
        assert_eq!(
            (taken.epoch, taken.holder.as_str(), taken.lease_until),
            (2, "next", at(15))
        );
        let to = Advance {
            size: 1,
            root: "r1",
            checkpoint: "n1",
        };
        assert!(
            !world.act(move |tx| log::advance(tx, 1, 0, &to)),
            "the former holder is fenced out"
        );
        assert!(world.act(move |tx| log::advance(tx, 2, 0, &to)));
    });
}

#[test]
fn a_pen_that_was_laid_down_is_free_at_once_in_a_new_epoch() {
    check(|world| {
        world.act(|tx| log::create(tx, "r0", "n0"));
        world.act(|tx| log::take(tx, at(0), at(10), "s1"));
        world.act(|tx| log::lay_down(tx, "s2"));
        assert_eq!(
            world.act(|tx| log::take(tx, at(1), at(11), "s2")),
            None,
            "it was not theirs"
        );
        world.act(|tx| log::lay_down(tx, "s1"));
        let next = world.act(|tx| log::take(tx, at(1), at(11), "s2")).unwrap();
        assert_eq!((next.epoch, next.holder.as_str()), (2, "s2"));
    });
}

#[test]
fn tiles_and_checkpoints_are_kept() {
    check(|world| {
        world.act(|tx| log::save_tile(tx, "tile/0/000", b"one"));
        world.act(|tx| log::save_tile(tx, "tile/0/000", b"two"));
        assert_eq!(world.read(|tx| log::tile(tx, "tile/0/000")), Some(b"one".to_vec()));
        assert!(world.act(|tx| log::delete_tile(tx, "tile/0/000")));
        assert_eq!(world.read(|tx| log::tile(tx, "tile/0/000")), None);
        for (size, note) in [(3, "a"), (7, "b"), (7, "c")] {
            world.act(move |tx| {
                let note = note.to_owned();
                log::save_checkpoint(
                    tx,
                    &Checkpoint {
                        size,
                        note,
                        at: at(size),
                    },
                    None,
                )
            });
        }
        assert_eq!(world.read(log::last_checkpoint).unwrap().note, "c");
        assert_eq!(world.read(|tx| log::checkpoint_covering(tx, 2)).unwrap().size, 3);
        assert_eq!(world.read(|tx| log::checkpoint_covering(tx, 3)).unwrap().size, 7);
        assert_eq!(world.read(|tx| log::checkpoint_covering(tx, 7)), None);
    });
}

#[test]
fn an_erased_text_is_gone() {
    check(|world| {
        let text = |commitment: &str, salt: u8, text: &str| SaltedText {
            commitment: commitment.to_owned(),
            salt: vec![salt; 16],
            text: text.to_owned(),
            event_id: "e1".to_owned(),
        };
        let (one, two) = (text("c1", 1, "Ada fell ill"), text("c2", 2, "said \"Bo\""));
        let saved = [one.clone(), two.clone()];
        world.act(move |tx| salts::save(tx, "e1", &saved));
        world.act(|tx| salts::save(tx, "e2", &[]));
        // A version before kept a row for each text.
        let former = text("c3", 3, "Cy left");
        world.act(|tx| {
            let params = [("salt", vec![3_u8; 16].into())];
            let row = "VALUES ($tenant, 'e1', 'c3', $salt, 'Cy left')";
            tx.execute(
                &format!("INSERT INTO text_salt (tenant, event_id, commitment, salt, body) {row}"),
                &params,
            )
        });
        let of_record = || world.read(|tx| salts::of_record(tx, "change", "c"));
        assert!(of_record().is_empty(), "its event made no version of that record");
        world.act(|tx| {
            tx.execute(
                "INSERT INTO event_record (tenant, event_id, table_name, record_id, version)
                 VALUES ($tenant, 'e1', 'change', 'c', 1)",
                &[],
            )
        });
        let all = [one.clone(), two.clone(), former.clone()];
        let by_commitment: HashMap<String, SaltedText> =
            all.iter().map(|it| (it.commitment.clone(), it.clone())).collect();
        assert_eq!(of_record(), by_commitment);
        assert_eq!(world.read(|tx| salts::of_event(tx, "e1")), all);
        let page = world.read(|tx| salts::page(tx, None, 9));
        let texts: Vec<_> = page.iter().map(|kept| kept.texts.clone().unwrap()).collect();
        assert_eq!(texts, [vec![one, two.clone()], vec![former.clone()]]);
        let last = page.last().cloned();
        assert!(world.read(move |tx| salts::page(tx, last.as_ref(), 9)).is_empty());
        assert!(world.act(|tx| salts::erase(tx, "e1", "c1")));
        assert!(!world.act(|tx| salts::erase(tx, "e1", "c1")));
        assert!(!world.act(|tx| salts::erase(tx, "e1", "")));
        assert_eq!(world.read(|tx| salts::of_event(tx, "e1")), [two, former]);
        assert!(world.act(|tx| salts::erase(tx, "e1", "c3")));
        assert!(world.act(|tx| salts::erase(tx, "e1", "c2")));
        assert!(of_record().is_empty());
        assert!(world.read(|tx| salts::page(tx, None, 9)).is_empty());
    });
}

#[test]
fn keys_are_kept_by_purpose() {
    check(|world| {
        for (kid, created) in [("k1", 1), ("k2", 2)] {
            world.act(move |tx| {
                let key = SigningKey {
                    kid: kid.to_owned(),
                    purpose: "permit".to_owned(),
                    public: "pub".to_owned(),
                    wrapped: vec![9],
                    state: "active".to_owned(),
                    created_at: at(created),
                };
                keys::insert(tx, &key)
            });
        }
        assert_eq!(world.read(|tx| keys::list(tx, "permit"))[0].kid, "k2");
        assert!(world.read(|tx| keys::list(tx, "log")).is_empty());
        assert!(world.act(|tx| keys::set_state(tx, "k1", "retired")));
        assert!(world.act(|tx| keys::rewrap(tx, "k1", &[7])));
        let key = world.read(|tx| keys::load(tx, "k1")).unwrap();
        assert_eq!(
            (key.state.as_str(), key.wrapped.as_slice()),
            ("retired", [7].as_slice())
        );
        assert!(!format!("{key:?}").contains('7'));
    });
}

#[test]
fn the_revocation_list_grows_by_epochs() {
    check(|world| {
        assert_eq!(world.read(revocation::state).epoch, 0);
        assert_eq!(world.act(revocation::raise), 1);
        assert_eq!(world.act(revocation::raise), 2);
        let entry = Revoked {
            jti: "p1".to_owned(),
            epoch: 2,
            at: at(1),
            expires_at: at(100),
        };
        let first = entry.clone();
        assert!(world.act(move |tx| revocation::revoke(tx, &first)));
        let again = entry.clone();
        assert!(!world.act(move |tx| revocation::revoke(tx, &again)));
        assert_eq!(world.read(|tx| revocation::list(tx, at(99))), [entry]);
        assert!(world.read(|tx| revocation::list(tx, at(100))).is_empty());
        assert!(world.read(|tx| revocation::is_revoked(tx, "p1")));
        assert_eq!(world.across(|tx| revocation::stale_lists(tx, at(0))), [ACME]);
        assert!(world.act(|tx| revocation::save_signed(tx, "jws", 2, at(5))));
        assert!(!world.act(|tx| revocation::save_signed(tx, "old", 1, at(6))));
        let state = world.read(revocation::state);
        assert_eq!((state.signed.as_str(), state.signed_epoch, state.epoch), ("jws", 2, 2));
        assert!(world.across(|tx| revocation::stale_lists(tx, at(5))).is_empty());
        assert_eq!(world.across(|tx| revocation::stale_lists(tx, at(6))), [ACME]);
    });
}

#[test]
fn a_halt_only_moves_forwards() {
    check(|world| {
        for (iat, epoch) in [(10, 1), (5, 2), (20, 3)] {
            world.act(move |tx| {
                let entry = NotBefore {
                    service: "web".to_owned(),
                    environment: "production".to_owned(),
                    iat: at(iat),
                    epoch,
                };
                revocation::set_not_before(tx, &entry)
            });
        }
        let halts = world.read(revocation::not_before);
        assert_eq!((halts.len(), halts[0].iat, halts[0].epoch), (1, at(20), 3));
    });
}

#[test]
fn of_each_witness_the_newest_cosignature_is_kept() {
    check(|world| {
        let made = |size, time, line: &str| cosignature::Cosignature {
            witness: "w-1".to_owned(),
            size,
            time,
            line: line.to_owned(),
        };
        let save = |it: cosignature::Cosignature| world.act(move |tx| cosignature::save(tx, &it));
        assert!(save(made(5, 100, "first")));
        assert!(!save(made(4, 200, "of a smaller log")));
        assert!(!save(made(5, 99, "earlier")));
        assert!(save(made(5, 101, "later")));
        assert!(save(made(6, 50, "of a greater log")));
        let other = cosignature::Cosignature {
            witness: "w-0".to_owned(),
            ..made(1, 1, "another's")
        };
        assert!(save(other.clone()));
        assert_eq!(
            world.read(cosignature::list),
            [other.clone(), made(6, 50, "of a greater log")]
        );
        assert!(world.act(|tx| cosignature::delete(tx, "w-1")));
        assert!(!world.act(|tx| cosignature::delete(tx, "w-1")));
        assert_eq!(world.read(cosignature::list), [other]);
    });
}

#[test]
fn a_watched_log_moves_on_from_the_size_that_was_seen_and_from_no_other() {
    check(|world| {
        let seen = |origin: &str, size, root: &str| WatchedCheckpoint {
            origin: origin.to_owned(),
            size,
            root: root.to_owned(),
            time: size * 10,
        };
        let advance = |old, next: WatchedCheckpoint| world.act(move |tx| watched_checkpoint::advance(tx, old, &next));
        let find = |origin: &'static str| world.read(move |tx| watched_checkpoint::find(tx, origin));
        assert_eq!(find("log.example/a"), None);
        assert!(advance(0, seen("log.example/a", 5, "r5")));
        assert!(
            !advance(0, seen("log.example/a", 6, "fork")),
            "another request was faster"
        );
        assert!(advance(5, seen("log.example/a", 7, "r7")));
        assert!(advance(0, seen("log.example/b", 2, "r2")));
        assert_eq!(find("log.example/a"), Some(seen("log.example/a", 7, "r7")));
        assert_eq!(find("log.example/b"), Some(seen("log.example/b", 2, "r2")));
    });
}

#[test]
fn time_stamps_are_found_by_size_and_by_authority() {
    check(|world| {
        let made = |size, authority: &str| TimeStamp {
            size,
            authority: authority.to_owned(),
            time: size * 100,
            token: format!("token-{size}"),
        };
        let save = |it: TimeStamp| world.act(move |tx| time_stamp::save(tx, &it));
        for it in [made(5, "a"), made(9, "a"), made(7, "b")] {
            assert!(save(it));
        }
        let other_token = TimeStamp {
            token: "other".to_owned(),
            ..made(9, "a")
        };
        assert!(!save(other_token), "the first one of a size stays");
        assert_eq!(world.read(|tx| time_stamp::newest(tx, "a")), Some(made(9, "a")));
        assert_eq!(world.read(|tx| time_stamp::newest(tx, "c")), None);
        assert_eq!(
            world.read(|tx| time_stamp::covering(tx, 6, 10)),
            [made(7, "b"), made(9, "a")]
        );
        assert_eq!(world.read(|tx| time_stamp::covering(tx, 0, 1)), [made(5, "a")]);
    });
}
