//! Forms that were accepted before, and forms that came back after their subject had changed: their messages stay true, and the
//! input stays.

use acts::Context;
use acts::report::find_records;
use model::change::change_file::Actor;
use model::core::enums;
use model::directory::snapshot;
use store::{Lane, Mode};

use super::{Answer, House, TENANT, change_form, house, send};

const CHANGE: &str = "/t/halden/changes/CHG-1001";
const AGAIN: &str = "This form was already submitted, so nothing was done again.";

fn read<T: Send + 'static>(
    house: &House,
    look: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> T {
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Pages, TENANT, Actor::system(), Mode::Read, look)
        .unwrap()
}

/// Sends a form of the page that is shown, with its mark; gives back the page that it leads to.
fn sent(house: &House, who: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let done = house.post(who, path, pairs);
    assert_eq!(done.status, 303, "{done:?}");
    house.get(who, done.place())
}

/// The forms of a page that are sent to an address below this one.
fn forms<'p>(page: &'p Answer, below: &str) -> Vec<&'p str> {
    let all = page.body.split("<form").skip(1);
    let all = all.map(|rest| rest.split("</form>").next().unwrap());
    all.filter(|form| form.contains(&format!("action=\"{below}")) && form.contains("method=\"post\""))
        .collect()
}

fn implementing(house: &House) {
    let executor = house.running.state().executor();
    executor
        .wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, |cx| {
            cx.on_change("CHG-1001", |case| {
                case.file.change.state = enums::State::Implementing;
                case.emit("change.implementing", serde_json::json!({}));
                Ok(())
            })
        })
        .unwrap();
}

#[test]
fn a_form_that_was_taken_before_says_so_and_nothing_that_does_not_stand() {
    let house = house("resent");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    let mark = house.get(&marta, CHANGE).hidden("once");
    let hold = [("reason", "The hauliers are away"), ("once", mark.as_str())];
    let path = format!("{CHANGE}/hold");
    assert!(sent(&house, &marta, &path, &hold).shows("The change is on hold."));
    let twice = sent(&house, &marta, &path, &hold);
    assert!(twice.shows(AGAIN) && twice.shows("On hold by"), "{twice:?}");
    sent(&house, &marta, &format!("{CHANGE}/resume"), &[]);
    let back = sent(&house, &marta, &path, &hold);
    assert!(back.shows(AGAIN), "{back:?}");
    assert!(
        !back.shows("The change is on hold.") && !back.shows("On hold by"),
        "{back:?}"
    );

    let watch = [("once", mark.as_str())];
    let path = format!("{CHANGE}/watchers");
    assert!(sent(&house, &marta, &path, &watch).shows("You are now watching this change."));
    sent(&house, &marta, &format!("{path}/end"), &[]);
    let back = sent(&house, &marta, &path, &watch);
    assert!(
        back.shows(AGAIN) && !back.shows("You are now watching this change."),
        "{back:?}"
    );
}

#[test]
fn times_that_are_sent_twice_are_nobody_elses() {
    let house = house("resent-times");
    let ingrid = house.sign_in("ingrid");
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    house.post(
        &ingrid,
        &format!("{CHANGE}/assessment"),
        &[("dependencies_reviewed", "true")],
    );
    let page = house.get(&ingrid, CHANGE);
    let (was, mark) = (page.hidden("was"), page.hidden("once"));
    let times = [
        ("was", was.as_str()),
        ("once", mark.as_str()),
        ("planned_start", "2126-12-20T10:00"),
        ("planned_end", "2126-12-20T12:00"),
    ];
    let path = format!("{CHANGE}/schedule");
    assert!(sent(&house, &ingrid, &path, &times).shows("Planned times saved."));
    assert!(sent(&house, &ingrid, &path, &times).shows(AGAIN));
}

#[test]
fn every_form_of_a_change_does_its_work_once() {
    let house = house("resent-marks");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    let all_marked = |page: &Answer| {
        let forms = forms(page, &format!("{CHANGE}/"));
        assert!(!forms.is_empty(), "{page:?}");
        for form in forms {
            assert!(form.contains("name=\"once\" value=\""), "{form}");
            assert!(!form.contains("name=\"once\" value=\"\""), "{form}");
        }
    };
    for who in [&ingrid, &marta] {
        all_marked(&house.get(who, CHANGE));
    }
    implementing(&house);
    let runbook = format!("{CHANGE}/runbook");
    let page = house.get(&ingrid, &runbook);
    all_marked(&page);
    let mark = page.hidden("once");
    let tap = [
        ("next", "runbook"),
        ("once", mark.as_str()),
        ("kind", "rollback"),
        ("text", "Turned back."),
    ];
    let path = format!("{CHANGE}/implementation/entries");
    sent(&house, &ingrid, &path, &tap);
    assert!(sent(&house, &ingrid, &path, &tap).shows(AGAIN));
    all_marked(&house.get(&ingrid, &runbook));
    let count = read(&house, |cx| {
        let id = cx.change("CHG-1001")?.id;
        Ok(find_records::find_entries(cx, id.as_str())?.len())
    });
    assert_eq!(count, 1);
}

#[test]
fn a_comment_beside_a_yes_comes_back_in_its_own_form() {
    let house = house("resent-comment");
    let (ingrid, hanne) = (house.sign_in("ingrid"), house.sign_in("hanne"));
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    house.post(
        &ingrid,
        &format!("{CHANGE}/assessment"),
        &[("dependencies_reviewed", "true")],
    );
    let digest = house.get(&hanne, CHANGE).hidden("content_digest");
    let long = "Staging ran first. ".repeat(1_100);
    let say = |digest: &str, comment: &str| {
        let word = [
            ("decision", "approve"),
            ("comment", comment),
            ("content_digest", digest),
        ];
        house.post(&hanne, &format!("{CHANGE}/approvals"), &word)
    };
    let refused = say(&digest, &long);
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(refused.shows("approve-comment-e"), "{refused:?}");
    assert!(
        !refused.shows("`comment`") && refused.shows("Staging ran first."),
        "{refused:?}"
    );
    let moved = say("sha256:0000", "Staging ran first.");
    assert!(matches!(moved.status, 409 | 412), "{moved:?}");
    assert!(moved.shows(">\nStaging ran first.</textarea>"), "{moved:?}");
}

#[test]
fn what_was_typed_stands_where_its_form_is_gone() {
    let house = house("resent-gone");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    sent(
        &house,
        &ingrid,
        &format!("{CHANGE}/cancellation"),
        &[("reason", "Not needed")],
    );
    let hold = [
        ("reason", "The hauliers are away"),
        ("until", "2126-12-20T10:00"),
        ("once", "m1"),
    ];
    let late = house.post(&marta, &format!("{CHANGE}/hold"), &hold);
    assert_eq!(late.status, 409, "{late:?}");
    assert!(
        late.shows("The hauliers are away") && late.shows("Why it must wait"),
        "{late:?}"
    );
    let question = [
        ("decision", "return"),
        ("comment", "Which hauliers?"),
        ("content_digest", "sha256:0000"),
    ];
    let late = house.post(&marta, &format!("{CHANGE}/approvals"), &question);
    assert!(late.shows("Which hauliers?"), "{late:?}");
    assert!(!late.shows("sha256:0000"), "{late:?}");
}

#[test]
fn a_deviation_that_came_back_still_knows_its_step() {
    let house = house("resent-step");
    let ingrid = house.sign_in("ingrid");
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    implementing(&house);
    let long = "It differs. ".repeat(2_000);
    let entry = [
        ("next", "runbook"),
        ("kind", "deviation"),
        ("step", "1"),
        ("text", long.as_str()),
    ];
    let refused = house.post(&ingrid, &format!("{CHANGE}/implementation/entries"), &entry);
    assert_eq!(refused.status, 422, "{refused:?}");
    let forms = forms(&refused, &format!("{CHANGE}/implementation/entries\""));
    let form = forms.iter().find(|form| form.contains("It differs.")).unwrap();
    assert!(
        form.contains("name=\"step\" value=\"1\"") && form.contains("name=\"next\" value=\"runbook\""),
        "{form}"
    );
}

#[test]
fn policy_proposals_that_are_refused_come_back_with_what_was_typed() {
    let house = house("resent-policies");
    let marta = house.sign_in("marta");
    let policies = "/t/halden/policies";
    let times = [
        ("table.high.decide", "9bd"),
        ("table.low.decide", "soon"),
        ("reason", " "),
    ];
    let refused = house.post(&marta, &format!("{policies}/sla-table/proposal"), &times);
    assert_eq!(refused.status, 422, "{refused:?}");
    for shown in ["value=\"9bd\"", "value=\"soon\"", "slas-reason-e"] {
        assert!(refused.shows(shown), "{shown}: {refused:?}");
    }
    let days = [("changes_days", "7"), ("reason", "Quick")];
    let refused = house.post(&marta, &format!("{policies}/retention/proposal"), &days);
    assert_eq!(refused.status, 422, "{refused:?}");
    for shown in ["value=\"7\"", "value=\"Quick\"", "retention-changes_days-e"] {
        assert!(refused.shows(shown), "{shown}: {refused:?}");
    }
    let set = [("parameters", "# ours"), ("last", "20"), ("reason", " ")];
    let refused = house.post(&marta, &format!("{policies}/proposal"), &set);
    assert_eq!(refused.status, 422, "{refused:?}");
    for shown in [
        "propose-reason-e",
        "name=\"parameters\" value=\"# ours\"",
        "Propose this set",
    ] {
        assert!(refused.shows(shown), "{shown}: {refused:?}");
    }
}

#[test]
fn new_things_are_made_once() {
    let house = house("resent-new");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    let twice = |page: &str, path: &str, pairs: &[(&str, &str)]| {
        let mark = house.get(&marta, page).hidden("once");
        assert!(!mark.is_empty(), "{page}");
        let pairs: Vec<(&str, &str)> = pairs.iter().copied().chain([("once", mark.as_str())]).collect();
        let first = house.post(&marta, path, &pairs);
        assert!(matches!(first.status, 200 | 303), "{first:?}");
        assert!(sent(&house, &marta, path, &pairs).shows(AGAIN), "{path}");
    };
    let window = [
        ("title", "Night"),
        ("starts_at", "2126-12-20T10:00"),
        ("ends_at", "2126-12-21T10:00"),
    ];
    twice("/t/halden/windows", "/t/halden/windows", &window);
    let broken = [("title", "The sorter stands still"), ("severity", "3")];
    twice("/t/halden/incidents", "/t/halden/incidents", &broken);
    let token = [("name", "ci"), ("person", "marta"), ("scopes", "read")];
    twice("/t/halden/tokens", "/t/halden/tokens", &token);
    let system = [("kind", "github"), ("name", "GitHub of Logistics"), ("owner", "marta")];
    twice("/t/halden/connections", "/t/halden/connections", &system);
    let days = [("changes_days", "400"), ("reason", "Our rules")];
    twice("/t/halden/policies", "/t/halden/policies/retention/proposal", &days);
    let counts = read(&house, |cx| {
        let tokens = find_records::find_tokens(cx)?.len();
        let directory = cx.directory()?;
        let every = store::record::Filter::new();
        let connections = store::record::find::<snapshot::Connection>(cx.tx, &every)?;
        Ok((directory.windows.len(), tokens, connections.len()))
    });
    assert_eq!(counts, (1, 1, 1));
}

#[test]
fn an_act_on_several_changes_is_done_once() {
    let house = house("resent-bulk");
    let (ingrid, marta) = (house.sign_in("ingrid"), house.sign_in("marta"));
    send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "submit"));
    let asked = house.get(&marta, "/t/halden/changes/bulk?act=hold&key=CHG-1001");
    let (mark, digest) = (asked.hidden("once"), asked.hidden("digest"));
    let hold = [
        ("once", mark.as_str()),
        ("act", "hold"),
        ("key", "CHG-1001"),
        ("digest", digest.as_str()),
        ("words", "The hauliers are away"),
    ];
    let done = house.post(&marta, "/t/halden/changes/bulk", &hold);
    assert!(done.shows("1 of 1 done"), "{done:?}");
    sent(&house, &marta, &format!("{CHANGE}/resume"), &[]);
    let back = house.post(&marta, "/t/halden/changes/bulk", &hold);
    assert!(
        back.shows(AGAIN) && back.shows("0 of 1 done") && !back.shows("is on hold"),
        "{back:?}"
    );
    assert!(!house.get(&marta, CHANGE).shows("On hold by"));
}

#[test]
fn a_typed_document_is_wrong_where_it_was_typed_and_a_copied_key_may_have_blanks() {
    let house = house("resent-small");
    let ingrid = house.sign_in("ingrid");
    for _ in 0..2 {
        send(&house, &ingrid, "/t/halden/changes", &change_form(&house, "draft"));
    }
    let form = "--x\r\ncontent-disposition: form-data; name=\"kind\"\r\n\r\njunit\r\n\
                --x\r\ncontent-disposition: form-data; name=\"text\"\r\n\r\n<testsuite\r\n--x--\r\n";
    let headers = [
        ("cookie", ingrid.as_str()),
        ("content-type", "multipart/form-data; boundary=x"),
        ("sec-fetch-site", "same-origin"),
    ];
    let refused = house.ask("POST", &format!("{CHANGE}/evidence"), &headers, form);
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(
        refused.shows("evidence-evidence-text-e") && !refused.shows("evidence-evidence-file-e"),
        "{refused:?}"
    );
    let link = [("kind", "fixes"), ("to", " CHG-1002 ")];
    let linked = house.post(&ingrid, &format!("{CHANGE}/links"), &link);
    assert_eq!(linked.status, 303, "{linked:?}");
}
