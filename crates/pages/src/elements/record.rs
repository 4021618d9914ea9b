//! One thing on a page: head, sections, facts beside it. The page of a change
//! is built from the same sections; other records use [`RecordPage`] as it is.

use askama::Template;

use crate::elements::figures::{Drawn, Figures};
use crate::elements::form::Acts;
use crate::elements::parts::{Entries, Facts, Plan, Timeline};
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP};
use crate::elements::{filters, parts};
use crate::risk::{calibration, forecast, icon_array};
use crate::{
    ActForm, Brief, CalibrationPlot, Chart, DependencyPicture, Entry, Fact, Figure, ForecastPicture, Frame, Graph,
    IconArray, Mark, MatrixPicture, Moment, Notice, Part, Place, PlanStep, Rich, StageStep, Table, Tone, render,
};

/// The most lines of a text that are open on a page.
const UNFOLDED: usize = 24;

/// The content of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionBody {
    /// Approvals, evidence, reasons, people.
    Entries(Vec<Entry>),
    /// The same, folded behind this label.
    Folded(&'static str, Vec<Entry>),
    /// Rows to compare.
    Table(Table),
    /// The steps of a plan.
    Plan(Vec<PlanStep>),
    /// A record's current stage.
    Steps(Vec<StageStep>),
    /// Past events, newest first.
    Timeline(Vec<Moment>),
    /// A long text of people, in Markdown.
    Prose(String),
    /// The same that somebody wrote into the record that the page shows: every reader of the record reads the whole of it.
    Written(String),
    /// Sentences of ours.
    Words(Rich),
    /// Labels and answers.
    Facts(Vec<Fact>),
    /// The rows of a decision card.
    Brief(Box<Brief>),
    /// Text to copy: a command, a payload.
    Code(String),
    /// Figures with their course, and a table with the same values.
    Figures(Vec<Figure>, Table),
    /// A graph of what a change reaches; its table is a section of its own.
    Graph(Box<Graph>),
    /// The neighbours of a service, drawn, and a table with the same content.
    Dependencies(Box<DependencyPicture>, Table),
    /// A chart, and a table with the same values.
    Chart(Box<Chart>, Table),
    /// A risk matrix, the inputs that would move the change in it, and its present inputs.
    Matrix {
        /// The matrix, drawn.
        picture: Box<MatrixPicture>,
        /// The same as a table: rows by impact, columns by complexity.
        cells: Table,
        /// Changes of input that would lead to another cell.
        ways: Vec<Entry>,
        /// Each input with its origin.
        inputs: Table,
    },
    /// A risk matrix without a change in it, and a table with the same content.
    RiskTable(Box<MatrixPicture>, Table),
    /// A forecast of failure, drawn.
    Forecast(Box<ForecastPicture>),
    /// Counts drawn as squares.
    Icons(IconArray),
    /// Predicted and observed failures.
    Calibration(Box<CalibrationPlot>),
}

/// A section of a page: its head, its content, acts on it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "parts/section.html")]
pub struct Section {
    /// Its id, for links within the page.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// The subject of the heading, after its text: a key, a name, a title given by a user. Empty for none.
    pub named: String,
    /// A sentence under the heading: its meaning and the remedy; empty for none.
    pub lede: String,
    /// At the heading's end: a count with its whole, a link.
    pub note: Rich,
    /// What it holds.
    pub body: SectionBody,
    /// The text when it is empty.
    pub unsaid: String,
    /// Acts on it: write a comment, add evidence.
    pub acts: Vec<ActForm>,
    /// Whether a user wrote the heading, which is then not translated.
    pub is_said: bool,
}

fn prose(text: &str, mark: &str) -> String {
    let text = crate::elements::text::markdown(text);
    format!("<div class=\"prose\" translate=\"no\"{mark}>{text}</div>")
}

impl Section {
    /// A section with its id, heading and content.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, body: SectionBody) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            named: String::new(),
            lede: String::new(),
            note: Rich::new(),
            body,
            unsaid: String::new(),
            acts: Vec::new(),
            is_said: false,
        }
    }

    /// The same section under a name that somebody gave it.
    #[must_use]
    pub fn said(mut self) -> Self {
        self.is_said = true;
        self
    }

    /// The same section, whose heading names its subject: “Change” and its key.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.named = name.into();
        self
    }

    /// The same section with a sentence under its heading.
    #[must_use]
    pub fn lede(mut self, text: impl Into<String>) -> Self {
        self.lede = text.into();
        self
    }

    /// The same section with a note at its heading's end.
    #[must_use]
    pub fn note(mut self, note: impl Into<Rich>) -> Self {
        self.note = note.into();
        self
    }

    /// The same section with its text for the empty case.
    #[must_use]
    pub fn unsaid(mut self, text: impl Into<String>) -> Self {
        self.unsaid = text.into();
        self
    }

    /// The same section with its acts.
    #[must_use]
    pub fn acts(mut self, acts: Vec<ActForm>) -> Self {
        self.acts = acts;
        self
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.body {
            SectionBody::Entries(entries) | SectionBody::Folded(_, entries) => entries.is_empty(),
            SectionBody::Table(table) => table.rows.is_empty(),
            SectionBody::Plan(steps) => steps.is_empty(),
            SectionBody::Steps(steps) => steps.is_empty(),
            SectionBody::Timeline(moments) => moments.is_empty(),
            SectionBody::Prose(text) | SectionBody::Written(text) | SectionBody::Code(text) => text.trim().is_empty(),
            SectionBody::Facts(facts) => facts.is_empty(),
            SectionBody::Brief(_) => false,
            SectionBody::Words(words) => words.is_empty(),
            SectionBody::Figures(figures, _) => figures.is_empty(),
            SectionBody::Graph(graph) => graph.columns.is_empty(),
            SectionBody::Dependencies(_, table) => table.rows.is_empty(),
            SectionBody::Chart(chart, _) => chart.is_empty(),
            SectionBody::Matrix { cells, .. } => cells.rows.is_empty(),
            SectionBody::RiskTable(picture, _) => picture.rows.is_empty(),
            SectionBody::Forecast(picture) => picture.value.is_empty(),
            SectionBody::Icons(array) => array.of == 0,
            SectionBody::Calibration(plot) => plot.points.is_empty(),
        }
    }

    fn inner(&self) -> Inner {
        let html = match &self.body {
            SectionBody::Entries(entries) => Entries { entries, wide: true }.html(),
            SectionBody::Table(table) => table.html(),
            SectionBody::Plan(steps) => Plan { steps, unsaid: "" }.html(),
            SectionBody::Steps(steps) => parts::StageSteps { steps }.html(),
            SectionBody::Timeline(moments) => Timeline { moments }.html(),
            SectionBody::Prose(text) => prose(text, ""),
            SectionBody::Written(text) => prose(text, " data-own=\"true\""),
            SectionBody::Words(words) => format!("<p>{}</p>", words.html()),
            SectionBody::Facts(facts) => Facts { facts }.html(),
            SectionBody::Brief(brief) => parts::BriefRows { rows: brief.full() }.html(),
            SectionBody::Figures(figures, table) => with_table(&Figures { figures }.html(), table),
            SectionBody::Chart(chart, table) => with_table(&chart.html(), table),
            SectionBody::RiskTable(picture, table) => with_table(&picture.html(), table),
            SectionBody::Graph(graph) => Drawn { graph }.html(),
            SectionBody::Dependencies(picture, table) => with_table(&picture.html(), table),
            SectionBody::Matrix {
                picture,
                cells,
                ways,
                inputs,
            } => [
                with_table(&picture.html(), cells),
                if ways.is_empty() {
                    "<p>Nothing that the change states would move it to another cell.</p>".to_owned()
                } else {
                    Entries {
                        entries: ways,
                        wide: true,
                    }
                    .html()
                },
                inputs.html(),
            ]
            .concat(),
            SectionBody::Folded(words, entries) => folded(
                words,
                &Entries {
                    entries: entries.as_slice(),
                    wide: true,
                }
                .html(),
            ),
            SectionBody::Forecast(picture) => forecast::Drawn { picture }.html(),
            SectionBody::Icons(array) => icon_array::Drawn { array: *array }.html(),
            SectionBody::Calibration(plot) => calibration::Drawn { plot }.html(),
            SectionBody::Code(text) => code(text),
        };
        Inner(html)
    }

    fn act_row(&self) -> Acts<'_> {
        Acts {
            group: &self.id,
            forms: &self.acts,
        }
    }
}

/// A drawing with a table of the same values, folded.
fn with_table(drawing: &str, table: &Table) -> String {
    format!("{drawing}{}", folded("The same as a table", &table.html()))
}

/// Content folded behind a label.
fn folded(words: &str, html: &str) -> String {
    format!(
        "<details class=\"more\"><summary>{}{words}</summary>{html}</details>",
        crate::elements::icons::icon("right", "")
    )
}

/// Text to copy; a long text is folded, so that the page stays short.
fn code(text: &str) -> String {
    let pre = format!(
        "<pre class=\"code\" tabindex=\"0\">{}</pre>",
        crate::elements::text::mark(text)
    );
    match text.lines().count() {
        lines if lines > UNFOLDED => folded(&format!("Show its {lines} lines"), &pre),
        _ => pre,
    }
}

impl Part for Section {
    fn html(&self) -> String {
        render(self)
    }
}

/// HTML that components of this crate have made.
struct Inner(String);

impl Part for Inner {
    fn html(&self) -> String {
        self.0.clone()
    }
}

/// The head of a page about one thing.
#[derive(Template)]
#[template(path = "parts/head.html")]
pub(crate) struct Head<'a> {
    /// The list that it belongs to: its name and address.
    pub(crate) crumb: &'a [(String, String)],
    pub(crate) key: &'a str,
    pub(crate) title: &'a str,
    /// Whether a user wrote the title.
    pub(crate) is_said: bool,
    pub(crate) marks: &'a [Mark],
    pub(crate) byline: &'a Rich,
    pub(crate) acts: &'a [ActForm],
}

impl Head<'_> {
    fn act_row(&self) -> Acts<'_> {
        Acts {
            group: "head",
            forms: self.acts,
        }
    }
}

impl Part for Head<'_> {
    fn html(&self) -> String {
        render(self)
    }
}

/// The page of one record: a service, a freeze, an incident, a template, a
/// person, a delivery, the reader's own account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "record.html")]
pub struct RecordPage {
    /// Everything around it.
    pub frame: Frame,
    /// The lists it belongs to: name and address, outermost first.
    pub crumb: Vec<(String, String)>,
    /// Its key; empty for none.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Whether a user wrote the title, as is the case wherever the record has a key.
    pub is_said: bool,
    /// Its state and kind.
    pub marks: Vec<Mark>,
    /// Who and when.
    pub byline: Rich,
    /// Warnings about it.
    pub notices: Vec<Notice>,
    /// Acts on it.
    pub acts: Vec<ActForm>,
    /// What it holds.
    pub sections: Vec<Section>,
    /// Facts beside the page.
    pub facts: Vec<Fact>,
    /// Whether the facts are the main content: where there is no room beside the page they come above the sections.
    pub is_facts_first: bool,
    /// Whether its sections update in place when something new happens; other pages only announce that there is more.
    pub is_live: bool,
}

impl RecordPage {
    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        self.frame.around(&self.title, false, &render(self))
    }

    /// Believable instances: a service, and a record full of odd texts.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        vec![sample_service(), sample_odd()]
    }

    fn head(&self) -> Head<'_> {
        Head {
            crumb: &self.crumb,
            key: &self.key,
            title: &self.title,
            is_said: self.is_said || !self.key.is_empty(),
            marks: &self.marks,
            byline: &self.byline,
            acts: &self.acts,
        }
    }

    fn notices(&self) -> parts::Notices<'_> {
        parts::Notices(&self.notices)
    }

    fn fact_list(&self) -> Facts<'_> {
        Facts { facts: &self.facts }
    }
}

fn sample_service() -> RecordPage {
    let owners = vec![
        Entry::new(Tone::Ok, Rich::new().strong("Hanne Brandt").text(" owns it"))
            .why("Since 1 March 2025, until somebody else is named.")
            .aside("owner"),
        Entry::new(Tone::Plain, Rich::new().strong("Sofie Aas").text(" owned it"))
            .why("1 June 2023 to 28 February 2025.")
            .aside("owner, before"),
    ];
    RecordPage {
        frame: crate::elements::sample::frame(Place::Services),
        crumb: vec![("Services".to_owned(), "/t/halden/services".to_owned())],
        key: "booking-api".to_owned(),
        title: "Bookings for carriers".to_owned(),
        byline: Rich::from("High criticality, run by Logistics"),
        acts: vec![ActForm::link("Edit", "/t/halden/services/booking-api/edit")],
        sections: vec![
            Section::new("ownership", "Ownership", SectionBody::Entries(owners)).lede("Who answers for it decides on its changes.").note("with the dates, as decisions were made under it"),
            Section::new("depends", "Depends on it", SectionBody::Entries(Vec::new())).unsaid("Nothing is known to depend on it."),
            Section::new("about", "About", SectionBody::Prose("Takes bookings from **carriers**.\n\n- read-only mode since 2.30\n- see <https://wiki.example.org/booking>".to_owned())),
        ],
        facts: vec![
            Fact::people("Owner", vec!["Hanne Brandt".to_owned()]),
            Fact::new("Environments", "staging, production"),
            Fact::new("Running", Rich::new().text("2.31.4").line().code("sha256:91aa…e02")),
        ],
        ..RecordPage::default()
    }
}

fn sample_odd() -> RecordPage {
    RecordPage {
        frame: crate::elements::sample::frame(Place::Deliveries),
        crumb: vec![
            ("Deliveries".to_owned(), "/t/halden/deliveries".to_owned()),
            (MARKUP.to_owned(), "/t/halden".to_owned()),
        ],
        key: LONG_WORD.to_owned(),
        is_said: true,
        is_live: true,
        title: format!("{MARKUP} {BIDI} {}", LONG_WORD.repeat(10)),
        marks: vec![Tone::Stop.mark(MARKUP)],
        byline: Rich::from(BIDI),
        notices: vec![Notice::new(Tone::Wait, MARKUP).title(BIDI)],
        acts: vec![ActForm::new("again", MARKUP, "/t/halden/deliveries/3/reading")],
        sections: vec![
            Section::new(
                "payload",
                "Payload",
                SectionBody::Code(format!("{{\"ref\": \"{MARKUP}\", \"x\": \"{BIDI}\"}}")),
            ),
            Section::new(
                "figures",
                "Figures",
                SectionBody::Figures(crate::elements::figures::sample_figures(), Table::default()),
            ),
            Section::new(
                "graph",
                "Graph",
                SectionBody::Graph(Box::new(crate::elements::figures::sample_graph())),
            ),
            Section::new(
                "chart",
                "Chart",
                SectionBody::Chart(
                    Box::new(crate::elements::chart::samples().swap_remove(1)),
                    Table::default(),
                ),
            ),
            Section::new(
                "calibration",
                "Calibration",
                SectionBody::Calibration(Box::new(calibration::sample())),
            ),
            Section::new(
                "text",
                "Text",
                SectionBody::Prose(format!(
                    "# {MARKUP}\n\n{BIDI}\n\n<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1))\n\n> quote\n\n1. one\n\n```\n{MARKUP}\n```\n"
                )),
            ),
        ],
        is_facts_first: true,
        facts: vec![
            Fact::people(MARKUP, vec![MARKUP.to_owned(), BIDI.to_owned()]),
            Fact::new(BIDI, LONG_WORD),
        ],
    }
}
