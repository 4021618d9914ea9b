//! A real Chromium, driven over the W3C WebDriver protocol (<https://www.w3.org/TR/webdriver2/>) through its own driver
//! program. The protocol is JSON over HTTP, so the client that the harness has already is enough.
//!
//! A browser is headless (Chromium's headless shell where it is installed, else Chromium itself), knows no host but this one,
//! and notes every line of its console and, as an option, every request.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{free_port, root};

/// Where Debian keeps the headless shell, which `tests/browser/headless-shell.sh` starts.
const HEADLESS_SHELL: &str = "/usr/lib/chromium/chromium-headless-shell";
/// How often a condition is looked at before a wait gives up, a tenth of a second apart.
const LOOKS: u32 = 1_200;
/// The name of an element's reference in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The window's width in CSS pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// The dark theme.
    pub is_dark: bool,
}

impl Look {
    /// A desk by day.
    pub const DESK: Look = Look {
        width: 1440,
        height: 900,
        is_dark: false,
    };
    /// A desk by night.
    pub const DESK_DARK: Look = Look {
        is_dark: true,
        ..Self::DESK
    };
    /// The narrowest screen.
    pub const NARROW: Look = Look {
        width: 320,
        height: 640,
        is_dark: false,
    };
    /// The same by night.
    pub const NARROW_DARK: Look = Look {
        is_dark: true,
        ..Self::NARROW
    };
    /// The rest of 1280 by 1024 pixels at a zoom of 400 %, by night.
    pub const ZOOMED_DARK: Look = Look {
        width: 320,
        height: 256,
        is_dark: true,
    };
    /// A phone.
    pub const PHONE: Look = Look {
        width: 390,
        height: 800,
        is_dark: false,
    };
    /// The same by night.
    pub const PHONE_DARK: Look = Look {
        is_dark: true,
        ..Self::PHONE
    };
    /// A tablet.
    pub const TABLET: Look = Look {
        width: 820,
        height: 1100,
        is_dark: false,
    };

    /// The look in a file's name: `320-dark`.
    pub fn name(self) -> String {
        format!("{}-{}", self.width, if self.is_dark { "dark" } else { "light" })
    }
}

/// A running browser with one window.
pub struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    has_scripts: Cell<bool>,
    _profile: tempfile::TempDir,
}

/// The browser's driver program.
fn driver_program() -> PathBuf {
    std::env::var_os("ASSENT_TEST_CHROMEDRIVER").map_or_else(|| PathBuf::from("/usr/bin/chromedriver"), PathBuf::from)
}

/// Whether there is a browser to drive.
pub fn is_there() -> bool {
    driver_program().is_file()
}

/// Whether Chromium's headless shell is there, in the version of the driver: the same engine without windows, at two thirds
/// of the cost.
fn has_headless_shell() -> bool {
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    let version = |program: &Path| {
        let told = Command::new(program).arg("--version").output().ok()?;
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        told.split_whitespace().nth(1).map(str::to_owned)
    };
    *IS_THERE.get_or_init(|| {
        let shell = version(Path::new(HEADLESS_SHELL));
        shell.is_some() && shell == version(&driver_program())
    })
}

/// The folder of the tests' Node packages.
pub fn node_modules() -> PathBuf {
    std::env::var_os("ASSENT_TEST_NODE_MODULES").map_or_else(|| root().join(".tools/node/node_modules"), PathBuf::from)
}

/// Where screenshots are kept: for the documentation site, or to be looked at.
pub fn pictures() -> PathBuf {
    let named = std::env::var_os("ASSENT_TEST_PICTURES").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| root().join("target/browser/pictures"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

impl Browser {
    /// Starts driver and browser.
    pub fn open() -> Self {
        Self::open_with(&json!({"browser": "ALL"}))
    }

    /// The same, and the traffic over the wire is noted, for [`Self::wire`]: then everything costs twice as much.
    pub fn open_noting_wire() -> Self {
        Self::open_with(&json!({"browser": "ALL", "performance": "ALL"}))
    }

    fn open_with(notes: &Value) -> Self {
        let program = driver_program();
        assert!(
            program.is_file(),
            "{} is absent: run `cargo xtask setup`, or apt-get install chromium chromium-driver",
            program.display()
        );
        let port = free_port();
        let driver = Command::new(program)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}"),
            agent: crate::caller::agent_for(Duration::from_mins(2)),
            has_scripts: Cell::new(true),
            _profile: tempfile::tempdir().unwrap(),
        };
        browser.wait_for_driver();
        browser.begin(notes);
        browser
    }

    fn wait_for_driver(&self) {
        for _ in 0..LOOKS {
            if self.agent.get(format!("{}/status", self.session)).call().is_ok() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        panic!("the browser's driver never answered");
    }

    fn begin(&mut self, notes: &Value) {
        let arguments = [
            "--headless=new".to_owned(),
            // As root, in a container, the browser's own sandbox cannot be made; it visits this host alone.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-background-networking".to_owned(),
            "--no-first-run".to_owned(),
            "--force-color-profile=srgb".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--lang=en-GB".to_owned(),
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost".to_owned(),
            format!("--user-data-dir={}", self._profile.path().display()),
        ];
        let mut options = json!({"args": arguments});
        if has_headless_shell() {
            options["binary"] = json!(root().join("tests/browser/headless-shell.sh"));
        }
        let capabilities = json!({"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": notes,
            "timeouts": {"script": 60_000, "pageLoad": 60_000},
        }});
        let made = self.post("/session", &json!({"capabilities": capabilities}));
        let id = made["sessionId"].as_str().expect("a session has an id").to_owned();
        self.session = format!("{}/session/{id}", self.session);
    }

    fn answer(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        path: &str,
    ) -> Result<Value, String> {
        let mut answer = answer.map_err(|error| format!("{path}: {error}"))?;
        let is_fine = answer.status().is_success();
        let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec();
        let bytes = bytes.map_err(|error| format!("{path}: {error}"))?;
        let said: Value = serde_json::from_slice(&bytes).map_err(|error| format!("{path}: {error}"))?;
        if is_fine {
            return Ok(said["value"].clone());
        }
        Err(format!(
            "{path}: {} {}",
            said["value"]["error"], said["value"]["message"]
        ))
    }

    /// A command that may be refused.
    fn try_post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.agent.post(format!("{}{path}", self.session));
        self.answer(
            request
                .header("Content-Type", "application/json")
                .send(body.to_string()),
            path,
        )
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.try_post(path, body).unwrap_or_else(|error| panic!("{error}"))
    }

    fn ask(&self, path: &str) -> Value {
        let answer = self.agent.get(format!("{}{path}", self.session)).call();
        self.answer(answer, path).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Loads a page and waits for it.
    pub fn go(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// The present address.
    pub fn url(&self) -> String {
        self.ask("/url").as_str().unwrap_or_default().to_owned()
    }

    /// The page's title.
    pub fn title(&self) -> String {
        self.ask("/title").as_str().unwrap_or_default().to_owned()
    }

    /// Goes back in the history.
    pub fn back(&self) {
        self.post("/back", &json!({}));
    }

    /// Runs a function's body in the page; `arguments[0]` … are the arguments.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// Runs a function's body that calls its last argument when it is done.
    pub fn run_async(&self, script: &str, arguments: &[Value]) -> Value {
        self.post("/execute/async", &json!({"script": script, "args": arguments}))
    }

    /// A command of the browser's own protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Gives the browser an authenticator of its own (WebAuthn Level 3, section 11.5), whose user is always there; returns its
    /// id.
    pub fn add_authenticator(&self) -> String {
        let made = self.post(
            "/webauthn/authenticator",
            &json!({"protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
                "isUserConsenting": true, "isUserVerified": true}),
        );
        made.as_str().expect("an authenticator has an id").to_owned()
    }

    /// Whether the authenticator's user can show that it is them, by finger, face or PIN.
    pub fn set_verified(&self, authenticator: &str, is_verified: bool) {
        let path = format!("/webauthn/authenticator/{authenticator}/uv");
        self.post(&path, &json!({"isUserVerified": is_verified}));
    }

    /// Sets width, height and theme.
    pub fn look(&self, look: Look) {
        let size = json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let theme = if look.is_dark { "dark" } else { "light" };
        let features = json!({"features": [
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Lets pages run scripts, or not.
    pub fn set_scripts(&self, allowed: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": !allowed}));
        self.has_scripts.set(allowed);
    }

    /// The first element of a selector.
    pub fn try_find(&self, css: &str) -> Option<String> {
        let found = self
            .try_post("/element", &json!({"using": "css selector", "value": css}))
            .ok()?;
        found[ELEMENT].as_str().map(str::to_owned)
    }

    fn find(&self, css: &str) -> String {
        self.try_find(css)
            .unwrap_or_else(|| panic!("nothing on {} is `{css}`:\n{}", self.url(), self.text("body")))
    }

    /// Whether the page has it.
    pub fn has(&self, css: &str) -> bool {
        self.try_find(css).is_some()
    }

    /// Clicks it, as a person would: it must be seen and not be covered.
    pub fn click(&self, css: &str) {
        let element = self.find(css);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Clicks the link, button or summary with this text.
    pub fn click_words(&self, words: &str) {
        let script = "const wanted = arguments[0];
            const all = [...document.querySelectorAll('a, button, summary, label')];
            const told = (one) => (one.getAttribute('aria-label') || one.textContent).replace(/\\s+/g, ' ').trim();
            const seen = all.filter((one) => one.checkVisibility());
            const found = seen.find((one) => told(one) === wanted) || seen.find((one) => told(one).startsWith(wanted));
            if (!found) return false;
            found.scrollIntoView({block: 'center'});
            found.click();
            return true;";
        let clicked = self.run(script, &[json!(words)]);
        assert_eq!(
            clicked,
            true,
            "nothing on {} says `{words}`:\n{}",
            self.url(),
            self.text("main")
        );
    }

    /// Types into a field, after its current text.
    pub fn type_into(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.post(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Empties a field and types into it.
    pub fn fill(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.post(&format!("/element/{element}/clear"), &json!({}));
        self.post(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Sets a control's value at once, such as a date's or a menu's, and notifies the page.
    pub fn set(&self, css: &str, value: &str) {
        let script = "const [css, value] = arguments;
            const one = document.querySelector(css);
            if (!one) return false;
            one.value = value;
            one.dispatchEvent(new Event('input', {bubbles: true}));
            one.dispatchEvent(new Event('change', {bubbles: true}));
            return one.value === value;";
        assert_eq!(
            self.run(script, &[json!(css), json!(value)]),
            true,
            "`{css}` does not take `{value}`"
        );
    }

    /// Presses keys one after another, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let mut actions = Vec::new();
        for key in keys.chars() {
            actions.push(json!({"type": "keyDown", "value": key.to_string()}));
            actions.push(json!({"type": "keyUp", "value": key.to_string()}));
        }
        self.post(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}),
        );
    }

    /// Presses a key while another is held.
    pub fn press_held(&self, held: &str, key: &str) {
        let keys = [("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)];
        let actions = keys.map(|(kind, value)| json!({"type": kind, "value": value}));
        self.post(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}),
        );
    }

    /// The visible text of the first element of a selector; nothing when it is absent.
    pub fn text(&self, css: &str) -> String {
        let script = "const one = document.querySelector(arguments[0]); return one ? one.innerText : '';";
        self.run(script, &[json!(css)]).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a function's body returns true in the page.
    pub fn wait_for(&self, what: &str, script: &str) {
        for _ in 0..LOOKS {
            let path = "/execute/sync";
            // While a page is being replaced a script may find no window; the next look does.
            if self.try_post(path, &json!({"script": script, "args": []})) == Ok(Value::Bool(true)) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        panic!("waited in vain until {what}, on {}:\n{}", self.url(), self.text("body"));
    }

    /// Runs an act that leads to another page, and waits until that one has replaced this one.
    pub fn leave_by(&self, act: impl FnOnce()) {
        self.run(
            "document.documentElement.setAttribute('data-left', ''); return true;",
            &[],
        );
        act();
        self.wait_for(
            "another page stands",
            "return !document.documentElement.hasAttribute('data-left') && document.readyState === 'complete';",
        );
    }

    /// Waits until the page has this text somewhere.
    pub fn wait_for_words(&self, words: &str) {
        let script = format!("return document.body.innerText.includes({});", json!(words));
        self.wait_for(&format!("the page says `{words}`"), &script);
    }

    /// Signs a person of the demo's credentials in on the sign-in page in the window, by password.
    pub fn pass_the_door(&self, person: &Value) {
        for name in ["login", "password"] {
            self.type_into(&format!("input[name={name}]"), person[name].as_str().unwrap());
        }
        self.click("form button");
        self.wait_for("the door is behind", "return !location.pathname.endsWith('/sign-in');");
    }

    /// Forgets all cookies.
    pub fn forget(&self) {
        self.devtools("Network.clearBrowserCookies", &json!({}));
    }

    /// Keeps a picture of the window, or of the whole page, under `target/browser/pictures`.
    pub fn picture(&self, name: &str, is_whole: bool) -> PathBuf {
        let mut parameters = json!({"format": "png", "optimizeForSpeed": true});
        if is_whole {
            let size = self.devtools("Page.getLayoutMetrics", &json!({}));
            let content = &size["cssContentSize"];
            let height = content["height"].as_f64().unwrap_or(900.0).min(6_000.0);
            parameters["captureBeyondViewport"] = json!(true);
            parameters["clip"] = json!({"x": 0, "y": 0, "width": content["width"], "height": height, "scale": 1});
        }
        let picture = self.devtools("Page.captureScreenshot", &parameters);
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap_or_default()).unwrap();
        let path = pictures().join(format!("{name}.png"));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Lines of the console since the last look, each with its level.
    pub fn console(&self) -> Vec<(String, String)> {
        let lines = self.post("/se/log", &json!({"type": "browser"}));
        let lines = lines.as_array().cloned().unwrap_or_default();
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        lines
            .iter()
            .map(|line| (text(line, "level"), text(line, "message")))
            .collect()
    }

    /// The traffic over the wire since the last look, of a browser that notes it: events of the browser's `Network` domain,
    /// name and parameters.
    pub fn wire(&self) -> Vec<(String, Value)> {
        let lines = self.post("/se/log", &json!({"type": "performance"}));
        let lines = lines.as_array().cloned().unwrap_or_default();
        let read = |line: &Value| {
            let event: Value = serde_json::from_str(line["message"].as_str()?).ok()?;
            let event = &event["message"];
            let name = event["method"].as_str()?.strip_prefix("Network.")?.to_owned();
            Some((name, event["params"].clone()))
        };
        lines.iter().filter_map(read).collect()
    }

    /// The looks at which axe judges a page: each theme once, wide and narrow.
    pub const JUDGED: [Look; 2] = [Look::NARROW_DARK, Look::DESK];

    /// The findings of axe-core on the page, targets below 24 pixels included, one line a finding with the elements. The judge
    /// itself needs a script, also where the page is to do without.
    pub fn axe(&self) -> Vec<String> {
        if !self.has_scripts.get() {
            self.set_scripts(true);
            let found = self.axe();
            self.set_scripts(false);
            return found;
        }
        // Half a megabyte of script, which a page that was looked at before has already.
        if self.run("return typeof axe === 'undefined';", &[]) == true {
            let source = std::fs::read_to_string(node_modules().join("axe-core/axe.min.js"))
                .expect("axe-core is installed: run `cargo xtask setup`");
            self.run(&format!("{source}\nreturn true;"), &[]);
        }
        let script = "const done = arguments[arguments.length - 1];
            const rules = {'target-size': {enabled: true}};
            axe.run(document, {resultTypes: ['violations'], rules, selectors: false, preload: false}).then(
                (found) => done(found.violations.map((one) => `${one.id}: ${one.help}\\n` +
                    one.nodes.slice(0, 4).map((node) => `    ${node.html.slice(0, 160)} | ${node.failureSummary}`).join('\\n'))),
                (error) => done([String(error)]));";
        let found = self.run_async(script, &[]);
        let found = found.as_array().cloned().unwrap_or_default();
        found
            .iter()
            .map(|line| line.as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the session ends the browser; then the driver has nothing left to keep.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Copies a folder with its content.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&source, &target);
        } else if entry.file_type().unwrap().is_file() {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}
