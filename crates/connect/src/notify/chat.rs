//! Chat: the decision card as Slack's and Microsoft Teams' incoming webhooks take it. Nothing is decided there: the card
//! informs, and its one link navigates to the change.
//!
//! Slack: blocks of an incoming webhook (docs.slack.dev, “Block Kit”). Teams: an Adaptive Card 1.4 in the message that a
//! workflow “when a webhook request is received” posts (learn.microsoft.com, “Create an Incoming Webhook”). Text by people
//! appears only as plain text, so that it makes no link and mentions nobody; characters that deceive are spelled out.

use model::core::confusables;
use model::integration::webhook::{Card, WebhookFormat};
use serde_json::{Value, json};

/// The longest headline, title or fact, in characters; Slack takes 150 in a header and 3,000 elsewhere.
const LONGEST: usize = 150;
/// The longest line of the gate's answer, in characters.
const LONGEST_LINE: usize = 300;
/// The most lines of one answer; the page has the rest. With these limits a card stays within the 3,000 characters of a section
/// of Slack's.
const MOST_LINES: usize = 8;

/// The body of a card, and its media type is `application/json`. `None` for the form of events, which is no card.
#[must_use]
pub fn body(format: WebhookFormat, card: &Card) -> Option<Vec<u8>> {
    let value = match format {
        WebhookFormat::Events => return None,
        WebhookFormat::Slack => slack(card),
        WebhookFormat::Teams => teams(card),
    };
    Some(value.to_string().into_bytes())
}

fn short(text: &str) -> String {
    cut(text, LONGEST)
}

fn cut(text: &str, longest: usize) -> String {
    // A newline in a title would let its writer begin a line of their own.
    let line: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let line = confusables::spelled(&line);
    if line.chars().count() <= longest {
        return line;
    }
    let mut cut: String = line.chars().take(longest - 1).collect();
    cut.push('…');
    cut
}

/// The lines to show, with a last line if there are more.
fn shown(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = lines
        .iter()
        .take(MOST_LINES)
        .map(|line| cut(line, LONGEST_LINE))
        .collect();
    if lines.len() > MOST_LINES {
        shown.push(format!("and {} more", lines.len() - MOST_LINES));
    }
    shown
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": short(text), "emoji": false})
}

fn slack(card: &Card) -> Value {
    let fields: Vec<Value> = card
        .facts
        .iter()
        .take(10)
        .map(|(name, value)| plain(&format!("{name}: {value}")))
        .collect();
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&card.news)}),
        json!({"type": "section", "text": plain(&card.title)}),
    ];
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    for (question, lines) in &card.answers {
        let text = format!("{}\n{}", short(question), shown(lines).join("\n"));
        blocks.push(json!({"type": "section", "text": {"type": "plain_text", "text": text, "emoji": false}}));
    }
    // The address is ours; `&`, `<` and `>` are the three letters that Slack reads as more than letters.
    let link = card
        .link
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": format!("<{link}|Open it>")}]}));
    json!({"text": short(&card.news), "blocks": blocks, "unfurl_links": false})
}

fn line(text: &str, weight: &str) -> Value {
    // A run of text, unlike a text block, reads no Markdown.
    json!({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight}]})
}

fn teams(card: &Card) -> Value {
    let mut lines = vec![line(&short(&card.news), "Bolder"), line(&short(&card.title), "Default")];
    lines.extend(
        card.facts
            .iter()
            .map(|(name, value)| line(&short(&format!("{name}: {value}")), "Default")),
    );
    for (question, answer) in &card.answers {
        lines.push(line(&short(question), "Bolder"));
        lines.extend(shown(answer).iter().map(|text| line(text, "Default")));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
                "body": lines,
                "actions": [{"type": "Action.OpenUrl", "title": "Open it", "url": card.link}],
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn card(title: &str) -> Card {
        Card {
            news: "CHG-7 asks for a decision".to_owned(),
            title: title.to_owned(),
            facts: vec![
                ("Risk".to_owned(), "high".to_owned()),
                ("Asked".to_owned(), "Olga, Sam".to_owned()),
            ],
            answers: vec![(
                "Why it is safe".to_owned(),
                vec!["[x] unit tests passed".to_owned(), "[!] no review".to_owned()],
            )],
            link: "https://assent.example/t/acme/changes/CHG-7".to_owned(),
        }
    }

    fn sent(format: WebhookFormat, title: &str) -> Value {
        serde_json::from_slice(&body(format, &card(title)).unwrap()).unwrap()
    }

    #[test]
    fn a_card_tells_and_has_one_link_that_navigates() {
        let slack = sent(WebhookFormat::Slack, "Ship it");
        assert_eq!(slack["blocks"][0]["text"]["text"], "CHG-7 asks for a decision");
        assert_eq!(slack["blocks"][2]["fields"][0]["text"], "Risk: high");
        assert_eq!(slack.to_string().matches("https://").count(), 1);
        assert!(!slack.to_string().contains("\"button\""));
        let teams = sent(WebhookFormat::Teams, "Ship it");
        let content = &teams["attachments"][0]["content"];
        assert_eq!(content["actions"].as_array().unwrap().len(), 1);
        assert_eq!(content["actions"][0]["type"], "Action.OpenUrl");
        assert_eq!(body(WebhookFormat::Events, &card("x")), None);
    }

    #[test]
    fn a_card_answers_what_a_decision_asks() {
        let slack = sent(WebhookFormat::Slack, "Ship it");
        assert_eq!(
            slack["blocks"][3]["text"]["text"],
            "Why it is safe\n[x] unit tests passed\n[!] no review"
        );
        let teams = sent(WebhookFormat::Teams, "Ship it");
        let rows = teams["attachments"][0]["content"]["body"].as_array().unwrap();
        let texts: Vec<_> = rows
            .iter()
            .map(|row| row["inlines"][0]["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts[4..], ["Why it is safe", "[x] unit tests passed", "[!] no review"]);
    }

    #[test]
    fn an_answer_stays_within_what_a_chat_takes() {
        let mut long = card("Ship it");
        long.answers = vec![("Why it is safe".to_owned(), vec!["<!here>\n".repeat(200); 20])];
        let slack: Value = serde_json::from_slice(&body(WebhookFormat::Slack, &long).unwrap()).unwrap();
        let text = slack["blocks"][3]["text"]["text"].as_str().unwrap();
        assert!(text.chars().count() < 3_000, "{}", text.len());
        assert_eq!(text.lines().count(), 1 + MOST_LINES + 1);
        assert_eq!(slack["blocks"][3]["text"]["type"], "plain_text");
    }

    #[test]
    fn what_people_wrote_makes_no_link_and_calls_nobody() {
        let title = "<!channel> [Approve](https://evil.example) <https://evil.example|Approve>\nOpen it";
        let slack = sent(WebhookFormat::Slack, title);
        for block in slack["blocks"].as_array().unwrap() {
            let texts = [&block["text"], &block["elements"][0]];
            for text in texts.into_iter().filter(|it| it["type"] == "mrkdwn") {
                assert!(!text["text"].as_str().unwrap().contains("evil"), "{slack}");
            }
        }
        assert!(!slack["text"].as_str().unwrap().contains("evil"));
        let teams = sent(WebhookFormat::Teams, title);
        for row in teams["attachments"][0]["content"]["body"].as_array().unwrap() {
            assert_eq!(row["type"], "RichTextBlock");
            assert!(!row["inlines"][0]["text"].as_str().unwrap().contains('\n'));
        }
    }

    #[test]
    fn long_texts_are_cut() {
        let slack = sent(WebhookFormat::Slack, &"x".repeat(10_000));
        let text = slack["blocks"][1]["text"]["text"].as_str().unwrap();
        assert_eq!(text.chars().count(), LONGEST);
    }
}
