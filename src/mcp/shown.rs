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

/// A path or an id as a model is shown it, to be passed on by it: each character that controls something or turns the direction of writing has
/// a replacement character in its place. Deliberately replaced and not dropped: without them it might be another name that is there too,
/// and what is then done would be done to that. What only joins letters stays, for it is part of names.
#[must_use]
pub fn path(text: &str) -> String {
    let turns = |letter| matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let hidden = |letter: char| letter.is_control() || is_line_end(letter) || turns(letter);
    text.chars().map(|letter| if hidden(letter) { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

fn is_line_end(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether it can be seen, or parts words: not a control (Cc), not of bidirectional formatting (UAX #9 §2), not without width, no tag (Unicode §23.9).
pub(super) fn visible(letter: &char) -> bool {
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
    fn a_path_cannot_be_read_as_another() {
        assert_eq!(path("/Übung – 計画 👩\u{200d}🔬.md"), "/Übung – 計画 👩\u{200d}🔬.md");
        assert_eq!(path("/report\u{202e}fdp.exe\u{7}\n"), "/report\u{fffd}fdp.exe\u{fffd}\u{fffd}");
        assert_ne!(path("/a\u{2066}.md"), "/a.md");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(shown("ééééé", 5), "ééééé");
        assert_eq!(shown("éééééé", 5), "ééééé…");
    }
}
