//! Reads evidence that foreign tools write: Node's own test runner and npm's bill of materials.
//!
//! Run with `--features foreign` and Node 20 or later, with its npm, on the path.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

use connect::change::evidence::{Kind, Reading};
use connect::change::evidence_formats::read;
use connect::change::junit;

const TESTS: &str = "
const { test, describe, it } = require('node:test');
describe('outer', () => {
  it('holds', () => {});
  it('breaks <here> & now', { skip: PASS }, () => { throw new Error('x < y'); });
  it.skip('is left out', () => {});
  describe('inner', () => { it('holds too', () => {}); });
});
test('stands alone', () => {});
";

/// A folder of its own, which goes away with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("assent-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn output(command: &mut Command) -> Vec<u8> {
    command.output().expect("Node must be on the path").stdout
}

/// The report of Node's test runner on [`TESTS`], with or without the test that breaks.
fn node_report(folder: &Path, without_broken: bool) -> Vec<u8> {
    let file = folder.join("some.test.js");
    let text = TESTS.replace("PASS", if without_broken { "true" } else { "false" });
    std::fs::write(&file, text).unwrap();
    let mut node = Command::new("node");
    output(node.args(["--test", "--test-reporter=junit"]).arg(file))
}

#[test]
fn node_s_junit_report_is_judged_by_its_test_cases() {
    let folder = Folder::new("junit");
    let broken = junit::read(&node_report(&folder.0, false)).unwrap();
    let totals = broken.totals;
    assert_eq!((totals.tests, totals.skipped), (5, 1));
    assert_eq!(totals.failures + totals.errors, 1);
    assert_eq!(broken.failed, ["test.breaks <here> & now"]);
    assert!(!broken.passed());
    let whole = junit::read(&node_report(&folder.0, true)).unwrap();
    assert_eq!((whole.totals.tests, whole.totals.skipped), (5, 2));
    assert!(whole.passed(), "{whole:?}");
}

#[test]
fn npm_s_bill_of_materials_is_counted() {
    let folder = Folder::new("sbom");
    let package = |name: &str, folder: &Path, needs: &str| {
        std::fs::create_dir_all(folder).unwrap();
        let text = format!(r#"{{"name":"{name}","version":"1.2.3","dependencies":{{{needs}}}}}"#);
        std::fs::write(folder.join("package.json"), text).unwrap();
    };
    package("shop", &folder.0, r#""cart":"1.2.3","till":"1.2.3""#);
    package("cart", &folder.0.join("node_modules/cart"), "");
    package("till", &folder.0.join("node_modules/till"), "");
    let mut npm = Command::new("npm");
    npm.args(["sbom", "--sbom-format", "cyclonedx"]).current_dir(&folder.0);
    let Reading { summary, passed, .. } = read(Kind::Cyclonedx, &output(&mut npm)).unwrap();
    assert!(summary.starts_with("CycloneDX 1."), "{summary}");
    assert!(summary.ends_with(": 2 components."), "{summary}");
    assert_eq!(passed, None);
}
