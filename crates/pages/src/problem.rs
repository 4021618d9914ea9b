//! A refusal or a fault as a page: the act, the reason, the act that opens it, and the holder.

use askama::Template;

use crate::elements::filters;
use crate::elements::frame::document;
use crate::elements::parts::Entries;
use crate::elements::sample::{BIDI, MARKUP};
use crate::{ActForm, Entry, Frame, Place, Rich, Tone, render};

/// A refusal in four parts, with the same text in API, mail and log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "problem.html")]
pub struct Problem {
    /// Everything around it; `None` for a reader who is not signed in.
    pub frame: Option<Frame>,
    /// Where the assets are served, for a page without frame.
    pub assets: String,
    /// The HTTP status: 404, 403, 409, 422, 503.
    pub status: u16,
    /// The machine code: `not_legal_now`.
    pub code: String,
    /// The act that failed: “Start refused”.
    pub what: String,
    /// Why: the rule or the fact.
    pub why: Rich,
    /// What opens it.
    pub opens: Rich,
    /// The holder; empty when there is none.
    pub holder: Rich,
    /// The unmet conditions, each with the act that satisfies it and the person or role that it waits for.
    pub unmet: Vec<Entry>,
    /// Ways on: back to the change, sign in, try again.
    pub ways: Vec<ActForm>,
    /// The request's id, to be given to the server's operator; empty for none.
    pub request_id: String,
}

impl Problem {
    /// A page that was not found, or that this reader may not see.
    #[must_use]
    pub fn not_found(frame: Option<Frame>, assets: impl Into<String>) -> Self {
        Self {
            frame,
            assets: assets.into(),
            status: 404,
            code: "not_found".to_owned(),
            what: "Page not found".to_owned(),
            why: Rich::from(
                "The page does not exist, or you have no right to see it; the response is the same for both.",
            ),
            opens: Rich::from("Check the address, or search for the key."),
            ..Self::default()
        }
    }

    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        match &self.frame {
            Some(frame) => frame.around(&self.what, false, &render(self)),
            None => document(
                &self.what,
                &self.assets,
                "door",
                &format!("<main id=\"main\" class=\"wide\">{}</main>", render(self)),
            ),
        }
    }

    /// Believable instances: one for each status.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let frame = || Some(crate::elements::sample::frame(Place::Changes));
        let back = ActForm::link("Back to CHG-1042", "/t/halden/changes/CHG-1042");
        vec![
            Self::not_found(frame(), "/assets"),
            Self::not_found(None, "/assets"),
            Self {
                frame: frame(),
                status: 403,
                code: "policy_forbids".to_owned(),
                what: "Approval refused".to_owned(),
                why: Rich::new()
                    .text("You wrote part of this change, and nobody decides on their own work. Rule ")
                    .code("base.not-own-work")
                    .text("."),
                opens: Rich::from("Somebody else of Security decides."),
                holder: Rich::from("Yusuf Demir is your deputy."),
                ways: vec![back.clone()],
                ..Self::default()
            },
            sample_conflict(frame(), back.clone()),
            Self {
                frame: frame(),
                status: 422,
                code: "invalid".to_owned(),
                what: MARKUP.to_owned(),
                why: Rich::from(BIDI),
                opens: Rich::from(MARKUP),
                holder: Rich::from(MARKUP),
                ways: vec![back],
                ..Self::default()
            },
            Self {
                assets: "/assets".to_owned(),
                status: 503,
                code: "overloaded".to_owned(),
                what: "The page could not be made".to_owned(),
                why: Rich::from("The database does not answer. Nothing that you sent was lost or done twice."),
                opens: Rich::from("Try again in 10 seconds."),
                holder: Rich::from("Whoever runs this server sees the same in its log."),
                request_id: "0193-77b2f0".to_owned(),
                ..Self::default()
            },
        ]
    }

    fn unmet_entries(&self) -> Entries<'_> {
        Entries {
            entries: &self.unmet,
            wide: true,
        }
    }
}

fn sample_conflict(frame: Option<Frame>, back: ActForm) -> Problem {
    let unmet = vec![
        Entry::new(Tone::Wait, Rich::new().strong("The window is not open"))
            .code("window_not_open")
            .why("Opens by itself on Saturday 21 November 22:00 and stays open until 23:30.")
            .aside("the clock, in 35 h"),
        Entry::new(Tone::Wait, Rich::new().strong("One approval is missing"))
            .code("approval_missing")
            .why(
                Rich::new()
                    .text("Marta Lindqvist, change manager, approves digest ")
                    .code("what 9f2c…e41")
                    .text("."),
            )
            .aside("Marta Lindqvist"),
    ];
    Problem {
        frame,
        status: 409,
        code: "not_legal_now".to_owned(),
        what: "Start refused".to_owned(),
        why: Rich::from("Two conditions that are due before start are not met."),
        opens: Rich::from("It starts by itself when both are met inside the window."),
        holder: Rich::from("Marta Lindqvist for the approval; nobody for the window."),
        unmet,
        ways: vec![back],
        ..Problem::default()
    }
}
