//! The archive: records moved into segments are read as before, and nothing is lost or kept twice on the way.

use model::change::record::Change;
use model::change::related_records::Comment;
use serde_json::{Value as Json, json};
use store::audit::salts::{self, SaltedText};
use store::change::changes::{ChangeFilter, list_changes};
use store::compliance::archive::{self, Gathered};
use store::{Error, Filter, Lane, Mode, Tx, record, search};

use crate::world::{ACME, OTHER, World, at, change_json, check};

/// How many changes there are.
pub const CHANGES: i64 = 6;

pub fn id(number: i64) -> String {
    format!("c{number}")
}

pub fn event(number: i64) -> String {
    format!("e{number}")
}

/// A change that ended, at a version.
fn closed(number: i64, version: i64) -> Change {
    let mut value = change_json(&id(number), number);
    value["state"] = json!("closed");
    value["version"] = json!(version);
    serde_json::from_value(value).unwrap()
}

pub fn comment(number: i64, version: i64) -> Comment {
    serde_json::from_value(json!({
        "id": format!("k{number}"), "version": version, "change": id(number), "text": format!("Said {version} times"),
        "by": "p1", "at": at(number).to_string(),
    }))
    .unwrap()
}

/// The value of the column `sealed` for a record with one text.
fn sealed(place: &str, number: i64) -> String {
    json!([[place, format!("t{number}")]]).to_string()
}

fn run<T: Send + 'static>(
    world: &World,
    tenant: &str,
    act: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> T {
    world.try_act(tenant, act).unwrap()
}

pub fn look<T: Send + 'static>(
    world: &World,
    tenant: &str,
    act: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    world.store.wait(Lane::Pages, tenant, Mode::Read, act)
}

/// Two texts that the first versions of a change and its comment brought.
pub fn texts(number: i64) -> [SaltedText; 2] {
    ["a", "b"].map(|name| SaltedText {
        commitment: format!("t{number}{name}"),
        salt: vec![u8::try_from(number).unwrap(); 16],
        text: format!("Ada fell ill {number}{name}"),
        event_id: event(number),
    })
}

/// Changes that ended, each with a comment and texts.
pub fn fill(world: &World, tenant: &str) {
    run(world, tenant, |tx| {
        for number in 1..=CHANGES {
            record::insert(tx, &closed(number, 1), &sealed("/title", number))?;
            record::insert(tx, &comment(number, 1), &sealed("/text", number))?;
            salts::save(tx, &event(number), &texts(number))?;
            for (table, record) in [("change", id(number)), ("comment", format!("k{number}"))] {
                tx.execute(
                    "INSERT INTO event_record (tenant, event_id, table_name, record_id, version)
                     VALUES ($tenant, $event, $table, $record, 1)",
                    &[
                        ("event", event(number).into()),
                        ("table", table.into()),
                        ("record", record.into()),
                    ],
                )?;
            }
        }
        Ok(())
    });
}

/// The results of every way of reading for a tenant.
pub fn reads(world: &World, tenant: &str) -> Vec<String> {
    let read = |tx: &mut Tx<'_>| -> Result<Vec<String>, Error> {
        let by_id = Filter::new().order_by("id");
        let mut found = vec![
            format!("{:?}", record::find::<Change>(tx, &by_id)?),
            format!("{:?}", record::bodies::<Comment>(tx, &by_id)?),
            format!("{:?}", record::parts::<Comment, Json>(tx, &by_id)?),
            format!("{:?}", record::parts_naming::<Change, Json>(tx, &by_id, "\"c2\"")?),
            format!("{:?}", list_changes(tx, &ChangeFilter::default(), 99, None)?),
            format!("{:?}", salts::page(tx, None, 99)?),
        ];
        for table in ["change", "comment"] {
            found.push(format!("{:?}", record::raw_page(tx, table, "", 99)?));
            found.push(format!("{:?}", record::raw_rows(tx, table, "", 99)?));
        }
        for number in 1..=CHANGES {
            let id = id(number);
            let of_change = Filter::new().equals("change_id", id.as_str()).order_by("id");
            let mut texts: Vec<SaltedText> = salts::of_record(tx, "change", &id)?.into_values().collect();
            texts.sort_by(|one, other| one.commitment.cmp(&other.commitment));
            found.push(format!("{texts:?}"));
            found.push(format!("{:?}", salts::of_event(tx, &event(number))?));
            found.push(format!("{:?}", record::load::<Change>(tx, &id)?));
            found.push(format!("{:?}", record::raw(tx, "change", &id)?));
            found.push(format!("{:?}", record::find::<Comment>(tx, &of_change)?));
            found.push(format!(
                "{:?}",
                search::find(tx, "change", &format!("limit {number}"), 9)?
            ));
        }
        Ok(found)
    };
    look(world, tenant, read).unwrap()
}

pub fn gather(world: &World, tenant: &str, numbers: &[i64]) -> Option<Gathered> {
    let ids: Vec<String> = numbers.iter().map(|number| id(*number)).collect();
    look(world, tenant, move |tx| archive::gather(tx, &ids, at(7))).unwrap()
}

pub fn announce(world: &World, tenant: &str, gathered: &Gathered) {
    let gathered = gathered.clone();
    run(world, tenant, move |tx| archive::announce(tx, &gathered, at(8)));
}

pub fn move_in(world: &World, tenant: &str, gathered: &Gathered) -> bool {
    let gathered = gathered.clone();
    run(world, tenant, move |tx| archive::move_in(tx, &gathered, at(9)))
}

/// All steps; returns whether anything moved.
pub fn archive(world: &World, tenant: &str, numbers: &[i64]) -> bool {
    let Some(gathered) = gather(world, tenant, numbers) else {
        return false;
    };
    announce(world, tenant, &gathered);
    gathered.write().unwrap();
    move_in(world, tenant, &gathered)
}

pub fn is_archived(world: &World, number: i64) -> bool {
    world.read(move |tx| archive::segment_of(tx, &id(number))).is_some()
}

pub fn segments(world: &World) -> Vec<(String, Result<Vec<String>, Error>)> {
    world.read(|tx| archive::segments(tx, "", 99))
}

fn stored_body(world: &World, number: i64) -> String {
    let row = world.read(move |tx| {
        tx.query_one(
            "SELECT body FROM \"change\" WHERE tenant = $tenant AND id = $id",
            &[("id", id(number).into())],
        )
    });
    row.unwrap().text("body").unwrap()
}

#[test]
fn what_moved_is_read_as_before_and_comes_back() {
    check(|world| {
        fill(world, ACME);
        let before = reads(world, ACME);
        let due = || world.read(|tx| archive::due(tx, at(4), 9));
        assert_eq!(due(), ["c1", "c2", "c3"]);
        assert_eq!(world.read(|tx| archive::waiting(tx, at(4), 2)), 2);
        assert!(archive(world, ACME, &[1, 2, 3]));
        assert!(!archive(world, ACME, &[1, 2, 3]), "they moved before");
        assert_eq!(due(), Vec::<String>::new());
        assert!(!stored_body(world, 1).contains("limit"), "{}", stored_body(world, 1));
        assert_eq!(reads(world, ACME), before);
        let state = world.read(archive::state);
        assert_eq!((state.changes, state.segments, state.moved_at), (3, 1, Some(at(9))));
        assert!(state.size > 0 && state.plain > state.size, "{state:?}");
        assert_eq!(world.across(archive::sums).changes, 3);
        let held = world.read(|tx| archive::held(tx, "c2")).unwrap();
        assert_eq!((held.changes, held.rows, held.texts), (3, 2, 1));
        assert_eq!(world.read(|tx| archive::held(tx, "c5")), None);
        let of_all: Vec<_> = segments(world)
            .into_iter()
            .map(|(_, changes)| changes.unwrap())
            .collect();
        assert_eq!(of_all, [["c1", "c2", "c3"]]);
        for number in [2, 1, 3] {
            assert!(world.act(move |tx| archive::thaw(tx, &id(number))));
            assert!(!world.act(move |tx| archive::thaw(tx, &id(number))));
            assert_eq!(reads(world, ACME), before);
        }
        assert!(stored_body(world, 1).contains("limit"));
        let state = world.read(archive::state);
        assert_eq!((state.changes, state.segments, state.size, state.plain), (0, 0, 0, 0));
        assert!(segments(world).is_empty());
        assert_eq!(due(), ["c1", "c2", "c3"]);
    });
}

#[test]
fn a_write_brings_the_whole_change_back_and_leaves_its_neighbours() {
    check(|world| {
        fill(world, ACME);
        assert!(archive(world, ACME, &[1, 2]));
        world.act(|tx| record::update(tx, &comment(1, 2), "", 1));
        assert!(!is_archived(world, 1) && is_archived(world, 2));
        assert!(
            stored_body(world, 1).contains("limit"),
            "the change came back with its comment"
        );
        let stale = world.try_act(ACME, |tx| record::update(tx, &closed(2, 9), "", 8));
        assert!(matches!(stale, Err(Error::Stale { .. })), "{stale:?}");
        assert!(is_archived(world, 2), "what was refused left everything as it was");
        assert!(world.act(|tx| record::delete::<Comment>(tx, "k2")));
        assert!(!is_archived(world, 2));
        assert_eq!(world.read(|tx| record::load::<Comment>(tx, "k2")), None);
        assert!(archive(world, ACME, &[1]), "it moves again");
        let said = world.read(|tx| record::load::<Comment>(tx, "k1")).unwrap();
        assert_eq!(said.record.version, 2);
    });
}

#[test]
fn an_erased_text_is_in_no_segment_and_in_no_file() {
    check(|world| {
        fill(world, ACME);
        assert!(archive(world, ACME, &[1, 2, 3]));
        let former = segments(world)[0].0.clone();
        assert!(world.act(|tx| salts::erase(tx, "e2", "t2a")));
        assert!(!world.act(|tx| salts::erase(tx, "e2", "t2a")));
        assert_eq!(world.read(|tx| salts::of_event(tx, "e2")).len(), 1);
        assert_eq!(world.read(|tx| salts::of_event(tx, "e1")), texts(1));
        assert!(!is_archived(world, 2), "its segment was written anew without it");
        let left = segments(world);
        assert_eq!(left.len(), 1);
        assert_ne!(left[0].0, former);
        assert_eq!(left[0].1.as_ref().unwrap(), &["c1", "c3"]);
        // The file of the former segment goes a while after it was noticed.
        let is_file = world.engine == "SQLite";
        let waiting = || world.read(|tx| archive::announced(tx, 9));
        assert_eq!(waiting(), if is_file { vec![former] } else { Vec::new() });
        let collect = || world.act(|tx| archive::collect_garbage(tx, at(50), 9));
        assert_eq!(collect(), 0, "nobody noticed it yet");
        world.act(|tx| archive::notice_garbage(tx, at(40)));
        assert_eq!(collect(), u64::from(is_file));
        assert!(waiting().is_empty());
        assert_eq!(world.read(|tx| salts::of_event(tx, "e3")), texts(3));
    });
}

#[test]
fn a_move_that_is_cut_off_after_any_step_loses_nothing() {
    check(|world| {
        fill(world, ACME);
        let before = reads(world, ACME);
        let is_file = world.engine == "SQLite";
        let gathered = gather(world, ACME, &[1, 2]).unwrap();
        assert_eq!(reads(world, ACME), before, "after it was read");
        announce(world, ACME, &gathered);
        assert_eq!(reads(world, ACME), before, "after it was announced");
        if is_file {
            assert!(!move_in(world, ACME, &gathered), "its file is not there");
        }
        gathered.write().unwrap();
        assert_eq!(reads(world, ACME), before, "after it was written");
        let cut = gathered.clone();
        let cut = world.try_act(ACME, move |tx| {
            assert!(archive::move_in(tx, &cut, at(9))?);
            Err::<(), Error>(Error::Other("cut off".to_owned()))
        });
        assert!(cut.is_err());
        assert_eq!(reads(world, ACME), before, "while it was pointed to");
        assert!(!is_archived(world, 1) && segments(world).is_empty());
        // Nobody comes back to it: its file goes, and nothing can point to it any more.
        assert_eq!(
            world.act(|tx| archive::collect_garbage(tx, at(50), 9)),
            u64::from(is_file)
        );
        if is_file {
            assert!(!move_in(world, ACME, &gathered), "it is announced no more");
        }
        assert!(archive(world, ACME, &[1, 2]));
        assert!(!move_in(world, ACME, &gathered), "nothing moves twice");
        assert_eq!(reads(world, ACME), before);
        assert_eq!(world.read(archive::state).changes, 2);
        assert_eq!(
            world.act(|tx| archive::collect_garbage(tx, at(99), 9)),
            0,
            "what is named stays"
        );
        assert_eq!(reads(world, ACME), before);
    });
}

#[test]
fn what_is_written_between_reading_and_moving_is_not_moved() {
    check(|world| {
        fill(world, ACME);
        let gathered = gather(world, ACME, &[1, 2]).unwrap();
        announce(world, ACME, &gathered);
        gathered.write().unwrap();
        world.act(|tx| record::update(tx, &comment(2, 2), "", 1));
        assert!(!move_in(world, ACME, &gathered));
        assert!(!is_archived(world, 1) && !is_archived(world, 2));
        let said = world.read(|tx| record::load::<Comment>(tx, "k2")).unwrap();
        assert_eq!(said.record.version, 2);
        assert!(segments(world).is_empty());
    });
}

#[test]
fn a_segment_that_is_gone_or_altered_is_damage() {
    check(|world| {
        fill(world, ACME);
        // At another time than in other tests, whose segments of the same content may be in memory.
        let archive = |number| {
            let gathered = look(world, ACME, move |tx| archive::gather(tx, &[id(number)], at(77)));
            let gathered = gathered.unwrap().unwrap();
            announce(world, ACME, &gathered);
            gathered.write().unwrap();
            move_in(world, ACME, &gathered)
        };
        assert!(archive(1) && archive(2) && archive(3));
        let segment = |number: i64| world.read(move |tx| archive::segment_of(tx, &id(number))).unwrap();
        let ids = [segment(1), segment(2), segment(3)];
        let set = |sql: &'static str, id: String| {
            run(world, ACME, move |tx| tx.execute(sql, &[("id", id.as_str().into())]));
        };
        set(
            "DELETE FROM archive_segment WHERE tenant = $tenant AND id = $id",
            ids[0].clone(),
        );
        let other = ids[1].clone();
        run(world, ACME, move |tx| {
            tx.execute(
                "UPDATE archive_segment SET in_folder = FALSE, bytes = $bytes WHERE tenant = $tenant AND id = $id",
                &[("bytes", b"nothing".as_slice().into()), ("id", other.as_str().into())],
            )
        });
        set(
            "UPDATE archived_change SET segment = $id WHERE tenant = $tenant AND change_id = 'c3'",
            ids[0].clone(),
        );
        for number in 1..=3 {
            let read = look(world, ACME, move |tx| record::load::<Change>(tx, &id(number)));
            assert!(matches!(read, Err(Error::Corrupt(_))), "{number}: {read:?}");
        }
        let rows = world.read(|tx| record::raw_rows(tx, "change", "", 99));
        let damaged: Vec<_> = rows
            .iter()
            .filter(|(_, row)| row.is_err())
            .map(|(id, _)| id.clone())
            .collect();
        assert_eq!(damaged, [1, 2, 3].map(|number| Some(id(number))), "the others are read");
        let lost = world.read(|tx| archive::lost(tx, 9));
        assert_eq!(lost, ["c1", "c3"], "their rows name a segment that is gone");
        let found = segments(world);
        let is_damaged = |id: &str| found.iter().any(|(it, changes)| it == id && changes.is_err());
        assert!(is_damaged(&ids[1]) && !is_damaged(&ids[2]), "{found:?}");
        let thawed = world.try_act(ACME, |tx| archive::thaw(tx, "c2"));
        assert!(matches!(thawed, Err(Error::Corrupt(_))), "{thawed:?}");
    });
}

#[test]
fn no_tenant_reads_the_segments_of_another() {
    check(|world| {
        fill(world, ACME);
        fill(world, OTHER);
        assert!(archive(world, ACME, &[1]));
        let (stolen, bytes) = (world.read(|tx| archive::segment_of(tx, "c1")).unwrap(), b"a1:c1");
        assert_eq!(look(world, OTHER, |tx| archive::segment_of(tx, "c1")), Ok(None));
        run(world, OTHER, move |tx| {
            tx.execute(
                "INSERT INTO archive_segment (tenant, id, in_folder, size, plain) VALUES ($tenant, $id, TRUE, 1, 1)",
                &[("id", stolen.as_str().into())],
            )?;
            tx.execute(
                "INSERT INTO archived_change (tenant, change_id, segment) VALUES ($tenant, 'c1', $id)",
                &[("id", stolen.as_str().into())],
            )?;
            tx.execute(
                "UPDATE \"change\" SET body = $body, sealed = '' WHERE tenant = $tenant AND id = 'c1'",
                &[("body", String::from_utf8_lossy(bytes).into_owned().into())],
            )
        });
        let read = look(world, OTHER, |tx| record::load::<Change>(tx, "c1"));
        assert!(matches!(read, Err(Error::Corrupt(_))), "{read:?}");
    });
}

/// The same numbers on every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

/// One tenant archives and thaws beside the work of both; every reading of the two is the same after each step.
#[test]
fn any_mix_of_moving_writing_and_erasing_leaves_every_reading_as_it_would_be() {
    check(|world| {
        fill(world, ACME);
        fill(world, OTHER);
        let mut dice = Dice(0x5eed_0bad_cafe);
        let mut versions = [1; 6];
        for step in 0..80 {
            let number = 1 + dice.below(CHANGES);
            let place = usize::try_from(number - 1).unwrap();
            match dice.below(6) {
                0 | 1 => {
                    archive(world, ACME, &[number, 1 + dice.below(CHANGES), 1 + dice.below(CHANGES)]);
                }
                2 => {
                    world.act(move |tx| archive::thaw(tx, &id(number)));
                }
                3 => {
                    let text = texts(number)[usize::try_from(dice.below(2)).unwrap()]
                        .commitment
                        .clone();
                    let erase = |tenant| {
                        let text = text.clone();
                        run(world, tenant, move |tx| salts::erase(tx, &event(number), &text))
                    };
                    assert_eq!(erase(ACME), erase(OTHER), "step {step}");
                }
                _ => {
                    let version = versions[place];
                    versions[place] += 1;
                    for tenant in [ACME, OTHER] {
                        run(world, tenant, move |tx| {
                            record::update(tx, &comment(number, version + 1), &sealed("/text", number), version)?;
                            record::update(tx, &closed(number, version + 1), "", version)
                        });
                    }
                }
            }
            assert_eq!(reads(world, ACME), reads(world, OTHER), "step {step}");
        }
        assert_eq!(look(world, OTHER, archive::state).unwrap().changes, 0);
    });
}
