//! People are notified as they wish, once, whoever dies meanwhile; and their reply by mail becomes a comment, never a decision.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::faults::{eventually, raw, signals};
use tests::journey::{artifact, request, waiting_for_approval};
use tests::letters::{Letter, Letters};
use tests::{Place, Server};

/// A server that mails, over a place that a further server may take over.
pub(crate) fn start(place: &Place, letters: &Letters) -> Server {
    let settings = letters.settings(place.folder.path());
    Server::start_with(place, true, &["--config", settings.to_str().unwrap()])
}

fn comment(server: &Server, path: &str, role: &str, text: &str) {
    let body = json!({"text": text});
    server.must("POST", &format!("{path}/comments"), &server.token(role), Some(&body));
}

pub(crate) fn login(server: &Server, role: &str) -> String {
    server.person(role)["login"].as_str().unwrap().to_owned()
}

/// The number of letters to an address about a comment on a change; a letter that came twice counts once, as for its reader.
fn told_of(letters: &Letters, address: &str, key: &str) -> usize {
    let mut seen = BTreeSet::new();
    let found = letters.to(address, "");
    let fresh = found.iter().filter(|letter| seen.insert(letter.head("Message-ID")));
    let comment = format!("{key} has a comment");
    fresh.map(|letter| letter.text().matches(&comment).count()).sum()
}

/// Sets a person's zone to one in which no hour is skipped.
fn live_in_utc(server: &Server, login: &str) {
    let (path, admin) = (format!("/api/v1/people/{login}"), server.token("admin"));
    let version = server.must("GET", &path, &admin, None)["version"].clone();
    let etag = format!("\"{version}\"");
    let zone = json!({"zone": "UTC"});
    let (status, said) = server.ask_with("PATCH", &path, Some(&admin), Some(&zone), &[("If-Match", &etag)]);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
}

/// The text of a piece of markup, with a space for each tag.
fn words(html: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_u32;
    for letter in html.chars() {
        match letter {
            '<' => depth += 1,
            '>' if depth > 0 => {
                depth -= 1;
                out.push(' ');
            }
            other if depth == 0 => out.push(other),
            _ => {}
        }
    }
    let plain = out.replace("&#39;", "'").replace("&quot;", "\"").replace("&amp;", "&");
    // A tag before a full stop is no space to the eye.
    let joined = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    joined
        .replace(" .", ".")
        .replace(" ,", ",")
        .replace(" :", ":")
        .replace(" ;", ";")
        .replace("( ", "(")
        .replace(" )", ")")
}

/// A page without its pictures, which a letter gives as text alone.
fn without_pictures(page: &str) -> String {
    let mut parts = page.split("<svg");
    let mut out = parts.next().unwrap_or_default().to_owned();
    parts
        .filter_map(|part| part.split_once("</svg>"))
        .for_each(|(_, rest)| out.push_str(rest));
    out
}

/// The rows of the decision card on a page, in their order.
fn card_on_page(page: &str) -> Vec<String> {
    let page = without_pictures(page);
    let card = page
        .split("<dl class=\"brief\">")
        .nth(1)
        .unwrap()
        .split("</dl>")
        .next()
        .unwrap();
    card.split("<dd>")
        .skip(1)
        .map(|part| words(part.split("</dd>").next().unwrap()))
        .collect()
}

/// The same of a letter: a row's title is at the beginning of a line, its content is indented.
fn card_in_letter(text: &str) -> Vec<String> {
    let mut answers: Vec<String> = Vec::new();
    for line in text.lines() {
        if line == "What" || (!answers.is_empty() && !line.starts_with("  ") && !line.is_empty()) {
            answers.push(String::new());
        } else if let (Some(last), Some(answer)) = (answers.last_mut(), line.strip_prefix("  ")) {
            let signs = ["[x] ", "[!] ", "[ ] "];
            let bare = signs
                .iter()
                .find_map(|sign| answer.strip_prefix(sign))
                .unwrap_or(answer);
            // A space at a line's end is written out in a letter (RFC 2045, section 6.7).
            last.push_str(&format!(" {}", bare.replace("=20", " ")));
        } else if line.is_empty() && !answers.is_empty() {
            break;
        }
    }
    answers.iter().map(|answer| words(answer)).collect()
}

/// The content of a page now as a letter has it, which is read later: days by their date, and behind the planned times their
/// zone.
fn in_letter(answer: &str, now: Timestamp) -> String {
    let now = now.in_tz("Europe/Oslo").unwrap();
    let dated = |days: i64| {
        let day = now.checked_add(jiff::Span::new().days(days)).unwrap();
        let year = if day.year() == now.year() { "" } else { " %Y" };
        day.strftime(&format!("%a %-d %b{year}")).to_string()
    };
    let mut said = answer.to_owned();
    for (words, days) in [(["today", "Today"], 0), (["tomorrow", "Tomorrow"], 1)] {
        for word in words {
            said = said.replace(word, &dated(days));
        }
    }
    let is_planned = answer.contains("The effect on users is not stated.");
    if is_planned {
        said = said.replacen(". ", ". Times in Europe/Oslo. ", 1);
    }
    said
}

#[test]
fn the_decision_card_in_a_letter_says_what_the_page_says() {
    let place = Place::demo("told_card");
    let letters = Letters::start();
    let server = start(&place, &letters);
    let digest = artifact(9_105);
    let requester = server.token("requester");
    let wanted = request("A card to compare", &digest, server.server_time());
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&wanted));
    let key = made["key"].as_str().unwrap();
    let path = format!("/api/v1/changes/{key}");
    let evidence = tests::journey::evidence(&digest);
    for (act, body) in [
        ("evidence", evidence),
        ("submission", json!({})),
        ("assessment", json!({"dependencies_reviewed": true})),
    ] {
        server.must("POST", &format!("{path}/{act}"), &requester, Some(&body));
    }
    let subject = format!("{key} needs your decision");
    eventually("the letter has come", || !letters.to("", &subject).is_empty());
    let person = server.person("security");
    let mail = format!("{}@halden.example", login(&server, "security"));
    eventually("this one's letter has come", || !letters.to(&mail, &subject).is_empty());
    let letter = letters.to(&mail, &subject).remove(0).text();
    let session = tests::session::Session::begin(&server, "security");
    let page = session
        .get(&format!("/t/{}/changes/{key}", person["tenant"].as_str().unwrap()))
        .body;
    let (shown, told) = (card_on_page(&page), card_in_letter(&letter));
    assert!(shown.len() >= 7, "the card has seven answers: {shown:?}");
    let wanted: Vec<String> = shown
        .iter()
        .map(|answer| in_letter(answer, server.server_time()))
        .collect();
    assert_eq!(wanted, told, "{letter}");
    assert!(
        told[2].contains("Times in Europe/Oslo.") && !told[2].contains("oday"),
        "{told:?}"
    );
}

/// People notified about a change that their decision is void, each once, in the order of their logins.
fn told_void(server: &Server, letters: &Letters, key: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let found = letters.to("", &format!("{key} needs your decision again"));
    let fresh = found.iter().filter(|letter| seen.insert(letter.head("Message-ID")));
    let roles = ["owner", "security", "change_manager", "requester"];
    let name = |letter: &Letter| {
        assert!(letter.text().contains("so your approval is void"), "{letter:?}");
        let is_to = |role: &&&str| letter.head("To").contains(&format!("{}@", login(server, role)));
        roles
            .iter()
            .find(is_to)
            .map_or_else(|| letter.head("To"), |role| (*role).to_owned())
    };
    let mut told: Vec<String> = fresh.map(name).collect();
    told.sort();
    told
}

/// Edits a change as its requester.
fn edit(server: &Server, method: &str, path: &str, body: &Value) {
    let (status, said) = server.ask_with(
        method,
        path,
        Some(&server.token("requester")),
        Some(body),
        &[("If-Match", "*")],
    );
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
}

#[test]
fn an_edit_tells_exactly_those_whose_word_it_voids() {
    let place = Place::demo("told_void");
    let letters = Letters::start();
    let server = start(&place, &letters);
    let now = server.server_time();
    let [all, two] = [9_106, 9_107].map(|number| {
        let digest = artifact(number);
        waiting_for_approval(&server, &request("A word that may be void", &digest, now), &digest)
    });
    let key = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    for (path, roles) in [
        (&all, &["owner", "security", "change_manager"][..]),
        (&two, &["owner", "security"]),
    ] {
        roles
            .iter()
            .for_each(|role| tests::journey::approve(&server, path, role));
    }
    // An edit that no approval covers notifies nobody.
    edit(&server, "PATCH", &all, &json!({"labels": ["x"]}));
    edit(&server, "PATCH", &two, &json!({"labels": ["x"]}));
    // New times concern the approvers of the times, and a new plan the approvers of the work.
    let times = json!({
        "planned_start": now.to_string(), "planned_end": (now + SignedDuration::from_hours(3)).to_string(),
    });
    edit(&server, "PUT", &format!("{all}/schedule"), &times);
    edit(
        &server,
        "PATCH",
        &two,
        &json!({"plan": [{"title": "Bring it out by hand", "minutes": 20}]}),
    );
    eventually("those whose word is void are told", || {
        told_void(&server, &letters, &key(&two)).len() >= 2 && !told_void(&server, &letters, &key(&all)).is_empty()
    });
    crate::notify::post::until_all_are_sent(&place);
    assert_eq!(told_void(&server, &letters, &key(&all)), ["change_manager"]);
    assert_eq!(told_void(&server, &letters, &key(&two)), ["owner", "security"]);
    server.stop();
    crate::platform::crash::must_replay(&place);
}

#[test]
fn letters_that_wait_are_sent_once_whoever_dies_meanwhile() {
    let place = Place::demo("told");
    let letters = Letters::start();
    let server = start(&place, &letters);
    // A server that is started anew begins at the true time, so the letter is due hours after it.
    let due = server.server_time() + SignedDuration::from_hours(3);
    let due = due - SignedDuration::from_secs(due.as_second() % 60);
    let me = login(&server, "requester");
    live_in_utc(&server, &me);
    let wishes = json!({"how": "digest", "digest_at": due.strftime("%H:%M").to_string()});
    let telling = format!("/api/v1/people/{me}/telling");
    let (token, any) = (server.token("requester"), [("If-Match", "*")]);
    let (status, said) = server.ask_with("PUT", &telling, Some(&token), Some(&wishes), &any);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
    let digest = artifact(9_101);
    let path = waiting_for_approval(
        &server,
        &request("Two words a day", &digest, server.server_time()),
        &digest,
    );
    let key = path.rsplit('/').next().unwrap().to_owned();
    comment(&server, &path, "owner", "The first word.");
    comment(&server, &path, "security", "The second word.");
    // A server that dies while they wait leaves them waiting.
    signals::send("KILL", server.id());
    drop(server);
    let mut server = start(&place, &letters);
    server.hold_clock(due - SignedDuration::from_secs(60));
    let mail = format!("{me}@halden.example");
    let owner = login(&server, "owner");
    eventually("who is asked to decide is told at once", || {
        !letters.to(&owner, "needs your decision").is_empty()
    });
    assert_eq!(told_of(&letters, &mail, &key), 0);
    // And one that dies when they are due leaves them to the next.
    server.advance(61);
    signals::send("KILL", server.id());
    drop(server);
    let mut server = start(&place, &letters);
    // A letter that the dead server had taken to send is free again a minute later.
    server.hold_clock(due + SignedDuration::from_secs(120));
    eventually("the day's letter has come", || told_of(&letters, &mail, &key) == 2);
    server.advance(24 * 60 * 60);
    comment(&server, &path, "owner", "The third word.");
    server.advance(24 * 60 * 60);
    eventually("the next day's letter has come", || told_of(&letters, &mail, &key) == 3);
    let list = server.must("GET", &telling, &server.token("requester"), None);
    assert_eq!(list["digest_at"], wishes["digest_at"], "{list}");
    server.stop();
    crate::platform::crash::must_replay(&place);
}

#[test]
fn who_watches_a_service_is_told_of_its_milestones() {
    let place = Place::demo("watched");
    let letters = Letters::start();
    let server = start(&place, &letters);
    let watcher = server.token("auditor");
    let watchers = format!("/api/v1/services/{}/watchers", tests::journey::SERVICE);
    server.must("POST", &watchers, &watcher, Some(&json!({})));
    let digest = artifact(9_102);
    tests::journey::scheduled(&server, "Somebody looks on", &digest);
    let mail = format!("{}@halden.example", login(&server, "auditor"));
    eventually("the watcher is told", || {
        !letters.to(&mail, "is approved and scheduled").is_empty()
    });
    let texts: Vec<String> = letters
        .to(&mail, "is approved and scheduled")
        .iter()
        .map(Letter::text)
        .collect();
    assert!(
        texts.iter().any(|text| text.contains("because you watch the change")),
        "{texts:?}"
    );
    let after = server.must("DELETE", &watchers, &watcher, None);
    assert_eq!(after["people"], json!([]), "{after}");
    let (status, _) = server.ask("POST", &watchers, Some(&watcher), Some(&json!({"group": "security"})));
    assert_eq!(status, 403, "nobody lets a group watch that they are not in");
}

/// A connection that forwards mail: its path and its secret.
pub(crate) fn mailbox(server: &Server) -> (String, String) {
    let body = json!({"kind": "mail", "name": "Replies", "reply_to": "assent@halden.example"});
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&body));
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("hook_path"), text("secret"))
}

/// Forwards a mail as a mail server would.
pub(crate) fn hand_on(server: &Server, (path, secret): &(String, String), mail: &str) -> Option<u16> {
    let length = mail.len().to_string();
    let heads = [("Content-Type", "message/rfc822"), ("Content-Length", length.as_str())];
    raw::ask(
        &server.url,
        &raw::head("POST", path, Some(secret), &heads),
        &[mail.as_bytes()],
    )
}

fn reply(letter: &Letter, from: &str, id: &str, words: &str, more: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: <{}>\r\nSubject: Re: {}\r\nMessage-ID: <{id}@mail.example>\r\n{more}\r\n{words}\r\n\r\n\
         On Friday 2026, Assent <assent@halden.example> wrote:\r\n> [Reply above this line]\r\n> whatever\r\n",
        letter.head("Reply-To"),
        letter.head("Subject"),
    )
}

fn comments(server: &Server, path: &str) -> Vec<Value> {
    let list = server.must("GET", &format!("{path}/comments"), &server.token("auditor"), None);
    list["items"].as_array().unwrap().clone()
}

/// Mail of a stranger, of a program, to an address that was changed on the way, and with another secret.
fn send_what_is_nobodys(server: &Server, mailbox: &(String, String), letter: &Letter, answers: &str) {
    let stranger = reply(letter, "eve@mail.example", "m0", "I approve it.", "");
    assert_eq!(hand_on(server, mailbox, &stranger), Some(202));
    let away = reply(letter, answers, "m1", "I am away.", "Auto-Submitted: auto-replied\r\n");
    assert_eq!(hand_on(server, mailbox, &away), Some(202));
    let address = letter.head("Reply-To");
    let at = address.find('@').unwrap();
    let swapped = if address[..at].ends_with('a') { "b" } else { "a" };
    let forged = format!("{}{swapped}{}", &address[..at - 1], &address[at..]);
    let forged = reply(letter, answers, "m2", "Forged.", "").replace(&address, &forged);
    assert_eq!(hand_on(server, mailbox, &forged), Some(202));
    let wrong = (mailbox.0.clone(), "another-secret-of-enough-length".to_owned());
    assert_eq!(hand_on(server, &wrong, &stranger), Some(401));
}

/// The owner of the address is notified of the stranger's mail, once; a program and a forger get no reply.
fn must_tell_of_the_strangers_mail(letters: &Letters, answers: &str) {
    eventually("the person is told of what was not taken", || {
        !letters.to(answers, "was not taken").is_empty()
    });
    let refused = letters.to(answers, "was not taken");
    assert!(
        refused.len() == 1 && refused[0].text().contains("eve@mail.example"),
        "{refused:?}"
    );
    assert!(letters.to("eve@mail.example", "").is_empty());
}

/// An approver returns a change with a question, its requester replies to the letter, and the approver has the reply by mail.
#[test]
fn a_question_is_answered_by_mail_and_nothing_is_decided_by_it() {
    let place = Place::demo("reply");
    let letters = Letters::start();
    let server = start(&place, &letters);
    let mailbox = mailbox(&server);
    let digest = artifact(9_103);
    let path = waiting_for_approval(&server, &request("Answer me", &digest, server.server_time()), &digest);
    let key = path.rsplit('/').next().unwrap().to_owned();
    let question = json!({"question": "Who checks the new table?"});
    server.must(
        "POST",
        &format!("{path}/return"),
        &server.token("security"),
        Some(&question),
    );
    let mail_of = |role: &str| format!("{}@halden.example", login(&server, role));
    let (asks, answers) = (mail_of("security"), mail_of("requester"));
    eventually("the question has come", || {
        !letters.to(&answers, "came back with a question").is_empty()
    });
    let letter = letters.to(&answers, "came back with a question").remove(0);
    assert!(letter.text().contains("Who checks the new table?"), "{letter:?}");
    assert!(letter.head("Reply-To").contains("assent+"), "{letter:?}");
    send_what_is_nobodys(&server, &mailbox, &letter, &answers);
    must_tell_of_the_strangers_mail(&letters, &answers);
    // The reply itself, delivered twice.
    let words = "Pricing compares ten routes by hand.\r\nI approve it.";
    let answer = reply(&letter, &answers, "m3", words, "");
    assert_eq!(hand_on(&server, &mailbox, &answer), Some(202));
    assert_eq!(
        hand_on(&server, &mailbox, &format!("Received: again\r\n{answer}")),
        Some(202)
    );
    eventually("the approver has the answer", || {
        !letters.to(&asks, "has an answer to your question").is_empty()
    });
    let told = letters.to(&asks, "has an answer to your question").remove(0);
    assert!(told.text().contains("Pricing compares ten routes by hand."), "{told:?}");
    let found = comments(&server, &path);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["text"], "Pricing compares ten routes by hand.\nI approve it.");
    assert_eq!(found[0]["by"], login(&server, "requester"));
    // The approver replies in turn, from the letter about it: a comment again, and the draft stays one.
    let yes = reply(&told, &asks, "m4", "Approved!", "");
    assert_eq!(hand_on(&server, &mailbox, &yes), Some(202));
    eventually("the second answer is a comment", || comments(&server, &path).len() == 2);
    let change = server.must("GET", &path, &server.token("auditor"), None);
    assert_eq!(change["state"], "draft", "{key}");
    let standing = server.must("GET", &format!("{path}/approvals"), &server.token("auditor"), None);
    let is_standing = |row: &Value| row["state"] == "standing" && row["decision"] == "approve";
    assert!(
        !standing["items"].as_array().unwrap().iter().any(is_standing),
        "{standing}"
    );
    let deliveries = format!(
        "/api/v1/connections/{}/deliveries?state=done",
        mailbox.0.rsplit('/').next().unwrap()
    );
    let done = server
        .must("GET", &deliveries, &server.token("admin"), None)
        .to_string();
    for why in ["not sent by the person", "sent to no address", "sent by itself"] {
        assert!(done.contains(why), "{why} is missing in {done}");
    }
    server.stop();
    crate::platform::crash::must_replay(&place);
}
