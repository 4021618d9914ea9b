//! Values for believable samples, and every sample of every page by name.

use crate::{Frame, Place, Seal};

/// A text with markup, as an attacker would type it.
pub const MARKUP: &str = "<script>alert('\"x&')</script><b onclick=y>bold</b>";

/// A text with hidden characters and a look-alike letter: what it shows is not what it says.
pub const BIDI: &str = "Deploy \u{202E}gpj.exe\u{202C} to p\u{0430}yments\u{200B}-db";

/// A word without a place to break; ten of it make 200 letters and more.
pub const LONG_WORD: &str = "Donaudampfschifffahrtsgesellschaft";

/// The frame of the samples: Priya Raman of Halden Freight.
#[must_use]
pub fn frame(place: Place) -> Frame {
    Frame {
        tenant: "Halden Freight".to_owned(),
        base: "/t/halden".to_owned(),
        assets: "/assets".to_owned(),
        places: Place::shown(true, true, false),
        place,
        person: "Priya Raman".to_owned(),
        waiting: 5,
        new_messages: 2,
        may_create: true,
        seal: Seal {
            is_fresh: true,
            line: "Log sealed 12 s ago".to_owned(),
            detail: "48,213 entries, 2 witnesses".to_owned(),
        },
        ..Frame::default()
    }
}

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
