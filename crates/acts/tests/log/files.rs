//! Replay hashes the kept files of evidence, wherever they are kept, and names the change, the evidence and the digest of each
//! that differs from the log.

use acts::audit::replay_log;
use acts::compliance::erase_texts;
use acts::directory::set_person;
use model::change::related_records;
use serde_json::json;

use crate::world::{FILE, World, body, run};

/// The digest of the file, and the id of its evidence.
fn named(world: &World) -> (String, String) {
    let digest = proof::crypto::digest_text(FILE);
    let wanted = digest.clone();
    let id = world.look(move |cx| {
        let change = cx.change("CHG-1001")?;
        let of_change = store::record::Filter::new()
            .equals("change_id", change.id.as_str())
            .order_by("id");
        let found = store::record::find::<related_records::Evidence>(cx.tx, &of_change)?;
        let one = found.into_iter().find(|it| it.record.file_digest == wanted);
        Ok(one.unwrap().record.id.0)
    });
    (digest, id.unwrap())
}

/// Asserts that a replay finds this of the file, and nothing else.
fn expect(world: &World, what: &str) {
    let (digest, id) = named(world);
    let findings = world.replay().findings;
    assert_eq!(findings.len(), 1, "{what}: {findings:#?}");
    let found = &findings[0];
    assert_eq!((found.table.as_str(), found.id.as_str()), ("evidence", id.as_str()));
    assert_eq!(found.field.as_deref(), Some("file"));
    assert_eq!(found.what, format!("The file {digest} of CHG-1001 {what}."));
}

#[test]
fn a_file_in_the_folder_that_was_changed_cut_or_taken_away_is_named() {
    let world = World::new();
    world.closed("Give every shipment a customs reference");
    world.sequence();
    let report = world.replay();
    // The note is hashed with the others: its text is its file.
    assert_eq!((report.findings.len(), report.files), (0, 2), "{report:?}");
    let (digest, _) = named(&world);
    let hex = digest.trim_start_matches("sha256:");
    let file = world.folder.path().join("evidence").join(hex);
    let mut other = FILE.to_vec();
    other[20] ^= 1;
    let now = proof::crypto::digest_text(&other);
    std::fs::write(&file, &other).unwrap();
    expect(&world, &format!("has another content: its digest is {now}"));
    std::fs::write(&file, &FILE[..30]).unwrap();
    expect(&world, &format!("is cut: 30 of {} bytes are there", FILE.len()));
    std::fs::write(&file, [FILE, b"!"].concat()).unwrap();
    expect(&world, &format!("has {} bytes, 1 more than were kept", FILE.len() + 1));
    std::fs::remove_file(&file).unwrap();
    expect(&world, "is gone");
    std::fs::create_dir(&file).unwrap();
    let found = world.replay().findings;
    assert_eq!(found.len(), 1, "{found:#?}");
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, FILE).unwrap();
    assert_eq!(world.replay().findings, []);
}

/// The tampering with the chunks past the server, its undoing, and the finding; `{}` is the file.
const DEEDS: &[(&str, &str, &str)] = &[
    (
        "UPDATE evidence_chunk SET part = part + 100 WHERE part < 2;
         UPDATE evidence_chunk SET part = 101 - part WHERE part >= 100;",
        "UPDATE evidence_chunk SET part = part + 100 WHERE part < 2;
         UPDATE evidence_chunk SET part = 101 - part WHERE part >= 100;",
        "has another content: its digest is {}",
    ),
    (
        "UPDATE evidence_chunk SET part = 7 WHERE part = 1",
        "UPDATE evidence_chunk SET part = 1 WHERE part = 7",
        "has no chunk 1",
    ),
    (
        "UPDATE evidence_chunk SET part = 7 WHERE part = 2",
        "UPDATE evidence_chunk SET part = 2 WHERE part = 7",
        "has no chunk 2",
    ),
    (
        "UPDATE evidence_chunk SET part = -1 WHERE part = 0",
        "UPDATE evidence_chunk SET part = 0 WHERE part = -1",
        "has a chunk -1 before the first",
    ),
    (
        "UPDATE evidence_chunk SET digest = 'elsewhere' WHERE part = 2",
        "UPDATE evidence_chunk SET digest = (SELECT digest FROM evidence_blob) WHERE part = 2",
        "is cut: 32 of 35 bytes are there",
    ),
    (
        "INSERT INTO evidence_chunk (tenant, digest, part, bytes) SELECT tenant, digest, 3, bytes FROM evidence_chunk WHERE part = 0",
        "DELETE FROM evidence_chunk WHERE part = 3",
        "has 51 bytes, 16 more than were kept",
    ),
    (
        "UPDATE evidence_blob SET size = size + 1",
        "UPDATE evidence_blob SET size = size - 1",
        "is declared with 36 bytes instead of 35",
    ),
    (
        "UPDATE evidence_blob SET digest = 'elsewhere'",
        "UPDATE evidence_blob SET digest = (SELECT min(digest) FROM evidence_chunk)",
        "was never declared whole, or its row is gone",
    ),
    (
        "UPDATE evidence_chunk SET digest = 'elsewhere'; UPDATE evidence_blob SET digest = 'elsewhere'",
        "",
        "is gone",
    ),
];

fn each_deed_is_named(world: &World, write: &dyn Fn(&str)) {
    world.closed("Give every shipment a customs reference");
    world.sequence();
    let report = world.replay();
    assert_eq!((report.findings.len(), report.files), (0, 2), "{report:?}");
    let swapped = [&FILE[16..32], &FILE[..16], &FILE[32..]].concat();
    let swapped = proof::crypto::digest_text(&swapped);
    for (deed, back, what) in DEEDS {
        write(deed);
        expect(world, &what.replace("{}", &swapped));
        if !back.is_empty() {
            write(back);
            assert_eq!(world.replay().findings, [], "{back}");
        }
    }
}

#[test]
fn chunks_that_were_changed_swapped_added_or_taken_away_are_named() {
    let world = World::with_chunks();
    each_deed_is_named(&world, &|sql| {
        let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection.execute_batch(sql).unwrap();
    });
}

#[test]
fn chunks_on_postgresql_that_were_changed_swapped_added_or_taken_away_are_named() {
    let Some((world, database)) = World::on_postgres() else {
        return;
    };
    each_deed_is_named(&world, &|sql| run(&database.url, sql));
    world.executor.tools().store.close();
}

/// An attacker who writes the digest of another file into the record as well has still changed no event.
#[test]
fn a_file_that_was_exchanged_together_with_its_record_is_found_by_the_log() {
    let world = World::new();
    world.closed("Give every shipment a customs reference");
    world.sequence();
    let ((digest, _), forged) = (named(&world), b"<testsuite tests=\"3\" failures=\"1\"/>");
    let other = proof::crypto::digest_text(forged);
    let folder = world.folder.path().join("evidence");
    let name = |digest: &str| folder.join(digest.trim_start_matches("sha256:"));
    std::fs::remove_file(name(&digest)).unwrap();
    std::fs::write(name(&other), forged).unwrap();
    let found = world.tampered(&format!(
        "UPDATE evidence SET body = replace(body, '{digest}', '{other}'), sealed = replace(sealed, '{digest}', '{other}'),
             file_digest = replace(file_digest, '{digest}', '{other}')"
    ));
    let has = |field: &str, what: &str| {
        let is_it = |it: &&replay_log::Finding| it.field.as_deref() == Some(field) && it.what.contains(what);
        found
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("{field} {what}: {found:#?}"));
    };
    has("file", &format!("The file {digest} of CHG-1001 is gone."));
    has("/file_digest", "than the events tell");
}

#[test]
fn an_erased_file_is_not_looked_for() {
    let world = World::new();
    for (login, role) in [("ada", "admin"), ("bea", "admin")] {
        let person = body(json!({"login": login, "roles": [role]}));
        world.system(move |cx| set_person::create_person(cx, &person));
    }
    let key = world.closed("Give every shipment a customs reference");
    let (digest, _) = named(&world);
    let erasure = body(json!({"kind": "texts", "reason": "Request of 12 November"}));
    let asked = key.clone();
    world.by("ada", move |cx| erase_texts::ask_erasure(cx, &asked, &erasure));
    world.by("bea", move |cx| erase_texts::confirm_erasure(cx, &key));
    world.sequence();
    std::fs::remove_file(
        world
            .folder
            .path()
            .join("evidence")
            .join(digest.trim_start_matches("sha256:")),
    )
    .unwrap();
    let report = world.replay();
    assert_eq!((report.findings.len(), report.files), (0, 0), "{report:?}");
}
