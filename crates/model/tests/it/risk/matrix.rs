//! The matrix of a change: its cell, the inputs, and the inputs that would move it.

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
        [
            "Without touching schema: medium",
            "With impact medium on data: medium",
            "If an approver accepts complexity low: medium"
        ]
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
fn what_the_estate_says_gives_way_to_the_word_of_an_approver_alone() {
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
    assert_eq!(
        ways(&found),
        [
            "With complexity medium: high",
            "If an approver accepts impact low on availability: low"
        ]
    );
    assert_eq!(found.cells.iter().filter(|cell| cell.is_here).count(), 1);
}

/// For each cell, by impact and then complexity, the inputs that would change it. Where the estate's value is higher than that
/// of a change without any impact, only an approver's statement leads to the lowest row.
const GOLDEN: [(&str, [&[&str]; 3]); 4] = [
    (
        "none",
        [
            &[
                "With complexity medium: low",
                "If an approver accepts impact none on availability: low",
            ],
            &[
                "With complexity low: low",
                "With complexity high: medium",
                "If an approver accepts impact none on availability: low",
            ],
            &[
                "With complexity medium: low",
                "If an approver accepts impact none on availability: medium",
            ],
        ],
    ),
    (
        "low",
        [
            &["With complexity medium: low"],
            &["With complexity low: low", "With complexity high: medium"],
            &["With complexity medium: low"],
        ],
    ),
    (
        "medium",
        [
            &["With impact low on data: low", "With complexity medium: medium"],
            &[
                "With impact low on data: low",
                "With complexity low: low",
                "With complexity high: high",
            ],
            &["With impact low on data: medium", "With complexity medium: medium"],
        ],
    ),
    (
        "high",
        [
            &["With impact medium on data: low", "With complexity medium: high"],
            &[
                "With impact medium on data: medium",
                "With complexity low: medium",
                "With complexity high: high",
            ],
            &["With impact medium on data: high", "With complexity medium: high"],
        ],
    ),
];

#[test]
fn each_cell_says_its_inputs_and_what_would_change_it() {
    for (impact, row) in GOLDEN {
        for (complexity, expected) in ["low", "medium", "high"].into_iter().zip(row) {
            let availability = if impact == "none" { "none" } else { "low" };
            let facts = facts_but(json!({
                "complexity": complexity,
                "impact": {"data": impact, "availability": availability, "compliance": "none"},
            }));
            let mut estate = directory();
            shop(&mut estate).criticality = Criticality::Low;
            let world = World::create("rita", facts, Vec::new(), estate).unwrap();
            let found = of(&world);
            let cell = format!("{impact}/{complexity}");
            assert_eq!(ways(&found), expected, "{cell}");
            let word = |level: Option<Level>| level.map_or("-", Level::as_str);
            let inputs: Vec<String> = found
                .inputs
                .iter()
                .map(|it| format!("{}/{}/{}", word(it.stated), word(it.derived), it.counts))
                .collect();
            assert_eq!(
                inputs,
                [
                    format!("{impact}/none/{impact}"),
                    format!("{availability}/low/low"),
                    "none/none/none".to_owned(),
                    format!("{complexity}/-/{complexity}"),
                ],
                "{cell}"
            );
            let here = found.cells.iter().find(|it| it.is_here).unwrap();
            let counted = if impact == "none" { "low" } else { impact };
            assert_eq!((here.impact.as_str(), here.complexity.as_str()), (counted, complexity));
            let lowest = found.cells.iter().take(3).filter(|it| it.way.is_some()).count();
            assert_eq!(lowest, usize::from(impact == "none"), "{cell}");
        }
    }
}
