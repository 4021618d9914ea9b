//! Sessions and second factors as the reader's account shows them.

use std::collections::BTreeMap;

use acts::core::providers;
use acts::identity::set_second_factor::{PASSKEY, RECOVERY};
use acts::identity::{set_passkey, set_second_factor as factors};
use pages::elements::text;
use pages::{ActForm, ActTone, Fact, Field, Rich, Section, SectionBody};
use store::identity::second_factor::SecondFactor;
use store::identity::session::{self, Session};

use crate::http::percent::escaped;
use crate::web::shared::view::View;
use crate::web::shared::words;

/// How many sessions are shown, each with its own way to end it.
const SESSIONS: usize = 20;

/// The sections of the account page, for somebody with a password here or without one.
///
/// # Errors
/// The store's.
pub(crate) fn sections(view: &mut View<'_, '_, '_>, has_password: bool) -> acts::Result<Vec<Section>> {
    let found = factors::own_factors(view.cx)?;
    let now = view.now();
    let me = view.me.clone();
    let sessions = session::of_person(view.cx.tx, me.as_str(), now)?;
    let copied = set_passkey::copied(view.cx)?;
    let providers = providers::providers(view.cx)?;
    let providers = providers.into_iter().map(|it| (it.key, it.name)).collect();
    Ok(vec![
        factor_section(view, &found, &copied, has_password),
        session_section(view, &sessions, &providers),
    ])
}

fn factor_section(view: &View<'_, '_, '_>, found: &[SecondFactor], copied: &[String], has_password: bool) -> Section {
    let left = found.iter().filter(|it| it.kind == RECOVERY).count();
    let shown: Vec<&SecondFactor> = found
        .iter()
        .filter(|it| it.kind != RECOVERY && it.is_confirmed)
        .collect();
    let mut facts: Vec<Fact> = shown
        .iter()
        .map(|it| {
            let kind = if it.kind == PASSKEY {
                "a passkey"
            } else {
                "an authenticator"
            };
            let used = it.last_used_at.map(|at| view.reader.moment(at));
            let used = used.map_or_else(|| "not used yet".to_owned(), |at| format!("used {at}"));
            let counts_from = it.counts_from.filter(|at| *at > view.now());
            let new = counts_from.map(|at| {
                format!(
                    "rules that require a second factor accept it from {}",
                    view.reader.moment(at)
                )
            });
            let told = if copied.contains(&it.id) {
                "it may have been copied, so it is disabled; remove it"
            } else {
                new.as_deref().unwrap_or(&used)
            };
            Fact::new(&it.name, format!("{kind}, {told}")).said()
        })
        .collect();
    if !shown.is_empty() {
        facts.push(Fact::new("Recovery codes", format!("{left} left")));
    }
    let body = if facts.is_empty() {
        SectionBody::Words(Rich::from(match has_password {
            true => "None yet. With one, a sensitive action requires it instead of your password.",
            false => "None yet. With one, a sensitive action requires it.",
        }))
    } else {
        SectionBody::Facts(facts)
    };
    let mut section = Section::new("factors", "Second factors", body);
    section.acts.push(
        ActForm::new("totp", "Add an authenticator", view.url("/account/factors"))
            .field(Field::text("name", "What you call it").hint("Such as “Phone”."))
            .submit("Add it"),
    );
    if set_passkey::is_offered(&view.cx.services.tools().public_url) {
        section.acts.push(
            ActForm::new("passkey", "Add a passkey", view.url("/account/passkeys"))
                .field(Field::text("name", "What you call it").hint("Such as “Laptop”."))
                .submit("Add it"),
        );
    }
    if !shown.is_empty() {
        let url = view.url("/account/recovery-codes");
        section.acts.push(ActForm::new("codes", "Make new recovery codes", url));
    }
    for it in shown {
        let url = view.url(&format!("/account/factors/{}/removal", escaped(&it.id)));
        let act = ActForm::new(format!("remove-{}", it.id), format!("Remove {}", it.name), url);
        section.acts.push(act.tone(ActTone::Link));
    }
    section
}

/// A browser and its system by name; for another program the beginning of its own name; `None` without a name.
fn agent_name(agent: &str) -> Option<String> {
    // The order matters: most browsers also call themselves by the names of those before them.
    let known = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let first = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(sign, _)| agent.contains(sign))
            .map(|(_, name)| *name)
    };
    match (first(&known), first(&systems)) {
        (Some(browser), Some(system)) => Some(format!("{browser}, {system}")),
        (Some(browser), None) => Some(browser.to_owned()),
        (None, _) if agent.trim().is_empty() => None,
        (None, _) => Some(words::beginning(agent, 60)),
    }
}

/// The sign-in method of a session: a provider by its name, if it is still known.
fn begun_by(session: &Session, providers: &BTreeMap<String, String>) -> Rich {
    let from = format!(", from {}, with ", session.source);
    match session.method.strip_prefix("provider:") {
        Some(key) => {
            let name = providers.get(key).map_or(key, String::as_str);
            Rich::from("by ").said(name).text(from)
        }
        None => Rich::from(format!("by {}{from}", session.method)),
    }
}

fn session_section(view: &View<'_, '_, '_>, found: &[Session], providers: &BTreeMap<String, String>) -> Section {
    let facts = found.iter().take(SESSIONS).map(|it| {
        let began = text::capital(&view.reader.moment(it.created_at));
        let told = begun_by(it, providers);
        Fact::new(
            began,
            match agent_name(&it.agent) {
                Some(agent) => told.said(agent),
                None => told.text("a program without a name"),
            },
        )
    });
    let mut section = Section::new("sessions", "Your sessions", SectionBody::Facts(facts.collect()));
    if found.len() > 1 {
        let url = view.url("/account/sessions/others");
        section.acts.push(ActForm::new("others", "End all others", url));
    }
    section
}
