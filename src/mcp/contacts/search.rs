//! `contacts_search`, over CardDAV (RFC 6352).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Card;
use crate::mcp::arguments::Limit;
use crate::mcp::calendar::id::{CalendarId, ObjectId};
use crate::mcp::dav::{CARDDAV, DAV, Multistatus, escaped, propfind};
use crate::mcp::fault::Fault;
use crate::mcp::keyset::page;
use crate::mcp::listing::{Listing, Page};
use crate::mcp::nextcloud::{Ask, Nextcloud, segment};
use crate::mcp::settings::Toolset;
use crate::mcp::shown::shown;
use crate::mcp::tool::{Call, Hints, Reply, Tool};

/// Where words are looked for.
const SEARCHED: &[&str] = &["FN", "N", "NICKNAME", "EMAIL", "TEL", "ORG"];
/// What is asked of a card: not its photograph.
const ASKED: &[&str] = &["VERSION", "UID", "FN", "N", "EMAIL", "TEL", "ORG"];
/// Cards of one book that are looked through at most.
const MOST: usize = 500;
const LONGEST_QUERY: usize = 200;
/// What cards say is shown up to so many characters.
const LONGEST_LINE: usize = 300;

/// Find contacts.
pub struct ContactsSearch;

/// Whom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// Words
    pub query: String,
    #[serde(default)]
    #[expect(missing_docs, reason = "its type says it")]
    pub limit: Limit,
    /// next_cursor of the previous page
    pub cursor: Option<String>,
}

// A contact. (A doc comment would be in every conversation.)
#[derive(Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the schema says it, and every word of it costs")]
pub struct Item {
    pub id: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emails: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phones: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
}

impl Tool for ContactsSearch {
    type Arguments = Arguments;
    type Output = Page<Item>;
    const NAME: &'static str = "contacts_search";
    const TITLE: &'static str = "Find contacts";
    const DESCRIPTION: &'static str = "People by name, address, phone or organisation.";
    const HINTS: Hints = Hints::reads();
    const SCOPES: &'static [&'static str] = &["contacts.read"];
    const SET: Toolset = Toolset::Contacts;

    async fn call(Call { nextcloud, .. }: Call, arguments: Arguments) -> Result<Reply<Page<Item>>, Fault> {
        let words: Vec<String> = arguments.query.to_lowercase().split_whitespace().map(str::to_owned).collect();
        // Nextcloud looks for one word, the rest is done here: it would look for all of them in one and the same property.
        let Some(longest) =
            words.iter().max_by_key(|word| word.len()).filter(|_| arguments.query.len() <= LONGEST_QUERY)
        else {
            return Err(Fault::Said(format!("query: give one or several words, at most {LONGEST_QUERY} bytes.")));
        };
        let uid = nextcloud.uid().await?;
        let books = Books { nextcloud: &nextcloud, home: ["remote.php", "dav", "addressbooks", "users", &uid] };
        let mut all = Vec::new();
        for book in books.list().await? {
            for (id, card) in books.find(&book, longest).await? {
                if card.has(&words) {
                    let item = Item::new(&id, card);
                    all.push(((item.name.to_lowercase(), item.id.clone()), item));
                }
            }
        }
        let page =
            page(all, arguments.limit, arguments.cursor.as_deref(), &Listing::of(Self::NAME, &[&arguments.query]))?;
        Ok(page.into())
    }
}

/// A user's address books.
struct Books<'a> {
    nextcloud: &'a Nextcloud,
    home: [&'a str; 5],
}

// === impl Books ===

impl Books<'_> {
    fn target(&self, path: &str) -> String {
        let home: Vec<String> = self.home.iter().map(|part| segment(part)).collect();
        format!("/{}/{path}", home.join("/"))
    }

    async fn list(&self) -> Result<Vec<CalendarId>, Fault> {
        let ask = Ask::new("PROPFIND", self.target("")).depth("1").xml(propfind(&[(DAV, "resourcetype")]));
        let read = Multistatus::of(&self.nextcloud.ask(ask).await?.good("list of address books")?)?;
        let books = read.responses.iter().filter(|response| response.is_a(CARDDAV, "addressbook"));
        Ok(books.filter_map(|book| CalendarId::of_href(self.nextcloud.inside(&book.href), &self.home)).collect())
    }

    async fn find(&self, book: &CalendarId, word: &str) -> Result<Vec<(ObjectId, Card)>, Fault> {
        let ask = Ask::new("REPORT", self.target(&format!("{}/", book.encoded()))).depth("1").xml(query(word));
        let read = Multistatus::of(&self.nextcloud.ask(ask).await?.good(&format!("address book {book}"))?)?;
        let found = read.responses.iter().filter_map(|response| {
            let id = ObjectId::of_href(self.nextcloud.inside(&response.href), &self.home)?;
            Some((id, Card::parse(&response.get(CARDDAV, "address-data")?.text)?))
        });
        Ok(found.collect())
    }
}

/// `addressbook-query` (§8.6) for a word in any of the searched properties.
fn query(word: &str) -> String {
    let word = escaped(word);
    let asked: String = ASKED.iter().map(|name| format!("<c:prop name=\"{name}\"/>")).collect();
    let searched: String = SEARCHED
        .iter()
        .map(|name| {
            format!(
                "<c:prop-filter name=\"{name}\"><c:text-match collation=\"i;unicode-casemap\" match-type=\"contains\">{word}\
                 </c:text-match></c:prop-filter>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><c:addressbook-query xmlns:d=\"DAV:\" xmlns:c=\"{CARDDAV}\"><d:prop><c:address-data>{asked}\
         </c:address-data></d:prop><c:filter test=\"anyof\">{searched}</c:filter><c:limit><c:nresults>{MOST}</c:nresults></c:limit>\
         </c:addressbook-query>"
    )
}

// === impl Card ===

impl Card {
    /// Whether each word is in something that it says. A nickname was found by Nextcloud alone.
    fn has(&self, words: &[String]) -> bool {
        let mut texts = vec![self.name.as_str(), self.org.as_deref().unwrap_or_default()];
        texts.extend(self.emails.iter().chain(&self.phones).map(String::as_str));
        let all = texts.join("\n").to_lowercase();
        words.len() == 1 || words.iter().all(|word| all.contains(word.as_str()))
    }
}

// === impl Item ===

impl Item {
    fn new(id: &ObjectId, card: Card) -> Self {
        let list = |texts: Vec<String>| {
            let texts: Vec<String> = texts.iter().map(|text| line(text)).collect();
            Some(texts).filter(|texts| !texts.is_empty())
        };
        Self {
            id: id.to_string(),
            name: line(&card.name),
            emails: list(card.emails),
            phones: list(card.phones),
            org: card.org.as_deref().map(line),
        }
    }
}

fn line(text: &str) -> String {
    shown(text, LONGEST_LINE)
}
