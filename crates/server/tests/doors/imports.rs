//! The errors of an import are reported where a person finds them, a duplicate name is refused, and an entry missing from a
//! catalogue ends, where it came from that catalogue.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use acts::directory::set_person;
use serde_json::{Value, json};

use crate::world::World;

fn refused(world: &World, kind: &str, format: &str, text: &str) -> Value {
    let body = json!({"kind": kind, "format": format, "text": text});
    world.post("adam", "/imports", &body).problem(422, "invalid")["errors"].clone()
}

#[test]
fn a_thing_that_two_rows_name_is_refused_with_both_lines() {
    let world = World::new();
    for (kind, text, key) in [
        (
            "services",
            "key,name\nrates,Rates\nlabels,Labels\nrates,Other\n",
            "rates",
        ),
        ("environments", "key,name\nlab,Lab\nfar,Far\nlab,Other\n", "lab"),
        ("people", "login,name\nada,Ada\nbea,Bea\nada,Other\n", "ada"),
        ("groups", "key,name\nweb,Web\nops,Ops\nweb,Other\n", "web"),
        (
            "ownerships",
            "role,person\nowner,rita\nowner,ivan\nowner,rita\n",
            "everything everywhere owner rita",
        ),
    ] {
        let errors = refused(&world, kind, "csv", text);
        assert_eq!(errors.as_array().unwrap().len(), 1, "{kind}: {errors}");
        assert_eq!(
            (&errors[0]["field"], &errors[0]["code"]),
            (&json!("line 4"), &json!("not_unique")),
            "{kind}: {errors}"
        );
        let told = errors[0]["text"].as_str().unwrap();
        let wanted = format!("`{key}` is listed twice: line 2 already contains it.");
        assert!(told.starts_with(&wanted) && told.contains(" Example: "), "{told}");
    }
    world.get("adam", "/services/rates").problem(404, "not_found");
}

#[test]
fn a_row_of_json_is_told_by_the_line_on_which_it_begins() {
    let world = World::new();
    let pretty = "[\n  {\n    \"role\": \"owner\",\n    \"person\": \"rita\"\n  },\n  {\n    \"role\": \"owner\",\n    \
                  \"person\": \"ivan\",\n    \"since\": \"2026-01-01T00:00:00Z\",\n    \"ends_at\": \"2025-01-01T00:00:00Z\"\n  }\n]";
    let errors = refused(&world, "ownerships", "json", pretty);
    assert_eq!(errors[0]["field"], "line 6: ends_at", "{errors}");
    let flat: Value = serde_json::from_str(pretty).unwrap();
    let errors = refused(&world, "ownerships", "json", &flat.to_string());
    assert_eq!(errors[0]["field"], "row 2: ends_at", "{errors}");
    let estate = format!("{{\n\"services\": [\n{{\"key\": \"rates\"}}\n],\n\"ownerships\":\n{pretty}}}");
    let errors = refused(&world, "estate", "json", &estate);
    assert_eq!(errors[0]["field"], "line 11: ends_at", "{errors}");
    let items = format!("{{\"items\":\n{pretty}}}");
    let errors = refused(&world, "ownerships", "json", &items);
    assert_eq!(errors[0]["field"], "line 7: ends_at", "{errors}");
}

/// A catalogue of one component.
fn catalogue(component: &str, owner: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {component}}}\n\
         spec: {{owner: 'group:default/{owner}'}}\n"
    )
}

fn bring(world: &World, text: &str, dry_run: bool) -> Value {
    let body = json!({"kind": "backstage", "text": text, "dry_run": dry_run});
    world.post("adam", "/imports", &body).expect(200)
}

/// The groups and people who own the service by a row of its own.
fn owners(world: &World) -> Vec<String> {
    let rows = world.get("adam", "/ownerships?limit=200").expect(200);
    let rows = rows["items"].as_array().unwrap().iter();
    let own = rows.filter(|row| row["service"] == "pay-api" && row["ends_at"].is_null());
    let mut found: Vec<String> = own
        .map(|row| row["group"].as_str().or(row["person"].as_str()).unwrap().to_owned())
        .collect();
    found.sort();
    found
}

#[test]
fn an_owner_whom_the_catalogue_says_no_more_ends_and_one_whom_people_named_stays() {
    let world = World::new();
    let group = |key: &str| {
        let path = format!("/groups/{key}");
        let ask = world.as_person("adam", "PUT", &path).header("if-match", "*");
        ask.json(&json!({"members": ["rita"]})).send();
    };
    group("platform");
    group("finance");
    bring(&world, &catalogue("pay-api", "platform"), false);
    let own = json!({"service": "pay-api", "role": "owner", "person": "oscar"});
    world.post("adam", "/ownerships", &own).expect(201);
    assert_eq!(owners(&world), ["oscar", "platform"]);
    // A file about something else has no effect on it.
    assert_eq!(bring(&world, &catalogue("labels", "finance"), false)["ended"], 0);
    let moved = catalogue("pay-api", "finance");
    let would = bring(&world, &moved, true);
    assert_eq!((&would["added"], &would["ended"]), (&json!(1), &json!(1)), "{would}");
    let ended = would["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["what"] == "ended");
    assert_eq!(ended.unwrap()["key"], "service:pay-api everywhere owner group:platform");
    assert_eq!(owners(&world), ["oscar", "platform"], "a dry run writes nothing");
    bring(&world, &moved, false);
    assert_eq!(owners(&world), ["finance", "oscar"]);
    assert_eq!(bring(&world, &moved, false)["rows"], json!([]), "and it is done once");
    // A person who sets it manually is responsible for it.
    let own = json!({"service": "pay-api", "role": "owner", "group": "finance"});
    world.post("adam", "/ownerships", &own).expect(201);
    assert_eq!(bring(&world, &catalogue("pay-api", "platform"), false)["ended"], 0);
    assert_eq!(owners(&world), ["finance", "oscar", "platform"]);
}

#[test]
fn a_dry_run_names_people_whom_it_would_add_by_their_logins() {
    let world = World::new();
    let text = "apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: nora}\nspec: {memberOf: [night]}\n---\n\
                apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: night}\nspec: {type: team, children: []}\n";
    let would = bring(&world, text, true);
    let rows = would["rows"].as_array().unwrap();
    let group = rows.iter().find(|row| row["noun"] == "groups").unwrap();
    assert_eq!(group["after"]["members"], json!(["nora"]), "{would:#}");
    assert_eq!(bring(&world, text, false)["rows"].as_array().unwrap().len(), rows.len());
}

/// Service, environment and rule of each finding.
fn findings(report: &Value, list: &str) -> Vec<[String; 3]> {
    let told = |row: &Value| ["service", "environment", "rule"].map(|field| row[field].as_str().unwrap().to_owned());
    report[list].as_array().unwrap().iter().map(told).collect()
}

#[test]
fn a_dry_run_names_what_nobody_could_approve_any_more() {
    let world = World::new();
    let ask = |end_missing: bool, dry_run: bool| {
        let text = "environment,role,person\nproduction,technical_lead,ivan\n";
        let body = json!({"kind": "ownerships", "text": text, "dry_run": dry_run, "end_missing": end_missing});
        world.post("adam", "/imports", &body).expect(200)
    };
    let reported = || findings(&world.get("adam", "/ownership-reports").expect(200), "unapprovable");
    let before = reported();
    let added = ask(false, true);
    assert_eq!(
        findings(&added, "no_longer_approvable"),
        Vec::<[String; 3]>::new(),
        "{added:#}"
    );
    let would = ask(true, true);
    let lost = findings(&would, "no_longer_approvable");
    assert!(
        lost.iter()
            .any(|[service, place, _]| (service.as_str(), place.as_str()) == ("booking-api", "production")),
        "{would:#}"
    );
    assert_eq!(would["no_longer_approvable"][0]["found"], json!([]), "{would:#}");
    assert_eq!(
        (
            would["services_looked_at"].as_u64(),
            would["services_not_looked_at"].as_u64()
        ),
        (
            Some(
                world.get("adam", "/services").expect(200)["items"]
                    .as_array()
                    .unwrap()
                    .len() as u64
            ),
            Some(0)
        )
    );
    assert_eq!(reported(), before, "a dry run writes nothing");
    // The preview equals the report afterwards, and the done parts are in the report alone.
    let done = ask(true, false);
    assert!(done.get("no_longer_approvable").is_none(), "{done:#}");
    let mut foretold = [before, lost].concat();
    foretold.sort();
    let mut found = reported();
    found.sort();
    assert_eq!(found, foretold);
}

#[test]
fn rows_end_for_want_of_a_line_only_where_the_file_names_rows() {
    let world = World::new();
    let ask = |kind: &str, text: &str| {
        let body = json!({"kind": kind, "text": text, "end_missing": true});
        world.post("adam", "/imports", &body).problem(422, "invalid")["errors"].clone()
    };
    let before = world.get("adam", "/ownerships").expect(200);
    for (kind, text) in [
        ("services", "key,name\nmv,Mv\n"),
        ("ownerships", "environment,role,person\n"),
        ("estate", "{\"services\": [{\"key\": \"mv\"}]}"),
        ("holidays", "BEGIN:VCALENDAR\nEND:VCALENDAR\n"),
    ] {
        let errors = ask(kind, text);
        assert_eq!(
            (&errors[0]["field"], &errors[0]["code"]),
            (&json!("end_missing"), &json!("not_allowed")),
            "{kind}: {errors}"
        );
    }
    assert_eq!(world.get("adam", "/ownerships").expect(200), before);
    world.get("adam", "/services/mv").problem(404, "not_found");
}

#[test]
fn rows_that_stand_already_are_not_judged_anew() {
    let world = World::new();
    let later = world.server.state().executor().tools().clock.now() + jiff::SignedDuration::from_hours(120);
    let row = json!({"service": "booking-api", "role": "owner", "person": "mona", "since": later.to_string()});
    let made = world.post("adam", "/ownerships", &row).expect(201);
    let back = format!("/ownerships/{}", made["id"].as_str().unwrap());
    let ended = world.as_person("adam", "DELETE", &back).send().expect(200);
    world.act(|cx| {
        let auditor = json!({"roles": ["auditor"]});
        set_person::edit_person(cx, "oscar", auditor.as_object().unwrap())
    });
    let export = |format: &str| {
        world
            .get("adam", &format!("/exports/ownerships?format={format}"))
            .expect(200)
    };
    for format in ["csv", "json"] {
        let export = export(format);
        let text = export["text"].as_str().unwrap();
        assert!(
            text.contains("oscar") && !text.contains("mona"),
            "what never held is left out: {text}"
        );
        let body = json!({"kind": "ownerships", "format": format, "text": text, "dry_run": true});
        let report = world.post("adam", "/imports", &body).expect(200);
        assert_eq!(
            (&report["rows"], &report["unchanged"]),
            (&json!([]), &export["rows"]),
            "{report}"
        );
    }
    // One that was taken back before it began may be in a file that was exported before.
    let text = format!(
        "service,role,person,since,ends_at\nbooking-api,owner,mona,{},{}\n",
        ended["since"].as_str().unwrap(),
        ended["ends_at"].as_str().unwrap()
    );
    let body = json!({"kind": "ownerships", "text": text, "dry_run": true});
    assert_eq!(world.post("adam", "/imports", &body).expect(200)["unchanged"], 1);
    // A changed row is judged.
    let errors = refused(
        &world,
        "ownerships",
        "csv",
        "role,person,ends_at\nowner,oscar,2100-01-01T00:00:00Z\n",
    );
    assert_eq!(errors[0]["code"], "may_not_hold", "{errors}");
    let errors = refused(
        &world,
        "ownerships",
        "csv",
        &text.replace(ended["ends_at"].as_str().unwrap(), "2026-01-01T00:00:00Z"),
    );
    assert_eq!(errors[0]["code"], "out_of_order", "{errors}");
}

#[test]
fn the_example_of_a_catalogue_is_one_that_is_taken() {
    let world = World::new();
    let body = json!({"kind": "backstage", "text": "kind: [", "dry_run": true});
    let told = world
        .post("adam", "/imports", &body)
        .problem(422, "invalid")
        .to_string();
    let example = told.split_once("Example: ").unwrap().1;
    let web = json!({"members": []});
    world.act(move |cx| set_person::set_group(cx, "web", web.as_object().unwrap()));
    let example = example.split_once("}}.").unwrap().0.to_owned() + "}}";
    let report = bring(&world, &example, true);
    assert_eq!(report["rows"][0]["key"], "shop", "{report}");
}

#[test]
fn a_regime_that_a_table_would_part_is_refused() {
    let world = World::new();
    let service = json!({"key": "rates", "regimes": ["a;b"]});
    let refused = world.post("adam", "/services", &service).problem(422, "invalid");
    assert_eq!(refused["errors"][0]["field"], "regimes", "{refused}");
}
