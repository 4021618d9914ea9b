//! Every sample of every page is rendered and checked: well-formed, labelled,
//! strict about scripts and styles, and without a text's markup let through.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use pages::samples::{Sample, all};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// An element as it was opened, with its ancestors' names.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    ancestors: Vec<String>,
    /// The place of the parent in the list, for looking upwards.
    parent: Option<usize>,
    /// All text inside, without markup.
    text: String,
    /// The text right inside, without that of its children.
    own: String,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    fn is(&self, name: &str) -> bool {
        self.name == name
    }
}

/// Parses a document strictly as XML: each element is closed, each attribute
/// quoted, nothing twice.
fn parse(sample: &Sample) -> Vec<Element> {
    let mut reader = Reader::from_str(&sample.html);
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let element = read(&start, &elements, &open, sample);
                elements.push(element);
                open.push(elements.len() - 1);
            }
            Ok(Event::Empty(start)) => {
                let element = read(&start, &elements, &open, sample);
                elements.push(element);
            }
            Ok(Event::End(_)) => {
                open.pop();
            }
            Ok(Event::Text(text)) => add_text(&mut elements, &open, &text),
            Ok(Event::GeneralRef(reference)) => {
                let name = reference.to_string();
                let known = ["amp", "lt", "gt", "quot"].contains(&name.as_str()) || name.starts_with('#');
                assert!(known, "{}: unknown reference &{name};", sample.name);
                add_text(&mut elements, &open, "·");
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => panic!(
                "{} is not well-formed at {}: {error}",
                sample.name,
                reader.error_position()
            ),
        }
    }
    assert!(open.is_empty(), "{}: an element stays open", sample.name);
    elements
}

fn read(start: &BytesStart<'_>, elements: &[Element], open: &[usize], sample: &Sample) -> Element {
    let attributes = start
        .attributes()
        .map(|attribute| {
            let attribute = attribute.unwrap_or_else(|error| panic!("{}: {error} in {start:?}", sample.name));
            let key = attribute.key.as_ref().to_owned();
            (key, attribute.value.to_string())
        })
        .collect();
    Element {
        name: start.name().as_ref().to_owned(),
        attributes,
        ancestors: open
            .iter()
            .filter_map(|place| elements.get(*place))
            .map(|element| element.name.clone())
            .collect(),
        parent: open.last().copied(),
        text: String::new(),
        own: String::new(),
    }
}

fn add_text(elements: &mut [Element], open: &[usize], text: &str) {
    for place in open {
        elements[*place].text.push_str(text);
    }
    if let Some(place) = open.last() {
        elements[*place].own.push_str(text);
    }
}

fn each(check: impl Fn(&Sample, &[Element])) {
    let samples = all();
    assert!(samples.len() > 40, "only {} samples", samples.len());
    for sample in &samples {
        check(sample, &parse(sample));
    }
}

#[test]
fn pages_keep_the_strict_rules_of_scripts_and_styles() {
    each(|sample, elements| {
        for element in elements {
            for name in element.attributes.keys() {
                assert!(
                    name != "style",
                    "{}: a style attribute on {}",
                    sample.name,
                    element.name
                );
                assert!(!name.starts_with("on"), "{}: {name} on {}", sample.name, element.name);
            }
            assert!(
                !element.is("style") && !element.is("iframe") && !element.is("object"),
                "{}: <{}>",
                sample.name,
                element.name
            );
            if element.is("script") {
                let source = element.attribute("src").unwrap_or_default();
                assert!(
                    source.starts_with("/assets/assent.js"),
                    "{}: script {source}",
                    sample.name
                );
                assert!(element.text.trim().is_empty(), "{}: an inline script", sample.name);
            }
        }
    });
}

#[test]
fn pages_have_one_title_one_main_one_h1_and_headings_in_order() {
    each(|sample, elements| {
        // A drawing names its cells by titles of their own.
        let of_page = |element: &&Element| element.ancestors.iter().all(|name| name != "svg");
        let of_page = || elements.iter().filter(of_page);
        let count = |name: &str| of_page().filter(|element| element.is(name)).count();
        assert_eq!(
            (count("title"), count("main"), count("h1")),
            (2 - 1, 1, 1),
            "{}",
            sample.name
        );
        let mut last = 0;
        let in_main = |element: &&Element| element.ancestors.iter().any(|name| name == "main");
        for heading in elements.iter().filter(in_main) {
            let Some(level) = heading
                .name
                .strip_prefix('h')
                .and_then(|level| level.parse::<usize>().ok())
            else {
                continue;
            };
            let in_prose = has_class_above(elements, heading, "prose");
            assert!(
                in_prose || level <= last + 1,
                "{}: h{level} after h{last}: {}",
                sample.name,
                heading.text
            );
            if !in_prose {
                last = level;
            }
        }
    });
}

fn has_class_above(elements: &[Element], element: &Element, class: &str) -> bool {
    let mut place = element.parent;
    while let Some(above) = place.and_then(|place| elements.get(place)) {
        if above
            .attribute("class")
            .is_some_and(|classes| classes.split(' ').any(|one| one == class))
        {
            return true;
        }
        place = above.parent;
    }
    false
}

#[test]
fn ids_are_unique_and_what_is_referred_to_is_there() {
    each(|sample, elements| {
        let mut ids = BTreeSet::new();
        for element in elements {
            if let Some(id) = element.attribute("id") {
                assert!(ids.insert(id), "{}: id {id} twice", sample.name);
                assert!(
                    !id.is_empty() && !id.contains(char::is_whitespace),
                    "{}: id {id:?}",
                    sample.name
                );
            }
        }
        for element in elements {
            for name in ["for", "aria-describedby", "aria-labelledby", "popovertarget"] {
                let targets = element.attribute(name).unwrap_or_default();
                for target in targets.split_whitespace() {
                    assert!(ids.contains(target), "{}: {name}={target} leads nowhere", sample.name);
                }
            }
            if let Some(target) = element.attribute("href").and_then(|href| href.strip_prefix('#')) {
                assert!(ids.contains(target), "{}: #{target} leads nowhere", sample.name);
            }
        }
    });
}

#[test]
fn the_sprite_holds_exactly_the_icons_used() {
    each(|sample, elements| {
        let drawn: BTreeSet<&str> = elements
            .iter()
            .filter(|e| e.is("symbol"))
            .filter_map(|e| e.attribute("id"))
            .collect();
        let used: BTreeSet<&str> = elements
            .iter()
            .filter(|e| e.is("use"))
            .filter_map(|e| e.attribute("href")?.strip_prefix('#'))
            .collect();
        assert_eq!(drawn, used, "{}", sample.name);
    });
}

#[test]
fn every_control_has_a_label_and_every_button_and_link_a_name() {
    each(|sample, elements| {
        let labelled: BTreeSet<&str> = elements
            .iter()
            .filter(|element| element.is("label") && !element.text.trim().is_empty())
            .filter_map(|element| element.attribute("for"))
            .collect();
        for element in elements {
            let is_control = ["input", "select", "textarea"].contains(&element.name.as_str());
            if is_control && element.attribute("type") != Some("hidden") {
                let by_id = element.attribute("id").is_some_and(|id| labelled.contains(id));
                let wrapped = element.ancestors.iter().any(|name| name == "label");
                let spoken = element.attribute("aria-label").is_some_and(|label| !label.is_empty());
                assert!(by_id || wrapped || spoken, "{}: no label: {element:?}", sample.name);
                assert!(
                    element.attribute("name").is_some_and(|name| !name.is_empty()),
                    "{}: no name: {element:?}",
                    sample.name
                );
            }
            if element.is("button") || element.is("a") || element.is("summary") {
                let spoken = element.attribute("aria-label").unwrap_or(&element.text);
                assert!(!spoken.trim().is_empty(), "{}: nameless {element:?}", sample.name);
            }
        }
    });
}

#[test]
fn forms_say_how_they_are_sent_and_are_not_nested() {
    each(|sample, elements| {
        for element in elements {
            let inside = |name: &str| element.ancestors.iter().any(|above| above == name);
            if element.is("form") {
                assert!(!inside("form"), "{}: a form in a form", sample.name);
                assert!(
                    matches!(element.attribute("method"), Some("post" | "get")),
                    "{}: {element:?}",
                    sample.name
                );
                assert!(
                    element
                        .attribute("action")
                        .is_some_and(|action| action.starts_with('/')),
                    "{}: {element:?}",
                    sample.name
                );
            }
            if element.attribute("type") == Some("file") {
                assert!(
                    has_multipart_form(elements, element) || element.attribute("id") == Some("fields-file"),
                    "{}: a file in a form that is not multipart",
                    sample.name
                );
            }
            let block = [
                "div", "ul", "ol", "dl", "table", "form", "section", "p", "h2", "pre", "details",
            ];
            assert!(
                !(inside("p") && block.contains(&element.name.as_str())),
                "{}: <{}> in <p>",
                sample.name,
                element.name
            );
            let parent = element.ancestors.last().map(String::as_str);
            if element.is("li") {
                assert!(
                    matches!(parent, Some("ul" | "ol")),
                    "{}: <li> in {parent:?}",
                    sample.name
                );
            }
            if matches!(parent, Some("ul" | "ol")) {
                assert!(element.is("li"), "{}: <{}> in a list", sample.name, element.name);
            }
            if element.is("a") || element.is("button") {
                assert!(
                    !inside("a") && !inside("button"),
                    "{}: nested {}",
                    sample.name,
                    element.name
                );
            }
        }
    });
}

fn has_multipart_form(elements: &[Element], element: &Element) -> bool {
    let mut place = element.parent;
    while let Some(above) = place.and_then(|place| elements.get(place)) {
        if above.is("form") {
            return above.attribute("enctype") == Some("multipart/form-data");
        }
        place = above.parent;
    }
    false
}

#[test]
fn no_text_of_people_becomes_markup() {
    each(|sample, elements| {
        let foreign = |element: &&Element| {
            element
                .attributes
                .keys()
                .any(|name| name == "onclick" || name == "onerror")
                || (element.is("b") && element.text == "bold")
                || element.is("img")
        };
        assert_eq!(elements.iter().filter(foreign).count(), 0, "{}", sample.name);
        let scripts = elements.iter().filter(|element| element.is("script")).count();
        assert_eq!(scripts, 1, "{}", sample.name);
        assert!(!sample.html.contains("href=\"javascript:"), "{}", sample.name);
    });
}

#[test]
fn hidden_characters_stay_invisible_only_in_values_that_are_sent_back() {
    let hidden = ['\u{202E}', '\u{202C}', '\u{200B}'];
    each(|sample, elements| {
        for element in elements {
            let is_value = element.is("textarea") || element.is("option");
            assert!(
                is_value || !element.own.contains(hidden),
                "{}: hidden letters in {}",
                sample.name,
                element.name
            );
            for (name, value) in &element.attributes {
                let is_sent = name == "value";
                assert!(
                    is_sent || !value.contains(hidden),
                    "{}: hidden letters in {name} of {}",
                    sample.name,
                    element.name
                );
            }
        }
    });
}

#[test]
fn the_odd_texts_are_in_the_samples_at_all() {
    let samples = all();
    let marked = samples
        .iter()
        .filter(|sample| sample.html.contains("hidden-mark"))
        .count();
    let escaped = samples
        .iter()
        .filter(|sample| sample.html.contains("&lt;script&gt;"))
        .count();
    let long = samples
        .iter()
        .filter(|sample| sample.html.contains(&pages::samples::LONG_WORD.repeat(6)))
        .count();
    assert!(
        marked > 15 && escaped > 15 && long > 5,
        "{marked} marked, {escaped} escaped, {long} long"
    );
}

#[test]
fn templates_never_pass_a_text_through_unescaped() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut files = vec![folder];
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains("|safe") && !text.contains("| safe"),
            "{} uses safe",
            path.display()
        );
        assert!(
            !text.contains("style=") && !text.contains("onclick="),
            "{}",
            path.display()
        );
        read += 1;
    }
    assert!(read > 15);
}

#[test]
fn style_sheets_name_every_class_that_pages_use() {
    let sheets: String = ["tokens.css", "app.css"]
        .into_iter()
        .map(|name| String::from_utf8_lossy(pages::assets::get(name).unwrap().bytes).into_owned())
        .collect();
    let script = String::from_utf8_lossy(pages::assets::get("assent.js").unwrap().bytes).into_owned();
    let mut unknown = BTreeSet::new();
    for sample in all() {
        for element in parse(&sample) {
            for class in element.attribute("class").unwrap_or_default().split_whitespace() {
                if !sheets.contains(&format!(".{class}")) && !script.contains(class) {
                    unknown.insert(class.to_owned());
                }
            }
        }
    }
    assert_eq!(unknown, BTreeSet::new());
}

#[test]
fn every_chart_says_what_it_shows_and_has_a_table_that_says_the_same() {
    let mut charts = 0;
    each(|sample, elements| {
        for element in elements.iter().filter(|element| element.is("svg")) {
            let is_drawn = element.attribute("role") == Some("img");
            let is_hidden = element.attribute("aria-hidden") == Some("true");
            let holds_links = elements
                .iter()
                .any(|one| one.is("a") && one.ancestors.iter().any(|above| above == "svg"));
            assert!(
                is_drawn || is_hidden || holds_links,
                "{}: a drawing that is neither named nor hidden: {element:?}",
                sample.name
            );
            if is_hidden {
                continue;
            }
            assert!(
                element.attribute("aria-label").is_some_and(|label| label.len() > 3),
                "{}: a chart without a name: {element:?}",
                sample.name
            );
            assert!(
                elements.iter().any(|one| one.is("table")),
                "{}: a chart without a table",
                sample.name
            );
        }
    });
    for sample in all() {
        charts += sample.html.matches("class=\"chart\"").count();
    }
    assert!(charts > 5, "only {charts} charts");
}

/// The parts that the look names, by their classes.
const PARTS: [&str; 37] = [
    "btn", "linkish", "mark", "decision", "brief", "acts", "steps", "tabs", "switch", "entries", "plan", "time",
    "proof", "chip", "table", "bulk", "field", "pair", "choices", "notice", "toast", "block", "band", "week", "lanes",
    "chart", "figure", "term", "gloss", "clock", "progress", "verdict", "diff", "empty", "face", "who", "key",
];

#[test]
fn the_page_of_components_holds_every_part() {
    let samples = all();
    let page = samples
        .iter()
        .find(|sample| sample.html.contains("<h1>Components</h1>"));
    let elements = parse(page.unwrap());
    let in_main = |element: &&Element| element.ancestors.iter().any(|name| name == "main");
    let shown: BTreeSet<&str> = elements
        .iter()
        .filter(in_main)
        .flat_map(|element| element.attribute("class").unwrap_or_default().split_whitespace())
        .collect();
    let missing: Vec<&&str> = PARTS.iter().filter(|part| !shown.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} are shown nowhere on it");
}
