//! The pages over HTTP, without a browser: a form's request, and the response.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use acts::Context;
use acts::directory::{create_tenant, set_person, set_service};
use model::change::change_file::Actor;
use model::core::body;
use serde_json::{Value, json};
use server::identity::password;
use server::{Running, Settings, start};
use store::{Lane, Mode};

#[path = "web/again.rs"]
mod again;
#[path = "common/empty_database.rs"]
mod empty_database;
#[path = "web/evidence.rs"]
mod evidence;
#[path = "web/filled.rs"]
mod filled;
#[path = "web/first_visit.rs"]
mod first_visit;
#[path = "web/incident.rs"]
mod incident;
#[path = "web/kept.rs"]
mod kept;
#[path = "web/log_entry.rs"]
mod log_entry;
#[path = "web/log_filter.rs"]
mod log_filter;
#[path = "web/more.rs"]
mod more;
#[path = "web/offered.rs"]
mod offered;
#[path = "web/paper.rs"]
mod paper;
#[path = "web/people.rs"]
mod people;
#[path = "web/prose.rs"]
mod prose;
#[path = "web/resent.rs"]
mod resent;
#[path = "web/standing.rs"]
mod standing;
#[path = "web/told.rs"]
mod told;
#[path = "web/unread.rs"]
mod unread;

const TENANT: &str = "halden";
const SECRET: &str = "a good long password";
const ARTIFACT: &str = "sha256:6b1d000000000000000000000000000000000000000000000000000000000007";

struct House {
    running: Running,
    folder: PathBuf,
}

impl Drop for House {
    fn drop(&mut self) {
        self.running.stop();
        // Left-over files are in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    fn place(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    fn shows(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    /// The value of the first hidden field of this name.
    fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.body.split_once(&mark).map_or("", |(_, rest)| rest);
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

fn object(value: Value) -> body::Body {
    value.as_object().unwrap().clone()
}

fn seed(cx: &mut Context<'_, '_>) -> acts::Result<()> {
    create_tenant::create_tenant(cx, "Halden Freight", false)?;
    let phc = password::hash(SECRET).unwrap();
    let people = [
        ("ingrid", "Ingrid Solheim", json!(["requester", "implementer"])),
        ("hanne", "Hanne Brandt", json!(["owner"])),
        (
            "marta",
            "Marta Lindqvist",
            json!(["change_manager", "admin", "security"]),
        ),
    ];
    for (login, name, roles) in people {
        let body = object(json!({"login": login, "name": name, "roles": roles, "zone": "Europe/Oslo"}));
        set_person::create_person(cx, &body)?;
        set_person::set_password(cx, login, &phc)?;
    }
    set_service::set_service(
        cx,
        &object(json!({"key": "booking-api", "name": "Bookings", "criticality": "medium"})),
    )?;
    set_service::set_environment(cx, &object(json!({"key": "production", "is_production": true})))?;
    let owner = json!({"service": "booking-api", "role": "owner", "person": "hanne"});
    set_service::set_ownership(cx, &object(owner))?;
    Ok(())
}

fn house(name: &str) -> House {
    let folder = std::env::temp_dir().join(format!("assent-web-{name}-{}", std::process::id()));
    empty_database::make(&folder);
    let mut settings = Settings::new(&folder);
    settings.listen = ([127, 0, 0, 1], 0).into();
    let prepare: server::Prepare = Box::new(|executor, _| {
        executor.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, seed)?;
        Ok(())
    });
    House {
        running: start(&settings, Some(prepare)).unwrap(),
        folder,
    }
}

impl House {
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.running.address()).unwrap();
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.running.address()
        );
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(text.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    fn get(&self, cookie: &str, path: &str) -> Answer {
        self.ask("GET", path, &[("cookie", cookie)], "")
    }

    fn post(&self, cookie: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let headers = [
            ("cookie", cookie),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.ask("POST", path, &headers, &encoded(pairs))
    }

    fn sign_in(&self, login: &str) -> String {
        let answer = self.post("", "/t/halden/sign-in", &[("login", login), ("password", SECRET)]);
        assert_eq!(answer.status, 303, "{answer:?}");
        answer
            .header("set-cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    }
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric();
        text.bytes()
            .map(|byte| {
                if plain(byte) {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect()
    };
    pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// A whole form of a change, with its times some hours ahead.
fn change_form(house: &House, act: &'static str) -> Vec<(&'static str, String)> {
    let now = house.running.state().executor().tools().clock.now();
    let field = |hours: i64| {
        let at = now + jiff::SignedDuration::from_hours(hours);
        at.to_zoned(jiff::tz::TimeZone::get("Europe/Oslo").unwrap())
            .strftime("%Y-%m-%dT%H:%M")
            .to_string()
    };
    let rows = [
        ("title", "Give every shipment a customs reference"),
        ("description", "A new column and a job that fills it."),
        ("justification", "Customs asks for it from Monday."),
        ("complexity", "low"),
        ("targets.1.service", "booking-api"),
        ("targets.1.environment", "production"),
        ("targets.1.artifact", ARTIFACT),
        ("plan.0.title", "Bring it out"),
        ("plan.0.minutes", "10"),
        ("rollback_plan.0.title", "Bring back what ran before"),
        ("rollback_minutes", "5"),
        ("implementers", "ingrid"),
        ("act", act),
    ];
    let mut pairs: Vec<(&str, String)> = rows.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    pairs.push(("planned_start", field(2)));
    pairs.push(("planned_end", field(4)));
    pairs
}

fn send(house: &House, cookie: &str, path: &str, pairs: &[(&str, String)]) -> Answer {
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    house.post(cookie, path, &pairs)
}

fn assert_guarded(answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("default-src 'none'"), "{answer:?}");
    assert!(policy.contains("script-src 'self'"), "{policy}");
}

#[test]
fn the_door_opens_for_the_right_password_alone() {
    let house = house("door");
    let front = house.get("", "/");
    assert_eq!((front.status, front.place()), (303, "/sign-in"));
    let away = house.get("", "/t/halden/changes?state=open");
    assert_eq!(away.status, 303);
    assert_eq!(away.place(), "/t/halden/sign-in?next=/t/halden/changes%3Fstate%3Dopen");
    let door = house.get("", away.place());
    assert!(
        door.status == 200 && door.shows("Sign in to Halden Freight"),
        "{door:?}"
    );
    assert_guarded(&door);

    let wrong = house.post("", "/t/halden/sign-in", &[("login", "ingrid"), ("password", "wrong")]);
    assert_eq!(wrong.status, 401);
    assert!(wrong.shows("do not fit together"), "{wrong:?}");
    assert_guarded(&wrong);
    let elsewhere = [("login", "ingrid"), ("password", SECRET), ("next", "//evil.example/")];
    assert_eq!(house.post("", "/t/halden/sign-in", &elsewhere).place(), "/t/halden/");

    let cookie = house.sign_in("ingrid");
    let home = house.get(&cookie, "/t/halden/");
    assert!(home.status == 200 && home.shows("Ingrid Solheim"), "{home:?}");
    assert_eq!(house.get(&cookie, "/").place(), "/t/halden/");
    let out = house.post(&cookie, "/t/halden/sign-out", &[]);
    assert_eq!(out.place(), "/t/halden/sign-in?out=1");
    assert_eq!(house.get(&cookie, "/t/halden/").status, 303);
}

#[test]
fn another_site_changes_nothing() {
    let house = house("csrf");
    let cookie = house.sign_in("marta");
    let form = "title=Freeze&starts_at=2030-01-01T00%3A00&ends_at=2030-01-02T00%3A00";
    let foreign = [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "https://evil.example")],
        vec![],
    ];
    for mut headers in foreign {
        headers.extend([
            ("cookie", cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ]);
        let answer = house.ask("POST", "/t/halden/freezes", &headers, form);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_guarded(&answer);
    }
    assert!(
        house
            .get(&cookie, "/t/halden/freezes")
            .shows("No freeze is active or planned")
    );
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
    ];
    let answer = house.ask(
        "POST",
        "/t/halden/sign-in",
        &headers,
        &encoded(&[("login", "marta"), ("password", SECRET)]),
    );
    assert_eq!(answer.status, 403);
    assert!(answer.header("set-cookie").is_none());
}

#[test]
fn no_page_is_without_its_policy_and_nothing_is_found_by_guessing() {
    let house = house("pages");
    let cookie = house.sign_in("marta");
    let pages = [
        "/",
        "/changes",
        "/changes?q=customs&state=open",
        "/changes/new",
        "/calendar",
        "/freezes",
        "/services",
        "/services/booking-api",
        "/incidents",
        "/templates",
        "/gate-checks",
        "/audit",
        "/deliveries",
        "/gateways",
        "/messages",
        "/people",
        "/tokens",
        "/account",
        "/help",
        "/components",
    ];
    for page in pages {
        let answer = house.get(&cookie, &format!("/t/halden{page}"));
        assert_eq!(answer.status, 200, "{page}: {answer:?}");
        assert!(answer.shows("<h1"), "{page}");
        assert_guarded(&answer);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{page}");
    }
    for page in [
        "/changes/CHG-9999",
        "/services/none",
        "/incidents/INC-9",
        "/templates/x",
        "/gate-checks/x",
    ] {
        let answer = house.get(&cookie, &format!("/t/halden{page}"));
        assert_eq!(answer.status, 404, "{page}: {answer:?}");
        assert!(answer.shows("Page not found"), "{page}");
        assert_guarded(&answer);
    }
    // A session of one tenant is nobody in another.
    assert_eq!(
        house.get(&cookie, "/t/other/changes").place(),
        "/t/other/sign-in?next=/t/other/changes"
    );
    let ingrid = house.sign_in("ingrid");
    let audit = house.get(&ingrid, "/t/halden/audit");
    assert_eq!(audit.status, 403, "{audit:?}");
    assert_guarded(&audit);
}

#[test]
fn assets_are_kept_for_a_year_under_their_own_version() {
    let house = house("assets");
    let page = house.get("", "/sign-in");
    let (_, rest) = page.body.split_once("href=\"/assets/app.css").unwrap();
    let version = rest.split('"').next().unwrap();
    let style = house.get("", &format!("/assets/app.css{version}"));
    assert_eq!(style.status, 200);
    assert_eq!(
        style.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(
        house.get("", "/assets/app.css").header("cache-control"),
        Some("no-cache")
    );
    assert_eq!(house.get("", "/assets/nothing.css").status, 404);
}

#[test]
fn a_change_is_written_by_form_and_wrong_answers_come_back() {
    let house = house("write");
    let cookie = house.sign_in("ingrid");
    let wrong = [
        ("title", "Only a title"),
        ("planned_start", "tomorrow"),
        ("targets.1.service", "booking-api"),
        ("plan.4.minutes", "3"),
        ("act", "keep"),
    ];
    let answer = house.post(&cookie, "/t/halden/changes", &wrong);
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(
        answer.shows("Only a title") && answer.shows("This is not a day and time"),
        "{answer:?}"
    );
    assert_guarded(&answer);

    let answer = house.post(
        &cookie,
        "/t/halden/changes",
        &[("title", "x"), ("targets.1.service", "booking-api"), ("act", "keep")],
    );
    assert_eq!(answer.status, 422);
    assert!(
        answer.shows("targets.1.environment-e"),
        "the error stands beside its own row: {answer:?}"
    );

    let early = house.post(
        &cookie,
        "/t/halden/changes",
        &[("title", "Too early"), ("act", "submit")],
    );
    assert_eq!(early.status, 409, "{early:?}");
    assert!(
        early.shows("justification-e") && early.shows("required before submission"),
        "{early:?}"
    );
    assert!(
        !house.get(&cookie, "/t/halden/changes").shows("Too early"),
        "it was not saved"
    );

    let more = house.post(
        &cookie,
        "/t/halden/changes",
        &[("title", "Typed before"), ("add", "plan")],
    );
    assert_eq!(more.status, 200);
    assert!(
        more.shows("Typed before") && more.shows("name=\"plan.2.title\""),
        "{more:?}"
    );

    a_right_answer_makes_the_change(&house, &cookie);
}

fn a_right_answer_makes_the_change(house: &House, cookie: &str) {
    let done = send(house, cookie, "/t/halden/changes", &change_form(house, "keep"));
    assert_eq!(done.status, 303, "{done:?}");
    assert!(
        done.place()
            .starts_with("/t/halden/changes/CHG-1001?done=created&seal="),
        "{done:?}"
    );
    let page = house.get(cookie, done.place());
    assert!(
        page.shows("Give every shipment a customs reference") && page.shows("Change created."),
        "{page:?}"
    );
    assert!(page.shows("Submit for assessment") && page.shows("wrote it"));
    assert!(house.get(cookie, "/t/halden/changes?q=customs").shows("CHG-1001"));
    assert_eq!(
        house.get(cookie, "/t/halden/changes?q=chg-1001").place(),
        "/t/halden/changes/CHG-1001"
    );
    assert!(house.get(cookie, "/t/halden/").shows("CHG-1001"));
}

#[test]
fn an_edit_keeps_what_it_does_not_show_and_refuses_a_stale_form() {
    let house = house("edit");
    let cookie = house.sign_in("ingrid");
    send(&house, &cookie, "/t/halden/changes", &change_form(&house, "keep"));
    let form = house.get(&cookie, "/t/halden/changes/CHG-1001/edit");
    assert!(form.shows("Customs asks for it from Monday."), "{form:?}");
    let revision = form.hidden("revision");
    let mut pairs = change_form(&house, "keep");
    pairs.retain(|(name, _)| *name != "justification");
    pairs.push(("justification", "Customs asks for it from Tuesday.".to_owned()));
    pairs.push(("revision", revision));
    let done = send(&house, &cookie, "/t/halden/changes/CHG-1001/edit", &pairs);
    assert_eq!(done.status, 303, "{done:?}");
    assert!(house.get(&cookie, done.place()).shows("from Tuesday"));
    let stale = send(&house, &cookie, "/t/halden/changes/CHG-1001/edit", &pairs);
    assert_eq!(stale.status, 412, "{stale:?}");
    assert!(
        stale.shows("Two of you edited CHG-1001") && stale.shows("edited it while you did"),
        "{stale:?}"
    );
}

#[test]
fn work_that_is_done_already_is_told_by_form() {
    let house = house("afterwards");
    let cookie = house.sign_in("ingrid");
    let form = house.get(&cookie, "/t/halden/changes/new");
    assert!(form.shows("Work that is done already") && form.shows("name=\"retrospective.verbal_approver\""));
    let mut pairs = change_form(&house, "submit");
    pairs.retain(|(name, _)| !name.starts_with("planned_"));
    for (name, value) in [
        ("retrospective.actual_start", "2020-01-01T10:00"),
        ("retrospective.actual_end", "2020-01-01T11:00"),
        ("retrospective.verbal_approver", "hanne"),
        ("retrospective.reason", "Nobody answered the telephone."),
    ] {
        pairs.push((name, value.to_owned()));
    }
    let done = send(&house, &cookie, "/t/halden/changes", &pairs);
    assert_eq!(done.status, 303, "{done:?}");
    let page = house.get(&cookie, done.place());
    assert!(page.shows("Retrospective"), "{page:?}");
    // No policy grants it a permit ahead, and the page's route refuses it as the API does.
    let refused = house.post(
        &cookie,
        "/t/halden/changes/CHG-1001/permit-file",
        &[("service", "booking-api"), ("environment", "production")],
    );
    assert!(matches!(refused.status, 403 | 409 | 422), "{refused:?}");
}

#[test]
fn a_change_walks_to_its_approval_by_forms() {
    let house = house("walk");
    let (ingrid, hanne, marta) = (house.sign_in("ingrid"), house.sign_in("hanne"), house.sign_in("marta"));
    let done = send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    assert_eq!(done.status, 303, "{done:?}");
    let change = "/t/halden/changes/CHG-1001";
    let assessed = house.post(
        &marta,
        &format!("{change}/assessment"),
        &[("dependencies_reviewed", "true"), ("excluded", "")],
    );
    assert_eq!(assessed.status, 303, "{assessed:?}");

    let home = house.get(&hanne, "/t/halden/");
    assert!(
        home.shows("One change needs your decision") && home.shows("CHG-1001"),
        "{home:?}"
    );
    let page = house.get(&hanne, change);
    assert!(
        page.shows("Your decision") && page.shows("decide-conditions"),
        "{page:?}"
    );
    let digest = page.hidden("content_digest");
    assert!(digest.starts_with("sha256:"), "{digest}");
    // Nobody gets an act without the right to it, and sending it all the same is refused.
    assert!(!house.get(&ingrid, change).shows("decide-conditions"));
    let own = house.post(
        &ingrid,
        &format!("{change}/approvals"),
        &[("decision", "approve"), ("content_digest", &digest)],
    );
    assert_eq!(own.status, 403, "{own:?}");
    assert!(own.shows("You may not do this"));
    assert_guarded(&own);

    wrong_words_come_back(&house, &hanne, change, &digest);
    let digest = what_was_edited_meanwhile_is_read_first(&house, (&hanne, &ingrid), change, &digest);
    the_right_word_counts(&house, (&hanne, &ingrid), change, &digest);
}

fn wrong_words_come_back(house: &House, hanne: &str, change: &str, digest: &str) {
    let mute = house.post(
        hanne,
        &format!("{change}/approvals"),
        &[("decision", "reject"), ("content_digest", digest)],
    );
    assert_eq!(mute.status, 422, "{mute:?}");
    assert!(
        mute.shows("decide-reject-comment-e"),
        "the error stands in the form that was sent: {mute:?}"
    );
    let old = house.post(
        hanne,
        &format!("{change}/approvals"),
        &[("decision", "approve"), ("content_digest", "sha256:0")],
    );
    assert_eq!(old.status, 409, "{old:?}");
    assert!(old.shows("No version of this change ever had that digest"));
}

/// A decision on a stale text is refused with the difference, and counts nowhere; returns the digest of the current text.
fn what_was_edited_meanwhile_is_read_first(
    house: &House,
    (hanne, ingrid): (&str, &str),
    change: &str,
    read: &str,
) -> String {
    let edit = format!("{change}/edit");
    let mut pairs = change_form(house, "keep");
    pairs.retain(|(name, _)| *name != "description");
    pairs.push(("description", "Two new columns and a job that fills them.".to_owned()));
    pairs.push(("revision", house.get(ingrid, &edit).hidden("revision")));
    let edited = send(house, ingrid, &edit, &pairs);
    assert_eq!(edited.status, 303, "{edited:?}");
    let late = house.post(
        hanne,
        &format!("{change}/approvals"),
        &[("decision", "approve"), ("content_digest", read)],
    );
    assert_eq!(late.status, 409, "{late:?}");
    assert!(late.shows("edited since you read it"), "{late:?}");
    assert!(
        late.shows("Two new columns and a job that fills them."),
        "the text that stands there now is read first: {late:?}"
    );
    assert!(
        late.shows("Description: ") && late.shows(" became ") && late.shows("A new column and a job that fills it."),
        "what changed is told, with what was read: {late:?}"
    );
    assert!(
        !late.shows("No version of this change ever had that digest"),
        "{late:?}"
    );
    let page = house.get(hanne, change);
    assert!(page.shows("Your decision"), "nothing was decided: {page:?}");
    let now = page.hidden("content_digest");
    assert!(now.starts_with("sha256:") && now != read, "{now}");
    now
}

fn the_right_word_counts(house: &House, (hanne, ingrid): (&str, &str), change: &str, digest: &str) {
    let yes = house.post(
        hanne,
        &format!("{change}/approvals"),
        &[("decision", "approve"), ("content_digest", digest)],
    );
    assert_eq!(yes.status, 303, "{yes:?}");
    assert!(
        yes.place()
            .starts_with("/t/halden/changes/CHG-1001?done=approvals&seal="),
        "{yes:?}"
    );
    let page = house.get(hanne, yes.place());
    assert!(
        page.shows("Approval recorded.") && page.shows("Hanne Brandt"),
        "{page:?}"
    );
    assert!(house.get(hanne, "/t/halden/").shows("Nothing waits for your decision"));

    let said = house.post(ingrid, &format!("{change}/comments"), &[("text", "Thanks <b>all</b>")]);
    assert_eq!(said.status, 303, "{said:?}");
    let page = house.get(ingrid, change);
    assert!(
        page.shows("Thanks &lt;b&gt;all") && !page.shows("Thanks <b>"),
        "{page:?}"
    );
    let hold = house.post(ingrid, &format!("{change}/hold"), &[("reason", " ")]);
    assert_eq!(hold.status, 422);
    assert!(hold.shows("act-hold-reason-e"), "{hold:?}");
    assert_eq!(house.post(ingrid, &format!("{change}/nothing"), &[]).status, 404);
}

#[test]
fn a_tokens_secret_is_shown_once() {
    let house = house("token");
    let cookie = house.sign_in("marta");
    let made = house.post(
        &cookie,
        "/t/halden/tokens",
        &[("name", "pipeline"), ("person", "ingrid"), ("scopes", "gate")],
    );
    assert_eq!(made.status, 200, "{made:?}");
    assert!(made.shows("pipeline is made") && made.shows("ast_"), "{made:?}");
    let secret = made
        .body
        .split_once("<code>ast_")
        .unwrap()
        .1
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    let list = house.get(&cookie, "/t/halden/tokens");
    assert!(list.shows("pipeline") && !list.shows(&secret));
    assert!(!list.shows("value=\"read\" checked"), "nothing is ticked beforehand");
    let wrong = house.post(&cookie, "/t/halden/tokens", &[("name", ""), ("scopes", "read")]);
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert!(wrong.shows("list-token-name-e"), "{wrong:?}");
    let silent = house.post(&cookie, "/t/halden/tokens", &[("name", "x"), ("person", "ingrid")]);
    assert!(
        silent.status == 422 && silent.shows("Choose at least one scope"),
        "{silent:?}"
    );
}

/// The account shows sessions and second factors, and adds an authenticator without script.
#[test]
fn what_two_people_give_is_proposed_by_form() {
    let house = house("by_two");
    let marta = house.sign_in("marta");
    let (people, hint) = ("/t/halden/people", "With a reason it is proposed");
    assert!(!house.get(&marta, people).shows(hint), "she is alone");
    let second = [("login", "siri"), ("name", "Siri"), ("roles", "admin")];
    assert_eq!(house.post(&marta, people, &second).status, 303);
    assert!(house.get(&marta, people).shows(hint));

    let rights = "/t/halden/people/ingrid/roles";
    let alone = house.post(&marta, rights, &[("roles", "owner")]);
    assert_eq!(alone.status, 409, "{alone:?}");
    assert!(alone.shows("that affect decisions takes two people here"), "{alone:?}");
    let less = house.post(&marta, rights, &[("roles", "requester"), ("reason", "")]);
    assert_eq!(less.status, 303, "what takes away needs no reason: {less:?}");
    let proposed = house.post(&marta, rights, &[("roles", "owner"), ("reason", "She answers for it.")]);
    assert_eq!(proposed.status, 303, "{proposed:?}");
    let page = house.get(&marta, "/t/halden/policies");
    let words = ["person: ", "login ingrid", "She answers for it."];
    assert_eq!(words.map(|text| page.shows(text)), [true; 3]);

    let made = house.post(&marta, "/t/halden/connections", &[("kind", "plain"), ("name", "Ours")]);
    assert!(made.shows("once another person puts it in force"), "{made:?}");
    let list = house.get(&marta, "/t/halden/connections");
    let rest = list.body.split_once("href=\"/t/halden/connections/").unwrap().1;
    let id: String = rest
        .chars()
        .take_while(|letter| letter.is_ascii_hexdigit() || *letter == '-')
        .collect();
    let place = format!("/t/halden/connections/{id}");
    let waits = house.get(&marta, &place);
    assert!(
        waits.shows("Waits for another person") && waits.shows("Propose to take its deliveries"),
        "{waits:?}"
    );
    let sent = house.post(&marta, &format!("{place}/proposal"), &[("reason", "Our own.")]);
    assert_eq!(sent.status, 303, "{sent:?}");
    assert!(
        house
            .get(&marta, "/t/halden/policies")
            .shows("deliveries of the connection Ours (Plain JSON) are taken")
    );
}

#[test]
fn an_authenticator_is_added_on_the_account_page() {
    let house = house("factors");
    let cookie = house.sign_in("ingrid");
    let account = house.get(&cookie, "/t/halden/account");
    assert!(
        account.shows("Second factors") && account.shows("Your sessions"),
        "{account:?}"
    );
    let made = house.post(&cookie, "/t/halden/account/factors", &[("name", "Phone")]);
    assert_eq!(made.status, 200, "{made:?}");
    let (secret, url) = (made.hidden("secret"), made.hidden("url"));
    let id = made
        .body
        .split("/account/factors/")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let confirm = format!("/t/halden/account/factors/{id}/confirmation");
    let wrong = [("code", "000000"), ("secret", &secret), ("url", &url)];
    let again = house.post(&cookie, &confirm, &wrong);
    assert!(again.status == 422 && again.hidden("secret") == secret, "{again:?}");
    let now = house.running.state().executor().tools().clock.now().as_second();
    let totp = totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(&secret).unwrap())
        .build()
        .unwrap();
    let code = totp.generate(u64::try_from(now).unwrap()).to_string();
    let done = house.post(&cookie, &confirm, &[("code", &code)]);
    assert!(done.shows("Your recovery codes"), "{done:?}");
    // A new session has shown one of two factors, and the page requests the other.
    let second = house.sign_in("ingrid");
    let asked = house.get(&second, "/t/halden/step-up");
    assert!(
        asked.shows("Code of your authenticator") && !asked.shows("type=\"password\""),
        "{asked:?}"
    );
    let removal = format!("/t/halden/account/factors/{id}/removal");
    let refused = house.post(&second, &removal, &[]);
    assert!(refused.place().starts_with("/t/halden/step-up"), "{refused:?}");
    let ended = house.post(&cookie, "/t/halden/account/sessions/others", &[]);
    assert_eq!(ended.place(), "/t/halden/account");
    assert!(house.get(&second, "/t/halden/account").place().contains("/sign-in"));
}
