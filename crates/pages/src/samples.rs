//! Every sample of every page, by name.

pub use crate::elements::sample::{BIDI, LONG_WORD, MARKUP, frame};

/// A sample: the page's name with a number, and its HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The page and the number of the instance: `change-2`.
    pub name: String,
    /// The whole document.
    pub html: String,
}

macro_rules! pages {
    ($($name:literal => $samples:expr),+ $(,)?) => {{
        let mut all = Vec::new();
        $(
            for (number, page) in $samples.into_iter().enumerate() {
                all.push(Sample { name: format!("{}-{}", $name, number + 1), html: page.render() });
            }
        )+
        all
    }};
}

/// Every sample of every page, rendered.
#[must_use]
pub fn all() -> Vec<Sample> {
    pages! {
        "sign-in" => crate::SignIn::samples(),
        "kept" => crate::Kept::samples(),
        "step-up" => crate::StepUp::samples(),
        "passkey" => crate::Passkey::samples(),
        "home" => crate::Home::samples(),
        "changes" => crate::ChangeList::samples(),
        "changes-in-use" => vec![crate::ChangeList::sample_in_use()],
        "change" => crate::ChangePage::samples(),
        "runbook" => crate::Runbook::samples(),
        "change-form" => crate::ChangeForm::samples(),
        "problem" => crate::Problem::samples(),
        "api" => crate::ApiPage::samples(),
        "freezes" => crate::Freezes::samples(),
        "calendar" => crate::Calendar::samples(),
        "windows" => crate::Windows::samples(),
        "windows-clash" => vec![crate::Windows::sample_clash()],
        "services" => crate::Services::samples(),
        "ownership" => crate::Ownerships::samples(),
        "incidents" => crate::Incidents::samples(),
        "templates" => crate::Templates::samples(),
        "gate-checks" => crate::GateChecks::samples(),
        "gate" => crate::GatePage::samples(),
        "deliveries" => crate::Deliveries::samples(),
        "messages" => crate::Messages::samples(),
        "audit" => crate::AuditLog::samples(),
        "people" => crate::People::samples(),
        "tokens" => crate::Tokens::samples(),
        "token-created" => vec![crate::Tokens::sample_created()],
        "record" => crate::RecordPage::samples(),
        "components" => crate::Components::samples(),
        "help" => crate::Help::samples(),
    }
}
