//! Texts of others on their way to a model: names on one line without what cannot be seen, long texts in parts.

/// The longest text in one answer, in characters; longer ones come in parts or say where the rest is.
pub const LONGEST: usize = 20_000;

/// This text on one line of at most so many characters: line ends are spaces, and what cannot be seen or turns the direction of writing is
/// gone.
#[must_use]
pub fn line(text: &str, most: usize) -> String {
    let letters = text.chars().map(|letter| if is_line_end(letter) { ' ' } else { letter });
    let (mut line, mut count) = (String::new(), 0);
    for letter in letters.filter(|letter| is_visible(*letter)) {
        if count == most {
            line.push('…');
            break;
        }
        line.push(letter);
        count += 1;
    }
    line.trim().to_owned()
}

/// This text without what cannot be seen or turns the direction of writing. Lines stay.
#[must_use]
pub fn prose(text: &str) -> String {
    text.chars().filter(|letter| matches!(letter, '\n' | '\t') || is_visible(*letter)).collect()
}

/// At most so many characters from the beginning, and how many those are if something was left.
#[must_use]
pub fn cut(text: &str, most: usize) -> (&str, Option<usize>) {
    match text.char_indices().nth(most) {
        Some((at, _)) => (text.get(..at).unwrap_or_default(), Some(most)),
        None => (text, None),
    }
}

fn is_line_end(letter: char) -> bool {
    matches!(letter, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Not a control (Cc), not of bidirectional formatting (UAX #9 §2), not without width, no tag (Unicode §23.9).
fn is_visible(letter: char) -> bool {
    !letter.is_control()
        && !matches!(
            letter,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_what_can_be_seen() {
        assert_eq!(line("a\u{202e}b\u{0}c\nd\u{200b}\u{e0041}", 100), "abc d");
        assert_eq!(line("aéd", 2), "aé…");
        assert_eq!(line("aé", 2), "aé");
        assert_eq!(line("👩\u{200d}🚀", 9), "👩\u{200d}🚀", "what joins letters stays");
    }

    #[test]
    fn a_text_keeps_its_lines_and_loses_what_hides() {
        assert_eq!(prose("a\n\tb\r\u{1b}[1m\u{2066}c"), "a\n\tb[1mc");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 2), ("äö", Some(2)));
        assert_eq!(cut("äöü", 3), ("äöü", None));
        assert_eq!(cut("", 0), ("", None));
    }
}
