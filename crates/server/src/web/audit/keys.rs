//! The keys that sign permits and the log, and how the log fares.

use acts::audit::find_timeline::{self, find_seal};
use acts::audit::outside_proofs::stamp_log::newest_stamp;
use acts::core::signing_keys;
use axum::extract::State;
use axum::response::Response;
use model::core::act::actions;
use pages::{Cell, Column, Fact, Fold, Notice, Place, RecordPage, Rich, Section, SectionBody, Table, Tone, count};
use store::audit::{keys, log};

use super::super::shared::view::{View, Visitor, show};
use super::super::shared::words::capital;
use crate::http::state::AppState;

/// The use of each kind of key.
const PURPOSES: [(&str, &str); 3] = [
    (
        signing_keys::PERMIT,
        "signs permits, which gateways check with the published key",
    ),
    (signing_keys::LOG, "signs the log’s checkpoints"),
    (signing_keys::COSIGNER, "cosigns checkpoints independently of the log"),
];

/// The page.
pub(crate) async fn show_keys(State(state): State<AppState>, visitor: Visitor) -> Response {
    show(&state, &visitor, Place::Keys, page).await
}

fn page(view: &mut View<'_, '_, '_>) -> acts::Result<String> {
    view.cx.allow(actions::SET_CONNECTION)?;
    let mut rows = Vec::new();
    for (purpose, words) in PURPOSES {
        let mut keys = keys::list(view.cx.tx, purpose)?;
        keys.sort_by_key(|key| (key.state != "active", std::cmp::Reverse(key.created_at)));
        for key in keys {
            let tone = match key.state.as_str() {
                "active" => Tone::Ok,
                "revoked" => Tone::Stop,
                _ => Tone::Plain,
            };
            rows.push(vec![
                Cell::Name(capital(purpose)),
                Cell::text(words),
                Cell::Text(Rich::new().digest(&key.kid)),
                Cell::Mark(tone.mark(capital(&key.state))),
                Cell::Short(view.reader.day(key.created_at)),
            ]);
        }
    }
    let table = Table {
        caption: "Keys".to_owned(),
        columns: vec![
            Column::new("Key", Fold::Never),
            Column::new("What it does", Fold::Under),
            Column::new("Id", Fold::Under),
            Column::new("State", Fold::Under),
            Column::new("Made", Fold::Away),
        ],
        rows,
        ..Table::default()
    };
    let log = find_seal(view.cx)?;
    let tenant = view.cx.tenant();
    let public_url = view.cx.services.tools().public_url.clone();
    let page = RecordPage {
        frame: view.frame.clone(),
        title: "Keys and log health".to_owned(),
        byline: Rich::from("Private keys are stored encrypted with the master key and never leave this server."),
        notices: health(view, &log),
        sections: vec![
            Section::new("keys", "Keys", SectionBody::Table(table)).note(
                Rich::new()
                    .link("the log’s public keys", format!("/t/{tenant}/log/key"))
                    .text(", ")
                    .link("those of permits", format!("/t/{tenant}/.well-known/jwks.json")),
            ),
            Section::new("log", "The log", SectionBody::Facts(facts(view, &log)?))
                .note(Rich::new().link("its entries", view.url("/audit"))),
            Section::new(
                "checks",
                "Check it yourself",
                SectionBody::Code(format!(
                    "# Every entry, its place and the signatures, without trusting this server:\n{}\n\n# That the database \
                     matches the log, on the host:\nassent audit replay",
                    super::super::audit::log::verify_command(&public_url, &tenant)
                )),
            ),
        ],
        ..RecordPage::default()
    };
    Ok(page.render())
}

/// How far the log may lag before somebody should look, in seconds.
const LATE_SECONDS: i64 = 60;

fn health(view: &View<'_, '_, '_>, log: &find_timeline::LogView) -> Vec<Notice> {
    let age = log.sealed_at.map(|at| view.now().duration_since(at).as_secs());
    let is_late = log.waiting > 0 && age.is_none_or(|seconds| seconds > LATE_SECONDS);
    let waiting = match log.waiting {
        0 => "no event is waiting to be sequenced".to_owned(),
        1 => "one event is waiting to be sequenced".to_owned(),
        many => format!("{} events are waiting to be sequenced", count(many.unsigned_abs())),
    };
    let sealed = log
        .sealed_at
        .map(|at| view.reader.distance(at))
        .unwrap_or_else(|| "never".to_owned());
    match is_late {
        true => vec![
            Notice::new(
                Tone::Stop,
                format!("The last checkpoint was signed {sealed}, and {waiting}. Check whether a server is running and whether \
                         its disk is full."),
            )
            .title("The log lags"),
        ],
        false => vec![Notice::new(Tone::Ok, format!("Its last checkpoint was signed {sealed}; {waiting}.")).title("The log is healthy")],
    }
}

fn facts(view: &mut View<'_, '_, '_>, log: &find_timeline::LogView) -> acts::Result<Vec<Fact>> {
    let state = log::state(view.cx.tx)?;
    let mut facts = vec![
        Fact::new("Entries", count(log.size.unsigned_abs())),
        Fact::new("Root", Rich::new().digest(&log.root)),
        Fact::new("Waiting", count(log.waiting.unsigned_abs())),
    ];
    if let Some(at) = log.sealed_at {
        facts.push(Fact::new("Signed", view.reader.moment(at)));
    }
    if let Some(state) = state.filter(|state| !state.holder.is_empty()) {
        let until = view.reader.moment(state.lease_until);
        let holder = Rich::new().digest(&state.holder);
        facts.push(Fact::new("Sequenced by", holder.text(format!(" until {until}"))));
    }
    let witnesses = log
        .checkpoint
        .lines()
        .filter(|line| line.starts_with('\u{2014}'))
        .count();
    facts.push(Fact::new("Signatures", format!("{witnesses} on the last checkpoint")));
    if let Some(stamp) = newest_stamp(view.cx)?
        && let Ok(at) = jiff::Timestamp::from_second(stamp.time)
    {
        let entries = count(stamp.size.unsigned_abs());
        let at = view.reader.moment(at);
        facts.push(Fact::new("Time stamp", format!("over {entries} entries, {at}")));
    }
    Ok(facts)
}
