//! What WebDAV answers to PROPFIND, REPORT and SEARCH: a 207 whose body is a list of responses (RFC 4918 §13), read strictly and within bounds;
//! and the few words of XML that such a request is made of.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use quick_xml::NsReader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

use super::answer::Answer;
use super::fault::Fault;

/// WebDAV (RFC 4918).
pub const DAV: &str = "DAV:";
/// ownCloud's properties of files.
pub const OC: &str = "http://owncloud.org/ns";
/// Nextcloud's.
pub const NC: &str = "http://nextcloud.org/ns";
/// CalDAV (RFC 4791).
pub const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
/// CardDAV (RFC 6352).
pub const CARDDAV: &str = "urn:ietf:params:xml:ns:carddav";
/// Apple's calendar server: `getctag`, `source`.
pub const CALENDARSERVER: &str = "http://calendarserver.org/ns/";
/// Apple's calendar program: `calendar-color`.
pub const APPLE: &str = "http://apple.com/ns/ical/";

/// A deeper answer is not read; a calendar's access list goes eight deep.
const DEPTH: usize = 32;
/// An answer of more elements is not read: a folder of ten thousand files has half as many.
const MOST_ELEMENTS: usize = 300_000;
/// An element of more attributes is not read: each is compared with all before it.
const MOST_ATTRIBUTES: usize = 32;

/// The responses of a 207.
#[derive(Debug, Default)]
pub struct Multistatus {
    /// In their order.
    pub responses: Vec<Response>,
}

/// One resource of a 207.
#[derive(Debug)]
pub struct Response {
    /// Its path as callers see it, percent-encoded as it came, without scheme and host.
    pub href: String,
    /// The status of the resource as a whole, where there is one: 404 of what a multiget asked for and is not there.
    pub status: Option<u16>,
    /// The properties that it has: those whose status is 200, and no others.
    pub properties: Vec<Element>,
}

/// An element with what is in it.
#[derive(Debug)]
pub struct Element {
    /// The namespace of its name; empty for none.
    pub space: String,
    /// Its name without a prefix.
    pub local: String,
    /// Names without prefixes, and values.
    pub attributes: Vec<(String, String)>,
    /// All text directly in it, references and CDATA undone.
    pub text: String,
    /// The elements directly in it.
    pub children: Vec<Element>,
}

/// The body is no multistatus that we read: not well-formed, too deep, too large, or with a document type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable(&'static str);

impl Multistatus {
    /// The list in an answer, which has to be a 207; [`Answer::good`] comes first.
    ///
    /// # Errors
    /// [`Fault::Said`] if it is none.
    pub fn of(answer: &Answer) -> Result<Self, Fault> {
        let read = if answer.status.as_u16() == 207 { Self::parse(&answer.bytes) } else { Err(Unreadable("no 207")) };
        read.map_err(|Unreadable(reason)| {
            tracing::debug!(reason, "an answer of Nextcloud's DAV that a tool cannot read");
            Fault::said(
                "Nextcloud's answer cannot be read; this version of it may be too new or too old. Tell the user.",
            )
        })
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        let root = Element::parse(body)?;
        if !root.is(DAV, "multistatus") {
            return Err(Unreadable("no multistatus"));
        }
        let responses = root.children.into_iter().filter(|child| child.is(DAV, "response")).map(Response::of);
        Ok(Self { responses: responses.collect::<Result<_, _>>()? })
    }
}

impl Response {
    fn of(element: Element) -> Result<Self, Unreadable> {
        let mut response = Self { href: String::new(), status: None, properties: Vec::new() };
        let mut has_href = false;
        for part in element.children {
            if part.is(DAV, "href") {
                if std::mem::replace(&mut has_href, true) {
                    return Err(Unreadable("a response of two hrefs"));
                }
                response.href = without_host(part.text.trim()).to_owned();
            } else if part.is(DAV, "status") {
                response.status = Some(status(&part.text)?);
            } else if part.is(DAV, "propstat") {
                let code = part.child(DAV, "status").ok_or(Unreadable("a propstat without status"))?;
                if status(&code.text)? == 200 {
                    let found = part.children.into_iter().filter(|child| child.is(DAV, "prop"));
                    response.properties.extend(found.flat_map(|prop| prop.children));
                }
            }
        }
        if has_href { Ok(response) } else { Err(Unreadable("a response without href")) }
    }

    /// A property that the resource has.
    #[must_use]
    pub fn get(&self, space: &str, local: &str) -> Option<&Element> {
        self.properties.iter().find(|property| property.is(space, local))
    }

    /// The text of a property, trimmed; nothing where it has none or an empty one.
    #[must_use]
    pub fn text(&self, space: &str, local: &str) -> Option<&str> {
        self.get(space, local).map(|property| property.text.trim()).filter(|text| !text.is_empty())
    }

    /// Whether it is a collection (RFC 4918 §15.9), or, by another name, a calendar or an address book.
    #[must_use]
    pub fn is_a(&self, space: &str, local: &str) -> bool {
        self.get(DAV, "resourcetype").is_some_and(|kinds| kinds.child(space, local).is_some())
    }

    /// The segments of its path, each decoded once. `None` where one is not UTF-8, or a slash in disguise.
    #[must_use]
    pub fn segments(&self) -> Option<Vec<String>> {
        self.href.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect()
    }
}

impl Element {
    /// Whether this is its name.
    #[must_use]
    pub fn is(&self, space: &str, local: &str) -> bool {
        self.space == space && self.local == local
    }

    /// The first child of this name.
    #[must_use]
    pub fn child(&self, space: &str, local: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(space, local))
    }

    /// An attribute, by its name without a prefix.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn of(space: ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Self, Unreadable> {
        let space = match space {
            ResolveResult::Bound(space) => space.as_ref().to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(_) => return Err(Unreadable("a prefix without a namespace")),
        };
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| Unreadable("an attribute"))?;
            if attributes.len() >= MOST_ATTRIBUTES {
                return Err(Unreadable("too many attributes"));
            }
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(|_| Unreadable("an attribute's value"))?;
            attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
        }
        let local = start.local_name().as_ref().to_owned();
        Ok(Self { space, local, attributes, text: String::new(), children: Vec::new() })
    }

    fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|_| Unreadable("not UTF-8"))?;
        let mut reader = NsReader::from_str(text);
        let mut open: Vec<Self> = Vec::new();
        let (mut root, mut elements) = (None, 0_usize);
        loop {
            let (space, event) = reader.read_resolved_event().map_err(|_| Unreadable("not well-formed"))?;
            let closed = match event {
                Event::Start(start) if root.is_none() && open.len() < DEPTH => {
                    open.push(Self::of(space, &start)?);
                    None
                }
                Event::Empty(start) if root.is_none() => Some(Self::of(space, &start)?),
                Event::Start(_) | Event::Empty(_) => return Err(Unreadable("too deep, or two roots")),
                Event::End(_) => open.pop(),
                Event::Text(text) => say(&mut open, &text.xml10_content())?,
                Event::CData(text) => say(&mut open, &text.xml10_content())?,
                Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                    Ok(Some(letter)) => say(&mut open, letter.encode_utf8(&mut [0; 4]))?,
                    Ok(None) => say(&mut open, resolve_xml_entity(&reference).ok_or(Unreadable("an entity"))?)?,
                    Err(_) => return Err(Unreadable("a character reference")),
                },
                Event::DocType(_) => return Err(Unreadable("a document type")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => None,
                Event::Eof => return root.ok_or(Unreadable("not closed")),
            };
            if let Some(closed) = closed {
                elements += 1;
                if elements > MOST_ELEMENTS {
                    return Err(Unreadable("too many elements"));
                }
                match open.last_mut() {
                    Some(parent) => parent.children.push(closed),
                    None => root = Some(closed),
                }
            }
        }
    }
}

/// Text in the element that is open; around the root there may be blanks alone.
fn say(open: &mut [Element], text: &str) -> Result<Option<Element>, Unreadable> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim_start_matches('\u{feff}').trim_ascii().is_empty() => {}
        None => return Err(Unreadable("text outside")),
    }
    Ok(None)
}

/// `HTTP/1.1 200 OK`.
fn status(line: &str) -> Result<u16, Unreadable> {
    line.split_ascii_whitespace().nth(1).and_then(|code| code.parse().ok()).ok_or(Unreadable("a status"))
}

fn without_host(href: &str) -> &str {
    match href.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        _ => href,
    }
}

fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    (!text.contains('/')).then(|| text.into_owned())
}

/// Text that may stand in an element or an attribute. Characters that XML 1.0 does not have (§2.2) are left out.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    let has = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(has) {
        quick_xml::escape::escape(text)
    } else {
        let kept: String = text.chars().filter(|letter| has(*letter)).collect();
        Cow::Owned(quick_xml::escape::escape(kept.as_str()).into_owned())
    }
}

/// `<d:prop>` of these properties, each with its own namespace: for PROPFIND, REPORT and SEARCH whose root declares `d` as `DAV:`.
#[must_use]
pub fn prop(names: &[(&str, &str)]) -> String {
    let each = names.iter().map(|(space, local)| format!("<x:{local} xmlns:x=\"{}\"/>", escaped(space)));
    format!("<d:prop>{}</d:prop>", each.collect::<String>())
}

/// The body of a PROPFIND for these properties.
#[must_use]
pub fn propfind(names: &[(&str, &str)]) -> String {
    format!("<?xml version=\"1.0\"?><d:propfind xmlns:d=\"DAV:\">{}</d:propfind>", prop(names))
}

#[cfg(test)]
mod tests;
