//! A part of a text, counted in characters, from a body that is read only as far as it takes.

use bytes::Bytes;
use http_body_util::BodyExt as _;

use crate::body::Body;
use crate::mcp::fault::Fault;

/// So much of a file is read for a part of it, at most.
pub const FURTHEST: u64 = 16 * 1024 * 1024;
/// A character of UTF-8 has at most so many bytes.
const WIDEST: u64 = 4;

/// Some characters of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// The characters.
    pub text: String,
    /// How many characters were passed over before them.
    pub offset: u64,
    /// Whether there are more behind.
    pub cut: bool,
}

/// What came of reading one.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    /// A part.
    Part(Part),
    /// It is no UTF-8.
    NotText,
    /// The text ends before the offset, after so many characters.
    Behind(u64),
    /// The offset is behind all that we read.
    TooFar,
}

/// Takes `count` characters behind `offset`.
#[derive(Debug)]
pub struct Window {
    offset: u64,
    count: usize,
    passed: u64,
    taken: usize,
    text: String,
    /// The first bytes of a character whose others have not come yet: three at most.
    begun: Vec<u8>,
    read: u64,
    cut: bool,
}

/// No UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken;

/// The last byte to ask for, so that all of these characters and one more are among them however wide they are; nothing if there is nothing
/// to be saved.
#[must_use]
pub fn last_byte(offset: u64, count: usize, size: u64) -> Option<u64> {
    let characters = offset.saturating_add(count as u64).saturating_add(1);
    let needed = characters.saturating_mul(WIDEST).min(FURTHEST);
    (needed < size).then_some(needed.saturating_sub(1))
}

/// Reads a part from a body that begins at the file's first byte and, where `last` is given, was asked for up to that byte alone.
///
/// # Errors
/// [`Fault::Said`] if the body breaks off.
pub async fn read(mut body: Body, offset: u64, count: usize, last: Option<u64>) -> Result<Reading, Fault> {
    let mut window = Window::new(offset, count);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Fault::said("Nextcloud's answer broke off. Try again."))?;
        let data: Bytes = frame.into_data().unwrap_or_default();
        if window.push(&data) == Err(Broken) {
            return Ok(Reading::NotText);
        }
        if window.is_full() || window.read > FURTHEST {
            break;
        }
    }
    let ends_early = window.read > last.unwrap_or(FURTHEST);
    Ok(window.finish(ends_early))
}

impl Window {
    /// A window that has seen nothing yet.
    #[must_use]
    pub fn new(offset: u64, count: usize) -> Self {
        Self { offset, count, passed: 0, taken: 0, text: String::new(), begun: Vec::new(), read: 0, cut: false }
    }

    /// Whether nothing that comes can change it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.cut
    }

    /// Takes more of the file.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn push(&mut self, data: &[u8]) -> Result<(), Broken> {
        self.read += data.len() as u64;
        let joined: Vec<u8>;
        let mut rest = data;
        if !self.begun.is_empty() {
            joined = [std::mem::take(&mut self.begun).as_slice(), data].concat();
            rest = &joined;
        }
        let (text, behind) = match std::str::from_utf8(rest) {
            Ok(text) => (text, &[][..]),
            // It ends within a character.
            Err(error) if error.error_len().is_none() => {
                let (good, behind) = rest.split_at_checked(error.valid_up_to()).ok_or(Broken)?;
                (std::str::from_utf8(good).map_err(|_| Broken)?, behind)
            }
            Err(error) => {
                // What is wrong may be behind what was asked for.
                let good = rest.get(..error.valid_up_to()).and_then(|good| std::str::from_utf8(good).ok());
                self.take(good.unwrap_or_default());
                return if self.cut { Ok(()) } else { Err(Broken) };
            }
        };
        self.take(text);
        self.begun = behind.to_vec();
        Ok(())
    }

    fn take(&mut self, text: &str) {
        for letter in text.chars() {
            if self.passed < self.offset {
                self.passed += 1;
            } else if self.taken < self.count {
                self.text.push(letter);
                self.taken += 1;
            } else {
                self.cut = true;
                return;
            }
        }
    }

    /// What was seen; `ends_early` if the file goes on behind it.
    #[must_use]
    pub fn finish(self, ends_early: bool) -> Reading {
        if !self.cut {
            if ends_early {
                return Reading::TooFar;
            }
            if !self.begun.is_empty() {
                return Reading::NotText;
            }
            if self.passed < self.offset {
                return Reading::Behind(self.passed);
            }
        }
        Reading::Part(Part { text: self.text, offset: self.offset, cut: self.cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(bytes: &[u8], size: usize, offset: u64, count: usize) -> Result<Reading, Broken> {
        let mut window = Window::new(offset, count);
        for piece in bytes.chunks(size) {
            window.push(piece)?;
            if window.is_full() {
                break;
            }
        }
        Ok(window.finish(false))
    }

    #[test]
    fn however_a_text_is_cut_into_pieces_its_parts_are_the_same() {
        let text = "aß計😀\n".repeat(7);
        let letters: Vec<char> = text.chars().collect();
        for size in 1..9 {
            for offset in 0..letters.len() {
                for count in [1, 2, 5, 100] {
                    let end = (offset + count).min(letters.len());
                    let expected = Part {
                        text: letters[offset..end].iter().collect(),
                        offset: offset as u64,
                        cut: end < letters.len(),
                    };
                    let read = in_pieces(text.as_bytes(), size, offset as u64, count);
                    assert_eq!(read, Ok(Reading::Part(expected)), "{size} {offset} {count}");
                }
            }
        }
    }

    #[test]
    fn an_offset_behind_the_end_is_told_where_the_end_is() {
        assert_eq!(in_pieces("aß".as_bytes(), 1, 3, 5), Ok(Reading::Behind(2)));
        let empty = Part { text: String::new(), offset: 2, cut: false };
        assert_eq!(in_pieces("aß".as_bytes(), 1, 2, 5), Ok(Reading::Part(empty)));
    }

    #[test]
    fn what_is_no_utf8_is_no_text() {
        for bytes in [&b"a\xff"[..], b"a\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"a\xf0\x9f\x98"] {
            for size in 1..4 {
                let read = in_pieces(bytes, size, 0, 100);
                assert!(matches!(read, Err(Broken) | Ok(Reading::NotText)), "{bytes:?}: {read:?}");
            }
        }
        let part = Part { text: "ab".to_owned(), offset: 0, cut: true };
        assert_eq!(in_pieces(b"abc\xff", 4, 0, 2), Ok(Reading::Part(part)), "what is behind is not looked at");
    }

    #[test]
    fn so_much_is_asked_for_that_one_character_more_is_seen() {
        assert_eq!(last_byte(0, 10, 1_000), Some(43));
        assert_eq!(last_byte(0, 10, 44), None);
        assert_eq!(last_byte(u64::MAX, 10, u64::MAX), Some(FURTHEST - 1));
        let wide = "😀".repeat(100);
        let asked = &wide.as_bytes()[..=usize::try_from(last_byte(5, 10, 400).unwrap()).unwrap()];
        assert!(matches!(in_pieces(asked, 7, 5, 10), Ok(Reading::Part(Part { cut: true, .. }))));
        assert_eq!(Window::new(0, 10).finish(true), Reading::TooFar);
    }
}
