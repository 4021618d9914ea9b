//! The matrix of a change: where it is, from which inputs, and what would move it.

use model::core::enums::{Criticality, Level};
use model::risk::matrix::{Matrix, matrix};
use serde_json::json;

use super::shop;
use crate::people::directory;
use crate::world::{World, facts_but};

fn of(world: &World) -> Matrix {
    matrix(&world.file, &world.directory, world.now)
}

/// Every cell as a letter, the change's own in capitals, with a mark where a way leads there.
fn drawn(matrix: &Matrix) -> Vec<String> {
    let cell = |cell: &model::risk::matrix::MatrixCell| {
        let letter = &cell.level.as_str()[..1];
        let letter = if cell.is_here {
            letter.to_uppercase()
        } else {
            letter.to_owned()
        };
        format!("{letter}{}", if cell.way.is_some() { "*" } else { " " })
    };
    matrix
        .cells
        .chunks(3)
        .map(|row| row.iter().map(cell).collect())
        .collect()
}

fn ways(matrix: &Matrix) -> Vec<String> {
    matrix
        .ways
        .iter()
        .map(|way| format!("{}: {}", way.text, way.level))
        .collect()
}

#[test]
fn a_change_of_a_schema_sees_what_would_make_it_less() {
    let facts = facts_but(json!({
        "complexity": "low", "touches": ["schema"], "impact": {"data": "high", "availability": "low", "compliance": "none"},
    }));
    let mut estate = directory();
    shop(&mut estate).criticality = Criticality::Low;
    let world = World::create("rita", facts, Vec::new(), estate).unwrap();
    let found = of(&world);
    assert_eq!(drawn(&found), ["l l m ", "l l m ", "l m*h ", "m*H h "]);
    assert_eq!(
        ways(&found),
        ["Without touching schema: medium", "With impact medium on data: medium"]
    );
    let rows: Vec<_> = found
        .inputs
        .iter()
        .map(|row| (row.fact.as_str(), row.stated, row.derived, row.counts))
        .collect();
    assert_eq!(
        rows[0],
        ("impact.data", Some(Level::High), Some(Level::None), Level::High)
    );
    assert_eq!(
        rows[3],
        ("complexity", Some(Level::Low), Some(Level::Medium), Level::Medium)
    );
}

#[test]
fn what_the_estate_says_is_no_way_out() {
    let facts =
        facts_but(json!({"complexity": "low", "impact": {"data": "low", "availability": "low", "compliance": "none"}}));
    let mut estate = directory();
    shop(&mut estate).criticality = Criticality::Critical;
    let world = World::create("rita", facts, Vec::new(), estate).unwrap();
    let found = of(&world);
    let row = &found.inputs[1];
    assert_eq!(
        (row.stated, row.derived, row.counts),
        (Some(Level::Low), Some(Level::High), Level::High)
    );
    assert_eq!(ways(&found), ["With complexity medium: high"]);
    assert_eq!(found.cells.iter().filter(|cell| cell.is_here).count(), 1);
}
