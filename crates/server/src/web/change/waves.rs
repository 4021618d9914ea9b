//! The waves of a change: the stop conditions, the waves with their counts, the members with their outcomes, a dry run, and the
//! forms of plan and members.

use acts::Context;
use acts::change::find_waves::{self, DryRun, MOST_LISTED, Shown, Wanted, Waves};
use acts::change::set_members;
use acts::change::tell_members;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::change::write::check_editable;
use model::core::act::{Act, actions};
use model::core::body::Body;
use model::core::enums::MemberState;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use pages::{
    ActForm, ActTone, Cell, Column, Entry, Fact, Field, Fold, Input, Place, RecordPage, Rich, Section, SectionBody,
    Table, Tone, count, minutes,
};
use serde_json::{Map, Value, json};

use crate::change::member_rows::{CSV, rows_of};
use crate::http::percent::escaped;
use crate::http::state::AppState;
use crate::web::shared::form::Form;
use crate::web::shared::form_page::{Back, Sent, send};
use crate::web::shared::idempotent_form;
use crate::web::shared::view::{View, Visitor, show};

/// The filter of the shown members, and whether the page shows a dry run.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub(crate) struct WavesQuery {
    wave: Option<i64>,
    state: Option<String>,
    from: Option<usize>,
    dry: Option<String>,
}

/// The page.
pub(crate) async fn show_waves(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key)): Path<(String, String)>,
    Query(asked): Query<WavesQuery>,
) -> Response {
    show(&state, &visitor, Place::Changes, move |view| {
        page(view, &key, &asked, None)
    })
    .await
}

/// Does one of the acts of the page.
pub(crate) async fn act(
    State(state): State<AppState>,
    visitor: Visitor,
    Path((_, key, act)): Path<(String, String, String)>,
    form: Form,
) -> Response {
    let here = format!("/changes/{}/waves", escaped(&key));
    let sent = Sent {
        form,
        boxes: &[],
        path: format!("{here}/{}", escaped(&act)),
        then: here,
        place: Place::Changes,
        done: "",
    };
    let whose = key.clone();
    let run = move |cx: &mut Context<'_, '_>, body: &Body| run(cx, &whose, &act, body);
    send(&state, &visitor, sent, run, move |view, back| {
        page(view, &key, &WavesQuery::default(), back)
    })
    .await
}

fn run(cx: &mut Context<'_, '_>, key: &str, act: &str, body: &Body) -> acts::Result<()> {
    match act {
        "pause" => tell_members::pause_waves(cx, key, body),
        "resume" => tell_members::resume_waves(cx, key, body),
        "retries" => tell_members::retry_members(cx, key, body).map(drop),
        "plan" => set_members::set_wave_plan(cx, key, &plan_body(body)?),
        "members" => {
            set_members::check_may_set(cx, key)?;
            let mut reading = Reading::new(body, "");
            let csv = reading.text("csv", CSV);
            let mut set = set_members::read_set(&mut reading);
            reading.finish()?;
            if let Some(csv) = csv {
                set.rows = rows_of(&csv)?;
            }
            set_members::set_members(cx, key, set)
        }
        _ => Err(Refusal::not_found("such an act").into()),
    }
}

/// The plan as the form sends it: a wave a line, and numbers as texts.
fn plan_body(body: &Body) -> Result<Body, Refusal> {
    let mut plan = body.clone();
    if let Some(Value::String(text)) = body.get("waves") {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let waves = lines.map(wave_of).collect::<Result<Vec<Value>, Refusal>>()?;
        plan.insert("waves".to_owned(), json!(waves));
    }
    for field in ["most_at_once", "halt_failures", "watch_minutes"] {
        if let Some(Value::String(text)) = body.get(field) {
            match text.trim().parse::<i64>() {
                Ok(number) => plan.insert(field.to_owned(), json!(number)),
                Err(_) if text.trim().is_empty() => plan.remove(field),
                Err(_) => {
                    return Err(Refusal::field(
                        field,
                        "not_a_number",
                        format!("`{field}` is a whole number."),
                    ));
                }
            };
        }
    }
    Ok(plan)
}

/// A wave as a line of the form: `canary, canary, size=12`.
fn wave_of(line: &str) -> Result<Value, Refusal> {
    let mut parts = line.split(',').map(str::trim);
    let mut wave = Map::new();
    wave.insert("wave".to_owned(), json!(parts.next().unwrap_or_default()));
    let mut regions = Vec::new();
    for part in parts {
        let wrong = || {
            let text =
                format!("`{part}` is no setting of a wave: write `canary`, `region=NAME`, `size=N` or `percent=N`.");
            Refusal::field("waves", "not_a_wave", text)
        };
        match part.split_once('=').map(|(name, text)| (name.trim(), text.trim())) {
            None if part == "canary" => drop(wave.insert("canary".to_owned(), json!(true))),
            Some(("region", region)) => regions.push(region.to_owned()),
            Some((name @ ("size" | "percent"), text)) => {
                let number: i64 = text.parse().map_err(|_| wrong())?;
                wave.insert(name.to_owned(), json!(number));
            }
            _ => return Err(wrong()),
        }
    }
    if !regions.is_empty() {
        wave.insert("regions".to_owned(), json!(regions));
    }
    Ok(Value::Object(wave))
}

fn page(view: &mut View<'_, '_, '_>, key: &str, asked: &WavesQuery, back: Option<&Back>) -> acts::Result<String> {
    view.cx.allow(actions::READ)?;
    let change = view.cx.change(key)?;
    let url = view.change_url(&change.key);
    let may_work = view.cx.try_on_change(key, |case| case.allow(Act::Complete)).is_ok();
    let may_edit = view.cx.try_on_change(key, check_editable).is_ok() && change.state.is_before_start();
    let mut page = RecordPage {
        frame: view.frame.clone(),
        crumb: vec![
            ("Changes".to_owned(), view.url("/changes")),
            (change.key.clone(), url.clone()),
        ],
        title: format!("Waves of {}", change.key),
        byline: Rich::from(
            "A rollout to many members, wave by wave. The gate opens for a member only in its own wave.",
        ),
        ..RecordPage::default()
    };
    if change.content.wave_plan.is_some() {
        let waves = find_waves::find_waves(view.cx, key)?;
        page.facts = facts(view, &waves);
        page.sections.push(state_section(view, &waves, may_work));
        page.sections.push(waves_section(view, &waves, &url));
        page.sections.push(members_section(view, key, asked, &url)?);
        if asked.dry.is_some() {
            let found = find_waves::dry_run(view.cx, key)?;
            page.sections.push(dry_section(&found));
        }
    }
    if may_edit {
        page.acts.push(plan_form(view, &change.key));
        if change.content.wave_plan.is_some() {
            page.acts.push(members_form(view, &change.key));
        }
    }
    if let Some(back) = back {
        let below = page.sections.iter_mut().flat_map(|section| section.acts.iter_mut());
        back.put(view, &mut page.frame, page.acts.iter_mut().chain(below));
    }
    Ok(page.render())
}

fn facts(view: &View<'_, '_, '_>, waves: &Waves) -> Vec<Fact> {
    let plan = &waves.plan;
    let whole = |number: i64| count(u64::try_from(number).unwrap_or(0));
    let yes = |is: bool| Rich::from(if is { "Yes" } else { "No" });
    let mut facts = vec![
        Fact::new("Failures that halt a wave", whole(plan.halt_failures)),
        Fact::new("An incident halts them", yes(plan.halt_on_incident)),
        Fact::new("A watch result halts them", yes(plan.halt_on_watch)),
        Fact::new(
            "Watched after each wave",
            minutes(u64::try_from(plan.watch_minutes).unwrap_or(0)),
        ),
    ];
    if let Some(most) = plan.most_at_once {
        facts.push(Fact::new("At once", whole(most)));
    }
    for target in waves.change.content.targets.iter().filter_map(|it| it.members.as_ref()) {
        facts.push(Fact::new("Member list", Rich::new().digest(&target.digest)));
    }
    if let Some(opens) = waves.run.as_ref().and_then(|run| run.opens_at) {
        facts.push(Fact::new("The open wave begins", view.moment(opens)));
    }
    facts
}

/// The cause that stops the waves, and the acts on them.
fn state_section(view: &View<'_, '_, '_>, waves: &Waves, may_work: bool) -> Section {
    let Some(run) = &waves.run else {
        return Section::new("state", "State", SectionBody::Entries(Vec::new()))
            .unsaid("The change has no members yet.");
    };
    let mut entries = Vec::new();
    match &run.stop {
        Some(stop) => {
            let mut entry = Entry::new(Tone::Stop, Rich::from(stop.sentence(run, &waves.plan))).icon("x");
            if let Some(reason) = &stop.reason {
                entry = entry.why(Rich::new().said(reason.as_str()));
            }
            entries.push(entry);
            let people: Vec<String> = waves.people.iter().map(|login| view.waits_on(login)).collect();
            let who = Rich::from("Resumed by: ").said(people.join(", "));
            entries.push(Entry::new(Tone::Wait, who).icon("s-authorizing"));
        }
        None if run.is_through() => {
            entries.push(Entry::new(Tone::Ok, Rich::from("Every wave is complete.")).icon("check"));
        }
        None => {
            let text = format!("Wave {} is open.", run.name_of(run.current));
            entries.push(Entry::new(Tone::Plain, Rich::from(text)).icon("clock"));
        }
    }
    let failed: i64 = run.waves.iter().map(|wave| wave.failed).sum();
    let mut forms = Vec::new();
    if may_work {
        let key = &waves.change.key;
        match run.stop.is_some() {
            true => forms.push(reason_form(view, key, "resume", "Resume the waves").tone(ActTone::Go)),
            false => forms.push(reason_form(view, key, "pause", "Pause the waves")),
        }
        if failed > 0 {
            let form = ActForm::new("retries", "Retry failed members", act_url(view, key, "retries"));
            forms.push(form.field(idempotent_form::field(view)));
        }
    }
    Section::new("state", "State", SectionBody::Entries(entries)).acts(forms)
}

fn act_url(view: &View<'_, '_, '_>, key: &str, act: &str) -> String {
    view.url(&format!("/changes/{}/waves/{act}", escaped(key)))
}

fn reason_form(view: &View<'_, '_, '_>, key: &str, act: &str, label: &str) -> ActForm {
    ActForm::new(act, label, act_url(view, key, act))
        .field(idempotent_form::field(view))
        .field(Field::textarea("reason", "Reason").required())
}

fn waves_section(view: &View<'_, '_, '_>, waves: &Waves, url: &str) -> Section {
    let Some(run) = &waves.run else {
        let rules = waves.plan.waves.iter();
        let entries = rules.map(|rule| Entry::new(Tone::Plain, Rich::new().said(rule.wave.as_str())).icon("list"));
        return Section::new("waves", "Waves", SectionBody::Entries(entries.collect()));
    };
    let whole = |number: i64| Cell::Short(count(u64::try_from(number).unwrap_or(0)));
    let row = |(number, wave): (i64, &model::change::waves::kept_run::WaveCount)| {
        let state = match number.cmp(&run.current) {
            std::cmp::Ordering::Less => "Through",
            std::cmp::Ordering::Equal if run.stop.is_some() => "Stopped",
            std::cmp::Ordering::Equal => "Open",
            std::cmp::Ordering::Greater => "Waits",
        };
        let mut started = Rich::from("Not yet");
        if let Some(at) = wave.started_at {
            started = view.moment(at);
        }
        vec![
            Cell::Text(Rich::new().said_link(wave.wave.as_str(), format!("{url}/waves?wave={number}#members"))),
            Cell::text(state),
            whole(wave.done),
            whole(wave.failed),
            whole(wave.left()),
            whole(wave.count),
            Cell::Text(started),
        ]
    };
    let table = Table {
        caption: "Waves in their order".to_owned(),
        columns: vec![
            Column::new("Wave", Fold::Never),
            Column::new("State", Fold::Never),
            Column::new("Done", Fold::Under).named(),
            Column::new("Failed", Fold::Under).named(),
            Column::new("Left", Fold::Under).named(),
            Column::new("Members", Fold::Under).named(),
            Column::new("Started", Fold::Under).named(),
        ],
        rows: (1..).zip(&run.waves).map(row).collect(),
        ..Table::default()
    };
    Section::new("waves", "Waves", SectionBody::Table(table))
        .note(Rich::new().link("Dry run", format!("{url}/waves?dry=1#dry")))
}

fn members_section(view: &mut View<'_, '_, '_>, key: &str, asked: &WavesQuery, url: &str) -> acts::Result<Section> {
    let wanted = Wanted {
        wave: asked.wave,
        // An unknown value filters nothing.
        state: asked.state.as_deref().and_then(|word| word.parse().ok()),
        from: asked.from.unwrap_or(0),
    };
    let (found, all) = find_waves::find_members(view.cx, key, &wanted)?;
    let table = Table {
        caption: "Members by wave and name".to_owned(),
        columns: vec![
            Column::new("Member", Fold::Never),
            Column::new("Outcome", Fold::Never),
            Column::new("Region", Fold::Under).named(),
            Column::new("Wave", Fold::Under).named(),
            Column::new("Detail", Fold::Under).named(),
            Column::new("Tries", Fold::Under).named(),
        ],
        rows: found.iter().map(member_row).collect(),
        ..Table::default()
    };
    let mut note = Rich::from(format!("{} of {} ", count(found.len() as u64), count(all as u64)));
    let only = asked.wave.map(|wave| format!("wave={wave}&")).unwrap_or_default();
    if wanted.from > 0 {
        let from = wanted.from.saturating_sub(MOST_LISTED);
        note = note
            .link("earlier", format!("{url}/waves?{only}from={from}#members"))
            .text(" ");
    }
    if all > wanted.from.saturating_add(MOST_LISTED) {
        let from = wanted.from + MOST_LISTED;
        note = note
            .link("later", format!("{url}/waves?{only}from={from}#members"))
            .text(" ");
    }
    note = note.link("failed", format!("{url}/waves?{only}state=failed#members"));
    Ok(Section::new("members", "Outcome per member", SectionBody::Table(table))
        .note(note)
        .unsaid("No member fits."))
}

fn member_row(row: &Shown) -> Vec<Cell> {
    let state = row.outcome.as_ref().map_or(MemberState::Waiting, |it| it.state);
    let text = row.outcome.as_ref().and_then(|it| it.text.clone()).unwrap_or_default();
    let tries = row.outcome.as_ref().map_or(0, |it| it.tries);
    vec![
        Cell::said(row.member.name.as_str()),
        Cell::text(outcome_text(state)),
        Cell::said(row.member.region.as_str()),
        Cell::Short(row.member.wave.to_string()),
        Cell::said(text),
        Cell::Short(tries.to_string()),
    ]
}

fn outcome_text(state: MemberState) -> &'static str {
    match state {
        MemberState::Waiting => "Not started",
        MemberState::InProgress => "In progress",
        MemberState::Succeeded => "Succeeded",
        MemberState::Failed => "Failed",
        MemberState::RolledBack => "Rolled back",
        MemberState::NotImplemented => "Left out",
    }
}

fn dry_section(found: &DryRun) -> Section {
    let mut entries = Vec::new();
    for wave in &found.waves {
        let members = count(wave.count as u64);
        let text = format!("Wave {}: {members} members", wave.number);
        let mut entry = Entry::new(Tone::Ok, Rich::from(text)).icon("list");
        if let Some(long) = wave.minutes {
            entry = entry.why(minutes(u64::try_from(long).unwrap_or(0)));
        }
        entries.push(entry);
    }
    let line = |tone: Tone, text: String| Entry::new(tone, Rich::from(text)).icon("clock");
    match found.fits {
        Some(true) => entries.push(line(Tone::Ok, "They fit between the planned times.".to_owned())),
        Some(false) => entries.push(line(
            Tone::Stop,
            "They do not fit between the planned times.".to_owned(),
        )),
        None => {}
    }
    for other in &found.conflicts {
        let text = match other.is_undo {
            true => Rich::from("Conflict with the planned undo of ").said(other.with.as_str()),
            false => Rich::from("Conflict with ").said(other.with.as_str()),
        };
        entries.push(Entry::new(Tone::Stop, text).icon("incident"));
    }
    for other in &found.shared {
        let text = Rich::from("Same members as ").said(other.key.as_str());
        entries.push(
            Entry::new(Tone::Stop, text)
                .icon("incident")
                .why(count(other.count as u64)),
        );
    }
    for row in &found.missing {
        let text = Rich::new().said(row.unmet.text.as_str());
        entries.push(Entry::new(Tone::Wait, text).icon("s-authorizing"));
    }
    Section::new("dry", "Dry run", SectionBody::Entries(entries))
        .lede("The expected result of the planned waves; nothing is written.")
}

fn plan_form(view: &View<'_, '_, '_>, key: &str) -> ActForm {
    ActForm::new("plan", "Set the plan of waves", act_url(view, key, "plan"))
        .field(idempotent_form::field(view))
        .field(
            Field::textarea("waves", "Waves")
                .hint("One wave per line: its name, then optionally canary, region=NAME, size=N, percent=N. The last wave \
                    takes the rest.")
                .required(),
        )
        .field(Field::new("most_at_once", "At once", Input::Number).half())
        .field(Field::new("halt_failures", "Failures that halt a wave", Input::Number).half())
        .field(Field::new("watch_minutes", "Minutes between waves", Input::Number).half())
        .submit("Set the plan")
}

fn members_form(view: &View<'_, '_, '_>, key: &str) -> ActForm {
    ActForm::new("members", "Set members", act_url(view, key, "members"))
        .field(idempotent_form::field(view))
        .field(
            Field::textarea("csv", "Members as a table")
                .hint("The first line names the columns: member, and optionally region, canary, service, environment.")
                .required(),
        )
        .submit("Set members")
}

/// A line on the page of a change that leads here.
pub(crate) fn line(view: &View<'_, '_, '_>, change: &model::change::record::Change) -> Option<Entry> {
    change.content.wave_plan.as_ref()?;
    let url = format!("{}/waves", view.change_url(&change.key));
    let members: i64 = change
        .wave_run
        .iter()
        .flat_map(|run| &run.waves)
        .map(|wave| wave.count)
        .sum();
    let is_stopped = change.wave_run.as_ref().is_some_and(|run| run.stop.is_some());
    let words = match is_stopped {
        true => "Its waves are stopped".to_owned(),
        false => format!(
            "It goes to {} members in waves",
            count(u64::try_from(members).unwrap_or(0))
        ),
    };
    let tone = if is_stopped { Tone::Stop } else { Tone::Plain };
    Some(Entry::new(tone, Rich::new().link(words, url)).icon("list"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_line_of_the_form_is_a_wave_and_what_says_nothing_is_refused() {
        let wave = wave_of("canary, canary, region=Norway, size=12").unwrap();
        assert_eq!(
            wave,
            json!({"wave": "canary", "canary": true, "regions": ["Norway"], "size": 12})
        );
        assert_eq!(wave_of("rest").unwrap(), json!({"wave": "rest"}));
        assert!(wave_of("rest, all").is_err());
        assert!(wave_of("rest, size=many").is_err());
    }

    #[test]
    fn numbers_of_the_form_are_numbers_and_empty_ones_are_left_out() {
        let body = json!({"waves": "a\nb", "most_at_once": "40", "halt_failures": ""});
        let plan = plan_body(body.as_object().unwrap()).unwrap();
        assert_eq!(plan["waves"].as_array().unwrap().len(), 2);
        assert_eq!(plan["most_at_once"], 40);
        assert!(!plan.contains_key("halt_failures"));
        let wrong = json!({"most_at_once": "many"});
        assert!(plan_body(wrong.as_object().unwrap()).is_err());
    }
}
