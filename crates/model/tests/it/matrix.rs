//! The ownership matrix: the line that applies, the inheritance, and the limits of a delegation.

use model::core::enums::OwnershipRole;
use model::directory::ownership_matrix::Place;
use model::directory::snapshot::{ConfigItem, Dependency, DependencyKind, Directory, NodeKind, Ownership};

use crate::calendars::at;
use crate::clocks::lent;
use crate::people::directory;

fn row(id: &str, person: &str, mend: impl FnOnce(&mut Ownership)) -> Ownership {
    let mut row = Ownership {
        id: id.into(),
        version: 1,
        service: None,
        config_item: None,
        class: None,
        environment: None,
        role: OwnershipRole::Owner,
        person: Some(person.into()),
        group: None,
        function: None,
        since: at("2026-01-01T00:00:00Z"),
        ends_at: None,
        is_from_catalogue: false,
        hand: None,
        corrected_at: None,
    };
    mend(&mut row);
    row
}

fn part(from: &str, to: &str) -> Dependency {
    Dependency {
        id: format!("{from}-{to}").as_str().into(),
        version: 1,
        from: from.into(),
        to: to.into(),
        kind: DependencyKind::PartOf,
        from_kind: NodeKind::Service,
        to_kind: NodeKind::Service,
        environments: Default::default(),
        ended: false,
    }
}

/// `shop` is part of `pay`; `orders` is a database inside of the shop.
fn estate(rows: Vec<Ownership>) -> Directory {
    let mut estate = directory();
    estate.ownerships = rows.into();
    estate.dependencies = vec![part("shop", "pay")].into();
    for key in ["orders", "basket"] {
        estate.config_items.insert(
            key.into(),
            ConfigItem {
                id: key.into(),
                version: 1,
                key: key.into(),
                name: key.into(),
                service: "shop".into(),
                kind: Some("database".into()),
                holds: Default::default(),
                addresses: Default::default(),
            },
        );
    }
    estate
        .services
        .get_mut(&"pay".into())
        .unwrap()
        .regimes
        .insert("sox".into());
    estate
}

fn who(estate: &Directory, items: &[&str], environment: &str) -> Vec<String> {
    let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
    let (service, environment) = ("shop".into(), environment.into());
    let place = Place {
        service: &service,
        environment: &environment,
        items: &items,
    };
    let holders = estate.holders_at(&place, OwnershipRole::Owner, at("2026-11-20T10:00:00Z"));
    holders.into_iter().map(|holder| holder.person.0).collect()
}

#[test]
fn the_nearest_row_in_force_answers_and_inheritance_can_be_followed() {
    let all = vec![
        row("everything", "olga", |_| {}),
        row("environment", "sam", |row| row.environment = Some("staging".into())),
        row("class", "sue", |row| row.class = Some("regime:sox".parse().unwrap())),
        row("whole", "mia", |row| row.service = Some("pay".into())),
        row("own", "max", |row| row.service = Some("shop".into())),
        row("place", "ida", |row| {
            row.service = Some("shop".into());
            row.environment = Some("production".into());
        }),
        row("kind", "vera", |row| {
            row.class = Some("item_kind:database".parse().unwrap())
        }),
        row("item", "tom", |row| row.config_item = Some("orders".into())),
    ];
    assert_eq!(who(&estate(all.clone()), &["orders"], "production"), ["tom"]);
    let without = |gone: &[&str]| -> Directory {
        let kept = all.iter().filter(|row| !gone.contains(&row.id.as_str()));
        estate(kept.cloned().collect())
    };
    assert_eq!(who(&without(&["item"]), &["orders"], "production"), ["ida"]);
    assert_eq!(who(&without(&["item", "place"]), &["orders"], "production"), ["max"]);
    assert_eq!(
        who(&without(&["item", "place", "own"]), &["orders"], "production"),
        ["mia"]
    );
    assert_eq!(
        who(&without(&["item", "place", "own", "whole"]), &["orders"], "production"),
        ["vera"]
    );
    assert_eq!(
        who(&without(&["item", "place", "own", "whole"]), &[], "production"),
        ["sue"]
    );
    let bare = without(&["item", "place", "own", "whole", "kind", "class"]);
    assert_eq!(who(&bare, &[], "staging"), ["sam"]);
    assert_eq!(who(&bare, &[], "production"), ["olga"]);

    let (service, environment) = ("shop".into(), "production".into());
    let items = ["orders".to_owned()];
    let place = Place {
        service: &service,
        environment: &environment,
        items: &items,
    };
    let lines = estate(all).lines(&place, OwnershipRole::Owner, at("2026-11-20T10:00:00Z"));
    let ways: Vec<(String, String)> = lines
        .iter()
        .map(|line| (line.scope.clone(), line.path.join(" ")))
        .collect();
    let way = |scope: &str, path: &str| (scope.to_owned(), path.to_owned());
    assert_eq!(
        ways,
        [
            way("item:orders", ""),
            way("service:shop", "item:orders"),
            way("service:shop", "item:orders"),
            way("service:pay", "item:orders service:shop"),
            way("class:item_kind:database", "item:orders"),
            way("class:regime:sox", "item:orders service:shop service:pay"),
            way("everything", ""),
        ]
    );
    assert_eq!(
        lines[3].holders[0].why,
        "owner of orders by pay, which it is part of, since 2026-01-01"
    );
}

#[test]
fn dates_functions_and_people_who_decide_nothing() {
    let ended = row("ended", "tom", |row| {
        row.service = Some("shop".into());
        row.ends_at = Some(at("2026-11-20T10:00:00Z"));
    });
    let later = row("later", "vera", |row| {
        row.service = Some("shop".into());
        row.since = at("2026-11-20T10:00:01Z");
    });
    let trained = row("trained", "max", |row| {
        row.service = Some("shop".into());
        row.function = Some("dba".into());
    });
    let pipeline = row("pipeline", "pip", |row| row.service = Some("shop".into()));
    let all = row("all", "olga", |_| {});
    let rows = vec![ended, later, trained, pipeline, all];
    let mut found = estate(rows.clone());
    assert_eq!(who(&found, &[], "production"), ["olga"]);
    let (service, environment) = ("shop".into(), "production".into());
    let place = Place::new(&service, &environment);
    let lines = found.lines(&place, OwnershipRole::Owner, at("2026-11-20T10:00:00Z"));
    let idle: Vec<&str> = lines[0].idle.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(idle, ["trained", "pipeline"]);
    assert!(lines[0].idle[0].1.contains("job function dba"), "{:?}", lines[0].idle);
    assert_eq!(
        found.next_edge(&place, at("2026-11-20T10:00:00Z")),
        Some(at("2026-11-20T10:00:01Z"))
    );
    found
        .people
        .get_mut(&"max".into())
        .unwrap()
        .functions
        .insert("dba".into());
    found.ownerships = rows.into();
    assert_eq!(who(&found, &[], "production"), ["max"]);
}

#[test]
fn several_items_need_who_answers_for_each_or_for_the_service() {
    let item = |id: &str, person: &str, key: &str| {
        let key = key.to_owned();
        row(id, person, |row| row.config_item = Some(key))
    };
    let service = row("service", "olga", |row| row.service = Some("shop".into()));
    let apart = vec![item("1", "tom", "orders"), item("2", "vera", "basket"), service.clone()];
    assert_eq!(who(&estate(apart), &["orders", "basket"], "production"), ["olga"]);
    let shared = vec![
        item("1", "tom", "orders"),
        item("2", "vera", "basket"),
        item("3", "tom", "basket"),
        service,
    ];
    assert_eq!(who(&estate(shared), &["orders", "basket"], "production"), ["tom"]);
}

/// The estate with `ledger`, a database of `pay`, whose owner is vera; max is the owner of the shop.
fn with_a_foreign_item() -> Directory {
    let ledger = row("ledger", "vera", |row| row.config_item = Some("ledger".into()));
    let orders = row("orders", "tom", |row| row.config_item = Some("orders".into()));
    let shop = row("shop", "max", |row| row.service = Some("shop".into()));
    let whole = row("pay", "mia", |row| row.service = Some("pay".into()));
    let mut found = estate(vec![ledger, orders, shop, whole]);
    let mut item = found.config_items.get("orders").unwrap().clone();
    (item.id, item.key, item.service) = ("ledger".into(), "ledger".into(), "pay".into());
    found.config_items.insert(item.key.clone(), item);
    found
}

#[test]
fn an_item_of_another_service_chooses_nobody() {
    let mut found = with_a_foreign_item();
    assert_eq!(who(&found, &["ledger"], "production"), ["max"], "neither vera nor mia");
    assert_eq!(
        who(&found, &["ledger", "orders"], "production"),
        ["tom"],
        "as without it"
    );
    let (service, environment) = ("shop".into(), "production".into());
    let items = ["ledger".to_owned()];
    let place = Place {
        service: &service,
        environment: &environment,
        items: &items,
    };
    let lines = found.lines(&place, OwnershipRole::Owner, at("2026-11-20T10:00:00Z"));
    assert_eq!(lines[0].scope, "service:shop");
    assert_eq!(lines[0].holders[0].why, "owner of shop since 2026-01-01");
    assert!(found.is_foreign("ledger", &service));
    assert!(!found.is_foreign("orders", &"pay".into()), "the shop is part of it");
    assert!(!found.is_foreign("nobody-knows-it", &service), "nothing is known of it");
    found.dependencies = vec![Dependency {
        from_kind: NodeKind::ConfigItem,
        to_kind: NodeKind::ConfigItem,
        ..part("ledger", "orders")
    }]
    .into();
    assert_eq!(
        who(&found, &["ledger"], "production"),
        ["vera"],
        "it is part of the shop now"
    );
}

#[test]
fn a_graph_with_a_ring_ends_and_rings_of_delegations_are_found() {
    let mut found = estate(vec![row("all", "olga", |_| {})]);
    found.dependencies = vec![part("shop", "pay"), part("pay", "shop")].into();
    assert_eq!(who(&found, &[], "production"), ["olga"]);
    found.delegations = vec![lent("olga", "tom", false), lent("tom", "vera", false)].into();
    let ring = found.delegation_ring(&lent("vera", "olga", false)).unwrap();
    let names: Vec<&str> = ring.iter().map(|person| person.as_str()).collect();
    assert_eq!(names, ["vera", "olga", "tom", "vera"]);
    assert_eq!(found.delegation_ring(&lent("olga", "vera", false)), None);
    let mut before = lent("vera", "olga", false);
    before.ends_at = at("2026-10-31T00:00:00Z");
    before.starts_at = at("2026-10-01T00:00:00Z");
    assert_eq!(found.delegation_ring(&before), None, "they never hold together");
}
