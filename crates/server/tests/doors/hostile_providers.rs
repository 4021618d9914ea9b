//! Two identity providers that attack (T21 of the threats: mix-up, code injection, wrong tokens), and one that is odd but keeps
//! to the standard. They run in this process; their tokens are signed with Ed25519.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use proof::crypto::{SigningKey, base64url, from_base64url, hmac_sha256, sha256};
use serde_json::{Map, Value, json};

use crate::world::{Answer, TENANT, World};

pub(crate) const SECRET: &str = "not a very long secret";

/// A provider whose fault is chosen by the code that it exchanges.
pub(crate) struct Provider {
    pub(crate) origin: String,
    key: SigningKey,
    /// The other provider: its origin and key, as if it had been robbed of a token.
    other: Mutex<Option<(String, SigningKey)>>,
    /// Codes that were exchanged.
    used: Mutex<BTreeSet<String>>,
    /// The number of requests to the token endpoint.
    asked: Mutex<usize>,
}

impl Provider {
    fn start(seed: u8) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let provider = Arc::new(Self {
            origin: format!("http://{}", listener.local_addr().unwrap()),
            key: SigningKey::from_seed([seed; 32]).unwrap(),
            other: Mutex::new(None),
            used: Mutex::new(BTreeSet::new()),
            asked: Mutex::new(0),
        });
        let here = provider.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that closes early misses its own response.
                let _ = here.serve(stream);
            }
        });
        provider
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
        let (mut length, mut authorization) = (0, String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let lower = line.trim().to_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if lower.starts_with("authorization: bearer ") {
                authorization = line.trim()[22..].to_owned();
            }
            if lower.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (status, kind, text) = self.answer(&path, &String::from_utf8_lossy(&body), &authorization);
        write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nlocation: {}/token\r\ncontent-length: {}\r\nconnection: \
             close\r\n\r\n{text}",
            self.origin,
            text.len()
        )
    }

    fn answer(&self, path: &str, form: &str, bearer: &str) -> (u16, &'static str, String) {
        let json = |value: Value| (200, "application/json; charset=utf-8", value.to_string());
        let (prefix, place) = path.trim_start_matches('/').split_once('/').unwrap_or(("", ""));
        match place {
            ".well-known/openid-configuration" => json(self.configuration(prefix)),
            "jwks" => json(self.keys()),
            "token" => self.exchange(prefix, form),
            "userinfo" => {
                let told: Value = serde_json::from_slice(&from_base64url(bearer).unwrap_or_default()).unwrap();
                match told["userinfo_kind"].as_str() {
                    Some("html") => (200, "text/html", "<p>Sign in".to_owned()),
                    _ => json(told),
                }
            }
            _ => (404, "text/plain", String::new()),
        }
    }

    /// `honest` names itself in each response (RFC 9207), `misnamed` is not the requested issuer, `mixed` sends people to the
    /// other provider and keeps its own token endpoint, `told` has more claims about people.
    fn configuration(&self, prefix: &str) -> Value {
        let here = |place: &str| format!("{}/{prefix}/{place}", self.origin);
        let issuer = if prefix == "misnamed" { "honest" } else { prefix };
        let mut told = json!({
            "issuer": format!("{}/{issuer}", self.origin), "authorization_endpoint": here("auth"),
            "token_endpoint": here("token"), "jwks_uri": here("jwks"), "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["EdDSA", "none", "HS256"],
        });
        if prefix == "honest" || prefix == "mixed" {
            told["authorization_response_iss_parameter_supported"] = json!(true);
        }
        if prefix == "told" {
            told["userinfo_endpoint"] = json!(here("userinfo"));
            told["claims_supported"] = json!(["sub", "unheard_of"]);
            told["token_endpoint_auth_methods_supported"] = json!(["client_secret_post", "tls_client_auth"]);
            told["response_modes_supported"] = json!(["query", "fragment", "form_post", "web_message"]);
            told["grant_types_supported"] = json!(["authorization_code", "urn:example:odd"]);
        }
        if prefix == "mixed"
            && let Some((origin, _)) = &*self.other.lock().unwrap()
        {
            told["authorization_endpoint"] = json!(format!("{origin}/honest/auth"));
        }
        told
    }

    fn keys(&self) -> Value {
        let own = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "alg": "EdDSA", "use": "sig",
            "x": base64url(self.key.public()), "x5t": "a", "x5c": ["b"]});
        json!({"keys": [{"kty": "unheard-of"}, {"kty": "RSA", "use": "enc", "kid": "e1", "n": "AQAB", "e": "AQAB",
            "alg": "RSA-OAEP"}, own]})
    }

    fn exchange(&self, prefix: &str, form: &str) -> (u16, &'static str, String) {
        *self.asked.lock().unwrap() += 1;
        let part = |name: &str| {
            let found = form.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            found.unwrap_or_default().to_owned()
        };
        let no = || (400, "application/json", json!({"error": "invalid_grant"}).to_string());
        let code = part("code");
        let Some(asked) = from_base64url(&code).and_then(|it| serde_json::from_slice::<Value>(&it).ok()) else {
            return no();
        };
        let wrong = asked["wrong"].as_str().unwrap_or_default();
        let is_new = self.used.lock().unwrap().insert(code);
        let challenge = base64url(&sha256(part("code_verifier").as_bytes()));
        // `weak` is a provider that checks neither; the server must stop its responses.
        if wrong != "weak" && (!is_new || asked["challenge"] != challenge) {
            return no();
        }
        match wrong {
            "error" => return no(),
            "html" => return (200, "text/html", "<p>Sign in".to_owned()),
            "redirect" => return (302, "text/html", String::new()),
            _ => {}
        }
        let info = json!({"sub": "mallory", "userinfo_kind": "json"});
        let info = asked.get("userinfo").unwrap_or(&info);
        let access = base64url(info.to_string().as_bytes());
        let mut told = json!({"access_token": access, "token_type": "bearer"});
        if wrong != "no_token" {
            told["id_token"] = json!(self.token(prefix, wrong, &asked));
        }
        (200, "application/json", told.to_string())
    }

    /// An ID token, with the error in it.
    fn token(&self, prefix: &str, wrong: &str, asked: &Value) -> String {
        let now = asked["now"].as_i64().unwrap();
        let mut claims = json!({
            "iss": format!("{}/{prefix}", self.origin), "aud": "assent", "sub": "mallory", "nonce": asked["nonce"],
            "iat": now, "exp": now + 300, "preferred_username": "mallory",
        });
        let map = claims.as_object_mut().unwrap();
        if let Some(more) = asked["claims"].as_object() {
            map.extend(more.clone());
        }
        change_claims(map, wrong, now);
        let other = self.other.lock().unwrap();
        if let (Some((origin, _)), "issuer" | "stolen") = (&*other, wrong) {
            map.insert("iss".to_owned(), json!(format!("{origin}/honest")));
        }
        let attacker = SigningKey::from_seed([9; 32]).unwrap();
        let mut header = json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"});
        let head = header.as_object_mut().unwrap();
        change_header(head, wrong, &attacker);
        let text = |value: &Value| base64url(value.to_string().as_bytes());
        let signed = format!("{}.{}", text(&header), text(&claims));
        let signature = match (wrong, &*other) {
            ("unsigned", _) => String::new(),
            ("no_parts", _) => return signed,
            ("encrypted", _) => return format!("{signed}.a.b.c"),
            ("shared", _) => base64url(&hmac_sha256(SECRET.as_bytes(), signed.as_bytes())),
            ("public_as_secret", _) => base64url(&hmac_sha256(self.key.public(), signed.as_bytes())),
            ("foreign" | "own_jwk" | "jku" | "x5u", _) => base64url(&attacker.sign(signed.as_bytes())),
            ("stolen", Some((_, key))) => base64url(&key.sign(signed.as_bytes())),
            ("short", _) => base64url(&self.key.sign(signed.as_bytes())[..63]),
            _ => base64url(&self.key.sign(signed.as_bytes())),
        };
        if wrong == "altered" {
            claims["sub"] = json!("ada");
            return format!("{}.{}.{signature}", text(&header), text(&claims));
        }
        format!("{signed}.{signature}")
    }
}

fn change_claims(map: &mut Map<String, Value>, wrong: &str, now: i64) {
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    match wrong {
        "audience" => put("aud", json!("another")),
        "audiences" => put("aud", json!(["assent", "another"])),
        "party" => {
            put("aud", json!(["assent", "another"]));
            put("azp", json!("another"))
        }
        "lone_party" => put("azp", json!("another")),
        "nonce" => put("nonce", json!("a nonce of another sign-in")),
        "empty_nonce" => put("nonce", json!("")),
        "expired" => {
            put("iat", json!(now - 7_200));
            put("exp", json!(now - 3_600))
        }
        "future" => put("iat", json!(now + 3_600)),
        "access_hash" => put("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        "no_issuer" => map.remove("iss"),
        "no_audience" => map.remove("aud"),
        "no_nonce" => map.remove("nonce"),
        "no_expiry" => map.remove("exp"),
        "no_subject" => map.remove("sub"),
        "empty_subject" => put("sub", json!("")),
        "blank_subject" => put("sub", json!(" ")),
        _ => None,
    };
}

fn change_header(head: &mut Map<String, Value>, wrong: &str, attacker: &SigningKey) {
    let mut put = |name: &str, value: Value| head.insert(name.to_owned(), value);
    match wrong {
        "unsigned" | "unsigned_with_signature" => put("alg", json!("none")),
        "shared" | "public_as_secret" => put("alg", json!("HS256")),
        "small_letters" => put("alg", json!("eddsa")),
        "other_algorithm" => put("alg", json!("RS256")),
        "unknown_key" => put("kid", json!("k9")),
        "own_jwk" => {
            put("kid", json!("k9"));
            put(
                "jwk",
                json!({"kty": "OKP", "crv": "Ed25519", "kid": "k9", "x": base64url(attacker.public())}),
            )
        }
        "jku" => put("jku", json!("http://127.0.0.1:9/jwks")),
        "x5u" => put("x5u", json!("http://127.0.0.1:9/cert")),
        "crit" => put("crit", json!(["exp"])),
        _ => None,
    };
}

/// The tokens that are wrong, and a part of the page's text where the product wrote it.
const WRONG: &[(&str, &str)] = &[
    ("stolen", ""),
    ("issuer", "issued by another provider"),
    ("no_issuer", ""),
    ("audience", "meant for somebody else"),
    ("no_audience", ""),
    ("audiences", ""),
    ("party", ""),
    ("lone_party", ""),
    ("nonce", "another sign-in"),
    ("empty_nonce", ""),
    ("no_nonce", ""),
    ("expired", "has expired"),
    ("no_expiry", ""),
    ("future", "cannot be taken"),
    ("no_subject", ""),
    ("empty_subject", "does not identify you"),
    ("blank_subject", "does not identify you"),
    ("access_hash", "not the one that was signed for"),
    ("unsigned", "signature"),
    ("unsigned_with_signature", ""),
    ("shared", "proves nothing here"),
    ("public_as_secret", "proves nothing here"),
    ("small_letters", ""),
    ("other_algorithm", ""),
    ("unknown_key", ""),
    ("foreign", "not its own"),
    ("own_jwk", ""),
    ("jku", "not its own"),
    ("x5u", "not its own"),
    ("crit", ""),
    ("altered", "not its own"),
    ("short", ""),
    ("no_parts", ""),
    ("encrypted", ""),
    ("no_token", "no ID token"),
    ("html", "refused the code"),
    ("redirect", "refused the code"),
    ("error", "refused the code"),
];

/// A sign-in that a browser has begun.
#[derive(Clone)]
struct Left {
    provider: &'static str,
    cookie: String,
    state: String,
    nonce: String,
    challenge: String,
}

fn query_part(url: &str, name: &str) -> String {
    let query = url.split_once('?').map(|it| it.1).unwrap_or_default();
    let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap_or_default().to_owned()
}

/// The server, the two providers, and the attempts.
pub(crate) struct Ring {
    pub(crate) world: World,
    pub(crate) honest: Arc<Provider>,
    pub(crate) hostile: Arc<Provider>,
    tried: Vec<(String, Answer)>,
}

impl Ring {
    pub(crate) fn new() -> Self {
        let world = World::with(|settings| settings.outgoing_allow = vec!["127.0.0.0/8".to_owned()]);
        let (honest, hostile) = (Provider::start(1), Provider::start(2));
        for (one, other) in [(&honest, &hostile), (&hostile, &honest)] {
            let key = SigningKey::from_seed(*other.key.seed()).unwrap();
            *one.other.lock().unwrap() = Some((other.origin.clone(), key));
        }
        let ring = Self {
            world,
            honest,
            hostile,
            tried: Vec::new(),
        };
        let (honest, hostile) = (ring.honest.origin.clone(), ring.hostile.origin.clone());
        for (key, issuer) in [
            ("good", format!("{honest}/honest")),
            ("bad", format!("{hostile}/plain")),
            ("misnamed", format!("{hostile}/misnamed")),
            ("mixed", format!("{hostile}/mixed")),
            ("told", format!("{hostile}/told")),
        ] {
            let body = json!({"name": key, "issuer": issuer, "client_id": "assent", "client_secret": SECRET,
                "creates_people": true, "groups_claim": "groups", "roles": {"sre": "implementer"}});
            let path = format!("/identity-providers/{key}");
            ring.world
                .as_person("adam", "PUT", &path)
                .json(&body)
                .send()
                .expect(200);
        }
        ring
    }

    fn now(&self) -> i64 {
        self.world.server.state().executor().tools().clock.now().as_second()
    }

    fn begin(&self, provider: &'static str) -> Left {
        self.begin_at(TENANT, provider)
    }

    fn begin_at(&self, tenant: &str, provider: &'static str) -> Left {
        let answer = self.world.ask("GET", &format!("/t/{tenant}/sign-in/{provider}")).send();
        assert_eq!(answer.status, 303, "{}", String::from_utf8_lossy(&answer.body));
        let place = answer.header("location");
        Left {
            provider,
            cookie: answer.header("set-cookie").split(';').next().unwrap().to_owned(),
            state: query_part(place, "state"),
            nonce: query_part(place, "nonce"),
            challenge: query_part(place, "code_challenge"),
        }
    }

    fn code(&self, left: &Left, wrong: &str, more: Value) -> String {
        let mut asked = json!({"wrong": wrong, "nonce": left.nonce, "challenge": left.challenge, "now": self.now()});
        asked
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap_or_default());
        base64url(asked.to_string().as_bytes())
    }

    fn back(&self, provider: &str, cookie: &str, query: &str) -> Answer {
        let ask = self
            .world
            .ask("GET", &format!("/t/{TENANT}/sign-in/{provider}/callback?{query}"));
        ask.header("cookie", cookie).send()
    }

    /// The result of a sign-in at a tenant's sign-in page with its provider's claims, which may be wrong in a way.
    pub(crate) fn enter(&self, tenant: &str, provider: &'static str, (wrong, claims): (&str, &Value)) -> Answer {
        let left = self.begin_at(tenant, provider);
        let code = self.code(&left, wrong, json!({"claims": claims}));
        let mut back = format!(
            "/t/{tenant}/sign-in/{provider}/callback?code={code}&state={}",
            left.state
        );
        // The honest one names itself in its responses (RFC 9207), by whichever name a tenant knows it.
        if matches!(provider, "good" | "side") {
            back = format!("{back}&iss={}/honest", self.honest.origin);
        }
        self.world.ask("GET", &back).header("cookie", &left.cookie).send()
    }

    /// The parameters with which the honest provider sends a browser back.
    fn honestly(&self, left: &Left) -> String {
        let code = self.code(left, "", json!({}));
        format!("code={code}&state={}&iss={}/honest", left.state, self.honest.origin)
    }

    fn attack(&mut self, name: &str, answer: Answer) {
        self.tried.push((name.to_owned(), answer));
    }
}

pub(crate) fn is_let_in(answer: &Answer) -> bool {
    answer.header("set-cookie").contains("assent_session=")
}

pub(crate) fn words(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// A response that is brought by the wrong browser, to the wrong address, or twice.
fn answers_at_wrong_doors(ring: &mut Ring) {
    let left = ring.begin("good");
    let good = ring.honestly(&left);
    let answer = ring.back("good", "a=b", &good);
    ring.attack("an answer without the browser that began", answer);
    let victim = ring.begin("good");
    let answer = ring.back("good", &victim.cookie, &good);
    ring.attack("the attacker's answer in the victim's browser", answer);
    let code = ring.code(&left, "", json!({}));
    let issuer = format!("{}/honest", ring.honest.origin);
    let answer = ring.back(
        "good",
        &victim.cookie,
        &format!("code={code}&state={}&iss={issuer}", victim.state),
    );
    ring.attack("the attacker's code under the victim's state", answer);
    let weak = ring.code(&left, "weak", json!({}));
    let answer = ring.back(
        "good",
        &victim.cookie,
        &format!("code={weak}&state={}&iss={issuer}", victim.state),
    );
    ring.attack("the same at a provider that does not look at the verifier", answer);
    let state = &left.state;
    for (name, query) in [
        ("no state", format!("code={code}&iss={issuer}")),
        ("an empty state", format!("code={code}&state=&iss={issuer}")),
        (
            "a guessed state",
            format!("code={code}&state={}&iss={issuer}", base64url(&[7; 32])),
        ),
        ("two states", format!("code={code}&state={state}&state=x&iss={issuer}")),
        ("two codes", format!("code={code}&code=x&state={state}&iss={issuer}")),
        ("no code", format!("state={state}&iss={issuer}")),
        ("an empty code", format!("code=&state={state}&iss={issuer}")),
        (
            "an error beside a code",
            format!("error=access_denied&code={code}&state={state}&iss={issuer}"),
        ),
        (
            "no issuer from one that names itself",
            format!("code={code}&state={state}"),
        ),
        (
            "the other issuer",
            format!("code={code}&state={state}&iss={}/plain", ring.hostile.origin),
        ),
        (
            "an issuer in other letters",
            format!("code={code}&state={state}&iss={issuer}/"),
        ),
    ] {
        let answer = ring.back("good", &left.cookie, &query);
        ring.attack(name, answer);
    }
    let answer = ring.back("bad", &left.cookie, &good);
    ring.attack("an answer at the other provider's door", answer);
    let mut torn = left.cookie.clone().into_bytes();
    let last = torn.len() - 5;
    torn[last] = if torn[last] == b'A' { b'B' } else { b'A' };
    let answer = ring.back("good", &String::from_utf8(torn).unwrap(), &good);
    ring.attack("an altered cookie", answer);
}

/// The mix-up: the hostile provider sends people to the honest one, to be given its code.
fn mix_up(ring: &mut Ring) {
    let left = ring.begin("mixed");
    let before = ring.hostile.asked();
    let code = ring.code(&left, "weak", json!({}));
    let issuer = format!("{}/honest", ring.honest.origin);
    let answer = ring.back(
        "mixed",
        &left.cookie,
        &format!("code={code}&state={}&iss={issuer}", left.state),
    );
    ring.attack("the honest provider's answer at the mixed door", answer);
    let answer = ring.back("mixed", &left.cookie, &format!("code={code}&state={}", left.state));
    ring.attack("the same without its name", answer);
    assert_eq!(
        ring.hostile.asked(),
        before,
        "the honest provider's code was handed to the hostile one"
    );
    let answer = ring.world.ask("GET", &format!("/t/{TENANT}/sign-in/misnamed")).send();
    ring.attack("a provider that says it is another", answer);
}

/// The claims about people.
fn claims_of_others(ring: &mut Ring) {
    let told = |ring: &Ring, left: &Left, more: Value| {
        let code = ring.code(left, "", more);
        ring.back(
            left.provider,
            &left.cookie,
            &format!("code={code}&state={}", left.state),
        )
    };
    let left = ring.begin("told");
    let answer = told(
        ring,
        &left,
        json!({"userinfo": {"sub": "ada", "preferred_username": "ada"}}),
    );
    ring.attack("more about somebody else", answer);
    let left = ring.begin("told");
    let answer = told(ring, &left, json!({"userinfo": {"userinfo_kind": "html"}}));
    ring.attack("no word on who it is", answer);
    let left = ring.begin("bad");
    let answer = told(ring, &left, json!({"claims": {"preferred_username": "adam"}}));
    ring.attack("the login of somebody who is here", answer);
    let left = ring.begin("bad");
    let answer = told(
        ring,
        &left,
        json!({"claims": {"preferred_username": "adam", "email": "adam@acme.example", "email_verified": "false"}}),
    );
    ring.attack("an address that nobody verified", answer);
    let left = ring.begin("bad");
    let answer = told(ring, &left, json!({"claims": {"preferred_username": "two words"}}));
    ring.attack("a login that is none", answer);
}

#[test]
fn forty_attacks_of_two_providers_open_nothing() {
    let mut ring = Ring::new();
    let people = ring.world.get("adam", "/people?limit=200").expect(200)["items"]
        .as_array()
        .unwrap()
        .len();
    answers_at_wrong_doors(&mut ring);
    mix_up(&mut ring);
    for (wrong, said) in WRONG {
        let left = ring.begin("bad");
        let code = ring.code(&left, wrong, json!({}));
        let answer = ring.back("bad", &left.cookie, &format!("code={code}&state={}", left.state));
        assert!(words(&answer).contains(said), "{wrong}: {}", words(&answer));
        ring.attack(wrong, answer);
    }
    claims_of_others(&mut ring);
    for (name, answer) in &ring.tried {
        assert!(matches!(answer.status, 400 | 403 | 502), "{name}: {answer:?}");
        assert!(!is_let_in(answer), "{name}: {answer:?}");
    }
    println!("{} attacks, none let in", ring.tried.len());
    assert!(ring.tried.len() >= 40, "{} attacks", ring.tried.len());
    let after = ring.world.get("adam", "/people?limit=200").expect(200);
    assert_eq!(
        after["items"].as_array().unwrap().len(),
        people,
        "an attack made somebody"
    );
    // The same sign-in works for an honest response, once.
    let left = ring.begin("good");
    let good = ring.honestly(&left);
    let entered = ring.back("good", &left.cookie, &good);
    assert!(entered.status == 303 && is_let_in(&entered), "{}", words(&entered));
    let again = ring.back("good", &left.cookie, &good);
    assert!(again.status == 403 && !is_let_in(&again), "{}", words(&again));
}

/// Shapes of providers that people have: all within the standard, or so common that a client must take them.
#[test]
fn what_is_odd_and_legal_is_taken() {
    let ring = Ring::new();
    let enter = |claims: Value, userinfo: Value| {
        let left = ring.begin("told");
        let code = ring.code(&left, "", json!({"claims": claims, "userinfo": userinfo}));
        let query = format!(
            "code={code}&state={}&session_state=x.y&scope=openid+profile",
            left.state
        );
        let entered = ring.back("told", &left.cookie, &query);
        assert!(entered.status == 303 && is_let_in(&entered), "{}", words(&entered));
        let mut cookies = entered.header("set-cookie").split("; ");
        let cookie = cookies.find(|it| it.starts_with("assent_session=")).unwrap();
        ring.world
            .ask("GET", "/api/v1/me")
            .header("cookie", cookie)
            .send()
            .expect(200)
    };
    // Zitadel names its project as an audience too, and the client as the authorised party.
    let zitadel = enter(
        json!({"sub": "z", "aud": ["2819", "assent"], "azp": "assent", "preferred_username": "zoe"}),
        json!({"sub": "z", "urn:zitadel:iam:org:project:roles": {"sre": {"1": "acme"}}}),
    );
    assert_eq!(zitadel["login"], "zoe");
    // Auth0 writes times as text, Cognito yes and no.
    let auth0 = enter(
        json!({"sub": "auth0|1", "updated_at": "2026-11-20T08:00:00.123Z", "preferred_username": "otto"}),
        json!({"sub": "auth0|1", "updated_at": "2026-11-20T08:00:00.123Z", "name": "Otto", "picture": "https://a.example/p.png"}),
    );
    assert_eq!((&auth0["login"], &auth0["name"]), (&json!("otto"), &json!("Otto")));
    let cognito = enter(
        json!({"sub": "c", "email": "cleo@acme.example", "email_verified": "true", "preferred_username": "cleo",
            "cognito:groups": ["sre"], "token_use": "id"}),
        json!({"sub": "c", "email": "cleo@acme.example", "email_verified": "true", "username": "cleo"}),
    );
    assert_eq!(cognito["email"], "cleo@acme.example");
    // Groups are in the token alone, or with the user's data; names come in several languages; times are no whole numbers.
    let groups = enter(
        json!({"sub": "g", "groups": "sre", "preferred_username": "gert", "name#ja": "ゲルト", "iat": ring.now() as f64 + 0.5}),
        json!({"sub": "g", "name": "Gert", "name#ja": "ゲルト", "address": {"country": "NO"}}),
    );
    assert_eq!(
        (&groups["roles"], &groups["name"]),
        (&json!(["implementer"]), &json!("Gert"))
    );
}
