//! Switches against egress: what leaves the house by a share, an invitation or a message. They bind every caller, whatever its token was
//! granted and whatever the mode of enforcement is, the plain proxy as well as the MCP tools.
//!
//! A switched-off way out is refused by method and path where that tells enough, else by the body, and then a body that cannot be judged
//! is refused. The paths are those of the apps' route tables (files_sharing, spreed, mail, tables, November 2026).

use http::Method;

use super::Access;
use super::refusal::Refusal;
use super::shares;
use crate::nextcloud::calendar_body;
use crate::nextcloud::dav_body::{self, AmbiguousBody, DavBody};
use crate::nextcloud::family::Family;
use crate::nextcloud::parameters::Parameters;
use crate::nextcloud::route::Route;

/// What may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Egress {
    /// Links, shares by e-mail, with other servers, teams and conversations; published calendars; public conversations.
    pub public_links: bool,
    /// Calendar objects with attendees or an organizer, the scheduling outbox; guests of a conversation.
    pub invitations: bool,
    /// Chat messages, polls and calls; mail.
    pub messages: bool,
}

/// What has to be read of a request before it can be let out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Query, form or JSON.
    Parameters,
    /// A calendar object, or the XML of a sharing or publishing POST.
    Calendar,
}

/// Kinds of share that stay inside: with a user, a group, the members of a Deck card. Teams (7) and conversations (10) may have guests.
const INSIDE: &[u32] = &[0, 1, 12];
/// With whom a board of Deck stays inside: a user, a group.
const BOARD_INSIDE: &[u32] = &[0, 1];
/// With whom a calendar or an address book stays inside.
const DAV_INSIDE: &[&str] = &["principal:principals/users/", "principal:principals/groups/"];
/// What may be changed of a share that may be a link.
const HARMLESS_CHANGES: &[&str] = &["permissions", "note", "attributes", "sendMail", "format"];
/// Mail leaves by these.
const MAIL_WAYS_OUT: &[&str] = &[
    "outbox",
    "drafts",
    "draft",
    "mdn",
    "unsubscribe",
    "out-of-office",
    "sieve",
    "filter",
    "filters",
    "send",
    "quick-actions",
    "action-step",
];
/// A conversation is spoken in by these.
const TALK_WAYS_OUT: &[&str] = &["chat", "poll", "call", "reaction", "bot", "breakout-rooms", "recording", "signaling"];
/// People who are no users of this server.
const STRANGERS: &[&str] = &["emails", "phones", "participants", "federatedUsers", "teams"];

impl Default for Egress {
    fn default() -> Self {
        Self { public_links: true, invitations: true, messages: true }
    }
}

// === impl Egress ===

impl Egress {
    /// Whether nothing is switched off.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.public_links && self.invitations && self.messages
    }

    /// What method and path tell. `from` is the family of the target where `route` is a `Destination`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn by_path(self, route: &Route<'_>, method: &Method, from: Option<Family>) -> Result<(), Refusal> {
        if self.is_open() || Access::of(method) == Access::Read || method == Method::DELETE {
            return Ok(());
        }
        let item = route.path_in_family();
        let part = |wanted: &str| item.split('/').any(|part| part == wanted);
        match route.family() {
            Family::Shares if part("send-email") && !(self.public_links && self.messages) => Err(Refusal::PublicLinks),
            Family::Tables if (part("share") || part("shares")) && !self.public_links => Err(Refusal::PublicLinks),
            Family::Talk if part("public") && !self.public_links => Err(Refusal::PublicLinks),
            Family::Talk
                if !self.invitations && (part("import-emails") || part("resend-invitations") || part("meeting")) =>
            {
                Err(Refusal::Invitations)
            }
            Family::Talk if !self.messages && !is_own_mark(item) && TALK_WAYS_OUT.iter().any(|way| part(way)) => {
                Err(Refusal::Messages)
            }
            Family::Mail if !self.messages && MAIL_WAYS_OUT.iter().any(|way| part(way)) => Err(Refusal::Messages),
            Family::Calendars
                if !self.invitations && (part("outbox") || from.is_some_and(|from| from != Family::Calendars)) =>
            {
                Err(Refusal::Invitations)
            }
            _ => Ok(()),
        }
    }

    /// What has to be read because something is switched off.
    #[must_use]
    pub fn reading(self, route: &Route<'_>, method: &Method) -> Option<Reading> {
        if self.is_open() || Access::of(method) == Access::Read || method == Method::DELETE {
            return None;
        }
        let item = route.path_in_family();
        match route.family() {
            Family::Shares => Some(Reading::Parameters),
            Family::Talk if is_room(item) && !(self.public_links && self.invitations) => Some(Reading::Parameters),
            Family::Deck if !self.public_links && is_board_acl(item) => Some(Reading::Parameters),
            Family::Calendars if method == Method::PUT && !self.invitations => Some(Reading::Calendar),
            Family::Calendars if method == Method::POST => Some(Reading::Calendar),
            Family::Addressbooks if method == Method::POST && !self.public_links => Some(Reading::Calendar),
            _ => None,
        }
    }

    /// What the parameters tell.
    ///
    /// # Errors
    /// [`AmbiguousBody`]; within, [`Refusal`].
    pub fn by_parameters(
        self,
        route: &Route<'_>,
        parameters: &Parameters,
    ) -> Result<Result<(), Refusal>, AmbiguousBody> {
        match route.family() {
            Family::Shares => self.share(route.path_in_family(), parameters),
            Family::Talk => self.room(parameters),
            Family::Deck => {
                let outside = parameters.number("type")?.is_some_and(|kind| !BOARD_INSIDE.contains(&kind));
                Ok(if outside && !self.public_links { Err(Refusal::PublicLinks) } else { Ok(()) })
            }
            _ => Ok(Ok(())),
        }
    }

    fn share(self, item: &str, parameters: &Parameters) -> Result<Result<(), Refusal>, AmbiguousBody> {
        let kind = parameters.number("shareType")?;
        if shares::is_creation(item) {
            if !self.public_links && kind.is_some_and(|kind| !INSIDE.contains(&kind)) {
                return Ok(Err(Refusal::PublicLinks));
            }
            // A share with a conversation is a message in it, one by e-mail is a mail.
            if !self.messages && kind.is_some_and(|kind| matches!(kind, 4 | 10)) {
                return Ok(Err(Refusal::Messages));
            }
            return Ok(Ok(()));
        }
        let is_share = item.strip_prefix("api/v1/shares/").is_some_and(|id| !id.contains('/'));
        if !self.public_links && is_share && parameters.names().any(|name| !HARMLESS_CHANGES.contains(&name)) {
            return Ok(Err(Refusal::PublicLinks));
        }
        Ok(Ok(()))
    }

    fn room(self, parameters: &Parameters) -> Result<Result<(), Refusal>, AmbiguousBody> {
        if !self.public_links && parameters.number("roomType")? == Some(3) {
            return Ok(Err(Refusal::PublicLinks));
        }
        if !self.invitations {
            let inside = matches!(parameters.text("source")?, None | Some("" | "users" | "groups"));
            if !inside || STRANGERS.iter().any(|name| parameters.has(name)) {
                return Ok(Err(Refusal::Invitations));
            }
        }
        Ok(Ok(()))
    }

    /// What the body of a write to calendars or address books tells.
    ///
    /// # Errors
    /// [`AmbiguousBody`] if it cannot be judged; within, [`Refusal`].
    pub fn by_calendar(self, body: &[u8]) -> Result<Result<(), Refusal>, AmbiguousBody> {
        // libxml takes a byte order mark, and encodings in which `<` is another byte.
        let text = std::str::from_utf8(body).map_err(|_| AmbiguousBody::Encoding)?;
        if text.contains('\0') {
            return Err(AmbiguousBody::Encoding);
        }
        if text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('<') {
            let leaves = leaves(&dav_body::read(body)?);
            return Ok(if leaves && !self.public_links { Err(Refusal::PublicLinks) } else { Ok(()) });
        }
        if self.invitations {
            return Ok(Ok(()));
        }
        Ok(if calendar_body::invites(body)? { Err(Refusal::Invitations) } else { Ok(()) })
    }
}

/// Whether a collection is published, or shared with anybody but users and groups: teams and other servers.
fn leaves(body: &DavBody) -> bool {
    let inside = |href: &String| DAV_INSIDE.iter().any(|whose| href.trim().starts_with(whose));
    body.elements.contains("publish-calendar") || (body.elements.contains("set") && !body.hrefs.iter().all(inside))
}

/// The rights to a board of Deck.
fn is_board_acl(item: &str) -> bool {
    item.split('/').any(|part| part == "acl")
}

/// Creating a conversation, or adding somebody to one.
fn is_room(item: &str) -> bool {
    let mut parts = item.split('/').rev();
    matches!((parts.next(), parts.next()), (Some("room"), _) | (Some("participants"), Some(_)))
}

/// What a person marks for himself: how far he has read, of what he wants to be reminded.
fn is_own_mark(item: &str) -> bool {
    // Behind `chat` stands the conversation, whatever it is called.
    let behind = item.split('/').skip_while(|part| *part != "chat").skip(2);
    matches!(behind.last(), Some("read" | "reminder"))
}

#[cfg(test)]
mod tests;
