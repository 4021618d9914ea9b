//! Policies tried before they are proposed: a set of one's own with its cases, judged over the last changes and decisions.

use acts::policy::compare_sets::ObligationRow;
use acts::policy::try_acts::ActDifference;
use acts::policy::try_policies::{self, DecisionDifference, Difference, Trial, Unmeetable};
use acts::policy::{propose_configuration, search_histories};
use axum::extract::State;
use axum::response::Response;
use model::core::act::actions;
use model::core::body::Body;
use model::core::enums::Decision;
use model::core::refusal::PolicyReason;
use model::policy::configuration::{self, Configuration};
use pages::{
    ActForm, Cell, Choice, Column, Entry, Fact, Field, Fold, Input, Notice, Place, RecordPage, Rich, Section,
    SectionBody, Table, Tone,
};
use serde_json::{Value, json};
use store::record;

use crate::http::failure::Failure;
use crate::http::state::AppState;
use crate::web::shared::flash::Flash;
use crate::web::shared::form::{self, Form};
use crate::web::shared::form_page::Back;
use crate::web::shared::view::{View, Visitor, problem, redirect_with_flash, show, show_as, write};
use crate::web::shared::{idempotent_form, words};

/// The file name of a set that was written on the page.
const OWN_FILE: &str = "own/policies.cedar";
/// The file of its cases.
const OWN_CASES: &str = "own/cases/policies.cases";
/// Where a set that was tried is proposed.
const PROPOSAL: &str = "/policies/proposal";
/// The default number of changes in a trial.
const USUAL: &str = "50";

/// The policies that the tenant added to the base, as the form begins with them.
#[derive(Debug, Clone, Default)]
struct Own {
    packs: Vec<String>,
    policies: String,
    cases: String,
    parameters: String,
}

/// The configuration in force beside the base.
fn own(view: &mut View<'_, '_, '_>) -> acts::Result<Own> {
    let in_force = view
        .directory
        .tenant
        .as_ref()
        .and_then(|tenant| tenant.policies.clone());
    let Some(in_force) = in_force else {
        return Ok(Own::default());
    };
    let found = record::load::<Configuration>(view.cx.tx, in_force.id.as_str())?;
    let Some(found) = found.map(|stored| stored.record) else {
        return Ok(Own::default());
    };
    let known: Vec<&str> = policy::packs().iter().map(|pack| pack.name).collect();
    let pack_of = |path: &str| known.iter().find(|name| path.starts_with(&format!("{name}/"))).copied();
    let is_own = |path: &str| !path.starts_with("base/") && pack_of(path).is_none();
    let texts = |files: &[configuration::PolicyFile]| {
        let own = files
            .iter()
            .filter(|file| is_own(&file.path))
            .map(|file| file.content.trim_end().to_owned());
        own.collect::<Vec<_>>().join("\n\n")
    };
    let mut packs: Vec<String> = found
        .files
        .iter()
        .filter_map(|file| pack_of(&file.path))
        .map(str::to_owned)
        .collect();
    packs.dedup();
    Ok(Own {
        packs,
        policies: texts(&found.files),
        cases: texts(&found.cases),
        parameters: found.parameters,
    })
}

fn fields(own: &Own) -> Vec<Field> {
    let packs = policy::packs();
    let choices = packs.iter().map(|pack| Choice {
        hint: Some(pack.about.to_owned()),
        ..Choice::said(pack.name, pack.name)
    });
    let mut chosen = Field::new("packs", "Packs that come with Assent", Input::Many(choices.collect()));
    chosen.chosen.clone_from(&own.packs);
    vec![
        chosen,
        Field::textarea("policies", "Policies of your own")
            .hint("Cedar, each with @id and @reason. The base pack is added automatically.")
            .value(own.policies.as_str()),
        Field::textarea("cases", "Their cases")
            .hint("Each case states the expected verdict; a set that fails one is refused.")
            .value(own.cases.as_str()),
        Field::textarea("parameters", "Your values")
            .hint("TOML, for parameters of the packs.")
            .value(own.parameters.as_str()),
    ]
}

/// The act on the policies' page that tries a set.
pub(crate) fn try_form(view: &mut View<'_, '_, '_>) -> acts::Result<ActForm> {
    let own = own(view)?;
    let mut form = ActForm::new("trial", "Try a set", view.url("/policies/trial"))
        .note("Nothing is changed: the set is evaluated on the last changes and compared with the set in force.")
        .submit("Try it on the last changes");
    form.fields = fields(&own);
    form.fields
        .push(Field::new("last", "On the last", Input::Number).value(USUAL).half());
    Ok(form)
}

/// The sections of the policies' page with the test cases of the sets in force.
pub(crate) fn case_sections(view: &mut View<'_, '_, '_>) -> acts::Result<Vec<Section>> {
    let in_force = view
        .directory
        .tenant
        .as_ref()
        .and_then(|tenant| tenant.policies.clone());
    let mut cases: Vec<(String, String)> = Vec::new();
    if let Some(in_force) = in_force {
        let found = record::load::<Configuration>(view.cx.tx, in_force.id.as_str())?;
        cases.extend(
            found
                .into_iter()
                .flat_map(|it| it.record.cases)
                .map(|file| (file.path, file.content)),
        );
    }
    if cases.is_empty() {
        cases.extend(policy::base().cases.into_iter().map(|file| (file.name, file.text)));
    }
    let sections = cases.into_iter().enumerate().map(|(number, (path, text))| {
        Section::new(format!("cases-{number}"), path, SectionBody::Code(text))
            .note("cases, run before a set is accepted")
    });
    Ok(sections.collect())
}

/// Converts the form into the API's format.
fn body_of(form: &Form) -> Body {
    let mut body = Body::new();
    let one = |path: &str, content: &str| json!([{"path": path, "content": content}]);
    body.insert("packs".to_owned(), json!(form.all("packs")));
    for (name, field, path) in [("files", "policies", OWN_FILE), ("cases", "cases", OWN_CASES)] {
        if !form.first(field).trim().is_empty() {
            body.insert(name.to_owned(), one(path, form.first(field)));
        }
    }
    if !form.first("parameters").trim().is_empty() {
        body.insert("parameters".to_owned(), json!(form.first("parameters")));
    }
    body
}

/// The effect that a set would have had on the last changes.
async fn tried(state: &AppState, visitor: &Visitor, form: &Form) -> Result<Trial, Failure> {
    let mut body = body_of(form);
    let last = form
        .first("last")
        .trim()
        .parse::<i64>()
        .map_or_else(|_| Value::from(50), Value::from);
    body.insert("last".to_owned(), last);
    let act = move |cx: &mut acts::Context<'_, '_>| try_policies::try_policies(cx, &body);
    state
        .act(store::Lane::Pages, &visitor.caller, store::Mode::Read, act)
        .await
}

/// Tries a set over the last changes and shows the differences.
pub(crate) async fn try_set(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    match tried(&state, &visitor, &form).await {
        Ok(trial) => {
            show(&state, &visitor, Place::Policies, move |view| {
                Ok(result_page(view, &form, &trial).render())
            })
            .await
        }
        Err(failure) if failure.status() == 422 => refuse_set(&state, &visitor, form, &failure).await,
        Err(failure) => problem(&state, &visitor, &failure, &format!("{}/policies", visitor.base())).await,
    }
}

/// Shows a set that cannot be taken.
async fn refuse_set(state: &AppState, visitor: &Visitor, form: Form, failure: &Failure) -> Response {
    let told = failure.problem.errors.iter();
    let errors: Vec<(String, String)> = told.map(|error| (error.field.clone(), error.text.clone())).collect();
    show_as(state, visitor, Place::Policies, 422, move |view| {
        Ok(refused_page(view, &form, &errors).render())
    })
    .await
}

fn bare_page(view: &View<'_, '_, '_>, form: &Form, title: &str) -> RecordPage {
    let own = Own {
        packs: form.all("packs"),
        policies: form.first("policies").to_owned(),
        cases: form.first("cases").to_owned(),
        parameters: form.first("parameters").to_owned(),
    };
    let mut again =
        ActForm::new("trial", "Change it and try again", view.url("/policies/trial")).submit("Try it again");
    again.fields = fields(&own);
    again.fields.push(
        Field::new("last", "On the last", Input::Number)
            .value(form.first("last"))
            .half(),
    );
    RecordPage {
        frame: view.frame.clone(),
        crumb: vec![("Policies".to_owned(), view.url("/policies"))],
        title: title.to_owned(),
        acts: vec![again],
        ..RecordPage::default()
    }
}

/// An invalid set: all of its errors, by file and line.
fn refused_page(view: &View<'_, '_, '_>, form: &Form, errors: &[(String, String)]) -> RecordPage {
    let mut page = bare_page(view, form, "This set cannot be accepted");
    let entries = wrong(view, errors.iter().map(|(place, text)| (place.as_str(), text.as_str())));
    let section = Section::new("wrong", "What is wrong", entries);
    page.notices.push(
        Notice::new(
            Tone::Stop,
            "The set was not tried. Each line names the place of an error.",
        )
        .answer(),
    );
    let mut again = std::mem::take(&mut page.acts);
    if let Some(act) = again.first_mut() {
        act.is_open = true;
    }
    // The errors come before the form that corrects them.
    page.sections = vec![section.note("by file and line").acts(again)];
    page
}

/// The errors, each with its file and line.
fn wrong<'a>(view: &View<'_, '_, '_>, lines: impl Iterator<Item = (&'a str, &'a str)>) -> SectionBody {
    let entries = lines.map(|(place, text)| Entry::new(Tone::Stop, view.sentence(text)).code(place));
    SectionBody::Entries(entries.collect())
}

/// The result in one line: first the changes with other approvers, then the decisions. Other requirements for the same people
/// count as a difference too.
fn result_title(trial: &Trial) -> String {
    let acts = trial.acts_differing.len();
    match (trial.differing.len(), trial.decisions_differing.len()) {
        (0, 0) if acts == 0 => "No change would have had other requirements".to_owned(),
        (0, 0) if acts == 1 => "One past act would have had another result".to_owned(),
        (0, 0) => format!(
            "{} past acts would have had another result",
            pages::count_word(acts as u64)
        ),
        (0, 1) => "One past decision would have been judged differently".to_owned(),
        (0, many) => format!(
            "{} past decisions would have been judged differently",
            pages::count_word(many as u64)
        ),
        (1, _) => "One change would have had other requirements".to_owned(),
        (many, _) => format!(
            "{} changes would have had other requirements",
            pages::count_word(many as u64)
        ),
    }
}

fn result_page(view: &View<'_, '_, '_>, form: &Form, trial: &Trial) -> RecordPage {
    let differing = trial.differing.len();
    let mut page = bare_page(view, form, &result_title(trial));
    page.byline = Rich::from(format!(
        "{differing} of the last {} changes, judged under both sets.",
        trial.tried
    ))
    .text(" ")
    .append(Rich::from(format!(
        "{} of {} decisions, on the facts known at the time.",
        trial.decisions_differing.len(),
        trial.decisions_tried
    )))
    .text(" ")
    .append(Rich::from(format!(
        "Of {} acts on these changes {} could be judged, {} would have had another result.",
        trial.acts_tried + trial.acts_without_facts,
        trial.acts_tried,
        trial.acts_differing.len()
    )));
    let table = Table {
        caption: "What would differ".to_owned(),
        columns: columns("Risk"),
        rows: trial.differing.iter().map(|row| difference(view, row)).collect(),
        ..Table::default()
    };
    page.sections = vec![
        Section::new("differing", "What would differ", SectionBody::Table(table)).unsaid("Nothing."),
        decisions(view, trial),
        acts_done(view, trial),
    ];
    if !trial.stories.is_empty() {
        let text = "This set leaves a forbidden path open, so it cannot be proposed. Each path is listed step by step.";
        page.notices.push(Notice::new(Tone::Stop, text).answer());
        page.sections.insert(0, stories(&trial.stories));
    }
    if !trial.unmeetable.is_empty() {
        let text = "This set requires more people than there are, so it cannot be proposed. Each line names the place.";
        page.notices.push(Notice::new(Tone::Stop, text).answer());
        page.sections.insert(0, unmeetable(view, &trial.unmeetable));
    }
    page.facts = vec![
        Fact::new("In force", Rich::new().digest(&trial.before)),
        Fact::new("Tried", Rich::new().digest(&trial.after)),
    ];
    let can_be_proposed = trial.stories.is_empty() && trial.unmeetable.is_empty();
    if view.may(actions::SET_POLICY) && can_be_proposed {
        let mut propose = ActForm::new("propose", "Propose it", view.url(PROPOSAL))
            .tone(pages::ActTone::Go)
            .field(idempotent_form::field(view))
            .field(Field::textarea("reason", "Why").required())
            .note("A second person, or an approved change, puts it in force.")
            .submit("Propose this set");
        let kept = form.pairs().filter(|(name, _)| !["reason", form::MARK].contains(name));
        propose
            .fields
            .extend(kept.map(|(name, value)| Field::hidden(name, value)));
        page.acts.insert(0, propose);
    }
    page
}

/// The rules that nobody here can meet.
fn unmeetable(view: &View<'_, '_, '_>, rules: &[Unmeetable]) -> Section {
    let entries = wrong(view, rules.iter().map(|it| (it.place.as_str(), it.text.as_str())));
    Section::new("unmeetable", "Rules that nobody can meet", entries).note("by file and line")
}

/// Forbidden sequences that would be possible: the acting people, the order, and the rule that should have stopped them.
fn stories(stories: &[search_histories::Story]) -> Section {
    let entries = stories.iter().map(|story| {
        let mut text = Rich::new().text(format!("{} The change: {}.", story.title, story.about));
        for (place, step) in story.steps.iter().enumerate() {
            text = text.line().text(format!("{}. {} {}.", place + 1, step.who, step.does));
        }
        Entry::new(Tone::Stop, text.line().text(story.rule.as_str())).code(story.path)
    });
    Section::new("stories", "Forbidden paths", SectionBody::Entries(entries.collect()))
        .note("simulated changes of every shape, run under the set")
}

/// The columns of the differences, with the column that distinguishes the two tables.
fn columns(second: &'static str) -> Vec<Column> {
    vec![
        Column::new("Change", Fold::Never),
        Column::new(second, Fold::Under),
        Column::new("Required in addition", Fold::Under).named(),
        Column::new("No longer required", Fold::Under).named(),
    ]
}

/// The requirements, a line for each policy.
fn requirement_lines(rows: &[ObligationRow]) -> Rich {
    let mut text = Rich::new();
    for (place, asked) in rows.iter().enumerate() {
        if place > 0 {
            text = text.line();
        }
        text = text.text(format!("{} ", asked.asks)).code(asked.policy.as_str());
    }
    text
}

fn added(rows: &[ObligationRow], stop: Option<&String>) -> Rich {
    match stop {
        Some(stop) => Rich::new().late(format!("Everything would stop: {stop}")),
        None => requirement_lines(rows),
    }
}

/// The decisions that would have been different, on the facts that were kept with them.
fn decisions(view: &View<'_, '_, '_>, trial: &Trial) -> Section {
    let table = Table {
        caption: "Past decisions".to_owned(),
        columns: columns("Decision"),
        rows: trial
            .decisions_differing
            .iter()
            .map(|row| decision(view, row))
            .collect(),
        ..Table::default()
    };
    let section = Section::new("decisions", "Past decisions", SectionBody::Table(table)).unsaid("Nothing.");
    match trial.decisions_without_facts {
        0 => section,
        many => section.note(format!(
            "{many} older decisions have no recorded facts and were not judged"
        )),
    }
}

/// Past acts and attempts that would have had another result, on the facts that were recorded with them.
fn acts_done(view: &View<'_, '_, '_>, trial: &Trial) -> Section {
    let table = Table {
        caption: "Past acts".to_owned(),
        columns: columns("Act"),
        rows: trial.acts_differing.iter().map(|row| act_done(view, row)).collect(),
        ..Table::default()
    };
    let section = Section::new("acts-done", "Past acts", SectionBody::Table(table)).unsaid("Nothing.");
    match trial.acts_without_facts {
        0 => section,
        many => section.note(format!(
            "{many} were done before facts were recorded, or by a delivery or a timer, and were not judged"
        )),
    }
}

/// The change of a row, with the text below its title.
fn change(view: &View<'_, '_, '_>, (key, title): (&str, &str), sub: Rich) -> Cell {
    Cell::Title {
        text: title.to_owned(),
        href: view.change_url(key),
        key: key.to_owned(),
        marks: Vec::new(),
        sub,
    }
}

/// The policies that would refuse, a line each.
fn refusing(told: Rich, policies: &[PolicyReason]) -> Rich {
    policies.iter().fold(told, |told, policy| {
        told.line()
            .late(policy.reason.as_str())
            .text(" ")
            .code(policy.id.as_str())
    })
}

fn act_done(view: &View<'_, '_, '_>, row: &ActDifference) -> Vec<Cell> {
    let mut told = Rich::new().name(row.person.as_str()).text(" ").code(row.act.as_str());
    if row.was_refused {
        told = told.text(" ").text("was refused");
    }
    told = refusing(told, &row.refused);
    for policy in &row.allowed {
        told = told
            .line()
            .text("It would be allowed by")
            .text(" ")
            .code(policy.id.as_str());
    }
    vec![
        change(
            view,
            (&row.key, &row.title),
            Rich::new().text(view.reader.moment(row.at)),
        ),
        Cell::Text(told),
        Cell::Text(added(&row.added, row.stop.as_ref())),
        Cell::Text(requirement_lines(&row.removed)),
    ]
}

fn decision(view: &View<'_, '_, '_>, row: &DecisionDifference) -> Vec<Cell> {
    let said = match row.decision {
        Decision::Approve => "approved",
        Decision::ApproveWithConditions => "approved with conditions",
        Decision::Return => "returned it",
        Decision::Reject => "rejected it",
        Decision::Abstain => "abstained",
    };
    let mut told = Rich::new().name(row.person.as_str()).text(" ").text(said);
    told = refusing(told, &row.refused);
    vec![
        change(
            view,
            (&row.key, &row.title),
            Rich::new().text(view.reader.moment(row.at)),
        ),
        Cell::Text(told),
        Cell::Text(added(&row.added, row.stop.as_ref())),
        Cell::Text(requirement_lines(&row.removed)),
    ]
}

fn difference(view: &View<'_, '_, '_>, row: &Difference) -> Vec<Cell> {
    vec![
        change(view, (&row.key, &row.title), Rich::new()),
        Cell::Mark(words::risk(row.risk).mark()),
        Cell::Text(added(&row.added, row.stop.as_ref())),
        Cell::Text(requirement_lines(&row.removed)),
    ]
}

/// Proposes a tried set; on a refusal the form comes back beside the findings.
pub(crate) async fn propose(State(state): State<AppState>, visitor: Visitor, form: Form) -> Response {
    let url = format!("{}/policies", visitor.base());
    let mut body = body_of(&form);
    body.insert("reason".to_owned(), json!(form.first("reason")));
    let once = idempotent_form::once(&visitor, PROPOSAL, &form);
    let done = write(&state, &visitor, move |cx| {
        idempotent_form::run(&once, cx, |cx| {
            propose_configuration::propose_policies(cx, &body).map(drop)
        })
    })
    .await;
    let failure = match done {
        Ok(done) => {
            let told = Flash::default().unless_again(done.is_again);
            return redirect_with_flash(&state, &visitor, &url, &told);
        }
        Err(failure) => failure,
    };
    if !matches!(failure.status(), 409 | 422) {
        return problem(&state, &visitor, &failure, &url).await;
    }
    // The result belongs to no form that is sent, so it is computed anew.
    let trial = match tried(&state, &visitor, &form).await {
        Ok(trial) => trial,
        Err(other) if other.status() == 422 => return refuse_set(&state, &visitor, form, &other).await,
        Err(_) => return problem(&state, &visitor, &failure, &url).await,
    };
    let status = failure.status();
    let back = Back::new(&state, &visitor, PROPOSAL, form, failure);
    show_as(&state, &visitor, Place::Policies, status, move |view| {
        let mut page = result_page(view, back.form(), &trial);
        back.put(view, &mut page.frame, page.acts.iter_mut());
        Ok(page.render())
    })
    .await
}
