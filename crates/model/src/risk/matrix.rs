//! The risk matrix of one change: each input with the stated, the derived and the counting value; and the ways to another cell.
//! Every way is judged by the same function as the change itself.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::change::change_file::ChangeFile;
use crate::change::lowered::Lowered;
use crate::change::record::{Content, Impact};
use crate::core::enums::{Category, Level, RatedFact, Touch};
use crate::directory::snapshot::Directory;
use crate::risk::complexity::Facts;
use crate::risk::effective::{Effective, Supposed, effective, supposing};
use crate::risk::source::Source;
use crate::risk::{complexity, derived, source};

/// The most targets that are omitted in turn.
const MOST_TARGETS: usize = 10;

/// The matrix of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// The inputs.
    pub inputs: Vec<MatrixInput>,
    /// The cells, by rows of impact (none to high) and columns of complexity (low to high).
    pub cells: Vec<MatrixCell>,
    /// The ways to another cell.
    pub ways: Vec<Way>,
}

/// An input of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixInput {
    /// The input.
    pub fact: RatedFact,
    /// The stated value; `None` if nobody stated one.
    pub stated: Option<Level>,
    /// The value derived from the services, their content and the reach; for complexity, from the facts of the change.
    pub derived: Option<Level>,
    /// The source of that value, if services or touches imply it.
    pub source: Option<Source>,
    /// The facts of the change behind it, a sentence each.
    pub facts: Vec<String>,
    /// The value that counts; complexity that nobody stated counts as high.
    pub counts: Level,
}

/// A cell of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixCell {
    /// The highest impact.
    pub impact: Level,
    /// The complexity.
    pub complexity: Level,
    /// The level in the table.
    pub level: Level,
    /// Whether the change is in it.
    pub is_here: bool,
    /// The way to move the change here.
    pub way: Option<String>,
}

/// One different input, and the resulting cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The difference: “Without touching schema”.
    pub text: String,
    /// The highest impact then.
    pub impact: Level,
    /// The complexity then.
    pub complexity: Level,
    /// The risk then.
    pub level: Level,
}

/// The matrix of a change now.
#[must_use]
pub fn matrix(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Matrix {
    let here = effective(file, directory, now);
    let ways = ways(file, directory, now, &here);
    let tenant = directory.tenant.as_ref();
    let table = tenant.map(|tenant| tenant.risk_table.clone()).unwrap_or_default();
    let mut cells = Vec::new();
    for impact in [Level::None, Level::Low, Level::Medium, Level::High] {
        for complexity in [Level::Low, Level::Medium, Level::High] {
            let leads = |way: &&Way| (way.impact, column(way.complexity)) == (impact, complexity);
            cells.push(MatrixCell {
                impact,
                complexity,
                level: table.level(impact, Some(complexity)),
                is_here: place(&here) == (impact, complexity),
                way: ways.iter().find(leads).map(|way| way.text.clone()),
            });
        }
    }
    Matrix {
        inputs: inputs(file, directory, &here),
        cells,
        ways,
    }
}

/// The column of a complexity: the table has none for work without any.
fn column(complexity: Level) -> Level {
    complexity.max(Level::Low)
}

fn place(found: &Effective) -> (Level, Level) {
    (found.impact.highest(), column(found.complexity.unwrap_or(Level::High)))
}

fn inputs(file: &ChangeFile, directory: &Directory, here: &Effective) -> Vec<MatrixInput> {
    let content = &file.change.content;
    let derived = derived::unstated_impact(directory, &content.targets, content.kind);
    let is_stated = |fact: RatedFact| !file.change.origins.contains_key(fact.as_str());
    let axis = |fact: RatedFact, of: fn(Impact) -> Level| MatrixInput {
        fact,
        stated: is_stated(fact).then(|| of(content.impact)),
        derived: Some(of(derived)),
        source: source::of_impact(directory, &content.targets, content.kind, fact),
        facts: Vec::new(),
        counts: of(here.impact),
    };
    let facts = Facts::of(&file.change, directory, complexity::is_rehearsed(file));
    let least = complexity::least(&file.change, directory, &here.touches, &facts);
    vec![
        axis(RatedFact::Data, |impact| impact.data),
        axis(RatedFact::Availability, |impact| impact.availability),
        axis(RatedFact::Compliance, |impact| impact.compliance),
        MatrixInput {
            fact: RatedFact::Complexity,
            stated: content.complexity,
            source: least
                .level
                .filter(|_| least.facts.is_empty())
                .map(|level| of_terms(directory, content.category, &here.touches, level)),
            derived: least.level,
            facts: least.told(),
            counts: here.complexity.unwrap_or(Level::High),
        },
    ]
}

/// Whether the least complexity comes from the category, or from which of the touched things.
fn of_terms(directory: &Directory, category: Category, touches: &BTreeSet<Touch>, level: Level) -> Source {
    let terms = directory.risk_terms();
    if terms.categories.get(&category) == Some(&level) {
        return Source {
            value: category.as_str().to_owned(),
            ..Source::of("category")
        };
    }
    let counts = |touch: &&Touch| terms.complexity.get(touch) == Some(&level);
    let words: Vec<String> = touches
        .iter()
        .filter(counts)
        .map(|it| it.as_str().replace('_', " "))
        .collect();
    Source {
        value: words.join(", "),
        ..Source::of("touches")
    }
}

fn one_less(level: Level) -> Option<Level> {
    match level {
        Level::High => Some(Level::Medium),
        Level::Medium => Some(Level::Low),
        Level::Low => Some(Level::None),
        Level::None => None,
    }
}

fn one_more(level: Level) -> Option<Level> {
    match level {
        Level::None | Level::Low => Some(Level::Medium),
        Level::Medium => Some(Level::High),
        Level::High => None,
    }
}

/// The ways to another cell; ways to the same cell are left out.
struct Ways<'m> {
    file: &'m ChangeFile,
    directory: &'m Directory,
    now: Timestamp,
    here: &'m Effective,
    found: Vec<Way>,
}

/// The ways of a change: its stated inputs in their order, the facts of its complexity, and an approver's acceptance.
fn ways(file: &ChangeFile, directory: &Directory, now: Timestamp, here: &Effective) -> Vec<Way> {
    let mut ways = Ways {
        file,
        directory,
        now,
        here,
        found: Vec::new(),
    };
    ways.by_content();
    let facts = Facts::of(&file.change, directory, complexity::is_rehearsed(file));
    for (text, facts) in facts.lighter() {
        let supposed = Supposed {
            facts: Some(facts),
            ..Supposed::default()
        };
        ways.suppose(text, &supposed);
    }
    for lowered in here.risk.lowered.iter().filter(|it| it.accepted_by.is_none()) {
        let supposed = Supposed {
            accepted: Some(lowered.fact),
            ..Supposed::default()
        };
        ways.suppose(accepted(lowered), &supposed);
    }
    ways.found
}

/// The value that an approver would accept.
fn accepted(lowered: &Lowered) -> String {
    let stated = &lowered.stated;
    match lowered.fact {
        RatedFact::Data => format!("If an approver accepts impact {stated} on data"),
        RatedFact::Availability => format!("If an approver accepts impact {stated} on availability"),
        RatedFact::Compliance => format!("If an approver accepts impact {stated} on compliance"),
        RatedFact::Complexity => format!("If an approver accepts complexity {stated}"),
        RatedFact::Touches => "If an approver accepts what it states to touch".to_owned(),
        RatedFact::RiskOverride => format!("If a change manager accepts the stated risk {stated}"),
    }
}

impl Ways<'_> {
    fn suppose(&mut self, text: String, supposed: &Supposed) {
        self.note(text, &supposing(self.file, self.directory, self.now, supposed));
    }

    fn edit(&mut self, text: String, edit: impl FnOnce(&mut Content)) {
        let mut other = self.file.clone();
        edit(&mut other.change.content);
        self.note(text, &effective(&other, self.directory, self.now));
    }

    fn note(&mut self, text: String, then: &Effective) {
        let (impact, complexity) = place(then);
        if (impact, complexity) == place(self.here) && then.risk.level == self.here.risk.level {
            return;
        }
        self.found.push(Way {
            text,
            impact,
            complexity,
            level: then.risk.level,
        });
    }

    fn by_content(&mut self) {
        let file = self.file;
        let content = &file.change.content;
        for touch in content.touches.iter().copied() {
            let word = touch.as_str().replace('_', " ");
            self.edit(format!("Without touching {word}"), |content| {
                content.touches.remove(&touch);
            });
        }
        if let Some(less) = one_less(content.impact.data) {
            self.edit(format!("With impact {less} on data"), |content| {
                content.impact.data = less
            });
        }
        if let Some(less) = one_less(content.impact.availability) {
            let text = format!("With impact {less} on availability");
            self.edit(text, |content| content.impact.availability = less);
        }
        if let Some(less) = one_less(content.impact.compliance) {
            let text = format!("With impact {less} on compliance");
            self.edit(text, |content| content.impact.compliance = less);
        }
        let complexity = content.complexity.unwrap_or(Level::High);
        let others = [
            one_less(complexity).filter(|less| *less > Level::None),
            one_more(complexity),
        ];
        for other in others.into_iter().flatten() {
            self.edit(format!("With complexity {other}"), |content| {
                content.complexity = Some(other);
            });
        }
        if content.targets.len() > 1 {
            for target in content.targets.iter().take(MOST_TARGETS) {
                let text = format!("Without {} in {}", target.service, target.environment);
                self.edit(text, |content| content.targets.retain(|it| it.id != target.id));
            }
        }
    }
}
