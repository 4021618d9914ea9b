//! A quarterly adjustment, read like a merge request: the findings, the risk table before and after, and the back-test.

use acts::core::noun;
use acts::risk::adjust_rules::{configuration_states, decide_adjustment};
use acts::risk::adjustment_items::{is_in_force, is_withdrawn};
use axum::extract::{Path, State};
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::{AdjustmentState, Category, FindingKind, Level, Touch};
use model::risk::adjustment::{BackTest, Comparison, Finding, MOST_KEYS, Rerouted, RiskRules};
use model::risk::closed_change::Rate;
use model::risk::forecast::words::percent;
use model::risk::parameter_proposal::ParameterProposal;
use model::risk::risk_adjustment::RiskAdjustment;
use model::risk::rule_removal::RuleRemoval;
use pages::{
    ActForm, ActTone, Cell, Column, Fact, Field, Fold, Mark, Place, RecordPage, Rich, Section, SectionBody, Table,
    Tone, count,
};

use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, send, sent};
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, show};
use crate::web::shared::words::capital;

/// The page.
pub(crate) async fn show_one(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, quarter)): Path<(String, String)>,
) -> Response {
    show(&state, &visitor, Place::Policies, move |view| {
        page(view, &quarter, None)
    })
    .await
}

/// Adopts or declines the adjustment.
pub(crate) async fn decide(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, quarter)): Path<(String, String)>,
    form: Form,
) -> Response {
    let here = format!("/risk-adjustments/{}", escaped(&quarter));
    let sent = sent(
        form,
        format!("{here}/decisions"),
        format!("{here}/comparison"),
        Place::Policies,
    );
    let whose = quarter.clone();
    let run = move |cx: &mut acts::Context<'_, '_>, body: &Body| decide_adjustment(cx, &whose, body).map(drop);
    send(&state, &visitor, sent, run, move |view, back| {
        page(view, &quarter, back)
    })
    .await
}

fn mark(state: AdjustmentState, is_in_force: bool) -> Mark {
    match state {
        AdjustmentState::Proposed => Tone::Wait.mark("Proposed"),
        AdjustmentState::NothingFound => Tone::Plain.mark("Nothing found"),
        AdjustmentState::Adopted if is_in_force => Tone::Ok.mark("Adopted and in force"),
        AdjustmentState::Adopted => Tone::Wait.mark("Adopted, not in force"),
        AdjustmentState::Declined => Tone::Plain.mark("Declined"),
    }
}

fn whole(number: i64) -> String {
    count(number.unsigned_abs())
}

fn page(view: &mut View<'_, '_, '_>, quarter: &str, back: Option<&Back>) -> acts::Result<String> {
    let adjustment = noun::show::<RiskAdjustment>(view.cx, quarter)?;
    let facts = facts(view, &adjustment)?;
    let comparison = adjustment.comparison();
    let is_in_force = is_in_force(view.cx, &adjustment)?;
    let is_open = adjustment.is_open() || is_withdrawn(view.cx, &adjustment)?;
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Policies".to_owned(), view.url("/policies")),
            ("Quarterly adjustments".to_owned(), view.url("/risk-adjustments")),
        ],
        title: adjustment.quarter.clone(),
        is_said: true,
        byline: Rich::from("The requirements of the rules in this quarter, beside the outcomes of the changes."),
        marks: vec![mark(adjustment.state, is_in_force)],
        facts,
        is_facts_first: true,
        sections: comparison.iter().flat_map(|it| sections(view, it)).collect(),
        ..RecordPage::default()
    };
    if is_open && view.may(actions::SET_POLICY) {
        page.acts = forms(view, &adjustment, comparison.is_some_and(|it| it.has_proposal()));
    }
    if let Some(back) = back {
        back.put(view, &mut page.frame, page.acts.iter_mut());
    }
    Ok(page.render())
}

fn facts(view: &mut View<'_, '_, '_>, adjustment: &RiskAdjustment) -> acts::Result<Vec<Fact>> {
    let mut facts = vec![
        Fact::new("Changes compared", whole(adjustment.compared)),
        Fact::new("Compared", view.moment(adjustment.at)),
    ];
    if let (Some(by), Some(at)) = (&adjustment.decided_by, adjustment.decided_at) {
        let rich = view.person(by).text(", ").append(view.moment(at));
        facts.push(Fact::new("Decided", rich));
    }
    if let Some(reason) = &adjustment.reason {
        facts.push(Fact::new("Why", Rich::new().said(reason.as_str())));
    }
    let [named, policies] = configuration_states(view.cx, adjustment)?;
    for (label, state) in [("Its configuration", named), ("Its set of policies", policies)] {
        if let Some(state) = state {
            let rich = Rich::new().link(capital(state.as_str()), view.url("/policies"));
            facts.push(Fact::new(label, rich));
        }
    }
    Ok(facts)
}

fn sections(view: &View<'_, '_, '_>, comparison: &Comparison) -> Vec<Section> {
    let of = |kind: FindingKind| comparison.findings.iter().filter(move |it| it.kind == kind);
    let useless: Vec<&Finding> = of(FindingKind::UselessRule).collect();
    let under: Vec<&Finding> = of(FindingKind::UnderRuled).collect();
    let wrong: Vec<&Finding> = of(FindingKind::RatedTooLow)
        .chain(of(FindingKind::RatedTooHigh))
        .collect();
    let mut sections = vec![
        Section::new(
            "useless",
            "Rules that required much and found nothing",
            SectionBody::Table(useless_table(view, &useless)),
        )
        .note(Rich::new().link("Try a set of policies without them", view.url("/policies")))
        .unsaid("None: no rule applied to 30 changes without a finding."),
        Section::new(
            "under-ruled",
            "Changes that failed under light rules",
            SectionBody::Table(under_table(view, &under)),
        )
        .note("below high risk, beside all other changes below high risk")
        .unsaid("None: no category, kind or touch failed more often than the rest, beyond chance."),
        Section::new(
            "rated-wrong",
            "Where reviews rate the risk as wrong",
            SectionBody::Table(wrong_table(view, &wrong)),
        )
        .unsaid("None: no cell of the table has three answers of which more than half rate it as wrong."),
    ];
    match &comparison.proposal {
        Some(after) => {
            let table = SectionBody::Table(table(&comparison.before, after));
            sections.push(Section::new("proposal", "The proposed risk table", table));
            let terms = SectionBody::Table(terms_table(&comparison.before, after));
            sections.push(Section::new("terms", "The least complexity of work", terms).unsaid("Unchanged."));
        }
        None => {
            let text = Rich::from("No change of the risk table resolves these findings.");
            sections.push(Section::new(
                "proposal",
                "The proposed risk table",
                SectionBody::Words(text),
            ));
        }
    }
    sections.extend(back_test(view, &comparison.back_test));
    sections.extend(parameter_sections(view, &comparison.parameters));
    let removals = SectionBody::Table(removals_table(&comparison.removals));
    sections.push(
        Section::new("removals", "The proposed set of policies omits these rules", removals)
            .note("only changes for which the policies in force give the recorded requirements are compared")
            .unsaid("None: no rule without findings can be removed."),
    );
    sections
}

fn shown_rate(rate: Option<Rate>) -> Cell {
    Cell::Short(rate.map_or_else(
        || "–".to_owned(),
        |it| {
            format!(
                "{} % ({} to {} %)",
                percent(it.ppm),
                percent(it.low_ppm),
                percent(it.high_ppm)
            )
        },
    ))
}

/// The changes behind a finding.
fn changes(view: &View<'_, '_, '_>, finding: &Finding) -> Cell {
    let mut rich = Rich::new();
    for key in finding.changes.iter().take(MOST_KEYS) {
        rich = rich.link(key.as_str(), view.change_url(key)).text(" ");
    }
    Cell::Text(rich)
}

fn hours(minutes: i64) -> String {
    let sign = if minutes < 0 { "−" } else { "" };
    format!("{sign}{} h", whole((minutes.abs() + 30) / 60))
}

fn useless_table(view: &View<'_, '_, '_>, found: &[&Finding]) -> Table {
    let row = |it: &&Finding| {
        vec![
            Cell::Text(Rich::new().code(it.subject.as_str())),
            Cell::Short(whole(it.of)),
            Cell::Short(hours(it.minutes)),
            changes(view, it),
        ]
    };
    Table {
        caption: "Rules that required much and found nothing".to_owned(),
        columns: vec![
            Column::new("Rule", Fold::Never),
            Column::new("Applied to", Fold::Under).named().number(),
            Column::new("Time until it was met", Fold::Under).named(),
            Column::new("Changes", Fold::Under).named(),
        ],
        rows: found.iter().map(row).collect(),
        ..Table::default()
    }
}

fn under_table(view: &View<'_, '_, '_>, found: &[&Finding]) -> Table {
    let row = |it: &&Finding| {
        vec![
            Cell::said(it.subject.as_str()),
            Cell::Short(format!("{} / {}", whole(it.hits), whole(it.of))),
            shown_rate(it.rate),
            shown_rate(it.rest),
            changes(view, it),
        ]
    };
    Table {
        caption: "Changes that failed under light rules".to_owned(),
        columns: vec![
            Column::new("Group", Fold::Never),
            Column::new("Failed", Fold::Under).named(),
            Column::new("Share (95 % interval)", Fold::Under).named(),
            Column::new("The rest", Fold::Under).named(),
            Column::new("Changes", Fold::Under).named(),
        ],
        rows: found.iter().map(row).collect(),
        ..Table::default()
    }
}

fn wrong_table(view: &View<'_, '_, '_>, found: &[&Finding]) -> Table {
    let row = |it: &&Finding| {
        let verdict = match it.kind {
            FindingKind::RatedTooLow => "Too low",
            _ => "Too high",
        };
        vec![
            Cell::said(it.subject.as_str()),
            Cell::text(verdict),
            Cell::Short(format!("{} / {}", whole(it.hits), whole(it.of))),
            changes(view, it),
        ]
    };
    Table {
        caption: "Where reviews rate the risk as wrong".to_owned(),
        columns: vec![
            Column::new("Cell", Fold::Never),
            Column::new("Rating by reviews", Fold::Under).named(),
            Column::new("Answers", Fold::Under).named(),
            Column::new("Changes", Fold::Under).named(),
        ],
        rows: found.iter().map(row).collect(),
        ..Table::default()
    }
}

/// A cell that stays, or its old and new value.
fn moved(before: Level, after: Level) -> Cell {
    if before == after {
        return Cell::text(capital(after.as_str()));
    }
    let rich = Rich::from(capital(before.as_str())).text(" → ");
    Cell::Text(rich.strong(capital(after.as_str())))
}

fn table(before: &RiskRules, after: &RiskRules) -> Table {
    let names = ["None", "Low", "Medium", "High"];
    let row = |(place, name): (usize, &&str)| {
        let cells = before.table.0[place].iter().zip(after.table.0[place]);
        [Cell::Name((*name).to_owned())]
            .into_iter()
            .chain(cells.map(|(before, after)| moved(*before, after)))
            .collect()
    };
    Table {
        caption: "Risk by the highest impact (rows) and complexity (columns)".to_owned(),
        columns: vec![
            Column::new("Impact", Fold::Never),
            Column::new("Low complexity", Fold::Never),
            Column::new("Medium", Fold::Never),
            Column::new("High", Fold::Never),
        ],
        rows: names.iter().enumerate().rev().map(row).collect(),
        ..Table::default()
    }
}

/// The categories and the touched data classes whose least complexity moves.
fn terms_table(before: &RiskRules, after: &RiskRules) -> Table {
    let row = |word: &str, before: Option<&Level>, after: Option<&Level>| {
        let level = |known: Option<&Level>| known.copied().unwrap_or(Level::None);
        let cells = || {
            vec![
                Cell::text(capital(&word.replace('_', " "))),
                moved(level(before), level(after)),
            ]
        };
        (before != after).then(cells)
    };
    let (old, new) = (&before.terms, &after.terms);
    let category = |it: &Category| row(it.as_str(), old.categories.get(it), new.categories.get(it));
    let touch = |it: &Touch| row(it.as_str(), old.complexity.get(it), new.complexity.get(it));
    let categories = Category::ALL.iter().filter_map(category);
    Table {
        caption: "The least complexity of work".to_owned(),
        columns: vec![
            Column::new("Category, or what it touches", Fold::Never),
            Column::new("Least complexity", Fold::Never),
        ],
        rows: categories.chain(Touch::ALL.iter().filter_map(touch)).collect(),
        ..Table::default()
    }
}

/// The proposed values of parameters: the present value, the proposed one, and the evidence for it.
fn parameters_table(found: &[ParameterProposal]) -> Table {
    let row = |it: &ParameterProposal| {
        let moved = Rich::new().said(it.before.as_str()).text(" → ");
        vec![
            Cell::Text(Rich::new().code(it.name.as_str())),
            Cell::Text(moved.strong(it.after.as_str())),
            Cell::Text(Rich::new().code(it.rules.join(", "))),
            Cell::Short(format!("{} / {}", whole(it.failed), whole(it.of))),
            shown_rate(Some(it.rate)),
            shown_rate(Some(it.rest)),
        ]
    };
    Table {
        caption: "Parameters of policies, in force and proposed".to_owned(),
        columns: vec![
            Column::new("Parameter", Fold::Never),
            Column::new("Required from", Fold::Never),
            Column::new("Rules", Fold::Under).named(),
            Column::new("Failed between the two", Fold::Under).named(),
            Column::new("Share", Fold::Under).named(),
            Column::new("Share below both", Fold::Under).named(),
        ],
        rows: found.iter().map(row).collect(),
        ..Table::default()
    }
}

/// The rules that could go, each with its back-test on the stored facts.
fn removals_table(found: &[RuleRemoval]) -> Table {
    let row = |it: &RuleRemoval| {
        let test = &it.back_test;
        vec![
            Cell::Text(Rich::new().code(it.rule.as_str())),
            Cell::Short(format!("{} / {}", whole(test.reproduced), whole(test.changes))),
            Cell::Short(whole(test.asked_less)),
            Cell::Short(whole(test.failed)),
            Cell::Short(hours(test.minutes_saved)),
        ]
    };
    Table {
        caption: "The proposed set of policies omits these rules".to_owned(),
        columns: vec![
            Column::new("Rule", Fold::Never),
            Column::new("Reproduced by the policies in force", Fold::Under).named(),
            Column::new("Of these, with fewer requirements", Fold::Under)
                .named()
                .number(),
            Column::new("Of those, failed", Fold::Under).named().number(),
            Column::new("Time saved", Fold::Under).named(),
        ],
        rows: found.iter().map(row).collect(),
        ..Table::default()
    }
}

/// The back-test of each proposed value on the stored facts.
fn parameter_sections(view: &View<'_, '_, '_>, found: &[ParameterProposal]) -> Vec<Section> {
    let mut sections = vec![
        Section::new(
            "parameters",
            "The proposed parameters of policies",
            SectionBody::Table(parameters_table(found)),
        )
        .note("a value that only adds requirements, where the 95 % intervals do not overlap")
        .unsaid("None: no parameter resolves the findings."),
    ];
    for it in found {
        let test = &it.back_test;
        let mut facts = vec![
            Fact::new("Parameter", Rich::new().code(it.name.as_str())),
            Fact::new(
                "Reproduced by the policies in force",
                format!("{} / {}", whole(test.reproduced), whole(test.changes)),
            ),
            Fact::new("Of these, with more requirements", whole(test.asked)),
            Fact::new("Failures that would have met more review", whole(test.failures_met)),
            Fact::new(
                "Time that reviews would have taken in addition",
                hours(test.minutes_added),
            ),
        ];
        if test.without_minutes > 0 {
            facts.push(Fact::new(
                "Changes without a time to compare",
                whole(test.without_minutes),
            ));
        }
        let asked = test.rows.iter().take(MOST_KEYS);
        let links = asked.map(|row| Rich::new().link(row.key.as_str(), view.change_url(&row.key)));
        let links = links.reduce(|all, one| all.text(", ").append(one));
        facts.extend(links.map(|links| Fact::new("Changes", links)));
        let id = format!("parameter-{}", it.name);
        let section = Section::new(id, "Back-test on the stored facts", SectionBody::Facts(facts));
        sections.push(
            section.note("only changes for which the policies in force give the recorded requirements are compared"),
        );
    }
    sections
}

fn back_test(view: &View<'_, '_, '_>, found: &BackTest) -> Vec<Section> {
    let part = |part: i64, of: i64| format!("{} / {}", whole(part), whole(of));
    let mut facts = vec![
        Fact::new(
            "Reproduced by the table in force",
            part(found.reproduced, found.changes),
        ),
        Fact::new("Would have another risk", part(found.rerouted, found.reproduced)),
        Fact::new("Failures that would have met more review", whole(found.failures_met)),
        Fact::new(
            "Time that reviews would have taken in addition",
            hours(found.minutes_added),
        ),
    ];
    if found.without_minutes > 0 {
        facts.push(Fact::new(
            "Changes without a time to compare",
            whole(found.without_minutes),
        ));
    }
    let row = |it: &Rerouted| {
        vec![
            Cell::Text(Rich::new().link(it.key.as_str(), view.change_url(&it.key))),
            Cell::text(capital(it.from.as_str())),
            Cell::text(capital(it.to.as_str())),
            Cell::text(if it.has_failed { "yes" } else { "no" }),
        ]
    };
    let table = Table {
        caption: "Changes that would have another risk".to_owned(),
        columns: vec![
            Column::new("Change", Fold::Never),
            Column::new("Before", Fold::Under).named(),
            Column::new("After", Fold::Under).named(),
            Column::new("Failed", Fold::Under).named(),
        ],
        rows: found.rows.iter().map(row).collect(),
        ..Table::default()
    };
    vec![
        Section::new(
            "back-test",
            "Back-test on the changes of the quarter",
            SectionBody::Facts(facts),
        )
        .note("only changes whose risk the table in force gives again are compared"),
        Section::new(
            "rerouted",
            "Changes that would have another risk",
            SectionBody::Table(table),
        )
        .unsaid("None."),
    ]
}

fn forms(view: &View<'_, '_, '_>, adjustment: &RiskAdjustment, has_proposal: bool) -> Vec<ActForm> {
    let url = view.url(&format!("/risk-adjustments/{}/decisions", escaped(&adjustment.quarter)));
    let form = |id: &str, label: &str, adopted: &str| {
        ActForm::new(id, label, url.clone())
            .field(idempotent_form::field(view))
            .field(Field::hidden("adopted", adopted))
            .field(Field::textarea("reason", "Why").required())
    };
    let own = Field::text("configuration", "Or a configuration of your own").hint("Its id.");
    let own = if has_proposal { own } else { own.required() };
    vec![
        form("adopt", "Adopt", "true")
            .tone(ActTone::Go)
            .field(own)
            .note("A proposal from this page is made in your name. Another person, or an approved change, puts it in force.")
            .submit("Adopt it"),
        form("decline", "Decline", "false").submit("Decline it"),
    ]
}
