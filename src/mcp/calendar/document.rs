//! A calendar object as lines in components, for changing it. Lines that nobody touches are written as they were read, but for where
//! they are folded (RFC 5545 §3.1): `calcard` reads and writes each value faithfully, but not each line — it escapes commas in URIs and
//! moves parameters about.

use calcard::icalendar::{ICalendar, ICalendarComponent, ICalendarEntry, ICalendarProperty};

use super::{Fault, LARGEST_OBJECT};
use crate::nextcloud::calendar_body::invites;

/// Deeper than any component is (an alarm in an event in a calendar).
const DEEPEST: usize = 8;
const WIDEST_LINE: usize = 75;
const NARROWEST_LINE: usize = 40;

/// `BEGIN:X` to `END:X`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    name: String,
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// Unfolded, without its end.
    Line(String),
    Inside(Component),
}

// === impl Component ===

impl Component {
    /// An empty one.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), items: Vec::new() }
    }

    /// Reads a VCALENDAR.
    ///
    /// # Errors
    /// [`Fault::Object`] if it is too large, no UTF-8, or no components in each other.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() > LARGEST_OBJECT {
            return Err(Fault::object("this calendar object is larger than 1 MiB and is not read"));
        }
        Self::read(bytes).ok_or_else(|| Fault::object("Nextcloud holds no readable iCalendar under this id"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut open: Vec<Self> = Vec::new();
        let mut whole = None;
        for line in unfolded(bytes)? {
            let value = || line.split_once(':').map_or("", |(_, value)| value.trim());
            match name_of(&line).as_str() {
                // Nothing may follow the one VCALENDAR.
                _ if whole.is_some() => return None,
                "BEGIN" if open.len() < DEEPEST => open.push(Self::new(&value().to_ascii_uppercase())),
                "BEGIN" => return None,
                "END" => {
                    let closed = open.pop().filter(|closed| closed.name.eq_ignore_ascii_case(value()))?;
                    match open.last_mut() {
                        Some(parent) => parent.items.push(Item::Inside(closed)),
                        None => whole = Some(closed),
                    }
                }
                _ => open.last_mut()?.items.push(Item::Line(line)),
            }
        }
        whole.filter(|whole| whole.name == "VCALENDAR" && open.is_empty())
    }

    /// Folded lines that end in CRLF.
    ///
    /// # Errors
    /// [`Fault::Object`] if it became larger than we read one.
    pub fn write(&self) -> Result<String, Fault> {
        let text = self.text();
        if text.len() > LARGEST_OBJECT {
            return Err(Fault::object("this would make a calendar object larger than 1 MiB"));
        }
        Ok(text)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        self.write_into(&mut text);
        text
    }

    fn write_into(&self, text: &mut String) {
        fold(text, &format!("BEGIN:{}", self.name));
        for item in &self.items {
            match item {
                Item::Line(line) => fold(text, line),
                Item::Inside(inside) => inside.write_into(text),
            }
        }
        fold(text, &format!("END:{}", self.name));
    }

    /// What `calcard` reads in it: its properties, and those of what it holds.
    #[must_use]
    pub fn read_all(&self) -> ICalendar {
        ICalendar::parse(self.text()).unwrap_or_default()
    }

    /// What `calcard` reads in it: its own properties.
    #[must_use]
    pub fn properties(&self) -> ICalendarComponent {
        self.read_all().components.into_iter().next().unwrap_or_default()
    }

    /// The components of a name in it.
    pub fn inside<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.items.iter().filter_map(move |item| match item {
            Item::Inside(inside) if inside.name == name => Some(inside),
            Item::Inside(_) | Item::Line(_) => None,
        })
    }

    /// The same, to change them.
    pub fn inside_mut<'a>(&'a mut self, name: &'a str) -> impl Iterator<Item = &'a mut Self> {
        self.items.iter_mut().filter_map(move |item| match item {
            Item::Inside(inside) if inside.name == name => Some(inside),
            Item::Inside(_) | Item::Line(_) => None,
        })
    }

    /// Puts a component behind all others.
    pub fn push(&mut self, component: Self) {
        self.items.push(Item::Inside(component));
    }

    /// Puts a component before all others.
    pub fn push_first(&mut self, component: Self) {
        let at = self.items.iter().position(|item| matches!(item, Item::Inside(_))).unwrap_or(self.items.len());
        self.items.insert(at, Item::Inside(component));
    }

    /// Keeps those of its components of which `keep` is true.
    pub fn retain_inside(&mut self, keep: impl Fn(&Self) -> bool) {
        self.items.retain(|item| match item {
            Item::Inside(inside) => keep(inside),
            Item::Line(_) => true,
        });
    }

    /// `VEVENT` and its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The lines of a property, unfolded.
    pub fn lines(&self, property: &ICalendarProperty) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(move |item| match item {
            Item::Line(line) if name_of(line) == property.as_str() => Some(line.as_str()),
            Item::Inside(_) | Item::Line(_) => None,
        })
    }

    /// Whether there is a property.
    #[must_use]
    pub fn has(&self, property: &ICalendarProperty) -> bool {
        self.lines(property).next().is_some()
    }

    /// Sets a property, where its first line stands; others of that name go.
    pub fn set(&mut self, entry: &ICalendarEntry) {
        self.put(&entry.name, vec![written(entry)]);
    }

    /// Takes a property away.
    pub fn remove(&mut self, property: &ICalendarProperty) {
        self.put(property, Vec::new());
    }

    /// Adds a line of a property.
    pub fn add(&mut self, entry: &ICalendarEntry) {
        let at = self.end_of_lines();
        self.items.insert(at, Item::Line(written(entry)));
    }

    /// Puts these lines where the property's first one stands.
    pub fn put(&mut self, property: &ICalendarProperty, lines: Vec<String>) {
        let is = |item: &Item| matches!(item, Item::Line(line) if name_of(line) == property.as_str());
        let at = self.items.iter().position(is).unwrap_or(self.end_of_lines());
        self.items.retain(|item| !is(item));
        self.items.splice(at..at, lines.into_iter().map(Item::Line));
    }

    fn end_of_lines(&self) -> usize {
        self.items.iter().position(|item| matches!(item, Item::Inside(_))).unwrap_or(self.items.len())
    }
}

/// An entry as one unfolded line. `calcard` escapes line ends in every kind of value, so that each CRLF it writes is a fold or the end.
pub(super) fn written(entry: &ICalendarEntry) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = entry.write_to(&mut text);
    text.replace("\r\n ", "").replace(['\r', '\n'], "")
}

/// The name of a property, in capitals, without a group.
fn name_of(line: &str) -> String {
    let name = line.split([':', ';']).next().unwrap_or(line);
    name.rsplit('.').next().unwrap_or(name).trim().to_ascii_uppercase()
}

/// Lines put together again (RFC 5545 §3.1). In bytes, for some writers fold within a letter.
fn unfolded(bytes: &[u8]) -> Option<Vec<String>> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.split_first(), lines.last_mut()) {
            (Some((b' ' | b'\t', rest)), Some(last)) => last.extend_from_slice(rest),
            (None, _) => {}
            (Some(_), _) => lines.push(line.to_vec()),
        }
    }
    lines.into_iter().map(|line| String::from_utf8(line).ok()).collect()
}

/// One line as several. The policy reads what is folded both ways and takes "Organizer: Bob" at the beginning of the second line for an
/// invitation: such a text is folded elsewhere.
fn fold(text: &mut String, line: &str) {
    let invites = |folded: &String| folded.split("\r\n").skip(1).any(|rest| invites(rest.as_bytes()) == Ok(true));
    let mut narrower = (NARROWEST_LINE..=WIDEST_LINE).rev().map(|widest| folded(line, widest));
    text.push_str(&narrower.find(|folded| !invites(folded)).unwrap_or_else(|| folded(line, WIDEST_LINE)));
    text.push_str("\r\n");
}

fn folded(line: &str, widest: usize) -> String {
    let (mut text, mut width) = (String::with_capacity(line.len()), 0);
    for letter in line.chars() {
        if width + letter.len_utf8() > widest {
            text.push_str("\r\n ");
            width = 1;
        }
        width += letter.len_utf8();
        text.push(letter);
    }
    text
}
