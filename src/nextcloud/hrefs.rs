//! The `href`s of a DAV answer, rewritten while it streams.
//!
//! A state machine over bytes and no XML reader: a reader would have to hold whole events and write them anew, while everything but the first
//! bytes of an href has to pass as it came. What is withheld is the beginning of one href's text, up to a `horizon`; all else is passed on at
//! once, so memory is bounded and an answer cut anywhere comes out the same. It knows tags, quotes, comments, processing instructions and CDATA
//! (XML 1.0 §2); an element counts by its local name `href`, for sabre's prefix of `DAV:` is its own choice. References (`&amp;`) are left as
//! they are: roots and authorities have no character that would be written as one. Broken XML comes out broken in the same way.

/// How many first bytes of a text are replaced, and by what.
pub type Swap = (usize, String);

/// Rewrites one document.
pub struct Hrefs<S> {
    swap: S,
    horizon: usize,
    state: State,
    /// Whether the text that is read belongs to an href whose beginning is not known yet.
    undecided: bool,
    withheld: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    /// Behind `<`.
    Open,
    /// Behind `<!`.
    Bang,
    /// Behind `<!-`.
    Dash,
    /// In `<![CDATA[`, so many bytes before the text.
    CDataOpens(u8),
    /// In the text of a CDATA section, behind so many `]`.
    CData(u8),
    /// In a comment or a processing instruction, which ends by `need` times `fill` and `>`.
    Until {
        fill: u8,
        need: u8,
        seen: u8,
    },
    /// In a start tag's name; so many letters of `href` are read, or none of it.
    Name(Option<u8>),
    /// Behind a start tag's name; whether it is `href`, and whether the last byte was `/`.
    Tag {
        href: bool,
        slash: bool,
    },
    /// In the value of an attribute.
    Quoted {
        href: bool,
        quote: u8,
    },
    /// In an end tag or a declaration.
    Rest,
}

impl<S: Fn(&[u8]) -> Option<Swap>> Hrefs<S> {
    /// Rewrites by `swap`, which is shown `horizon` bytes of each href's text, or all of a shorter one.
    pub fn new(horizon: usize, swap: S) -> Self {
        Self { swap, horizon, state: State::Text, undecided: false, withheld: Vec::new() }
    }

    /// Takes more of the document and gives what can be passed on.
    #[must_use]
    pub fn push(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() + self.withheld.len());
        for &byte in data {
            if self.undecided && self.is_text(byte) {
                self.withhold(byte, &mut out);
            } else {
                self.decide(&mut out);
                out.push(byte);
            }
            self.step(byte);
        }
        out
    }

    /// The end of the document: what is left.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.decide(&mut out);
        out
    }

    /// Whether a byte is text, and not the beginning or an end of something else.
    fn is_text(&self, byte: u8) -> bool {
        match self.state {
            State::Text => byte != b'<',
            State::CData(_) => byte != b']',
            _ => false,
        }
    }

    fn withhold(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.withheld.is_empty() && byte.is_ascii_whitespace() {
            out.push(byte);
            return;
        }
        self.withheld.push(byte);
        if self.withheld.len() >= self.horizon {
            self.decide(out);
        }
    }

    /// Passes on what was withheld, its beginning replaced. White space alone decides nothing: the text may come in a section of its own.
    fn decide(&mut self, out: &mut Vec<u8>) {
        if self.withheld.is_empty() {
            return;
        }
        let (cut, public) = (self.swap)(&self.withheld).unwrap_or_default();
        out.extend_from_slice(public.as_bytes());
        out.extend_from_slice(self.withheld.get(cut..).unwrap_or_default());
        self.withheld.clear();
        self.undecided = false;
    }

    fn step(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (State::Text, b'<') => State::Open,
            (State::Text, _) => State::Text,

            (State::Open, b'!') => State::Bang,
            (State::Open, b'?') => State::Until { fill: b'?', need: 1, seen: 0 },
            (State::Open, b'/') => {
                self.undecided = false;
                State::Rest
            }
            (State::Open, b'>') => State::Text,
            (State::Open, _) => State::Name(letter(Some(0), byte)),

            (State::Bang, b'-') => State::Dash,
            (State::Bang, b'[') => State::CDataOpens(6),
            (State::Bang | State::Dash, b'>') => State::Text,
            (State::Dash, b'-') => State::Until { fill: b'-', need: 2, seen: 0 },
            (State::Bang | State::Dash, _) => State::Rest,

            (State::CDataOpens(1), _) => State::CData(0),
            (State::CDataOpens(left), _) => State::CDataOpens(left - 1),
            (State::CData(2), b'>') => State::Text,
            (State::CData(seen), b']') => State::CData((seen + 1).min(2)),
            (State::CData(_), _) => State::CData(0),

            (State::Until { need, seen, .. }, b'>') if seen == need => State::Text,
            (State::Until { fill, need, seen }, byte) if byte == fill => {
                State::Until { fill, need, seen: (seen + 1).min(need) }
            }
            (State::Until { fill, need, .. }, _) => State::Until { fill, need, seen: 0 },

            (State::Name(read), b'>') => self.begun(read == Some(4)),
            (State::Name(read), b'/') => State::Tag { href: read == Some(4), slash: true },
            (State::Name(read), byte) if byte.is_ascii_whitespace() => {
                State::Tag { href: read == Some(4), slash: false }
            }
            (State::Name(read), byte) => State::Name(letter(read, byte)),

            (State::Tag { href, slash }, b'>') => self.begun(href && !slash),
            (State::Tag { href, .. }, quote @ (b'"' | b'\'')) => State::Quoted { href, quote },
            (State::Tag { href, .. }, byte) => State::Tag { href, slash: byte == b'/' },
            (State::Quoted { href, quote }, byte) if byte == quote => State::Tag { href, slash: false },
            (State::Quoted { .. }, _) => self.state,

            (State::Rest, b'>') => State::Text,
            (State::Rest, _) => State::Rest,
        };
    }

    /// A start tag has ended.
    fn begun(&mut self, href: bool) -> State {
        self.undecided = href;
        State::Text
    }
}

/// How many letters of `href` a local name has so far; none if it is another name.
fn letter(read: Option<u8>, byte: u8) -> Option<u8> {
    match (read, byte) {
        (_, b':') => Some(0),
        (Some(read), byte) if b"href".get(usize::from(read)) == Some(&byte) => Some(read + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/own` becomes `/nc`.
    fn rewriter() -> Hrefs<impl Fn(&[u8]) -> Option<Swap>> {
        Hrefs::new(8, |text| text.starts_with(b"/own/").then(|| (4, "/nc".to_owned())))
    }

    fn rewritten(document: &str) -> String {
        let mut hrefs = rewriter();
        let mut out = hrefs.push(document.as_bytes());
        out.extend(hrefs.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hrefs_are_rewritten_wherever_they_stand() {
        for (document, wanted) in [
            ("<d:href>/own/a</d:href>", "<d:href>/nc/a</d:href>"),
            ("<href>/own/a</href>", "<href>/nc/a</href>"),
            ("<D:href xmlns:D='DAV:'>/own/a</D:href>", "<D:href xmlns:D='DAV:'>/nc/a</D:href>"),
            ("<a:b:href\n>/own/a</a:b:href>", "<a:b:href\n>/nc/a</a:b:href>"),
            ("<d:href a=\"/>\">/own/a</d:href>", "<d:href a=\"/>\">/nc/a</d:href>"),
            ("<d:href>\n  /own/a\n</d:href>", "<d:href>\n  /nc/a\n</d:href>"),
            ("<d:href><![CDATA[/own/a]]></d:href>", "<d:href><![CDATA[/nc/a]]></d:href>"),
            ("<d:href> <!-- <x> --><![CDATA[/own/]]]></d:href>", "<d:href> <!-- <x> --><![CDATA[/nc/]]]></d:href>"),
            ("<d:href><!-- /own/ -->/own/a<!---->/own/b</d:href>", "<d:href><!-- /own/ -->/nc/a<!---->/own/b</d:href>"),
            ("<d:href><?p /own/?>/own/&amp;</d:href>", "<d:href><?p /own/?>/nc/&amp;</d:href>"),
            (
                "<p><d:href>/own/a</d:href><d:href>/own/b</d:href></p>",
                "<p><d:href>/nc/a</d:href><d:href>/nc/b</d:href></p>",
            ),
            ("<d:href>/own/a", "<d:href>/nc/a"),
            ("<d:href>/own/", "<d:href>/nc/"),
        ] {
            assert_eq!(rewritten(document), wanted);
        }
    }

    #[test]
    fn what_is_no_text_of_an_href_stays() {
        for document in [
            "",
            "<?xml version=\"1.0\"?><!DOCTYPE x><d:prop>/own/a</d:prop>",
            "<d:href/>/own/a",
            "<d:href a='b' />/own/a",
            "<d:hrefs>/own/a</d:hrefs>",
            "<d:hre>/own/a</d:hre>",
            "<href:x>/own/a</href:x>",
            "<d:xhref>/own/a</d:xhref>",
            "<x href=\"/own/a\">/own/a</x>",
            "<!-- <d:href>/own/a</d:href> -->",
            "<!-- -- > <d:href>/own/a</d:href> -->",
            "<cal:data><![CDATA[<d:href>/own/a</d:href>]] > ]>]]></cal:data>",
            "<cal:data>&lt;d:href&gt;/own/a</cal:data>",
            "<?x <d:href>/own/a</d:href> ?>",
            "<d:href></d:href>/own/a",
            "<d:href><b>/own/a</b>/own/b</d:href>",
            "<d:href>own/a/own/</d:href>",
            "<d:href>mailto:a@b</d:href>",
            "<d:href>https://elsewhere/own/a</d:href>",
            "a > b < /own/ <",
        ] {
            assert_eq!(rewritten(document), document);
        }
    }

    #[test]
    fn no_more_than_the_horizon_is_withheld() {
        let mut hrefs = rewriter();
        assert_eq!(hrefs.push(b"<d:href>"), b"<d:href>");
        assert_eq!(hrefs.push(b"/own/se"), b"");
        assert_eq!(hrefs.push(b"q"), b"/nc/seq");
        assert_eq!(hrefs.push(b"/b"), b"/b");
    }
}
