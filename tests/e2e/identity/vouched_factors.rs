//! A second factor that an identity provider reports (`amr`), at npm's oidc-provider: an approval about keys counts after one,
//! and is refused where the provider reports a password alone, a message to a telephone, or nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tests::caller::agent;
use tests::journey::artifact;
use tests::session::Session;
use tests::{Place, Server};

use crate::approval::attacks::{below, yes};
use crate::identity::second_factors::{keys_change, lacks_one, with_dual_control};
use crate::platform::crash::must_verify;

/// The foreign provider, as a program of its own.
struct Provider {
    child: Child,
    issuer: String,
    /// Held open: a program that prints its notices into a closed pipe ends.
    _notices: BufReader<ChildStdout>,
}

impl Provider {
    fn start(way_back: &str, people: &Value) -> Self {
        std::env::var("ASSENT_TEST_NODE_MODULES").expect("run by cargo xtask test, which installs the provider");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/server/tests/oidc_provider.mjs");
        let mut child = Command::new("node")
            .args([script, way_back])
            .env("ASSENT_TEST_PEOPLE", people.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut notices = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        notices.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("the provider did not start");
        Self {
            child,
            issuer: said["issuer"].as_str().unwrap().to_owned(),
            _notices: notices,
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser that keeps cookies by host and follows nothing by itself.
#[derive(Default)]
struct Browser(BTreeMap<String, BTreeMap<String, String>>);

impl Browser {
    /// The target of a redirect, as a whole address.
    fn ask(&mut self, method: &str, url: &str, form: &str) -> String {
        let host = url.split('/').nth(2).unwrap().to_owned();
        let jar = self.0.entry(host.clone()).or_default();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("Cookie", cookies.join("; "))
            .header("Content-Type", "application/x-www-form-urlencoded");
        let mut answer = match method {
            "GET" => agent().run(request.body(()).unwrap()),
            _ => agent().run(request.body(form.to_owned()).unwrap()),
        }
        .unwrap();
        for line in answer.headers().get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match value {
                "" => drop(jar.remove(name)),
                value => drop(jar.insert(name.to_owned(), value.to_owned())),
            }
        }
        let next = answer
            .headers()
            .get("location")
            .map(|it| it.to_str().unwrap().to_owned());
        let said = answer.body_mut().read_to_string().unwrap_or_default();
        let next = next.unwrap_or_else(|| panic!("{url} sends nowhere ({}): {said}", answer.status()));
        match next.starts_with("http") {
            true => next,
            false => format!("http://{host}{next}"),
        }
    }

    /// Walks to the provider, signs in there with these methods, and comes back; returns the final address.
    fn walk(&mut self, begin: &str, login: &str, methods: &str) -> String {
        let mut url = begin.to_owned();
        for _ in 0..10 {
            let next = match url.contains("/interaction/") {
                true => {
                    let said = if methods.is_empty() {
                        url.clone()
                    } else {
                        format!("{url}?amr={methods}")
                    };
                    self.ask("POST", &said, &format!("prompt=login&login={login}&password=x"))
                }
                false => self.ask("GET", &url, ""),
            };
            if url.contains("/callback") {
                return next;
            }
            url = next;
        }
        panic!("the provider never sent us back");
    }

    fn session<'s>(&self, server: &'s Server) -> Session<'s> {
        let host = server.url.split('/').nth(2).unwrap();
        Session::with(server, &format!("assent_session={}", self.0[host]["assent_session"]))
    }
}

#[test]
fn a_second_factor_that_a_provider_tells_of_counts_for_a_word_on_keys_and_nothing_less_does() {
    let place = Place::demo("vouched_factors");
    let server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    let login = server.person("security")["login"].as_str().unwrap().to_owned();
    let known = server.must("GET", &format!("/api/v1/people/{login}"), &server.token("admin"), None);
    let people = json!({&login: {"email": known["email"], "email_verified": true, "preferred_username": login}});
    let provider = Provider::start(&format!("{}/t/halden/sign-in/corp/callback", server.url), &people);
    let told = json!({
        "name": "Halden ID", "issuer": provider.issuer, "client_id": "assent", "client_secret": "not very secret",
        "scopes": ["profile", "email"],
    });
    let path = "/api/v1/identity-providers/corp";
    server.must("PUT", path, &server.token("admin"), Some(&told));
    with_dual_control(&server);
    let digest = artifact(7_081);
    let path = keys_change(&server, &digest);
    let (approvals, seen) = (format!("{}/approvals", below(&path)), yes(&server, &path));

    let mut browser = Browser::default();
    browser.walk(&format!("{}/t/halden/sign-in/corp", server.url), &login, "");
    let begin = format!("{}/t/halden/step-up/corp", server.url);
    for methods in ["", "pwd", "pwd,sms"] {
        browser.walk(&begin, &login, methods);
        let session = browser.session(&server);
        let me: Value = serde_json::from_str(&session.get("/api/v1/me").body).unwrap();
        assert_eq!(
            (&me["login"], &me["stepped_up"]),
            (&json!(login), &json!(true)),
            "{methods}"
        );
        lacks_one(&session, &approvals, &seen, "your identity provider did not report one");
    }
    browser.walk(&begin, &login, "pwd,otp");
    let (status, answer) = browser.session(&server).api("POST", &approvals, &seen);
    assert_eq!(status, 201, "{answer}");
    assert_eq!(
        answer["factor"],
        json!({"kind": "provider:corp", "is_second": true}),
        "{answer}"
    );
    must_verify(&server);
}
