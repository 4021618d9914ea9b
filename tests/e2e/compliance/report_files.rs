//! Control reports as files: the same inputs give the same bytes, no cell is a formula, others' programs read each format, and a
//! schedule has them made.

use std::path::PathBuf;
use std::process::Command;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::session::Session;
use tests::{Place, Server, binary};

use crate::platform::backup::{bring_back, save};
use crate::platform::crash::{must_replay, must_run};

pub(crate) const FORMATS: [&str; 5] = ["pdf", "xlsx", "csv", "json", "oscal"];

/// A report as a file.
pub(crate) fn file(server: &Server, query: &str) -> Vec<u8> {
    let path = format!("/api/v1/control-reports/sox/file?{query}");
    let (status, bytes) = server.get(&path, Some(&server.token("auditor")));
    assert_eq!(status, 200, "{query}: {}", String::from_utf8_lossy(&bytes));
    bytes
}

fn refusal(server: &Server, role: &str, query: &str) -> (u16, String) {
    let path = format!("/api/v1/control-reports/sox/file?{query}");
    let (status, bytes) = server.get(&path, Some(&server.token(role)));
    (status, String::from_utf8(bytes).unwrap())
}

/// The size of a checkpoint, which the log keeps.
fn size(server: &Server) -> u64 {
    let (_, note) = server.get("/t/halden/log/checkpoint", Some(&server.token("auditor")));
    let note = String::from_utf8(note).unwrap();
    note.lines().nth(1).unwrap().parse().unwrap()
}

/// All that a report covers by now.
pub(crate) struct Span {
    size: u64,
    to: String,
}

impl Span {
    /// With at least one change.
    pub(crate) fn of(server: &Server) -> Self {
        server.wait_for_log();
        let size = size(server);
        let shown = server.must("GET", "/api/v1/control-reports/sox", &server.token("auditor"), None);
        assert!(shown["population"]["changes"].as_u64().is_some_and(|count| count > 0));
        let to = shown["to"].as_str().unwrap().to_owned();
        Self { size, to }
    }

    /// The query of the report in a format.
    pub(crate) fn query(&self, format: &str) -> String {
        let Self { size, to } = self;
        format!("from=2020-01-01T00:00:00Z&to={to}&size={size}&format={format}")
    }
}

#[test]
fn reports_are_files_with_the_same_bytes_for_the_same_inputs() {
    let place = Place::demo("report-files");
    let server = Server::start(&place, true);
    server.wait_for_log();
    let size = size(&server);
    // A report never covers the future: the span ends when the first report was requested.
    let shown = server.must("GET", "/api/v1/control-reports/sox", &server.token("auditor"), None);
    let to = shown["to"].as_str().unwrap().to_owned();
    let span = format!("from=2020-01-01T00:00:00Z&to={to}");
    let folder = server.data.join("files");
    std::fs::create_dir_all(&folder).unwrap();
    for format in FORMATS {
        let query = format!("{span}&size={size}&format={format}");
        let first = file(&server, &query);
        let title = json!({"title": format!("Written after {format}")});
        server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&title));
        server.wait_for_log();
        assert!(
            first == file(&server, &query),
            "{format}: other bytes for the same inputs"
        );
        std::fs::write(folder.join(format), first).unwrap();
    }
    let (status, said) = refusal(&server, "auditor", &span);
    assert_eq!(status, 422, "{said}");
    assert!(said.contains("oscal"), "the refusal names the formats: {said}");
    assert_eq!(refusal(&server, "auditor", "format=docx").0, 422);
    assert_eq!(refusal(&server, "auditor", "format=pdf&from=yesterday").0, 422);
    let (status, said) = refusal(&server, "auditor", "format=pdf&to=2140-01-01T00:00:00Z");
    assert!(status == 422 && said.contains("in_the_future"), "{said}");
    assert_eq!(refusal(&server, "requester", "format=pdf").0, 403);
    let out = folder.join("by-command");
    let mut export = Command::new(binary());
    export.args([
        "control-report",
        "export",
        "sox",
        "--format",
        "oscal",
        "--from",
        "2020-01-01T00:00:00Z",
        "--to",
    ]);
    export.args([to.as_str(), "--size", &size.to_string(), "-o"]).arg(&out);
    export
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", server.token("auditor"));
    must_run(&mut export);
    assert_eq!(
        std::fs::read(&out).unwrap(),
        std::fs::read(folder.join("oscal")).unwrap()
    );
    others_read_them(&folder);
}

/// compliance-trestle parses the assessment results and refuses them with an unknown key added; openpyxl finds the sheets and no
/// formula; Python's csv reads each exception; pypdf finds text, headings and pages.
fn others_read_them(folder: &std::path::Path) {
    let script = r#"
import json, pathlib, sys
from trestle.oscal.assessment_results import AssessmentResults
folder = pathlib.Path(sys.argv[1])
document = json.loads((folder / "oscal").read_text())
path = folder / "oscal.json"
path.write_text(json.dumps(document))
read = AssessmentResults.oscal_read(path)
assert len(read.results) == 1 and len(read.results[0].findings) >= 1
assert document["assessment-results"]["metadata"]["oscal-version"] == "1.2.1"
for place in (document["assessment-results"], document["assessment-results"]["metadata"], document["assessment-results"]["results"][0]):
    place["unknown"] = 1
    path.write_text(json.dumps(document))
    try:
        AssessmentResults.oscal_read(path)
    except Exception:
        pass
    else:
        raise SystemExit("taken with an unknown key")
    del place["unknown"]
import openpyxl
book = openpyxl.load_workbook((folder / "xlsx").open("rb"))
assert book.sheetnames == ["Report", "Months", "Controls", "Tests", "Exceptions"], book.sheetnames
cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
assert not [cell for cell in cells if cell.data_type == "f"]
report = json.loads((folder / "json").read_text())
assert book["Controls"].max_row == 1 + len(report["controls"])
import csv
rows = list(csv.reader((folder / "csv").open(newline="", encoding="utf-8-sig")))
wanted = sum(len(test["exceptions"]) for control in report["controls"] for test in control["tests"])
wanted += sum(1 for control in report["controls"] if control.get("reason"))
assert len(rows) == 1 + wanted and {len(row) for row in rows} == {len(rows[0])}, (len(rows), wanted)
assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@")]
import pypdf
pdf = pypdf.PdfReader(folder / "pdf")
text = "\n".join(page.extract_text() for page in pdf.pages)
for control in report["controls"]:
    assert control["id"] in text, control["id"]
assert f"Page {len(pdf.pages)} of {len(pdf.pages)}" in text
titles = [item.title for item in pdf.outline]
assert "Population" in titles and len(titles) == 3 + len(report["controls"]), titles
"#;
    let python: PathBuf = std::env::var_os("ASSENT_TEST_PYTHON")
        .expect("run by cargo xtask test, which installs the verifiers")
        .into();
    let mut judge = Command::new(python);
    judge.args(["-c", script]).arg(folder);
    must_run(&mut judge);
}

#[test]
fn a_restored_server_gives_the_same_bytes() {
    let place = Place::demo("report-saved");
    let server = Server::start(&place, true);
    let span = Span::of(&server);
    let before = FORMATS.map(|format| file(&server, &span.query(format)));
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved");
    save(&place, &saved);
    assert!(server.stop().success());
    let back = bring_back(&place, &saved, "report-restored");
    let server = Server::start(&back, true);
    for (format, before) in FORMATS.into_iter().zip(before) {
        assert!(before == file(&server, &span.query(format)), "{format}: other bytes");
    }
    assert!(server.stop().success());
}

#[test]
fn a_schedule_has_a_report_made_and_announced() {
    let place = Place::demo("report-schedule");
    let server = Server::start(&place, true);
    server.wait_for_log();
    let auditor = server.token("auditor");
    let login = server.person("auditor")["login"].clone();
    let refused = json!({"framework": "gdpr", "span": "last_month", "contacts": ["nobody"]});
    let (status, answer) = server.ask("POST", "/api/v1/report-schedules", Some(&auditor), Some(&refused));
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let fields: Vec<&str> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["field"].as_str().unwrap())
        .collect();
    assert_eq!((status, fields), (422, vec!["framework", "contacts"]), "{answer}");
    let wanted = json!({"framework": "sox", "span": "last_month", "format": "oscal", "contacts": [login]});
    let made = server.must("POST", "/api/v1/report-schedules", &auditor, Some(&wanted));
    let path = format!("/api/v1/report-schedules/{}", made["id"].as_str().unwrap());
    let show = || server.must("GET", &path, &auditor, None);
    eventually("the report on the last month is made", || {
        !show()["made_digest"].is_null()
    });
    let shown = show();
    // The log gives the same file again: its digest is the one that the log keeps.
    let (from, to) = span(shown["made_for"].as_str().unwrap());
    let query = format!("from={from}&to={to}&size={}&format=oscal", shown["made_size"]);
    let hex: String = digest(&SHA256, &file(&server, &query))
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(shown["made_digest"], format!("sha256:{hex}"));
    let messages = Session::begin(&server, "auditor").get("/t/halden/messages").body;
    assert!(messages.contains("/audit/reports/sox/file/oscal?from="), "{messages}");
    assert!(server.stop().success());
    must_replay(&place);
}

/// The moments of a month such as 2026-10.
fn span(month: &str) -> (String, String) {
    let (year, number) = month.split_once('-').unwrap();
    let (year, number): (i32, u32) = (year.parse().unwrap(), number.parse().unwrap());
    let (next_year, next) = if number == 12 {
        (year + 1, 1)
    } else {
        (year, number + 1)
    };
    (
        format!("{year:04}-{number:02}-01T00:00:00Z"),
        format!("{next_year:04}-{next:02}-01T00:00:00Z"),
    )
}
