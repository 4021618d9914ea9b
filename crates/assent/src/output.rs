//! The output for people and programs: data on standard output, messages on standard error.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use model::core::confusables;
use serde_json::Value;

use crate::failure::{Failure, detail_of};
use crate::names::{in_options, option_of};

/// The columns of a table that are never broken over lines, because their values are copied.
const WHOLE: [&str; 5] = ["id", "key", "login", "state", "index"];

/// Why a part of the result did not reach its reader.
static LOST: OnceLock<String> = OnceLock::new();

/// A closed pipe means that the reader has enough; the exit code is unchanged. A full disk is another matter: a later reader of
/// the file takes a part for the whole.
fn note(written: std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| error.to_string());
    }
}

/// Why a part of the result was lost, if one was.
#[must_use]
pub fn lost() -> Option<&'static str> {
    note(std::io::stdout().lock().flush());
    LOST.get().map(String::as_str)
}

/// How to print: as JSON, with or without colour, in tables or plain lines.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    is_json: bool,
    is_table: bool,
    is_coloured: bool,
    is_aside: bool,
}

/// Meanings that a terminal may show in colour; the text is the same without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It is as it should be.
    Good,
    /// Somebody has to act.
    Warn,
    /// It is not as it should be.
    Bad,
    /// A heading.
    Strong,
}

impl Output {
    /// Looks at the terminal and at `NO_COLOR`.
    #[must_use]
    pub fn new(is_json: bool) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            is_json,
            is_table: std::io::stdout().is_terminal(),
            is_coloured: !no_colour && std::io::stdout().is_terminal() && std::io::stderr().is_terminal(),
            is_aside: false,
        }
    }

    /// The same for people on standard error: for text beside a result that has standard output to itself.
    #[must_use]
    pub fn aside(&self) -> Self {
        Self {
            is_json: false,
            is_table: false,
            is_aside: true,
            ..*self
        }
    }

    /// The output for a result that goes into this file: where it is `-`, standard output has the result alone. Programs read
    /// one JSON value there in any case.
    #[must_use]
    pub fn beside(&self, file: Option<&str>) -> Self {
        match file {
            Some("-") if !self.is_json => self.aside(),
            _ => *self,
        }
    }

    /// Whether programs read the result.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// Prints a result: the value for programs, or the text by `told` for people.
    pub fn data(&self, value: &Value, told: impl FnOnce(&Self)) {
        if self.is_json {
            self.line(&serde_json::to_string_pretty(value).unwrap_or_default());
        } else {
            told(self);
        }
    }

    /// A line of the result.
    pub fn line(&self, text: &str) {
        if self.is_aside {
            return self.talk(text);
        }
        note(writeln!(std::io::stdout().lock(), "{text}"));
    }

    /// A result that is no text, such as an archive.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        note(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// Talk: progress, hints, warnings.
    pub fn talk(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// The next useful command, on a terminal only.
    pub fn next(&self, command: &str) {
        if !self.is_json && std::io::stderr().is_terminal() {
            self.talk(&format!("Next: {command}"));
        }
    }

    /// Text in a tone.
    #[must_use]
    pub fn tone(&self, tone: Tone, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Rows: a table on a terminal, otherwise lines with tabs that programs can cut.
    pub fn rows(&self, heads: &[&str], rows: &[Vec<String>]) {
        if !self.is_table {
            for row in rows {
                let plain: Vec<String> = row.iter().map(|cell| clean(&cell.replace(['\t', '\n'], " "))).collect();
                self.line(&plain.join("\t"));
            }
            return;
        }
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(heads.iter().copied());
        for row in rows {
            table.add_row(row.iter().map(|cell| short_time(&clean(cell))));
        }
        // Text to copy into the next command stays in one piece; the columns beside it shrink.
        for (column, head) in table.column_iter_mut().zip(heads) {
            if WHOLE.contains(head) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        self.line(&table.to_string());
    }

    /// Names and values, one pair a line.
    pub fn pairs(&self, pairs: &[(&str, String)]) {
        let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            // A further line of a text is below its first, where it cannot pass for another name and value.
            let under = format!("\n{:width$}  ", "");
            self.line(&format!("{name:width$}  {}", clean(value).replace('\n', &under)));
        }
    }

    /// Why a command has no result: the failure, its reason, the act that opens it, and the holder.
    pub fn failure(&self, failure: &Failure) {
        match failure {
            Failure::CouldNot(text) => {
                if self.is_json {
                    self.line(&serde_json::json!({"code": "could_not", "detail": text}).to_string());
                }
                self.talk(&format!("{} {text}", self.tone(Tone::Bad, "assent:")));
            }
            Failure::Refused { status, problem } => {
                if self.is_json {
                    self.line(&serde_json::to_string_pretty(problem).unwrap_or_default());
                }
                self.problem(*status, problem);
            }
        }
    }

    fn problem(&self, status: u16, problem: &Value) {
        let word = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default();
        let code = if word("code").is_empty() {
            status.to_string()
        } else {
            word("code").to_owned()
        };
        let detail = clean(&in_options(detail_of(problem).unwrap_or("The server said no.")));
        self.talk(&format!("{} {detail} ({code})", self.tone(Tone::Bad, "assent:")));
        error_lines(problem).iter().for_each(|line| self.talk(line));
        change_lines(problem).iter().for_each(|line| self.talk(line));
        // A rule of Assent itself has no other reason than the sentence above.
        let built_in = format!("assent.{code}");
        let policies = array(problem, "policies").iter();
        for row in policies.filter(|row| text_of(row, "id") != built_in) {
            self.talk(&format!("  policy {}: {}", text_of(row, "id"), text_of(row, "reason")));
        }
        // Where rules refused, the lines above list the missing parts, and only the people who could act are left to show.
        let unmet = array(problem, "unmet");
        let told = match status {
            403 => unmet.iter().find_map(eligible_people).into_iter().collect(),
            _ if repeats_problem(unmet, problem) => unmet.iter().flat_map(opening_lines).collect(),
            _ => unmet_lines(unmet),
        };
        for line in told {
            self.talk(&line);
        }
        match (status, word("code")) {
            (401, _) if word("as").is_empty() => self.talk("  Set ASSENT_TOKEN, or give --token-file."),
            (_, "step_up_required") => self.talk(
                "  A token has no fresh factor: say --as TENANT/LOGIN and give the password, with --as-code CODE for a second factor, or \
                 do it on the change's page.",
            ),
            (401, _) => self.talk("  Mend the login in --as TENANT/LOGIN, or the password in the file of --as-password."),
            (412, _) => self.talk("  Another person was faster: read it again, then try again."),
            _ => {}
        }
        if !word("request_id").is_empty() {
            self.talk(&format!("  request {}", word("request_id")));
        }
    }
}

/// The lines of unmet conditions: what is missing, the act that opens it, and the person or role that it waits for.
#[must_use]
pub fn unmet_lines(rows: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        let said = |name: &str| in_options(&text_of(row, name));
        lines.push(format!("  - {} ({})", said("text"), text_of(row, "code")));
        lines.extend(opening_lines(row));
    }
    lines
}

/// The act that opens an unmet condition, and the person or role that it waits for.
fn opening_lines(row: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if !text_of(row, "satisfy").is_empty() {
        lines.push(format!("    to open: {}", in_options(&text_of(row, "satisfy"))));
    }
    if let Some(who) = waited_for(row) {
        lines.push(format!("    waits for: {who}"));
    }
    lines
}

/// Whether the one row repeats the problem's own sentence.
fn repeats_problem(rows: &[Value], problem: &Value) -> bool {
    matches!(rows, [row] if row.get("text").and_then(Value::as_str) == detail_of(problem))
}

/// The lines of wrong fields. A single error's text is the problem's sentence, and only its place may be left to show.
fn error_lines(problem: &Value) -> Vec<String> {
    let errors = array(problem, "errors");
    if repeats_problem(errors, problem) {
        let field = text_of(&errors[0], "field");
        let is_named = field.is_empty() || detail_of(problem).is_some_and(|text| names(text, &field));
        return match is_named {
            true => Vec::new(),
            false => vec![format!("  in {}", optional(&field))],
        };
    }
    let line = |row: &Value| {
        let field = optional(&text_of(row, "field"));
        format!("  {field}: {}", in_options(&text_of(row, "text")))
    };
    errors.iter().map(line).collect()
}

/// A field beside its option, where it has one.
fn optional(field: &str) -> String {
    match option_of(field) {
        Some(option) => format!("{} ({field})", option.replace('`', "")),
        None => field.to_owned(),
    }
}

/// Whether a name or path is in a sentence by itself, not as a part of another.
fn names(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let after = text[at + word.len()..].chars().next();
        !text[..at].ends_with(is_part) && !after.is_some_and(is_part)
    })
}

/// The differences of a change since it was read, one field a line.
fn change_lines(problem: &Value) -> Vec<String> {
    let told = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => clean(&text.replace('\n', " ")),
        Some(other) => clean(&other.to_string()),
    };
    let line = |row: &Value| {
        let (was, is) = (told(row.get("old")), told(row.get("new")));
        format!(
            "  {} (covered by {}): was {was}; now {is}",
            text_of(row, "field"),
            text_of(row, "covers")
        )
    };
    array(problem, "changes").iter().map(line).collect()
}

/// The person or role that a row waits for, if it names one.
fn waited_for(row: &Value) -> Option<String> {
    let who: Vec<&str> = array(row, "waiting_on").iter().filter_map(Value::as_str).collect();
    (!who.is_empty()).then(|| clean(&who.join(", ")))
}

/// The people who may do the act that the rules refused.
fn eligible_people(row: &Value) -> Option<String> {
    waited_for(row).map(|who| format!("  ask: {who}"))
}

/// A time without fractions of a second, which nobody reads in a table; anything else unchanged.
fn short_time(cell: &str) -> String {
    match cell.split_once('.') {
        Some((whole, _)) if cell.parse::<jiff::Timestamp>().is_ok() => format!("{whole}Z"),
        _ => cell.to_owned(),
    }
}

/// A text field, empty when there is none, safe to print.
#[must_use]
pub fn text_of(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => clean(text),
        Some(Value::Null) | None => String::new(),
        Some(Value::Array(items)) => {
            let plain = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            clean(&items.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        Some(other) => clean(&other.to_string()),
    }
}

/// A list field, empty when there is none.
#[must_use]
pub fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Other people's texts may hold control characters that would move the reader's terminal, and others that deceive an approver:
/// those are spelled out.
#[must_use]
pub fn clean(text: &str) -> String {
    let still: String = text
        .chars()
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect();
    confusables::spelled(&still)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unmet_conditions_say_what_opens_them_and_who_holds_them() {
        let rows = [
            json!({"code": "approval_missing", "text": "One approval is missing.", "satisfy": "Olga approves.", "waiting_on": ["olga", "group:security"]}),
        ];
        assert_eq!(
            unmet_lines(&rows),
            [
                "  - One approval is missing. (approval_missing)",
                "    to open: Olga approves.",
                "    waits for: olga, group:security"
            ]
        );
    }

    #[test]
    fn one_error_alone_tells_its_place_where_its_sentence_does_not() {
        let told = |field: &str, text: &str| {
            let row = json!({"field": field, "code": "wrong", "text": text});
            error_lines(&json!({"detail": text, "errors": [row]}))
        };
        assert_eq!(told("line 2", "A login must not contain spaces."), ["  in line 2"]);
        assert_eq!(
            told("house/house.cedar:4", "It ends too soon."),
            ["  in house/house.cedar:4"]
        );
        assert_eq!(told("plan", "Say what the plans are."), ["  in --step (plan)"]);
        for said in ["`plan` is missing.", "The plan is missing."] {
            assert_eq!(told("plan", said), [""; 0], "{said}");
        }
        assert_eq!(told("", "No."), [""; 0]);
        let two = json!({"detail": "2 fields are wrong.", "errors": [
            {"field": "title", "text": "`title` is missing."}, {"field": "line 2", "text": "No."}
        ]});
        let lines = error_lines(&two);
        assert_eq!(lines, ["  --title (title): `--title` is missing.", "  line 2: No."]);
    }

    #[test]
    fn what_has_become_of_a_change_is_told_field_by_field() {
        let problem = json!({"changes": [
            {"field": "plan[0].title", "covers": "what", "old": "Stop\nall", "new": "Stop"},
            {"field": "planned_end", "covers": "when", "old": null, "new": "2026-11-22T22:00:00Z"}
        ]});
        assert_eq!(
            change_lines(&problem),
            [
                "  plan[0].title (covered by what): was Stop all; now Stop",
                "  planned_end (covered by when): was nothing; now 2026-11-22T22:00:00Z"
            ]
        );
    }

    #[test]
    fn a_time_in_a_table_ends_with_its_seconds() {
        assert_eq!(short_time("2026-11-22T22:00:00.123456Z"), "2026-11-22T22:00:00Z");
        for same in ["2026-11-22T22:00:00Z", "booking-api 4.2", "", "a.bZ"] {
            assert_eq!(short_time(same), same);
        }
    }

    #[test]
    fn a_hostile_text_cannot_move_the_cursor() {
        assert_eq!(clean("a\x1b[2Jb\rc\nd"), "a [2Jb c\nd");
        assert_eq!(text_of(&json!({"a": ["x", "y\x07"], "n": 3}), "a"), "x, y ");
        assert_eq!(text_of(&json!({"n": 3}), "n"), "3");
    }
}
