//! Names as a model is shown them. A name is data that somebody chose, perhaps to be read as something else than it is.

/// The name, with a replacement character for each that is not to be seen: control characters, and those that turn the direction of writing
/// (Unicode's `Bidi_Control`), which make `exe.txt` of `txt.exe`. Deliberately replaced and not dropped: without them the name might be
/// another one that is there too, and what is then done would be done to that.
#[must_use]
pub fn shown(name: &str) -> String {
    name.chars().map(|letter| if is_hidden(letter) { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(letter, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_be_read_as_another() {
        assert_eq!(shown("Übung – 計画.md"), "Übung – 計画.md");
        assert_eq!(shown("report\u{202e}fdp.exe\u{7}\n"), "report\u{fffd}fdp.exe\u{fffd}\u{fffd}");
        assert_ne!(shown("a\u{2066}.md"), "a.md");
    }
}
