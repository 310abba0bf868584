//! The body of a REPORT or a SEARCH: XML, read strictly, for the paths in it (law 7, checklist row 55).
//!
//! Every element called `href`, in whatever namespace and place, names a path on which Nextcloud will act. sabre reads with libxml, which
//! undoes CDATA and character references, knows encodings, entities and document types, and joins text around a comment. Whatever it
//! could read differently from us is refused: a `DOCTYPE`, an entity that XML does not know by itself, another encoding than UTF-8,
//! markup inside an `href`. A `Content-Encoding` is refused as well: PHP does not undo it, but a server in between may.

use std::collections::BTreeSet;
use std::fmt;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesDecl, BytesStart, Event};

/// Deeper bodies are refused; a REPORT of a real client goes ten deep.
const DEPTH: usize = 64;
/// More paths than these are refused.
const MOST_HREFS: usize = 10_000;
/// A longer path is refused: no target is that long either (`LONGEST_TARGET` in authorize.rs).
const LONGEST_HREF: usize = 16 * 1024;
/// More different names of elements are refused, instead of being forgotten: one of them may be what is switched off.
const MOST_NAMES: usize = 1_000;
/// More attributes of one element are refused. Each is compared with all before it, so this is what keeps a body's cost linear.
const MOST_ATTRIBUTES: usize = 64;

/// What a body is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DavBody {
    /// The local name of its root element: the kind of the report.
    pub root: String,
    /// The paths in it, in their order: CDATA and character references undone, still percent-encoded.
    pub hrefs: Vec<String>,
    /// The local names of all its elements, once each, lower-cased.
    pub elements: BTreeSet<String>,
}

/// Why a body has more than one reading. The caller is told 400 `invalid_request`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AmbiguousBody {
    /// Not UTF-8, or said to be something else, or with a byte order mark.
    Encoding,
    /// A document type: it can define entities.
    DocumentType,
    /// A reference to an entity that XML does not define.
    Entity,
    /// Not well-formed XML, or none at all.
    Malformed,
    /// Markup inside an `href`, or a namespace or nesting that nobody needs.
    Href,
    /// More depth, more or longer paths, more names, attributes or parameters than any client sends.
    Excessive,
    /// A content coding.
    Coded,
    /// Neither JSON nor a form, or said twice what it is.
    Kind,
    /// A parameter stands there twice, or under a name that PHP would change.
    Parameter,
    /// A value that decides and has more than one reading.
    Value,
}

/// Reads a body.
///
/// # Errors
/// [`AmbiguousBody`].
pub fn read(body: &[u8]) -> Result<DavBody, AmbiguousBody> {
    let text = std::str::from_utf8(body).map_err(|_| AmbiguousBody::Encoding)?;
    if text.starts_with('\u{feff}') || text.contains('\0') {
        return Err(AmbiguousBody::Encoding);
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut reading = Reading { ascii: text.is_ascii(), ..Reading::default() };
    loop {
        match reader.read_event().map_err(|_| AmbiguousBody::Malformed)? {
            Event::Eof => return reading.finish(),
            event => reading.event(&event)?,
        }
    }
}

#[derive(Default)]
struct Reading {
    ascii: bool,
    root: Option<String>,
    hrefs: Vec<String>,
    elements: BTreeSet<String>,
    depth: usize,
    /// The text so far of the `href` that is open.
    open: Option<String>,
    begun: bool,
}

impl Reading {
    fn event(&mut self, event: &Event<'_>) -> Result<(), AmbiguousBody> {
        let first = !std::mem::replace(&mut self.begun, true);
        match event {
            Event::Decl(declaration) if first => check(declaration, self.ascii),
            Event::Decl(_) => Err(AmbiguousBody::Malformed),
            Event::DocType(_) => Err(AmbiguousBody::DocumentType),
            Event::Start(start) => {
                attributes(start)?;
                self.start(start.name().as_ref())
            }
            Event::Empty(start) => {
                attributes(start)?;
                self.start(start.name().as_ref())?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(text.as_ref()),
            Event::CData(data) if self.depth > 0 => self.text(data.as_ref()),
            Event::CData(_) => Err(AmbiguousBody::Malformed),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(letter)) => self.text(letter.encode_utf8(&mut [0; 4])),
                Ok(None) => self.text(resolve_xml_entity(reference.as_ref()).ok_or(AmbiguousBody::Entity)?),
                Err(_) => Err(AmbiguousBody::Malformed),
            },
            // Text around these is one text to some readers.
            Event::Comment(_) | Event::PI(_) if self.open.is_some() => Err(AmbiguousBody::Href),
            Event::Comment(_) | Event::PI(_) | Event::Eof => Ok(()),
        }
    }

    fn start(&mut self, name: &str) -> Result<(), AmbiguousBody> {
        if self.open.is_some() {
            return Err(AmbiguousBody::Href);
        }
        if self.depth == 0 && self.root.is_some() {
            return Err(AmbiguousBody::Malformed);
        }
        self.depth += 1;
        if self.depth > DEPTH || self.hrefs.len() >= MOST_HREFS {
            return Err(AmbiguousBody::Excessive);
        }
        // Behind the last colon: wider than XML's namespaces, in which a name has one at most.
        let local = name.rsplit(':').next().unwrap_or(name);
        if self.root.is_none() {
            self.root = Some(local.to_owned());
        }
        let lower = local.to_ascii_lowercase();
        if lower == "href" {
            self.open = Some(String::new());
        }
        self.elements.insert(lower);
        if self.elements.len() > MOST_NAMES { Err(AmbiguousBody::Excessive) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), AmbiguousBody> {
        self.depth = self.depth.checked_sub(1).ok_or(AmbiguousBody::Malformed)?;
        self.hrefs.extend(self.open.take());
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), AmbiguousBody> {
        if let Some(own) = &mut self.open {
            own.push_str(text);
            if own.len() > LONGEST_HREF {
                return Err(AmbiguousBody::Excessive);
            }
        } else if self.depth == 0 && !text.trim_ascii().is_empty() {
            return Err(AmbiguousBody::Malformed);
        }
        Ok(())
    }

    fn finish(self) -> Result<DavBody, AmbiguousBody> {
        match self.root {
            Some(root) if self.depth == 0 => Ok(DavBody { root, hrefs: self.hrefs, elements: self.elements }),
            _ => Err(AmbiguousBody::Malformed),
        }
    }
}

/// Well-formed attributes, each once, and not too many.
fn attributes(start: &BytesStart<'_>) -> Result<(), AmbiguousBody> {
    for (place, attribute) in start.attributes().enumerate() {
        if place >= MOST_ATTRIBUTES {
            return Err(AmbiguousBody::Excessive);
        }
        attribute.map_err(|_| AmbiguousBody::Malformed)?;
    }
    Ok(())
}

/// XML 1.0, and UTF-8 if anything is said. Python's own XML writer says `us-ascii` and means it: where every byte is, that is UTF-8 too.
fn check(declaration: &BytesDecl<'_>, ascii: bool) -> Result<(), AmbiguousBody> {
    match declaration.version() {
        Ok(version) if version.as_ref() == "1.0" => {}
        _ => return Err(AmbiguousBody::Malformed),
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.as_ref().eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(Ok(encoding)) if encoding.as_ref().eq_ignore_ascii_case("us-ascii") && ascii => Ok(()),
        Some(_) => Err(AmbiguousBody::Encoding),
    }
}

// === impl AmbiguousBody ===

impl AmbiguousBody {
    /// A stable name for the caller, logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encoding => "encoding",
            Self::DocumentType => "document_type",
            Self::Entity => "entity",
            Self::Malformed => "malformed",
            Self::Href => "href",
            Self::Excessive => "excessive",
            Self::Coded => "content_encoding",
            Self::Kind => "content_type",
            Self::Parameter => "parameter",
            Self::Value => "value",
        }
    }
}

impl fmt::Display for AmbiguousBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for AmbiguousBody {}

#[cfg(test)]
mod tests;
