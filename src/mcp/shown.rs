//! Names and texts of others as they are shown to a person or written into a log: no control characters, nothing that turns the direction of
//! writing or cannot be seen, and not without end.

/// This text on one line of at most so many characters. What cannot be seen is gone, line ends are spaces.
#[must_use]
pub fn shown(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (count, letter) in
        text.chars().map(|letter| if is_line_end(letter) { ' ' } else { letter }).filter(visible).enumerate()
    {
        if count == most {
            shown.push('…');
            break;
        }
        shown.push(letter);
    }
    shown
}

fn is_line_end(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Not a control (Cc), not of bidirectional formatting (UAX #9 §2), not without width, no tag (Unicode §23.9).
fn visible(letter: &char) -> bool {
    !letter.is_control()
        && !matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_gone_and_lines_do_not_begin_anew() {
        assert_eq!(shown("invoice\u{202e}fdp.exe", 100), "invoicefdp.exe");
        assert_eq!(shown("a\r\nTo: nobody\u{0}\u{1b}[2J\u{2066}\u{200b}\u{e0041}", 100), "a  To: nobody[2J");
        assert_eq!(shown("Grüße aus 東京 👋", 100), "Grüße aus 東京 👋");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(shown("ééééé", 5), "ééééé");
        assert_eq!(shown("éééééé", 5), "ééééé…");
    }
}
