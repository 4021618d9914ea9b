//! Believable changes.

use crate::approval::home::sample_decisions;
use crate::elements::sample::{BIDI, LONG_WORD, MARKUP, frame};
use crate::{
    ActForm, ActTone, Brief, Cell, ChangePage, Column, Decision, Entry, Fact, Field, Fold, Input, Kind, Moment, Notice,
    Place, PlanStep, Rich, Risk, Section, SectionBody, State, Stepper, Table, TargetRow, Tone, Work,
};

const URL: &str = "/t/halden/changes/CHG-1042";

pub(super) fn all() -> Vec<ChangePage> {
    vec![draft(), asked(), implementing(), closed(), odd()]
}

fn act(id: &str, label: &str, path: &str) -> ActForm {
    ActForm::new(id, label, format!("{URL}{path}"))
}

fn draft() -> ChangePage {
    ChangePage {
        frame: frame(Place::Changes),
        key: "CHG-1064".to_owned(),
        title: "Untitled change".to_owned(),
        byline: Rich::from("by Priya Raman, now"),
        head_acts: vec![ActForm::link("Edit", format!("{URL}/edit"))],
        decision: Decision {
            heading: "What will be decided".to_owned(),
            ..Decision::default()
        },
        acts: vec![
            act("submit", "Submit for assessment", "/submission")
                .tone(ActTone::Go)
                .disabled("Five answers are missing: title, why now, targets, complexity, planned times."),
            act("cancel", "Cancel this change", "/cancellation")
                .tone(ActTone::Stop)
                .field(Field::textarea("reason", "Why it is given up").required()),
        ],
        ..ChangePage::default()
    }
}

fn brief() -> Brief {
    Brief {
        what: Rich::from(
            "Adds one column to the shipment record and fills it for 4.1 million old shipments, so that customs declarations need no second lookup",
        ),
        where_: Rich::new()
            .strong("shipments")
            .text(" and ")
            .strong("booking-api")
            .text(", production. 14 things depend on them; ")
            .link("see the paths", format!("{URL}#links"))
            .text("."),
        when: Rich::from(
            "Saturday 21 November, 22:00 to 23:30, inside the Saturday maintenance window. Bookings are read-only for 4 minutes; 38 dispatchers have been told.",
        ),
        why_you: Rich::from("The column may hold personal data."),
        why_safe: vec![
            (
                Tone::Ok,
                Rich::from("412 of 412 tests passed on this exact build, in staging, on 18 November"),
            ),
            (
                Tone::Ok,
                Rich::from("The old version works with the new column: nothing has to be switched at once"),
            ),
            (
                Tone::Wait,
                Rich::from("Nobody has read the code yet who did not write it"),
            ),
        ],
        who_decides: vec![
            (
                Tone::Ok,
                Rich::from("Hanne Brandt, owner of Shipments, approved yesterday 15:22"),
            ),
            (
                Tone::Wait,
                Rich::new()
                    .strong("You")
                    .text(", for Security: the column may hold personal data"),
            ),
            (Tone::Plain, Rich::from("Marta Lindqvist, change manager, after you")),
        ],
        if_it_fails: Rich::from(
            "Back to 2.31.4 in 9 minutes, by one command that was rehearsed on 18 November. The latest moment is Saturday 23:15. No booking is lost.",
        ),
        still_missing: Rich::from("Your decision, then Marta’s, who also decides whether this or CHG-1051 moves."),
        warned: vec![(
            Tone::Freeze,
            Rich::from("The freeze ").said("Peak shipping").text(" stops it"),
        )],
        since: vec![(
            Tone::Wait,
            Rich::new()
                .strong("Plan, step 3: Minutes")
                .text(": ")
                .removed("3")
                .text(" → ")
                .inserted("7"),
        )],
        ..Brief::default()
    }
}

fn approvals() -> Work {
    let why = |role: &str, rest: &str| Rich::new().text("Asked as ").strong(role).text(rest);
    Work::new(
        "2 of 4 · each tells why that person was asked",
        vec![
            Entry::new(Tone::Ok, Rich::new().strong("Hanne Brandt").text(" approved"))
                .quote("Dispatch has planned the four minutes between two boats.")
                .why(
                    why("owner", " of shipments since 1 March 2025. Rule ")
                        .code_link("owner-of-each-target", "/t/halden/policies")
                        .text(", covers ")
                        .emphasis("what")
                        .text("."),
                )
                .aside("19 Nov 15:22"),
            Entry::new(Tone::Ok, Rich::new().strong("Luc Moreau").text(" read plan and code"))
                .why(
                    why("peer", ", not an author of the 6 commits. Rule ")
                        .code_link("peer-review-when-high", "/t/halden/policies")
                        .text("."),
                )
                .aside("19 Nov 17:05"),
            Entry::new(
                Tone::Wait,
                Rich::new().strong("Priya Raman").text(" (you) has been asked"),
            )
            .why(
                why("Security", " because the change touches personal data. Rule ")
                    .code_link("personal-data-needs-security", "/t/halden/policies")
                    .text(". Deputy from 16:00: Yusuf Demir."),
            )
            .aside("due today 17:00"),
            Entry::new(
                Tone::Plain,
                Rich::new().strong("Marta Lindqvist").text(" is asked after Security"),
            )
            .why(
                why("change manager", " because the risk is high. Rule ")
                    .code_link("change-manager-when-high", "/t/halden/policies")
                    .text(", covers the time as well."),
            ),
        ],
    )
}

fn step(title: &str, detail: &str, length: &str) -> PlanStep {
    PlanStep {
        title: title.to_owned(),
        detail: Rich::new().said(detail),
        length: length.to_owned(),
    }
}

fn moment(icon: &'static str, text: Rich, meta: &str, index: &str) -> Moment {
    Moment {
        icon,
        text,
        meta: Rich::from(meta),
        index: (!index.is_empty()).then(|| index.to_owned()),
        proof_url: "/t/halden/audit/48107".to_owned(),
    }
}

fn timeline() -> Vec<Moment> {
    vec![
        moment(
            "go",
            Rich::new()
                .text("Hanne Brandt approved ")
                .emphasis("what")
                .text(" and ")
                .emphasis("when"),
            "19 Nov 15:22 · seen digest what 9f2c…e41",
            "",
        ),
        moment(
            "edit",
            Rich::from("Tomasz Wrona moved the start from 21:30 to 22:00"),
            "19 Nov 11:40 · voided nothing, nobody had decided",
            "48,066",
        ),
        moment(
            "leaf",
            Rich::from("Staging evidence arrived: 412 tests, none failed"),
            "18 Nov 16:12 · from pipeline 8841",
            "47,988",
        ),
        moment(
            "s-assessing",
            Rich::from("Risk was set to high: personal data and a schema change"),
            "17 Nov 09:31",
            "47,730",
        ),
        moment(
            "plus",
            Rich::from("Ingrid Solheim wrote the change"),
            "16 Nov 14:03 · 4 fields by hand, 11 from pipeline 8790",
            "47,512",
        ),
    ]
}

fn evidence_form() -> ActForm {
    act("add", "Add evidence", "/evidence")
        .field(Field::text("name", "Name").required().half())
        .field(
            Field::select(
                "kind",
                "Kind",
                &[
                    ("note", "Note"),
                    ("file", "File"),
                    ("junit", "JUnit report"),
                    ("sarif", "SARIF report"),
                ],
            )
            .half(),
        )
        .field(
            Field::select(
                "aspect",
                "What it shows",
                &[
                    ("functional", "It works"),
                    ("compatibility", "Old and new are compatible"),
                    ("security", "It is safe"),
                    ("backup", "A backup exists"),
                    ("other", "Other"),
                ],
            )
            .half(),
        )
        .field(
            Field::select(
                "environment",
                "Where it ran",
                &[("staging", "staging"), ("production", "production")],
            )
            .half(),
        )
        .field(Field::text("artifact", "Artifact").hint("Its digest; without one the evidence binds to the plan."))
        .field(Field::new("file", "File", Input::File).hint("Up to 20 MB; or write a text below."))
        .field(Field::textarea("text", "Text"))
        .submit("Add this evidence")
}

fn comments() -> Work {
    Work::new(
        "",
        vec![
            Entry::new(Tone::Plain, Rich::new().strong("Luc Moreau"))
                .icon("comment")
                .quote("Is the **backfill** throttled? See [the notes](https://wiki.example.org/backfill).")
                .aside("18 Nov 09:10"),
        ],
    )
    .acts(vec![
        act("comment", "Comment", "/comments")
            .field(
                Field::textarea("text", "Your comment")
                    .hint("Markdown works. Everyone on the change reads it.")
                    .required(),
            )
            .submit("Add this comment"),
    ])
}

fn facts() -> Vec<Fact> {
    vec![
        Fact::people("Change owner", vec!["Hanne Brandt".to_owned()]),
        Fact::people(
            "Implementers",
            vec!["Tomasz Wrona".to_owned(), "Aiko Tanaka".to_owned()],
        ),
        Fact::people("Tester", vec!["Luc Moreau".to_owned()]),
        Fact::new(
            "Build",
            Rich::new().text("booking-api 2.32.0").line().code("sha256:6b1d…07a"),
        ),
        Fact::new("Touches", "Schema, personal data"),
        Fact::new(
            "Linked",
            Rich::new()
                .link("CHG-0987", "/t/halden/changes/CHG-0987")
                .text(" follows up"),
        ),
        Fact::new("Watching", "Customs desk and 6 people"),
    ]
}

fn asked() -> ChangePage {
    ChangePage {
        frame: frame(Place::Changes),
        key: "CHG-1042".to_owned(),
        title: "Give every shipment a customs reference".to_owned(),
        state: State::Authorizing,
        risk: Some(Risk::High),
        kind: Kind::Normal,
        byline: Rich::from("by Ingrid Solheim, 4 days ago"),
        head_acts: vec![
            act("watch", "Watch", "/watchers"),
            ActForm::link("Edit", format!("{URL}/edit")),
        ],
        stepper: Stepper {
            current: State::Authorizing,
            reached: None,
            notes: vec![
                (State::Draft, "16 Nov".to_owned()),
                (State::Assessing, "17 Nov".to_owned()),
                (State::Authorizing, "2 of 4 approved".to_owned()),
                (State::Implementing, "Sat 22:00".to_owned()),
            ],
        },
        brief: brief(),
        decision: Decision {
            heading: "Your decision, for Security".to_owned(),
            due: "Due today 17:00, in 6 h".to_owned(),
            is_late: true,
            asked: "asked yesterday 16:10".to_owned(),
            seen: "acknowledge it by today 17:00".to_owned(),
            acts: sample_decisions(URL, "Ingrid Solheim"),
            binds: Rich::new()
                .text("You decide on exactly this text: digest ")
                .code("what 9f2c…e41")
                .text(", ")
                .code("when 03ab…7d2")
                .text(". You can take it back until a permit is issued."),
        },
        approvals: approvals(),
        plan: vec![
            step(
                "Add the column, nullable, without a lock",
                "Tomasz Wrona · check: 0 waiting queries after 60 s",
                "6 min",
            ),
            step(
                "Bring booking-api 2.32.0 out, one node at a time",
                "pipeline · check: error rate below 0.2 %",
                "18 min",
            ),
            step("Open bookings again", "", ""),
        ],
        plan_note: Rich::from("75 min, 28 of them watched"),
        rollback_plan: vec![step(
            "Bring booking-api 2.31.4 back",
            "pipeline · check: version on all 6 nodes",
            "5 min",
        )],
        rollback_note: Rich::from("9 min, rehearsed 18 Nov"),
        texts: vec![(
            "Description".to_owned(),
            "Customs asks for a **reference per shipment** from January.\n\n1. add the column\n2. fill it".to_owned(),
        )],
        evidence: Work::new(
            "1 of 1 passed",
            vec![
                Entry::new(
                    Tone::Ok,
                    Rich::new().strong("412 tests passed").text(", none failed, staging"),
                )
                .why(
                    Rich::new()
                        .text("functional · JUnit · bound to ")
                        .code("sha256:6b1d…07a"),
                )
                .aside("18 Nov 16:12"),
            ],
        )
        .acts(vec![evidence_form()]),
        comments: comments(),
        timeline: timeline(),
        timeline_note: Rich::new().link("All 23 entries", "/t/halden/changes/CHG-1042/events"),
        facts: facts(),
        ..ChangePage::default()
    }
}

fn completion(id: &str) -> ActForm {
    act(id, "Record the outcome", "/completion")
        .field(Field::hidden("target", "1"))
        .field(
            Field::radio(
                "outcome",
                "Outcome",
                &[
                    ("succeeded", "Succeeded"),
                    ("succeeded_with_issues", "Succeeded with issues"),
                    ("rolled_back", "Rolled back"),
                    ("failed", "Failed"),
                ],
            )
            .required(),
        )
        .field(
            Field::new("actual_start", "Began", Input::DateTime)
                .value("2026-11-21T22:00")
                .half(),
        )
        .field(Field::new("actual_end", "Ended", Input::DateTime).half())
        .field(Field::new("actual_downtime_minutes", "Minutes of downtime", Input::Number).value("0"))
        .submit("Record this outcome")
}

fn implementing_acts() -> Vec<ActForm> {
    vec![
        act("entry", "Note an action", "/implementation/entries")
            .tone(ActTone::Go)
            .field(
                Field::radio(
                    "kind",
                    "Kind",
                    &[
                        ("step", "Step done"),
                        ("deviation", "Something differs"),
                        ("issue", "Something is wrong"),
                    ],
                )
                .value("step"),
            )
            .field(Field::textarea("text", "What happened").required())
            .submit("Note it"),
        completion("complete"),
        act("extend", "Ask for more time", "/extension")
            .field(Field::new("until", "Until", Input::DateTime).required())
            .field(Field::textarea("reason", "Why").required())
            .submit("Ask the owner"),
        act("hold", "Put on hold", "/hold").disabled("It is being implemented; roll back instead, or let it end."),
    ]
}

fn implementing() -> ChangePage {
    ChangePage {
        state: State::Implementing,
        is_on_hold: false,
        kind: Kind::Emergency,
        flags: vec![Tone::Wait.mark("Expedited"), Tone::Stop.mark("Overrun since 23:30")],
        notices: vec![Notice::new(Tone::Stop, "The window ended at 23:30 and nobody granted more time. The gate forward is shut; the way back is open.").title("Overrun")],
        stepper: Stepper { current: State::Implementing, reached: None, notes: vec![(State::Implementing, "since 22:00".to_owned())] },
        decision: Decision { heading: "What was decided".to_owned(), binds: Rich::new().text("Digest ").code("what 9f2c…e41"), ..Decision::default() },
        acts: implementing_acts(),
        acts_note: Rich::from("Two of three steps are done. The latest moment to roll back was 23:15."),
        requirements: Work::new("before closing", vec![Entry::new(Tone::Wait, Rich::new().strong("One target has no outcome")).code("outcome_missing").why("An implementer tells it.").aside("Tomasz Wrona")]),
        targets: vec![
            TargetRow { id: "1".to_owned(), service: "booking-api".to_owned(), href: "/t/halden/services/booking-api".to_owned(), environment: "production".to_owned(), build: "sha256:6b1d…07a".to_owned(), rollback_to: "2.31.4".to_owned(), acts: vec![completion("complete")], ..TargetRow::default() },
            TargetRow { id: "2".to_owned(), service: "shipments".to_owned(), environment: "production".to_owned(), outcome: Tone::Ok.mark("Succeeded"), ..TargetRow::default() },
        ],
        conditions: Work::new("0 of 1 met", vec![Entry::new(Tone::Wait, "Dispatch confirms by phone that the desk is staffed").why("Condition of Hanne Brandt, due before start").aside("Hanne Brandt").act("condition-1", act("met", "It is met", "/conditions/1").tone(ActTone::Link))]),
        tasks: Work::new("", vec![Entry::new(Tone::Ok, "Tell the dispatch desk").why("prepare, mandatory").aside("done 21:50")]),
        gate: Work::new("", vec![Entry::new(Tone::Ok, Rich::new().strong("Go").text(" for booking-api, production, as a way back only")).icon("gate").why("permit good until 23:45").act("permit-1", act("revoke", "Revoke", "/permits/1/revocation").tone(ActTone::Link).field(Field::textarea("reason", "Why").required()))]),
        runbook: Work::new("3 entries", vec![
            Entry::new(Tone::Ok, "Column added, 0 queries waited").why("Tomasz Wrona, step").aside("22:07"),
            Entry::new(Tone::Stop, "Two nodes restart slowly").why("Aiko Tanaka, issue · owner and change manager were told").aside("22:31"),
        ]),
        review: Work::new("", Vec::new()).acts(vec![act("validate", "Validate", "/validation").field(Field::radio("result", "Does it work?", &[("works", "It works"), ("does_not", "It does not")])).field(Field::textarea("text", "How you checked it").required())]),
        links: Work::new("", vec![Entry::new(Tone::Plain, Rich::new().link("CHG-0987", "/t/halden/changes/CHG-0987").text(" is followed up by this")).icon("link")]),
        ..asked()
    }
}

fn closed() -> ChangePage {
    ChangePage {
        state: State::Closed,
        stepper: Stepper {
            current: State::Closed,
            reached: None,
            notes: vec![(State::Closed, "23 Nov".to_owned())],
        },
        decision: Decision {
            heading: "What was decided".to_owned(),
            ..Decision::default()
        },
        brief: Brief {
            still_missing: Rich::new(),
            ..brief()
        },
        head_acts: vec![ActForm::link("Bundle", format!("{URL}/bundle"))],
        acts: Vec::new(),
        course: Some(course()),
        watch: Work::new(
            "",
            vec![
                Entry::new(Tone::Ok, "It was watched until Sun 22 Nov 22:00")
                    .icon("eye")
                    .why("Since Sat 21 Nov 22:00."),
            ],
        ),
        review: Work::new(
            "objectives met, steps adequate",
            vec![
                Entry::new(Tone::Ok, Rich::new().strong("Luc Moreau").text(" validated: it works"))
                    .aside("22 Nov 09:00"),
                Entry::new(Tone::Ok, Rich::new().strong("Hanne Brandt").text(" reviewed it"))
                    .quote("Next time tell the depot earlier.")
                    .aside("23 Nov 10:00"),
            ],
        ),
        ..asked()
    }
}

fn course() -> Section {
    let row = |word: &str, planned: &str, actual: &str, apart: Rich| {
        vec![
            Cell::Name(word.to_owned()),
            Cell::Short(planned.to_owned()),
            Cell::Short(actual.to_owned()),
            Cell::Text(apart),
        ]
    };
    let table = Table {
        caption: "Planned and actual work, side by side".to_owned(),
        columns: ["What", "Planned", "Actual", "Difference"]
            .map(|label| Column::new(label, Fold::Never))
            .to_vec(),
        rows: vec![
            row(
                "Start",
                "Sat 21 Nov 22:00",
                "Sat 21 Nov 22:00",
                Rich::from("as planned"),
            ),
            row(
                "End",
                "Sat 21 Nov 23:30",
                "Sat 21 Nov 23:50",
                Rich::new().late("20 min later"),
            ),
            row("Duration", "1 h 30 min", "1 h 50 min", Rich::new().late("20 min later")),
        ],
        ..Table::default()
    };
    Section::new("course", "Planned and actual", SectionBody::Table(table))
}

fn odd() -> ChangePage {
    let long = LONG_WORD.repeat(10);
    let mut page = asked();
    page.title = format!("{MARKUP} {BIDI} {long}");
    page.state = State::Rejected;
    page.is_on_hold = true;
    page.stepper = Stepper {
        current: State::Rejected,
        reached: Some(State::Authorizing),
        notes: vec![(State::Draft, MARKUP.to_owned())],
    };
    page.byline = Rich::from(BIDI);
    page.brief.what = Rich::from(MARKUP).text(BIDI);
    page.brief.where_ = Rich::from(long.as_str());
    page.decision.heading = MARKUP.to_owned();
    page.plan = vec![step(MARKUP, BIDI, &long), step(&long, &long, "1 min")];
    page.texts = vec![(
        MARKUP.to_owned(),
        format!("{MARKUP}\n\n{BIDI}\n\n{long}\n\n<div onclick=\"x\">hi</div>\n"),
    )];
    page.facts = vec![Fact::people(MARKUP, vec![long.clone()]), Fact::new(long.as_str(), BIDI)];
    page.targets = vec![TargetRow {
        id: "1".to_owned(),
        service: long.clone(),
        environment: MARKUP.to_owned(),
        build: long.clone(),
        rollback_to: BIDI.to_owned(),
        outcome: Tone::Stop.mark("Failed"),
        ..TargetRow::default()
    }];
    page.timeline = vec![
        moment("go", Rich::from(MARKUP), &long, "1"),
        moment("edit", Rich::from(BIDI), BIDI, ""),
    ];
    page.links = Work::new(
        MARKUP,
        vec![Entry::new(Tone::Plain, Rich::new().link("x", "javascript:alert(1)"))],
    );
    page
}
