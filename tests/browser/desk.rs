//! A demo server of one's own with a browser before it.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tests::browser::{Browser, Look, copy_folder};
use tests::letters::Letters;
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

/// A folder of one's own with a copy of the demo.
fn demo_place() -> Place {
    let place = Place::new("browser");
    copy_folder(demo(), place.folder.path());
    place
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
    /// Opens both, and finds a change that waits for security's decision.
    pub fn open_asked() -> (Self, Value) {
        let desk = Self::open();
        let change = desk.waiting_for("security");
        (desk, change)
    }

    /// Opens both, over a fresh copy of the demo.
    pub fn open() -> Self {
        Self::open_as("127.0.0.1")
    }

    /// The same for people who reach the server under another name of this host.
    pub fn open_as(name: &str) -> Self {
        Self::open_over(demo_place(), name, &[], Browser::open())
    }

    /// Opens both, and the browser notes the traffic over the wire.
    pub fn open_noting_wire() -> Self {
        Self::open_over(demo_place(), "127.0.0.1", &[], Browser::open_noting_wire())
    }

    /// Opens both, where the server sends its letters to `letters`.
    pub fn open_told(letters: &Letters) -> Self {
        let place = demo_place();
        let settings = letters.settings(place.folder.path());
        Self::open_over(
            place,
            "127.0.0.1",
            &["--config", settings.to_str().unwrap()],
            Browser::open(),
        )
    }

    fn open_over(place: Place, name: &str, more: &[&str], browser: Browser) -> Self {
        let mut server = Server::spawn_as(&place, true, name, more);
        server.wait_until_ready();
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

    /// Signs in as a role of the demo, on the sign-in page, in this window.
    pub fn sign_in(&self, role: &str) {
        self.enter(&self.browser, role, "/");
    }

    /// Signs in as a role, and opens the page of a change.
    pub fn read(&self, role: &str, key: &str) {
        self.sign_in(role);
        self.go(&format!("/changes/{key}"));
    }

    /// Signs in as a role in any window, on the way to a page.
    pub fn enter(&self, browser: &Browser, role: &str, path: &str) {
        let person = self.server.person(role);
        browser.forget();
        let base = format!("{}/t/{}", self.server.url, person["tenant"].as_str().unwrap());
        browser.go(&format!("{base}{path}"));
        assert!(browser.url().contains("/sign-in"), "{}", browser.url());
        browser.pass_the_door(&person);
    }

    /// Edits a change through the API as a role, from a version.
    pub fn edit(&self, role: &str, key: &str, version: i64, fields: &Value) {
        let agent = tests::caller::agent();
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

    /// A change that waits for a role's approval, as the API shows it.
    pub fn waiting_for(&self, role: &str) -> Value {
        let login = self.server.person(role)["login"].clone();
        let list = self.api(role, "GET", "/changes?state=authorizing&limit=50", Value::Null);
        for item in list["items"].as_array().unwrap() {
            let key = item["key"].as_str().unwrap();
            let unmet = self.api(role, "GET", &format!("/changes/{key}/requirements"), Value::Null);
            let rows = unmet["items"]
                .as_array()
                .or(unmet.as_array())
                .cloned()
                .unwrap_or_default();
            let is_asked = |row: &Value| {
                row["code"] == "approval_missing"
                    && row["waiting_on"].as_array().is_some_and(|who| who.contains(&login))
            };
            if rows.iter().any(is_asked) {
                return self.api(role, "GET", &format!("/changes/{key}"), Value::Null);
            }
        }
        panic!("nothing of the demo waits for {role}");
    }

    /// The text that the page's own session gets from an address of the first tenant.
    pub fn fetched(&self, path: &str) -> String {
        let script = "const done = arguments[1];
            fetch(arguments[0]).then((one) => one.text()).then(done, (e) => done(String(e)));";
        let text = self.browser.run_async(script, &[json!(format!("/t/halden{path}"))]);
        text.as_str().unwrap_or_default().to_owned()
    }

    /// By how many pixels the page is wider than its window.
    pub fn too_wide(&self) -> i64 {
        let script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;";
        self.browser.run(script, &[]).as_i64().unwrap_or_default()
    }

    /// Keeps pictures of the page, narrow by night and wide by day; it is not too wide, and axe finds nothing.
    pub fn look_at(&self, name: &str) {
        for look in Browser::JUDGED {
            self.browser.look(look);
            self.browser.picture(&format!("{name}-{}", look.name()), true);
            let found = self.browser.axe();
            assert!(found.is_empty(), "{name}: {found:?}");
            assert!(self.too_wide() <= 0, "{name} is too wide at {}", look.name());
        }
    }
}
