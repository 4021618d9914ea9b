//! Every part in every state, on one page, to look at and to test against.

mod shown;

use crate::elements::form::Acts;
use crate::elements::parts;
use crate::elements::sample::{BIDI, frame, stuck};
use crate::{
    ActForm, ActTone, Empty, Entry, Field, Frame, Input, Kind, Notice, Paging, Part, Place, PlanStep, Rich, Risk,
    Section, SectionBody, State, Stepper, Tone,
};

/// The page of all components.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Components {
    /// Everything around it.
    pub frame: Frame,
}

impl Components {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        let parts: [(&str, String); 13] = [
            ("Buttons", buttons()),
            ("State, risk, kind", marks()),
            ("Notices", notices()),
            ("Stepper", stepper()),
            ("Fields", fields()),
            ("Acts", acts()),
            ("Acts of a change", usual_acts()),
            ("Entries", entries()),
            ("Plan", plan()),
            ("Table and paging", table()),
            ("Texts", texts()),
            ("Code", code()),
            (
                "Empty",
                Empty::new(
                    "Nothing waits for your decision",
                    "When a change needs your decision it appears here and in your mail.",
                )
                .html(),
            ),
        ];
        let sections: String = parts
            .into_iter()
            .chain(shown::sections())
            .map(|(title, html)| {
                format!(
                    "<section class=\"stack\"><div class=\"sec\"><h2>{title}</h2><span></span></div>{html}</section>"
                )
            })
            .collect();
        let content = format!(
            "<header class=\"head\"><div><h1>Components</h1><p class=\"lede\">Everything a page may be built from, in every state. What is not here is not used.</p></div></header><div class=\"sections\">{sections}</div>"
        );
        self.frame.around("Components", false, &content)
    }

    /// The one instance.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        vec![Self {
            frame: frame(Place::Help),
        }]
    }
}

fn buttons() -> String {
    let tones = [
        ("plain", "Plan it anew", ActTone::Plain),
        ("go", "Approve", ActTone::Go),
        ("stop", "Reject", ActTone::Stop),
        ("quiet", "Clear", ActTone::Quiet),
        ("link", "Undo", ActTone::Link),
    ];
    let mut forms: Vec<ActForm> = tones
        .iter()
        .map(|(id, label, tone)| ActForm::new(*id, *label, "/t/halden").tone(*tone))
        .collect();
    forms.push(
        ActForm::new("start", "Start", "/t/halden")
            .disabled("Start waits for Security; a button that cannot work says why beside it."),
    );
    Acts {
        group: "buttons",
        forms: &forms,
    }
    .html()
}

fn marks() -> String {
    let states = State::WAY
        .into_iter()
        .chain([State::Rejected, State::Cancelled, State::OnHold])
        .map(State::mark);
    let risks = [Risk::Low, Risk::Medium, Risk::High].into_iter().map(Risk::long_mark);
    let kinds = [Kind::Normal, Kind::Standard, Kind::Emergency]
        .into_iter()
        .map(Kind::mark);
    let all: String = states.chain(risks).chain(kinds).map(|mark| mark.html()).collect();
    format!("<div class=\"row marks\">{all}</div>")
}

fn notices() -> String {
    let all = [
        Notice::new(Tone::Ok, "Approved. Marta Lindqvist is asked next."),
        Notice::new(
            Tone::Wait,
            "The risk rose to high after you approved. Your approval of the plan stands; the time needs your decision again.",
        ),
        Notice::new(
            Tone::Stop,
            Rich::new()
                .text("The window opens at 22:00. It starts then by itself, or ")
                .link("propose another time", "/t/halden")
                .text("."),
        )
        .title("Start refused"),
        Notice::new(
            Tone::Freeze,
            "Peak shipping freeze, 23 Nov to 1 Dec. Exceptions: Lars Vik, Sales.",
        ),
        Notice::new(Tone::Plain, "Marta Lindqvist opened this page at the same time."),
    ];
    format!("<div class=\"two\">{}</div>", parts::Notices(&all).html())
}

fn stepper() -> String {
    let current = Stepper {
        current: State::Authorizing,
        reached: None,
        notes: vec![(State::Draft, "16 Nov".to_owned())],
    };
    let held = Stepper {
        current: State::Cancelled,
        reached: Some(State::Scheduled),
        notes: Vec::new(),
    };
    current.html() + &held.html()
}

fn fields() -> String {
    let fields = vec![
        Field::text("why", "Why now")
            .hint("For the owner, who is not an engineer.")
            .value("Customs asks for it from January"),
        Field::new("start", "Start", Input::DateTime)
            .error("“End” must lie after “Start”.")
            .value("2026-11-23T20:00"),
        Field::select("due", "Due", &[("start", "Before start"), ("close", "Before closing")]).half(),
        Field::new("minutes", "Minutes", Input::Number).value("4").half(),
        Field::pick("service", "Service", "/t/halden/picks/services").value("booking-api"),
        Field::radio(
            "notice",
            "What people will notice",
            &[("none", "Nothing"), ("slow", "Slower for some minutes")],
        )
        .value("none"),
        Field {
            chosen: vec!["schema".to_owned()],
            ..Field::many("touches", "Touches", &[("schema", "Schema"), ("network", "Network")])
        },
        Field::new("tell", "Tell the customs desk", Input::Checkbox).value("true"),
        Field::new("file", "File", Input::File),
        Field::textarea("text", "Text").value("Several lines\nof text"),
    ];
    let form = crate::elements::form::Fields {
        form_id: "fields",
        fields: &fields,
    }
    .html();
    format!("<form class=\"stack\" method=\"post\" action=\"/t/halden\">{form}</form>")
}

fn acts() -> String {
    Acts {
        group: "acts",
        forms: &crate::approval::home::sample_decisions("/t/halden", "Ingrid Solheim"),
    }
    .html()
}

fn usual_acts() -> String {
    let context = crate::change::usual_sample::sample_context();
    let forms: Vec<ActForm> = crate::Act::ALL.iter().map(|act| act.form(&context)).collect();
    Acts {
        group: "usual",
        forms: &forms,
    }
    .html()
}

fn entries() -> String {
    let entries = [
        Entry::new(Tone::Ok, Rich::new().strong("Hanne Brandt").text(" approved"))
            .quote("Dispatch has planned the four minutes.")
            .why("Asked as owner.")
            .aside("19 Nov 15:22"),
        Entry::new(
            Tone::Wait,
            Rich::new().strong("Priya Raman").text(" (you) has been asked"),
        )
        .aside("due today 17:00"),
        Entry::new(Tone::Stop, "A collision is undecided").code("conflict_open"),
        Entry::new(
            Tone::Plain,
            Rich::new().strong("Marta Lindqvist").text(" is asked after Security"),
        ),
    ];
    parts::Entries {
        entries: &entries,
        wide: true,
    }
    .html()
}

fn plan() -> String {
    let step = |title: &str, detail: &str, length: &str| PlanStep {
        title: title.to_owned(),
        detail: detail.into(),
        length: length.to_owned(),
    };
    let steps = [
        step(
            "Set bookings to read-only",
            "Tomasz Wrona · check: banner shows",
            "4 min",
        ),
        step("Open bookings again", "Tomasz Wrona", "2 min"),
    ];
    parts::Plan {
        steps: &steps,
        unsaid: "",
    }
    .html()
}

fn table() -> String {
    let paging = Paging {
        newer: None,
        older: Some("/t/halden".to_owned()),
        count: "1 to 2 of 9".to_owned(),
        ..Paging::default()
    };
    stuck().html() + &paging.html()
}

fn texts() -> String {
    let text = format!(
        "A text in **Markdown**, with `code`.\n\nHidden characters show: {}",
        BIDI
    );
    format!("<div class=\"prose\">{}</div>", crate::elements::text::markdown(&text))
}

fn code() -> String {
    Section::new(
        "code-part",
        "Command",
        SectionBody::Code("assent audit verify bundle.zip --key halden.pub".to_owned()),
    )
    .html()
}
