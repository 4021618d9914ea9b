//! The directory through the API: imports with a dry run, exports that come back as they are, delegations that give
//! nobody too much, and ownership that moves between request and decision.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use serde_json::{Value, json};

use crate::world::World;

fn import(world: &World, kind: &str, text: &str, dry_run: bool) -> crate::world::Answer {
    let body = json!({"kind": kind, "text": text, "dry_run": dry_run});
    world.post("adam", "/imports", &body)
}

fn whys<'a>(report: &'a Value, rows: &str) -> Vec<&'a str> {
    report[rows]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["rule"].as_str().unwrap())
        .collect()
}

#[test]
fn an_import_shows_its_difference_before_it_does_it_and_does_it_once() {
    let world = World::new();
    let text = "service,environment,role,person,group,since,ends_at\n\
                ,,owner,oscar,,2026-01-01T00:00:00Z,\n\
                ,production,technical_lead,ivan,,2026-01-01T00:00:00Z,2099-01-01T00:00:00Z\n";
    let before = world.get("adam", "/ownerships?limit=200").expect(200);
    let would = import(&world, "ownerships", text, true).expect(200);
    assert_eq!(
        (would["dry_run"].clone(), would["added"].clone()),
        (json!(true), json!(1)),
        "{would}"
    );
    assert_eq!(would["rows"][0]["fields"], json!(["since"]), "{would}");
    assert_eq!(
        world.get("adam", "/ownerships?limit=200").expect(200),
        before,
        "a dry run writes nothing"
    );
    let done = import(&world, "ownerships", text, false).expect(200);
    assert_eq!(done["added"], 1, "{done}");
    assert_eq!(done["rows"][1]["what"], "added");
    assert_eq!(done["rows"][1]["after"]["person"], "ivan");
    let again = import(&world, "ownerships", text, false).expect(200);
    assert_eq!(
        (again["unchanged"].clone(), again["rows"].clone()),
        (json!(2), json!([])),
        "{again}"
    );
    world
        .post("rita", "/imports", &json!({"kind": "ownerships", "text": text}))
        .problem(403, "not_allowed");
}

/// A person who writes two lines into one is warned; a file with them is taken as it is meant.
#[test]
fn a_name_of_several_lines_is_one_line_where_a_file_brings_it() {
    let world = World::new();
    let text = "key,name,criticality\nlabels,\"Label\n\tprint\",low\n";
    import(&world, "services", text, false).expect(200);
    let kept = world.get("adam", "/services/labels").expect(200);
    assert_eq!(kept["name"], "Label print", "{kept}");
    let mut said = World::change_body();
    said["title"] = json!("Print\nlabels");
    let refused = world.post("rita", "/changes", &said).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "control_character", "{refused}");
}

#[test]
fn what_is_exported_comes_back_without_a_difference() {
    let world = World::new();
    for noun in [
        "people",
        "groups",
        "services",
        "environments",
        "config_items",
        "dependencies",
        "ownerships",
    ] {
        for format in ["csv", "json"] {
            let export = world
                .get("adam", &format!("/exports/{noun}?format={format}"))
                .expect(200);
            let body = json!({"kind": noun, "format": format, "text": export["text"], "dry_run": true});
            let report = world.post("adam", "/imports", &body).expect(200);
            assert_eq!(report["rows"], json!([]), "{noun} as {format}: {report}");
            assert_eq!(report["unchanged"], export["rows"], "{noun} as {format}");
        }
    }
    world.get("adam", "/exports/secrets").problem(404, "not_found");
}

#[test]
fn a_wrong_line_refuses_the_whole_with_line_reason_and_example() {
    let world = World::new();
    let text = "service,role,person,since,ends_at\n\
                ,owner,oscar,2026-01-01T00:00:00Z,\n\
                ,data,oscar,2026-06-01T00:00:00Z,2026-01-01T00:00:00Z\n\
                nowhere,owner,nobody,,\n\
                ,owner,vera,,\n";
    let refused = import(&world, "ownerships", text, false).problem(422, "invalid");
    let told = refused["errors"].to_string();
    for part in [
        "line 3: ends_at",
        "must be later than",
        "Example: service=shop",
        "line 4: service",
        "line 5: person",
        "vendors",
    ] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    let unread = import(&world, "groups", "key,naem\na,b\n", false).problem(422, "invalid");
    assert!(
        unread["errors"].to_string().contains("`naem` is no column here"),
        "{unread}"
    );
    let backwards = json!([{"day": "monday", "from": "16:00", "to": "08:00"}]);
    let both = json!({"key": "slip", "zone": "Europe/Olso", "hours": backwards});
    let refused = world.post("adam", "/calendars", &both).problem(422, "invalid");
    let fields: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["field"].as_str())
        .collect();
    assert_eq!(fields, ["zone", "hours"], "all that is wrong is told at once");
    let calendar = json!({"key": "empty", "zone": "Europe/Oslo", "hours": []});
    let refused = world.post("adam", "/calendars", &calendar).problem(422, "invalid");
    assert!(refused.to_string().contains("without working hours"), "{refused}");
}

#[test]
fn a_catalogue_and_holidays_are_read() {
    let world = World::new();
    let catalogue = "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: commerce}\nspec: {owner: buyers}\n---\n\
        apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: basket, annotations: {assent/criticality: high}}\n\
        spec: {owner: 'user:oscar', system: commerce}\n---\n\
        apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: buyers}\nspec: {type: team, members: [rita]}\n";
    let body = json!({"kind": "backstage", "text": catalogue});
    let done = world.post("adam", "/imports", &body).expect(200);
    assert_eq!(done["added"], 6, "{done}");
    let lines = world
        .get(
            "rita",
            "/ownership-lines?service=basket&environment=production&role=owner",
        )
        .expect(200);
    let part = &lines["parts"][0];
    assert_eq!(part["asked"][0]["person"], "oscar", "{lines}");
    assert_eq!(part["lines"][1]["scope"], "service:commerce");
    assert_eq!(part["lines"][1]["path"], json!(["service:basket"]));
    assert_eq!(part["lines"][1]["holders"][0]["person"], "rita");
    let file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nSUMMARY:Christmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let done = import(&world, "holidays", file, false).expect(200);
    assert_eq!(done["added"], 1, "{done}");
    let calendar = world.get("rita", "/calendars/default").expect(200);
    assert_eq!(
        calendar["holidays"],
        json!([{"date": "2026-12-25", "title": "Christmas"}])
    );
}

#[test]
fn a_delegation_gives_nobody_what_they_may_not_hold_and_closes_no_ring() {
    let world = World::new();
    let ask = |who: &str, more: Value| {
        let mut body =
            json!({"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z", "correction": true});
        for (field, value) in more.as_object().unwrap() {
            body[field] = value.clone();
        }
        world.post(who, "/delegations", &body)
    };
    let code = |answer: crate::world::Answer| answer.problem(422, "invalid")["errors"][0]["code"].clone();
    assert_eq!(code(ask("oscar", json!({"delegate": "pipe"}))), "may_not_hold");
    assert_eq!(code(ask("oscar", json!({"delegate": "aino"}))), "may_not_hold");
    assert_eq!(code(ask("oscar", json!({"delegate": "oscar"}))), "not_allowed");
    assert_eq!(
        code(ask("adam", json!({"delegator": "oscar", "delegate": "adam"}))),
        "own_request"
    );
    ask("rita", json!({"delegator": "oscar", "delegate": "rita"})).problem(403, "not_allowed");
    let row = json!({"role": "owner", "person": "ivan", "function": "dba"});
    let refused = world.post("adam", "/ownerships", &row).problem(422, "invalid");
    assert!(refused.to_string().contains("job function"), "{refused}");
    ask("oscar", json!({"delegate": "mona"})).expect(201);
    ask("mona", json!({"delegate": "sina"})).expect(201);
    let ring = ask("sina", json!({"delegate": "oscar"})).problem(422, "invalid");
    assert_eq!(ring["errors"][0]["code"], "delegation_cycle");
    assert!(ring.to_string().contains("sina → oscar → mona → sina"), "{ring}");
    let told = ring["errors"][0]["text"].as_str().unwrap();
    assert!(
        told.contains("Example: end the delegation by oscar (`DELETE /delegations/")
            && told.contains("(`starts_at` 2099-01-01T00:00:00Z)"),
        "{told}"
    );
    assert_eq!(
        code(ask(
            "oscar",
            json!({"delegate": "mona", "ends_at": "2025-01-01T00:00:00Z"})
        )),
        "out_of_order"
    );
}

#[test]
fn reports_tell_what_nobody_can_approve_and_who_is_alone() {
    let world = World::new();
    let report = world.get("rita", "/ownership-reports").expect(200);
    assert_eq!(report["unapprovable"], json!([]), "{report}");
    assert!(whys(&report, "alone").contains(&"base.require.owner"), "{report}");
    let rows = world.get("adam", "/ownerships?limit=200").expect(200);
    let owner = rows["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["role"] == "owner")
        .unwrap();
    let path = format!("/ownerships/{}", owner["id"].as_str().unwrap());
    world.as_person("adam", "DELETE", &path).send().expect(200);
    let report = world.get("rita", "/ownership-reports").expect(200);
    assert!(
        whys(&report, "unapprovable").contains(&"base.require.owner"),
        "{report}"
    );
    let lines = world
        .get("rita", "/ownership-lines?service=nowhere&environment=production")
        .problem(404, "not_found");
    assert_eq!(lines["code"], "not_found");
}

/// Nor does a request that names a part of the known fields; a null clears.
#[test]
fn what_a_request_does_not_name_stays_as_it_is() {
    let world = World::new();
    let service = json!({"key": "ledger", "criticality": "critical", "regimes": ["sox"], "data_class": "restricted"});
    world.post("adam", "/services", &service).expect(201);
    let told = world
        .post("adam", "/services", &json!({"key": "ledger", "name": "The ledger"}))
        .expect(200);
    let kept = [&told["criticality"], &told["regimes"], &told["data_class"]];
    assert_eq!(kept, [&json!("critical"), &json!(["sox"]), &json!("restricted")]);
    let patch = world.as_person("adam", "PATCH", "/services/ledger");
    let version = format!("\"{}\"", told["version"]);
    let told = patch
        .header("if-match", &version)
        .json(&json!({"data_class": null}))
        .send()
        .expect(200);
    assert!(told.get("data_class").is_none(), "{told}");
    assert_eq!(told["regimes"], json!(["sox"]));
    let stage = json!({"key": "stage", "name": "The stage", "is_production": false});
    world.post("adam", "/environments", &stage).expect(201);
    let told = world
        .post("adam", "/environments", &json!({"key": "stage", "name": "Stage"}))
        .expect(200);
    assert_eq!(told["is_production"], false);
}

/// A request with another key to an address would change a row that its sender does not mean.
#[test]
fn a_key_stays_as_the_address_says_it() {
    let world = World::new();
    let told = world.post("adam", "/services", &json!({"key": "ledger"})).expect(201);
    let version = format!("\"{}\"", told["version"]);
    let provider = json!({"name": "Corp", "issuer": "https://id.example.org", "client_id": "assent"});
    let workload = json!({"name": "Jobs", "issuer": "https://ci.example.org", "person": "adam"});
    for (method, path, body) in [
        ("PATCH", "/services/ledger", json!({})),
        ("PUT", "/groups/ops", json!({"name": "Ops"})),
        ("PUT", "/identity-providers/corp", provider),
        ("PUT", "/workloads/jobs", workload),
    ] {
        let mut body = body;
        body["key"] = json!("another");
        let asked = world.as_person("adam", method, path).header("if-match", &version);
        let errors = asked.json(&body).send().problem(422, "invalid")["errors"].clone();
        let told: Vec<&Value> = errors.as_array().unwrap().iter().map(|it| &it["field"]).collect();
        assert!(told.contains(&&json!("key")), "{path}: {errors}");
    }
    let same = world
        .as_person("adam", "PATCH", "/services/ledger")
        .header("if-match", &version);
    same.json(&json!({"key": "ledger", "name": "The ledger"}))
        .send()
        .expect(200);
}

/// 201 means that a thing is new and 200 that it existed; a sender who needs a new one alone can require that, and overwrites
/// nobody's.
#[test]
fn a_post_tells_what_it_made_from_what_it_set_and_sets_nothing_where_only_a_new_one_is_wanted() {
    let world = World::new();
    let hours = |from: &str| json!({"key": "oslo", "hours": [{"day": "monday", "from": from, "to": "17:00"}]});
    for (path, first, other) in [
        (
            "/services",
            json!({"key": "ledger", "name": "The ledger"}),
            json!({"key": "ledger", "name": "Another's"}),
        ),
        (
            "/environments",
            json!({"key": "lab", "name": "The lab"}),
            json!({"key": "lab", "name": "Another's"}),
        ),
        (
            "/config-items",
            json!({"key": "disk-7", "service": "booking-api", "name": "A disk"}),
            json!({"key": "disk-7", "service": "booking-api", "name": "Another's"}),
        ),
        ("/calendars", hours("08:00"), hours("10:00")),
    ] {
        let only_new = |login: &str, body: &Value| {
            let ask = world.as_person(login, "POST", path).header("if-none-match", "*");
            ask.json(body).send()
        };
        let made = only_new("adam", &first).expect(201);
        let told = only_new("adam", &other).problem(412, "stale");
        assert!(told["detail"].as_str().unwrap().contains("PATCH"), "{told}");
        only_new("rita", &other).problem(403, "not_allowed");
        let one = format!("{path}/{}", first["key"].as_str().unwrap());
        assert_eq!(world.get("adam", &one).expect(200), made, "nothing was set");
        // A repeat by its idempotency key gets the first response, and without a key it is a plain setting.
        let again = |key: &str| {
            let ask = world.as_person("adam", "POST", path).header("idempotency-key", key);
            ask.json(&other).send()
        };
        let set = again("one").expect(200);
        assert_eq!(again("one").expect(200), set);
        assert_ne!(set["version"], made["version"]);
        assert_eq!(
            world.get("adam", &one).header("etag"),
            format!("\"{}\"", set["version"])
        );
    }
}

/// A regime that was written amiss would take a service from under its rules, or leave a row that nobody ever finds.
#[test]
fn a_regime_that_is_nearly_a_known_one_is_refused_with_what_was_meant() {
    let world = World::new();
    let service = |regimes: Value| {
        let body = json!({"key": "tills", "regimes": regimes});
        world.post("adam", "/services", &body)
    };
    let told = service(json!(["sox", "pci"])).problem(422, "invalid");
    let text = "No policy can test the regime `pci`. Did you mean `pci_dss`? Name that instead, or beside it.";
    assert_eq!(told["errors"][0]["text"], text);
    assert_eq!(told["errors"][0]["field"], "regimes");
    world.get("adam", "/services/tills").problem(404, "not_found");
    let told = import(&world, "services", "key,regimes\ntills,pci\n", false);
    told.problem(422, "invalid");
    let row = json!({"class": "regime:pci", "role": "security", "person": "sina"});
    let told = world.post("adam", "/ownerships", &row).problem(422, "invalid");
    assert_eq!(told["errors"][0]["code"], "unknown_regime");
    let told = service(json!(["PCI-DSS", "sox_404", "sox", "bafin"])).expect(201);
    assert_eq!(told["regimes"], json!(["bafin", "pci_dss", "sox", "sox_404"]));
}

/// A file with fewer facts than are known here takes nothing away: a regulated service stays regulated.
#[test]
fn what_a_file_does_not_name_stays_as_it_is() {
    let world = World::new();
    let service = json!({"key": "ledger", "criticality": "critical", "regimes": ["sox"], "data_class": "restricted"});
    world.post("adam", "/services", &service).expect(201);
    import(&world, "services", "key,name\nledger,The ledger\n", false).expect(200);
    let ledger = || world.get("adam", "/services/ledger").expect(200);
    let told = ledger();
    assert_eq!(told["name"], "The ledger");
    let kept = [&told["criticality"], &told["regimes"], &told["data_class"]];
    assert_eq!(kept, [&json!("critical"), &json!(["sox"]), &json!("restricted")]);
    let catalogue = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: ledger}\nspec: {owner: 'user:oscar'}\n---\n\
                     apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: keepers}\nspec: {type: team, children: []}\n";
    let keepers = json!({"members": ["sina"]});
    world
        .as_person("adam", "PUT", "/groups/keepers")
        .json(&keepers)
        .send()
        .expect(200);
    world
        .post("adam", "/imports", &json!({"kind": "backstage", "text": catalogue}))
        .expect(200);
    assert_eq!(ledger()["regimes"], json!(["sox"]));
    let group = world.get("adam", "/groups/keepers").expect(200);
    assert_eq!(group["members"], json!(["sina"]), "{group}");
    let told = import(&world, "services", "key,regimes\nledger,\n", false).problem(422, "invalid");
    assert_eq!(told["errors"][0]["code"], "two_people_needed", "by one alone");
    import(&world, "services", "key,data_class,name\nledger,restricted,\n", false).expect(200);
    assert_eq!(ledger()["name"], "ledger", "an empty cell clears");
    import(&world, "environments", "key,is_production\nstaging,FALSE\n", false).expect(200);
    import(&world, "environments", "key,name\nstaging,The stage\n", false).expect(200);
    assert_eq!(
        world.get("adam", "/environments/staging").expect(200)["is_production"],
        false
    );
    let row = "service,role,person,function\nledger,data,oscar,\n";
    import(&world, "people", "login,functions\noscar,dba\n", false).expect(200);
    import(&world, "ownerships", &row.replace("oscar,\n", "oscar,dba\n"), false).expect(200);
    let again = import(&world, "ownerships", "service,role,person\nledger,data,oscar\n", false).expect(200);
    assert_eq!(again["unchanged"], 1, "{again}");
}

/// A Component, its API and their System are often called alike.
#[test]
fn entities_of_one_name_are_one_service() {
    let world = World::new();
    let entity = |kind: &str, spec: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata: {{name: petstore}}\nspec: {{{spec}}}\n---\n"
        )
    };
    let text = entity("Component", "owner: 'user:oscar', system: petstore")
        + &entity("API", "owner: 'user:oscar', system: petstore")
        + &entity("System", "owner: 'user:oscar'");
    let report = world
        .post("adam", "/imports", &json!({"kind": "backstage", "text": text}))
        .expect(200);
    assert_eq!(report["added"], 2, "a service and its owner: {report}");
}

/// Where an empty list means all, a name that came out empty must not.
#[test]
fn an_empty_name_in_a_list_does_not_mean_all() {
    let world = World::new();
    let span = json!({"title": "Year end", "starts_at": "2098-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z"});
    let with = |field: &str, value: Value| {
        let mut body = span.clone();
        body[field] = value;
        body
    };
    for blank in ["", "  "] {
        let refused = world
            .post("mona", "/freezes", &with("services", json!([blank])))
            .problem(422, "invalid");
        assert_eq!(refused["errors"][0]["field"], "services[0]", "{refused}");
    }
    let delegation = json!({"delegate": "sina", "parts": [""], "starts_at": "2098-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z"});
    world.post("oscar", "/delegations", &delegation).problem(422, "invalid");
    world.post("mona", "/freezes", &with("services", json!([]))).expect(201);
}

#[test]
fn a_day_is_kept_in_the_one_form_by_which_clocks_find_it() {
    let world = World::new();
    let hours = json!([{"day": "monday", "from": "08:00", "to": "17:00"}]);
    let days = json!([{"date": "20261225"}, {"date": "2026-12-24"}]);
    let made = world
        .post(
            "adam",
            "/calendars",
            &json!({"key": "oslo", "hours": hours, "holidays": days}),
        )
        .expect(201);
    let dates: Vec<&str> = made["holidays"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["date"].as_str().unwrap())
        .collect();
    assert_eq!(dates, ["2026-12-24", "2026-12-25"]);
}

#[test]
fn null_clears_and_what_is_far_is_no_fault() {
    let world = World::new();
    let made = world
        .post(
            "mona",
            "/incidents",
            &json!({"title": "Labels", "started_at": "2026-01-01T00:00:00Z"}),
        )
        .expect(201);
    let path = format!("/incidents/{}", made["key"].as_str().unwrap());
    let patch = |login: &str, path: &str, body: &Value| {
        world
            .as_person(login, "PATCH", path)
            .header("if-match", "*")
            .json(body)
            .send()
            .expect(200)
    };
    let over = patch("mona", &path, &json!({"resolved_at": "2026-01-01T01:00:00Z"}));
    assert_eq!(over["resolved_at"], "2026-01-01T01:00:00Z");
    assert!(
        patch("mona", &path, &json!({"severity": 1}))
            .get("resolved_at")
            .is_some()
    );
    assert!(
        patch("mona", &path, &json!({"resolved_at": null}))
            .get("resolved_at")
            .is_none()
    );
    let found = world
        .get("mona", &format!("/incidents?q={}", made["key"].as_str().unwrap()))
        .expect(200);
    assert_eq!(found["items"][0]["key"], made["key"], "found by its key");
    patch("adam", "/people/vera", &json!({"email": "vera@acme.example"}));
    assert!(
        patch("adam", "/people/vera", &json!({"name": "V"}))
            .get("email")
            .is_some()
    );
    assert!(
        patch("adam", "/people/vera", &json!({"email": null}))
            .get("email")
            .is_none()
    );
    world.get("mona", "/calendar?from=9999-12-15T00:00:00Z").expect(200);
    let mut far = World::change_body();
    far["kind"] = json!("emergency");
    far["threat"] = json!("A hole");
    far["planned_start"] = json!("9999-12-30T21:00:00Z");
    far["planned_end"] = Value::Null;
    let mut beyond = far.clone();
    beyond["planned_start"] = json!("10000-01-01T00:00:00Z");
    let refused = world.post("rita", "/changes", &beyond).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "out_of_range", "{refused}");
    let refused = world.post("rita", "/changes", &far).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "too_far_ahead", "{refused}");
    // A change that is no emergency may be as far ahead as times go.
    let mut last = World::change_body();
    last["planned_start"] = json!("9999-12-30T20:00:00Z");
    last["planned_end"] = json!("9999-12-30T21:00:00Z");
    let made = world.post("rita", "/changes", &last).expect(201);
    let path = format!("/changes/{}/submission", made["key"].as_str().unwrap());
    world.post("rita", &path, &json!({})).expect(201);
}

/// A named item adds the item's owners; where the estate does not have it, the response reports that it adds nobody.
#[test]
fn a_config_item_that_the_estate_does_not_hold_is_said() {
    let world = World::new();
    let item = json!({"key": "booking-db", "service": "booking-api"});
    world.post("adam", "/config-items", &item).expect(201);
    let mut body = World::change_body();
    body["config_items"] = json!(["booking-db", "boking-db"]);
    let made = world.post("rita", "/changes", &body).expect(201);
    let target = &made["targets"][0];
    assert_eq!(target["config_items"], json!(["booking-db", "boking-db"]));
    assert_eq!(target["unknown_config_items"], json!(["boking-db"]));
    // The content of a response is accepted back unchanged.
    let path = format!("/changes/{}", made["key"].as_str().unwrap());
    let patch = |targets: Value| {
        let ask = world.as_person("rita", "PATCH", &path).header("if-match", "*");
        ask.json(&json!({"targets": targets})).send().expect(200)
    };
    let mut targets = made["targets"].clone();
    patch(targets.clone());
    targets[0]["config_items"] = json!(["booking-db"]);
    assert_eq!(patch(targets)["targets"][0].get("unknown_config_items"), None);
}

#[test]
fn whoever_a_catalogue_makes_member_of_a_group_of_another_file_joins_it() {
    let world = World::new();
    let members = || {
        let group = world.get("adam", "/groups/security").expect(200);
        let members = group["members"].as_array().unwrap().iter();
        members.map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut wanted = members();
    assert!(!wanted.is_empty());
    let text = "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: olga}\n\
                spec: {memberOf: [group:default/security]}\n";
    let report = import(&world, "backstage", text, false).expect(200);
    assert_eq!(report["left_out"], 0, "{report}");
    wanted.push("olga".to_owned());
    wanted.sort();
    let mut now = members();
    now.sort();
    assert_eq!(now, wanted);
    // Again it is no change.
    assert_eq!(import(&world, "backstage", text, false).expect(200)["rows"], json!([]));
}

#[test]
fn environments_config_items_and_calendars_are_changed_in_part_at_the_version_that_was_read() {
    let world = World::new();
    let hours = json!([{"day": "monday", "from": "08:00", "to": "17:00"}]);
    world
        .post("adam", "/calendars", &json!({"key": "oslo", "hours": hours}))
        .expect(201);
    world
        .post("adam", "/environments", &json!({"key": "lab", "is_production": false}))
        .expect(201);
    let item = json!({"key": "ledger-db", "service": "booking-api", "kind": "database"});
    world.post("adam", "/config-items", &item).expect(201);
    for (path, field, stays) in [
        ("/environments/lab", json!("Lab"), ("is_production", json!(false))),
        ("/config-items/ledger-db", json!("Ledger"), ("kind", json!("database"))),
        ("/calendars/oslo", json!("Oslo"), ("hours", hours)),
    ] {
        let etag = world.get("adam", path).header("etag").to_owned();
        let patch = |etag: &str| {
            let ask = world.as_person("adam", "PATCH", path).header("if-match", etag);
            ask.json(&json!({"name": field})).send()
        };
        let changed = patch(&etag).expect(200);
        assert_eq!((&changed["name"], &changed[stays.0]), (&field, &stays.1), "{changed}");
        assert_eq!(patch(&etag).status, 412, "somebody was faster");
    }
    let missing = world
        .as_person("adam", "PATCH", "/environments/none")
        .header("if-match", "*");
    missing.json(&json!({"name": "None"})).send().problem(404, "not_found");
}

#[test]
fn what_cannot_be_read_or_found_is_told_with_its_line_the_reason_and_an_example() {
    let world = World::new();
    let said = |kind: &str, format: &str, text: &str| {
        let mut body = json!({"kind": kind, "text": text});
        if !format.is_empty() {
            body["format"] = json!(format);
        }
        let refused = world.post("adam", "/imports", &body).problem(422, "invalid");
        let first = &refused["errors"][0];
        (
            first["field"].as_str().unwrap().to_owned(),
            first["text"].as_str().unwrap().to_owned(),
        )
    };
    for (kind, format, text, line, reason) in [
        (
            "ownerships",
            "csv",
            "service,role,group\nshop,owner\n",
            "line 2",
            "it has 2 cells",
        ),
        ("groups", "csv", "kee\nweb\n", "line 1", "`kee` is no column here"),
        ("groups", "json", "[{\"key\": \"web\"}, 7]", "row 2", "it is no object"),
        (
            "groups",
            "json",
            "[\n {\n  \"key\": \"web\"\n },\n 7]",
            "line 5",
            "it is no object",
        ),
        ("people", "json", "[\n{\"login\": ]", "line 2", "it is no JSON"),
        ("estate", "", "{\n\"services\": ]", "line 2", "it is no JSON"),
        (
            "estate",
            "",
            "{\"servces\": []}",
            "line 1",
            "`servces` is no list of the directory; its lists are environments, services",
        ),
        (
            "estate",
            "",
            "{\"services\": [{\"key\": \"shop\"}, 7]}",
            "row 2",
            "holds something that is no object",
        ),
        (
            "backstage",
            "",
            "kind: Component\nkind: API\n",
            "line 2",
            "`kind` stands twice",
        ),
        (
            "ownerships",
            "csv",
            "service,role,group\n,owner,nobody\n",
            "line 2: group",
            "There is no group `nobody`.",
        ),
    ] {
        let (field, told) = said(kind, format, text);
        assert_eq!(field, line, "{kind} {text}: {told}");
        assert!(told.contains(reason), "{kind} {text}: {told}");
        assert!(told.contains(" Example: "), "{kind} {text}: {told}");
    }
}

#[test]
fn a_group_and_a_right_that_a_provider_is_to_give_are_told_with_what_is_there() {
    let world = World::new();
    let provider = json!({
        "issuer": "https://id.example", "client_id": "assent", "groups_claim": "groups", "groups": {"dba": "databases"},
        "roles": {"dba": "dbadmin"},
    });
    let refused = world
        .as_person("adam", "PUT", "/identity-providers/corp")
        .header("if-match", "*")
        .json(&provider);
    let refused = refused.send().problem(422, "invalid");
    let [group, right] = [0, 1].map(|place| refused["errors"][place]["text"].as_str().unwrap().to_owned());
    assert!(
        group.contains("There is no group `databases` for `dba`.") && group.contains("such as"),
        "{group}"
    );
    assert!(
        right.contains("There is no right `dbadmin`") && right.contains("for example"),
        "{right}"
    );
}

#[test]
fn a_manager_comes_by_a_file_and_one_by_one_and_goes_out_by_a_file() {
    let world = World::new();
    import(&world, "people", "login,manager\nrita,oscar\n", false).expect(200);
    assert_eq!(world.get("adam", "/people/rita").expect(200)["manager"], "oscar");
    let export = world.get("adam", "/exports/people").expect(200);
    let text = export["text"].as_str().unwrap();
    assert!(
        text.lines()
            .any(|line| line.starts_with("rita,") && line.contains(",oscar,")),
        "{text}"
    );
    let again = import(&world, "people", text, true).expect(200);
    assert_eq!(
        (&again["changed"], &again["added"]),
        (&json!(0), &json!(0)),
        "it comes back as it went: {again}"
    );
    let patch = |manager: Value| {
        let ask = world
            .as_person("adam", "PATCH", "/people/oscar")
            .header("if-match", "*");
        ask.json(&json!({"manager": manager})).send()
    };
    let ring = patch(json!("rita")).problem(422, "invalid");
    assert_eq!(ring["errors"][0]["code"], "manager_cycle", "{ring}");
    assert_eq!(patch(json!("mona")).expect(200)["manager"], "mona");
    assert_eq!(patch(Value::Null).expect(200).get("manager"), None);
}

#[test]
fn a_person_is_shown_with_both_who_are_said_to_answer_for_them() {
    let world = World::new();
    world
        .post("adam", "/people", &json!({"login": "kari", "manager": "mona"}))
        .expect(201);
    assert_eq!(world.get("rita", "/people/ivan").expect(200).get("managers"), None);
    let sina = world.get("rita", "/people/sina").expect(200)["id"].clone();
    let kari = world.get("rita", "/people/kari").expect(200);
    let provisioner = world.token("adam", &["scim"]);
    let body = json!({"Operations": [{
        "op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": sina,
    }]});
    let path = format!("/t/acme/scim/v2/Users/{}", kari["id"].as_str().unwrap());
    let ask = world
        .ask("PATCH", &path)
        .header("authorization", &format!("Bearer {provisioner}"));
    ask.bytes("application/scim+json", body.to_string().as_bytes())
        .send()
        .expect(200);
    let told = world.get("rita", "/people/kari").expect(200);
    assert_eq!(told["manager"], "mona", "the field stays as it was: {told}");
    assert_eq!(
        told["managers"],
        json!([{"manager": "mona", "origin": "named"}, {"manager": "sina", "origin": "scim"}])
    );
}

#[test]
fn a_name_that_was_nearly_written_is_told_at_every_door_that_takes_one() {
    let world = World::new();
    let near = "Did you mean `booking-api`?";
    for (path, mut body) in [
        ("/incidents", json!({"title": "Down", "severity": 2})),
        ("/webhooks", json!({"name": "x", "url": "https://x.example/y"})),
        (
            "/freezes",
            json!({"title": "x", "reason": "x", "starts_at": "2100-01-01T00:00:00Z", "ends_at": "2100-01-02T00:00:00Z"}),
        ),
        ("/changes", json!({"title": "x", "environment": "production"})),
    ] {
        body["services"] = json!(["boking-api"]);
        let who = match path {
            "/webhooks" => "adam",
            "/changes" => "rita",
            _ => "mona",
        };
        let told = world.post(who, path, &body).problem(422, "invalid");
        assert!(told.to_string().contains(near), "{path}: {told}");
    }
    let meeting = json!({"group": "nowhere", "title": "CAB", "starts_at": "2100-01-01T00:00:00Z"});
    let told = world
        .post("mona", "/meetings", &meeting)
        .problem(422, "invalid")
        .to_string();
    assert!(
        told.contains("There is no group `nowhere`. Existing examples: `change-managers"),
        "{told}"
    );
}
