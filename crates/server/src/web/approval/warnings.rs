//! Warnings before a decision on a change, as text: in full for the card, the form and the page of a gate check, in short for
//! rows of lists and the calendar.

use model::approval::warning::Warning;
use model::core::enums::{RatedFact, WarningKind};
use pages::{Entry, Notice, Rich, Tone};

use crate::http::percent::escaped;
use crate::web::shared::view::View;
use crate::web::shared::words::plain;

/// The rows of a card. A freeze that the change may pass is shown with the times, and so is no row here.
pub(crate) fn rows(view: &View<'_, '_, '_>, found: &[Warning]) -> Vec<(Tone, Rich)> {
    let shown = found.iter().filter(|it| it.kind != WarningKind::FreezePassed);
    shown.flat_map(|it| whole(view, it)).collect()
}

/// The same as entries of a section.
pub(crate) fn entries(view: &View<'_, '_, '_>, found: &[Warning]) -> Vec<Entry> {
    let rows = found.iter().flat_map(|it| whole(view, it));
    rows.map(|(tone, text)| Entry::new(tone, text)).collect()
}

/// The same as one notice above a form; none without an open warning.
pub(crate) fn notice(view: &View<'_, '_, '_>, found: &[Warning]) -> Option<Notice> {
    let open: Vec<&Warning> = found.iter().filter(|it| it.is_open()).collect();
    let mut rows = open.iter().flat_map(|it| whole(view, it)).map(|(_, text)| text);
    let first = rows.next()?;
    let text = rows.fold(first, |text, row| text.line().append(row));
    Some(Notice::new(Tone::Wait, text).title("Before it is decided"))
}

/// The kinds in short, each once: “Freeze, conflict”. Empty where nothing is open.
pub(crate) fn short(found: &[Warning]) -> Rich {
    let mut words: Vec<&'static str> = Vec::new();
    for word in found.iter().filter(|it| it.is_open()).map(|it| kind_label(it.kind)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.iter().enumerate().fold(Rich::new(), |rich, (place, word)| {
        match place {
            0 => rich,
            _ => rich.text(" · "),
        }
        .strong(*word)
    })
}

fn kind_label(kind: WarningKind) -> &'static str {
    match kind {
        WarningKind::Freeze | WarningKind::FreezePassed => "Freeze",
        WarningKind::Conflict => "Conflict",
        WarningKind::BreakGlass | WarningKind::Bypassed => "Break-glass",
        WarningKind::Waived => "Waiver",
        WarningKind::AcceptedEvidence => "Accepted evidence",
        WarningKind::LoweredRisk => "Lowered risk",
        WarningKind::PlannedUndo => "Planned undo",
    }
}

/// One warning; of a conflict each reason is a row of its own.
fn whole(view: &View<'_, '_, '_>, it: &Warning) -> Vec<(Tone, Rich)> {
    match it.kind {
        WarningKind::Freeze => vec![(
            Tone::Freeze,
            freeze(view, it).text(" stops it, ").append(span(view, it)),
        )],
        WarningKind::FreezePassed => {
            vec![(
                Tone::Freeze,
                freeze(view, it).text(" lets it pass, ").append(span(view, it)),
            )]
        }
        WarningKind::Conflict => conflict(view, it),
        WarningKind::BreakGlass => vec![(Tone::Stop, glass(view, it))],
        WarningKind::Bypassed => vec![(Tone::Stop, Rich::from("Bypassed: ").append(view.sentence(&it.text)))],
        WarningKind::Waived => vec![(
            Tone::Wait,
            Rich::from("Waived by an owner and security: ").said(it.about.as_str()),
        )],
        WarningKind::AcceptedEvidence => vec![(Tone::Wait, accepted(view, it))],
        WarningKind::LoweredRisk => vec![lowered(it)],
        WarningKind::PlannedUndo => {
            let text = view.sentence(&it.text).text(" ").append(span(view, it));
            let why = it.why.iter().map(|why| (Tone::Plain, Rich::from(why.as_str())));
            [(Tone::Wait, text)].into_iter().chain(why).collect()
        }
    }
}

fn freeze(view: &View<'_, '_, '_>, it: &Warning) -> Rich {
    let id = it.id.as_deref().unwrap_or_default();
    Rich::from("The freeze ").said_link(it.about.as_str(), view.url(&format!("/freezes/{}", escaped(id))))
}

fn span(view: &View<'_, '_, '_>, it: &Warning) -> Rich {
    let words = it.from.zip(it.to).map(|(from, to)| view.reader.span(from, to));
    Rich::from(words.unwrap_or_default())
}

fn conflict(view: &View<'_, '_, '_>, it: &Warning) -> Vec<(Tone, Rich)> {
    let with = match &it.id {
        Some(_) => Rich::from("Conflicts with ").link(it.about.as_str(), view.change_url(&it.about)),
        None => Rich::from("Conflicts with ").said(it.about.as_str()),
    };
    let mut rows = vec![(Tone::Wait, with)];
    rows.extend(it.why.iter().map(|why| (Tone::Plain, Rich::from(why.as_str()))));
    rows
}

fn glass(view: &View<'_, '_, '_>, it: &Warning) -> Rich {
    let who = it.by.as_ref().map(|by| view.name(by)).unwrap_or_default();
    let until = it.to.map(|at| view.moment(at)).unwrap_or_default();
    Rich::new().name(who).text(" used break-glass, until ").append(until)
}

fn accepted(view: &View<'_, '_, '_>, it: &Warning) -> Rich {
    let who = it.by.as_ref().map(|by| view.name(by)).unwrap_or_default();
    Rich::new()
        .name(who)
        .text(" accepted evidence that did not pass: ")
        .said(it.about.as_str())
}

/// Stated values of the change that are below the derived ones, each beside the derived value.
fn lowered(it: &Warning) -> (Tone, Rich) {
    let subject = match it.fact {
        Some(RatedFact::Data) => "Impact on data",
        Some(RatedFact::Availability) => "Impact on availability",
        Some(RatedFact::Compliance) => "Impact on compliance",
        Some(RatedFact::Complexity) => "Complexity",
        Some(RatedFact::Touches) => "Touches",
        Some(RatedFact::RiskOverride) | None => "Risk",
    };
    let word = |value: &Option<String>| plain(value.as_deref().unwrap_or_default());
    let (stated, derived) = (word(&it.stated), word(&it.derived));
    let text = format!("{subject}: stated {stated}, derived {derived}.");
    match it.is_accepted {
        false => (Tone::Wait, Rich::from(text)),
        true => (
            Tone::Plain,
            Rich::from(format!("{text} An approver accepted the lower value.")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use pages::language;

    use super::*;

    #[test]
    fn every_kind_has_a_word_in_every_language() {
        for (tag, _) in language::CHOICES {
            let Some(found) = language::find(tag) else {
                continue;
            };
            for kind in WarningKind::ALL {
                let word = kind_label(*kind);
                assert!(found.messages().contains(&word), "{tag}: {word}");
            }
        }
    }
}
