//! A demo server of one's own with a browser before it.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tests::browser::{Browser, Look, copy_folder};
use tests::{Place, Server, root};

/// The demo, filled once per run, so that each test begins with a copy of its own.
static DEMO: OnceLock<PathBuf> = OnceLock::new();

fn demo() -> &'static PathBuf {
    DEMO.get_or_init(|| {
        let place = Place::new("browser");
        let server = Server::start(&place, true);
        server.wait_for_log();
        assert!(server.stop().success());
        let kept = root().join("target/browser/demo");
        if kept.exists() {
            std::fs::remove_dir_all(&kept).unwrap();
        }
        copy_folder(place.folder.path(), &kept);
        kept
    })
}

/// A server and a browser.
pub struct Desk {
    /// The window.
    pub browser: Browser,
    /// The server.
    pub server: Server,
    // Removed after the server has ended.
    _place: Place,
}

impl Desk {
    /// Opens both, over a fresh copy of the demo.
    pub fn open() -> Self {
        Self::open_as("127.0.0.1")
    }

    /// The same for people who reach the server under another name of this host.
    pub fn open_as(name: &str) -> Self {
        let place = Place::new("browser");
        copy_folder(demo(), place.folder.path());
        let mut server = Server::spawn_as(&place, true, name, &[]);
        server.wait_until_ready();
        let browser = Browser::open();
        browser.look(Look::DESK);
        Self {
            browser,
            server,
            _place: place,
        }
    }

    /// The whole address of a page of the first tenant.
    pub fn at(&self, path: &str) -> String {
        format!("{}/t/halden{path}", self.server.url)
    }

    /// Opens a page of the first tenant.
    pub fn go(&self, path: &str) {
        self.browser.go(&self.at(path));
    }

    /// Signs in as a role of the demo, through the door, in this window.
    pub fn sign_in(&self, role: &str) {
        self.enter(&self.browser, role, "/");
    }

    /// Signs in as a role in any window, on the way to a page.
    pub fn enter(&self, browser: &Browser, role: &str, path: &str) {
        let person = self.server.person(role);
        let text = |name: &str| person[name].as_str().unwrap().to_owned();
        browser.forget();
        let base = format!("{}/t/{}", self.server.url, text("tenant"));
        browser.go(&format!("{base}{path}"));
        assert!(browser.url().contains("/sign-in"), "{}", browser.url());
        browser.type_into("input[name=login]", &text("login"));
        browser.type_into("input[name=password]", &text("password"));
        browser.click("form button");
        browser.wait_for("the door is behind", "return !location.pathname.endsWith('/sign-in');");
    }

    /// Edits a change through the API as a role, from a version.
    pub fn edit(&self, role: &str, key: &str, version: i64, fields: &Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let answer = agent
            .patch(format!("{}/api/v1/changes/{key}", self.server.url))
            .header("Authorization", format!("Bearer {}", self.server.token(role)))
            .header("Content-Type", "application/merge-patch+json")
            .header("If-Match", format!("\"{version}\""))
            .send(fields.to_string());
        let mut answer = answer.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.body_mut().read_to_string().unwrap());
    }

    /// The API as a role.
    pub fn api(&self, role: &str, method: &str, path: &str, body: Value) -> Value {
        let body = (body != json!(null)).then_some(body);
        self.server.must(
            method,
            &format!("/api/v1{path}"),
            &self.server.token(role),
            body.as_ref(),
        )
    }
}
