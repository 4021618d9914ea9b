//! Every command of the guide is run against the demo, page by page.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use tests::{Place, Server, root};

use crate::api::described::{self, Talk};
use crate::gate::gateways::blocks;

/// One thing to do on a page.
enum Piece {
    Shell(String),
    Advance(i64),
}

/// The shell blocks of a page and the moves of the clock between them.
fn pieces(page: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        match (&mut block, line.trim()) {
            (None, "```sh") => block = Some(String::new()),
            (Some(text), "```") => {
                found.push(Piece::Shell(std::mem::take(text)));
                block = None;
            }
            (Some(text), _) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, trimmed) => {
                let advance = trimmed
                    .strip_prefix("<!-- advance ")
                    .and_then(|rest| rest.strip_suffix(" -->"));
                found.extend(advance.map(|seconds| Piece::Advance(seconds.parse().unwrap())));
            }
        }
    }
    found
}

/// The folder of commands: the program is there as it would be where it is installed.
fn path_with_program() -> std::ffi::OsString {
    let folder = tests::binary().parent().map(std::path::Path::to_path_buf);
    let usual = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(folder.into_iter().chain(std::env::split_paths(&usual))).unwrap()
}

/// Notes the accepted calls, a row of three: method, path, body.
const NOTING: &str = r#"
eval "plain_$(declare -f call)"
call() {
  plain_call "$@" || return $?
  if [ -n "${4:-}" ]; then printf '%s\0%s\0%s\0' "$2" "$3" "$4" >> "$ASSENT_TAKEN"; fi
}
"#;

/// The files that the walks brought.
fn taken(file: &Path) -> Talk {
    let text = std::fs::read_to_string(file).unwrap();
    let parts: Vec<&str> = text.split_terminator('\0').collect();
    let mut talk = Talk::default();
    for row in parts.chunks(3) {
        let [method, path, body] = row else { panic!("{row:?}") };
        talk.taken(method, &format!("/api/v1{path}"), &serde_json::from_str(body).unwrap());
    }
    talk
}

/// Runs a page as one bash session, whose clock moves between blocks; returns the errors.
fn walk(server: &mut Server, name: &str) -> Result<(), String> {
    let page = std::fs::read_to_string(root().join("docs/guide").join(name)).unwrap();
    let variables = server.data.join("walk.env");
    std::fs::write(&variables, "").unwrap();
    let mut ran = 0;
    for piece in pieces(&page) {
        match piece {
            Piece::Advance(seconds) => server.advance(seconds),
            Piece::Shell(text) => {
                ran += 1;
                let script = format!(
                    ". docs/guide/prelude.sh\n{NOTING}\n. {0}\n{text}\ndeclare -p | grep -E '^declare -- [A-Z]+=' | grep -v BASH > {0}\n",
                    variables.display()
                );
                let done = Command::new("bash")
                    .args(["-c", &script])
                    .current_dir(root())
                    .env("ASSENT_CREDENTIALS", server.data.join("demo-credentials.json"))
                    // The file is a copy, and names the server that made the demo.
                    .env("ASSENT_SERVER", &server.url)
                    .env("ASSENT_NOW", server.now_for_date())
                    .env("ASSENT_TAKEN", server.data.join("walk.taken"))
                    .env("PATH", path_with_program())
                    .output()
                    .unwrap();
                if !done.status.success() {
                    let (out, err) = (
                        String::from_utf8_lossy(&done.stdout),
                        String::from_utf8_lossy(&done.stderr),
                    );
                    return Err(format!("{name}, block {ran}:\n{text}\n--- out\n{out}\n--- err\n{err}"));
                }
            }
        }
    }
    assert!(ran > 0, "{name} has no command");
    Ok(())
}

/// The settings of a server that a cluster queries: with the file of the page about Kubernetes.
fn settings_of_a_cluster(folder: &Path) -> String {
    let found = blocks("kubernetes.md").into_iter().find(|(word, _)| word == "toml");
    let (_, text) = found.expect("the page holds the file that binds workloads");
    let file = folder.join("workloads.toml");
    std::fs::write(&file, text).unwrap();
    format!("workloads = \"{}\"\n", file.display())
}

/// Whether a page has the program itself verify the server's signatures. Its clock is the machine's, so the page is walked
/// before others move the server's on.
fn goes_by_true_clock(name: &str) -> bool {
    let page = std::fs::read_to_string(root().join("docs/guide").join(name)).unwrap();
    page.contains("<!-- true clock -->")
}

/// The walks go over this many servers, side by side: each takes minutes, and no page rests on another.
const SERVERS: usize = 3;

/// Walks through each page whose place in the order leaves `rest`.
#[expect(
    clippy::disallowed_methods,
    reason = "the held clock begins at the true time, for the demo was filled then"
)]
fn walk_pages(rest: usize) {
    let place = Place::demo("guide");
    let settings = place.folder.path().join("walks.toml");
    std::fs::write(&settings, settings_of_a_cluster(place.folder.path())).unwrap();
    // A walk listens as a chat does, on this machine.
    let flags = ["--outgoing-allow", "127.0.0.1", "--config", settings.to_str().unwrap()];
    let mut server = Server::start_with(&place, true, &flags);
    server.hold_clock(Timestamp::now());
    let mut pages: Vec<String> = std::fs::read_dir(root().join("docs/guide"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md") && name != "README.md")
        .collect();
    pages.sort_by_cached_key(|name| (!goes_by_true_clock(name), name.clone()));
    let pages: Vec<&String> = pages.iter().skip(rest).step_by(SERVERS).collect();
    assert!(pages.len() >= 20, "the guide lost pages: {pages:?}");
    let wrong: Vec<String> = pages.iter().filter_map(|name| walk(&mut server, name).err()).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} walks failed\n{}",
        wrong.len(),
        pages.len(),
        wrong.join("\n=====\n")
    );
    let talk = taken(&server.data.join("walk.taken"));
    assert!(
        talk.count_taken() >= 60,
        "only {} bodies were noted",
        talk.count_taken()
    );
    talk.must_be_described(&described::document(&server));
}

#[test]
fn every_walk_of_the_guide_works_on_the_first_server() {
    walk_pages(0);
}

#[test]
fn every_walk_of_the_guide_works_on_the_second_server() {
    walk_pages(1);
}

#[test]
fn every_walk_of_the_guide_works_on_the_third_server() {
    walk_pages(2);
}

/// The first steps are walked where nobody has prepared anything, by the program alone.
#[test]
fn the_first_pipeline_is_gated_on_a_server_that_holds_nothing() {
    let place = Place {
        folder: tempfile::tempdir().unwrap(),
        database: None,
    };
    let server = Server::start(&place, false);
    let work = tempfile::tempdir().unwrap();
    let page = std::fs::read_to_string(root().join("docs/site/first-pipeline.md")).unwrap();
    let blocks = pieces(&page).into_iter().filter_map(|piece| match piece {
        Piece::Shell(text) => Some(text),
        Piece::Advance(_) => None,
    });
    let done = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &blocks.collect::<String>()])
        .current_dir(work.path())
        .env_remove("ASSENT_TOKEN")
        .env("ASSENT_SERVER", &server.url)
        .env("DATA", &server.data)
        .env("PATH", path_with_program())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "--- out\n{out}\n--- err\n{err}");
    for wanted in ["change_missing", "the gate ended with 1", "go CHG-", "reviewing"] {
        assert!(out.contains(wanted), "{wanted}\n--- out\n{out}\n--- err\n{err}");
    }
}
