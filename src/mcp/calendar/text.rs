//! Text that a caller gives, before it becomes a property (RFC 5545 §3.3.11).
//!
//! Line ends become `\n`, which the writer escapes; other control characters are left out, for none may stand in a TEXT. So a title
//! that looks like another line of the object stays a title.

use super::Fault;

/// Titles and places, in bytes.
const LONGEST_LINE: usize = 2_000;
/// Descriptions and notes, in bytes.
const LONGEST_TEXT: usize = 100_000;

/// A title or a place.
///
/// # Errors
/// [`Fault::Argument`] if it is too long.
pub fn line(name: &str, text: &str) -> Result<String, Fault> {
    within(name, text, LONGEST_LINE)
}

/// A title, which has to say something.
///
/// # Errors
/// [`Fault::Argument`] if it is empty or too long.
pub fn title(text: &str) -> Result<String, Fault> {
    let title = line("title", text)?;
    if title.trim().is_empty() { Err(Fault::argument("title must not be empty")) } else { Ok(title) }
}

/// A description or notes.
///
/// # Errors
/// [`Fault::Argument`] if it is too long.
pub fn prose(name: &str, text: &str) -> Result<String, Fault> {
    within(name, text, LONGEST_TEXT)
}

fn within(name: &str, text: &str, longest: usize) -> Result<String, Fault> {
    if text.len() > longest {
        return Err(Fault::argument(format!("{name} is too long: at most {longest} bytes")));
    }
    Ok(clean(text))
}

/// Without control characters but for tabs and line ends, which become `\n`.
#[must_use]
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|letter| matches!(letter, '\n' | '\t') || !letter.is_control()).collect()
}
