//! Drivers: values, names, errors.

use store::{Error, Row, Value};

use crate::world::{World, check};

fn make_table(world: &World) {
    // The serving role may not make tables, so the tests use an existing one that holds every kind but two.
    world.act(|tx| {
        tx.execute(
            "INSERT INTO text_salt (tenant, commitment, salt, body, event_id) VALUES ($tenant, $c, $s, $b, $e)",
            &[
                ("e", "e1".into()),
                ("b", "wörds".into()),
                ("s", vec![0_u8, 255, 7].into()),
                ("c", "k1".into()),
            ],
        )
    });
}

#[test]
fn names_bind_whatever_their_order() {
    check(|world| {
        let row = world.read(|tx| {
            let params: [(&str, Value); 3] = [("a", "first".into()), ("b", 2_i64.into()), ("aa", "third".into())];
            let row = tx.query_one(
                "SELECT CAST($b AS BIGINT) AS two, CAST($aa AS TEXT) AS three, CAST($a AS TEXT) AS one,
                    CAST($b AS BIGINT) AS again, '$a' AS quoted, CAST($tenant AS TEXT) AS mine -- $nothing
                 WHERE CAST($tenant AS TEXT) = 'acme'",
                &params,
            )?;
            Ok(row.unwrap())
        });
        assert_eq!(row.int("two"), Ok(2), "{}", world.engine);
        assert_eq!(row.text("three").unwrap(), "third");
        assert_eq!(row.text("one").unwrap(), "first");
        assert_eq!(row.int("again"), Ok(2));
        assert_eq!(row.text("quoted").unwrap(), "$a");
        assert_eq!(row.text("mine").unwrap(), "acme");
    });
}

#[test]
fn every_kind_of_value_comes_back() {
    check(|world| {
        make_table(world);
        let row: Row = world.read(|tx| {
            let row = tx.query_one(
                "SELECT *, CAST(0.5 AS DOUBLE PRECISION) AS half, CAST($missing AS TEXT) AS missing
                 FROM text_salt WHERE tenant = $tenant",
                &[("missing", Value::Null)],
            )?;
            Ok(row.unwrap())
        });
        assert_eq!(row.bytes("salt").unwrap(), [0, 255, 7]);
        assert_eq!(row.text("body").unwrap(), "wörds");
        assert_eq!(row.opt_text("missing").unwrap(), None);
        assert_eq!(row.real("half").unwrap(), 0.5);
        assert!(matches!(row.int("body"), Err(Error::Corrupt(_))));
        assert!(matches!(row.text("missing"), Err(Error::Corrupt(_))));
        assert!(matches!(row.text("absent"), Err(Error::Other(_))));
    });
}

#[test]
fn truth_values_and_times_come_back() {
    check(|world| {
        world.act(|tx| {
            tx.execute(
                "INSERT INTO person (tenant, id, version, login, active, body, sealed)
                 VALUES ($tenant, 'p', 1, 'ada', $yes, '{}', '{}')",
                &[("yes", true.into())],
            )
        });
        let row = world.read(|tx| {
            Ok(tx
                .query_one(
                    "SELECT active, CAST($now AS BIGINT) AS now FROM person WHERE tenant = $tenant AND active = $yes",
                    &[("yes", true.into()), ("now", crate::world::at(1).into())],
                )?
                .unwrap())
        });
        assert_eq!(row.bool("active"), Ok(true));
        assert_eq!(row.time("now"), Ok(crate::world::at(1)));
    });
}

#[test]
fn wrong_names_are_mistakes_on_both_engines() {
    check(|world| {
        for (sql, params) in [
            ("SELECT $a AS it, $tenant AS mine", vec![]),
            ("SELECT $tenant AS it", vec![("a", Value::Int(1))]),
            ("SELECT $a AS it", vec![("a", Value::Int(1))]),
            (
                "SELECT $a AS it, $tenant AS mine",
                vec![("a", Value::Int(1)), ("a", Value::Int(2))],
            ),
            ("SELECT $tenant AS it", vec![("tenant", Value::from("other"))]),
        ] {
            let failed = world.try_act("acme", move |tx| tx.query(sql, &params));
            assert!(matches!(failed, Err(Error::Other(_))), "{sql}: {failed:?}");
        }
        let failed = world
            .store
            .wait_across(store::Lane::Acts, "a test", store::Mode::Read, |tx| {
                tx.query("SELECT $tenant AS it", &[])
            });
        assert!(matches!(failed, Err(Error::Other(_))));
    });
}

#[test]
fn a_conflict_names_its_table_and_no_value() {
    check(|world| {
        make_table(world);
        let failed = world.try_act("acme", |tx| {
            tx.execute(
                "INSERT INTO text_salt (tenant, event_id, commitment, salt, body)
                 VALUES ($tenant, 'e1', $c, $s, 'secret')",
                &[("c", "k1".into()), ("s", vec![1_u8].into())],
            )
        });
        let conflict = Error::Conflict {
            table: "text_salt".to_owned(),
        };
        assert_eq!(failed, Err(conflict), "{}", world.engine);
    });
}

#[test]
fn a_failed_statement_dooms_the_act_that_swallows_it() {
    check(|world| {
        make_table(world);
        let done = world.try_act("acme", |tx| {
            tx.execute(
                "INSERT INTO counter (tenant, name, value) VALUES ($tenant, 'n', 1)",
                &[],
            )?;
            let _ = tx.execute(
                "INSERT INTO text_salt (tenant, event_id, commitment, salt, body) VALUES ($tenant, 'e1', 'k1', $s, '')",
                &[("s", vec![1_u8].into())],
            );
            Ok(())
        });
        assert!(matches!(done, Err(Error::Conflict { .. })), "{}", world.engine);
        assert_eq!(world.read(|tx| store::counter::get(tx, "n")), 0);
    });
}

#[test]
fn reading_lanes_cannot_write() {
    check(|world| {
        let done = world.store.wait(store::Lane::Pages, "acme", store::Mode::Read, |tx| {
            store::counter::next(tx, "n")
        });
        assert!(matches!(done, Err(Error::Other(_))), "{}: {done:?}", world.engine);
    });
}

#[test]
fn a_wrong_tenant_id_is_refused_before_it_reaches_the_database() {
    check(|world| {
        for tenant in ["", "a'b", "a b", "ä", &"x".repeat(65)] {
            let done = world.try_act(tenant, |_| Ok(()));
            assert!(matches!(done, Err(Error::Other(_))), "{tenant}");
        }
    });
}
