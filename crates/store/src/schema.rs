//! Compares the schema of a PostgreSQL database with its migrations: a foreign trigger or rule would rewrite lawful data, a
//! missing policy would show one tenant's rows to another. The engine checks its own pages.

use std::collections::BTreeMap;

use crate::damage::{Damage, MOST};
use crate::driver::{Connection, Reach, quoted};
use crate::error::Result;
use crate::migrate;

/// The schema in which the migrations are run once more; the transaction that makes it is rolled back.
const FRESH: &str = "assent_as_migrated";

/// All parts of a schema that decide what its tables accept and show, a row each. Names are written with their schema, because
/// the search path holds none but the catalogue.
const PARTS: &str = "
    SELECT 'table' AS kind, c.relname::text AS name,
        CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE c.relkind::text END
        || CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN ', rows are secured' ELSE '' END AS text
    FROM pg_class c WHERE c.relnamespace = $schema::text::regnamespace AND c.relkind <> 'i' AND c.relkind <> 'I'
    UNION ALL
    SELECT 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = $schema::text::regnamespace AND c.relkind = 'r'
    UNION ALL
    SELECT 'index', c.relname::text, pg_get_indexdef(c.oid)
    FROM pg_class c WHERE c.relnamespace = $schema::text::regnamespace AND c.relkind IN ('i', 'I')
    UNION ALL
    SELECT 'constraint', c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = $schema::text::regnamespace
    UNION ALL
    SELECT 'trigger', c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = $schema::text::regnamespace AND NOT t.tgisinternal
    UNION ALL
    SELECT 'rule', c.relname || '.' || r.rulename, pg_get_ruledef(r.oid)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = $schema::text::regnamespace
    UNION ALL
    SELECT 'policy', c.relname || '.' || p.polname, p.polcmd::text || CASE WHEN p.polpermissive THEN '' ELSE ' restrictive' END
        || ' for ' || (SELECT string_agg(CASE r WHEN 0 THEN 'all' ELSE r::regrole::text END, ', ') FROM unnest(p.polroles) r)
        || coalesce(' using ' || pg_get_expr(p.polqual, p.polrelid), '')
        || coalesce(' check ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = $schema::text::regnamespace
    UNION ALL
    SELECT 'function', f.proname::text, f.oid::regprocedure::text
    FROM pg_proc f WHERE f.pronamespace = $schema::text::regnamespace";

/// By kind and name: the SQL that makes each part.
type Parts = BTreeMap<(String, String), String>;

/// Parts of the schema that the migrations did not make, made otherwise, or made and that are missing now; at most 100. Nothing
/// for a database that was never migrated. All is rolled back, and no table of the product is locked against anybody.
///
/// # Errors
/// The engine's; also where the role may make no schema.
pub(crate) fn strange(connection: &mut Connection) -> Result<Vec<Damage>> {
    connection.batch("BEGIN")?;
    let found = compare(connection);
    let ended = connection.batch("ROLLBACK");
    let found = found?;
    ended?;
    Ok(found)
}

fn compare(connection: &mut Connection) -> Result<Vec<Damage>> {
    let Some((own, numbers)) = migrated(connection)? else {
        return Ok(Vec::new());
    };
    let there = parts(connection, &own)?;
    connection.batch(&format!("CREATE SCHEMA {FRESH}; SET LOCAL search_path = {FRESH}"))?;
    for statement in migrate::statements_of(&numbers) {
        connection.batch(&statement)?;
    }
    migrate::secure_tables(connection)?;
    let wanted = parts(connection, FRESH)?;
    let mut found = Vec::new();
    for ((kind, name), text) in &there {
        let what = match wanted.get(&(kind.clone(), name.clone())) {
            Some(known) if known == text => continue,
            Some(known) => format!("The {kind} `{name}` is not as it was made: it is `{text}`, not `{known}`."),
            None => format!("The {kind} `{name}` is none of ours: nothing here makes it."),
        };
        found.push(Damage::of_schema(name, what));
    }
    let is_gone = |part: &&(String, String)| !there.contains_key(*part);
    for (kind, name) in wanted.keys().filter(is_gone) {
        found.push(Damage::of_schema(name, format!("The {kind} `{name}` is gone.")));
    }
    found.truncate(MOST);
    Ok(found)
}

/// The active schema, and the numbers of the migrations that were run in it; nothing where there is none.
fn migrated(connection: &mut Connection) -> Result<Option<(String, Vec<i64>)>> {
    let sql = "SELECT current_schema()::text AS it, to_regclass('schema_migration') IS NOT NULL AS is_there";
    let rows = connection.query(sql, &[], Reach::Across)?;
    let Some(row) = rows.first().filter(|row| row.bool("is_there") == Ok(true)) else {
        return Ok(None);
    };
    let own = row.text("it")?;
    let mut numbers = Vec::new();
    for row in connection.query("SELECT number FROM schema_migration", &[], Reach::Across)? {
        numbers.push(row.int("number")?);
    }
    Ok(Some((own, numbers)))
}

fn parts(connection: &mut Connection, schema: &str) -> Result<Parts> {
    connection.batch("SET LOCAL search_path = pg_catalog")?;
    let rows = connection.query(PARTS, &[("schema", quoted(schema).into())], Reach::Across)?;
    let prefixes = [format!("{}.", quoted(schema)), format!("{schema}.")];
    let mut found = Parts::new();
    for row in rows {
        let text = row.text("text")?;
        let text = prefixes.iter().fold(text, |text, prefix| text.replace(prefix, ""));
        found.insert((row.text("kind")?, row.text("name")?), text);
    }
    Ok(found)
}
