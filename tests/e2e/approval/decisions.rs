//! One person is one vote, however often and however fast they decide; and only a stored decision counts.

use serde_json::json;
use tests::faults::{load::Load, size};
use tests::journey::{artifact, request, waiting_for_approval};
use tests::{Place, Server};

/// How many requests a person sends at once.
const AT_ONCE: usize = 64;

#[test]
fn one_person_who_approves_many_times_at_once_counts_once() {
    let place = Place::demo("voices");
    let server = Server::start(&place, true);
    let security = server.token("security");
    for round in 0..size("ASSENT_TEST_VOICES", 3) {
        let artifact = artifact(100 + round as u64);
        let title = format!("Approved often, round {round}");
        let path = waiting_for_approval(&server, &request(&title, &artifact, server.server_time()), &artifact);
        let digest = server.must("GET", &path, &security, None)["content_digest"].clone();
        let decision = json!({"decision": "approve", "content_digest": digest});
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    scope.spawn(|| {
                        server
                            .ask("POST", &format!("{path}/approvals"), Some(&security), Some(&decision))
                            .0
                    })
                })
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(statuses.contains(&201), "{statuses:?}");
        // Another one may get a conflict with a faster one, or the status of an overloaded server.
        assert!(
            statuses.iter().all(|status| [201, 409, 503].contains(status)),
            "{statuses:?}"
        );
        let approvals = server.must("GET", &format!("{path}/approvals?limit=200"), &security, None);
        let standing = |it: &&serde_json::Value| it["state"] == "standing";
        let count = approvals["items"].as_array().unwrap().iter().filter(standing).count();
        assert_eq!(count, 1, "of {}", approvals["items"].as_array().unwrap().len());
        assert_eq!(server.must("GET", &path, &security, None)["state"], "authorizing");
    }
}

/// The same act retried with one key, by several clients at once, happens once: the load's own check.
#[test]
fn acts_asked_for_again_with_their_key_happen_once() {
    let place = Place::demo("again");
    let server = Server::start(&place, true);
    let token = server.token("requester");
    // Two loads of one name write the same titles with the same keys.
    let loads = [Load::begin("same", &token, 3), Load::begin("same", &token, 3)];
    for load in &loads {
        load.turn_to(Some(&server.url));
    }
    for load in &loads {
        load.wait_for(20);
    }
    let mut kept = loads.map(Load::stop).concat();
    let asked = kept.len();
    kept.sort_by(|left, right| left.title.cmp(&right.title));
    kept.dedup();
    assert!(kept.len() < asked, "nothing was asked for twice");
    tests::faults::load::check_kept(&server, &server.token("auditor"), &kept);
}
