//! The context of the forms of acts, for samples of pages.

use crate::{ActContext, Choice, SecurityQuestionField};

/// A believable context: a change of two targets with a security question.
pub(crate) fn sample_context() -> ActContext {
    ActContext {
        change_url: "/t/halden/changes/CHG-1042".to_owned(),
        picks_url: "/t/halden/picks".to_owned(),
        content_digest: "sha256:9f2c03ab".to_owned(),
        writer: "Ingrid Solheim".to_owned(),
        zone: "Europe/Oslo".to_owned(),
        planned_start: "2026-11-21T22:00".to_owned(),
        planned_end: "2026-11-21T23:30".to_owned(),
        earliest_start: "Sat 21 Nov 18:00".to_owned(),
        reader: "priya.raman".to_owned(),
        targets: vec![
            ("1".to_owned(), "booking-api, production".to_owned()),
            ("2".to_owned(), "shipments, production".to_owned()),
        ],
        item: "a1".to_owned(),
        environments: vec!["staging".to_owned(), "production".to_owned()],
        questions: vec![SecurityQuestionField {
            key: "open_ports".to_owned(),
            words: "Does it open new ports or network paths?".to_owned(),
            answer: "yes".to_owned(),
            text: "443 from the office".to_owned(),
        }],
        is_rolled_back: false,
        by_steps: None,
        when_digest: "sha256:41d0".to_owned(),
        standing_times: "{\"planned_start\":\"2026-11-21T21:00:00Z\"}".to_owned(),
        once: "0193-a1".to_owned(),
        causes: vec![Choice::new("", "Nothing went wrong")],
    }
}
