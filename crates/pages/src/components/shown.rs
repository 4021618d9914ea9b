//! Parts that belong to one page's template, cut out of the samples of that page, so that they equal the real pages.

use crate::elements::{figures, glossary, icons, parts};
use crate::risk::{calibration, forecast, icon_array, matrix};
use crate::{AuditLog, Calendar, ChangeForm, ChangePage, Fact, GatePage, Home, Part, Runbook, Section, SectionBody};

/// The tokens that are shown, each with its purpose.
const TOKENS: [(&str, &str); 15] = [
    ("sunk", "navigation, code"),
    ("paper", "the page"),
    ("raised", "what is decided or floats"),
    ("hover", "under the pointer"),
    ("selected", "chosen, current"),
    ("ink", "text"),
    ("ink-2", "the second voice"),
    ("ink-3", "labels, times"),
    ("line", "decoration"),
    ("edge", "what a hand must find"),
    ("accent", "links, focus, the main act"),
    ("ok", "met, done"),
    ("warn", "waits for somebody"),
    ("stop", "refused, late, harm"),
    ("freeze", "freezes"),
];

/// The element of a class, with all that is in it, from the first page that has one.
fn cut<'p>(pages: impl IntoIterator<Item = &'p String>, opening: &str) -> String {
    let found = pages.into_iter().find_map(|page| element(page, opening));
    found.unwrap_or_default().to_owned()
}

/// The element that begins so: `<dl class="clocks`.
fn element<'p>(page: &'p str, opening: &str) -> Option<&'p str> {
    let rest = page.get(page.find(opening)?..)?;
    let name = opening.trim_start_matches('<').split(' ').next()?;
    let (begin, end) = (format!("<{name}"), format!("</{name}>"));
    let (mut at, mut depth) = (0, 0_u32);
    loop {
        let tail = rest.get(at..)?;
        let closes = tail.find(&end)?;
        match tail.find(&begin).filter(|opens| *opens < closes) {
            Some(opens) => {
                depth += 1;
                at += opens + begin.len();
            }
            None => {
                depth -= 1;
                at += closes + end.len();
            }
        }
        if depth == 0 {
            return rest.get(..at);
        }
    }
}

/// The sections that follow those of the plain parts: heading and content.
pub(super) fn sections() -> Vec<(&'static str, String)> {
    let home: Vec<String> = Home::samples().iter().map(Home::render).collect();
    let change: Vec<String> = ChangePage::samples().iter().map(ChangePage::render).collect();
    let form: Vec<String> = ChangeForm::samples().iter().map(ChangeForm::render).collect();
    let log: Vec<String> = AuditLog::samples().iter().map(AuditLog::render).collect();
    vec![
        ("Colour", colours()),
        ("Decision card", cut(&home, "<article class=\"decision\"")),
        ("Facts", facts()),
        (
            "Timeline",
            format!("<div class=\"cq\">{}</div>", cut(&log, "<ol class=\"time\"")),
        ),
        ("Tabs", cut(&change, "<nav class=\"tabs\"")),
        ("Bulk bar", bulk()),
        ("Two people edited", cut(&form, "<div class=\"form-row stack tight\"")),
        (
            "Toast",
            format!(
                "<p class=\"toast\">{}CHG-1049 approved. <a href=\"/t/halden/\">Undo</a></p>",
                icons::icon("check", "")
            ),
        ),
        (
            "Term",
            format!("<p>It is counted towards the {}.</p>", glossary::word("Risk")),
        ),
        ("Runbook", runbook()),
        ("Verdict", verdicts()),
        ("Calendar", calendar()),
        ("Figures and graphs", drawings()),
    ]
}

fn facts() -> String {
    let facts = [
        Fact::people("Owner", vec!["Hanne Brandt".to_owned()]),
        Fact::new("Risk", "Medium"),
    ];
    parts::Facts { facts: &facts }.html()
}

fn colours() -> String {
    let one = |(name, what): &(&str, &str)| {
        format!(
            "<li class=\"sw\"><svg width=\"100%\" height=\"40\" aria-hidden=\"true\"><rect fill=\"var(--{name})\" \
             width=\"100%\" height=\"40\" rx=\"4\"/></svg><code>{name}</code><span class=\"sub\">{what}</span></li>"
        )
    };
    let all: String = TOKENS.iter().map(one).collect();
    format!("<ul class=\"swatches\">{all}</ul>")
}

fn runbook() -> String {
    let pages: Vec<String> = Runbook::samples().iter().map(Runbook::render).collect();
    [
        "<ol class=\"progress\"",
        "<dl class=\"clocks\"",
        "<button class=\"btn go big\"",
        "<button class=\"btn stop big\"",
    ]
    .map(|opening| cut(&pages, opening))
    .concat()
}

/// A stop and a go; the headings of their pages are smaller here.
fn verdicts() -> String {
    let pages: Vec<String> = GatePage::samples().iter().map(GatePage::render).collect();
    let all = [
        cut(&pages, "<div class=\"verdict\""),
        cut(&pages, "<div class=\"verdict ok\""),
    ];
    all.concat().replace("<h1>", "<h3>").replace("</h1>", "</h3>")
}

fn calendar() -> String {
    let pages: Vec<String> = Calendar::samples().iter().map(Calendar::render).collect();
    let [switch, chip, week, lanes, legend] = [
        "<nav class=\"switch\"",
        "<a class=\"chip on\"",
        "<div class=\"week",
        "<div class=\"lanes\"",
        "<p class=\"row small muted legend\"",
    ]
    .map(|opening| cut(&pages, opening));
    format!(
        "<div class=\"row filters\">{switch}{chip}</div><div class=\"cq\">{week}</div><div class=\"cq\">{lanes}</div>{legend}"
    )
}

fn drawings() -> String {
    let figures = SectionBody::Figures(figures::sample_figures(), crate::elements::sample::stuck());
    let graph = SectionBody::Graph(Box::new(figures::sample_graph()));
    let charts = crate::elements::chart::samples().into_iter().map(|it| it.html());
    let charts: String = charts.collect();
    let pictures = forecast::samples().into_iter().zip(1..).map(|(picture, number)| {
        let body = SectionBody::Forecast(Box::new(picture));
        Section::new(format!("forecast-part-{number}"), "Forecast of failure", body).html()
    });
    let arrays = icon_array::samples().into_iter().zip(1..).map(|(array, number)| {
        let body = SectionBody::Icons(array);
        Section::new(format!("icons-part-{number}"), "Changes as squares", body).html()
    });
    let matrix = SectionBody::Matrix {
        picture: Box::new(matrix::sample()),
        cells: crate::elements::sample::stuck(),
        ways: Vec::new(),
        inputs: crate::elements::sample::stuck(),
    };
    let plot = SectionBody::Calibration(Box::new(calibration::sample()));
    Section::new("figures-part", "Four figures", figures).html()
        + &pictures.collect::<String>()
        + &arrays.collect::<String>()
        + &Section::new("matrix-part", "Risk matrix", matrix).html()
        + &Section::new("calibration-part", "Predicted and observed", plot).html()
        + &Section::new("graph-part", "What reaches what", graph).html()
        + &charts
}

fn bulk() -> String {
    let buttons: String = ["Approve", "Put on hold", "Watch"]
        .iter()
        .map(|words| format!("<button class=\"btn\" type=\"button\">{words}</button>"))
        .collect();
    format!(
        "<div class=\"bulk static\" role=\"group\" aria-label=\"Act on the selected changes\"><div class=\"row\">\
         <span class=\"tnum\">2 of 50 selected</span>{buttons}</div></div>"
    )
}
