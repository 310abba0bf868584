//! What a person is asked before something leaves the house. The words are ours; what a tool was called with is shown beneath them as data.

use crate::mcp::shown::shown;
use crate::token::{Digest, DigestBuilder};

/// One value is shown up to this many characters.
const LONGEST_VALUE: usize = 1_000;
/// So many values are shown. Beyond it, how many more there are.
const MOST_VALUES: usize = 20;

/// A question that is answered by yes or no.
#[derive(Debug, Clone)]
pub struct Question {
    words: &'static str,
    values: Vec<(&'static str, String)>,
    left_out: usize,
}

impl Question {
    /// Asks in these words, which end in a question mark and hold nothing that anybody else wrote.
    #[must_use]
    pub fn new(words: &'static str) -> Self {
        Self { words, values: Vec::new(), left_out: 0 }
    }

    /// Shows this value, which a model or a stranger may have chosen, under a name of ours.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if self.values.len() < MOST_VALUES {
            let left = value.chars().count().saturating_sub(LONGEST_VALUE);
            let more = if left > 0 { format!(" ({left} more characters that are not shown)") } else { String::new() };
            self.values.push((name, shown(value, LONGEST_VALUE) + &more));
        } else {
            self.left_out += 1;
        }
        self
    }

    /// Shows this value if there is one.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The question.
    #[must_use]
    pub fn words(&self) -> &'static str {
        self.words
    }

    /// What is shown beneath it, line by line: the name and the value.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// How many values there was no room for.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// All of it as plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.words.to_owned();
        for (name, value) in self.lines() {
            text.push_str(&format!("\n{name}: {value}"));
        }
        if self.left_out > 0 {
            text.push_str(&format!("\n… and {} more", self.left_out));
        }
        text
    }

    /// What was asked. An answer is good for this and nothing else.
    #[must_use]
    pub fn digest(&self) -> Digest {
        DigestBuilder::new("question").field(self.text().as_bytes()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stay_on_their_line_and_end_somewhere() {
        let question = Question::new("Share this?").with("Path", "/a\nWith: nobody\u{202e}").with_some("Note", None);
        assert_eq!(question.text(), "Share this?\nPath: /a With: nobody");
        let message = Question::new("Send?").with("Message", &"x".repeat(1_200)).text();
        assert!(message.ends_with("x… (200 more characters that are not shown)"), "{message}");
        let long = (0..30).fold(Question::new("Invite?"), |question, _| question.with("Guest", &"x".repeat(10_000)));
        assert!(long.text().len() < 30_000 && long.text().ends_with("… and 10 more"), "{}", long.text());
    }
}
