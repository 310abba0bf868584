//! Request bodies as a small tree with resolved namespaces, and text made safe for answers.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// `DAV:`.
pub(super) const DAV: &str = "DAV:";
/// ownCloud's namespace.
pub(super) const OC: &str = "http://owncloud.org/ns";
/// Nextcloud's namespace.
pub(super) const NC: &str = "http://nextcloud.org/ns";

/// CalDAV (RFC 4791).
pub(super) const CAL: &str = "urn:ietf:params:xml:ns:caldav";
/// CardDAV (RFC 6352).
pub(super) const CARD: &str = "urn:ietf:params:xml:ns:carddav";
/// Apple's calendar server.
pub(super) const CS: &str = "http://calendarserver.org/ns/";
/// Apple's calendar program.
pub(super) const APPLE: &str = "http://apple.com/ns/ical/";

/// Deeper bodies are refused.
const DEPTH: usize = 64;

/// A namespace and a local name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub space: String,
    pub local: String,
}

/// An element with what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub name: Name,
    /// Without namespaces.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

// === impl Name ===

impl Name {
    pub(super) fn new(space: &str, local: &str) -> Self {
        Self { space: space.to_owned(), local: local.to_owned() }
    }

    pub(super) fn is(&self, space: &str, local: &str) -> bool {
        self.space == space && self.local == local
    }
}

// === impl Element ===

impl Element {
    /// Parses a body.
    ///
    /// # Errors
    /// What is wrong with it, in the parser's words.
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        let mut reader = NsReader::from_str(text);
        let mut open: Vec<Element> = Vec::new();
        loop {
            let (space, event) = reader.read_resolved_event().map_err(|error| error.to_string())?;
            let space = match space {
                ResolveResult::Bound(space) => space.as_ref().to_owned(),
                ResolveResult::Unbound => String::new(),
                ResolveResult::Unknown(prefix) => {
                    return Err(format!("Namespace prefix {prefix} is not defined"));
                }
            };
            let closed = match event {
                Event::Start(start) => {
                    open.push(element(space, &start));
                    if open.len() > DEPTH {
                        return Err("Excessive depth in document".into());
                    }
                    None
                }
                Event::Empty(start) => Some(element(space, &start)),
                Event::End(_) => open.pop(),
                Event::Text(text) => {
                    append(&mut open, &text.xml10_content());
                    None
                }
                Event::CData(data) => {
                    append(&mut open, &data.xml10_content());
                    None
                }
                Event::GeneralRef(reference) => {
                    let named = reference.xml10_content();
                    let character = match named.as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => reference.resolve_char_ref().ok().flatten(),
                    };
                    let character = character.ok_or_else(|| format!("Entity '{named}' not defined"))?;
                    append(&mut open, &character.to_string());
                    None
                }
                // sabre forbids document types altogether.
                Event::DocType(_) => return Err("Detected use of ENTITY in XML".into()),
                Event::Eof => return Err("Document is empty or not closed".into()),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => None,
            };
            if let Some(closed) = closed {
                match open.last_mut() {
                    Some(parent) => parent.children.push(closed),
                    None => return Ok(closed),
                }
            }
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What is in it, as XML that can stand anywhere.
    pub(super) fn inner(&self) -> String {
        let children = self.children.iter().map(|child| {
            let name = &child.name.local;
            let space = escaped(&child.name.space);
            let attributes: String =
                child.attributes.iter().map(|(name, value)| format!(" {name}=\"{}\"", escaped(value))).collect();
            let inner = child.inner();
            if space.is_empty() {
                format!("<{name} xmlns=\"\"{attributes}>{inner}</{name}>")
            } else {
                format!("<x:{name} xmlns:x=\"{space}\"{attributes}>{inner}</x:{name}>")
            }
        });
        format!("{}{}", escaped(&self.text), children.collect::<String>())
    }

    /// The names of what is in its `prop`.
    pub(super) fn asked(&self) -> Vec<Name> {
        let prop = self.child(DAV, "prop");
        prop.map(|prop| prop.children.iter().map(|child| child.name.clone()).collect()).unwrap_or_default()
    }

    pub(super) fn child(&self, space: &str, local: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name.is(space, local))
    }

    /// All elements of a name, this one included, however deep.
    pub(super) fn find(&self, space: &str, local: &str) -> Option<&Element> {
        if self.name.is(space, local) {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(space, local))
    }
}

fn element(space: String, start: &BytesStart<'_>) -> Element {
    let local = start.local_name().as_ref().to_owned();
    let attributes = start.attributes().filter_map(Result::ok).map(|attribute| {
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map(|value| value.into_owned())
            .unwrap_or_default();
        (attribute.key.local_name().as_ref().to_owned(), value)
    });
    Element { name: Name { space, local }, attributes: attributes.collect(), children: Vec::new(), text: String::new() }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Text that may stand in an element or an attribute.
pub(in super::super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
