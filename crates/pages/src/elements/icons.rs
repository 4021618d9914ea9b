//! The icons: one `symbol` each, drawn on 16 by 16 with strokes of the text's
//! colour. A page carries one sprite with only the symbols that it uses.

/// Name and drawing of every icon, in the order of their names.
const ICONS: &[(&str, &str)] = &[
    ("arrow", r#"<path d="M2.5 8h10.5M9.5 4.5 13 8l-3.5 3.5"/>"#),
    ("assent", r#"<path d="M2.5 9.5 6 13 13.5 4"/><path d="M2.5 4.5h4"/>"#),
    (
        "back",
        r#"<path d="M5.5 4.5 2.5 7.5l3 3M2.5 7.5h7a3.5 3.5 0 0 1 0 7H7"/>"#,
    ),
    (
        "bell",
        r#"<path d="M4 11.5V7a4 4 0 0 1 8 0v4.5zM2.5 11.5h11M7 13.5h2"/>"#,
    ),
    ("box", r#"<rect x="2.5" y="2.5" width="11" height="11" rx="1.5"/>"#),
    (
        "box-check",
        r#"<rect x="2.5" y="2.5" width="11" height="11" rx="1.5"/><path d="m5 8.3 2 2 4-4.6"/>"#,
    ),
    (
        "calendar",
        r#"<rect x="2.5" y="3.5" width="11" height="10" rx="1.5"/><path d="M2.5 6.5h11M5.5 2v3M10.5 2v3"/>"#,
    ),
    ("chart", r#"<path d="M2.5 13.5h11M4.5 11V8M8 11V4M11.5 11V6.5"/>"#),
    ("check", r#"<path d="m3.5 8.5 3 3 6-7"/>"#),
    ("clock", r#"<circle cx="8" cy="8" r="5.5"/><path d="M8 5v3l2 1.5"/>"#),
    ("comment", r#"<path d="M2.5 3.5h11v7.5H8l-3 2.5V11H2.5z"/>"#),
    ("door", r#"<path d="M4 13.5v-11h8v11M2 13.5h12M9.5 8h.01"/>"#),
    ("down", r#"<path d="m3.5 6 4.5 4.5L12.5 6"/>"#),
    ("download", r#"<path d="M8 2.5v7.5M4.5 7 8 10.5 11.5 7M3 13.5h10"/>"#),
    ("edit", r#"<path d="m3 13 .5-3L11 2.5 13.5 5 6 12.5z"/>"#),
    (
        "eye",
        r#"<path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z"/><circle cx="8" cy="8" r="1.7"/>"#,
    ),
    ("file", r#"<path d="M4 2.5h5L12 5.5v8H4zM9 2.5v3h3"/>"#),
    ("flag", r#"<path d="M4 14V3h8l-2 2.5L12 8H4"/>"#),
    (
        "gate",
        r#"<path d="M3.5 13.5v-10M12.5 13.5v-10M3.5 5.5h9M3.5 9.5h9M8 5.5v4"/>"#,
    ),
    (
        "gear",
        r#"<path d="M3 4.5h5M11.5 4.5H13M3 11.5h1.5M8 11.5h5"/><circle cx="9.7" cy="4.5" r="1.7"/><circle cx="6.2" cy="11.5" r="1.7"/>"#,
    ),
    ("go", r#"<circle cx="8" cy="8" r="6"/><path d="m5 8.3 2.2 2.2L11 6"/>"#),
    (
        "help",
        r#"<circle cx="8" cy="8" r="5.5"/><path d="M6.4 6.4a1.6 1.6 0 1 1 2.3 1.5c-.5.3-.7.6-.7 1.1M8 11h.01"/>"#,
    ),
    ("home", r#"<path d="M2.5 7 8 2.5 13.5 7v6.5h-4v-4h-3v4h-4z"/>"#),
    (
        "inbox",
        r#"<path d="M2.5 9.5 4.5 3.5h7l2 6v3.5h-11zM2.5 9.5h3.3l1 1.5h2.4l1-1.5h3.3"/>"#,
    ),
    ("incident", r#"<path d="M8 2.5 14 13H2zM8 6.5v3M8 11.2h.01"/>"#),
    ("k-emergency", r#"<path d="M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z"/>"#),
    ("k-normal", r#"<rect x="3.5" y="3.5" width="9" height="9" rx="1.5"/>"#),
    ("k-standard", r#"<path d="M4 5h8M4 8h8M4 11h8"/>"#),
    (
        "leaf",
        r#"<path d="M8 2.5 13 5.3v5.4L8 13.5l-5-2.8V5.3zM5.8 8l1.7 1.7 3-3.2"/>"#,
    ),
    ("left", r#"<path d="M10 3.5 5.5 8l4.5 4.5"/>"#),
    (
        "link",
        r#"<path d="M6.5 9.5 9.5 6.5M7 4.5l1-1a3 3 0 0 1 4.5 4.5l-1 1M9 11.5l-1 1A3 3 0 0 1 3.5 8l1-1"/>"#,
    ),
    (
        "list",
        r#"<path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01"/>"#,
    ),
    (
        "log",
        r#"<path d="M8 2.5v3.5M4 13.5V10a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v3.5"/><circle cx="8" cy="3" r="1"/><circle cx="4" cy="13" r="1"/><circle cx="12" cy="13" r="1"/>"#,
    ),
    (
        "meeting",
        r#"<circle cx="5.5" cy="5.5" r="2"/><circle cx="11" cy="6" r="1.5"/><path d="M2 13c0-2.5 1.5-4 3.5-4S9 10.5 9 13M10.5 9.2c2-.2 3.5 1.2 3.5 3.3"/>"#,
    ),
    ("menu", r#"<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11"/>"#),
    ("more", r#"<path d="M3.5 8h.01M8 8h.01M12.5 8h.01"/>"#),
    (
        "offline",
        r#"<path d="M2.5 13.5 13.5 2.5M4 10.5a3 3 0 0 1 .5-5.5M7 4.2A3.8 3.8 0 0 1 11.5 7a2.5 2.5 0 0 1-.3 5H8"/>"#,
    ),
    ("out", r#"<path d="M6.5 3.5h-4v9h4M9.5 5 12.5 8l-3 3M12.5 8h-7"/>"#),
    (
        "person",
        r#"<circle cx="8" cy="5.5" r="2.5"/><path d="M3 13.5c0-2.8 2.2-4.5 5-4.5s5 1.7 5 4.5"/>"#,
    ),
    ("plus", r#"<path d="M8 3.5v9M3.5 8h9"/>"#),
    (
        "print",
        r#"<path d="M4.5 6V2.5h7V6M4.5 11.5h-2V6h11v5.5h-2M4.5 9.5h7v4h-7z"/>"#,
    ),
    (
        "r-high",
        r#"<path d="M3.5 13v-2.5M8 13V8M12.5 13V4" stroke-width="2.6"/>"#,
    ),
    (
        "r-low",
        r#"<path d="M3.5 13v-2.5" stroke-width="2.6"/><path d="M8 13V8M12.5 13V4" stroke-width="2.6" opacity=".28"/>"#,
    ),
    (
        "r-medium",
        r#"<path d="M3.5 13v-2.5M8 13V8" stroke-width="2.6"/><path d="M12.5 13V4" stroke-width="2.6" opacity=".28"/>"#,
    ),
    ("right", r#"<path d="m6 3.5 4.5 4.5L6 12.5"/>"#),
    ("runbook", r#"<path d="M3.5 2.5h9v11h-9zM6 6l1 1 2-2M6 10.5h4"/>"#),
    (
        "s-approved",
        r#"<circle cx="8" cy="8" r="5.5"/><path d="m5.5 8.3 1.8 1.7 3.2-3.8"/>"#,
    ),
    (
        "s-assessing",
        r#"<circle cx="8" cy="8" r="5.5"/><path d="M8 8V5a3 3 0 0 1 3 3z" fill="currentColor" stroke="none"/>"#,
    ),
    (
        "s-authorizing",
        r#"<circle cx="8" cy="8" r="5.5"/><path d="M8 4.7a3.3 3.3 0 0 1 0 6.6z" fill="currentColor" stroke="none"/>"#,
    ),
    (
        "s-cancelled",
        r#"<circle cx="8" cy="8" r="5.5"/><path d="m4.2 11.8 7.6-7.6"/>"#,
    ),
    (
        "s-closed",
        r#"<path d="M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zm3.1 3.7-4 4.6-2.2-2-1 1.1 3.3 3L12.3 6.5z" fill="currentColor" stroke="none" fill-rule="evenodd"/>"#,
    ),
    (
        "s-draft",
        r#"<circle cx="8" cy="8" r="5.5" stroke-dasharray="2.2 2.1"/>"#,
    ),
    (
        "s-hold",
        r#"<circle cx="8" cy="8" r="5.5"/><path d="M6.5 6v4M9.5 6v4"/>"#,
    ),
    (
        "s-implementing",
        r#"<circle cx="8" cy="8" r="5.5"/><path d="M6.7 5.5v5L10.8 8z" fill="currentColor"/>"#,
    ),
    (
        "s-rejected",
        r#"<circle cx="8" cy="8" r="5.5"/><path d="m6 6 4 4M10 6l-4 4"/>"#,
    ),
    (
        "s-reviewing",
        r#"<circle cx="8" cy="8" r="5.5"/><circle cx="8" cy="8" r="2.2" fill="currentColor" stroke="none"/>"#,
    ),
    (
        "s-scheduled",
        r#"<circle cx="8" cy="8" r="5.5"/><path d="M8 5v3.2h2.5"/>"#,
    ),
    ("search", r#"<circle cx="7" cy="7" r="4"/><path d="m10 10 3.5 3.5"/>"#),
    (
        "service",
        r#"<rect x="2.5" y="2.5" width="11" height="4" rx="1"/><rect x="2.5" y="9.5" width="11" height="4" rx="1"/><path d="M5 4.5h.01M5 11.5h.01"/>"#,
    ),
    (
        "snow",
        r#"<path d="M8 2v12M2.8 5l10.4 6M13.2 5 2.8 11M6.5 2.7 8 4l1.5-1.3M6.5 13.3 8 12l1.5 1.3"/>"#,
    ),
    ("stop", r#"<path d="M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM5.5 8h5"/>"#),
    (
        "template",
        r#"<rect x="2.5" y="2.5" width="11" height="11" rx="1.5"/><path d="M2.5 6.5h11M6.5 6.5v7"/>"#,
    ),
    (
        "token",
        r#"<circle cx="5.5" cy="10.5" r="3"/><path d="M7.7 8.3 13.5 2.5M11 5l2 2"/>"#,
    ),
    ("x", r#"<path d="m4.5 4.5 7 7M11.5 4.5l-7 7"/>"#),
];

/// The reference to an icon. It is hidden from assistive technology: the label is always beside it.
pub(crate) fn icon(name: &str, class: &str) -> String {
    debug_assert!(drawing(name).is_some(), "unknown icon: {name}");
    let space = if class.is_empty() { "" } else { " " };
    format!("<svg class=\"i{space}{class}\" aria-hidden=\"true\"><use href=\"#i-{name}\"/></svg>")
}

/// The sprite for a piece of HTML: the symbols of the icons referred to in it.
/// Texts of people cannot name an icon, because their markup is escaped.
pub(crate) fn sprite(html: &str) -> String {
    let mut names: Vec<&str> = html
        .split("<use href=\"#i-")
        .skip(1)
        .filter_map(|rest| rest.split_once('"').map(|(name, _)| name))
        .collect();
    names.sort_unstable();
    names.dedup();
    let symbols: String = names.into_iter().filter_map(symbol).collect();
    format!("<svg class=\"sprite\" aria-hidden=\"true\">\n{symbols}</svg>")
}

fn symbol(name: &str) -> Option<String> {
    let paths = drawing(name)?;
    Some(format!(
        "<symbol id=\"i-{name}\" viewBox=\"0 0 16 16\">{paths}</symbol>\n"
    ))
}

fn drawing(name: &str) -> Option<&'static str> {
    let place = ICONS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    ICONS.get(place).map(|(_, paths)| *paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icons_are_sorted_so_that_they_are_found() {
        assert!(ICONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_sprite_holds_each_used_icon_once() {
        let html = format!("{}{}{}", icon("go", "ok"), icon("x", ""), icon("go", ""));
        let sprite = sprite(&html);
        assert_eq!(sprite.matches("<symbol").count(), 2);
        assert!(sprite.contains("id=\"i-go\"") && sprite.contains("id=\"i-x\""));
    }
}
