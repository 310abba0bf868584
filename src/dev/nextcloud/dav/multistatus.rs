//! The multistatus body (RFC 4918 §13), with the namespaces that Nextcloud declares for each family.

use super::xml::{CAL, CARD, CS, DAV, NC, Name, OC, escaped};

/// Which of sabre's plugins are at work: they show in the `DAV` header and in declared namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// The old endpoints.
    Legacy,
    Files,
    Calendars,
    Contacts,
    /// Principals: both.
    Principals,
}

/// One `response` of a multistatus.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub href: String,
    /// Properties with their value in XML.
    pub found: Vec<(Name, String)>,
    pub missing: Vec<Name>,
    /// Properties that could not be changed, with the status that says why.
    pub refused: Vec<(Name, u16)>,
    /// Nothing is there: a status instead of properties.
    pub gone: bool,
}

/// The whole body.
pub(super) fn body(all: &[Told], family: Family) -> String {
    with_token(all, family, "")
}

/// The body of a sync-collection report (RFC 6578 §3.2).
pub(super) fn with_token(all: &[Told], family: Family, token: &str) -> String {
    let namespaces: String =
        family.namespaces().iter().map(|(prefix, space)| format!(" xmlns:{prefix}=\"{space}\"")).collect();
    let responses: String = all.iter().map(|told| told.render(family)).collect();
    let token = if token.is_empty() { String::new() } else { format!("<d:sync-token>{token}</d:sync-token>") };
    format!(
        "<?xml version=\"1.0\"?>\n<d:multistatus xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\"{namespaces}>\
         {responses}{token}</d:multistatus>\n"
    )
}

// === impl Family ===

impl Family {
    fn namespaces(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Legacy | Self::Files => &[("oc", OC), ("nc", NC)],
            Self::Calendars => &[("cal", CAL), ("cs", CS), ("oc", OC), ("nc", NC)],
            Self::Contacts => &[("card", CARD), ("oc", OC), ("nc", NC)],
            Self::Principals => &[("cal", CAL), ("cs", CS), ("card", CARD), ("oc", OC), ("nc", NC)],
        }
    }

    /// The `DAV` header.
    pub(super) fn capabilities(self) -> String {
        const CALENDARS: &str = ", calendar-access, calendar-proxy, calendar-auto-schedule, calendar-availability, \
            nc-calendar-trashbin, nc-calendar-webcal-cache, calendarserver-subscribed, oc-calendar-publishing, \
            calendarserver-sharing";
        let (shared, calendars, contacts) = match self {
            Self::Legacy => return "1, 3, extended-mkcol, nextcloud-checksum-update".into(),
            Self::Files => ("", "", ""),
            Self::Calendars => (", oc-resource-sharing", CALENDARS, ""),
            Self::Contacts => (", oc-resource-sharing", "", ", addressbook"),
            Self::Principals => (", oc-resource-sharing", CALENDARS, ", addressbook"),
        };
        format!(
            "1, 3, extended-mkcol, access-control, calendarserver-principal-property-search{shared}{calendars}{contacts}, \
             nc-paginate, nextcloud-checksum-update, nc-calendar-search, nc-enable-birthday-calendar"
        )
    }

    /// A name as sabre writes it: with a declared prefix, else with a declaration of its own.
    fn tag(self, name: &Name) -> (String, String) {
        let known = self.namespaces().iter().find(|(_, space)| *space == name.space).map(|(prefix, _)| *prefix);
        match known.or((name.space == DAV).then_some("d")) {
            Some(prefix) => (format!("{prefix}:{}", name.local), String::new()),
            None if name.space.is_empty() => (name.local.clone(), String::new()),
            None => (format!("x1:{}", name.local), format!(" xmlns:x1=\"{}\"", escaped(&name.space))),
        }
    }

    fn element(self, name: &Name, value: &str) -> String {
        let (tag, declared) = self.tag(name);
        if value.is_empty() { format!("<{tag}{declared}/>") } else { format!("<{tag}{declared}>{value}</{tag}>") }
    }
}

// === impl Told ===

impl Told {
    pub(super) fn at(href: String) -> Self {
        Self { href, found: Vec::new(), missing: Vec::new(), refused: Vec::new(), gone: false }
    }

    /// Nothing is there.
    pub(super) fn gone(href: String) -> Self {
        Self { gone: true, ..Self::at(href) }
    }

    /// What `value` knows of the names asked for; without names, of the usual ones, of which those missing are not told.
    pub(super) fn of(
        href: String,
        asked: Option<&[Name]>,
        usual: &[Name],
        value: impl Fn(&Name) -> Option<String>,
    ) -> Self {
        let mut told = Self::at(href);
        for name in asked.unwrap_or(usual) {
            match value(name) {
                Some(value) => told.found.push((name.clone(), value)),
                None if asked.is_some() => told.missing.push(name.clone()),
                None => {}
            }
        }
        told
    }

    fn render(&self, family: Family) -> String {
        let href = escaped(&self.href);
        if self.gone {
            return format!(
                "<d:response><d:href>{href}</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
            );
        }
        let found: String = self.found.iter().map(|(name, value)| family.element(name, value)).collect();
        let missing: String = self.missing.iter().map(|name| family.element(name, "")).collect();
        let mut parts = String::new();
        if !found.is_empty() || (missing.is_empty() && self.refused.is_empty()) {
            parts.push_str(&propstat(&found, "200 OK"));
        }
        if !missing.is_empty() {
            parts.push_str(&propstat(&missing, "404 Not Found"));
        }
        for (status, line) in [(403, "403 Forbidden"), (424, "424 Failed Dependency")] {
            let refused: String = self
                .refused
                .iter()
                .filter(|(_, known)| *known == status)
                .map(|(name, _)| family.element(name, ""))
                .collect();
            if !refused.is_empty() {
                parts.push_str(&propstat(&refused, line));
            }
        }
        format!("<d:response><d:href>{href}</d:href>{parts}</d:response>")
    }
}

fn propstat(properties: &str, status: &str) -> String {
    let properties =
        if properties.is_empty() { "<d:prop/>".to_owned() } else { format!("<d:prop>{properties}</d:prop>") };
    format!("<d:propstat>{properties}<d:status>HTTP/1.1 {status}</d:status></d:propstat>")
}
