//! A user's calendar home: which calendars there are, and by which addresses Nextcloud knows the user.

use std::sync::Arc;

use super::{Kind, LONGEST_LINE};
use crate::mcp::answer::Answer;
use crate::mcp::calendar::id::{CalendarId, ObjectId};
use crate::mcp::dav::{CALDAV, DAV, Multistatus, Response, propfind};
use crate::mcp::fault::Fault;
use crate::mcp::nextcloud::{Ask, Nextcloud, segment};
use crate::mcp::shown::shown;

/// What makes a calendar writable: `write` holds the others, where a server says only that (RFC 3744 §3.1).
const WRITING: &[&str] = &["all", "write", "write-content"];

/// The home of the caller.
pub struct Home {
    uid: Arc<str>,
}

/// A calendar, a task list, or both.
#[derive(Debug)]
pub struct Calendar {
    pub id: CalendarId,
    pub name: String,
    pub events: bool,
    pub tasks: bool,
    pub writable: bool,
}

/// The user, as CalDAV knows him.
pub struct Person {
    /// All his addresses (RFC 6638 §2.4.1), with their schemes.
    pub addresses: Vec<String>,
    /// Where invitations go, and what else names no calendar (§9.2).
    pub default: Option<CalendarId>,
}

// === impl Home ===

impl Home {
    /// The home of the caller.
    ///
    /// # Errors
    /// Whatever [`Nextcloud::uid`] says.
    pub async fn of(nextcloud: &Nextcloud) -> Result<Self, Fault> {
        Ok(Self { uid: nextcloud.uid().await? })
    }

    /// The target of what is at this path in it.
    pub fn target(&self, path: &str) -> String {
        format!("/remote.php/dav/calendars/{}/{path}", segment(&self.uid))
    }

    /// The id of an object that an answer names.
    pub fn id(&self, nextcloud: &Nextcloud, href: &str) -> Option<ObjectId> {
        ObjectId::of_href(nextcloud.inside(href), &self.segments())
    }

    fn segments(&self) -> [&str; 4] {
        ["remote.php", "dav", "calendars", &self.uid]
    }

    /// All calendars and task lists. What only shows another server's calendar is none.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn calendars(&self, nextcloud: &Nextcloud, kind: Kind) -> Result<Vec<Calendar>, Fault> {
        let body = propfind(&[
            (DAV, "resourcetype"),
            (DAV, "displayname"),
            (DAV, "current-user-privilege-set"),
            (CALDAV, "supported-calendar-component-set"),
        ]);
        let ask = kind.ask(Ask::new("PROPFIND", self.target("")).depth("1").xml(body));
        let read = Multistatus::of(&nextcloud.ask(ask).await?.good("list of calendars")?)?;
        let mut calendars: Vec<Calendar> = read
            .responses
            .iter()
            .filter(|response| response.is_a(CALDAV, "calendar"))
            .filter_map(|response| self.calendar(nextcloud, response))
            .collect();
        calendars.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(calendars)
    }

    fn calendar(&self, nextcloud: &Nextcloud, response: &Response) -> Option<Calendar> {
        let id = CalendarId::of_href(nextcloud.inside(&response.href), &self.segments())?;
        // RFC 4791 §5.2.3: without it, everything may be there.
        let components = response.get(CALDAV, "supported-calendar-component-set");
        let may_hold = |name: &str| {
            components.is_none_or(|set| {
                set.children.iter().any(|comp| comp.is(CALDAV, "comp") && comp.attribute("name") == Some(name))
            })
        };
        let privileges = response.get(DAV, "current-user-privilege-set");
        let writable = privileges.is_some_and(|set| {
            let mut each = set.children.iter().filter(|privilege| privilege.is(DAV, "privilege"));
            each.any(|privilege| WRITING.iter().any(|writing| privilege.child(DAV, writing).is_some()))
        });
        Some(Calendar {
            name: response.text(DAV, "displayname").map_or_else(|| id.to_string(), |name| shown(name, LONGEST_LINE)),
            events: may_hold("VEVENT"),
            tasks: may_hold("VTODO"),
            writable,
            id,
        })
    }

    /// Those that hold what a tool is about, or the one that was asked for.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn chosen(
        &self,
        nextcloud: &Nextcloud,
        kind: Kind,
        wanted: Option<&str>,
    ) -> Result<Vec<CalendarId>, Fault> {
        if let Some(wanted) = wanted {
            return Ok(vec![CalendarId::parse(wanted)?]);
        }
        let all = self.calendars(nextcloud, kind).await?;
        Ok(all.into_iter().filter(|calendar| calendar.holds(kind)).map(|calendar| calendar.id).collect())
    }

    /// The user's addresses and default calendar.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn person(&self, nextcloud: &Nextcloud) -> Result<Person, Fault> {
        let target = format!("/remote.php/dav/principals/users/{}/", segment(&self.uid));
        let body = propfind(&[(CALDAV, "calendar-user-address-set"), (CALDAV, "schedule-default-calendar-URL")]);
        let answer: Answer = nextcloud.ask(Ask::new("PROPFIND", target).depth("0").xml(body)).await?;
        let read = Multistatus::of(&answer.good("account")?)?;
        let hrefs = |name: &str| -> Vec<String> {
            let found = read.responses.iter().filter_map(|response| response.get(CALDAV, name));
            let hrefs = found.flat_map(|property| &property.children).filter(|child| child.is(DAV, "href"));
            hrefs.map(|href| nextcloud.inside(href.text.trim()).to_owned()).collect()
        };
        let default = hrefs("schedule-default-calendar-URL").into_iter().next();
        Ok(Person {
            addresses: hrefs("calendar-user-address-set"),
            default: default.and_then(|href| CalendarId::of_href(&href, &self.segments())),
        })
    }
}

// === impl Calendar ===

impl Calendar {
    /// Whether it may hold what a tool is about.
    pub fn holds(&self, kind: Kind) -> bool {
        match kind {
            Kind::Events => self.events,
            Kind::Tasks => self.tasks,
        }
    }
}

/// Where something new goes if nobody said where: the default, what Nextcloud's own programs take, or the first that may be written.
///
/// # Errors
/// [`Fault::Said`] if there is none.
pub fn first_choice(calendars: Vec<Calendar>, kind: Kind, default: Option<&CalendarId>) -> Result<CalendarId, Fault> {
    let mut good: Vec<CalendarId> = calendars
        .into_iter()
        .filter(|calendar| calendar.writable && calendar.holds(kind))
        .map(|calendar| calendar.id)
        .collect();
    good.sort_by_key(|id| match id.as_str() {
        _ if Some(id) == default => 0,
        "personal" => 1,
        "tasks" => 2,
        _ => 3,
    });
    good.into_iter().next().ok_or_else(|| {
        Fault::said(match kind {
            Kind::Events => {
                "The user has no calendar that may be written. Tell the user to make one in the Calendar app."
            }
            Kind::Tasks => "The user has no task list that may be written. Tell the user to make one in the Tasks app.",
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(id: &str, tasks: bool, writable: bool) -> Calendar {
        Calendar { id: CalendarId::parse(id).unwrap(), name: id.into(), events: true, tasks, writable }
    }

    #[test]
    fn what_is_new_goes_where_it_may_and_belongs() {
        let all = || {
            vec![
                calendar("a", true, true),
                calendar("b", true, true),
                calendar("personal", false, true),
                calendar("shared", true, false),
            ]
        };
        let choice = |kind, default: &str| {
            first_choice(all(), kind, Some(&CalendarId::parse(default).unwrap())).unwrap().to_string()
        };
        assert_eq!(choice(Kind::Events, "b"), "b");
        assert_eq!(choice(Kind::Events, "shared"), "personal");
        assert_eq!(choice(Kind::Tasks, "personal"), "a");
        let Err(Fault::Said(words)) = first_choice(vec![calendar("shared", true, false)], Kind::Tasks, None) else {
            panic!()
        };
        assert!(words.contains("Tasks app"));
    }
}
