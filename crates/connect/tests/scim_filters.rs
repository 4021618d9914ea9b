//! Random filters against a judge of the tests: written as text, read by the reader, judged over random people, and compared
//! with the result of the same expression that is judged without any text. `ASSENT_TEST_FILTERS` sets the number.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use connect::identity::scim::filter::Checked;
use connect::identity::scim::schema::{ENTERPRISE, USER_ATTRS};
use serde_json::{Map, Value, json};

/// The default number of filters.
const FILTERS: usize = 20_000;
/// Texts that would be something else if a filter ever became a part of a statement, among plain ones.
const TEXTS: [&str; 14] = [
    "ada@acme.example",
    "ADA@acme.example",
    "ada",
    "Ada O'Neill",
    "x' OR '1'='1",
    "\"; DROP TABLE person; --",
    "back\\slash",
    "%",
    "Émile",
    "work",
    "home",
    "$tenant",
    "].value eq \"x\" or userName pr",
    "[a) or (b]",
];

/// Small random numbers, the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % sides
    }

    fn text(&mut self) -> String {
        let whole = TEXTS[self.roll(TEXTS.len())];
        match self.roll(4) {
            0 => whole.chars().take(3).collect(),
            1 => whole.chars().skip(2).collect(),
            _ => whole.to_owned(),
        }
    }

    fn maybe(&mut self) -> Option<String> {
        (self.roll(3) > 0).then(|| self.text())
    }
}

/// Somebody, in plain fields.
struct Somebody {
    login: String,
    outside: Option<String>,
    name: Option<String>,
    department: Option<String>,
    active: bool,
    mails: Vec<(String, Option<String>, Option<bool>)>,
}

impl Somebody {
    fn new(dice: &mut Dice) -> Self {
        let mail = |dice: &mut Dice| {
            let primary = (dice.roll(2) == 0).then(|| dice.roll(2) == 0);
            (dice.text(), dice.maybe(), primary)
        };
        Self {
            login: dice.text(),
            outside: dice.maybe(),
            name: dice.maybe(),
            department: dice.maybe(),
            active: dice.roll(2) == 0,
            mails: (0..dice.roll(3)).map(|_| mail(dice)).collect(),
        }
    }

    fn resource(&self) -> Map<String, Value> {
        let mut value = json!({"userName": self.login, "active": self.active});
        let mut put = |name: &str, text: &Option<String>| {
            if let Some(text) = text {
                value[name] = json!(text);
            }
        };
        put("externalId", &self.outside);
        put("displayName", &self.name);
        if let Some(text) = &self.department {
            value[ENTERPRISE] = json!({"department": text});
        }
        if !self.mails.is_empty() {
            let mails = self.mails.iter().map(|(value, kind, primary)| {
                let mut mail = json!({"value": value});
                if let Some(kind) = kind {
                    mail["type"] = json!(kind);
                }
                if let Some(primary) = primary {
                    mail["primary"] = json!(primary);
                }
                mail
            });
            value["emails"] = mails.collect();
        }
        value.as_object().unwrap().clone()
    }

    /// The texts of an attribute, and whether their letters' case counts.
    fn texts(&self, attribute: &str) -> (Vec<&str>, bool) {
        match attribute {
            "userName" => (vec![&self.login], false),
            "externalId" => (self.outside.iter().map(String::as_str).collect(), true),
            "displayName" => (self.name.iter().map(String::as_str).collect(), false),
            "emails" | "emails.value" => (self.mails.iter().map(|it| it.0.as_str()).collect(), false),
            "emails.type" => (self.mails.iter().filter_map(|it| it.1.as_deref()).collect(), false),
            _ => (self.department.iter().map(String::as_str).collect(), false),
        }
    }
}

const OPERATORS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
const ATTRIBUTES: [&str; 6] = [
    "userName",
    "externalId",
    "displayName",
    "emails",
    "emails.type",
    "department",
];

/// A filter before it is text.
enum Wish {
    Text(&'static str, &'static str, String),
    Present(&'static str),
    Absent(&'static str),
    Active(bool, bool),
    Mail(Box<Wish>),
    /// Mails that a filter chooses, and a test of each of these: `emails[type eq "work"].value eq "x"`.
    Chosen(Box<Wish>, Box<Wish>),
    Value(&'static str, &'static str, String),
    Primary(bool),
    Not(Box<Wish>),
    All(Vec<Wish>),
    Any(Vec<Wish>),
}

fn wish(dice: &mut Dice, depth: usize, in_mail: bool) -> Wish {
    let choice = if depth == 0 { dice.roll(5) } else { dice.roll(9) };
    let several = |dice: &mut Dice| (0..2 + dice.roll(2)).map(|_| wish(dice, depth - 1, in_mail)).collect();
    match choice {
        6 => Wish::Not(Box::new(wish(dice, depth - 1, in_mail))),
        7 => Wish::All(several(dice)),
        8 => Wish::Any(several(dice)),
        0 if in_mail => Wish::Primary(dice.roll(2) == 0),
        _ if in_mail => {
            let attribute = ["value", "type"][dice.roll(2)];
            Wish::Value(attribute, OPERATORS[dice.roll(9)], dice.text())
        }
        0 => Wish::Present(ATTRIBUTES[dice.roll(6)]),
        1 => Wish::Absent(ATTRIBUTES[dice.roll(6)]),
        2 => Wish::Active(dice.roll(2) == 0, dice.roll(2) == 0),
        5 if dice.roll(2) == 0 => {
            let test = match dice.roll(4) {
                0 => Wish::Primary(dice.roll(2) == 0),
                _ => Wish::Value(["value", "type"][dice.roll(2)], OPERATORS[dice.roll(9)], dice.text()),
            };
            Wish::Chosen(Box::new(wish(dice, depth - 1, true)), Box::new(test))
        }
        5 => Wish::Mail(Box::new(wish(dice, depth - 1, true))),
        _ => Wish::Text(ATTRIBUTES[dice.roll(6)], OPERATORS[dice.roll(9)], dice.text()),
    }
}

fn named(attribute: &str) -> String {
    match attribute {
        "department" => format!("{ENTERPRISE}:department"),
        other => other.to_owned(),
    }
}

/// As a client writes it: `and` binds closer than `or`, so only an `or` inside of an `and` is in brackets.
fn written(wish: &Wish) -> String {
    let quoted = |text: &str| json!(text).to_string();
    match wish {
        Wish::Text(attribute, operator, text) => format!("{} {operator} {}", named(attribute), quoted(text)),
        Wish::Present(attribute) => format!("{} pr", named(attribute)),
        Wish::Absent(attribute) => format!("{} eq null", named(attribute)),
        Wish::Active(is_equal, value) => format!("active {} {value}", if *is_equal { "eq" } else { "ne" }),
        Wish::Mail(inner) => format!("emails[{}]", written(inner)),
        Wish::Chosen(choice, test) => format!("emails[{}].{}", written(choice), written(test)),
        Wish::Value(attribute, operator, text) => format!("{attribute} {operator} {}", quoted(text)),
        Wish::Primary(value) => format!("primary eq {value}"),
        Wish::Not(inner) => format!("not ({})", written(inner)),
        Wish::All(all) => {
            let part = |it: &Wish| match it {
                Wish::Any(_) => format!("({})", written(it)),
                _ => written(it),
            };
            all.iter().map(part).collect::<Vec<_>>().join(" and ")
        }
        Wish::Any(any) => any.iter().map(written).collect::<Vec<_>>().join(" or "),
    }
}

fn compared((have, is_exact): (&str, bool), operator: &str, wanted: &str) -> bool {
    let fold = |text: &str| if is_exact { text.to_owned() } else { text.to_lowercase() };
    let (have, wanted) = (fold(have), fold(wanted));
    match operator {
        "eq" => have == wanted,
        "co" => have.contains(&wanted),
        "sw" => have.starts_with(&wanted),
        "ew" => have.ends_with(&wanted),
        "gt" => have > wanted,
        "ge" => have >= wanted,
        "lt" => have < wanted,
        _ => have <= wanted,
    }
}

/// Whether any value compares so; of `ne`, whether none is equal.
fn any_of(texts: &[&str], is_exact: bool, operator: &str, wanted: &str) -> bool {
    let any = |operator: &str| texts.iter().any(|have| compared((have, is_exact), operator, wanted));
    if operator == "ne" { !any("eq") } else { any(operator) }
}

fn holds(wish: &Wish, who: &Somebody) -> bool {
    match wish {
        Wish::Text(attribute, operator, wanted) => {
            let (texts, is_exact) = who.texts(attribute);
            any_of(&texts, is_exact, operator, wanted)
        }
        Wish::Present(attribute) => !who.texts(attribute).0.is_empty(),
        Wish::Absent(attribute) => who.texts(attribute).0.is_empty(),
        Wish::Active(is_equal, value) => (who.active == *value) == *is_equal,
        Wish::Mail(inner) => who.mails.iter().any(|mail| in_mail(inner, mail)),
        Wish::Chosen(choice, test) => who
            .mails
            .iter()
            .any(|mail| in_mail(choice, mail) && in_mail(test, mail)),
        Wish::Value(..) | Wish::Primary(_) => unreachable!("these stand in brackets alone"),
        Wish::Not(inner) => !holds(inner, who),
        Wish::All(all) => all.iter().all(|it| holds(it, who)),
        Wish::Any(any) => any.iter().any(|it| holds(it, who)),
    }
}

fn in_mail(wish: &Wish, mail: &(String, Option<String>, Option<bool>)) -> bool {
    match wish {
        Wish::Value(attribute, operator, wanted) => {
            let text = if *attribute == "value" {
                Some(mail.0.as_str())
            } else {
                mail.1.as_deref()
            };
            let texts: Vec<&str> = text.into_iter().collect();
            any_of(&texts, false, operator, wanted)
        }
        Wish::Primary(value) => mail.2 == Some(*value),
        Wish::Not(inner) => !in_mail(inner, mail),
        Wish::All(all) => all.iter().all(|it| in_mail(it, mail)),
        Wish::Any(any) => any.iter().any(|it| in_mail(it, mail)),
        _ => unreachable!("no attribute of somebody stands in brackets"),
    }
}

#[test]
fn random_filters_say_what_an_independent_judge_says() {
    let filters = std::env::var("ASSENT_TEST_FILTERS").map_or(FILTERS, |text| text.parse().unwrap());
    let mut dice = Dice(0x5eed);
    let (mut yes, mut hinted) = (0, 0);
    for number in 0..filters {
        let who = Somebody::new(&mut dice);
        let wish = wish(&mut dice, 3, false);
        let text = written(&wish);
        let checked = Checked::parse(&text, USER_ATTRS).unwrap_or_else(|error| panic!("{number}: {text}: {error}"));
        let wanted = holds(&wish, &who);
        let resource = who.resource();
        assert_eq!(checked.matches(&resource), wanted, "{number}: {text} over {resource:?}");
        yes += usize::from(wanted);
        let Some(hint) = checked.hint() else { continue };
        hinted += 1;
        // Every match has the value that the index is queried for: so the index leaves nobody out.
        let (texts, _) = who.texts(hint.attribute);
        let has = texts
            .iter()
            .any(|have| have.to_lowercase() == hint.value.to_lowercase());
        assert!(!wanted || has, "{number}: {text} leads to {hint:?} over {resource:?}");
    }
    println!("{filters} filters, {yes} matched, {hinted} led to an index");
    assert!(
        yes * 10 > filters && yes * 10 < filters * 9,
        "{yes} of {filters} matched"
    );
    assert!(hinted > 0);
}
