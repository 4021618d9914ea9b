//! Proposes a set of policies or a risk table. A set that fails its schema, names or cases is refused with file and line.

use std::collections::BTreeSet;

use model::core::act;
use model::core::body::Body;
use model::core::enums::{Category, ConfigurationKind, ConfigurationState, Level, Touch};
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::{FieldError, Refusal};
use model::policy::configuration::{Configuration, PolicyFile};
use model::risk::assessment::RiskTable;
use model::risk::terms::RiskTerms;
use policy::{Finding, PolicySet};
use serde_json::{Value, json};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::policies;
use crate::policy::find_locked_out::find_locked_out;
use crate::policy::find_unmeetable::find_unmeetable;
use crate::policy::{configurations, search_histories};

/// The longest file of a set, in characters; the policies' own crate holds it to 256 KiB.
const FILE: usize = 256 * 1024;

/// A set of policies in a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetOfFiles {
    /// Policies and declarations of parameters, the base pack included.
    pub files: Vec<PolicyFile>,
    /// Their cases.
    pub cases: Vec<PolicyFile>,
    /// The tenant's values, TOML.
    pub parameters: String,
}

/// Reads `{packs, files: [{path, content}], cases: [{path, content}], parameters}`. Without files of its own the base pack
/// joins.
pub fn read_set(reading: &mut Reading<'_>) -> SetOfFiles {
    let mut set = SetOfFiles {
        files: reading.objects("files", read_file).unwrap_or_default(),
        cases: reading.objects("cases", read_file).unwrap_or_default(),
        parameters: reading.text("parameters", FILE).unwrap_or_default(),
    };
    let mut packs = Vec::new();
    if !set.files.iter().any(|file| file.path.starts_with("base/")) {
        packs.push(policy::base());
    }
    let asked: BTreeSet<String> = reading.texts("packs", LINE).unwrap_or_default().into_iter().collect();
    for name in asked {
        match policy::pack(&name) {
            Some(pack) => packs.push(pack),
            None => reading.wrong("packs", "unknown", format!("Assent has no pack `{name}`.")),
        }
    }
    let file = |source: policy::SourceFile| PolicyFile {
        path: source.name,
        content: source.text,
    };
    for pack in packs {
        set.files.extend(pack.files.into_iter().map(file));
        set.cases.extend(pack.cases.into_iter().map(file));
    }
    set
}

fn read_file(reading: &mut Reading<'_>) -> PolicyFile {
    PolicyFile {
        path: reading.needed_technical("path", LINE),
        content: reading.text("content", FILE).unwrap_or_default(),
    }
}

/// The errors of a set, as a refusal.
pub(crate) fn refused(findings: &[Finding]) -> Refusal {
    let told = |finding: &Finding| {
        FieldError::new(
            format!("{}:{}", finding.file, finding.line),
            finding.code,
            finding.said(),
        )
    };
    Refusal::Invalid(findings.iter().map(told).collect())
}

/// The rules of a set that nobody in this organisation can meet, by file and line.
///
/// # Errors
/// The store's.
pub(crate) fn rules_for_nobody(cx: &mut Context<'_, '_>, set: &PolicySet) -> Result<Vec<Finding>> {
    let (in_force, directory) = (cx.policies()?, cx.directory()?);
    let mut found = find_unmeetable(set, &in_force, (&directory, cx.now));
    found.extend(find_locked_out(cx, set, &in_force)?);
    found.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    Ok(found)
}

/// Compiles a set, runs its cases, and refuses a set with a rule that nobody in this organisation can meet.
///
/// # Errors
/// 422 with everything that is wrong by file and line, or the store's.
pub(crate) fn checked(
    cx: &mut Context<'_, '_>,
    files: &[PolicyFile],
    cases: &[PolicyFile],
    parameters: &str,
) -> Result<PolicySet> {
    let directory = cx.directory()?;
    let compiled = policies::compile(files, cases, parameters, &directory);
    let (set, mut findings) = compiled.map_err(|findings| refused(&findings))?;
    findings.extend(rules_for_nobody(cx, &set)?);
    match findings.is_empty() {
        true => Ok(set),
        false => Err(refused(&findings).into()),
    }
}

/// Proposes a set of policies (`POST /policies`).
///
/// # Errors
/// 403, 422 with everything that is wrong by file and line, or the store's.
pub fn propose_policies(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let mut reading = Reading::new(body, "");
    let set = read_set(&mut reading);
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let compiled = checked(cx, &set.files, &set.cases, &set.parameters)?;
    search_histories::check_histories(&compiled)?;
    let proposal = Configuration {
        files: set.files,
        cases: set.cases,
        parameters: set.parameters,
        ..bare(cx, ConfigurationKind::Policies, compiled.digest().to_owned(), reason)?
    };
    save(cx, proposal)
}

/// Proposes a risk table (`POST /risk-table`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn propose_risk_table(cx: &mut Context<'_, '_>, body: &Body) -> Result<Configuration> {
    cx.allow(act::actions::SET_POLICY)?;
    let mut reading = Reading::new(body, "");
    let table = read_table(&mut reading);
    let directory = cx.directory()?;
    let terms = read_terms(&mut reading).unwrap_or_else(|| directory.risk_terms());
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let proposal = Configuration {
        digest: configurations::of_risk_table(&table, &terms)?,
        table: Some(table),
        terms: (!terms.is_usual()).then_some(terms),
        ..bare(cx, ConfigurationKind::RiskTable, String::new(), reason)?
    };
    save(cx, proposal)
}

/// Reads `terms: {near, far, many, most, complexity: {schema: medium, …}, categories: {network: medium, …}}`; absent terms are
/// as in a new tenant.
fn read_terms(reading: &mut Reading<'_>) -> Option<RiskTerms> {
    let terms = reading.object("terms", |inner| {
        let usual = RiskTerms::default();
        let terms = RiskTerms {
            near: inner.integer("near", 0..=1_000).unwrap_or(usual.near),
            far: inner.integer("far", 0..=1_000).unwrap_or(usual.far),
            many: inner.integer("many", 1..=1_000_000).unwrap_or(usual.many),
            most: inner.integer("most", 1..=1_000_000).unwrap_or(usual.most),
            complexity: inner
                .object("complexity", |by_touch| {
                    let levels = Touch::ALL.iter();
                    let read = |touch: &Touch| Some((*touch, by_touch.word(touch.as_str())?));
                    levels.filter_map(read).collect()
                })
                .unwrap_or(usual.complexity),
            categories: inner
                .object("categories", |by_category| {
                    let levels = Category::ALL.iter();
                    let read = |it: &Category| Some((*it, by_category.word(it.as_str())?));
                    levels.filter_map(read).collect()
                })
                .unwrap_or(usual.categories),
        };
        if terms.far < terms.near || terms.most < terms.many {
            let text = "`far` is at least `near`, and `most` at least `many`.";
            inner.wrong("far", "out_of_order", text);
        }
        terms
    })?;
    Some(terms)
}

const ROWS: [&str; 4] = ["none", "low", "medium", "high"];

/// Reads `table: {none: {low, medium, high}, low: …, medium: …, high: …}`: rows are the highest impact, columns the
/// complexity. A higher impact or complexity never gives a lower level.
fn read_table(reading: &mut Reading<'_>) -> RiskTable {
    let mut table = [[Level::High; 3]; 4];
    let read = reading.object("table", |rows| {
        for (place, row) in ROWS.into_iter().enumerate() {
            let found = rows.object(row, |cells| {
                ["low", "medium", "high"].map(|column| cells.needed_word(column, Level::High))
            });
            match found {
                Some(cells) => table[place] = cells,
                None => rows.wrong(row, "missing", format!("The row for an impact of {row} is missing.")),
            }
        }
    });
    if read.is_none() {
        reading.wrong("table", "missing", "`table` is missing.");
    } else if reading.errors.is_empty() {
        check_order(reading, &table);
    }
    RiskTable(table)
}

fn check_order(reading: &mut Reading<'_>, table: &[[Level; 3]; 4]) {
    let falls = |left: Level, right: Level| right < left;
    for (place, row) in table.iter().enumerate() {
        let by_complexity = falls(row[0], row[1]) || falls(row[1], row[2]);
        let by_impact = place > 0 && (0..3).any(|column| falls(table[place - 1][column], row[column]));
        if by_complexity || by_impact {
            let text = "A higher impact or complexity cannot give a lower risk.";
            reading.wrong(&format!("table.{}", ROWS[place]), "out_of_order", text);
        }
        if row.contains(&Level::None) {
            let text = "A risk is low, medium or high.";
            reading.wrong(&format!("table.{}", ROWS[place]), "unknown_word", text);
        }
    }
}

/// A proposal without content.
pub(crate) fn bare(
    cx: &mut Context<'_, '_>,
    kind: ConfigurationKind,
    digest: String,
    reason: String,
) -> Result<Configuration> {
    let before = configurations::in_force(cx, kind)?;
    Ok(Configuration {
        id: RecordId(cx.new_id()?),
        version: 0,
        kind,
        digest,
        state: ConfigurationState::Proposed,
        reason,
        files: Vec::new(),
        text: None,
        cases: Vec::new(),
        parameters: String::new(),
        table: None,
        terms: None,
        rules: Vec::new(),
        slas: None,
        watches: None,
        major_severity: None,
        retention: None,
        proposer: cx.actor.person.clone(),
        handed_by: cx.actor.hand().cloned(),
        proposed_at: cx.now,
        activated_by: None,
        activation_handed_by: None,
        activated_at: None,
        change_key: None,
        before: Some(before).filter(|digest| !digest.is_empty()),
        replaces: None,
    })
}

/// Writes a proposal.
pub(crate) fn save(cx: &mut Context<'_, '_>, proposal: Configuration) -> Result<Configuration> {
    let (kind, digest) = match proposal.kind {
        ConfigurationKind::Policies => ("policies.proposed", proposal.digest.clone()),
        ConfigurationKind::RiskTable => ("risk_table.proposed", proposal.digest.clone()),
        ConfigurationKind::Mapping => ("mapping.proposed", proposal.digest.clone()),
        ConfigurationKind::Ownership => ("ownership.proposed", proposal.digest.clone()),
        ConfigurationKind::SlaTable => ("sla_table.proposed", proposal.digest.clone()),
        ConfigurationKind::WatchTable => ("watch_table.proposed", proposal.digest.clone()),
        ConfigurationKind::MajorSeverity => ("major_severity.proposed", proposal.digest.clone()),
        ConfigurationKind::Retention => ("retention.proposed", proposal.digest.clone()),
    };
    let data: Value = json!({"digest": digest});
    cx.put_estate(kind, proposal, data)
}
