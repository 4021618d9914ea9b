//! Signing in at LemonLDAP::NG as Debian ships it: another author's provider, in another language, with its own pages.
//!
//! Run with `--features foreign`. The portal is a process of the test, over files in a folder of the test, and needs no rights.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]
#![allow(dead_code, reason = "the world has more than these tests use")]

#[path = "doors/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use world::{Answer, TENANT, World, eventually};

/// Our name and secret at the provider.
const CLIENT: &str = "assent";
const SECRET: &str = "not-very-secret";

/// The portal loads its captcha, which draws pictures, whether it is used or not; here none is used.
const NO_CAPTCHA: &str = "package Lemonldap::NG::Portal::Captcha::None;\nuse Mouse;\n\
    extends 'Lemonldap::NG::Common::Module';\nsub init { 1 }\n1;\n";

/// A running portal.
struct Portal {
    child: Child,
    issuer: String,
    folder: PathBuf,
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Portal {
    fn start(way_back: &str) -> Self {
        let folder = world::fresh_folder();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let issuer = format!("http://127.0.0.1:{port}");
        write_files(&folder, &issuer, way_back);
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let child = Command::new("plackup")
            .args(["-I", "lib", "-s", "HTTP::Server::PSGI", "--host", "127.0.0.1", "--port"])
            .args([&port.to_string(), "portal.psgi"])
            .current_dir(&folder)
            .env("LLNG_DEFAULTCONFFILE", folder.join("lemonldap-ng.ini"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("LemonLDAP::NG is installed: run cargo xtask setup");
        let portal = Self { child, issuer, folder };
        eventually("the portal says who it is", || portal.is_there());
        portal
    }

    fn is_there(&self) -> bool {
        let host = self.issuer.trim_start_matches("http://");
        // The portal serves one connection at a time, so this one must be over before the next.
        let takes = TcpStream::connect(host).is_ok();
        if !takes {
            return false;
        }
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        let answer = Browser::default().ask("GET", &url, "");
        let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert_eq!(answer.status, 200, "{}", log());
        true
    }
}

fn write_files(folder: &Path, issuer: &str, way_back: &str) {
    for inner in [
        "conf",
        "sessions/lock",
        "psessions/lock",
        "lib/Lemonldap/NG/Portal/Captcha",
    ] {
        std::fs::create_dir_all(folder.join(inner)).unwrap();
    }
    let key = folder.join("key.pem");
    let made = |arguments: &[&str]| {
        let made = Command::new("openssl").args(arguments).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap()
    };
    std::fs::write(&key, made(&["genrsa", "2048"])).unwrap();
    let public = made(&["rsa", "-pubout", "-in", key.to_str().unwrap()]);
    let private = std::fs::read_to_string(&key).unwrap();
    let place = |name: &str| folder.join(name).display().to_string();
    let mut conf = json!({
        "cfgNum": 1, "cfgAuthor": "tests", "cfgDate": "1795211187", "cfgVersion": "2.16.1",
        "authentication": "Demo", "userDB": "Same", "passwordDB": "Null", "registerDB": "Null",
        "demoExportedVars": {"cn": "cn", "mail": "mail", "uid": "uid"}, "exportedVars": {},
        "domain": "127.0.0.1", "portal": format!("{issuer}/"), "cookieName": "lemonldap", "securedCookie": 0,
        "whatToTrace": "uid", "timeout": 7_200, "portalForceAuthnInterval": 0, "captcha": "::Captcha::None",
        "globalStorage": "Apache::Session::File",
        "globalStorageOptions": {"Directory": place("sessions"), "LockDirectory": place("sessions/lock"),
            "generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256"},
        "persistentStorage": "Apache::Session::File",
        "persistentStorageOptions": {"Directory": place("psessions"), "LockDirectory": place("psessions/lock")},
        "locationRules": {"127.0.0.1": {"default": "accept"}},
    });
    let provider = json!({
        "issuerDBOpenIDConnectActivation": 1, "issuerDBOpenIDConnectPath": "^/oauth2/", "issuerDBOpenIDConnectRule": 1,
        "oidcServiceMetaDataIssuer": issuer, "oidcServicePrivateKeySig": private, "oidcServicePublicKeySig": public,
        "oidcServiceKeyIdSig": "k1", "oidcServiceAllowAuthorizationCodeFlow": 1,
        "oidcRPMetaDataOptions": {"assent": {
            "oidcRPMetaDataOptionsClientID": CLIENT, "oidcRPMetaDataOptionsClientSecret": SECRET,
            "oidcRPMetaDataOptionsRedirectUris": way_back, "oidcRPMetaDataOptionsIDTokenSignAlg": "RS256",
            "oidcRPMetaDataOptionsBypassConsent": 1, "oidcRPMetaDataOptionsRequirePKCE": 1,
            "oidcRPMetaDataOptionsIDTokenExpiration": 3_600, "oidcRPMetaDataOptionsAccessTokenExpiration": 3_600,
            "oidcRPMetaDataOptionsUserIDAttr": "uid",
        }},
        "oidcRPMetaDataExportedVars": {"assent": {"email": "mail", "name": "cn", "preferred_username": "uid"}},
    });
    let rest = provider.as_object().unwrap().clone();
    conf.as_object_mut().unwrap().extend(rest);
    let write = |name: &str, text: &str| {
        let mut file = std::fs::File::create(folder.join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    write("conf/lmConf-1.json", &conf.to_string());
    write("lib/Lemonldap/NG/Portal/Captcha/None.pm", NO_CAPTCHA);
    write(
        "portal.psgi",
        "use Lemonldap::NG::Portal::Main;\nLemonldap::NG::Portal::Main->run({});\n",
    );
    write(
        "lemonldap-ng.ini",
        &format!(
            "[all]\nlogLevel = warn\ncheckTime = 1\n[configuration]\ntype=File\ndirName = {}\n[portal]\nstaticPrefix = \
             /static\ntemplateDir = /usr/share/lemonldap-ng/portal/templates\nlanguages = en\n[handler]\nstatus = 0\n",
            place("conf")
        ),
    );
}

/// A browser that keeps cookies by host and follows nothing by itself.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    fn ask(&mut self, method: &str, url: &str, form: &str) -> Answer {
        let rest = url.strip_prefix("http://").expect("a whole address");
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let jar = self.cookies.entry(host.to_owned()).or_default();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut stream = TcpStream::connect(host).unwrap();
        let head = format!(
            "{method} /{path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\naccept: text/html\r\nconnection: close\r\n\
             cookie: {}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            cookies.join("; "),
            form.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        for line in head
            .lines()
            .filter(|line| line.to_lowercase().starts_with("set-cookie:"))
        {
            let pair = line.split_once(':').unwrap().1.split(';').next().unwrap();
            let (name, value) = pair.trim().split_once('=').unwrap();
            if value.is_empty() || line.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        world::parse(&bytes)
    }

    /// Walks from the sign-in page over the portal's own pages and back; returns the final page's text, or the portal once it
    /// requests the password a second time.
    fn walk(&mut self, world: &World, begin: &str, (login, password): (&str, &str)) -> Answer {
        let mut url = format!("http://{}{begin}", world.host());
        let mut answer = self.ask("GET", &url, "");
        let mut is_asked = false;
        for _ in 0..12 {
            if answer.status == 200 {
                let page = String::from_utf8_lossy(&answer.body).into_owned();
                let asks = page.contains("name=\"password\"");
                if asks && is_asked {
                    return answer;
                }
                is_asked |= asks;
                let (place, fields) = form_of(&page);
                if place.starts_with('/') {
                    url = format!("http://{}{place}", url.split('/').nth(2).unwrap());
                }
                let fields = fields.iter().map(|(name, value)| match name.as_str() {
                    "user" => format!("user={login}"),
                    "password" => format!("password={password}"),
                    _ => format!("{name}={}", escaped(value)),
                });
                answer = self.ask("POST", &url, &fields.collect::<Vec<_>>().join("&"));
                continue;
            }
            assert!((301..=308).contains(&answer.status), "{url}: {answer:?}");
            let place = answer.header("location").to_owned();
            url = if place.starts_with("http") {
                place
            } else {
                format!("http://{}{place}", url.split('/').nth(2).unwrap())
            };
            answer = self.ask("GET", &url, "");
            if url.contains("/callback") {
                return answer;
            }
        }
        panic!("the portal never sent us back: {answer:?}");
    }

    fn me(&mut self, world: &World) -> Value {
        self.ask("GET", &format!("http://{}/api/v1/me", world.host()), "")
            .expect(200)
    }
}

/// The first form of a page: its target, and its fields without boxes.
fn form_of(page: &str) -> (String, Vec<(String, String)>) {
    let (head, rest) = page
        .split_once("<form")
        .and_then(|(_, rest)| rest.split_once('>'))
        .expect("a form");
    let inside = rest.split("</form>").next().unwrap();
    let part = |tag: &str, name: &str| {
        let value = tag.split(&format!("{name}=\"")).nth(1)?;
        value.split('"').next().map(str::to_owned)
    };
    let tags = inside.split("<input").skip(1).filter_map(|it| it.split('>').next());
    let fields = tags
        .filter(|tag| !tag.contains("checkbox"))
        .filter_map(|tag| Some((part(tag, "name")?, part(tag, "value").unwrap_or_default())));
    (part(head, "action").unwrap_or_default(), fields.collect())
}

fn escaped(value: &str) -> String {
    let letters = value.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    letters.collect()
}

fn set(world: &World, portal: &Portal, secret: &str) {
    let body = json!({
        "name": "Lemon", "issuer": portal.issuer, "client_id": CLIENT, "client_secret": secret,
        "scopes": ["profile", "email"], "creates_people": true, "trusts_mail": true,
    });
    let path = "/identity-providers/lemon";
    world
        .as_person("adam", "PUT", path)
        .header("if-match", "*")
        .json(&body)
        .send()
        .expect(200);
}

#[test]
fn a_person_signs_in_at_lemonldap_steps_up_there_and_stays_one_person() {
    let world = World::with(|settings| settings.outgoing_allow = vec!["127.0.0.0/8".to_owned()]);
    let portal = Portal::start(&format!("http://{}/t/{TENANT}/sign-in/lemon/callback", world.host()));
    set(&world, &portal, SECRET);
    let who = ("dwho", "dwho");

    // A wrong password opens nothing, there or here.
    let mut browser = Browser::default();
    let refused = browser.walk(&world, "/t/acme/sign-in/lemon", ("dwho", "wrong"));
    assert_eq!(refused.status, 200, "the portal asks again: {refused:?}");
    let me = format!("http://{}/api/v1/me", world.host());
    assert_eq!(browser.ask("GET", &me, "").status, 401);

    let mut browser = Browser::default();
    let back = browser.walk(&world, "/t/acme/sign-in/lemon?next=/t/acme/changes", who);
    assert_eq!(
        (back.status, back.header("location")),
        (303, "/t/acme/changes"),
        "{back:?}"
    );
    let first = browser.me(&world);
    assert_eq!(
        (&first["login"], &first["name"]),
        (&json!("dwho"), &json!("Doctor Who"))
    );
    assert_eq!(first["email"], "dwho@badwolf.org");
    // The portal reports a sign-in of just now, which is as fresh as a password.
    assert_eq!(first["stepped_up"], true);

    // The portal counts in whole seconds: one has to pass before a sign-in is an old one.
    let now = || world.server.state().executor().tools().clock.now().as_second();
    let then = now();
    eventually("two seconds are over", || now() >= then + 2);
    let stepped = browser.walk(&world, "/t/acme/step-up/lemon?next=/t/acme/account", who);
    assert_eq!(
        (stepped.status, stepped.header("location")),
        (303, "/t/acme/account"),
        "{stepped:?}"
    );
    assert_eq!(browser.me(&world)["stepped_up"], true);

    let mut again = Browser::default();
    again.walk(&world, "/t/acme/sign-in/lemon", who);
    assert_eq!(
        again.me(&world)["id"],
        first["id"],
        "the same subject is the same person"
    );

    // A code that this server cannot prove to be for it opens nothing.
    set(&world, &portal, "another-secret");
    let refused = Browser::default().walk(&world, "/t/acme/sign-in/lemon", who);
    assert!(matches!(refused.status, 403 | 502), "{refused:?}");

    // A person deactivated here is not let in, whatever the portal claims.
    set(&world, &portal, SECRET);
    world.post("adam", "/people/dwho/deactivation", &json!({})).expect(201);
    let ended = Browser::default().walk(&world, "/t/acme/sign-in/lemon", who);
    assert_eq!(ended.status, 403);
    assert!(String::from_utf8_lossy(&ended.body).contains("was deactivated"));
}
