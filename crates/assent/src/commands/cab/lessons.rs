//! `assent lesson`: lessons, the questions of their tests, and the results. Tests begin with `assent lesson-attempt begin`.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Lessons on reading the risk of a change (`assent lesson-attempt` begins tests, `assent lesson-assignment` assigns).
#[derive(Debug, Subcommand)]
pub enum Lesson {
    /// List lessons, each with your training.
    List,
    /// Show a lesson.
    #[command(after_help = "Example: assent lesson show risk_levels")]
    Show {
        /// The lesson's name.
        lesson: String,
    },
    /// List the questions of a test; once it is answered, with what is right.
    Questions {
        /// The id of the test.
        attempt: String,
    },
    /// Answer a test.
    #[command(after_help = "Example: assent lesson answer 01kaqxyz b a c")]
    Answer {
        /// The id of the test.
        attempt: String,
        /// A letter for each question, in their order.
        #[arg(required = true)]
        answers: Vec<String>,
    },
    /// List what came of each lesson, before and after it, as counts.
    Scores,
    /// List the trainings of people, from lessons and others (`assent person train` records one).
    Trainings,
    /// End a training before its time: what needs it stops at once.
    EndTraining {
        /// The training's id, as `trainings` shows it.
        id: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &Lesson, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match asked {
        Lesson::List => {
            let heads = ["id", "title", "minutes", "is_valid", "valid_until", "due_at"];
            rows(&client.get("/lessons?limit=200")?.body, &heads, output);
        }
        Lesson::Show { lesson } => show(&client.get(&format!("/lessons/{}", encode(lesson)))?.body, output),
        Lesson::Questions { attempt } => {
            questions(
                &client
                    .get(&format!("/lesson-attempts/{}/questions", encode(attempt)))?
                    .body,
                output,
            );
        }
        Lesson::Answer { attempt, answers } => {
            let path = format!("/lesson-attempts/{}/answers", encode(attempt));
            let done = client.post(&path, &json!({"answers": answers}))?.body;
            output.data(&done, |output| {
                let word = if done["passed"] == true { "passed" } else { "not passed" };
                output.line(&format!(
                    "{word}: {} of {} right",
                    text_of(&done, "right"),
                    answers.len()
                ));
            });
        }
        Lesson::Scores => {
            let heads = [
                "lesson",
                "people",
                "right_before",
                "right_after",
                "answers",
                "tests",
                "passed",
            ];
            rows(&client.get("/lesson-scores?limit=200")?.body, &heads, output);
        }
        Lesson::Trainings => {
            let heads = ["id", "person", "training", "starts_at", "ends_at"];
            rows(&client.get("/trainings?limit=200")?.body, &heads, output);
        }
        Lesson::EndTraining { id } => {
            let ended = client.delete(&format!("/trainings/{}", encode(id)))?.body;
            output.data(&ended, |output| output.line(&format!("ended {id}")));
        }
    }
    Ok(0)
}

fn rows(list: &Value, heads: &[&str], output: &Output) {
    let row = |item: &Value| heads.iter().map(|name| text_of(item, name)).collect();
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.data(list, |output| output.rows(heads, &rows));
}

fn show(lesson: &Value, output: &Output) {
    output.data(lesson, |output| {
        output.line(&text_of(lesson, "title"));
        for part in array(lesson, "parts") {
            output.line("");
            output.line(&text_of(part, "title"));
            output.line(&text_of(part, "text"));
        }
    });
}

fn questions(list: &Value, output: &Output) {
    output.data(list, |output| {
        for (question, number) in array(list, "items").iter().zip(1..) {
            output.line(&format!("{number}. {}", text_of(question, "text")));
            for option in array(question, "options") {
                output.line(&format!("   {}  {}", text_of(option, "id"), text_of(option, "text")));
            }
            if question["answer"].is_string() {
                let [answer, right, why] = ["answer", "right", "why"].map(|name| text_of(question, name));
                output.line(&format!("   answered {answer}, right is {right}: {why}"));
            }
        }
    });
}
