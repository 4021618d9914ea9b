//! The security questions of an assessment: few, typed, and only those that the category and the touches of a change raise.

use std::collections::BTreeSet;

use crate::change::record::Content;
use crate::core::enums::{Category, SecurityQuestion, Touch};
use crate::core::parse::{Reading, TEXT};
pub use crate::risk::kept_answers::SecurityAnswer;

/// The questions that a change raises, in their order.
pub fn raised(category: Category, touches: &BTreeSet<Touch>) -> BTreeSet<SecurityQuestion> {
    use SecurityQuestion::{DataFlows, OpenPorts, Rights, Secrets, ThirdParties};
    let by_category: &[SecurityQuestion] = match category {
        Category::Application => &[DataFlows, ThirdParties],
        Category::Configuration => &[Rights, Secrets],
        Category::Database => &[Rights, DataFlows],
        Category::Infrastructure => &[OpenPorts, Secrets],
        Category::Network => &[OpenPorts, DataFlows],
        Category::Security => &[Rights, Secrets],
        Category::Data => &[DataFlows, ThirdParties],
        Category::Facility | Category::Other => &[],
    };
    let by_touch = touches.iter().flat_map(|touch| match touch {
        Touch::PrivilegedAccess => [Rights, Secrets].as_slice(),
        Touch::CryptoKeys => &[Secrets],
        Touch::Schema => &[DataFlows],
        Touch::Network => &[OpenPorts, DataFlows],
        Touch::PersonalData => &[DataFlows, ThirdParties],
    });
    by_category.iter().chain(by_touch).copied().collect()
}

/// The raised questions that a change leaves without an answer.
pub fn open(content: &Content, touches: &BTreeSet<Touch>) -> Vec<SecurityQuestion> {
    let is_answered = |question: &SecurityQuestion| {
        let mut answers = content.security_answers.iter();
        answers.any(|answer| answer.question == *question)
    };
    let raised = raised(content.category, touches).into_iter();
    raised.filter(|question| !is_answered(question)).collect()
}

/// Reads `security_answers`: each question once, and a yes with its details.
pub(crate) fn read(reading: &mut Reading<'_>) -> Option<Vec<SecurityAnswer>> {
    let answers = reading.objects("security_answers", |inner| {
        let answer = SecurityAnswer {
            question: inner.needed_word("question", SecurityQuestion::OpenPorts),
            yes: inner.needed_boolean("yes"),
            text: inner.text("text", TEXT),
        };
        if answer.yes && answer.text.is_none() {
            inner.wrong(
                "text",
                "missing",
                "If the answer is yes, describe the details in `text`.",
            );
        }
        answer
    })?;
    let mut known = BTreeSet::new();
    for (place, answer) in answers.iter().enumerate() {
        if !known.insert(answer.question) {
            let text = format!("`{}` has two answers.", answer.question);
            reading.wrong(&format!("security_answers[{place}].question"), "not_unique", text);
        }
    }
    Some(answers)
}

impl SecurityQuestion {
    /// The question's text.
    pub fn asked(self) -> &'static str {
        match self {
            Self::OpenPorts => "Does it open new ports or network paths?",
            Self::Rights => "Does it give new rights to people or programs?",
            Self::DataFlows => "Does data flow to where it did not before?",
            Self::ThirdParties => "Does it bring in a third party?",
            Self::Secrets => "Does it make, move or show secrets?",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_category_raises_three_questions_at_most_and_other_work_none() {
        for category in Category::ALL {
            let count = raised(*category, &BTreeSet::new()).len();
            assert!(count <= 3, "{category}: {count}");
        }
        assert!(raised(Category::Other, &BTreeSet::new()).is_empty());
        let touches = BTreeSet::from([Touch::CryptoKeys]);
        let of_keys = raised(Category::Other, &touches);
        assert_eq!(of_keys, BTreeSet::from([SecurityQuestion::Secrets]));
    }
}
