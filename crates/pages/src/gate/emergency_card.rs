//! A printed emergency card: a drawing (SVG) with the card's limits as text and its token as a QR code (ISO/IEC 18004).

use qrcodegen::{QrCode, QrCodeEcc};

/// The width of the drawing, in its own units: the paper's height of A5 across.
const WIDTH: i32 = 210;
/// The width of the code on it.
const CODE: i32 = 120;
/// Modules left free around a code (section 6.3.8 of the standard).
const QUIET: i32 = 4;
/// Letters of a line.
const LETTERS: usize = 70;

/// The text beside the code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrintedCard {
    /// The tenant.
    pub tenant: String,
    /// The card's id.
    pub id: String,
    /// The services that it is for.
    pub services: Vec<String>,
    /// The environment.
    pub environment: String,
    /// How often it may be used.
    pub uses: i64,
    /// Until when it is valid.
    pub until: String,
    /// The logins of the two people who signed it.
    pub signers: Vec<String>,
    /// The token.
    pub token: String,
}

impl PrintedCard {
    /// The drawing; `None` for a token that does not fit into one code.
    #[must_use]
    pub fn svg(&self) -> Option<String> {
        let code = QrCode::encode_binary(self.token.as_bytes(), QrCodeEcc::Medium).ok()?;
        let lines = self.lines();
        let height = 40 + CODE + 7 * i32::try_from(lines.len()).unwrap_or(i32::MAX / 8);
        let mut rows = String::new();
        for (place, line) in lines.iter().enumerate() {
            let y = 26 + 7 * i32::try_from(place).unwrap_or_default();
            rows.push_str(&format!(
                "<text x=\"10\" y=\"{y}\" font-size=\"5\">{}</text>",
                escaped(line)
            ));
        }
        let top = height - CODE - 6;
        Some(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" role=\"img\">\
             <title>Emergency card {id}</title><rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\
             <text x=\"10\" y=\"16\" font-size=\"9\" font-weight=\"bold\">Emergency card of {tenant}</text>{rows}{code}</svg>\n",
            id = escaped(&self.id),
            tenant = escaped(&self.tenant),
            code = drawn(&code, top),
        ))
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(wrapped(&format!(
            "For {} in {}",
            self.services.join(", "),
            self.environment
        )));
        lines.push(format!("{} uses in all, until {}", self.uses, self.until));
        lines.extend(wrapped(&format!("Signed by {}", self.signers.join(" and "))));
        lines.push(format!("Card {}", self.id));
        lines.push("Valid only while no server can be reached. Anyone with this code can use it:".to_owned());
        lines.push("assent gate check --emergency-card FILE --keys jwks.json --by LOGIN --reason WHY …".to_owned());
        lines.push("Afterwards report what was done: assent reconcile assent-emergency.jsonl".to_owned());
        lines
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is a first line");
        if !last.is_empty() && last.chars().count() + word.chars().count() >= LETTERS {
            lines.push(word.to_owned());
            continue;
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    lines
}

/// The modules of a code as one path, with white around them.
fn drawn(code: &QrCode, top: i32) -> String {
    let size = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
        }
    }
    let left = (WIDTH - CODE) / 2;
    format!(
        "<svg x=\"{left}\" y=\"{top}\" width=\"{CODE}\" height=\"{CODE}\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path d=\"{path}\" fill=\"#000\"/></svg>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_card_is_well_formed_and_says_its_limits() {
        let card = PrintedCard {
            tenant: "halden<script>".to_owned(),
            id: "0197".to_owned(),
            services: vec!["booking-api".to_owned(), "x".repeat(90)],
            environment: "production".to_owned(),
            uses: 3,
            until: "2026-12-31T00:00:00Z".to_owned(),
            signers: vec!["marta".to_owned(), "olga".to_owned()],
            token: "t".repeat(2_300),
        };
        let drawn = card.svg().unwrap();
        let mut reader = quick_xml::Reader::from_str(&drawn);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
        assert!(
            !drawn.contains("<script>") && drawn.contains("3 uses in all, until 2026-12-31"),
            "{drawn}"
        );
        assert!(drawn.contains("Signed by marta and olga"));
        let other = PrintedCard {
            token: "u".repeat(2_300),
            ..card.clone()
        };
        assert_ne!(other.svg().unwrap(), drawn, "the code says the token");
        let long = PrintedCard {
            token: "t".repeat(3_000),
            ..card
        };
        assert_eq!(long.svg(), None);
    }
}
