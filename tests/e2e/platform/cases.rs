//! The inputs in `tests/cases` against one server over the demo. Each is a Python program that uses only the public API and
//! exits with 0 if every response was right.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{Place, Server};

/// The checks of a case that need an unbuilt feature: all others of it hold, and these do not.
const NOT_BUILT: &[(&str, &str)] = &[];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// The names of all cases, in order.
fn cases() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "py"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "lib")
        .collect();
    names.sort();
    names
}

/// The exit code of one case and its output.
fn run(server: &Server, name: &str) -> (Option<i32>, String) {
    let python = std::env::var_os("ASSENT_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(python)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(folder().join(format!("{name}.py")))
        .arg(&server.url)
        .arg(server.data.join("demo-credentials.json"))
        .output()
        .expect("Python starts");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

#[test]
fn every_case_gets_right_answers() {
    let place = Place::demo("cases");
    let server = Server::start(&place, true);
    let all = cases();
    for (name, check) in NOT_BUILT {
        assert!(all.iter().any(|it| it == name), "{name} ({check}) has no file");
    }
    let mut wrong = Vec::new();
    for name in all {
        let (code, printed) = run(&server, &name);
        let missing: Vec<&str> = NOT_BUILT.iter().filter(|it| it.0 == name).map(|it| it.1).collect();
        let failed: Vec<&str> = printed
            .lines()
            .filter_map(|line| line.strip_prefix("  WRONG "))
            .collect();
        let is_missing =
            |(said, check): (&&str, &&str)| said.strip_prefix(check).is_some_and(|rest| rest.starts_with(" -- "));
        let is_as_said = failed.len() == missing.len() && failed.iter().zip(&missing).all(is_missing);
        if code != Some(i32::from(!missing.is_empty())) || !is_as_said {
            wrong.push(format!("{name} exited with {code:?}:\n{printed}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), server.last_words());
}
